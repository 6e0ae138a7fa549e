package postgres_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	contract "github.com/taskflow-suite/taskflow/proto"
	userv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/user/v1"
)

func TestTheWholeLogIsReadInPortionsInOrder(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	const users, each = 3, 401 // more than two portions, and portions that end within a user
	for i := range each {
		var drafts []event.Draft
		for u := range users {
			d := created(fmt.Sprint("user ", u), fmt.Sprintf("%d/%03d", u, i%50), i/50+1)
			d.At = start.Add(time.Duration(i) * time.Minute)
			drafts = append(drafts, d)
		}
		must(t, add(t.Context(), db, drafts...))
	}
	must(t, add(t.Context(), db, event.New(contract.UserCreated, start, "user 1", "user 1", 1, &userv1.UserCreated{})))
	log := postgres.NewLog(db)
	read := func(f postgres.Filter) (got []string) {
		t.Helper()
		must(t, log.Each(t.Context(), f, func(events []postgres.Stored) error {
			for _, e := range events {
				got = append(got, fmt.Sprintf("%s %s %05d", e.UserID, e.Topic, e.Sequence))
			}
			return nil
		}))
		if !slices.IsSorted(got) {
			t.Errorf("%+v is not in order", f)
		}
		return slices.Compact(got)
	}
	for what, test := range map[string]struct {
		f    postgres.Filter
		want int
	}{
		"everything":       {postgres.Filter{}, users*each + 1},
		"one user":         {postgres.Filter{UserID: "user 1"}, each + 1},
		"one topic":        {postgres.Filter{Topic: contract.Users}, 1},
		"from includes":    {postgres.Filter{From: start.Add(400 * time.Minute)}, users},
		"to excludes":      {postgres.Filter{To: start.Add(time.Minute), Topic: contract.Tasks}, users},
		"user and between": {postgres.Filter{UserID: "user 2", From: start.Add(time.Minute), To: start.Add(11 * time.Minute)}, 10},
		"nobody":           {postgres.Filter{UserID: "nobody"}, 0},
	} {
		if got := read(test.f); len(got) != test.want {
			t.Errorf("%s: %d events, want %d", what, len(got), test.want)
		}
	}

	var aggregates []string
	must(t, log.EachAggregate(t.Context(), contract.Tasks, func(events []postgres.Stored) error {
		aggregates = append(aggregates, events[0].AggregateID)
		for i, e := range events {
			if e.AggregateID != events[0].AggregateID || e.Version != i+1 {
				t.Errorf("event %d of %s is version %d of %s", i, events[0].AggregateID, e.Version, e.AggregateID)
			}
		}
		return nil
	}))
	if len(aggregates) != users*50 || !slices.IsSorted(aggregates) || len(slices.Compact(aggregates)) != users*50 {
		t.Errorf("%d aggregates came: %v", len(aggregates), aggregates)
	}
}

func TestASnapshotSeesOneMomentAndCannotWrite(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	must(t, add(t.Context(), db, created("ada", "t1", 1)))
	must(t, db.Snapshot(t.Context(), func(tx *postgres.Tx) error {
		for i := range 2 {
			events, err := tx.Log().Since(t.Context(), "ada", contract.Tasks, 0, 10)
			must(t, err)
			if len(events) != 1 {
				t.Errorf("look %d finds %d events", i, len(events))
			}
			must(t, add(t.Context(), db, created("ada", fmt.Sprint("later ", i), 1)))
		}
		return nil
	}))
	if err := db.Snapshot(t.Context(), func(tx *postgres.Tx) error { return tx.Append(created("ada", "t9", 1)) }); err == nil {
		t.Error("a snapshot wrote")
	}
}

func TestTheSweepTakesWhatIsTooOldAndNothingElse(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	db, conn := testkit.OpenPostgresAt(t, url), connect(t, url)
	const invocations = `INSERT INTO tool_invocations (user_id, client_id, request_id, id, tool, input, input_hash, correlation_id, started_at)
		SELECT 'ada', 'c', gen_random_uuid(), gen_random_uuid(), 't', '{}', '', '', `
	const apiTokens = `INSERT INTO api_tokens (id, user_id, name, hash, scope, created_at, expires_at)
		SELECT gen_random_uuid(), 'ada', 'x', sha256(n::text::bytea), 'read', now() - interval '1 day', `
	for _, statement := range []string{
		"INSERT INTO profiles VALUES ('ada', 'UTC', 1, now(), now())",
		"INSERT INTO inbox SELECT 'c', gen_random_uuid(), now() - interval '8 days 1 minute' FROM generate_series(1, 2500)",
		"INSERT INTO inbox SELECT 'c', gen_random_uuid(), now() - interval '7 days 23 hours' FROM generate_series(1, 7)",
		"INSERT INTO idempotency SELECT 'ada', 'old ' || n, 'h', '', now() - interval '24 hours 1 minute' FROM generate_series(1, 1001) n",
		"INSERT INTO idempotency SELECT 'ada', 'new ' || n, 'h', '', now() - interval '23 hours' FROM generate_series(1, 5) n",
		invocations + "now() - interval '90 days 1 minute' FROM generate_series(1, 1002)",
		invocations + "now() - interval '89 days 23 hours' FROM generate_series(1, 3)",
		"INSERT INTO runs SELECT 'ada', gen_random_uuid(), gen_random_uuid(), now() - interval '90 days 1 minute' FROM generate_series(1, 1003)",
		"INSERT INTO runs SELECT 'ada', gen_random_uuid(), gen_random_uuid(), now() - interval '89 days 23 hours' FROM generate_series(1, 2)",
		apiTokens + "now() - interval '1 minute' FROM generate_series(1, 1004) n",
		apiTokens + "now() + interval '1 hour' FROM generate_series(2001, 2004) n",
	} {
		_, err := conn.Exec(t.Context(), statement)
		must(t, err)
	}
	swept, err := db.Sweep(t.Context(), 7*24*time.Hour)
	must(t, err)
	if swept != (postgres.Swept{Inbox: 2500, Idempotency: 1001, Invocations: 1002, Runs: 1003, APITokens: 1004}) {
		t.Errorf("swept %+v", swept)
	}
	var inbox, keys, calls, runs, tokens int
	must(t, conn.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM idempotency), "+
		"(SELECT count(*) FROM tool_invocations), (SELECT count(*) FROM runs), (SELECT count(*) FROM api_tokens)").
		Scan(&inbox, &keys, &calls, &runs, &tokens))
	if inbox != 7 || keys != 5 || calls != 3 || runs != 2 || tokens != 4 {
		t.Errorf("left are %d, %d, %d, %d and %d", inbox, keys, calls, runs, tokens)
	}
	for _, age := range []string{"30 days 23 hours", "31 days 1 minute"} {
		_, err := conn.Exec(t.Context(), "INSERT INTO inbox SELECT 'c', gen_random_uuid(), now() - $1::interval", age)
		must(t, err)
	}
	if swept, err = db.Sweep(t.Context(), 30*24*time.Hour); err != nil || swept.Inbox != 1 {
		t.Errorf("where topics keep events for 30 days, %d of one were swept: %v", swept.Inbox, err)
	}
}
