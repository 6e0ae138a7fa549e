package hub

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// notesKept bounds the hints waiting for one follower. The oldest goes first: a later one says more.
const notesKept = 8

// Follower is one connection's place in its user's events. Take and Leave belong to one goroutine.
type Follower[F any] struct {
	hub    *Hub[F]
	userID string
	wake   chan<- struct{}
	// place is where its shard keeps it, guarded by the shard's lock.
	place int

	// last is the sequence of the last event that Take returned, 0 before the place is found. Only Take writes it.
	last atomic.Int64
	// since is where to start, until placed.
	since    int64
	placed   bool
	failures int
	retry    time.Time
	spare    []Entry[F]

	mu sync.Mutex
	// queue holds live events. It is a hint: known is the highest sequence there is to tell, and what the queue does not
	// have comes from the log, so the queue may be dropped at any time.
	queue    []Entry[F]
	known    int64
	notes    []F
	notedSeq int64
	restarts bool
	ended    error
}

// Entry is one event on its way to a follower.
type Entry[F any] struct {
	Sequence int64
	Frame    F
}

// Batch is what a follower is to be told next, in the order of its fields.
type Batch[F any] struct {
	// Hello says that the place was found; Sequence is the current one.
	Hello bool
	// Resync says that what came before Sequence cannot be told any more and that Sequence, the current one, is where the
	// events go on.
	Resync   bool
	Sequence int64
	// Events follow each other without a gap. The slice is valid until the next Take.
	Events []Entry[F]
	// Live says that the events were not read from the log.
	Live bool
	// Notes are hints outside the order.
	Notes []F
	// More says that Take has more to give at once.
	More bool
	// Retry, unless zero, is when Take should be called again although nothing woke the follower: the log did not answer.
	Retry time.Time
}

// Leave ends the following; nothing wakes it any more.
func (f *Follower[F]) Leave() { f.hub.leave(f) }

// Backlog is how many events are known and not yet taken.
func (f *Follower[F]) Backlog() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return max(0, f.known-f.last.Load())
}

func (f *Follower[F]) signal() {
	select {
	case f.wake <- struct{}{}:
	default: // It will look anyway.
	}
}

func (f *Follower[F]) push(sequence int64, frame F) {
	f.mu.Lock()
	f.known = max(f.known, sequence)
	if len(f.queue) < f.hub.opts.Queue {
		f.queue = append(f.queue, Entry[F]{sequence, frame})
	} else {
		clear(f.queue)
		f.queue = f.queue[:0]
		f.hub.counts.overflows.Add(1)
	}
	f.mu.Unlock()
	f.signal()
}

func (f *Follower[F]) note(sequence int64, frame F) {
	f.mu.Lock()
	if sequence > f.notedSeq {
		f.notedSeq = sequence
		if len(f.notes) == notesKept {
			f.notes = append(f.notes[:0], f.notes[1:]...)
		}
		f.notes = append(f.notes, frame)
	}
	f.mu.Unlock()
	f.signal()
}

// announce says that the log has events up to head. It reports whether that is news.
func (f *Follower[F]) announce(head int64) bool {
	f.mu.Lock()
	news := head > f.known && head > f.last.Load()
	f.known = max(f.known, head)
	f.mu.Unlock()
	if news {
		f.signal()
	}
	return news
}

// restart says that the user's log has begun anew and is at head.
func (f *Follower[F]) restart(head int64) {
	f.mu.Lock()
	f.restarts, f.known, f.queue = true, head, nil
	f.mu.Unlock()
	f.signal()
}

func (f *Follower[F]) end(err error) {
	f.mu.Lock()
	if f.ended == nil {
		f.ended = err
	}
	f.mu.Unlock()
	f.signal()
}

// Take puts into b what is to be told next, which may be nothing. It waits for the log if it needs it, a few times
// Options.ReadTimeout at most. The log's failures are not errors: Batch.Retry says when to try again, and live events that
// need no log go on. The only errors are ErrForgotten and the end of ctx.
func (f *Follower[F]) Take(ctx context.Context, b *Batch[F]) error {
	*b = Batch[F]{}
	if !f.placed && !f.find(ctx, b) {
		return f.unplaced(ctx)
	}
	if err := f.live(b); err != nil {
		return err
	}
	last := f.last.Load()
	known := f.knownNow()
	if known <= last || len(b.Events) > 0 || b.Resync {
		// What is in order goes out before the log is asked for the rest.
		b.More = known > last
		if b.More && time.Now().Before(f.retry) {
			// Live events do not shorten the wait for a log that does not answer.
			b.More, b.Retry = false, f.retry
		}
		return nil
	}
	if time.Now().Before(f.retry) {
		b.Retry = f.retry
		return nil
	}
	if err := f.fill(ctx, b, last); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		f.failed(b)
		return nil
	}
	f.failures, f.retry = 0, time.Time{}
	b.More = f.knownNow() > f.last.Load()
	return nil
}

// unplaced is why a follower without a place may not wait for one.
func (f *Follower[F]) unplaced(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended != nil {
		return f.ended
	}
	return context.Cause(ctx)
}

func (f *Follower[F]) knownNow() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known
}

// failed sets the time of the next try: doubling from 100 ms to 5 s, spread so that followers do not ask in step.
func (f *Follower[F]) failed(b *Batch[F]) {
	wait := min(100*time.Millisecond<<min(f.failures, 6), 5*time.Second)
	f.failures++
	f.retry = time.Now().Add(wait/2 + rand.N(wait)) //nolint:gosec // G404: no secret
	b.Retry = f.retry
}

// find asks the log where its user is and puts the follower there. The follower has been registered before, so whatever
// is committed after the answer reaches it as a live event.
func (f *Follower[F]) find(ctx context.Context, b *Batch[F]) bool {
	if time.Now().Before(f.retry) {
		b.Retry = f.retry
		return false
	}
	head, err := f.head(ctx)
	if err != nil {
		f.failed(b)
		return false
	}
	f.failures, f.retry, f.placed = 0, time.Time{}, true
	b.Hello, b.Sequence = true, head
	start := f.since
	if start < 0 {
		start = head
	} else if start > head {
		// The client has seen what this log does not have: it is from another life of the log.
		start, b.Resync = head, true
		f.hub.counts.resyncs.Add(1)
	}
	f.last.Store(start)
	f.mu.Lock()
	f.known = max(f.known, head)
	f.mu.Unlock()
	return true
}

// live moves what continues the order from the queue into the batch. What comes again is dropped; behind a hole
// everything is dropped, for the log has it too.
func (f *Follower[F]) live(b *Batch[F]) error {
	f.mu.Lock()
	if f.ended != nil {
		f.mu.Unlock()
		return f.ended
	}
	queue := f.queue
	// The array of the last batch is used again; what it still points to would otherwise live as long as the follower.
	clear(f.spare[:cap(f.spare)])
	f.queue, f.spare = f.spare[:0], nil
	b.Notes, f.notes = f.notes, nil
	if f.restarts {
		f.restarts = false
		f.last.Store(f.known)
		b.Resync, b.Sequence = true, f.known
		f.hub.counts.resyncs.Add(1)
	}
	f.mu.Unlock()

	last := f.last.Load()
	kept := queue[:0]
	for _, entry := range queue {
		if entry.Sequence <= last {
			f.hub.counts.repeated.Add(1)
			continue
		}
		if entry.Sequence > last+1 {
			f.hub.counts.holes.Add(1)
			break
		}
		kept = append(kept, entry)
		last = entry.Sequence
	}
	f.last.Store(last)
	b.Events, b.Live = kept, len(kept) > 0
	f.spare = queue[:0]
	return nil
}

// fill reads one page behind last from the log.
func (f *Follower[F]) fill(ctx context.Context, b *Batch[F], last int64) error {
	f.hub.counts.fills.Add(1)
	goal := f.knownNow()
	page, err := f.page(ctx, last)
	if err != nil {
		return err
	}
	if len(page) > 0 && page[0].Sequence == last+1 {
		f.append(b, page, last)
		return nil
	}
	head, err := f.head(ctx)
	if err != nil {
		return err
	}
	if len(page) == 0 && head > last {
		// Perhaps the event was committed between the two readings; only what is still not there is gone.
		if page, err = f.page(ctx, last); err != nil {
			return err
		}
	}
	switch {
	case len(page) > 0 && page[0].Sequence == last+1:
		f.append(b, page, last)
	case head == last:
		f.falseAlarm(goal, last)
	default:
		// Either the log has lost what comes next, or it has begun anew below last.
		f.hub.counts.resyncs.Add(1)
		f.last.Store(head)
		b.Resync, b.Sequence = true, head
		f.mu.Lock()
		f.known = head
		f.mu.Unlock()
	}
	return nil
}

// falseAlarm gives up waiting for an event that the log does not have. What is announced is committed, so this was a
// forged or a foreign delivery; if it was not, the regular check finds the event.
func (f *Follower[F]) falseAlarm(goal, last int64) {
	f.hub.counts.falseAlarms.Add(1)
	f.mu.Lock()
	if f.known == goal {
		f.known = last
	}
	f.mu.Unlock()
}

func (f *Follower[F]) append(b *Batch[F], page []Entry[F], last int64) {
	n := 0
	for n < len(page) && page[n].Sequence == last+1 {
		last = page[n].Sequence
		n++
	}
	f.hub.counts.filled.Add(int64(n))
	f.last.Store(last)
	b.Events, b.Live = page[:n], false
}

// page reads what comes behind since.
func (f *Follower[F]) page(ctx context.Context, since int64) ([]Entry[F], error) {
	return read(ctx, f.hub, func(ctx context.Context) ([]Entry[F], error) {
		events, err := f.hub.log.Since(ctx, f.userID, since, f.hub.opts.Page)
		if err != nil {
			return nil, err
		}
		page := make([]Entry[F], len(events))
		for i, e := range events {
			page[i] = Entry[F]{e.Sequence, f.hub.encode(e, false)}
		}
		return page, nil
	})
}

// head asks for the current sequence.
func (f *Follower[F]) head(ctx context.Context) (int64, error) {
	return read(ctx, f.hub, func(ctx context.Context) (int64, error) {
		heads, err := f.hub.log.Heads(ctx, []string{f.userID})
		return heads[f.userID], err
	})
}
