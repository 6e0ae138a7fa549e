package telemetry

import (
	"maps"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A Door is where work comes into a process.
type Door string

// The doors whose failures are counted alike. What fails elsewhere has a metric of its own.
const (
	// HTTP is requests that were not answered as asked.
	HTTP Door = "http"
	// Events is deliveries that were not handled.
	Events Door = "events"
)

// kinds are what a failure may be called: those of package errs; limited for who asks too often; and of deliveries panic and
// timeout, of their handlers.
var kinds = map[Door][]string{
	HTTP:   {"internal", "invalid", "not found", "conflict", "stale", "denied", "unavailable", "limited"},
	Events: {"internal", "invalid", "not found", "conflict", "stale", "denied", "unavailable", "panic", "timeout"},
}

var failures = sync.OnceValue(func() *prometheus.CounterVec {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "taskflow_failures_total", Help: "Requests (http) not answered as asked and deliveries (events) not handled, by kind of error.",
	}, []string{"door", "kind"})
	for door, all := range kinds {
		for _, kind := range all {
			vec.WithLabelValues(string(door), kind)
		}
	}
	Metrics().MustRegister(vec)
	return vec
})

// Topic is how the deliveries of one topic go at this process.
type Topic struct {
	// Handled counts events that were handled, since the start.
	Handled int64 `json:"handled"`
	// Age is how old the last of them was then, in seconds, by its writer's clock and this one's; at least 0.
	Age float64 `json:"last_age_seconds"`
	// At is when that was.
	At time.Time `json:"last_handled_at"`
}

// Tally is what this process has counted since its start, small enough to be shown to whoever asks how it is.
type Tally struct {
	// Failures are counted by door and kind; what never failed is not there.
	Failures map[Door]map[string]int64 `json:"failures"`
	// Topics are those of which something was handled.
	Topics map[string]Topic `json:"topics"`
}

var tally = struct {
	sync.Mutex
	Tally
}{Tally: Tally{Failures: map[Door]map[string]int64{}, Topics: map[string]Topic{}}}

// Failed counts a failure by its kind: errs.Kind's word, or one of the door's own.
func Failed(door Door, kind string) {
	failures().WithLabelValues(string(door), kind).Inc()
	tally.Lock()
	defer tally.Unlock()
	if tally.Failures[door] == nil {
		tally.Failures[door] = map[string]int64{}
	}
	tally.Failures[door][kind]++
}

// Handled counts an event of a topic that was handled now. happened is its timestamp; zero if it has none, and then only
// the count changes.
func Handled(topic string, happened time.Time) {
	now := time.Now()
	tally.Lock()
	defer tally.Unlock()
	t := tally.Topics[topic]
	t.Handled++
	t.At = now.UTC()
	if !happened.IsZero() {
		t.Age = max(0, now.Sub(happened).Seconds())
	}
	tally.Topics[topic] = t
}

// Counted is the tally as it is now.
func Counted() Tally {
	tally.Lock()
	defer tally.Unlock()
	now := Tally{Failures: map[Door]map[string]int64{}, Topics: maps.Clone(tally.Topics)}
	for door, counts := range tally.Failures {
		now.Failures[door] = maps.Clone(counts)
	}
	return now
}
