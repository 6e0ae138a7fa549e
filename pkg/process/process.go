// Package process is the edge between the operating system and a program: signals in, exit code out, and the rule that
// parts of one program live and die together. It knows nothing of what the parts do.
package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
)

// grace is how long a program may take to stop after the first signal. Kubernetes kills after 30 s, and a killed
// program says nothing about what held it back.
const grace = 25 * time.Second

// Main runs a program and ends the process: with 0 if run returned nil or only told that its context ended, else with 1
// after logging the error. SIGINT and SIGTERM end run's context; a second signal, or 25 s without an end, exits at once
// with 1.
func Main(run func(ctx context.Context) error) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(supervise(context.Background(), signals, run))
}

func supervise(ctx context.Context, signals <-chan os.Signal, run func(context.Context) error) int {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- guarded(ctx, run) }()

	var late <-chan time.Time
	stopping := false
	for {
		select {
		case err := <-ended:
			if err == nil || (stopping && errors.Is(err, context.Canceled)) {
				return 0
			}
			slog.ErrorContext(ctx, "the program ends with an error", "error", err.Error())
			return 1
		case s := <-signals:
			if stopping {
				slog.ErrorContext(ctx, "a second signal: exit without cleaning up", "signal", s.String())
				return 1
			}
			stopping = true
			slog.InfoContext(ctx, "stopping", "signal", s.String())
			timer := time.NewTimer(grace)
			defer timer.Stop()
			late = timer.C
			stop()
		case <-late:
			slog.ErrorContext(ctx, "the program did not stop in time", "seconds", int(grace.Seconds()))
			return 1
		}
	}
}

// Together runs all functions at once with a context that ends as soon as the first of them returns, and waits for all.
// Its error is the first one that says more than that the context ended; nil if there is none. A panic is logged with
// its stack and becomes an error, so that the others can still finish their work.
func Together(ctx context.Context, runs ...func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	for _, run := range runs {
		all.Go(func() {
			err := guarded(ctx, run)
			mu.Lock()
			// What a part says after the end was asked for is only news if it is not the end itself.
			if err != nil && first == nil && (ctx.Err() == nil || !errors.Is(err, context.Canceled)) {
				first = err
			}
			mu.Unlock()
			stop()
		})
	}
	all.Wait()
	return first
}

func guarded(ctx context.Context, run func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			slog.ErrorContext(ctx, "panic", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return run(ctx)
}
