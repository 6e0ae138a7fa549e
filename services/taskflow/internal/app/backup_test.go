package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

func TestABackupIsRestoredAndComparedWithItsLog(t *testing.T) {
	t.Parallel()
	from := testkit.Postgres(t)
	history(t, from)
	file := filepath.Join(t.TempDir(), "taskflow.backup")
	out, err := run(t, "backup", file, "--database-url", from)
	if err != nil || !strings.Contains(out, "wrote 6 events") {
		t.Fatalf("%v: %s", err, out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("who may read it: %v %v", info, err)
	}
	if left, err := filepath.Glob(file + ".part-*"); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if out, err = run(t, "backup", file, "--database-url", from); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("over another: %v: %s", err, out)
	}
	to := testkit.EmptyPostgres(t)
	out, err = run(t, "restore", file, "--database-url", to)
	for _, want := range []string{"restored 6 events", "verified 6 events of 2 chains", "no flaw", "rebuilt 2 tasks and 0 series from the events: 0 differences"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%v: %s; want %q", err, out, want)
		}
	}
	if out, err = run(t, "restore", file, "--database-url", to); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("once more: %v: %s", err, out)
	}

	// What was not as the log says when it was backed up is restored as it was, and named.
	conn, err := pgx.Connect(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "UPDATE tasks SET title = 'by hand' WHERE deleted_at IS NULL"); err != nil {
		t.Fatal(err)
	}
	stream, err := run(t, "backup", "-", "--database-url", from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(stream), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err = run(t, "restore", file, "--database-url", testkit.EmptyPostgres(t))
	if err == nil || !strings.Contains(out, "Title is by hand in the table") {
		t.Errorf("%v: %s", err, out)
	}
	if err := os.WriteFile(file, bytes.Repeat([]byte("x"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "restore", file, "--database-url", testkit.EmptyPostgres(t)); err == nil || !strings.Contains(err.Error(), "no backup of TaskFlow") {
		t.Errorf("of something else: %v", err)
	}
}
