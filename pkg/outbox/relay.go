package outbox

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
)

// Options tune a Relay; zero values mean their defaults.
type Options struct {
	// Workers publish at the same time, of different shards. Default 2, at most 16.
	Workers int
	// Batch is how many events a worker takes at a time, about. Default 500.
	Batch int
	// Poll is how often a worker looks without having been woken, as after a crash of the process that wrote. Jittered.
	// Default 250 ms.
	Poll time.Duration
	// Deadline bounds one publish. Default and maximum 15 s: a transaction is open meanwhile, and Postgres ends one that
	// is silent for 30 s.
	Deadline time.Duration
	// Metrics takes the relay's metrics; nil for none. Two relays need two registerers.
	Metrics prometheus.Registerer
}

const (
	maxDeadline  = 15 * time.Second
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 5 * time.Second
	// again is how soon a worker looks for a shard that somebody else had.
	again = 10 * time.Millisecond
)

// Relay publishes what is in the outbox. It is safe for concurrent use.
type Relay struct {
	db      *postgres.DB
	bus     event.Bus
	o       Options
	metrics metrics

	published atomic.Int64

	mu     sync.Mutex
	last   Trouble
	lastAt time.Time
}

// New makes a Relay; nothing happens before Run.
func New(db *postgres.DB, bus event.Bus, o Options) *Relay {
	if o.Workers <= 0 {
		o.Workers = 2
	}
	o.Workers = min(o.Workers, postgres.Shards)
	if o.Batch <= 0 {
		o.Batch = 500
	}
	if o.Poll <= 0 {
		o.Poll = 250 * time.Millisecond
	}
	if o.Deadline <= 0 || o.Deadline > maxDeadline {
		o.Deadline = maxDeadline
	}
	return &Relay{db: db, bus: bus, o: o, metrics: newMetrics(o.Metrics)}
}

// Run publishes until ctx ends, then returns nil. What is being published at that moment is cut off and published again
// by the next Run. No failure of the database or of the bus ends it.
func (r *Relay) Run(ctx context.Context) error {
	wakes, stop := r.db.Committed()
	defer stop()
	var workers sync.WaitGroup
	for range r.o.Workers {
		workers.Go(func() { r.work(ctx, wakes) })
	}
	workers.Go(func() { r.observe(ctx) })
	workers.Wait()
	return nil
}

// work publishes batch after batch. It rests when there is nothing for it, and longer and longer when something fails;
// a wake does not cut that rest short, or a bus that is down would be asked with every commit.
func (r *Relay) work(ctx context.Context, wakes <-chan struct{}) {
	backoff, look := firstBackoff, again
	for {
		sent, elsewhere, err := r.batch(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.failed(ctx, err)
			if !rest(ctx, jittered(backoff), nil) {
				return
			}
			backoff = min(2*backoff, lastBackoff)
		case sent > 0:
			r.succeeded()
			backoff, look = firstBackoff, again
		case elsewhere:
			r.succeeded()
			// Somebody else has the shards that wait. Soon, but not forever, is the time to look again.
			if !rest(ctx, jittered(look), wakes) {
				return
			}
			look = min(2*look, r.o.Poll)
		default:
			r.succeeded()
			if !rest(ctx, jittered(r.o.Poll), wakes) {
				return
			}
			look = again
		}
	}
}

// rest waits, and reports false when ctx has ended.
func rest(ctx context.Context, d time.Duration, wakes <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-wakes:
	}
	return true
}

// jittered is d give or take a fifth: replicas do not come all at once.
func jittered(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5+1) //nolint:gosec // G404: nobody gains by guessing it
}

// Trouble is what a relay can fail of, in constant words.
type Trouble string

// The troubles.
const (
	NoDatabase Trouble = "the database does not answer"
	NoBus      Trouble = "the bus does not answer"
	TooSlow    Trouble = "the bus did not answer in time"
	Refused    Trouble = "the bus refuses the events"
	Unknown    Trouble = "internal error"
)

func (r *Relay) failed(ctx context.Context, err error) {
	trouble := troubleOf(err)
	r.metrics.failures.WithLabelValues(string(trouble)).Inc()
	r.mu.Lock()
	// Logged when it begins and when it changes, not with every attempt.
	news := r.last != trouble
	r.last, r.lastAt = trouble, time.Now()
	r.mu.Unlock()
	if news {
		slog.WarnContext(ctx, "the outbox is not published", slog.String("status", string(trouble)), slog.String("error", err.Error()))
	}
}

func (r *Relay) succeeded() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.lastAt = "", time.Time{}
}

func (r *Relay) trouble() (Trouble, time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last, r.lastAt
}

func troubleOf(err error) Trouble {
	unavailable := errs.Is(err, errs.Unavailable)
	p, ofBus := errors.AsType[publishError](err)
	switch {
	case !ofBus && unavailable:
		return NoDatabase
	case !ofBus:
		return Unknown
	case p.deadline:
		return TooSlow
	case unavailable:
		return NoBus
	default:
		return Refused
	}
}
