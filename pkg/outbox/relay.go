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
	// Workers publish at the same time, of different shards; all but the first only while there is a backlog. Each keeps a
	// connection of the pool. Default 2, at most 16.
	Workers int
	// Batch is how many events a worker takes at a time, about. Default 500.
	Batch int
	// Poll is how often a worker looks for what others have left there for as long, as after a crash of the process that
	// wrote. What is fresh is left to that process: many relays after the same few events only make small batches of them.
	// Jittered. Default 250 ms.
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
	// backlog gets a value when there is work for more than one worker.
	backlog chan struct{}

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
	return &Relay{db: db, bus: bus, o: o, metrics: newMetrics(o.Metrics), backlog: make(chan struct{}, 1)}
}

// Run publishes until ctx ends, then returns nil. What is being published at that moment is cut off and published again
// by the next Run. No failure of the database or of the bus ends it.
func (r *Relay) Run(ctx context.Context) error {
	wakes, stop := r.db.Committed()
	defer stop()
	var workers sync.WaitGroup
	// The first worker is woken by every commit; its batches grow by themselves with the load. The others are for what it
	// cannot keep up with: batch after batch is cheaper than many workers after the same few events.
	workers.Go(func() { r.work(ctx, wakes) })
	for range r.o.Workers - 1 {
		workers.Go(func() { r.work(ctx, r.backlog) })
	}
	workers.Go(func() { r.observe(ctx) })
	workers.Wait()
	return nil
}

// work publishes until ctx ends, and rests longer and longer when something fails. A wake does not cut that rest short, or a
// bus that is down would be asked with every commit.
func (r *Relay) work(ctx context.Context, wakes <-chan struct{}) {
	backoff := firstBackoff
	for ctx.Err() == nil {
		err := r.db.Pinned(ctx, func(db *postgres.DB) error {
			return r.batches(ctx, db, wakes, func() { backoff = firstBackoff })
		})
		if ctx.Err() != nil {
			return
		}
		r.failed(ctx, err)
		rest(ctx, jittered(backoff), nil)
		backoff = min(2*backoff, lastBackoff)
	}
}

// batches publishes batch after batch, and rests when there is nothing to publish. It ends with the first failure; sent is
// called after each success.
func (r *Relay) batches(ctx context.Context, db *postgres.DB, wakes <-chan struct{}, sent func()) error {
	// mine: something of this process may be there, however fresh; also what an attempt that failed left there.
	look, woken, mine := again, false, true
	for {
		// Who was woken need not ask.
		waits := woken
		if woken {
			mine = true
		} else {
			since := r.o.Poll
			if mine {
				since = 0
			}
			var err error
			if waits, err = db.Waiting(ctx, since); err != nil {
				return err
			}
			mine = mine && waits
		}
		n, pause := 0, r.o.Poll
		if waits {
			var err error
			if n, err = r.batch(ctx, db); err != nil {
				return err
			}
			// Somebody else has the shards that wait. Soon, but not forever, is the time to look again.
			pause = look
			look = min(2*look, r.o.Poll)
		}
		// That somebody else has them says nothing about the bus.
		if n > 0 || !waits {
			r.succeeded()
		}
		woken = false
		if n > 0 {
			sent()
			look = again
			if n >= r.o.Batch/2 {
				r.help()
			}
			continue
		}
		if !waits {
			look = again
		}
		if woken = rest(ctx, jittered(pause), wakes); ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// help wakes another worker.
func (r *Relay) help() {
	select {
	case r.backlog <- struct{}{}:
	default:
	}
}

// rest waits for a time or a wake, and reports whether it was woken.
func rest(ctx context.Context, d time.Duration, wakes <-chan struct{}) (woken bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-wakes:
		return true
	}
	return false
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
