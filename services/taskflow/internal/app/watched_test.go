package app_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/taskflow-suite/taskflow/services/taskflow/internal/app"
)

// runTo runs a command line and lets out see what it prints, as it does.
func runTo(t *testing.T, out io.Writer, args ...string) error {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := app.Command()
	cmd.SetOut(out)
	cmd.SetErr(out)
	cmd.SetArgs(args)
	return cmd.ExecuteContext(ctx)
}

// watched keeps what a command prints and wakes who waits for it.
type watched struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func newWatched() *watched { return &watched{more: make(chan struct{}, 1)} }

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
	return w.text.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// await returns when words were printed.
func (w *watched) await(t *testing.T, words string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !strings.Contains(w.String(), words) {
		select {
		case <-w.more:
		case <-ctx.Done():
			t.Fatalf("%q was not printed within %s:\n%s", words, patience, w)
		}
	}
}
