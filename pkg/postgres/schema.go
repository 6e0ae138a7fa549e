package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// Schema is how far a database is, beside what this program expects, as numbers of migrations.
type Schema struct {
	// At is the newest migration that was applied, 0 before the first.
	At int64
	// Expected is the newest migration of this program.
	Expected int64
	// Pending is how many migrations of this program are still to be applied.
	Pending int
}

// Newer reports whether a newer program has migrated the schema. This one works with it: migrations only add.
func (s Schema) Newer() bool { return s.At > s.Expected }

// schemaDeadline bounds one look at a schema, the connecting included.
const schemaDeadline = 10 * time.Second

// migrationsTable is where goose keeps what was applied.
const migrationsTable = goose.DefaultTablename

const (
	permissionDenied = "42501"
	undefinedTable   = "42P01"
)

// SchemaOf looks at the schema that a database URL's search_path leads to, once. It writes nothing, and asks in a way that
// any pooler passes on. errs.Invalid if the URL is none, errs.Unavailable if the database does not answer, errs.Denied if the role may not read which
// migrations were applied; an error never shows the URL's password.
func SchemaOf(ctx context.Context, url string) (Schema, error) {
	ctx, cancel := context.WithTimeout(ctx, schemaDeadline)
	defer cancel()
	s, versions, err := expected()
	if err != nil {
		return Schema{}, err
	}
	c := At(url)
	c.Pooler = true
	config, err := c.conn()
	if err != nil {
		return Schema{}, errs.New(errs.Invalid, "%s", err.Error())
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return Schema{}, Failure(err)
	}
	// The question's own context may have ended.
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	err = conn.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM "+migrationsTable+" WHERE is_applied").Scan(&s.At)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case undefinedTable: // before the first migration
			err = nil
		case permissionDenied:
			return Schema{}, errs.Because(err, errs.Denied, "the role of the database's URL may not read the table %s", migrationsTable)
		}
	}
	if err != nil {
		return Schema{}, Failure(err)
	}
	for _, version := range versions {
		if version > s.At {
			s.Pending++
		}
	}
	return s, nil
}

// expected is what this program knows before it has asked the database, with the numbers of its migrations.
func expected() (s Schema, versions []int64, err error) {
	entries, err := fs.ReadDir(files, migrationsDir)
	if err != nil {
		return s, nil, err
	}
	for _, entry := range entries {
		version, err := goose.NumericComponent(entry.Name())
		if err != nil {
			return s, nil, fmt.Errorf("migration %s: %w", entry.Name(), err)
		}
		versions = append(versions, version)
		s.Expected = max(s.Expected, version)
	}
	return s, versions, nil
}
