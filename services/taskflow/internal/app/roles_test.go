package app_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/taskflow-suite/taskflow/pkg/postgres/roles"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

func TestRolesAreAppliedCheckedAndListedAndNoPasswordIsShown(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	owner, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	var prefix string
	if err := owner.QueryRow(t.Context(), "SELECT current_schema()").Scan(&prefix); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		for _, s := range roles.Services() {
			role := roles.RoleName(prefix, s.Name)
			if _, err := owner.Exec(ctx, "DROP OWNED BY "+role); err == nil {
				_, _ = owner.Exec(ctx, "DROP ROLE "+role)
			}
		}
		_ = owner.Close(ctx)
	})
	const password = "not to be shown anywhere"
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "notifier"), []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	out, err := run(t, "roles", "check", "--prefix", prefix, "--database-url", url)
	if err == nil || !strings.Contains(out, "there is no role "+prefix+"_notifier") {
		t.Errorf("before: %v: %s", err, out)
	}
	out, err = run(t, "roles", "apply", "--prefix", prefix, "--password-dir", dir, "--database-url", url)
	if err != nil || !strings.Contains(out, prefix+"_notifier may do what notifier does; its password is set") ||
		!strings.Contains(out, "its password is as it was") || strings.Contains(out, password) {
		t.Errorf("%v: %s", err, out)
	}
	if out, err = run(t, "roles", "check", "--prefix", prefix, "--database-url", url); err != nil || !strings.Contains(out, "nothing else") {
		t.Errorf("after: %v: %s", err, out)
	}
	out, err = run(t, "roles", "list", "--prefix", prefix)
	if err != nil || !strings.Contains(out, prefix+"_notifier\n  api_tokens: SELECT\n  events: SELECT\n") {
		t.Errorf("%v: %s", err, out)
	}
}
