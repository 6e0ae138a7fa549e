package stage

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Watch sees every answer of its clients, and holds them to what is promised whatever happens behind a door: an answer
// comes, it is no failure of ours but 503, and who is turned away (429, 503) is told for how long.
type Watch struct {
	mu      sync.Mutex
	counts  map[int]int
	wrong   map[string]int
	slowest time.Duration
}

// Check fails the test for every answer that was not as promised, and tells of all.
func (w *Watch) Check(t testing.TB) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for what, times := range w.wrong {
		t.Errorf("%d times: %s", times, what)
	}
	if len(w.counts) == 0 {
		t.Error("nobody was answered: the test shows nothing")
	}
	t.Logf("answers: %s; the slowest took %s", w.text(), w.slowest.Round(time.Millisecond))
}

// Count is how many answers had a status.
func (w *Watch) Count(status int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts[status]
}

// Slowest is how long the slowest answer took.
func (w *Watch) Slowest() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.slowest
}

func (w *Watch) text() string {
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(w.counts)) {
		parts = append(parts, fmt.Sprintf("%d × %d", w.counts[status], status))
	}
	return strings.Join(parts, ", ")
}

// Over has the watch see what goes through a transport.
func (w *Watch) Over(next http.RoundTripper) http.RoundTripper {
	return watched{w, next}
}

// watched is a transport that a watch sees.
type watched struct {
	watch *Watch
	http.RoundTripper
}

// RoundTrip has the watch note the answer.
func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := time.Now()
	res, err := w.RoundTripper.RoundTrip(r)
	if r.Context().Err() == nil {
		w.watch.note(r, res, err, time.Since(sent))
	}
	return res, err
}

// CloseIdleConnections is what http.Client asks of its transport, and what without it does nothing.
func (w watched) CloseIdleConnections() {
	if next, ok := w.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}

func (w *Watch) note(r *http.Request, res *http.Response, err error, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.counts == nil {
		w.counts, w.wrong = map[int]int{}, map[string]int{}
	}
	w.slowest = max(w.slowest, took)
	door := r.Method + " " + r.URL.Host
	switch {
	case err != nil:
		w.wrong[fmt.Sprintf("no answer from %s: %v", door, err)]++
		return
	case res.StatusCode >= 500 && res.StatusCode != http.StatusServiceUnavailable:
		w.wrong[fmt.Sprintf("%s answers %d", door, res.StatusCode)]++
	case (res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusTooManyRequests) && res.Header.Get("Retry-After") == "":
		w.wrong[fmt.Sprintf("%s answers %d without Retry-After", door, res.StatusCode)]++
	}
	w.counts[res.StatusCode]++
}
