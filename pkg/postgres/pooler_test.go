//go:build pooled

package postgres_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

// pooled is an empty database of the test's own behind PgBouncer: through a pooler nobody can choose a schema by the URL.
func pooled(t *testing.T) postgres.Config {
	t.Helper()
	server, err := url.Parse(testkit.EmptyPostgres(t))
	must(t, err)
	server.RawQuery = "sslmode=disable"
	admin := connect(t, server.String())
	name := "test_" + strings.ToLower(rand.Text())[:16]
	_, err = admin.Exec(t.Context(), "CREATE DATABASE "+name)
	must(t, err)
	t.Cleanup(func() {
		// The test's context has ended.
		if _, err := admin.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	direct := *server
	direct.Path = "/" + name
	return postgres.Config{URL: config.NewSecret(testkit.StartPgBouncer(t, direct.String(), nil).URL(direct.String())), Pooler: true}
}

func TestOfSeveralProcessesThatMigrateThroughAPoolerOneDoes(t *testing.T) {
	t.Parallel()
	c := pooled(t)
	oneMigrates(t, c)
	schema, err := postgres.SchemaOf(t.Context(), c.URL.Reveal())
	must(t, err)
	if schema.Pending != 0 || schema.At != schema.Expected {
		t.Errorf("after the migration the schema is %+v", schema)
	}
}
