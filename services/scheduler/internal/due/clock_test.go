package due_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/services/scheduler/internal/due"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is for what takes milliseconds on an idle machine.
const patience = time.Minute

var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// clock stands still until the test sets it.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	rests chan time.Duration
	wakes chan struct{}
}

func newClock(now time.Time) *clock {
	return &clock{now: now, rests: make(chan time.Duration), wakes: make(chan struct{})}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) {
	select {
	case c.rests <- d:
	case <-ctx.Done():
		return
	}
	select {
	case <-c.wakes:
	case <-ctx.Done():
	}
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// work is a loop that runs by a clock until the test ends.
type work struct {
	t     *testing.T
	clock *clock
}

func begin(t *testing.T, c *clock, loop *due.Loop) *work {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("it ended with %v", err)
			}
		case <-time.After(patience):
			t.Error("it does not end")
		}
	})
	return &work{t, c}
}

// rests waits until the loop rests and returns how long it means to.
func (w *work) rests() time.Duration {
	w.t.Helper()
	select {
	case d := <-w.clock.rests:
		return d
	case <-time.After(patience):
		w.t.Fatal("it never rests")
		return 0
	}
}

// wakes ends the rest at a time.
func (w *work) wakes(now time.Time) {
	w.t.Helper()
	w.clock.set(now)
	select {
	case w.clock.wakes <- struct{}{}:
	case <-time.After(patience):
		w.t.Fatal("it does not rest")
	}
}
