// Package hub knows who follows whose events and what each follower has been told: per follower the sequence only goes
// up by one, without a gap and without a repetition, whatever the broker loses, repeats or reorders.
//
// It owns the places in the users' logs and the decision between a live event, the log and a fresh start. It knows no
// socket and no frame: a door gives it a function that turns an event into what the door sends. It keeps nothing that
// another replica would need; all it cannot prove from what it has seen it reads from the log.
package hub

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
)

// Log is the users' kept events on the topic that is followed.
type Log interface {
	// Since returns up to limit of a user's events with a sequence above since, in order, and nothing if there are none.
	// An event that was committed before the call is in it.
	Since(ctx context.Context, userID string, since int64, limit int) ([]event.Envelope, error)
	// Heads returns the current sequence of each of the users. One without events is 0 or missing.
	Heads(ctx context.Context, userIDs []string) (map[string]int64, error)
}

// Encode makes of an event what the door sends. It is called once per event and user; shared says that several followers
// will get the result. It must not fail: what it cannot read it leaves out, or the follower could never pass the event.
type Encode[F any] func(e event.Envelope, shared bool) F

// Options bound the hub. Each field that is zero is set to the value its comment names.
type Options struct {
	// Queue is how many live events wait for one follower (64). What does not fit is read from the log instead.
	Queue int
	// Page is how many events are read from the log at once (500).
	Page int
	// Reads is how many followers read from the log at the same time (16): after a restart everybody comes back at once.
	Reads int
	// ReadTimeout bounds one reading, with the wait for its turn (5 s).
	ReadTimeout time.Duration
	// PerUser is how many followers one user may have (100).
	PerUser int
	// CheckEvery is about how often every follower's place is compared with the log (10 s). It bounds the delay of an
	// event that the broker lost and that no later one of the same user reveals.
	CheckEvery time.Duration
	// Grace is how long the regular check gives events that the log has to come by themselves (1 s): what was committed a
	// moment ago is on its way, not lost.
	Grace time.Duration
}

func (o Options) filled() Options {
	set := func(v *int, to int) {
		if *v <= 0 {
			*v = to
		}
	}
	wait := func(v *time.Duration, to time.Duration) {
		if *v <= 0 {
			*v = to
		}
	}
	set(&o.Queue, 64)
	set(&o.Page, 500)
	set(&o.Reads, 16)
	wait(&o.ReadTimeout, 5*time.Second)
	set(&o.PerUser, 100)
	wait(&o.CheckEvery, 10*time.Second)
	wait(&o.Grace, time.Second)
	return o
}

var (
	// ErrFull refuses a follower of a user who has Options.PerUser of them.
	ErrFull = errs.New(errs.Conflict, "this user has too many connections")
	// ErrForgotten ends the followers of a user whose account was deleted.
	ErrForgotten = errs.New(errs.NotFound, "this account was deleted")
)

// shards keep users apart, so that one user's thousand followers hold nobody else up. A power of two.
const shards = 64

// Hub hands each user's events to the user's followers. F is what a door sends for one event.
type Hub[F any] struct {
	log    Log
	encode Encode[F]
	opts   Options
	seed   maphash.Seed
	reads  chan struct{}
	soon   chan struct{}
	shards [shards]shard[F]
	counts counts
}

type shard[F any] struct {
	mu    sync.RWMutex
	users map[string][]*Follower[F]
}

// counts are what the hub tells in Counts, as they grow.
type counts struct{ fills, filled, holes, repeated, overflows, falseAlarms, resyncs, found atomic.Int64 }

// Counts say how events reached the followers, since the start.
type Counts struct {
	// Fills are readings of the log, Filled the events they brought.
	Fills, Filled int64
	// Holes are events that came before one that should have come first, Repeated those that came again.
	Holes, Repeated int64
	// Overflows are times a full queue was given up for the log.
	Overflows int64
	// FalseAlarms are events that were announced and that the log does not have.
	FalseAlarms int64
	// Resyncs are followers whose place the log no longer reaches.
	Resyncs int64
	// Found are followers that had missed something only the regular check revealed.
	Found int64
}

// New makes a hub without followers. Run must run for the regular check.
func New[F any](log Log, encode Encode[F], opts Options) *Hub[F] {
	opts = opts.filled()
	h := &Hub[F]{
		log: log, encode: encode, opts: opts,
		seed: maphash.MakeSeed(), soon: make(chan struct{}, 1), reads: make(chan struct{}, opts.Reads),
	}
	for i := range h.shards {
		h.shards[i].users = map[string][]*Follower[F]{}
	}
	return h
}

func (h *Hub[F]) shard(userID string) *shard[F] {
	return &h.shards[maphash.String(h.seed, userID)&(shards-1)]
}

// Publish hands an event of the followed topic to the user's followers and never waits for them. Without any it costs a
// look into a map.
func (h *Hub[F]) Publish(e event.Envelope) {
	s := h.shard(e.UserID)
	s.mu.RLock()
	defer s.mu.RUnlock()
	followers := s.users[e.UserID]
	if len(followers) == 0 {
		return
	}
	frame := h.encode(e, len(followers) > 1)
	for _, f := range followers {
		f.push(e.Sequence, frame)
	}
}

// Tell hands the user's followers an event of another topic: a hint outside the followed order, given as it comes, older
// ones than the last told left out.
func (h *Hub[F]) Tell(e event.Envelope) {
	s := h.shard(e.UserID)
	s.mu.RLock()
	defer s.mu.RUnlock()
	followers := s.users[e.UserID]
	if len(followers) == 0 {
		return
	}
	frame := h.encode(e, len(followers) > 1)
	for _, f := range followers {
		f.note(e.Sequence, frame)
	}
}

// Forget ends all followers of a user with ErrForgotten.
func (h *Hub[F]) Forget(userID string) {
	s := h.shard(userID)
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, f := range s.users[userID] {
		f.end(ErrForgotten)
	}
}

// Follow starts a follower of a user's events: behind the sequence since, or, if since is negative, behind whatever the
// current one is when the log first answers. From now on wake gets a value, if it has room, whenever Take has something
// new. Leave must be called. ErrFull if the user has too many.
func (h *Hub[F]) Follow(userID string, since int64, wake chan<- struct{}) (*Follower[F], error) {
	f := &Follower[F]{hub: h, userID: userID, wake: wake, since: since}
	s := h.shard(userID)
	s.mu.Lock()
	defer s.mu.Unlock()
	followers := s.users[userID]
	if len(followers) >= h.opts.PerUser {
		return nil, ErrFull
	}
	f.place = len(followers)
	s.users[userID] = append(followers, f)
	return f, nil
}

func (h *Hub[F]) leave(f *Follower[F]) {
	s := h.shard(f.userID)
	s.mu.Lock()
	defer s.mu.Unlock()
	followers := s.users[f.userID]
	if f.place >= len(followers) || followers[f.place] != f {
		return
	}
	last := len(followers) - 1
	followers[f.place] = followers[last]
	followers[f.place].place = f.place
	followers[last] = nil
	if last == 0 {
		delete(s.users, f.userID)
		return
	}
	s.users[f.userID] = followers[:last]
}

// Counts are the counters as of now.
func (h *Hub[F]) Counts() Counts {
	c := &h.counts
	return Counts{
		Fills: c.fills.Load(), Filled: c.filled.Load(), Holes: c.holes.Load(), Repeated: c.repeated.Load(),
		Overflows: c.overflows.Load(), FalseAlarms: c.falseAlarms.Load(), Resyncs: c.resyncs.Load(),
		Found: c.found.Load(),
	}
}

// CheckSoon has Run compare every follower's place with the log now, because events may have passed by. It does not wait.
func (h *Hub[F]) CheckSoon() {
	select {
	case h.soon <- struct{}{}:
	default: // it is about to
	}
}

// Run compares every follower's place with the log from time to time until ctx ends. It returns nil then.
func (h *Hub[F]) Run(ctx context.Context) error {
	reachable := true
	for {
		// Replicas that were started together do not ask together.
		wait := h.opts.CheckEvery/2 + rand.N(h.opts.CheckEvery) //nolint:gosec // G404: no secret
		wait -= min(h.opts.Grace, h.opts.CheckEvery/2)          // which is waited for too
		timer, grace := time.NewTimer(wait), h.opts.Grace
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-h.soon: // somebody knows that something passed by
			timer.Stop()
			grace = 0
		case <-timer.C:
		}
		err := h.check(ctx, grace)
		if err != nil && reachable && ctx.Err() == nil {
			slog.WarnContext(ctx, "followers cannot be compared with the event log", "error", err.Error())
		}
		reachable = err == nil
	}
}

// checkAtOnce is how many users' sequences are asked for in one query.
const checkAtOnce = 1000

// Check compares every follower's place with the log once and wakes those who have missed something and still do after
// Options.Grace.
func (h *Hub[F]) Check(ctx context.Context) error { return h.check(ctx, h.opts.Grace) }

func (h *Hub[F]) check(ctx context.Context, grace time.Duration) error {
	// The places are noted before the log is asked: what a follower has been told by then was committed, so a log that
	// says less afterwards has started anew.
	told := map[string]int64{}
	for i := range h.shards {
		s := &h.shards[i]
		s.mu.RLock()
		for userID, followers := range s.users {
			for _, f := range followers {
				told[userID] = max(told[userID], f.last.Load())
			}
		}
		s.mu.RUnlock()
	}
	behind := map[string]int64{}
	batch := make([]string, 0, min(len(told), checkAtOnce))
	ask := func() error {
		if len(batch) == 0 {
			return nil
		}
		ctx, cancel := context.WithTimeout(ctx, h.opts.ReadTimeout)
		defer cancel()
		heads, err := h.log.Heads(ctx, batch)
		if err != nil {
			return err
		}
		for _, userID := range batch {
			if h.compare(userID, heads[userID], told[userID]) {
				behind[userID] = heads[userID]
			}
		}
		batch = batch[:0]
		return nil
	}
	for userID := range told {
		if batch = append(batch, userID); len(batch) == checkAtOnce {
			if err := ask(); err != nil {
				return err
			}
		}
	}
	if err := ask(); err != nil || len(behind) == 0 {
		return err
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil
	case <-h.soon:
		h.CheckSoon() // what is behind is told at once, and the next check follows at once
	case <-timer.C:
	}
	for userID, head := range behind {
		h.announce(userID, head)
	}
	return nil
}

// compare reports whether one of a user's followers is behind the log's head. All start anew if the log did: it is behind
// what they were told.
func (h *Hub[F]) compare(userID string, head, told int64) (behind bool) {
	s := h.shard(userID)
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, f := range s.users[userID] {
		if head < told {
			f.restart(head)
		} else if f.last.Load() < head {
			behind = true
		}
	}
	return behind
}

// announce wakes those of a user's followers who have not come to head.
func (h *Hub[F]) announce(userID string, head int64) {
	s := h.shard(userID)
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, f := range s.users[userID] {
		if f.announce(head) {
			h.counts.found.Add(1)
		}
	}
}

// read runs one reading of the log within the bounds on time and number. Waiting for its turn is part of the time: a
// follower in the queue of a database that does not answer would not notice anything else.
//
// The reading has a goroutine of its own, because a query takes a deep stack, and a follower's goroutine, which lives for
// hours, would keep it: with ten thousand connections that is 60 MB for nothing.
func read[F, T any](ctx context.Context, h *Hub[F], ask func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, h.opts.ReadTimeout)
	defer cancel()
	var none T
	select {
	case h.reads <- struct{}{}:
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
	type answer struct {
		value T
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		defer func() { <-h.reads }()
		defer func() {
			if p := recover(); p != nil {
				answered <- answer{err: fmt.Errorf("panic while reading the event log: %v\n%s", p, debug.Stack())}
			}
		}()
		value, err := ask(ctx)
		answered <- answer{value, err}
	}()
	select {
	case a := <-answered:
		return a.value, a.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}
