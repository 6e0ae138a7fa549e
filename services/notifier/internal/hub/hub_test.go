package hub_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/hub"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/hub/hubtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheLogInMemoryIsALog(t *testing.T) {
	t.Parallel()
	log := hubtest.NewLog()
	hubtest.Conform(t, log, func(_ *testing.T, userID string, n int) { log.Add(userID, n) })
}

func id(e event.Envelope, _ bool) string { return e.ID }

// client drives a follower the way a door does and keeps what it was told.
type client struct {
	t        *testing.T
	user     string
	follower *hub.Follower[string]
	wake     chan struct{}
	hello    int64
	resyncs  []int64
	last     int64
	told     int
	notes    []string
}

func follow(t *testing.T, h *hub.Hub[string], user string, since int64) *client {
	t.Helper()
	c := &client{t: t, user: user, wake: make(chan struct{}, 1), hello: -1, last: since}
	f, err := h.Follow(user, since, c.wake)
	if err != nil {
		t.Fatal(err)
	}
	c.follower = f
	t.Cleanup(f.Leave)
	return c
}

// take takes once and checks the order.
func (c *client) take() hub.Batch[string] {
	c.t.Helper()
	var b hub.Batch[string]
	if err := c.follower.Take(c.t.Context(), &b); err != nil {
		c.t.Fatal(err)
	}
	if b.Hello {
		c.hello = b.Sequence
		if c.last < 0 {
			c.last = b.Sequence
		}
	}
	if b.Resync {
		c.resyncs = append(c.resyncs, b.Sequence)
		c.last = b.Sequence
	}
	for _, e := range b.Events {
		if e.Sequence != c.last+1 {
			c.t.Fatalf("sequence %d follows %d", e.Sequence, c.last)
		}
		if want := fmt.Sprintf("%s-%d", c.user, e.Sequence); e.Frame != want {
			c.t.Fatalf("frame %s, want %s", e.Frame, want)
		}
		c.last = e.Sequence
		c.told++
	}
	c.notes = append(c.notes, b.Notes...)
	return b
}

// all takes until there is nothing more.
func (c *client) all() {
	c.t.Helper()
	for {
		b := c.take()
		if !b.More && len(b.Events) == 0 {
			return
		}
	}
}

func (c *client) wants(last int64, told int) {
	c.t.Helper()
	if c.last != last || c.told != told {
		c.t.Errorf("%s is at %d after %d events, want %d after %d", c.user, c.last, c.told, last, told)
	}
}

func TestAFollowerWithoutSinceIsToldWhatHappensFromNowOn(t *testing.T) {
	t.Parallel()
	log := hubtest.NewLog()
	h := hub.New(log, id, hub.Options{})
	log.Add("ann", 5)
	c := follow(t, h, "ann", -1)
	c.all()
	if c.hello != 5 {
		t.Errorf("hello at %d, want 5", c.hello)
	}
	for _, e := range log.Add("ann", 3) {
		h.Publish(e)
	}
	c.all()
	c.wants(8, 3)
	if n := h.Counts(); n.Fills != 0 {
		t.Errorf("%d fills for events that came in order", n.Fills)
	}
}

func TestLostRepeatedAndShuffledEventsAreToldOnceAndInOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 7))
			log := hubtest.NewLog()
			h := hub.New(log, id, hub.Options{Queue: 1 + r.IntN(8), Page: 1 + r.IntN(5)})
			c := follow(t, h, "ann", 0)
			var pending []event.Envelope
			for range 300 {
				switch r.IntN(6) {
				case 0, 1:
					pending = append(pending, log.Add("ann", 1+r.IntN(3))...)
				case 2, 3:
					if len(pending) > 0 {
						i := r.IntN(len(pending))
						h.Publish(pending[i])
						if r.IntN(3) > 0 { // Else it comes again.
							pending = append(pending[:i], pending[i+1:]...)
						}
					}
				case 4:
					if len(pending) > 0 { // Lost on the way.
						pending = pending[1:]
					}
				default:
					c.take()
				}
			}
			// One more that arrives reveals everything that was lost before it.
			for _, e := range log.Add("ann", 1) {
				h.Publish(e)
			}
			c.all()
			heads, _ := log.Heads(t.Context(), []string{"ann"})
			c.wants(heads["ann"], int(heads["ann"]))
		})
	}
}

func TestACatchUpIsLongerThanTheQueueWhileEventsGoOn(t *testing.T) {
	t.Parallel()
	log := hubtest.NewLog()
	h := hub.New(log, id, hub.Options{Queue: 64, Page: 500})
	log.Add("ann", 10_000)
	c := follow(t, h, "ann", 0)
	for range 40 {
		for _, e := range log.Add("ann", 100) {
			h.Publish(e)
		}
		c.take()
	}
	c.all()
	c.wants(14_000, 14_000)
	if n := h.Counts(); n.Overflows == 0 || n.Resyncs != 0 {
		t.Errorf("counts %+v: the queue should have overflowed, and nobody started anew", n)
	}
}

func TestNobodyIsToldSomebodyElsesEvents(t *testing.T) {
	t.Parallel()
	log := hubtest.NewLog()
	h := hub.New(log, id, hub.Options{})
	ann, bob := follow(t, h, "ann", 0), follow(t, h, "bob", 0)
	for range 100 {
		for _, user := range []string{"ann", "bob", "eve"} {
			for _, e := range log.Add(user, 1) {
				h.Publish(e)
			}
		}
		ann.all() // It fails on a frame of another user.
	}
	bob.all()
	ann.wants(100, 100)
	bob.wants(100, 100)
}

func TestALogThatDoesNotReachBackMeansAFreshStart(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		since   int64
		prepare func(*hubtest.Log)
		resync  int64
	}{
		"what comes next is pruned":            {3, func(l *hubtest.Log) { l.Prune("ann", 5) }, 10},
		"everything is pruned":                 {3, func(l *hubtest.Log) { l.Prune("ann", 10) }, 10},
		"since is beyond the head":             {11, func(*hubtest.Log) {}, 10},
		"the log began anew and has less":      {8, func(l *hubtest.Log) { l.Forget("ann"); l.Add("ann", 2) }, 2},
		"the log began anew and has nothing":   {8, func(l *hubtest.Log) { l.Forget("ann") }, 0},
		"since is the largest number there is": {1<<63 - 1, func(*hubtest.Log) {}, 10},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := hubtest.NewLog()
			log.Add("ann", 10)
			c.prepare(log)
			h := hub.New(log, id, hub.Options{})
			f := follow(t, h, "ann", c.since)
			f.all()
			if len(f.resyncs) != 1 || f.resyncs[0] != c.resync {
				t.Fatalf("resyncs %v, want one at %d", f.resyncs, c.resync)
			}
			for _, e := range log.Add("ann", 1) {
				h.Publish(e)
			}
			f.all()
			f.wants(c.resync+1, 1)
		})
	}
	t.Run("what was not seen is still there", func(t *testing.T) {
		t.Parallel()
		log := hubtest.NewLog()
		log.Add("ann", 10)
		log.Prune("ann", 5)
		f := follow(t, hub.New(log, id, hub.Options{}), "ann", 5)
		f.all()
		f.wants(10, 5)
		if len(f.resyncs) != 0 {
			t.Errorf("resyncs %v", f.resyncs)
		}
	})
}

// between adds an event of ann after each reading of events, before whatever is asked next.
type between struct{ *hubtest.Log }

func (l between) Since(ctx context.Context, userID string, since int64, limit int) ([]event.Envelope, error) {
	page, err := l.Log.Since(ctx, userID, since, limit)
	l.Add("ann", 1)
	return page, err
}

func TestAnEventCommittedBetweenTwoReadingsIsNoReasonToStartAnew(t *testing.T) {
	t.Parallel()
	log := hubtest.NewLog()
	h := hub.New(between{log}, id, hub.Options{})
	c := follow(t, h, "ann", 0)
	c.all()
	h.Publish(hubtest.Event("ann", 2)) // Announced before the log shows it, which no publisher of ours does.
	c.take()
	c.wants(1, 1)
	if len(c.resyncs) != 0 {
		t.Errorf("resyncs %v", c.resyncs)
	}
}

func TestTheRegularCheckFindsALostLastEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := hubtest.NewLog()
		h := hub.New(log, id, hub.Options{CheckEvery: 30 * time.Second})
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go func() { _ = h.Run(ctx) }()
		c := follow(t, h, "ann", 0)
		c.all()
		log.Add("ann", 1) // No delivery.
		start := time.Now()
		<-c.wake
		if waited := time.Since(start); waited > 45*time.Second {
			t.Errorf("found after %s", waited)
		}
		c.all()
		c.wants(1, 1)
		if n := h.Counts(); n.Found != 1 {
			t.Errorf("counts %+v", n)
		}
		asked := log.Asked()
		<-time.After(5 * time.Minute) // The bubble's time.
		if grew := log.Asked() - asked; grew < 6 || grew > 21 {
			t.Errorf("%d questions in five minutes", grew)
		}
		select {
		case <-c.wake:
			t.Error("woken without anything new")
		default:
		}
		stop()
		synctest.Wait()
	})
}

func TestWhatIsOnItsWayIsNotFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := hubtest.NewLog()
		h := hub.New(log, id, hub.Options{Grace: time.Second})
		c := follow(t, h, "ann", 0)
		c.all()
		events := log.Add("ann", 2)
		time.AfterFunc(900*time.Millisecond, func() {
			for _, e := range events {
				h.Publish(e)
			}
		})
		time.AfterFunc(950*time.Millisecond, func() { c.take() })
		asked := log.Asked()
		if err := h.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		c.wants(2, 2)
		if n := h.Counts(); n.Found != 0 || log.Asked() != asked+1 {
			t.Errorf("found %d, and the log was asked %d times", n.Found, log.Asked()-asked)
		}
	})
}

func TestWhatPassedByIsLookedForAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := hubtest.NewLog()
		h := hub.New(log, id, hub.Options{CheckEvery: time.Hour})
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go func() { _ = h.Run(ctx) }()
		c := follow(t, h, "ann", 0)
		c.all()
		log.Add("ann", 2) // No delivery.
		start := time.Now()
		h.CheckSoon()
		h.CheckSoon() // One that is due already is enough.
		<-c.wake
		if waited := time.Since(start); waited > time.Second {
			t.Errorf("found after %s", waited)
		}
		c.all()
		c.wants(2, 2)
		stop()
		synctest.Wait()
	})
}

func TestTheRegularCheckAsksAboutEverybodyInFewQueries(t *testing.T) {
	t.Parallel()
	log := hubtest.NewLog()
	h := hub.New(log, id, hub.Options{})
	for i := range 2500 {
		follow(t, h, fmt.Sprint("user-", i), 0)
	}
	if err := h.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if log.Asked() != 3 {
		t.Errorf("%d queries for 2,500 users", log.Asked())
	}
}

func TestTheRegularCheckNoticesALogThatBeganAnew(t *testing.T) {
	t.Parallel()
	log := hubtest.NewLog()
	h := hub.New(log, id, hub.Options{})
	log.Add("ann", 10)
	c := follow(t, h, "ann", 0)
	c.all()
	log.Forget("ann")
	log.Add("ann", 3)
	if err := h.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.all()
	if len(c.resyncs) != 1 || c.last != 3 {
		t.Errorf("resyncs %v, at %d", c.resyncs, c.last)
	}
}

func TestWithoutTheDatabaseWhatIsInOrderGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := hubtest.NewLog()
		h := hub.New(log, id, hub.Options{})
		c := follow(t, h, "ann", 0)
		c.all()
		log.Fail(errors.New("down"))
		events := log.Add("ann", 6)
		h.Publish(events[0])
		h.Publish(events[1])
		c.all()
		c.wants(2, 2)

		h.Publish(events[3]) // A hole: 3 is missing.
		retries := 0
		for start := time.Now(); time.Since(start) < time.Minute; retries++ {
			b := c.take()
			if b.Retry.IsZero() || len(b.Events) > 0 {
				t.Fatalf("a batch of %d events, to retry at %s", len(b.Events), b.Retry)
			}
			<-time.After(time.Until(b.Retry)) // The bubble's time.
		}
		if retries > 30 {
			t.Errorf("%d tries in a minute", retries)
		}
		asked := log.Asked()
		for range 100 {
			h.Publish(events[4])
			c.take()
		}
		if log.Asked() > asked+1 {
			t.Errorf("live events made %d more tries", log.Asked()-asked)
		}

		log.Fail(nil)
		for c.last < 6 {
			if b := c.take(); !b.Retry.IsZero() {
				<-time.After(time.Until(b.Retry)) // The bubble's time.
			} else if !b.More && len(b.Events) == 0 {
				t.Fatalf("stuck at %d", c.last)
			}
		}
		c.wants(6, 6)
	})
}

func TestAFollowerWaitsForTheDatabaseToBePlaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := hubtest.NewLog()
		h := hub.New(log, id, hub.Options{})
		log.Add("ann", 3)
		log.Fail(errors.New("down"))
		c := follow(t, h, "ann", 1)
		b := c.take()
		if b.Hello || b.Retry.IsZero() {
			t.Fatalf("a place without a database: %+v", b)
		}
		for _, e := range log.Add("ann", 1) {
			h.Publish(e)
		}
		log.Fail(nil)
		<-time.After(time.Until(b.Retry)) // The bubble's time.
		c.all()
		if c.hello != 4 {
			t.Errorf("hello at %d", c.hello)
		}
		c.wants(4, 3)
	})
}

func TestAnEventTheLogDoesNotHaveIsGivenUp(t *testing.T) {
	t.Parallel()
	log := hubtest.NewLog()
	h := hub.New(log, id, hub.Options{})
	log.Add("ann", 3)
	c := follow(t, h, "ann", 0)
	c.all()
	h.Publish(hubtest.Event("ann", 1<<40))
	c.all()
	asked := log.Asked()
	c.all()
	if log.Asked() != asked {
		t.Error("the log is asked again and again")
	}
	for _, e := range log.Add("ann", 1) {
		h.Publish(e)
	}
	c.all()
	c.wants(4, 4)
	if n := h.Counts(); n.FalseAlarms != 1 {
		t.Errorf("counts %+v", n)
	}
}

func TestAHangingDatabaseHoldsAFollowerNoLongerThanTheTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(hanging{}, id, hub.Options{Reads: 1, ReadTimeout: 5 * time.Second})
		done := make(chan time.Duration, 3)
		start := time.Now()
		for range 3 {
			c := follow(t, h, "ann", 0)
			go func() {
				c.take()
				done <- time.Since(start)
			}()
		}
		for range 3 {
			if took := <-done; took > 5*time.Second {
				t.Errorf("held for %s", took)
			}
		}
	})
}

// hanging is a database that takes connections and never answers.
type hanging struct{}

func (hanging) Since(ctx context.Context, _ string, _ int64, _ int) ([]event.Envelope, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (hanging) Heads(ctx context.Context, _ []string) (map[string]int64, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestHintsOfAnotherTopicAreToldOnceAndStaleOnesNotAtAll(t *testing.T) {
	t.Parallel()
	h := hub.New(hubtest.NewLog(), id, hub.Options{})
	c := follow(t, h, "ann", -1)
	for _, sequence := range []int64{2, 2, 1, 3} {
		h.Tell(hubtest.Event("ann", sequence))
	}
	h.Tell(hubtest.Event("bob", 9))
	c.all()
	c.all()
	if got := fmt.Sprint(c.notes); got != "[ann-2 ann-3]" {
		t.Errorf("told %s", got)
	}
	for i := range int64(1000) {
		h.Tell(hubtest.Event("ann", 10+i))
	}
	c.notes = nil
	c.all()
	if len(c.notes) != 8 || c.notes[7] != "ann-1009" {
		t.Errorf("%d hints kept, the last is %v", len(c.notes), c.notes)
	}
}

func TestAForgottenUsersFollowersEnd(t *testing.T) {
	t.Parallel()
	h := hub.New(hubtest.NewLog(), id, hub.Options{})
	ann, bob := follow(t, h, "ann", -1), follow(t, h, "bob", -1)
	ann.all()
	h.Forget("ann")
	if err := ann.follower.Take(t.Context(), new(hub.Batch[string])); !errors.Is(err, hub.ErrForgotten) {
		t.Errorf("error %v", err)
	}
	bob.all()
}

func TestAUserHasSoManyFollowersAndNoMore(t *testing.T) {
	t.Parallel()
	h := hub.New(hubtest.NewLog(), id, hub.Options{PerUser: 3})
	clients := []*client{follow(t, h, "ann", -1), follow(t, h, "ann", -1), follow(t, h, "ann", -1)}
	if _, err := h.Follow("ann", -1, make(chan struct{}, 1)); !errors.Is(err, hub.ErrFull) {
		t.Errorf("the fourth: %v", err)
	}
	follow(t, h, "bob", -1)
	clients[0].follower.Leave()
	clients[0].follower.Leave() // Twice does no harm.
	c := follow(t, h, "ann", 0)
	h.Publish(hubtest.Event("ann", 1))
	for _, c := range []*client{clients[1], clients[2], c} {
		select {
		case <-c.wake:
		default:
			t.Error("a follower was not woken after another had left")
		}
	}
}

func TestEventsOfUsersWithoutFollowersAreNotEncoded(t *testing.T) {
	t.Parallel()
	encoded := 0
	h := hub.New(hubtest.NewLog(), func(e event.Envelope, _ bool) string { encoded++; return e.ID }, hub.Options{})
	c := follow(t, h, "ann", -1)
	c.follower.Leave()
	h.Publish(hubtest.Event("ann", 1))
	h.Tell(hubtest.Event("ann", 1))
	h.Forget("ann")
	if encoded != 0 {
		t.Errorf("%d events encoded for nobody", encoded)
	}
}

func BenchmarkPublishForNobody(b *testing.B) {
	h := hub.New(hubtest.NewLog(), id, hub.Options{})
	e := hubtest.Event("ann", 1)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			h.Publish(e)
		}
	})
}

func BenchmarkPublishToAThousandFollowersOfOneUser(b *testing.B) {
	h := hub.New(hubtest.NewLog(), id, hub.Options{PerUser: 1000, Queue: 64})
	for range 1000 {
		if _, err := h.Follow("ann", 0, make(chan struct{}, 1)); err != nil {
			b.Fatal(err)
		}
	}
	e := hubtest.Event("ann", 1)
	for b.Loop() {
		h.Publish(e)
	}
}
