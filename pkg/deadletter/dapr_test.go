package deadletter_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/deadletter"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/inbox"
	"github.com/taskflow-suite/taskflow/pkg/outbox"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

// What handlers do with an event, by its user.
const (
	refuses = "refuses"
	panics  = "panics"
	dawdles = "dawdles"
	works   = "works"
)

// consumer is a service with a sidecar and a broker that handles task.created, as its users would have it.
type consumer struct {
	*world
	broker *testkit.Broker
	// cured says that whatever was wrong with the handlers is not any more.
	cured atomic.Bool
	mu    sync.Mutex
	acted map[string]int
}

const (
	apiToken = "token of the sidecar"
	appToken = "token of the app"
)

func startConsumer(t *testing.T) *consumer {
	t.Helper()
	url := testkit.Postgres(t)
	c := &consumer{world: worldAt(t, url, nil), broker: testkit.StartBrokerWithTopics(t), acted: map[string]int{}}
	addr := testkit.Address(t)
	daprd := testkit.StartSidecar(t, testkit.SidecarOptions{
		App: proto.Scheduler, AppAddr: addr, Broker: c.broker, Token: apiToken, AppToken: appToken,
		// The pauses between attempts, and how many there are, are not what is tested here.
		Edit: func(_ string, text []byte) []byte {
			return bytes.ReplaceAll(text, []byte("duration: 1500ms, maxRetries: 7"), []byte("duration: 50ms, maxRetries: 1"))
		},
	})
	dapr := sidecar.Dapr{
		Endpoint: daprd.GRPC, Token: config.NewSecret(apiToken), AppToken: config.NewSecret(appToken), PubSub: "pubsub",
	}
	client, err := sidecar.Dial(dapr)
	must(t, err)
	t.Cleanup(client.Close)

	c.metrics = prometheus.NewRegistry()
	c.recorder = deadletter.New(c.db, deadletter.Options{
		Consumer: proto.Scheduler, Topics: []proto.Topic{proto.Tasks}, Metrics: c.metrics, Every: 20 * time.Millisecond,
	})
	router := event.NewRouter()
	event.On(router, proto.TaskCreated, c.created)
	server, err := sidecar.NewServer(sidecar.ServerOptions{
		Addr: addr, Token: dapr.AppToken, Quiet: 100 * time.Millisecond, NotHandled: c.recorder.NotHandled,
		Subscriptions: append(c.recorder.Subscriptions(dapr), dapr.Work(proto.Scheduler, proto.Tasks, sidecar.Routed(router))),
	})
	must(t, err)
	testkit.Background(t, server.Run)
	testkit.Background(t, c.recorder.Run)
	testkit.Background(t, outbox.New(c.db, client, outbox.Options{}).Run)
	return c
}

// created has one effect for each event, unless something is wrong.
func (c *consumer) created(ctx context.Context, m event.Meta, _ *taskv1.TaskCreated) error {
	if !c.cured.Load() {
		switch m.UserID {
		case refuses:
			return errs.New(errs.Conflict, "the series has ended")
		case panics:
			panic("a bug")
		case dawdles:
			<-ctx.Done()
			return ctx.Err()
		}
	}
	return c.db.Transaction(ctx, func(tx *postgres.Tx) error {
		first, err := inbox.Once(tx, proto.Scheduler, m.ID)
		if err != nil || !first {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.acted[m.ID]++
		return nil
	})
}

func (c *consumer) effects(id string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.acted[id]
}

// produce writes records to a partition, past everything.
func (c *consumer) produce(partition int32, records ...[]byte) {
	c.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.broker.Addr), kgo.DefaultProduceTopic(string(proto.Tasks)), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	must(c.t, err)
	defer client.Close()
	// Headers that a sidecar must not take in.
	var headers []kgo.RecordHeader
	for _, name := range []string{"traceid", "traceparent", "tracestate", "__key", "__offset", "rawPayload", "", "\xff", "content-type"} {
		headers = append(headers, kgo.RecordHeader{Key: name, Value: []byte("application/octet-stream \n\x00")})
	}
	for _, r := range records {
		must(c.t, client.ProduceSync(c.t.Context(), &kgo.Record{Key: []byte("eve"), Value: r, Partition: partition, Headers: headers}).FirstErr())
	}
}

func (c *consumer) told(what string, holds func() (bool, any)) {
	c.t.Helper()
	testkit.Eventually(c.t, what, func(context.Context) (bool, any) { return holds() })
}

func TestAnEventThatIsRefusedPanicsOrTakesTooLongIsRecordedAndSentAgainHandledOnce(t *testing.T) {
	t.Parallel()
	c := startConsumer(t)
	ids := map[string]string{}
	for _, user := range []string{refuses, panics, dawdles, works} {
		ids[user] = c.happened(user, 1)[0].ID
	}
	c.told("the dead letters", func() (bool, any) {
		all := c.list(deadletter.Filter{States: []deadletter.State{deadletter.Dead}})
		return len(all) == 3, all
	})
	c.told("the good event", func() (bool, any) { return c.effects(ids[works]) == 1, nil })
	for user, want := range map[string]struct {
		kind, reason string
		attempts     int
	}{
		refuses: {"conflict", "the series has ended", 1},
		panics:  {sidecar.KindPanic, "the handler panicked; the log has the stack", 2},
		dawdles: {sidecar.KindTimeout, "the handler took longer than 4s", 2},
	} {
		l := c.list(deadletter.Filter{UserID: user})[0]
		if l.ID != ids[user] || l.Kind != want.kind || l.Reason != want.reason || l.Attempts != want.attempts || l.Deaths != 1 || l.Place == "" {
			t.Errorf("%s: the letter is %+v", user, l)
		}
		if n := c.counted("taskflow_dead_letters_total", string(proto.Tasks), want.kind); n != 1 {
			t.Errorf("%s: %v are counted", user, n)
		}
	}
	c.open(3)

	// While the cause is there, what is sent again dies again.
	sent, err := c.store.Retry(t.Context(), deadletter.Filter{UserID: refuses}, false, func(int) {})
	if err != nil || sent.Letters != 1 {
		t.Fatalf("%+v, %v", sent, err)
	}
	c.told("the second death", func() (bool, any) {
		l := c.list(deadletter.Filter{UserID: refuses})[0]
		return l.State == deadletter.Dead && l.Deaths == 2 && l.Attempts == 2, l
	})

	c.cured.Store(true)
	for range 3 { // whoever sends it again meanwhile
		if _, err = c.store.Retry(t.Context(), deadletter.Filter{IDs: []string{ids[refuses], ids[panics], ids[dawdles]}}, false, func(int) {}); err != nil {
			t.Fatal(err)
		}
	}
	c.told("the handled letters", func() (bool, any) {
		all := c.list(deadletter.Filter{States: []deadletter.State{deadletter.Handled}})
		return len(all) == 3, all
	})
	c.open(0)
	// Whatever is still on its way comes before this one, for it is of the same users.
	for _, user := range []string{refuses, panics, dawdles} {
		last := c.happened(user, 1)[0].ID
		c.told("the last event of "+user, func() (bool, any) { return c.effects(last) == 1, nil })
		if n := c.effects(ids[user]); n != 1 {
			t.Errorf("%s: handled %d times", user, n)
		}
	}
}

func TestWhatIsNoEventNeverBlocksItsPartition(t *testing.T) {
	t.Parallel()
	c := startConsumer(t)
	good := c.happened(works, 1)[0]
	c.told("the good event", func() (bool, any) { return c.effects(good.ID) == 1, nil })
	// An event with an id of its own for the end of each partition.
	envelope := func(id string, edit func(e, data map[string]any)) []byte {
		e := good
		e.ID = id
		var data map[string]any
		text, err := json.Marshal(e)
		must(t, err)
		must(t, json.Unmarshal(text, &data))
		all := map[string]any{
			"specversion": "1.0", "id": id, "type": e.Type, "source": "somebody", "datacontenttype": "application/json", "data": data,
		}
		edit(all, data)
		text, err = json.Marshal(all)
		must(t, err)
		return text
	}
	same := func(_, _ map[string]any) {}
	poison := map[string]struct {
		record []byte
		kind   string
	}{
		"no JSON":                 {[]byte("no JSON at all"), deadletter.KindUnread},
		"nothing":                 {nil, ""}, // which the sidecar dead-letters as null
		"half of an event":        {envelope("1", same)[:40], deadletter.KindUnread},
		"no CloudEvent":           {[]byte(`{"a":1}`), "invalid"},
		"null":                    {[]byte("null"), "invalid"},
		"properties of no text":   {[]byte(`{"id":1,"type":[],"source":{},"traceparent":7,"data":{}}`), "invalid"},
		"data that is no base64":  {[]byte(`{"id":"b","source":"x","type":"task.created","data_base64":"*"}`), "invalid"},
		"data that is no event":   {envelope("2", func(e, _ map[string]any) { e["data"] = []int{1} }), "invalid"},
		"a payload of another":    {envelope(event.NewID(), func(_, d map[string]any) { d["data"] = map[string]any{"fields": 7} }), "invalid"},
		"an event of another":     {envelope(event.NewID(), func(_, d map[string]any) { d["event_type"] = proto.UserUpdated.Name }), ""}, // which a newer publisher may send
		"what expired long ago":   {envelope(event.NewID(), func(e, _ map[string]any) { e["expiration"] = "2001-01-01T00:00:00Z" }), deadletter.KindUnknown},
		"an id that is no UUID":   {envelope("'; DROP TABLE inbox", same), "invalid"},
		"a trace that is no text": {envelope(event.NewID(), func(e, d map[string]any) { e["traceparent"] = []int{1}; d["data"] = 1 }), "invalid"},
	}
	partition, lasts := int32(0), map[string]string{}
	for name, p := range poison {
		last := event.NewID()
		c.produce(partition, p.record, envelope(last, same))
		lasts[name] = last
		partition = (partition + 1) % 12
	}
	for name, last := range lasts {
		c.told("what came after "+name, func() (bool, any) { return c.effects(last) == 1, nil })
	}
	want := map[string]int{}
	total := 0
	for _, p := range poison {
		if p.kind != "" {
			want[p.kind]++
			total++
		}
	}
	c.told("the dead letters", func() (bool, any) {
		got := map[string]int{}
		all := c.list(deadletter.Filter{States: []deadletter.State{deadletter.Dead}})
		for _, l := range all {
			got[l.Kind]++
		}
		return len(all) == total && fmt.Sprint(got) == fmt.Sprint(want), fmt.Sprintf("%v of %v: %+v", got, want, all)
	})
	for _, l := range c.list(deadletter.Filter{}) {
		if l.Record != nil || l.Reason == "" || l.CannotRetry() == "" || l.EventID == "" && l.UserID != "eve" && l.UserID != works {
			t.Errorf("the letter is %+v", l)
		}
	}
	if sent, err := c.store.Retry(t.Context(), deadletter.Filter{}, false, func(int) {}); err != nil || sent.Letters != 0 || sent.Left != total {
		t.Errorf("sent again, %+v, %v", sent, err)
	}
}
