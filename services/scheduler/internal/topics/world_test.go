package topics_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/scheduler/internal/topics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// monday is when the clock of a world begins.
var monday = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// world is the scheduler's handlers, and users who do things elsewhere, on one database and by one clock.
type world struct {
	t       *testing.T
	url     string
	clock   *atomic.Pointer[time.Time]
	agenda  *taskstore.Store
	tasks   *task.Service
	metrics *prometheus.Registry
	router  *event.Router
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, url: testkit.Postgres(t), clock: &atomic.Pointer[time.Time]{}}
	w.at(monday)
	w.reconnect()
	w.router, w.metrics = w.replica()
	return w
}

// reconnect gives users new connections.
func (w *world) reconnect() {
	w.t.Helper()
	w.agenda = taskstore.New(testkit.OpenPostgresAt(w.t, w.url))
	w.tasks = task.NewService(w.agenda, w.now)
}

// replica is the handlers of one more process.
func (w *world) replica() (*event.Router, *prometheus.Registry) {
	w.t.Helper()
	r, metrics := event.NewRouter(), prometheus.NewPedanticRegistry()
	topics.Register(r, topics.Options{Store: taskstore.New(testkit.OpenPostgresAt(w.t, w.url)), Now: w.now, Metrics: metrics})
	return r, metrics
}

func (w *world) now() time.Time { return *w.clock.Load() }

func (w *world) at(now time.Time) { w.clock.Store(&now) }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) create(user string, fields task.Fields) task.Task {
	w.t.Helper()
	made, _, err := w.tasks.Create(w.t.Context(), user, task.Idempotency{}, nil, fields)
	w.must(err)
	return made[0]
}

func daily(title string, at time.Time, reminders ...int) task.Fields {
	return task.Fields{Title: title, Due: task.Due{At: at}, Reminders: reminders, Recurrence: &task.Recurrence{Rule: "FREQ=DAILY"}}
}

// announce has everything announced that is due by now.
func (w *world) announce() {
	w.t.Helper()
	for _, claim := range []func(context.Context, time.Time, int) (int, error){w.agenda.ClaimSeries, w.agenda.ClaimAlarms} {
		_, err := claim(w.t.Context(), w.now(), 1000)
		w.must(err)
	}
}

// log is a user's events of some types, as they were published.
func (w *world) log(user string, topic proto.Topic, types ...string) (all []event.Envelope) {
	w.t.Helper()
	events, _, err := w.agenda.Events(w.t.Context(), task.EventQuery{UserID: user, Topic: topic, Limit: 1000})
	w.must(err)
	for _, e := range events {
		if slices.Contains(types, e.Type) {
			all = append(all, e)
		}
	}
	return all
}

// triggers are a user's events on which the scheduler acts.
func (w *world) triggers(user string) []delivery {
	w.t.Helper()
	var all []delivery
	for topic, types := range map[proto.Topic][]string{
		proto.Scheduling: {proto.RecurrenceDue.Name, proto.ReminderDue.Name},
		proto.Tasks:      {proto.TaskCompleted.Name, proto.TaskSkipped.Name},
		proto.Users:      {proto.UserUpdated.Name},
	} {
		for _, e := range w.log(user, topic, types...) {
			data, err := json.Marshal(e)
			w.must(err)
			all = append(all, delivery{e, topic, data})
		}
	}
	return all
}

// delivery is an event on its way.
type delivery struct {
	event.Envelope
	topic proto.Topic
	data  []byte
}

func (d delivery) to(ctx context.Context, r *event.Router) error {
	return r.Deliver(ctx, d.topic, d.data)
}

// handle delivers all of a user's triggers that have come so far.
func (w *world) handle(user string) {
	w.t.Helper()
	for _, d := range w.triggers(user) {
		w.must(d.to(w.t.Context(), w.router))
	}
}

// occurrences are when a user's tasks of any series are due, in order.
func (w *world) occurrences(user string) (all []string) {
	w.t.Helper()
	page, err := w.tasks.List(w.t.Context(), user, task.Query{Order: task.ByDue, Limit: task.MaxPage})
	w.must(err)
	for _, t := range page.Tasks {
		if t.Recurrence != nil {
			all = append(all, t.Due.At.Format("Mon 15:04"))
		}
	}
	return all
}

// next is when something is due next.
func (w *world) next() string {
	w.t.Helper()
	at, err := w.agenda.NextDue(w.t.Context())
	w.must(err)
	return at.UTC().Format("Mon 15:04")
}

// value is what a metric counts, over all its labels: observations for a histogram.
func value(t *testing.T, metrics prometheus.Gatherer, name string) (sum float64) {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
			return sum
		}
	}
	t.Fatalf("%s is not counted", name)
	return 0
}
