package taskstore_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	contract "github.com/taskflow-suite/taskflow/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// connect is a plain connection to a test's schema.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// execute does to the database what no store would.
func execute(t *testing.T, url, statement string) {
	t.Helper()
	_, err := connect(t, url).Exec(t.Context(), statement)
	must(t, err)
}

func fresh(user string, f task.Fields) task.Task {
	f.Priority = task.None
	return task.New(event.NewID(), user, f, start)
}

func TestAUserForgottenByAnotherReplicaComesBackWithTheNextTask(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	here, there := taskstore.New(testkit.OpenPostgresAt(t, url)), taskstore.New(testkit.OpenPostgresAt(t, url))
	for i, f := range []task.Fields{{Title: "plain"}, {Title: "day", Due: task.Due{Date: "2026-12-01"}}} {
		once := task.Idempotency{Key: strconv.Itoa(i), Hash: "h", Answer: []byte("a")}
		_, err := here.EnsureProfile(t.Context(), "ada", "UTC", start) // here it is known for some seconds
		must(t, err)
		must(t, there.Forget(t.Context(), "ada", start))
		must(t, here.Create(t.Context(), "ada", once, fresh("ada", f)))
		events, _, err := here.Events(t.Context(), task.EventQuery{UserID: "ada", Topic: contract.Users, Limit: 10})
		must(t, err)
		if last := events[len(events)-1]; last.Type != contract.UserCreated.Name {
			t.Errorf("the last event of the user is %s", last.Type)
		}
	}
}

func TestAMoveByAnotherReplicaIsSeenByTheNextTaskDueOnADay(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	here, there := taskstore.New(testkit.OpenPostgresAt(t, url)), taskstore.New(testkit.OpenPostgresAt(t, url))
	_, err := here.EnsureProfile(t.Context(), "ada", "UTC", start)
	must(t, err)
	_, err = there.ChangeProfile(t.Context(), "ada", 0, func(p *task.Profile) error { return p.SetTimeZone("Asia/Tokyo", start) })
	must(t, err)
	made := fresh("ada", task.Fields{Title: "day", Due: task.Due{Date: "2026-12-01"}})
	must(t, here.Create(t.Context(), "ada", task.Idempotency{}, made))
	tokyo, err := task.Zone("Asia/Tokyo")
	must(t, err)
	end := made.Due.Deadline(tokyo)
	page, err := here.List(t.Context(), "ada", task.Query{DueAfter: end, DueBefore: end.Add(time.Millisecond), Limit: 10})
	must(t, err)
	if len(page.Tasks) != 1 {
		t.Errorf("%d tasks end at %v", len(page.Tasks), end)
	}
}

func TestAnIdempotencyKeyIsFreeAgainAfterADay(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	s := taskstore.New(testkit.OpenPostgresAt(t, url))
	once := task.Idempotency{Key: "k", Hash: "h1", Answer: []byte("a1")}
	must(t, s.Create(t.Context(), "ada", once, fresh("ada", task.Fields{Title: "x"})))
	execute(t, url, "UPDATE idempotency SET created_at = created_at - interval '23 hours 59 minutes'")
	if _, err := s.Recall(t.Context(), "ada", "k"); err != nil {
		t.Error("within the day:", err)
	}
	execute(t, url, "UPDATE idempotency SET created_at = created_at - interval '2 minutes'")
	if _, err := s.Recall(t.Context(), "ada", "k"); !errs.Is(err, errs.NotFound) {
		t.Errorf("after the day: %v", err)
	}
	once.Hash, once.Answer = "h2", []byte("a2")
	must(t, s.Create(t.Context(), "ada", once, fresh("ada", task.Fields{Title: "y"})))
	got, err := s.Recall(t.Context(), "ada", "k")
	must(t, err)
	if got.Hash != "h2" || string(got.Answer) != "a2" {
		t.Errorf("recalled %+v", got)
	}
}

func TestADatabaseThatIsGoneIsUnavailable(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	s := taskstore.New(db)
	must(t, s.Create(t.Context(), "ada", task.Idempotency{}, fresh("ada", task.Fields{Title: "x"})))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	id := event.NewID()
	for what, fn := range map[string]func() error{
		"Create":        func() error { return s.Create(ctx, "ada", task.Idempotency{}, fresh("ada", task.Fields{Title: "x"})) },
		"Recall":        func() error { _, err := s.Recall(ctx, "ada", "k"); return err },
		"Get":           func() error { _, err := s.Get(ctx, "ada", id); return err },
		"Change":        func() error { _, err := s.Change(ctx, "ada", id, 0, nil); return err },
		"List":          func() error { _, err := s.List(ctx, "ada", task.Query{Limit: 1}); return err },
		"Stats":         func() error { _, err := s.Stats(ctx, "ada", start, time.UTC); return err },
		"Purge":         func() error { _, err := s.Purge(ctx, start, start, 1); return err },
		"EnsureProfile": func() error { _, err := s.EnsureProfile(ctx, "eve", "UTC", start); return err },
		"ChangeProfile": func() error { _, err := s.ChangeProfile(ctx, "ada", 0, nil); return err },
		"Forget":        func() error { return s.Forget(ctx, "ada", start) },
		"Advance":       func() error { _, err := s.Advance(ctx, "ada", id, nil); return err },
		"Following":     func() error { _, err := s.Following(ctx, "ada", "UTC", "", 1); return err },
		"OpenIDs":       func() error { _, err := s.OpenIDs(ctx, "ada", "", "", 1); return err },
		"Ring":          func() error { return s.Ring(ctx, "ada", id, nil) },
		"ClaimSeries":   func() error { _, err := s.ClaimSeries(ctx, start, 1); return err },
		"ClaimAlarms":   func() error { _, err := s.ClaimAlarms(ctx, start, 1); return err },
		"NextDue":       func() error { _, err := s.NextDue(ctx); return err },
		"Backlog":       func() error { _, err := s.Backlog(ctx, start); return err },
		"Claimed":       func() error { _, err := s.Claimed(ctx, start, 1); return err },
		"WithinKnown":   func() error { return s.WithinKnown(ctx, "ada", nil) },
		"Events": func() error {
			_, _, err := s.Events(ctx, task.EventQuery{UserID: "ada", Topic: contract.Tasks, Limit: 1})
			return err
		},
	} {
		if err := fn(); !errs.Is(err, errs.Unavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestVerifyFindsWhatTheLogDoesNotSayAndNothingElse(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	s := taskstore.New(testkit.OpenPostgresAt(t, url))
	var made []task.Task
	for _, f := range []task.Fields{
		{Title: "a", Tags: []string{"x", "y"}, Reminders: []int{5}, Due: task.Due{Date: "2026-12-01"}},
		{Title: "b", Due: task.Due{At: start}, Recurrence: &task.Recurrence{Rule: "FREQ=DAILY", Anchor: task.OnSchedule, TimeZone: "UTC"}},
		{Title: "c"},
		{Title: "d"},
	} {
		made = append(made, fresh("ada", f))
	}
	must(t, s.Create(t.Context(), "ada", task.Idempotency{}, made...))
	_, err := s.ChangeProfile(t.Context(), "ada", 0, func(p *task.Profile) error { return p.SetTimeZone("Asia/Tokyo", start) })
	must(t, err)
	_, err = s.Change(t.Context(), "ada", made[2].ID, 0, func(x *task.Task) error { return x.Complete(start) })
	must(t, err)
	_, err = s.Change(t.Context(), "ada", made[3].ID, 0, func(x *task.Task) error { return x.Delete(start) })
	must(t, err)
	if _, err := s.Purge(t.Context(), start.Add(time.Hour), start, 10); err != nil {
		t.Fatal(err)
	}
	good, err := taskstore.Verify(t.Context(), url)
	must(t, err)
	if len(good.Differences) != 0 || good.Tasks != 3 {
		t.Errorf("a sound database has %+v", good)
	}
	for _, statement := range []string{
		"UPDATE tasks SET title = 'changed' WHERE id = '" + made[0].ID + "'",
		"UPDATE tasks SET deadline = deadline + interval '1 hour' WHERE id = '" + made[1].ID + "'",
		"DELETE FROM tasks WHERE id = '" + made[2].ID + "'",
	} {
		execute(t, url, statement)
	}
	bad, err := taskstore.Verify(t.Context(), url)
	must(t, err)
	if len(bad.Differences) != 3 {
		t.Errorf("three differences are told as %q", bad.Differences)
	}
}
