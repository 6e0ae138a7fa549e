package testkit

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"
)

// Patience is how long tests wait for what takes milliseconds on an idle machine.
const Patience = 90 * time.Second

// grace is the time a process has to end.
const grace = 25 * time.Second

// Environment are environment variables for a service that does not see the machine's.
func Environment(values map[string]string) func(name string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

// Background runs f until stop is called or the test ends; f must end then and not before, without an error, in the time
// a process has.
func Background(t testing.TB, f func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := f(ctx); err != nil || ctx.Err() == nil {
			t.Error("it ended:", err)
		}
	}()
	stop = func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(grace):
			t.Error("it does not end in", grace)
		}
	}
	t.Cleanup(stop)
	return stop
}

// Eventually waits until holds is true; last says what it was instead. A test that has failed already, as by a service
// that ended, does not wait on.
func Eventually(t testing.TB, what string, holds func(ctx context.Context) (ok bool, last any)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var last any
	for {
		ok, now := holds(ctx)
		if ok {
			return
		}
		if ctx.Err() == nil || last == nil { // else it tells of the deadline only
			last = now
		}
		if t.Failed() {
			t.Fatalf("%s: %v when the test had failed", what, last)
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v after %v", what, last, Patience)
		case <-tick.C:
		}
	}
}

// Ask sends a request on a connection of its own and returns the answer's status and body, 0 and the error if there is
// none.
func Ask(request *http.Request) (status int, body string) {
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(raw)
}

// Get is Ask with a GET without a body.
func Get(ctx context.Context, t testing.TB, url string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Ask(request)
}

// Answers waits until a GET is answered with a status.
func Answers(t testing.TB, url string, want int) {
	t.Helper()
	Eventually(t, url, func(ctx context.Context) (bool, any) {
		status, body := Get(ctx, t, url)
		return status == want, body
	})
}
