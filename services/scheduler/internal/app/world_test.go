package app

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/outbox"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	apiToken = "token of the sidecar"
	appToken = "token of the app"
)

// replica is one scheduler as it runs in production.
type replica struct {
	t       *testing.T
	addr    string
	metrics *prometheus.Registry
	stop    func()
}

// start runs a scheduler until the test ends and returns when it is ready. Without a broker it has no sidecar either.
func start(t *testing.T, broker *testkit.Broker, database string, settings map[string]string) *replica {
	t.Helper()
	r := &replica{t: t, addr: testkit.Address(t), metrics: prometheus.NewRegistry()}
	callback, grpc := testkit.Address(t), testkit.Address(t)
	if broker != nil {
		grpc = testkit.StartSidecar(t, testkit.SidecarOptions{
			App: proto.Scheduler, AppAddr: callback, Broker: broker, Token: apiToken, AppToken: appToken,
		}).GRPC
	}
	values := map[string]string{
		"HTTP_ADDR": r.addr, "APP_ADDR": callback, "APP_API_TOKEN": appToken, "DAPR_GRPC_ENDPOINT": grpc, "DAPR_API_TOKEN": apiToken,
		"DATABASE_URL": database, "LOG_LEVEL": "error",
		// All secrets are here: the sidecar's store need not be waited for.
		"SECRET_STORE": "none",
	}
	maps.Copy(values, settings)
	r.stop = testkit.Background(t, func(ctx context.Context) error { return run(ctx, testkit.Environment(values), r.metrics) })
	r.answers(http.StatusOK)
	return r
}

// readiness is what /readyz says, 0 without an answer.
func (r *replica) readiness(ctx context.Context) (int, string) {
	r.t.Helper()
	return testkit.Get(ctx, r.t, "http://"+r.addr+"/readyz")
}

// answers waits until /readyz answers with a status.
func (r *replica) answers(status int) {
	r.t.Helper()
	testkit.Answers(r.t, "http://"+r.addr+"/readyz", status)
}

// schedule is what the check of that name shows.
type schedule struct {
	Degraded bool
	Backlog  struct {
		Series, Alarms int
		Oldest         float64 `json:"oldest_seconds"`
	}
}

func scheduleIn(t *testing.T, readiness string) schedule {
	t.Helper()
	var all struct {
		Checks struct {
			Schedule struct{ Detail schedule }
		}
	}
	if err := json.Unmarshal([]byte(readiness), &all); err != nil {
		t.Fatal(err)
	}
	return all.Checks.Schedule.Detail
}

// users are people who do things elsewhere.
type users struct {
	t     *testing.T
	store *taskstore.Store
	tasks *task.Service
}

// elsewhere is another service that users work with. Its events wait for whoever publishes.
func elsewhere(t *testing.T, database string) *users {
	t.Helper()
	store := taskstore.New(testkit.OpenPostgresAt(t, database))
	return &users{t, store, task.NewService(store, time.Now)}
}

// publishing is elsewhere with a relay and a sidecar of its own.
func publishing(t *testing.T, broker *testkit.Broker, database string) *users {
	t.Helper()
	u := elsewhere(t, database)
	daprd := testkit.StartSidecar(t, testkit.SidecarOptions{App: proto.TaskAPI, Broker: broker, Token: apiToken})
	bus, err := sidecar.Dial(sidecar.Dapr{Endpoint: daprd.GRPC, Token: config.NewSecret(apiToken), PubSub: "pubsub"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bus.Close)
	testkit.Background(t, outbox.New(testkit.OpenPostgresAt(t, database), bus, outbox.Options{}).Run)
	return u
}

func (u *users) add(user string, fields task.Fields) task.Task {
	u.t.Helper()
	made, _, err := u.tasks.Create(u.t.Context(), user, task.Idempotency{}, nil, fields)
	if err != nil {
		u.t.Fatal(err)
	}
	return made[0]
}

// now is in whole seconds, as recurrences are.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

// daily is a task that repeats every day from a time on.
func daily(title string, at time.Time) task.Fields {
	return task.Fields{Title: title, Due: task.Due{At: at}, Recurrence: &task.Recurrence{Rule: "FREQ=DAILY"}}
}

// due are the times of a user's tasks, in order; none if the database does not answer.
func (u *users) due(ctx context.Context, user string) (all []time.Time) {
	u.t.Helper()
	page, err := u.tasks.List(ctx, user, task.Query{Order: task.ByDue, Limit: task.MaxPage})
	if err != nil {
		u.t.Log(err)
	}
	for _, t := range page.Tasks {
		all = append(all, t.Due.At)
	}
	return all
}

// comes waits until a user's tasks are due at these times, and no others.
func (u *users) comes(user string, want ...time.Time) {
	u.t.Helper()
	testkit.Eventually(u.t, "the tasks of "+user, func(ctx context.Context) (bool, any) {
		got := u.due(ctx, user)
		return slices.EqualFunc(got, want, time.Time.Equal), got
	})
}

// fired counts the reminders that a user got.
func (u *users) fired(ctx context.Context, user string) int {
	u.t.Helper()
	events, _, err := u.store.Events(ctx, task.EventQuery{UserID: user, Topic: proto.Tasks, Limit: 1000})
	if err != nil {
		u.t.Log(err)
	}
	n := 0
	for _, e := range events {
		if e.Type == proto.ReminderFired.Name {
			n++
		}
	}
	return n
}
