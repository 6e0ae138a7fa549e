package backup_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/backup"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	contract "github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
	userv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/user/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func append1(t *testing.T, db *postgres.DB, drafts ...event.Draft) {
	t.Helper()
	must(t, db.Transaction(t.Context(), func(tx *postgres.Tx) error { return tx.Append(drafts...) }))
}

func created(user, id string) event.Draft {
	return event.New(contract.TaskCreated, time.Now(), user, id, 1,
		&taskv1.TaskCreated{Fields: &taskv1.Fields{Title: "Straße \\ \\. \t \" 日本\nzweite Zeile " + id}})
}

// full is a schema with a row or more in every table, texts that are hard to quote, and a user who was forgotten.
func full(t *testing.T) (url string, db *postgres.DB) {
	t.Helper()
	url = testkit.Postgres(t)
	db = testkit.OpenPostgresAt(t, url)
	for i := range 40 {
		append1(t, db, created("ada", fmt.Sprint("a", i)), created("bob\t\\N", fmt.Sprint("b", i)), created("gone", fmt.Sprint("g", i)))
	}
	must(t, db.Transaction(t.Context(), func(tx *postgres.Tx) error {
		must(t, tx.Erase("gone"))
		return tx.Append(event.New(contract.UserDeleted, time.Now(), "gone", "gone", 1, &userv1.UserDeleted{}))
	}))
	conn := connect(t, url)
	for _, statement := range []string{
		"INSERT INTO profiles VALUES ('ada', 'Europe/Oslo', 1, '2026-11-23 09:00:00.123456+00', now())",
		`INSERT INTO tasks (id, user_id, title, description, priority, tags, due_date, deadline, reminders, version, created_at, updated_at)
			VALUES ('0192a000-0000-7000-8000-000000000001', 'ada', E'A \\ title', E'two\nlines\t', 1, '{"a,b","c\"d"}', '2026-12-01', now(), '{10}', 1, now(), now())`,
		`INSERT INTO series (id, user_id, title, description, priority, tags, reminders, recurrence_rule, recurrence_anchor, catch_up, start, whole_day, version,
			created_at, updated_at, zone, cursor, made, newest, claims) VALUES (gen_random_uuid(), 'ada', 's', '', 0, '{}', '{}', 'FREQ=DAILY', 'schedule', 'latest',
			now(), false, 1, now(), now(), 'UTC', now(), 1, gen_random_uuid(), 3)`,
		"INSERT INTO alarms SELECT gen_random_uuid(), user_id, id, 10, now(), now(), now(), 1 FROM tasks",
		"INSERT INTO conversations VALUES (gen_random_uuid(), 'ada', 'Hello', 1, now(), now())",
		`INSERT INTO messages (id, user_id, conversation_id, position, role, text, task_ids, receipts, approvals, model, created_at)
			SELECT gen_random_uuid(), user_id, id, 1, 'user', E'Hi \\. there', '{}', '[ ]', '[]', '', now() FROM conversations`,
		"INSERT INTO runs SELECT user_id, id, gen_random_uuid(), now() FROM messages",
		`INSERT INTO tool_invocations (user_id, client_id, request_id, id, tool, input, input_hash, outcome, correlation_id, started_at)
			VALUES ('ada', 'c', gen_random_uuid(), gen_random_uuid(), 't', '{"a" : 1}', '\x0102', 'done', '', now())`,
		"INSERT INTO api_tokens VALUES (gen_random_uuid(), 'ada', 'n', sha256('x'), 'read', now(), now() + interval '1 day')",
		"INSERT INTO idempotency VALUES ('ada', 'k', 'h', '\\x00ff', now())",
		"INSERT INTO inbox SELECT 'scheduler', id, now() FROM events LIMIT 5",
		`INSERT INTO dead_letters (consumer, topic, id, user_id, event_type, correlation_id, reason, kind, attempts, first_seen, last_seen, deaths, place, record)
			VALUES ('scheduler', 'tasks.events', gen_random_uuid(), 'ada', '', '', '', 'invalid', 1, now(), now(), 0, '', '\x00010a')`,
	} {
		_, err := conn.Exec(t.Context(), statement)
		must(t, err)
	}
	return url, db
}

// content is everything in the tables that a backup has, as text.
func content(t *testing.T, url string) map[string]string {
	t.Helper()
	conn := connect(t, url)
	rows, err := conn.Query(t.Context(), "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname <> 'goose_db_version'")
	must(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	all := map[string]string{}
	for _, table := range tables {
		var text bytes.Buffer
		_, err := conn.PgConn().CopyTo(t.Context(), &text, "COPY (SELECT * FROM "+table+" x ORDER BY x::text) TO STDOUT")
		must(t, err)
		all[table] = text.String()
	}
	return all
}

func write(t *testing.T, url string) []byte {
	t.Helper()
	var out bytes.Buffer
	rows, err := backup.Write(t.Context(), url, &out, nil)
	must(t, err)
	if rows["events"] == 0 {
		t.Fatal("the backup has no events")
	}
	return out.Bytes()
}

func restore(t *testing.T, url string, from []byte) (backup.Rows, error) {
	t.Helper()
	_, rows, err := backup.Restore(t.Context(), url, bytes.NewReader(from), nil)
	return rows, err
}

func TestWhatIsRestoredIsWhatWasThereByteForByteAndGoesOn(t *testing.T) {
	t.Parallel()
	from, _ := full(t)
	taken := write(t, from)
	for name, to := range map[string]string{"without tables": testkit.EmptyPostgres(t), "migrated and empty": testkit.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			rows, err := restore(t, to, taken)
			must(t, err)
			want, got := content(t, from), content(t, to)
			for table := range want {
				if want[table] == "" {
					t.Errorf("there was nothing in %s to begin with", table)
				}
				if got[table] != want[table] {
					t.Errorf("%s was\n%sand is\n%s", table, want[table], got[table])
				}
			}
			if rows["events"] != 81 || rows["sequences"] != 4 || rows.Total() < 100 {
				t.Errorf("restored %v", rows)
			}
			db := testkit.OpenPostgresAt(t, to)
			append1(t, db, created("ada", "after"), created("gone", "back"))
			v, err := db.VerifyChains(t.Context(), postgres.Chain{})
			must(t, err)
			if v.Broken != 0 || v.Events != 83 || v.Erased != 1 {
				t.Errorf("%+v", v)
			}
			for _, statement := range []string{"UPDATE events SET version = 2", "DELETE FROM events WHERE user_id = 'ada'"} {
				if _, err := connect(t, to).Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "immutable") {
					t.Errorf("%s: %v", statement, err)
				}
			}
			taken := 0
			must(t, db.Transaction(t.Context(), func(tx *postgres.Tx) error {
				all, err := tx.Take(postgres.Shards, 1000)
				taken = len(all)
				return err
			}))
			if taken != 83 {
				t.Errorf("%d of 83 events wait to be published", taken)
			}
		})
	}
}

func TestEveryTableIsInABackupOrMadeByMigrations(t *testing.T) {
	t.Parallel()
	for table := range content(t, testkit.Postgres(t)) {
		if !backup.Has(table) {
			t.Errorf("nobody has said whether %s belongs into a backup", table)
		}
	}
}

func TestADatabaseThatIsNotEmptyIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	from, _ := full(t)
	taken := write(t, from)
	before := content(t, from)
	if _, err := restore(t, from, taken); !errs.Is(err, errs.Conflict) || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("says %v", err)
	}
	if fmt.Sprint(content(t, from)) != fmt.Sprint(before) {
		t.Error("something was changed")
	}
}

func TestABackupThatIsDamagedAnywhereLeavesNothing(t *testing.T) {
	t.Parallel()
	from, _ := full(t)
	taken := write(t, from)
	to := testkit.Postgres(t)
	empty := fmt.Sprint(content(t, to))
	try := func(what string, damaged []byte) {
		t.Helper()
		_, err := restore(t, to, damaged)
		if !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, cut := range []int{0, 5, 17, 18, 30, len(taken) / 3, len(taken) / 2, len(taken) - 33, len(taken) - 32, len(taken) - 1} {
		try(fmt.Sprint("cut at ", cut), taken[:cut])
	}
	for at := 0; at < len(taken); at += max(1, len(taken)/60) {
		flipped := bytes.Clone(taken)
		flipped[at] ^= 1 << (at % 8)
		try(fmt.Sprint("a bit flipped at ", at, " of ", len(taken)), flipped)
	}
	try("something behind it", append(bytes.Clone(taken), 0))
	try("of a newer format", bytes.Replace(taken, []byte("backup 1"), []byte("backup 2"), 1))
	if got := fmt.Sprint(content(t, to)); got != empty {
		t.Errorf("left is %s", got)
	}
	_, err := restore(t, to, taken)
	must(t, err)
}

func TestABackupOfANewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	_, err := connect(t, url).Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)")
	must(t, err)
	if _, err := backup.Write(t.Context(), url, &bytes.Buffer{}, nil); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), "9999") {
		t.Errorf("writing says %v", err)
	}
	newer := backup.Forged(t, backup.Header{Schema: 9999, At: time.Now()})
	if _, err := restore(t, testkit.EmptyPostgres(t), newer); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("restoring says %v", err)
	}
}

func TestABackupIsOfOneMomentWhileEverybodyWritesAndTellsItsProgress(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	db := testkit.OpenPostgresAt(t, url)
	drafts := make([]event.Draft, 4000)
	for i := range drafts {
		drafts[i] = created(fmt.Sprint("user ", i%50), fmt.Sprint(i))
	}
	append1(t, db, drafts...)
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	wrote := make(chan struct{}, 1000)
	for w := range 3 {
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				append1(t, db, created(fmt.Sprint("user ", i%50), fmt.Sprint("w", w, "-", i)))
				select {
				case wrote <- struct{}{}:
				default:
				}
			}
		})
	}
	<-wrote
	var out bytes.Buffer
	var last int64
	rows, err := backup.Write(t.Context(), url, &out, func(_ string, n int64) {
		if n < last {
			t.Errorf("%d rows after %d", n, last)
		}
		last = n
		<-wrote // somebody commits between any two portions
	})
	stop()
	writers.Wait()
	must(t, err)
	if last == 0 || last > rows.Total() {
		t.Errorf("told of %d rows of %d", last, rows.Total())
	}
	to := testkit.EmptyPostgres(t)
	restored, err := restore(t, to, out.Bytes())
	must(t, err)
	v, err := testkit.OpenPostgresAt(t, to).VerifyChains(t.Context(), postgres.Chain{})
	must(t, err)
	if v.Broken != 0 || int64(v.Events) != rows["events"] || restored["events"] != rows["events"] || restored["outbox"] != rows["events"] {
		t.Errorf("%+v, %v", v, restored)
	}
}
