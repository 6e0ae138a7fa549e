package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	contract "github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
	userv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/user/v1"
)

// verified is what verifying finds, as text: "sound", or the flaws.
func verified(t *testing.T, db *postgres.DB, c postgres.Chain) string {
	t.Helper()
	v, err := db.VerifyChains(t.Context(), c)
	must(t, err)
	if v.Broken == 0 {
		return "sound"
	}
	var all []string
	for _, f := range v.Flaws {
		all = append(all, f.String())
	}
	return strings.Join(all, "\n")
}

// chains fills a log with ten events of each of three users, whose ids and texts are hard to take apart.
func chains(t *testing.T, db *postgres.DB) {
	t.Helper()
	ctx := telemetry.WithTraceparent(telemetry.WithCorrelation(t.Context(), "grüße 1 2\n3"), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	for _, user := range []string{"ada", "bob", "eve \"\n'\\ü"} {
		for i := range 10 {
			must(t, add(ctx, db, event.New(contract.TaskCreated, start.Add(time.Duration(i)*time.Microsecond), user, fmt.Sprint(user, i), 1,
				&taskv1.TaskCreated{Fields: &taskv1.Fields{Title: "Straße \\ \" 日本 " + fmt.Sprint(i)}})))
		}
	}
}

// tamper runs statements as the owner, who can switch off what keeps everybody from them.
func tamper(t *testing.T, url string, statements ...string) {
	t.Helper()
	conn := connect(t, url)
	all := []string{"BEGIN", "ALTER TABLE events DISABLE TRIGGER USER"}
	all = append(append(all, statements...), "ALTER TABLE events ENABLE TRIGGER USER", "COMMIT")
	for _, s := range all {
		_, err := conn.Exec(t.Context(), s)
		must(t, err)
	}
}

// link is how whoever has the owner's password computes a hash.
const link = `sha256((SELECT hash FROM events b WHERE b.user_id = e.user_id AND b.topic = e.topic AND b.sequence = e.sequence - 1) || int8send(e.sequence) ||
	event_digest(e.id, e.user_id, e.topic, e.type, e.aggregate_id, e.version, e.correlation_id, e.causation_id, e.traceparent, e.occurred_at, e.data))`

func TestWhatWasTamperedWithIsNamed(t *testing.T) {
	t.Parallel()
	const bobs = " WHERE user_id = 'bob' AND sequence = "
	for name, c := range map[string]struct {
		statements []string
		wants      string
	}{
		"a title": {
			[]string{`UPDATE events SET data = replace(data::text, 'Stra', 'Strb')::json` + bobs + "4"}, "sequence 4 (%d): the event was changed",
		},
		"a space in the data": {
			[]string{`UPDATE events SET data = (' ' || data::text)::json` + bobs + "4"}, "sequence 4 (%d): the event was changed",
		},
		"the time, by a microsecond": {
			[]string{`UPDATE events SET occurred_at = occurred_at + interval '1 microsecond'` + bobs + "4"}, "sequence 4 (%d): the event was changed",
		},
		"a letter that moved to the next column": {
			[]string{`UPDATE events SET causation_id = right(correlation_id, 1), correlation_id = left(correlation_id, -1)` + bobs + "4"}, "sequence 4 (%d): the event was changed",
		},
		"the first": {
			[]string{`UPDATE events SET version = 2` + bobs + "1"}, "sequence 1 (%d): the event was changed",
		},
		"a row in the middle that was deleted": {
			[]string{"DELETE FROM events" + bobs + "5"}, "sequence 5 (no event): the event is missing",
		},
		"the first that was deleted": {
			[]string{"DELETE FROM events" + bobs + "1"}, "sequence 1 (no event): the event is missing",
		},
		"the last that was deleted": {
			[]string{"DELETE FROM events" + bobs + "10"}, "sequence 10 (no event): the event is missing, and with it all to 10",
		},
		"the last that was deleted, and the number with it": {
			[]string{"DELETE FROM events" + bobs + "10", "UPDATE sequences SET value = 9 WHERE user_id = 'bob'"},
			"sequence 9 (%d): the last event was changed",
		},
		"one that was inserted at the end": {
			[]string{`INSERT INTO events SELECT gen_random_uuid(), user_id, topic, type, 'new', 1, 11, '', '', '', now(), '{}', hash FROM events` + bobs + "10"},
			"sequence 11 (%d): the event was inserted: the chain ends at 10",
		},
		"one that was inserted in the middle": {
			[]string{
				"UPDATE events SET sequence = sequence + 100 WHERE user_id = 'bob' AND sequence > 4", "UPDATE events SET sequence = sequence - 99 WHERE sequence > 100",
				`INSERT INTO events SELECT gen_random_uuid(), user_id, topic, type, 'new', 1, 5, '', '', '', now(), '{}', hash FROM events` + bobs + "4",
				"UPDATE sequences SET value = 11 WHERE user_id = 'bob'",
			},
			"sequence 5 (%d): the event was changed",
		},
		"two that were swapped": {
			[]string{"UPDATE events SET sequence = 100" + bobs + "3", "UPDATE events SET sequence = 3" + bobs + "7", "UPDATE events SET sequence = 7" + bobs + "100"},
			"sequence 3 (%d): the event was changed",
		},
		"hash and all": {
			[]string{`UPDATE events SET data = '{}'` + bobs + "4", `UPDATE events e SET hash = ` + link + bobs + "4"},
			"sequence 5 (%d): the event was changed, or 4 was changed together with its hash",
		},
		"the last one, hash and all": {
			[]string{`UPDATE events SET data = '{}'` + bobs + "10", `UPDATE events e SET hash = ` + link + bobs + "10"},
			"sequence 10 (%d): the last event was changed together with its hash",
		},
		"a user's that were deleted, and the chain": {
			[]string{"DELETE FROM events WHERE user_id = 'bob'", "UPDATE sequences SET erased_through = 10, erased_hash = hash WHERE user_id = 'bob'"},
			"sequence 10 (no event): events up to here are missing, and the log does not tell that the user was deleted",
		},
		"a chain that nobody began": {
			[]string{`INSERT INTO events SELECT gen_random_uuid(), 'bobby', topic, type, 'new', 1, 1, '', '', '', now(), '{}', hash FROM events` + bobs + "1"},
			`user "bobby", tasks.events, sequence 1 (%d): the event was inserted: nothing is known of its chain`,
		},
		"a chain behind all others": {
			[]string{`INSERT INTO events SELECT gen_random_uuid(), 'zoe', topic, type, 'new', 1, 1, '', '', '', now(), '{}', hash FROM events` + bobs + "1"},
			`user "zoe", tasks.events, sequence 1 (%d): the event was inserted: nothing is known of its chain`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := testkit.Postgres(t)
			db := testkit.OpenPostgresAt(t, url)
			chains(t, db)
			if got := verified(t, db, postgres.Chain{}); got != "sound" {
				t.Fatalf("before: %s", got)
			}
			tamper(t, url, c.statements...)
			before, after, _ := strings.Cut(c.wants, "%d")
			got := verified(t, db, postgres.Chain{})
			if !strings.Contains(got, before) || !strings.Contains(got, after) || strings.Contains(got, "\n") || !strings.Contains(got, `user "bob`) && !strings.Contains(got, `"zoe"`) {
				t.Errorf("found %q, want %q", got, c.wants)
			}
			// The others' are as sound as before.
			if got := verified(t, db, postgres.Chain{UserID: "ada"}); got != "sound" {
				t.Errorf("of ada: %s", got)
			}
		})
	}
}

func TestSavedHeadsTellOfAChainThatWasMadeAnewAsAWhole(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	db := testkit.OpenPostgresAt(t, url)
	chains(t, db)
	var saved []postgres.Head
	first, err := db.VerifyChains(t.Context(), postgres.Chain{Head: func(h postgres.Head) error { saved = append(saved, h); return nil }})
	must(t, err)
	if len(saved) != 3 || first.Chains != 3 || first.Events != 30 {
		t.Fatalf("%d heads of %+v", len(saved), first)
	}
	again, err := db.VerifyChains(t.Context(), postgres.Chain{Saved: saved})
	must(t, err)
	if again.Broken != 0 || again.Digest != first.Digest {
		t.Errorf("once more: %+v", again)
	}
	must(t, add(t.Context(), db, created("bob", "another", 1)))
	if got := verified(t, db, postgres.Chain{Saved: saved}); got != "sound" {
		t.Errorf("with one more event: %s", got)
	}
	anew := []string{`UPDATE events SET data = '{}' WHERE user_id = 'bob' AND sequence = 4`}
	for i := 4; i <= 11; i++ {
		anew = append(anew, fmt.Sprintf("UPDATE events e SET hash = %s WHERE user_id = 'bob' AND sequence = %d", link, i))
	}
	tamper(t, url, append(anew, "UPDATE sequences s SET hash = (SELECT hash FROM events WHERE user_id = 'bob' AND sequence = 11) WHERE user_id = 'bob'")...)
	if got := verified(t, db, postgres.Chain{}); got != "sound" {
		t.Errorf("without heads, %s", got)
	}
	if got := verified(t, db, postgres.Chain{Saved: saved}); !strings.Contains(got, `user "bob", tasks.events, sequence 10`) || !strings.Contains(got, "when the heads were saved") {
		t.Errorf("with heads, %s", got)
	}
	tamper(t, url, "DELETE FROM events WHERE user_id = 'bob'", "DELETE FROM sequences WHERE user_id = 'bob'")
	if got := verified(t, db, postgres.Chain{Saved: saved}); !strings.Contains(got, "the whole chain is missing") {
		t.Errorf("without the chain, %s", got)
	}
}

func TestAChainLongerThanAPortionIsFollowedToItsEndAndProgressIsTold(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	for i := range 4 {
		drafts := make([]event.Draft, 400)
		for j := range drafts {
			drafts[j] = created([]string{"ada", "eve"}[j%2], fmt.Sprint(i, "-", j), 1)
		}
		must(t, add(t.Context(), db, drafts...))
	}
	var seen []int
	v, err := db.VerifyChains(t.Context(), postgres.Chain{Seen: func(n int) { seen = append(seen, n) }})
	must(t, err)
	if v.Broken != 0 || v.Events != 1600 || v.Chains != 2 || len(seen) < 4 || seen[len(seen)-1] != 1600 {
		t.Errorf("%+v, told %v", v, seen)
	}
}

func TestManyChainsAreFollowedPortionByPortion(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	drafts := make([]event.Draft, 1200)
	for i := range drafts {
		drafts[i] = created(fmt.Sprint("user ", i%600), fmt.Sprint(i), 1)
	}
	must(t, add(t.Context(), db, drafts...))
	v, err := db.VerifyChains(t.Context(), postgres.Chain{})
	must(t, err)
	if v.Broken != 0 || v.Events != 1200 || v.Chains != 600 {
		t.Errorf("%+v", v)
	}
}

func TestAForgottenUsersChainGoesOnBehindTheTombstone(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	db := testkit.OpenPostgresAt(t, url)
	chains(t, db)
	forget := func() {
		must(t, db.Transaction(t.Context(), func(tx *postgres.Tx) error {
			must(t, tx.Erase("bob"))
			return tx.Append(event.New(contract.UserDeleted, start, "bob", "bob", 1, &userv1.UserDeleted{}))
		}))
	}
	forget()
	forget()
	must(t, add(t.Context(), db, created("bob", "back", 1)))
	var heads []postgres.Head
	v, err := db.VerifyChains(t.Context(), postgres.Chain{UserID: "bob", Head: func(h postgres.Head) error { heads = append(heads, h); return nil }})
	must(t, err)
	if v.Broken != 0 || v.Erased != 2 || len(heads) != 2 || heads[0].ErasedThrough != 10 || heads[0].Sequence != 11 || heads[1].ErasedThrough != 1 {
		t.Errorf("%+v, %+v", v, heads)
	}
	tamper(t, url, "UPDATE events SET type = 'user.updated' WHERE user_id = 'bob' AND type = 'user.deleted'")
	if got := verified(t, db, postgres.Chain{}); !strings.Contains(got, "does not tell that the user was deleted") {
		t.Errorf("without the reason: %s", got)
	}
}

func TestADeadLetterOfAForgottenUsersEventKeepsNothingOfTheUser(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	db := testkit.OpenPostgresAt(t, url)
	chains(t, db)
	must(t, db.Transaction(t.Context(), func(tx *postgres.Tx) error {
		must(t, tx.Erase("bob"))
		return tx.Append(event.New(contract.UserDeleted, start, "bob", "bob", 1, &userv1.UserDeleted{}))
	}))
	conn := connect(t, url)
	kept := func(user, eventID string, record []byte) (is string) {
		t.Helper()
		must(t, conn.QueryRow(t.Context(), `INSERT INTO dead_letters (consumer, topic, id, event_id, user_id, event_type, correlation_id, reason, kind, attempts, first_seen, last_seen, deaths, place, record)
			VALUES ('scheduler', 'tasks.events', gen_random_uuid(), $2, $1, '', '', '', 'invalid', 1, now(), now(), 0, '', $3)
			RETURNING concat_ws(' ', user_id, record IS NOT NULL)`, user, eventID, record).Scan(&is))
		return is
	}
	old := event.NewID()
	if got := kept("ada", old, []byte("x")); got != "ada t" {
		t.Errorf("of somebody who is there: %q", got)
	}
	if got := kept("bob", old, []byte("x")); got != " f" {
		t.Errorf("of an erased event: %q", got)
	}
	if got := kept("bob", old, nil); got != " f" {
		t.Errorf("without a record: %q", got)
	}
	var deleted string
	must(t, conn.QueryRow(t.Context(), "SELECT id::text FROM events WHERE user_id = 'bob'").Scan(&deleted))
	if got := kept("bob", deleted, nil); got != "bob f" {
		t.Errorf("of the event that tells of the deletion: %q", got)
	}
}

func TestEventsGoWithTheirUserOnly(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	db := testkit.OpenPostgresAt(t, url)
	chains(t, db)
	conn := connect(t, url)
	_, err := conn.Exec(t.Context(), "INSERT INTO profiles VALUES ('ada', 'UTC', 1, now(), now())")
	must(t, err)
	for what, statement := range map[string]string{
		"of a user who is still there": "DELETE FROM events WHERE user_id = 'ada'",
		"in the middle":                "DELETE FROM events WHERE user_id = 'bob' AND sequence = 5",
		"at the end":                   "DELETE FROM events WHERE user_id = 'bob' AND sequence > 5",
		"of a user, by the function":   "SELECT events_forget('ada')",
	} {
		if _, err := conn.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "they go with their user only") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got := verified(t, db, postgres.Chain{}); got != "sound" {
		t.Error(got)
	}
}

func TestChainsAreTheSameBehindAPooler(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	db, err := postgres.Open(t.Context(), postgres.Config{URL: config.NewSecret(url), Pooler: true})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	chains(t, db)
	if got := verified(t, db, postgres.Chain{}); got != "sound" {
		t.Error(got)
	}
}

func TestAToolCallThatHasEndedIsImmutable(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	conn := connect(t, url)
	run := func(statement string) error { _, err := conn.Exec(t.Context(), statement); return err }
	must(t, run("INSERT INTO profiles VALUES ('ada', 'UTC', 1, now(), now())"))
	must(t, run(`INSERT INTO tool_invocations (user_id, client_id, request_id, id, tool, input, input_hash, correlation_id, started_at)
		VALUES ('ada', 'c', gen_random_uuid(), gen_random_uuid(), 'add_tasks', '{}', '', '', now())`))
	must(t, run("UPDATE tool_invocations SET outcome = 'done', result = '{}', duration_ms = 1"))
	for _, statement := range []string{"UPDATE tool_invocations SET result = '{\"a\":1}'", "UPDATE tool_invocations SET outcome = NULL", "TRUNCATE tool_invocations"} {
		if err := run(statement); err == nil || !strings.Contains(err.Error(), "a tool call that has ended is immutable") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if err := run("SELECT tool_invocations_sweep(now() - interval '29 days', 10)"); err == nil {
		t.Error("what is younger than 30 days was swept")
	}
	must(t, run(`INSERT INTO tool_invocations (user_id, client_id, request_id, id, tool, input, input_hash, correlation_id, started_at)
		SELECT 'ada', 'old', gen_random_uuid(), gen_random_uuid(), 'add_tasks', '{}', '', '', now() - interval '91 days' FROM generate_series(1, 1500)`))
	for _, want := range []int64{1500, 0} {
		db, err := postgres.Open(t.Context(), postgres.Config{URL: config.NewSecret(url), Pooler: want == 0})
		must(t, err)
		swept, err := db.Sweep(t.Context(), 7*24*time.Hour)
		must(t, errors.Join(err, db.Close()))
		if swept.Invocations != want {
			t.Errorf("%d were swept, want %d", swept.Invocations, want)
		}
	}
	must(t, run("DELETE FROM profiles"))
	var left int
	must(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM tool_invocations").Scan(&left))
	if left != 0 {
		t.Error("it stays when its user goes")
	}
}

// beforeAudit is the last migration without hashes.
const beforeAudit = 6

func TestALogThatIsThereAlreadyIsChainedWhileOldProgramsWriteAndPublish(t *testing.T) {
	t.Parallel()
	url := testkit.EmptyPostgres(t)
	must(t, postgres.MigrateTo(t.Context(), url, beforeAudit))
	db := testkit.OpenPostgresAt(t, url)
	chains(t, db)
	old := connect(t, url)
	run := func(statement string, args ...any) {
		t.Helper()
		_, err := old.Exec(t.Context(), statement, args...)
		must(t, err)
	}
	drafts := make([]event.Draft, 5_000)
	for i := range drafts {
		drafts[i] = created(fmt.Sprint("user ", i%500), fmt.Sprint(i), 1)
	}
	must(t, add(t.Context(), db, drafts...))
	// A user who was forgotten in the past, by a program that knew of no tombstone.
	run("DELETE FROM events WHERE user_id = 'ada'")
	must(t, add(t.Context(), db, event.New(contract.UserDeleted, start, "ada", "ada", 1, &userv1.UserDeleted{})))
	run("UPDATE sequences SET value = 3 WHERE user_id = 'ada' AND topic = 'users.events'")
	run("ALTER TABLE events DISABLE TRIGGER USER")
	run("UPDATE events SET sequence = 3 WHERE user_id = 'ada'")
	run("ALTER TABLE events ENABLE TRIGGER USER")

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	wrote := 0
	first := make(chan struct{})
	go func() {
		for ctx.Err() == nil {
			err := add(t.Context(), db, created("bob", fmt.Sprint("while ", wrote), 1), created(fmt.Sprint("user ", wrote%500), fmt.Sprint("other ", wrote), 1))
			if err == nil {
				err = db.Transaction(t.Context(), func(tx *postgres.Tx) error { _, err := tx.Take(postgres.Shards, 10); return err })
			}
			if err == nil && wrote%10 == 9 {
				_, err = old.Exec(t.Context(), "DELETE FROM events WHERE user_id = $1", fmt.Sprint("gone ", wrote))
			}
			if err != nil {
				ended <- err
				return
			}
			if wrote++; wrote == 5 {
				close(first)
			}
		}
		ended <- nil
	}()
	<-first
	applied, err := postgres.Migrate(t.Context(), url)
	must(t, err)
	stop()
	must(t, <-ended)
	if applied != 1 {
		t.Errorf("%d migrations were applied", applied)
	}
	t.Logf("%d transactions during the migration", wrote)
	must(t, add(t.Context(), db, created("bob", "after", 1)))
	var chained, all int
	must(t, old.QueryRow(t.Context(), "SELECT count(hash), count(*) FROM events").Scan(&chained, &all))
	if chained != all || all < 5_000+20+1+wrote*2 {
		t.Errorf("%d of %d are chained", chained, all)
	}
	if got := verified(t, db, postgres.Chain{}); got != "sound" {
		t.Error(got)
	}
	// An old program forgets by deleting itself.
	run("DELETE FROM events WHERE user_id = 'bob'")
	must(t, add(t.Context(), db, event.New(contract.UserDeleted, start, "bob", "bob", 1, &userv1.UserDeleted{})))
	var through int64
	must(t, old.QueryRow(t.Context(), "SELECT erased_through FROM sequences WHERE user_id = 'bob' AND topic = 'tasks.events'").Scan(&through))
	if through == 0 {
		t.Error("there is no tombstone")
	}
	for _, statement := range []string{"UPDATE events SET hash = ''", "TRUNCATE events"} {
		if _, err := old.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "events are immutable") {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

func TestAnInterruptedAuditMigrationGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	url := testkit.EmptyPostgres(t)
	must(t, postgres.MigrateTo(t.Context(), url, beforeAudit))
	db := testkit.OpenPostgresAt(t, url)
	chains(t, db)
	holder := connect(t, url)
	exec := func(sql string) {
		t.Helper()
		_, err := holder.Exec(t.Context(), sql)
		must(t, err)
	}
	// eve's come last: those of the others are chained when the migration waits at hers, for as long as the lock is held.
	exec(`CREATE FUNCTION eve_waits() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN IF NEW.user_id LIKE 'eve%' THEN PERFORM pg_advisory_xact_lock(70070707); END IF; RETURN NEW; END $$`)
	exec("CREATE TRIGGER eve_waits BEFORE UPDATE ON sequences FOR EACH ROW EXECUTE FUNCTION eve_waits()")
	exec("SELECT pg_advisory_lock(70070707)")
	within, cancel := context.WithCancel(t.Context())
	watch, watched := connect(t, url), make(chan struct{})
	var n int
	go func() {
		defer close(watched)
		defer cancel()
		for n != 20 && within.Err() == nil {
			// Before the column is there, this fails.
			_ = watch.QueryRow(context.WithoutCancel(t.Context()), "SELECT count(hash) FROM events").Scan(&n)
		}
	}()
	_, err := postgres.Migrate(within, url)
	cancel()
	<-watched
	if err == nil || n != 20 {
		t.Errorf("the migration was not interrupted with 20 events chained, but with %d: %v", n, err)
	}
	exec("SELECT pg_advisory_unlock(70070707)")
	exec("DROP TRIGGER eve_waits ON sequences")
	exec("DROP FUNCTION eve_waits")
	// Half of it: those who write now are not in the way.
	must(t, add(t.Context(), db, created("ada", "between", 1), created("eve \"\n'\\ü", "between too", 1)))
	if _, err := postgres.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if got := verified(t, db, postgres.Chain{}); got != "sound" {
		t.Error(got)
	}
	var events int
	must(t, holder.QueryRow(t.Context(), "SELECT count(*) FROM events").Scan(&events))
	if events != 32 {
		t.Errorf("%d of 32 events are there", events)
	}
}
