package deadletter_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/deadletter"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/inbox"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is a consumer with a database.
type world struct {
	t        testing.TB
	db       *postgres.DB
	store    *deadletter.Store
	metrics  *prometheus.Registry
	recorder *deadletter.Recorder
	handle   map[proto.Topic]sidecar.Handler
}

func newWorld(t testing.TB, edit func(*deadletter.Options)) *world {
	t.Helper()
	return worldAt(t, testkit.Postgres(t), edit)
}

func worldAt(t testing.TB, url string, edit func(*deadletter.Options)) *world {
	t.Helper()
	w := &world{t: t, db: testkit.OpenPostgresAt(t, url), metrics: prometheus.NewRegistry(), handle: map[proto.Topic]sidecar.Handler{}}
	w.store = deadletter.NewStore(w.db)
	o := deadletter.Options{
		Consumer: proto.Scheduler, Topics: []proto.Topic{proto.Tasks, proto.MCPRequests}, Metrics: w.metrics, Every: 20 * time.Millisecond,
	}
	if edit != nil {
		edit(&o)
	}
	w.recorder = deadletter.New(w.db, o)
	for i, sub := range w.recorder.Subscriptions(sidecar.Dapr{PubSub: "pubsub"}) {
		w.handle[o.Topics[i]] = sub.Handle
	}
	return w
}

// happened are events of the log, of one task each.
func (w *world) happened(user string, n int) []event.Envelope {
	w.t.Helper()
	must(w.t, w.db.Transaction(w.t.Context(), func(tx *postgres.Tx) error {
		for range n {
			e := event.New(proto.TaskCreated, time.Now(), user, event.NewID(), 1, &taskv1.TaskCreated{})
			if err := tx.Append(e); err != nil {
				return err
			}
		}
		return nil
	}))
	all, err := postgres.NewLog(w.db).Since(w.t.Context(), user, proto.Tasks, 0, 10_000)
	must(w.t, err)
	return all[len(all)-n:]
}

// record is an event as the broker has it.
func record(t testing.TB, e event.Envelope) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"specversion": "1.0", "id": e.ID, "type": e.Type, "source": proto.TaskAPI, "datacontenttype": "application/json", "data": e,
	})
	must(t, err)
	return text
}

// delivery is an event as a handler gets it.
func delivery(t testing.TB, e event.Envelope) sidecar.Delivery {
	t.Helper()
	data, err := json.Marshal(e)
	must(t, err)
	return sidecar.Delivery{Topic: proto.Tasks, ID: e.ID, Type: e.Type, Source: proto.TaskAPI, Key: e.UserID, Data: data}
}

var refused = sidecar.Failure{Verdict: event.Drop, Kind: "invalid", Reason: "the series_id is no UUID"}

// fails is an attempt that failed.
func (w *world) fails(d sidecar.Delivery, f sidecar.Failure) {
	w.t.Helper()
	w.recorder.NotHandled(w.t.Context(), d, f)
}

// comes is a record that came over the dead-letter topic.
func (w *world) comes(topic proto.Topic, key, place string, record []byte) {
	w.t.Helper()
	must(w.t, w.handle[topic](w.t.Context(), sidecar.Delivery{Topic: proto.DeadLetter(topic, proto.Scheduler), Key: key, Place: place, Data: record}))
}

// dies is an event that became a dead letter after an attempt.
func (w *world) dies(e event.Envelope, place string) {
	w.t.Helper()
	w.fails(delivery(w.t, e), refused)
	w.comes(proto.Tasks, e.UserID, place, record(w.t, e))
}

func (w *world) list(f deadletter.Filter) []deadletter.Letter {
	w.t.Helper()
	all, more, err := w.store.List(w.t.Context(), f, deadletter.MaxList)
	must(w.t, err)
	if more {
		w.t.Fatal("there are more")
	}
	return all
}

// only is the one letter there is, with its record.
func (w *world) only() deadletter.Letter {
	w.t.Helper()
	all := w.list(deadletter.Filter{})
	if len(all) != 1 {
		w.t.Fatalf("there are %d letters: %+v", len(all), all)
	}
	named, err := w.store.Named(w.t.Context(), all[0].ID)
	must(w.t, err)
	return named[0]
}

// handled is the consumer acting on an event.
func (w *world) handled(e event.Envelope) (first bool) {
	w.t.Helper()
	must(w.t, w.db.Transaction(w.t.Context(), func(tx *postgres.Tx) (err error) {
		first, err = inbox.Once(tx, proto.Scheduler, e.ID)
		return err
	}))
	return first
}

// outbox are the events that wait, in order; they are taken out.
func (w *world) outbox() (ids []string) {
	w.t.Helper()
	must(w.t, w.db.Transaction(w.t.Context(), func(tx *postgres.Tx) error {
		taken, err := tx.Take(postgres.Shards, 100_000)
		for _, e := range taken {
			ids = append(ids, e.Envelope.ID)
		}
		return err
	}))
	return ids
}

// counted is a metric by its labels kind and topic, summed over those not given.
func (w *world) counted(name, topic, kind string) (sum float64) {
	w.t.Helper()
	families, err := w.metrics.Gather()
	must(w.t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			ok := f.GetName() == name
			for _, l := range m.GetLabel() {
				ok = ok && (l.GetName() != "topic" || topic == "" || l.GetValue() == topic) && (l.GetName() != "kind" || kind == "" || l.GetValue() == kind)
			}
			if ok {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// open waits until the gauge has a value.
func (w *world) open(want float64) {
	w.t.Helper()
	testkit.Eventually(w.t, "the gauge", func(context.Context) (bool, any) {
		got := w.counted("taskflow_dead_letters", "", "")
		return got == want, got
	})
}
