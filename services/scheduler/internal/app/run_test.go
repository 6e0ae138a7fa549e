package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
)

const day = 24 * time.Hour

// From the row in Postgres through outbox, sidecar and broker to another replica's row and the event of it, with every
// part real.
func TestWhatIsDueIsMadeOnceAndAnnouncedByTwoReplicas(t *testing.T) {
	t.Parallel()
	broker, database := testkit.StartBrokerWithTopics(t), testkit.Postgres(t)
	first, second := start(t, broker, database, nil), start(t, broker, database, nil)
	u := publishing(t, broker, database)
	long := now().Add(-3*day - time.Hour)
	// One is due in the past, one in a moment; a reminder rings in a moment.
	u.add("ann", daily("Buy milk", long))
	u.comes("ann", long, long.Add(3*day))
	soon := now().Add(3*time.Second - day)
	u.add("bob", daily("Buy bread", soon))
	u.comes("bob", soon, soon.Add(day))
	u.add("cid", task.Fields{Title: "Tea", RemindAt: []time.Time{time.Now().Add(time.Second)}})
	testkit.Eventually(t, "the reminder", func(ctx context.Context) (bool, any) { n := u.fired(ctx, "cid"); return n == 1, n })

	// What is done or skipped is followed by the next, whichever topic says so.
	tomorrow := now().Add(day)
	milk := u.add("dan", daily("Buy milk", tomorrow))
	if _, err := u.tasks.SetCompleted(t.Context(), "dan", milk.ID, 0, true); err != nil {
		t.Fatal(err)
	}
	u.comes("dan", tomorrow, tomorrow.Add(day))
	bread := u.add("eve", daily("Buy bread", tomorrow))
	if _, err := u.tasks.Skip(t.Context(), "eve", bread.ID, 0); err != nil {
		t.Fatal(err)
	}
	u.comes("eve", tomorrow, tomorrow.Add(day))

	broker.Told(proto.Tasks, 2, "new tasks of bob", of(proto.TaskCreated.Name, "bob"))
	broker.Told(proto.Tasks, 1, "reminders of cid", of(proto.ReminderFired.Name, "cid"))
	for name, want := range map[string]float64{
		"taskflow_scheduler_spawned_total": 4, "taskflow_scheduler_reminders_total": 1,
	} {
		if got := value(t, name, first.metrics, second.metrics); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if got := u.fired(t.Context(), "cid"); got != 1 {
		t.Errorf("the reminder fired %d times", got)
	}
	status, body := first.readiness(t.Context())
	if s := scheduleIn(t, body); status != http.StatusOK || s.Degraded || s.Backlog.Series+s.Backlog.Alarms != 0 {
		t.Errorf("/readyz is %d %s", status, body)
	}
	if status, body := testkit.Get(t.Context(), t, "http://"+first.addr+"/metrics"); status != http.StatusOK || body == "" {
		t.Errorf("/metrics is %d", status)
	}
	if status, _ := testkit.Get(t.Context(), t, "http://"+first.addr+"/healthz"); status != http.StatusOK {
		t.Errorf("/healthz is %d", status)
	}
}

// of are the events of a name and a user.
func of(event, user string) func(topics.Record) bool {
	return func(r topics.Record) bool { return r.Event.Type == event && r.Key == user }
}

// value sums a metric over registries and labels.
func value(t *testing.T, name string, registries ...*prometheus.Registry) (sum float64) {
	t.Helper()
	for _, r := range registries {
		families, err := r.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				if f.GetName() == name {
					sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
				}
			}
		}
	}
	return sum
}

func TestWhileNothingCanBePublishedItStaysReadyAndShowsTheBacklogAndThenCatchesUp(t *testing.T) {
	t.Parallel()
	broker, database := testkit.StartBrokerWithTopics(t), testkit.Postgres(t)
	r := start(t, broker, database, nil)
	u := elsewhere(t, database)
	long := now().Add(-3*day - time.Hour)
	u.add("ann", daily("first", long))
	u.comes("ann", long, long.Add(3*day))

	broker.Kill()
	u.add("bob", daily("second", long))
	// A reminder that is past when its task is made never rings: this one is far enough off for a busy machine.
	u.add("cid", task.Fields{Title: "Tea", RemindAt: []time.Time{time.Now().Add(3 * time.Second)}})
	testkit.Eventually(t, "/readyz", func(ctx context.Context) (bool, any) {
		status, body := r.readiness(ctx)
		if status == http.StatusServiceUnavailable {
			t.Fatalf("not ready: %d %s", status, body)
		}
		if status != http.StatusOK {
			return false, body
		}
		s := scheduleIn(t, body)
		return s.Degraded && s.Backlog.Series == 1 && s.Backlog.Alarms == 1 && s.Backlog.Oldest > 3600, body
	})
	if got := u.due(t.Context(), "bob"); len(got) != 1 {
		t.Errorf("without a broker bob has %v", got)
	}

	broker.Start()
	u.comes("bob", long, long.Add(3*day))
	testkit.Eventually(t, "the reminder", func(ctx context.Context) (bool, any) { n := u.fired(ctx, "cid"); return n == 1, n })
	testkit.Eventually(t, "/readyz", func(ctx context.Context) (bool, any) {
		_, body := r.readiness(ctx)
		s := scheduleIn(t, body)
		return !s.Degraded && s.Backlog.Series+s.Backlog.Alarms == 0 && s.Backlog.Oldest == 0, body
	})
}

func TestWithoutTheDatabaseItIsNotReadyAndLaterCatchesUp(t *testing.T) {
	t.Parallel()
	broker, database := testkit.StartBrokerWithTopics(t), testkit.Postgres(t)
	gate := testkit.NewGate(t, database)
	r := start(t, broker, gate.URL, nil)
	u := publishing(t, broker, database)
	long := now().Add(-3*day - time.Hour)
	u.add("ann", daily("first", long))
	u.comes("ann", long, long.Add(3*day))

	gate.Shut()
	u.add("bob", daily("second", long))
	milk := u.add("cid", daily("third", now().Add(day)))
	if _, err := u.tasks.SetCompleted(t.Context(), "cid", milk.ID, 0, true); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "/readyz", func(ctx context.Context) (bool, any) {
		status, body := r.readiness(ctx)
		return status == http.StatusServiceUnavailable && strings.Contains(body, `"schedule":{"status":"failed"`), body
	})
	// The completion has come to the scheduler, which can do nothing about it.
	broker.Told(proto.Tasks, 1, "completions of cid", of(proto.TaskCompleted.Name, "cid"))
	if got := u.due(t.Context(), "cid"); len(got) != 1 {
		t.Errorf("without a database there are %v", got)
	}

	gate.Open()
	u.comes("bob", long, long.Add(3*day))
	u.comes("cid", milk.Due.At, milk.Due.At.Add(day))
	r.answers(http.StatusOK)
}

func TestManyReplicasMakeEverythingOnceWhileTheyComeAndGo(t *testing.T) {
	t.Parallel()
	const people = 40
	broker, database := testkit.StartBrokerWithTopics(t), testkit.Postgres(t)
	u := publishing(t, broker, database)
	// Due now and three days late, so that every replica finds all of it.
	long := now().Add(-3*day - time.Hour)
	for i := range people {
		u.add(fmt.Sprint("user", i), daily("milk", long))
	}
	first := start(t, broker, database, map[string]string{"DUE_PORTION": "3"})
	second := start(t, broker, database, map[string]string{"DUE_PORTION": "5"})
	first.stop()
	for i := range people {
		u.comes(fmt.Sprint("user", i), long, long.Add(3*day))
	}
	if got := value(t, "taskflow_scheduler_spawned_total", first.metrics, second.metrics); got > people {
		t.Errorf("%v were made for %d people", got, people)
	}
}

func TestWithoutItsSidecarItIsReadyAndSaysSo(t *testing.T) {
	t.Parallel()
	r := start(t, nil, testkit.Postgres(t), nil)
	testkit.Eventually(t, "/readyz", func(ctx context.Context) (bool, any) {
		status, body := r.readiness(ctx)
		return status == http.StatusOK && strings.Contains(body, `"the sidecar does not answer`), body
	})
	if status, _ := testkit.Get(t.Context(), t, "http://"+r.addr+"/api/ann/tasks"); status != http.StatusNotFound {
		t.Errorf("another path is %d", status)
	}
}
