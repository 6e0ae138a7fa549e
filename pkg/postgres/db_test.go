package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	contract "github.com/taskflow-suite/taskflow/proto"
)

func TestADatabaseThatDoesNotAnswerIsUnavailableAndTheURLStaysSecret(t *testing.T) {
	t.Parallel()
	// A port that was free a moment ago.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := l.Addr().String()
	must(t, l.Close())
	c := postgres.At("postgres://user:hush-hush@" + address + "/db")
	c.ConnectDeadline = 300 * time.Millisecond
	_, err = postgres.Open(t.Context(), c)
	if !errs.Is(err, errs.Unavailable) || strings.Contains(err.Error(), "hush") {
		t.Errorf("the error is %v", err)
	}
	for _, wrong := range []string{"", "postgres://user:hush-hush@[::1/db", "postgres://user:hush-hush@host:port/db"} {
		_, err := postgres.Open(t.Context(), postgres.At(wrong))
		if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "DATABASE_URL") {
			t.Errorf("with %q the error is %v", wrong, err)
		}
	}
}

func TestOpeningWaitsForADatabaseThatStarts(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	// A door that turns the first callers away and then leads to the real server.
	door := newDoor(t, url, 3)
	db, err := postgres.Open(t.Context(), postgres.At(door.url))
	must(t, err)
	must(t, db.Ping(t.Context()))
	must(t, db.Close())
}

func TestEachFailureHasItsKind(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	db := testkit.OpenPostgresAt(t, url)
	own := errs.New(errs.Stale, "own")
	raise := func(sqlstate string) error {
		conn := connect(t, url)
		_, err := conn.Exec(t.Context(), "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '"+sqlstate+"'; END $$")
		return postgres.Failure(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithTimeout(t.Context(), -1)
	defer cancel()
	closed := testkit.OpenPostgresAt(t, url)
	must(t, closed.Close())
	for what, test := range map[string]struct {
		err  error
		kind errs.Kind
	}{
		"an error with a kind":     {postgres.Failure(own), errs.Stale},
		"a serialization failure":  {raise("40001"), errs.Unavailable},
		"a deadlock":               {raise("40P01"), errs.Unavailable},
		"too many connections":     {raise("53300"), errs.Unavailable},
		"a server going down":      {raise("57P01"), errs.Unavailable},
		"a server starting up":     {raise("57P03"), errs.Unavailable},
		"a lock nobody gives":      {raise("55P03"), errs.Unavailable},
		"a statement that is late": {raise("57014"), errs.Unavailable},
		"a standby":                {raise("25006"), errs.Unavailable},
		"a broken connection":      {raise("08006"), errs.Unavailable},
		"no such column":           {raise("42703"), errs.Internal},
		"a violated check":         {raise("23514"), errs.Internal},
		"an ended context":         {db.Ping(ended), errs.Unavailable},
		"an ended transaction":     {db.Transaction(late, func(*postgres.Tx) error { return nil }), errs.Unavailable},
		"an error nobody foresaw":  {postgres.Failure(errors.New("x")), errs.Internal},
		"no row":                   {postgres.Failure(gorm.ErrRecordNotFound), errs.Internal},
	} {
		if test.err == nil || errs.KindOf(test.err) != test.kind {
			t.Errorf("%s is %v (%v), want %v", what, errs.KindOf(test.err), test.err, test.kind)
		}
	}
	if postgres.Failure(nil) != nil {
		t.Error("no error became one")
	}
}

func TestALockThatNobodyGivesIsNotWaitedForForever(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	c := postgres.At(url)
	c.LockTimeout, c.StatementTimeout = 50*time.Millisecond, 5*time.Second
	db, err := postgres.Open(t.Context(), c)
	must(t, err)
	defer db.Close()
	must(t, add(t.Context(), db, created("ada", "t1", 1)))
	tx, err := connect(t, url).Begin(t.Context())
	must(t, err)
	_, err = tx.Exec(t.Context(), "SELECT * FROM sequences FOR UPDATE")
	must(t, err)
	if err := add(t.Context(), db, created("ada", "t2", 1)); !errs.Is(err, errs.Unavailable) {
		t.Errorf("the error is %v", err)
	}
	must(t, tx.Rollback(t.Context()))
	must(t, add(t.Context(), db, created("ada", "t2", 1)))
}

func TestEverySessionIsBounded(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	for setting, want := range map[string]string{
		"statement_timeout": "10000", "lock_timeout": "5000", "idle_in_transaction_session_timeout": "30000", "TimeZone": "UTC",
	} {
		var got []string
		must(t, db.Read(t.Context()).Table("pg_settings").Where("name = ?", setting).Pluck("setting", &got).Error)
		if len(got) != 1 || got[0] != want {
			t.Errorf("%s is %v, want %s", setting, got, want)
		}
	}
}

func TestBehindAPoolerEverythingGoesWithoutPreparedStatements(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: config.NewSecret(testkit.Postgres(t)), Pooler: true})
	must(t, err)
	defer db.Close()
	d := created("ada", `it's a "t1" \ `, 1)
	must(t, add(t.Context(), db, d))
	log := postgres.NewLog(db)
	events, err := log.Of(t.Context(), "ada", contract.Tasks, d.AggregateID, 0, 10)
	must(t, err)
	if len(events) != 1 || events[0].AggregateID != d.AggregateID {
		t.Errorf("the events are %+v", events)
	}
	var prepared []int
	must(t, db.Read(t.Context()).Table("pg_prepared_statements").Select("count(*)").Pluck("count", &prepared).Error)
	if prepared[0] != 0 {
		t.Errorf("%d statements are prepared", prepared[0])
	}
}

// It swaps the default logger, so it does not run beside others.
func TestASlowStatementIsLoggedWithoutItsValues(t *testing.T) {
	var lines bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&lines, nil)))
	defer slog.SetDefault(before)
	db := testkit.OpenPostgres(t)
	var waited []string
	must(t, db.Read(t.Context()).Table("outbox_shards").Where("shard = 0 AND pg_sleep(0.6) IS NOT NULL AND ? <> ''", "somebody's secret plan").Pluck("shard", &waited).Error)
	if !strings.Contains(lines.String(), "pg_sleep") || strings.Contains(lines.String(), "secret") {
		t.Errorf("logged was %q", lines.String())
	}
}
