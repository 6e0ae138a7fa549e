package postgres

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"hash/fnv"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var files embed.FS

const migrationsDir = "migrations"

// Migrate brings the schema that a database URL's search_path leads to (public without one) to the newest migration,
// forward only, and returns how many it applied. Any number of processes may call it at the same time: one works, the
// others wait for it. A schema that a newer program has migrated further is left as it is (see SchemaOf).
// errs.Unavailable if the database does not answer within 30 seconds.
func Migrate(ctx context.Context, url string) (applied int, err error) {
	return MigrateWith(ctx, At(url))
}

// MigrateWith is Migrate with other settings than the defaults, for a URL that leads to a pooler. What the role of such a
// URL sets for statement_timeout holds for migrations too, so a large database is migrated without the pooler.
func MigrateWith(ctx context.Context, c Config) (applied int, err error) {
	return migrateTo(ctx, c, goose.MaxVersion)
}

// MigrateTo is Migrate as far as a migration of the past, for a backup of that time.
func MigrateTo(ctx context.Context, url string, version int64) error {
	_, err := migrateTo(ctx, At(url), version)
	return err
}

func migrateTo(ctx context.Context, c Config, version int64) (applied int, err error) {
	c = c.withDefaults()
	conn, err := c.conn()
	if err != nil {
		return 0, err
	}
	// An index on a large table takes its time.
	delete(conn.RuntimeParams, "statement_timeout")
	db := &DB{pool: stdlib.OpenDB(*conn)}
	defer db.Close()
	if err := db.await(ctx, c.ConnectDeadline); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	unlock, err := lockMigrations(ctx, db.pool, conn.RuntimeParams["search_path"])
	if err != nil {
		return 0, Failure(fmt.Errorf("wait for another's migration: %w", err))
	}
	defer unlock()
	numbered, err := fs.Sub(files, migrationsDir)
	if err != nil {
		return 0, err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db.pool, numbered, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return 0, err
	}
	results, err := provider.UpTo(ctx, version)
	if err != nil {
		return len(results), Failure(fmt.Errorf("migrate: %w", err))
	}
	return len(results), nil
}

// lockMigrations waits until nobody else migrates the schema, ten minutes at most, and keeps others away until unlock. The
// lock belongs to a transaction that does nothing else, not to a session: behind a pooler nobody has one.
func lockMigrations(ctx context.Context, pool *sql.DB, searchPath string) (unlock func(), err error) {
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	// Its end is all there is to undo.
	unlock = func() { _ = tx.Rollback() }
	// Two schemas of one database do not wait for each other.
	id := fnv.New32a()
	fmt.Fprint(id, "taskflow migrations ", searchPath)
	for _, statement := range []string{
		"SET LOCAL lock_timeout = '10min'",
		"SET LOCAL statement_timeout = 0",
		"SET LOCAL idle_in_transaction_session_timeout = 0",
		fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", id.Sum32()),
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			unlock()
			return nil, err
		}
	}
	return unlock, nil
}
