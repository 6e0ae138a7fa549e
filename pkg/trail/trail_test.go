package trail_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/inbox"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/trail"
	contract "github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

const traceID = "0af7651916cd43dd8448eb211c80319c"

// change appends an event of a task under a correlation id and returns it.
func change(t *testing.T, db *postgres.DB, user, correlation, causedBy string, at time.Time) event.Envelope {
	t.Helper()
	ctx := telemetry.WithTraceparent(telemetry.WithCorrelation(t.Context(), correlation), "00-"+traceID+"-b7ad6b7169203331-01")
	aggregate := event.NewID()
	err := db.Transaction(ctx, func(tx *postgres.Tx) error {
		tx.CausedBy(causedBy)
		return tx.Append(event.New(contract.TaskCreated, at, user, aggregate, 1, &taskv1.TaskCreated{Fields: &taskv1.Fields{Title: "a private title"}}))
	})
	if err != nil {
		t.Fatal(err)
	}
	log, err := postgres.NewLog(db).Of(t.Context(), user, contract.Tasks, aggregate, 0, 1)
	if err != nil || len(log) != 1 {
		t.Fatalf("%d events, %v", len(log), err)
	}
	return log[0]
}

func execute(t *testing.T, db *postgres.DB, statement string, values ...any) {
	t.Helper()
	if err := db.Read(t.Context()).Exec(statement, values...).Error; err != nil {
		t.Fatal(err)
	}
}

func around(at time.Time) trail.Span {
	return trail.Span{From: at.Add(-time.Hour), To: at.Add(time.Hour)}
}

func TestEverythingThatIsKnownOfAChangeIsFound(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgresAt(t, testkit.Postgres(t))
	correlation := uuid.Must(uuid.NewV7()).String()
	now := time.Now().UTC().Truncate(time.Millisecond)
	made := change(t, db, `an"n`, correlation, "", now)
	change(t, db, "bob", "another", "", now)
	next := change(t, db, `an"n`, correlation, made.ID, now.Add(2*time.Millisecond))

	// The first is published and handled, the second waits.
	execute(t, db, "DELETE FROM outbox WHERE event_id <> ?", next.ID)
	if err := db.Transaction(t.Context(), func(tx *postgres.Tx) error {
		_, err := inbox.Once(tx, contract.Scheduler, made.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	execute(t, db, "INSERT INTO profiles (user_id, time_zone, version, created_at, updated_at) VALUES (?, 'UTC', 1, now(), now())", `an"n`)
	execute(t, db, `INSERT INTO tool_invocations (user_id, client_id, request_id, id, tool, input, input_hash, outcome, result, correlation_id, started_at, duration_ms)
		VALUES (?, 'chat-agent', gen_random_uuid(), gen_random_uuid(), 'add_tasks', '{"a":"private"}', '', 'done', '{"b":"private"}', ?, ?, 12)`,
		`an"n`, correlation, now.Add(-time.Millisecond))
	execute(t, db, `INSERT INTO dead_letters (consumer, topic, id, event_id, user_id, event_type, correlation_id, reason, kind, attempts, first_seen, last_seen, died_at, deaths, place)
		VALUES ('scheduler', 'tasks.events', ?, ?, ?, 'task.created', ?, 'the series is gone', 'invalid', 3, ?, ?, ?, 1, '')`,
		next.ID, next.ID, `an"n`, correlation, now.Add(time.Minute), now.Add(2*time.Minute), now.Add(2*time.Minute))

	steps, err := trail.Tables(t.Context(), db, correlation, around(now))
	if err != nil {
		t.Fatal(err)
	}
	found := trail.New(correlation, steps)
	var got []string
	for i, s := range found.Steps {
		got = append(got, string(s.Source)+" "+s.Who+" "+s.What)
		if i > 0 && s.At.Before(found.Steps[i-1].At) {
			t.Errorf("step %d is out of order: %+v", i, found.Steps)
		}
	}
	text := strings.Join(got, "\n")
	for _, want := range []string{
		"tool chat-agent add_tasks", "event  task.created", "outbox  task.created", "inbox scheduler task.created",
		"dead letter scheduler task.created",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if len(found.Steps) != 7 || found.Steps[0].Source != trail.Tool || found.Steps[6].Detail["status"] != "dead" {
		t.Errorf("%d steps:\n%s", len(found.Steps), text)
	}
	if len(found.Traces) != 1 || found.Traces[0] != traceID || len(found.Users) != 1 || found.Users[0] != `an"n` {
		t.Errorf("traces %v, users %v", found.Traces, found.Users)
	}
	raw, err := json.Marshal(found)
	if err != nil || strings.Contains(string(raw), "private") {
		t.Errorf("what people wrote is shown, or %v: %s", err, raw)
	}

	if steps, err := trail.Tables(t.Context(), db, correlation, around(now.Add(-48*time.Hour))); err != nil || len(steps) != 2 {
		t.Errorf("at another time there is the dead letter only: %v, %v", steps, err)
	}
	if id, err := trail.CorrelationOf(t.Context(), db, made.ID); err != nil || id != correlation {
		t.Errorf("the event's correlation is %q, %v", id, err)
	}
	for _, nobody := range []string{event.NewID(), "no id at all"} {
		if id, err := trail.CorrelationOf(t.Context(), db, nobody); err != nil || id != "" {
			t.Errorf("nobody's correlation is %q, %v", id, err)
		}
	}
}

func TestTheDatabaseIsNotReadFromEndToEnd(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgresAt(t, testkit.Postgres(t))
	var plan []string
	err := db.Snapshot(t.Context(), func(tx *postgres.Tx) error {
		if err := tx.Exec("SET LOCAL enable_seqscan = off").Error; err != nil {
			return err
		}
		// What Tables asks, for which there must be an index.
		return tx.Raw("EXPLAIN SELECT 1 FROM events WHERE id >= ? AND id < ? AND correlation_id = 'x'", uuid.Nil, uuid.Max).Scan(&plan).Error
	})
	if err != nil || !strings.Contains(strings.Join(plan, "\n"), "events_pkey") {
		t.Errorf("%v\n%s", err, strings.Join(plan, "\n"))
	}
}

func TestLogLinesOfAChangeAreFound(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	handler, err := telemetry.NewHandler(&out, "task-api", "info")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(handler)
	ctx := func(id string) context.Context {
		return telemetry.WithTraceparent(telemetry.WithUser(telemetry.WithCorrelation(t.Context(), id), "ann"), "00-"+traceID+"-b7ad6b7169203331-01")
	}
	out.WriteString("\n{not json c1\ntask-api | ")
	log.InfoContext(ctx("c1"), "request", "route", "/api/:user_id/tasks", "status", 201, "duration_ms", 1.5, "query", "a private search")
	out.WriteString("[pod/notifier-0/notifier] ")
	log.WarnContext(ctx("c1"), "event not handled", "event_id", "e1", "error", "the reason")
	log.InfoContext(ctx("c10"), "request")
	log.InfoContext(ctx(""), "somebody said c1")
	out.WriteString(`{"correlation_id":"c1","timestamp":"yesterday"}` + "\n")
	out.WriteString(`{"correlation_id":"c1","padding":"` + strings.Repeat("x", 2<<20) + `"}` + "\n")
	log.InfoContext(ctx("c1"), "the last line, without an end")

	in := iotest.HalfReader(strings.NewReader(strings.TrimSuffix(out.String(), "\n")))
	steps, err := trail.Logs(in, "c1", []trail.Step{{What: "before"}})
	if err != nil || len(steps) != 4 {
		t.Fatalf("%d steps, %v: %+v", len(steps), err, steps)
	}
	request, failed := steps[1], steps[2]
	if request.Who != "task-api" || request.What != "request" || request.UserID != "ann" || time.Since(request.At) > time.Minute ||
		request.Detail["status"] != 201.0 || request.Detail["trace_id"] != traceID || request.Detail["query"] != nil {
		t.Errorf("got %+v", request)
	}
	if failed.EventID != "e1" || failed.Detail["error"] != "the reason" || steps[3].What != "the last line, without an end" {
		t.Errorf("got %+v", steps[2:])
	}
	broken := errors.New("the disk is gone")
	if _, err := trail.Logs(iotest.ErrReader(broken), "c1", nil); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestATrailIsBounded(t *testing.T) {
	t.Parallel()
	line := `{"correlation_id":"c1","timestamp":"2026-11-01T08:00:00Z","msg":"again"}` + "\n"
	steps, err := trail.Logs(strings.NewReader(strings.Repeat(line, trail.MaxSteps+100)), "c1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if found := trail.New("c1", steps); len(found.Steps) != trail.MaxSteps || !found.Cut {
		t.Errorf("%d steps, cut %v", len(found.Steps), found.Cut)
	}
	if raw, err := json.Marshal(trail.New("c1", nil)); err != nil || !strings.Contains(string(raw), `"steps":[]`) {
		t.Errorf("%s, %v", raw, err)
	}
}

func TestSomeIDsTellWhenTheirWorkBegan(t *testing.T) {
	t.Parallel()
	if at, ok := trail.Began(uuid.Must(uuid.NewV7()).String()); !ok || time.Since(at).Abs() > time.Minute {
		t.Errorf("got %v, %v", at, ok)
	}
	for _, id := range []string{"", "my-request", uuid.NewString()} {
		if _, ok := trail.Began(id); ok {
			t.Errorf("%q tells a time", id)
		}
	}
}

func FuzzLogs(f *testing.F) {
	f.Add(`{"correlation_id":"c1","timestamp":"2026-11-01T08:00:00Z","msg":"x","service_name":7}`)
	f.Add("x | {\"correlation_id\":\"c1\"}\n{}")
	f.Fuzz(func(t *testing.T, text string) {
		steps, err := trail.Logs(strings.NewReader(text), "c1", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			if s.At.IsZero() && !strings.Contains(text, "0001-01-01") || s.Source != trail.Log {
				t.Errorf("got %+v", s)
			}
		}
	})
}
