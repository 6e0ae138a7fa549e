package kafka_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience = 60 * time.Second
	trace    = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
)

func TestAKeyLiesWhereASidecarPutsItAndReadsTheSame(t *testing.T) {
	t.Parallel()
	b := broker(t)
	direct := bus(t, b, proto.TaskAPI)
	daprd := testkit.StartSidecar(t, testkit.SidecarOptions{App: proto.TaskAPI, Broker: b})
	through, err := sidecar.Dial(sidecar.Dapr{Endpoint: daprd.GRPC, PubSub: "pubsub"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(through.Close)
	eventually(t, "the sidecar", through.Ready)

	var sent []event.Message
	for i := range 60 {
		sent = append(sent, message(fmt.Sprintf("user-%d", i), 1))
	}
	for _, key := range []string{"a", "zoé+1@example.org", "019ab0c2-7c1e-7d3e-9a52-0d2a2b1f5f10", "auth0|5f7c8ec7", strings.Repeat("x", 200)} {
		sent = append(sent, message(key, 1))
	}
	for _, carrier := range []event.Bus{direct, through} {
		if err := carrier.Publish(within(t), proto.Tasks, sent); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string][]topics.Record{}
	for _, r := range tail(t, b, 2*len(sent)) {
		seen[r.Event.ID] = append(seen[r.Event.ID], r)
	}
	partitions := map[int32]bool{}
	for _, m := range sent {
		if len(seen[m.ID]) != 2 {
			t.Fatalf("the event of %q lies %d times on the topic", m.Key, len(seen[m.ID]))
		}
		for _, r := range seen[m.ID] {
			if want := fnv1a(m.Key, 12); r.Partition != want || r.Key != m.Key {
				t.Errorf("%q lies as %q in partition %d instead of %d", m.Key, r.Key, r.Partition, want)
			}
			if r.Fault != "" || r.Source != proto.TaskAPI || r.Trace != trace || r.Event.UserID != m.Key || r.Event.Type != m.Type {
				t.Errorf("the event of %q reads as %+v", m.Key, r)
			}
			partitions[r.Partition] = true
		}
	}
	if len(partitions) < 6 {
		t.Errorf("all keys lie in %d of 12 partitions: this shows little", len(partitions))
	}
}

// fnv1a is the partition by the FNV-1a hash (32 bits), as sarama's hash partitioner takes it.
func fnv1a(key string, partitions int32) int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	p := int32(h.Sum32()) % partitions
	if p < 0 {
		p = -p
	}
	return p
}

func TestAFanOutThatHasStartedGivesEachReplicaEveryEventOnceAndEachUsersInOrder(t *testing.T) {
	t.Parallel()
	const users, each = 7, 200
	b := broker(t)
	carrier := bus(t, b, proto.TaskAPI)
	if err := carrier.Publish(within(t), proto.Tasks, []event.Message{message("earlier", 1)}); err != nil {
		t.Fatal(err)
	}
	replicas := []*reader{read(t, b), read(t, b)}
	for _, r := range replicas {
		wait(t, r.fanOut.Started(), "start")
	}
	// At once: between "started" and the first event there is no moment in which one is missed.
	for from := 1; from <= each; from += 50 {
		var batch []event.Message
		for sequence := from; sequence < from+50; sequence++ {
			for u := range users {
				batch = append(batch, message(fmt.Sprintf("u%d", u), sequence))
			}
		}
		if err := carrier.Publish(within(t), proto.Tasks, batch); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range replicas {
		next := map[string]int64{}
		for range users * each {
			got := r.next(t)
			if next[got.UserID]++; got.Sequence != next[got.UserID] {
				t.Fatalf("%s has event %d in the place of %d", got.UserID, got.Sequence, next[got.UserID])
			}
			if got.correlation != "c-"+got.UserID || got.user != got.UserID || !strings.Contains(got.trace, strings.Split(trace, "-")[1]) {
				t.Fatalf("handled as work %q of user %q in trace %q", got.correlation, got.user, got.trace)
			}
		}
		if _, early := next["earlier"]; early {
			t.Error("an event from before the start was delivered")
		}
	}
}

func TestNothingIsMissedFromTheMomentAFanOutHasStarted(t *testing.T) {
	t.Parallel()
	b := broker(t)
	carrier := bus(t, b, proto.TaskAPI)
	if err := carrier.Publish(within(t), proto.Tasks, []event.Message{message("u", 1)}); err != nil { // it is connected now
		t.Fatal(err)
	}
	for sequence := range 30 {
		r := read(t, b)
		m := message("u", sequence+2)
		wait(t, r.fanOut.Started(), "start")
		if err := carrier.Publish(within(t), proto.Tasks, []event.Message{m}); err != nil {
			t.Fatal(err)
		}
		if got := r.next(t); got.ID != m.ID {
			t.Fatalf("start %d delivered event %d instead of %d", sequence+1, got.Sequence, sequence+2)
		}
		r.stop()
	}
}

func TestWhatCannotBeHandledHoldsNobodyBack(t *testing.T) {
	t.Parallel()
	b := broker(t)
	r := read(t, b)
	wait(t, r.fanOut.Started(), "start")
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr), kgo.DefaultProduceTopic(string(proto.Tasks)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	// All of one partition, in this order.
	for _, value := range []string{"no JSON", `{"data":{"event_id":"e"}}`, ""} {
		if err := client.ProduceSync(within(t), &kgo.Record{Key: []byte("u"), Value: []byte(value)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	carrier := bus(t, b, proto.TaskAPI)
	panics, good := message("panics", 1), message("u", 1)
	if err := carrier.Publish(within(t), proto.Tasks, []event.Message{panics, good}); err != nil {
		t.Fatal(err)
	}
	if got := r.next(t); got.ID != good.ID {
		t.Errorf("delivered %+v", got)
	}
	if err := carrier.Publish(within(t), proto.Tasks, []event.Message{{ID: "x", Key: "u", Data: []byte("{")}}); !errs.Is(err, errs.Invalid) {
		t.Errorf("publishing what is no JSON: %v", err)
	}
}

func TestWithoutABrokerCallsFailInTimeAndAllGoesOnWhenItIsBack(t *testing.T) {
	t.Parallel()
	b := testkit.StartBroker(t) // without topics
	carrier := bus(t, b, proto.TaskAPI)
	r := read(t, b)
	if err := r.fanOut.Check(within(t)); !errs.Is(err, errs.Unavailable) {
		t.Errorf("ready without topics: %v", err)
	}
	if err := topics.Apply(within(t), []string{b.Addr}, topics.Access{}, io.Discard); err != nil {
		t.Fatal(err)
	}
	wait(t, r.fanOut.Started(), "start")
	eventually(t, "the fan-out", r.fanOut.Check)
	eventually(t, "the bus", carrier.Ready)
	first := message("u", 1)
	if err := carrier.Publish(within(t), proto.Tasks, []event.Message{first}); err != nil {
		t.Fatal(err)
	}
	if got := r.next(t); got.ID != first.ID {
		t.Fatalf("delivered %+v", got)
	}

	b.Kill()
	second := message("u", 2)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := carrier.Publish(ctx, proto.Tasks, []event.Message{second}); !errs.Is(err, errs.Unavailable) {
		t.Errorf("publishing without a broker: %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %v to find out", took)
	}
	for name, ready := range map[string]func(context.Context) error{"the bus": carrier.Ready, "the fan-out": r.fanOut.Check} {
		if err := ready(within(t)); !errs.Is(err, errs.Unavailable) {
			t.Errorf("%s without a broker: %v", name, err)
		}
	}

	b.Start()
	eventually(t, "publishing", func(ctx context.Context) error {
		return carrier.Publish(ctx, proto.Tasks, []event.Message{second})
	})
	if got := r.next(t); got.ID != second.ID {
		t.Errorf("delivered %+v", got)
	}
}

func TestSettingsOfAnotherBusOrWithoutBrokersAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config kafka.Config
		says   string
	}{
		"the sidecar needs no brokers":  {kafka.Config{Bus: "dapr"}, ""},
		"brokers are named":             {kafka.Config{Bus: "kafka", Brokers: []string{"localhost:9092"}}, ""},
		"brokers are missing":           {kafka.Config{Bus: "kafka"}, "KAFKA_BROKERS"},
		"a bus that does not exist yet": {kafka.Config{Bus: "nats"}, "BUS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.config.Check()
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want it to name %q", err, c.says)
			}
		})
	}
}

// reader is a replica that takes what its fan-out delivers.
type reader struct {
	fanOut *kafka.FanOut
	stop   func()

	mu    sync.Mutex
	came  []arrival
	event chan struct{} // something came
}

type arrival struct {
	event.Envelope
	correlation, user, trace string
}

// read runs a reader of the tasks until the test ends. The user "panics" makes its handler do that.
func read(t *testing.T, b *testkit.Broker) *reader {
	t.Helper()
	return readAt(t, kafka.Config{Brokers: []string{b.Addr}})
}

func readAt(t *testing.T, settings kafka.Config) *reader {
	t.Helper()
	r := &reader{event: make(chan struct{}, 1)}
	router := event.NewRouter()
	event.On(router, proto.TaskCreated, func(ctx context.Context, m event.Meta, _ *taskv1.TaskCreated) error {
		if m.UserID == "panics" {
			panic("a bug")
		}
		r.mu.Lock()
		r.came = append(r.came, arrival{m.Envelope, telemetry.Correlation(ctx), telemetry.User(ctx), telemetry.Traceparent(ctx)})
		r.mu.Unlock()
		select {
		case r.event <- struct{}{}:
		default:
		}
		return nil
	})
	r.fanOut = kafka.NewFanOut(settings, proto.Notifier, router)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.fanOut.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

func (r *reader) next(t *testing.T) arrival {
	t.Helper()
	for {
		r.mu.Lock()
		if len(r.came) > 0 {
			first := r.came[0]
			r.came = slices.Delete(r.came, 0, 1)
			r.mu.Unlock()
			return first
		}
		r.mu.Unlock()
		wait(t, r.event, "event")
	}
}

func wait(t *testing.T, signal <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-signal:
	case <-within(t).Done():
		t.Fatalf("no %s in %v", what, patience)
	}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func eventually(t *testing.T, what string, ask func(context.Context) error) {
	t.Helper()
	ctx := within(t)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: still %v after %v", what, err, patience)
		case <-tick.C:
		}
	}
}

// broker is a broker with the topics of the contract.
func broker(t *testing.T) *testkit.Broker {
	t.Helper()
	b := testkit.StartBroker(t)
	if err := topics.Apply(within(t), []string{b.Addr}, topics.Access{}, io.Discard); err != nil {
		t.Fatal(err)
	}
	return b
}

func bus(t *testing.T, b *testkit.Broker, source string) *kafka.Bus {
	t.Helper()
	k, err := kafka.NewBus(kafka.Config{Brokers: []string{b.Addr}}, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// message is an event of a user with the envelope that consumers ask for.
func message(user string, sequence int) event.Message {
	id := event.NewID()
	return event.Message{
		ID: id, Type: proto.TaskCreated.Name, Key: user, Trace: trace,
		Data: fmt.Appendf(nil, `{"event_id":%q,"event_type":%q,"user_id":%q,"timestamp":"2026-11-22T09:00:00.000Z","aggregate_id":"a",`+
			`"version":1,"sequence":%d,"correlation_id":"c-%s","data":{"fields":{"title":"x"}}}`,
			id, proto.TaskCreated.Name, user, sequence, user),
	}
}

// tail reads the first n records of the tasks.
func tail(t *testing.T, b *testkit.Broker, n int) []topics.Record {
	t.Helper()
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	var all []topics.Record
	filter := topics.Filter{Topics: []proto.Topic{proto.Tasks}, Since: time.Unix(1, 0)}
	err := topics.Tail(ctx, []string{b.Addr}, topics.Access{}, filter, func(r topics.Record) error {
		if all = append(all, r); len(all) == n {
			cancel()
		}
		return nil
	})
	if err != nil || len(all) != n {
		t.Fatalf("%d of %d records: %v", len(all), n, err)
	}
	return all
}
