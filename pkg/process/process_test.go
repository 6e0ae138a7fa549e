package process

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// logged is everything this package's tests log.
var logged struct {
	sync.Mutex
	bytes.Buffer
}

type logWriter struct{}

func (logWriter) Write(p []byte) (int, error) {
	logged.Lock()
	defer logged.Unlock()
	return logged.Buffer.Write(p)
}

func linesWith(text string) int {
	logged.Lock()
	defer logged.Unlock()
	n := 0
	for line := range strings.Lines(logged.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.NewJSONHandler(logWriter{}, nil)))
	goleak.VerifyTestMain(m)
}

func untilEnd(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestTogether(t *testing.T) {
	t.Parallel()
	broken, late := errors.New("broken"), errors.New("could not flush")
	for name, c := range map[string]struct {
		runs []func(context.Context) error
		want error
	}{
		"the first error stops the others and comes back":    {[]func(context.Context) error{untilEnd, func(context.Context) error { return broken }}, broken},
		"one that ends without error stops the others":       {[]func(context.Context) error{untilEnd, func(context.Context) error { return nil }}, nil},
		"nothing to run is nothing to wait for":              {nil, nil},
		"an error while stopping is not lost":                {[]func(context.Context) error{func(ctx context.Context) error { _ = untilEnd(ctx); return late }, func(context.Context) error { return nil }}, late},
		"the first error wins over one while stopping":       {[]func(context.Context) error{func(ctx context.Context) error { _ = untilEnd(ctx); return late }, func(context.Context) error { return broken }}, broken},
		"a cancelled operation of a part's own is its error": {[]func(context.Context) error{func(context.Context) error { return context.Canceled }}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Together(t.Context(), c.runs...); !errors.Is(got, c.want) || (c.want == nil && got != nil) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	t.Run("the end of its context is no error and all are waited for", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			begun := time.Now()
			slow := func(ctx context.Context) error {
				<-ctx.Done()
				<-time.After(3 * time.Second)
				return context.Canceled
			}
			stop, cancelNow := context.WithCancel(ctx)
			go func() { <-time.After(time.Second); cancelNow() }()
			if err := Together(stop, slow, untilEnd); err != nil {
				t.Error(err)
			}
			if took := time.Since(begun); took != 4*time.Second {
				t.Errorf("returned after %v", took)
			}
		})
	})
	t.Run("a panic becomes an error and its stack is logged once", func(t *testing.T) {
		t.Parallel()
		before := linesWith("kaboom-together")
		err := Together(t.Context(), untilEnd, func(context.Context) error { panic("kaboom-together") })
		if err == nil || err.Error() != "panic: kaboom-together" {
			t.Errorf("got %v", err)
		}
		if n := linesWith("kaboom-together") - before; n != 1 {
			t.Errorf("logged %d times", n)
		}
	})
}

func TestSupervise(t *testing.T) {
	t.Parallel()
	never := func(ctx context.Context) error {
		<-ctx.Done()
		<-time.After(time.Hour)
		return nil
	}
	for name, c := range map[string]struct {
		run     func(context.Context) error
		signals []time.Duration
		code    int
		after   time.Duration
	}{
		"a program that ends by itself exits with 0":             {func(context.Context) error { return nil }, nil, 0, 0},
		"a program that fails exits with 1":                      {func(context.Context) error { return errors.New("no database") }, nil, 1, 0},
		"a program that panics exits with 1":                     {func(context.Context) error { panic("kaboom-main") }, nil, 1, 0},
		"a program that is cancelled without a signal failed":    {func(context.Context) error { return context.Canceled }, nil, 1, 0},
		"a signal ends the context and the exit is 0":            {untilEnd, []time.Duration{time.Second}, 0, time.Second},
		"a second signal exits at once with 1":                   {never, []time.Duration{time.Second, 2 * time.Second}, 1, 3 * time.Second},
		"a program that does not stop is left behind after 25 s": {never, []time.Duration{time.Second}, 1, 26 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				signals, begun := make(chan os.Signal, 2), time.Now()
				go func() {
					for _, wait := range c.signals {
						<-time.After(wait)
						signals <- syscall.SIGTERM
					}
				}()
				if code := supervise(t.Context(), signals, c.run); code != c.code {
					t.Errorf("exit %d, want %d", code, c.code)
				}
				if took := time.Since(begun); took != c.after {
					t.Errorf("ended after %v, want %v", took, c.after)
				}
				<-time.After(2 * time.Hour) // on the bubble's clock: what was left behind comes to its end too
			})
		})
	}
}

func TestMainStopsOnARealSignal(t *testing.T) {
	if os.Getenv("PROCESS_TEST_CHILD") != "" {
		Main(func(ctx context.Context) error {
			if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
				return err
			}
			return untilEnd(ctx)
		})
	}
	t.Parallel()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMainStopsOnARealSignal$")
	child.Env = append(os.Environ(), "PROCESS_TEST_CHILD=1")
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
