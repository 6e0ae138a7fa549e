package postgres

import (
	"context"
	"embed"
	"fmt"
	"hash/fnv"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var files embed.FS

const migrationsDir = "migrations"

// Migrate brings the schema that a database URL's search_path leads to (public without one) to the newest migration,
// forward only, and returns how many it applied. Any number of processes may call it at the same time: one works, the
// others wait for it. A schema that a newer program has migrated further is left as it is (see SchemaOf). The URL must not lead to a pooler in transaction mode: the lock belongs to a session.
// errs.Unavailable if the database does not answer within 30 seconds.
func Migrate(ctx context.Context, url string) (applied int, err error) {
	c := At(url).withDefaults()
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
	// Two schemas of one database do not wait for each other.
	id := fnv.New32a()
	fmt.Fprint(id, "taskflow migrations ", conn.RuntimeParams["search_path"])
	locker, err := lock.NewPostgresSessionLocker(
		lock.WithLockID(int64(id.Sum32())),
		lock.WithLockTimeout(1, 600), // asks every second, for ten minutes
	)
	if err != nil {
		return 0, err
	}
	numbered, err := fs.Sub(files, migrationsDir)
	if err != nil {
		return 0, err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db.pool, numbered,
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	results, err := provider.Up(ctx)
	if err != nil {
		return len(results), Failure(fmt.Errorf("migrate: %w", err))
	}
	return len(results), nil
}
