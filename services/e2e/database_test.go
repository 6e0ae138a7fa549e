package e2e_test

import (
	"context"
	"os"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/stack"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

// databaseVariable names the environment variable that says behind what the suite's database lies: nothing, or "pooled"
// for PgBouncer in transaction mode, as behind Neon's pooler.
const databaseVariable = "E2E_DATABASE"

// pooled puts the suite's database behind a pooler if the environment says so. What the tests themselves look up in the
// database, they ask the server.
func pooled(t *testing.T, o *stack.Options) {
	t.Helper()
	switch behind := os.Getenv(databaseVariable); behind {
	case "":
		return
	case "pooled":
	default:
		t.Fatalf("%s is %q: expected nothing, or pooled", databaseVariable, behind)
	}
	o.Pooler = func(_ context.Context, url string) (string, error) {
		return testkit.StartPgBouncer(t, url, nil).Address, nil
	}
	o.Migrate = func(ctx context.Context, url string) error {
		c := postgres.At(url)
		c.Pooler = true
		_, err := postgres.MigrateWith(ctx, c)
		return err
	}
}
