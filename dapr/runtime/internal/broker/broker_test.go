package broker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/taskflow-suite/taskflow/dapr/runtime/internal/proctest"
)

const (
	topic      = "tasks.events"
	group      = "scheduler"
	partitions = 4
)

func TestKilledBrokerKeepsEveryAcknowledgedRecordAndCommit(t *testing.T) {
	t.Parallel()
	producers := map[string][]kgo.Opt{
		"of a plain producer, like the sidecar's": {kgo.DisableIdempotentWrite()},
		"of an idempotent producer":               nil,
	}
	for name, opts := range producers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			// Nothing goes by itself, however many records a fast machine makes.
			unbounded := []string{"--retention-records", "-1"}
			b := proctest.StartBroker(t, dir, "", nil, unbounded...)
			createTopic(t, b.Addr, nil)
			// One client lives through all lives of the broker, as a sidecar's does.
			producer := client(t, b.Addr, opts...)
			acked := &acks{}

			// An orderly end comes first: what it leaves on disk must not mislead the
			// start that follows a kill.
			for life, end := range []func(*proctest.Process){
				(*proctest.Process).Stop, (*proctest.Process).Kill, (*proctest.Process).Kill,
			} {
				stop := produce(t, producer, acked, life)
				proctest.Eventually(t, "records are acknowledged", func(context.Context) error {
					if n := acked.count(life); n < 300 {
						return fmt.Errorf("%d so far", n)
					}
					return nil
				})
				committed := commitHalf(t, b.Addr)

				end(b.Process) // in the middle of producing
				b = proctest.StartBroker(t, dir, b.Addr, nil, unbounded...)
				stop()

				if got := committedOffsets(t, b.Addr); fmt.Sprint(got) != fmt.Sprint(committed) {
					t.Fatalf("life %d: committed offsets are %v, want %v", life, got, committed)
				}
				acked.mustAllBeIn(t, readAll(t, b.Addr))
			}
		})
	}
}

func TestTopicNobodyDeclaredIsAnError(t *testing.T) {
	t.Parallel()
	b := proctest.StartBroker(t, t.TempDir(), "", nil)
	c := client(t, b.Addr, kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(0))
	err := c.ProduceSync(t.Context(), &kgo.Record{Topic: "unheard-of", Value: []byte("x")}).FirstErr()
	if !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Fatalf("producing to an undeclared topic: %v, want %v", err, kerr.UnknownTopicOrPartition)
	}
	topics, err := kadm.NewClient(c).ListTopics(t.Context())
	if err != nil || len(topics) != 0 {
		t.Fatalf("topics afterwards: %v, %v; want none", topics.Names(), err)
	}
}

func TestExpiredRecordsGoButOffsetsStay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	args := []string{"--retention-check", "50ms"}
	b := proctest.StartBroker(t, dir, "", nil, args...)
	hour := "3600000"
	createTopic(t, b.Addr, map[string]*string{"retention.ms": &hour})
	c := client(t, b.Addr, kgo.RecordPartitioner(kgo.ManualPartitioner()))

	produceAt := func(at time.Time) { t.Helper(); produceTen(t, c, at) }
	starts := func(want int64) { t.Helper(); logStartsAt(t, c, want) }

	produceAt(time.Now().Add(-2 * time.Hour))
	starts(9) // all are old; the last one keeps the count
	produceAt(time.Now())
	starts(10)

	for _, end := range []string{"kill", "stop"} {
		if end == "kill" {
			b.Kill()
		} else {
			b.Stop()
		}
		b = proctest.StartBroker(t, dir, b.Addr, nil, args...)
		starts(10)
		ends, err := kadm.NewClient(c).ListEndOffsets(t.Context(), topic)
		if err != nil {
			t.Fatal(err)
		}
		if o, _ := ends.Lookup(topic, 0); o.Offset != 20 {
			t.Fatalf("after %s the log ends at %d, want 20", end, o.Offset)
		}
	}
}

func TestPartitionKeepsNoMoreRecordsThanItMay(t *testing.T) {
	t.Parallel()
	b := proctest.StartBroker(t, t.TempDir(), "", nil, "--retention-check", "50ms", "--retention-records", "7")
	createTopic(t, b.Addr, nil)
	c := client(t, b.Addr, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for want := range int64(3) {
		produceTen(t, c, time.Now())
		logStartsAt(t, c, want*10+3)
	}
}

func TestUsersMayDoWhatTheCurrentFileGrantsAndNoMore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rules := filepath.Join(t.TempDir(), "acls.json")
	env := []string{"ADMIN_PASSWORD=a-secret", "API_PASSWORD=another"}
	args := []string{
		"--sasl-user", "admin", "--sasl-password-env", "ADMIN_PASSWORD",
		"--sasl-user", "task-api", "--sasl-password-env", "API_PASSWORD",
		"--acls", rules,
	}
	grant := func(text string) {
		t.Helper()
		if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	as := func(addr, user, password string) *kgo.Client {
		t.Helper()
		return client(t, addr, kgo.SASL(scram.Auth{User: user, Pass: password}.AsSha256Mechanism()),
			kgo.DisableIdempotentWrite(), kgo.UnknownTopicRetries(0))
	}
	// kfake hangs up on a wrong password instead of answering that it is wrong.
	refused := func(addr, password string) {
		t.Helper()
		c := client(t, addr, kgo.RequestRetries(0),
			kgo.SASL(scram.Auth{User: "task-api", Pass: password}.AsSha256Mechanism()))
		if err := c.Ping(t.Context()); !errors.Is(err, io.EOF) && !errors.Is(err, kerr.SaslAuthenticationFailed) {
			t.Fatalf("password %q is answered with %v, want to be refused", password, err)
		}
	}
	write := func(c *kgo.Client, topic string) error {
		ctx, cancel := context.WithTimeout(t.Context(), proctest.Deadline)
		defer cancel()
		return c.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr()
	}

	grant(`[{"principal":"User:task-api","topic":"tasks.*","operations":["write"]}]`)
	b := proctest.StartBroker(t, dir, "", env, args...)
	admin := as(b.Addr, "admin", "a-secret")
	for _, name := range []string{"tasks.events", "users.events"} {
		if _, err := kadm.NewClient(admin).CreateTopic(t.Context(), 1, 1, nil, name); err != nil {
			t.Fatal(err)
		}
	}
	api := as(b.Addr, "task-api", "another")
	if err := write(api, "tasks.events"); err != nil {
		t.Fatalf("writing what is granted: %v", err)
	}
	if err := write(api, "users.events"); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Fatalf("writing what is not granted: %v", err)
	}
	refused(b.Addr, "wrong")

	// What is not in the file any more is not allowed any more.
	grant(`[{"principal":"User:task-api","topic":"users.events","operations":["write"]}]`)
	b.Kill()
	b = proctest.StartBroker(t, dir, b.Addr, []string{"ADMIN_PASSWORD=a-secret", "API_PASSWORD=changed"}, args...)
	refused(b.Addr, "another")
	api = as(b.Addr, "task-api", "changed")
	if err := write(api, "users.events"); err != nil {
		t.Fatalf("writing what is granted now: %v", err)
	}
	if err := write(api, "tasks.events"); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Fatalf("writing what was granted before: %v", err)
	}
}

func TestBrokerRefusesToStart(t *testing.T) {
	t.Parallel()
	running := proctest.StartBroker(t, t.TempDir(), "", nil)
	taken := t.TempDir()
	proctest.StartBroker(t, taken, "", nil)
	broken := filepath.Join(t.TempDir(), "acls.json")
	if err := os.WriteFile(broken, []byte(`[{"principal":"x","operations":[]}]`), 0o600); err != nil {
		t.Fatal(err)
	}

	cases := map[string]struct {
		args []string
		says []string
	}{
		"on a busy port":                {[]string{"--data", t.TempDir(), "--listen", running.Addr}, []string{"address already in use", running.Addr}},
		"on a directory in use":         {[]string{"--data", taken, "--listen", "127.0.0.1:0"}, []string{"another broker"}},
		"without a directory":           {[]string{"--listen", "127.0.0.1:0"}, []string{"no data directory"}},
		"where clients cannot find it":  {[]string{"--data", t.TempDir(), "--listen", "0.0.0.0:0"}, []string{"cannot dial"}},
		"with a user without password":  {[]string{"--data", t.TempDir(), "--sasl-user", "a", "--sasl-password-env", "NOT_SET"}, []string{"NOT_SET"}},
		"with a user without variable":  {[]string{"--data", t.TempDir(), "--sasl-user", "a"}, []string{"1 --sasl-user but 0"}},
		"with broken access rules":      {[]string{"--data", t.TempDir(), "--acls", broken}, []string{"User:<name>", "topic and group", "no operations"}},
		"with an argument out of place": {[]string{"--data", t.TempDir(), "serve"}, []string{`"serve"`}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := proctest.Start(t, nil, proctest.Binary(t, "broker"), c.args...)
			if err := p.Wait(); err == nil {
				t.Fatal("it ended as if all were well")
			}
			for _, want := range c.says {
				if !strings.Contains(p.Output(), want) {
					t.Errorf("it does not say %q:\n%s", want, p.Output())
				}
			}
		})
	}
}

func client(t *testing.T, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addr), kgo.MetadataMinAge(50 * time.Millisecond)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// produceTen writes ten records of that time to partition 0, each a batch of its own.
func produceTen(t *testing.T, c *kgo.Client, at time.Time) {
	t.Helper()
	for range 10 {
		err := c.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("x"), Timestamp: at}).FirstErr()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// logStartsAt waits until offset want is the first of partition 0.
func logStartsAt(t *testing.T, c *kgo.Client, want int64) {
	t.Helper()
	proctest.Eventually(t, "old records go", func(ctx context.Context) error {
		offsets, err := kadm.NewClient(c).ListStartOffsets(ctx, topic)
		if err != nil {
			return err
		}
		if o, _ := offsets.Lookup(topic, 0); o.Err != nil || o.Offset != want {
			return fmt.Errorf("the log starts at %d (%w), want %d", o.Offset, o.Err, want)
		}
		return nil
	})
}

func createTopic(t *testing.T, addr string, configs map[string]*string) {
	t.Helper()
	if _, err := kadm.NewClient(client(t, addr)).CreateTopic(t.Context(), partitions, 1, configs, topic); err != nil {
		t.Fatal(err)
	}
}

// acks remembers where each acknowledged value was said to be.
type acks struct {
	mu    sync.Mutex
	where map[string]place
}

type place struct {
	partition int32
	offset    int64
}

func (a *acks) add(r *kgo.Record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.where == nil {
		a.where = map[string]place{}
	}
	a.where[string(r.Value)] = place{r.Partition, r.Offset}
}

// count is how many records of a life of the broker are acknowledged.
func (a *acks) count(life int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for value := range a.where {
		if strings.HasPrefix(value, fmt.Sprintf("%d/", life)) {
			n++
		}
	}
	return n
}

func (a *acks) mustAllBeIn(t *testing.T, log map[place]string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for value, at := range a.where {
		if log[at] != value {
			t.Fatalf("%s was acknowledged at %v, where %q is now (%d acknowledged, %d in the log)",
				value, at, log[at], len(a.where), len(log))
		}
	}
}

// produce sends records until the function it returns is called, which waits
// until every record sent is either acknowledged or failed.
func produce(t *testing.T, c *kgo.Client, acked *acks, life int) (stop func()) {
	t.Helper()
	quit := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-quit:
				return
			default:
			}
			value := fmt.Sprintf("%d/%d", life, i)
			r := &kgo.Record{Topic: topic, Key: []byte(fmt.Sprint("user-", i%17)), Value: []byte(value)}
			c.Produce(context.Background(), r, func(r *kgo.Record, err error) {
				if err == nil {
					acked.add(r)
				}
			})
		}
	})
	return func() {
		t.Helper()
		close(quit)
		sending.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), proctest.Deadline)
		defer cancel()
		if err := c.Flush(ctx); err != nil {
			t.Fatalf("producing did not recover: %v", err)
		}
	}
}

// commitHalf commits, for every partition, half of what is there.
func commitHalf(t *testing.T, addr string) map[int32]int64 {
	t.Helper()
	admin := kadm.NewClient(client(t, addr))
	ends, err := admin.ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	half := map[int32]int64{}
	offsets := kadm.Offsets{}
	ends.Each(func(o kadm.ListedOffset) {
		half[o.Partition] = o.Offset / 2
		offsets.AddOffset(topic, o.Partition, o.Offset/2, -1)
	})
	if err := admin.CommitAllOffsets(t.Context(), group, offsets); err != nil {
		t.Fatal(err)
	}
	return half
}

func committedOffsets(t *testing.T, addr string) map[int32]int64 {
	t.Helper()
	responses, err := kadm.NewClient(client(t, addr)).FetchOffsets(t.Context(), group)
	if err != nil {
		t.Fatal(err)
	}
	offsets := map[int32]int64{}
	responses.Each(func(o kadm.OffsetResponse) { offsets[o.Partition] = o.At })
	return offsets
}

// readAll reads the topic from its start to where it ends now.
func readAll(t *testing.T, addr string) map[place]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), proctest.Deadline)
	defer cancel()
	c := client(t, addr, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ends, err := kadm.NewClient(c).ListEndOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	var want int64
	ends.Each(func(o kadm.ListedOffset) { want += o.Offset })
	log := map[place]string{}
	for int64(len(log)) < want {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("read %d of %d records: %v", len(log), want, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { log[place{r.Partition, r.Offset}] = string(r.Value) })
	}
	return log
}
