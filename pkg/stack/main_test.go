package stack

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// A test binary started as a child plays the part its environment names; see parts_test.go.
	if part := os.Getenv("STACK_TEST_PART"); part != "" {
		playPart(part)
		return
	}
	goleak.VerifyTestMain(m)
}

// stateDir is a directory that an unprivileged Postgres can reach: the ones of t.TempDir let only their owner in.
func stateDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "stack-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// within bounds a whole test, so that a hanging part is named by its error and not by the test binary's timeout.
func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}
