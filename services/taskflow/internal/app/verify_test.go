package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

func TestVerifyNamesWhatWasTamperedWithAndComparesWithHeadsThatWereKept(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	history(t, url)
	heads := filepath.Join(t.TempDir(), "heads.jsonl")

	out, err := run(t, "verify", "--save-heads", heads, "--database-url", url)
	if err != nil || !strings.Contains(out, "verified 6 events of 2 chains") || !strings.Contains(out, "no flaw; the heads together are ") {
		t.Errorf("%v: %s", err, out)
	}
	if out, err = run(t, "verify", "--heads", heads, "--database-url", url); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if out, err = run(t, "verify", "--save-heads", heads, "--database-url", url); err == nil {
		t.Errorf("the file was overwritten: %s", out)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, statement := range []string{
		"ALTER TABLE events DISABLE TRIGGER USER",
		"UPDATE events SET data = replace(data::text, 'second', 'third')::json WHERE sequence = 3 AND topic = 'tasks.events'",
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	out, err = run(t, "verify", "--user", "alice", "--topic", "tasks.events", "--database-url", url)
	if err == nil || !strings.Contains(out, `user "alice", tasks.events, sequence 3`) || !strings.Contains(out, "the event was changed") || err.Error() != "1 chains are broken" {
		t.Errorf("%v: %s", err, out)
	}
	if out, err = run(t, "verify", "--topic", "users.events", "--database-url", url); err != nil {
		t.Errorf("another topic: %v: %s", err, out)
	}
	if err := os.WriteFile(heads, []byte("{}\n{\"sequence\":"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "verify", "--heads", heads, "--database-url", url); err == nil || !strings.Contains(err.Error(), "after 1 heads") {
		t.Errorf("a file that is cut off: %v", err)
	}
}
