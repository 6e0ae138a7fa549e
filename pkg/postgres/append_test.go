package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	contract "github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
	userv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/user/v1"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 123_000_000, time.UTC)

func created(user, id string, version int) event.Draft {
	return event.New(contract.TaskCreated, start, user, id, version, &taskv1.TaskCreated{Fields: &taskv1.Fields{Title: id}})
}

func add(ctx context.Context, db *postgres.DB, drafts ...event.Draft) error {
	return db.Transaction(ctx, func(tx *postgres.Tx) error { return tx.Append(drafts...) })
}

func TestAnEventAndItsEnvelopeAreWrittenTogether(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	trace := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	ctx := telemetry.WithTraceparent(telemetry.WithCorrelation(t.Context(), "c1"), trace)
	must(t, db.Transaction(ctx, func(tx *postgres.Tx) error {
		tx.CausedBy("cause")
		return tx.Append(created("ada", "t1", 1))
	}))
	logged, err := postgres.NewLog(db).Since(t.Context(), "ada", contract.Tasks, 0, 10)
	must(t, err)
	if len(logged) != 1 {
		t.Fatalf("%d events are in the log", len(logged))
	}
	var taken []postgres.Taken
	must(t, db.Transaction(t.Context(), func(tx *postgres.Tx) error {
		taken, err = tx.Take(postgres.Shards, 10)
		return err
	}))
	if len(taken) != 1 {
		t.Fatalf("%d events are in the outbox", len(taken))
	}
	for what, e := range map[string]event.Envelope{"in the log": logged[0], "in the outbox": taken[0].Envelope} {
		if e.ID != logged[0].ID || e.Type != "task.created" || e.UserID != "ada" || !e.Timestamp.Equal(start) || e.AggregateID != "t1" ||
			e.Version != 1 || e.Sequence != 1 || e.CorrelationID != "c1" || e.CausationID != "cause" ||
			string(e.Data) != `{"fields":{"title":"t1"}}` {
			t.Errorf("%s: %+v %s", what, e, e.Data)
		}
	}
	if taken[0].Topic != contract.Tasks || taken[0].Trace != trace {
		t.Errorf("the outbox says topic %s, trace %s", taken[0].Topic, taken[0].Trace)
	}
}

func TestARolledBackChangeLeavesNoEventAndNoGap(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	failure := errors.New("no")
	must(t, add(t.Context(), db, created("ada", "t1", 1)))
	err := db.Transaction(t.Context(), func(tx *postgres.Tx) error {
		must(t, tx.Append(created("ada", "t2", 1), created("ada", "t3", 1)))
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("the error is %v", err)
	}
	must(t, add(t.Context(), db, created("ada", "t4", 1)))
	logged, err := postgres.NewLog(db).Since(t.Context(), "ada", contract.Tasks, 0, 10)
	must(t, err)
	if len(logged) != 2 || logged[1].Sequence != 2 || logged[1].AggregateID != "t4" {
		t.Errorf("the log is %+v", logged)
	}
}

func TestWhoHasAppendedKeepsNobodyWaitingBeforeTheEnd(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	must(t, db.Transaction(telemetry.WithCorrelation(t.Context(), "outer"), func(tx *postgres.Tx) error {
		must(t, tx.Append(created("ada", "a1", 1)))
		must(t, add(t.Context(), db, created("ada", "a2", 1)))
		return tx.Under(telemetry.WithCorrelation(t.Context(), "inner")).Append(created("ada", "a3", 1))
	}))
	logged, err := postgres.NewLog(db).Since(t.Context(), "ada", contract.Tasks, 0, 10)
	must(t, err)
	var got []string
	for _, e := range logged {
		got = append(got, fmt.Sprint(e.Sequence, e.AggregateID, e.CorrelationID))
	}
	if want := "1a2 2a1outer 3a3inner"; strings.Join(got, " ") != want {
		t.Errorf("the log is %v, want %s", got, want)
	}
}

func TestEventsOfSeveralUsersAndTopicsCountEachForThemselves(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	must(t, add(t.Context(), db, created("eve", "e1", 1)))
	must(t, add(t.Context(), db,
		created("eve", "e2", 1), created("ada", "a1", 1),
		event.New(contract.UserCreated, start, "ada", "ada", 1, &userv1.UserCreated{TimeZone: "UTC"}),
		created("ada", "a2", 1), created("eve", "e3", 1)))
	log := postgres.NewLog(db)
	for _, want := range []struct {
		user  string
		topic contract.Topic
		ids   string
	}{{"eve", contract.Tasks, "1e1 2e2 3e3"}, {"ada", contract.Tasks, "1a1 2a2"}, {"ada", contract.Users, "1ada"}, {"eve", contract.Users, ""}} {
		events, err := log.Since(t.Context(), want.user, want.topic, 0, 10)
		must(t, err)
		var got []string
		for _, e := range events {
			got = append(got, fmt.Sprint(e.Sequence, e.AggregateID))
		}
		if strings.Join(got, " ") != want.ids {
			t.Errorf("%s on %s: %v, want %s", want.user, want.topic, got, want.ids)
		}
		head, err := log.Head(t.Context(), want.user, want.topic)
		must(t, err)
		if head != int64(len(got)) {
			t.Errorf("the head of %s on %s is %d", want.user, want.topic, head)
		}
	}
}

func TestAVersionThatExistsIsRefused(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	must(t, add(t.Context(), db, created("ada", "t1", 1)))
	if err := add(t.Context(), db, created("ada", "t1", 1)); !errs.Is(err, errs.Conflict) {
		t.Errorf("the error is %v", err)
	}
}

func TestAPayloadOfAnotherEventIsRefused(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	wrong := created("ada", "t1", 1)
	wrong.Payload = &taskv1.TaskDeleted{}
	if err := add(t.Context(), db, wrong); !errs.Is(err, errs.Invalid) {
		t.Errorf("the error is %v", err)
	}
	head, err := postgres.NewLog(db).Head(t.Context(), "ada", contract.Tasks)
	must(t, err)
	if head != 0 {
		t.Errorf("the refused event counted: %d", head)
	}
}

func TestALoggedEventCannotBeChanged(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	db, conn := testkit.OpenPostgresAt(t, url), connect(t, url)
	must(t, add(t.Context(), db, created("ada", "t1", 1)))
	for _, statement := range []string{"UPDATE events SET user_id = 'eve'", "UPDATE events SET sequence = 7 WHERE false", "TRUNCATE events"} {
		_, err := conn.Exec(t.Context(), statement)
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Message != "events are immutable" {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

func TestAnEventWrittenWithoutAppendIsNumberedAndAnnouncedToo(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	db := testkit.OpenPostgresAt(t, url)
	must(t, add(t.Context(), db, created("ada", "t1", 1)))
	_, err := connect(t, url).Exec(t.Context(), `INSERT INTO events
		SELECT gen_random_uuid(), user_id, topic, type, 't2', 1, 77, '', '', '', now(), '{}' FROM events`)
	must(t, err)
	must(t, db.Transaction(t.Context(), func(tx *postgres.Tx) error {
		taken, err := tx.Take(postgres.Shards, 10)
		if err == nil && (len(taken) != 2 || taken[1].AggregateID != "t2" || taken[1].Sequence != 2) {
			t.Errorf("the outbox holds %+v", taken)
		}
		return err
	}))
}

func TestErasingAUserDoesNotWaitForWhoPublishes(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	db := testkit.OpenPostgresAt(t, url)
	must(t, add(t.Context(), db, created("ada", "a1", 1), created("eve", "e1", 1)))
	failure := errors.New("the bus is down")
	err := db.Transaction(t.Context(), func(tx *postgres.Tx) error {
		taken, err := tx.Take(postgres.Shards, 10)
		must(t, err)
		if len(taken) != 2 {
			t.Errorf("%d of 2 events were taken", len(taken))
		}
		must(t, db.Transaction(t.Context(), func(tx *postgres.Tx) error { return tx.Erase("ada") }))
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("the error is %v", err)
	}
	// The row that the eraser passed over points to no event now, and goes with the next attempt.
	must(t, db.Transaction(t.Context(), func(tx *postgres.Tx) error {
		taken, err := tx.Take(postgres.Shards, 10)
		if err == nil && (len(taken) != 1 || taken[0].UserID != "eve") {
			t.Errorf("the outbox holds %+v", taken)
		}
		return err
	}))
	if waiting, err := db.Waiting(t.Context(), 0); err != nil || waiting {
		t.Errorf("something waits: %t (%v)", waiting, err)
	}
}

func TestWhatIsFreshDoesNotWaitYet(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	must(t, db.Transaction(t.Context(), func(tx *postgres.Tx) error { return tx.Append(created("ada", "t1", 1)) }))
	for since, want := range map[time.Duration]bool{0: true, time.Hour: false} {
		if waiting, err := db.Waiting(t.Context(), since); err != nil || waiting != want {
			t.Errorf("something waits for %s: %t (%v)", since, waiting, err)
		}
	}
}

func TestErasingAUserLeavesOthersAndTheSequences(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	db := testkit.OpenPostgresAt(t, url)
	must(t, add(t.Context(), db, created("ada", "a1", 1), created("eve", "e1", 1)))
	must(t, db.Transaction(t.Context(), func(tx *postgres.Tx) error { return tx.Erase("ada") }))
	var events, waiting, sequences string
	err := connect(t, url).QueryRow(t.Context(), `SELECT (SELECT string_agg(user_id, ',') FROM events),
		(SELECT string_agg(user_id, ',') FROM outbox), (SELECT string_agg(user_id, ',' ORDER BY user_id) FROM sequences)`).Scan(&events, &waiting, &sequences)
	must(t, err)
	if events != "eve" || waiting != "eve" || sequences != "ada,eve" {
		t.Errorf("left are events of %s, outbox rows of %s, sequences of %s", events, waiting, sequences)
	}
}

func TestACommitWithEventsWakesAndAnotherDoesNot(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	wakes, stop := db.Committed()
	woken := func() bool {
		select {
		case <-wakes:
			return true
		default:
			return false
		}
	}
	must(t, add(t.Context(), db, created("ada", "t1", 1)))
	must(t, add(t.Context(), db, created("ada", "t2", 1)))
	if !woken() || woken() {
		t.Error("two commits before a look are one wake")
	}
	must(t, add(t.Context(), db))
	if woken() {
		t.Error("a commit without events woke")
	}
	err := db.Transaction(t.Context(), func(tx *postgres.Tx) error {
		must(t, tx.Append(created("ada", "t3", 1)))
		return errors.New("no")
	})
	if err == nil || woken() {
		t.Error("a rollback woke")
	}
	stop()
	must(t, add(t.Context(), db, created("ada", "t3", 1)))
	if woken() {
		t.Error("a stopped listener was woken")
	}
}
