package topics_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
)

// shore is a broker with all topics, and a reader of its lags.
type shore struct {
	t      *testing.T
	broker *testkit.Broker
	reader *topics.LagReader
	admin  *kadm.Client
}

func newShore(t *testing.T) *shore {
	t.Helper()
	s := &shore{t: t, broker: testkit.StartBrokerWithTopics(t)}
	s.admin = admin(t, s.broker.Addr)
	var err error
	if s.reader, err = topics.NewLagReader([]string{s.broker.Addr}, topics.Access{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.reader.Close)
	return s
}

// publish puts records of one user on a topic, one a partition's record, made at a time.
func (s *shore) publish(topic proto.Topic, n int, made time.Time) {
	s.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.broker.Addr))
	if err != nil {
		s.t.Fatal(err)
	}
	defer client.Close()
	for range n {
		r := &kgo.Record{Topic: string(topic), Key: []byte("ada"), Value: []byte("{}"), Timestamp: made}
		if err := client.ProduceSync(within(s.t, 30*time.Second), r).FirstErr(); err != nil {
			s.t.Fatal(err)
		}
	}
}

// join has a member of a group read a topic until it has acknowledged n records; leave ends it.
func (s *shore) join(group string, topic proto.Topic, n int) (leave func()) {
	s.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.broker.Addr), kgo.ConsumerGroup(group), kgo.ConsumeTopics(string(topic)),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(client.Close)
	ctx := within(s.t, 30*time.Second)
	for read := 0; read < n; {
		records := client.PollRecords(ctx, n-read).Records()
		if ctx.Err() != nil {
			s.t.Fatalf("the member of %s has read %d of %d records", group, read, n)
		}
		if err := client.CommitRecords(ctx, records...); err != nil {
			s.t.Fatal(err)
		}
		read += len(records)
	}
	return client.Close
}

func (s *shore) read() topics.Lags {
	s.t.Helper()
	all, err := s.reader.Read(within(s.t, 30*time.Second))
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// TestReadingAgainAndAgainLeavesNothingBehind is not parallel: it counts what the whole process has.
func TestReadingAgainAndAgainLeavesNothingBehind(t *testing.T) {
	s := newShore(t)
	s.publish(proto.Tasks, 100, time.Now().Add(-time.Hour))
	kept := func() (goroutines int, heap, used uint64) {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // what pools held comes free with the second
		runtime.ReadMemStats(&m)
		return runtime.NumGoroutine(), m.HeapAlloc, m.TotalAlloc
	}
	for range 10 {
		s.read()
	}
	const reads = 40
	goroutines, heap, before := kept()
	for range reads {
		if l, _ := of(s.read(), "scheduler", proto.Tasks); l.Oldest < time.Hour {
			t.Fatalf("what waits is not looked at: %+v", l)
		}
	}
	// What pools hold between two readings counts for a limit of memory too. Clients that tell the broker of themselves
	// when they end, with encoders made for it, used 2 MiB and more for each reading.
	if _, _, after := kept(); after-before > reads<<20 {
		t.Errorf("each reading used %d KiB", (after-before)/reads>>10)
	}
	testkit.Eventually(t, "nothing is left behind", func(context.Context) (bool, any) {
		g, h, _ := kept()
		return g <= goroutines+5 && h < heap+(1<<20), fmt.Sprintf("%d goroutines were %d, %d bytes were %d", g, goroutines, h, heap)
	})
}

// of is one group's lag on one topic.
func of(all topics.Lags, group string, topic proto.Topic) (topics.Lag, bool) {
	for _, l := range all.Groups {
		if l.Group == group && l.Topic == topic {
			return l, true
		}
	}
	return topics.Lag{}, false
}

func TestEveryGroupOfSharedWorkIsReportedBeforeAnybodyHasReadAnything(t *testing.T) {
	t.Parallel()
	s := newShore(t)
	s.publish(proto.Tasks, 3, time.Now().Add(-time.Hour))
	all := s.read()
	want := 0
	for _, topic := range proto.AllTopics() {
		for _, app := range topic.Subscribers {
			want++
			l, there := of(all, app, topic.Name)
			if !there || l.Members != 0 || l.Each || l.App != app {
				t.Errorf("%s on %s: %t, %+v", app, topic.Name, there, l)
			}
			waits := int64(0)
			if topic.Name == proto.Tasks {
				waits = 3
			}
			if l.Behind != waits || (l.Oldest > 0) != (waits > 0) {
				t.Errorf("%s on %s is %d behind, the oldest %v old", app, topic.Name, l.Behind, l.Oldest)
			}
		}
	}
	if len(all.Groups) != want || len(all.Left) != 0 {
		t.Errorf("there are %d groups, want %d; left are %v", len(all.Groups), want, all.Left)
	}
}

func TestLagIsWhatAGroupHasNotAcknowledgedAndHowOldItIs(t *testing.T) {
	t.Parallel()
	s := newShore(t)
	now := time.Now()
	s.publish(proto.Tasks, 4, now.Add(-2*time.Hour))
	s.publish(proto.Tasks, 2, now.Add(-10*time.Minute))
	s.join(proto.Scheduler, proto.Tasks, 4)
	l, there := of(s.read(), proto.Scheduler, proto.Tasks)
	if !there || l.Behind != 2 || l.Members != 1 || l.Oldest < 10*time.Minute || l.Oldest > 11*time.Minute {
		t.Errorf("after 4 of 6 it says %t, %+v", there, l)
	}
}

func TestNothingWaitsForAGroupAtTheEnd(t *testing.T) {
	t.Parallel()
	s := newShore(t)
	s.publish(proto.Tasks, 2, time.Now().Add(-time.Hour))
	leave := s.join(proto.Scheduler, proto.Tasks, 2)
	if l, _ := of(s.read(), proto.Scheduler, proto.Tasks); l.Behind != 0 || l.Oldest != 0 {
		t.Errorf("it says %+v", l)
	}
	// A service that is away is behind: its group is not a replica's own.
	leave()
	s.publish(proto.Tasks, 1, time.Now())
	if l, _ := of(s.read(), proto.Scheduler, proto.Tasks); l.Behind != 1 || l.Members != 0 {
		t.Errorf("with nobody there it says %+v", l)
	}
}

func TestReplicasThatAreGoneAreCountedAndNotBehindForEver(t *testing.T) {
	t.Parallel()
	s := newShore(t)
	s.publish(proto.Tasks, 2, time.Now().Add(-time.Hour))
	lives, gone := proto.Notifier+"-"+uuid.NewString(), proto.Notifier+"-"+uuid.NewString()
	s.join(lives, proto.Tasks, 1)
	s.join(gone, proto.Tasks, 1)()
	// Neither of these is a replica's.
	s.join("notifier-0b1c", proto.Tasks, 1)
	s.join("somebody-"+uuid.NewString(), proto.Tasks, 1)

	all := s.read()
	if l, there := of(all, lives, proto.Tasks); !there || l.Behind != 1 || !l.Each || l.App != proto.Notifier || l.Oldest < time.Hour {
		t.Errorf("the replica that lives: %t, %+v", there, l)
	}
	// Where it has read nothing yet it begins at the end, and nothing waits.
	if l, there := of(all, lives, proto.Users); !there || l.Behind != 0 {
		t.Errorf("on another topic: %t, %+v", there, l)
	}
	if l, there := of(all, gone, proto.Tasks); there || all.Left[proto.Notifier] != 1 || len(all.Left) != 1 {
		t.Errorf("the replica that is gone: %t, %+v; left are %v", there, l, all.Left)
	}
	for _, l := range all.Groups {
		if l.Each && l.Group != lives {
			t.Errorf("%s is reported", l.Group)
		}
	}
}

func TestGroupsBehindOnTheSamePartitionHaveEachTheirOwnAge(t *testing.T) {
	t.Parallel()
	s := newShore(t)
	now := time.Now()
	for _, age := range []time.Duration{3 * time.Hour, 2 * time.Hour, time.Hour} {
		s.publish(proto.Tasks, 1, now.Add(-age))
	}
	one, two := proto.Notifier+"-"+uuid.NewString(), proto.Notifier+"-"+uuid.NewString()
	s.join(one, proto.Tasks, 1)
	s.join(two, proto.Tasks, 2)
	all := s.read()
	for group, want := range map[string]time.Duration{proto.Scheduler: 3 * time.Hour, one: 2 * time.Hour, two: time.Hour} {
		if l, _ := of(all, group, proto.Tasks); l.Oldest < want || l.Oldest > want+5*time.Minute {
			t.Errorf("%s: %+v, want %v", group, l, want)
		}
	}
}

func TestWhatTheBrokerHasDeletedIsNotWaiting(t *testing.T) {
	t.Parallel()
	s := newShore(t)
	s.publish(proto.Tasks, 5, time.Now())
	s.join(proto.Scheduler, proto.Tasks, 1)
	ends, err := s.admin.ListEndOffsets(within(t, 30*time.Second), string(proto.Tasks))
	if err != nil {
		t.Fatal(err)
	}
	cut := kadm.Offsets{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset == 5 {
			cut.Add(kadm.Offset{Topic: o.Topic, Partition: o.Partition, At: 3})
		}
	})
	if _, err := s.admin.DeleteRecords(within(t, 30*time.Second), cut); err != nil {
		t.Fatal(err)
	}
	if l, _ := of(s.read(), proto.Scheduler, proto.Tasks); l.Behind != 2 {
		t.Errorf("after 1 was read and 3 of 5 were deleted it says %+v", l)
	}
}

func TestTheLagAtABrokerThatIsAwayIsUnavailableAndComesBack(t *testing.T) {
	t.Parallel()
	s := newShore(t)
	s.broker.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := s.reader.Read(ctx); !errs.Is(err, errs.Unavailable) {
		t.Errorf("it says %v", err)
	}
	s.broker.Start()
	if l, there := of(s.read(), proto.MCPTools, proto.MCPRequests); !there || l.Behind != 0 {
		t.Errorf("afterwards: %t, %+v", there, l)
	}
}
