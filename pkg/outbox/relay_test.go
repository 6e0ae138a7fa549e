package outbox_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/outbox"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	contract "github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
	userv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/user/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bus takes what is published. before, if set, decides what becomes of a publish: an error refuses it.
type bus struct {
	before func(ctx context.Context, topic contract.Topic, messages []event.Message) error

	mu    sync.Mutex
	calls int
	sizes []int
	got   map[contract.Topic][]event.Message
	more  chan struct{}
}

func newBus() *bus {
	return &bus{got: map[contract.Topic][]event.Message{}, more: make(chan struct{}, 1)}
}

func (b *bus) Publish(ctx context.Context, topic contract.Topic, messages []event.Message) error {
	b.mu.Lock()
	b.calls++
	b.mu.Unlock()
	var err error
	if b.before != nil {
		err = b.before(ctx, topic, messages)
	}
	b.mu.Lock()
	if err == nil {
		b.got[topic] = append(b.got[topic], messages...)
		b.sizes = append(b.sizes, len(messages))
	}
	b.mu.Unlock()
	select {
	case b.more <- struct{}{}:
	default:
	}
	return err
}

func (b *bus) count(topic contract.Topic) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.got[topic])
}

// distinct is how many different events were published: what a lost connection leaves in doubt comes again.
func (b *bus) distinct(topic contract.Topic) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := map[string]bool{}
	for _, m := range b.got[topic] {
		ids[m.ID] = true
	}
	return len(ids)
}

// until waits for a condition that changes with a publish.
func (b *bus) until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for !holds() {
		select {
		case <-b.more:
		case <-deadline:
			t.Fatalf("waited 30 s for %s", what)
		}
	}
}

// eventually waits for a condition in the database.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited 30 s for %s", what)
		}
	}
}

// run starts a relay and returns how to end it.
func run(t testing.TB, r *outbox.Relay) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error("Run:", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// add commits n events of a user in one transaction.
func add(t *testing.T, db *postgres.DB, user string, n int) {
	t.Helper()
	if err := tryAdd(t, db, user, n); err != nil {
		t.Error(err)
	}
}

func tryAdd(t *testing.T, db *postgres.DB, user string, n int) error {
	t.Helper()
	return db.Transaction(t.Context(), func(tx *postgres.Tx) error {
		drafts := make([]event.Draft, n)
		for i := range drafts {
			drafts[i] = event.New(contract.TaskCreated, time.Now(), user, event.NewID(), 1, &taskv1.TaskCreated{})
		}
		return tx.Append(drafts...)
	})
}

func depth(t *testing.T, r *outbox.Relay) int64 {
	t.Helper()
	s, err := r.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Depth
}

// sequences are a user's in the order of the first delivery, and whether any came twice.
func sequences(t *testing.T, messages []event.Message, user string) (first []int64, repeated bool) {
	t.Helper()
	seen := map[string]bool{}
	for _, m := range messages {
		e, err := event.Decode(m.Data)
		if err != nil {
			t.Fatal(err)
		}
		if e.ID != m.ID || e.Type != m.Type || e.UserID != m.Key {
			t.Fatalf("message %s %s %s carries event %s %s %s", m.ID, m.Type, m.Key, e.ID, e.Type, e.UserID)
		}
		if m.Key != user {
			continue
		}
		if seen[m.ID] {
			repeated = true
			continue
		}
		seen[m.ID] = true
		first = append(first, e.Sequence)
	}
	return first, repeated
}

func wantInOrder(t *testing.T, messages []event.Message, user string, n int) {
	t.Helper()
	got, _ := sequences(t, messages, user)
	want := make([]int64, n)
	for i := range want {
		want[i] = int64(i + 1)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %d sequences in the order %v, want 1 to %d", user, len(got), got, n)
	}
}

func TestACommitIsPublishedWithoutWaitingForThePoll(t *testing.T) {
	t.Parallel()
	db, b := testkit.OpenPostgres(t), newBus()
	r := outbox.New(db, b, outbox.Options{Poll: time.Hour})
	run(t, r)
	for i := range 20 {
		add(t, db, "ada", 1)
		b.until(t, "the event", func() bool { return b.count(contract.Tasks) > i })
	}
	wantInOrder(t, b.got[contract.Tasks], "ada", 20)
}

func TestWhatAnotherProcessLeftIsFoundByPolling(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	writer, db, b := testkit.OpenPostgresAt(t, url), testkit.OpenPostgresAt(t, url), newBus()
	run(t, outbox.New(db, b, outbox.Options{Poll: 20 * time.Millisecond}))
	add(t, writer, "ada", 3)
	b.until(t, "the events", func() bool { return b.count(contract.Tasks) == 3 })
}

func TestTwoRelaysKeepEveryUsersOrderAndPublishOnce(t *testing.T) {
	t.Parallel()
	url, b := testkit.Postgres(t), newBus()
	var relays []*outbox.Relay
	var dbs []*postgres.DB
	for range 2 {
		db := testkit.OpenPostgresAt(t, url)
		dbs = append(dbs, db)
		r := outbox.New(db, b, outbox.Options{Poll: 20 * time.Millisecond, Batch: 40})
		relays = append(relays, r)
		run(t, r)
	}
	const users, commits, each = 24, 25, 3
	var writers sync.WaitGroup
	for u := range users {
		writers.Go(func() {
			for i := range commits {
				add(t, dbs[(u+i)%2], fmt.Sprint("user ", u), each)
			}
		})
	}
	writers.Wait()
	b.until(t, "all events", func() bool { return b.count(contract.Tasks) >= users*commits*each })
	eventually(t, "an empty outbox", func() bool { return depth(t, relays[0]) == 0 })
	for u := range users {
		user := fmt.Sprint("user ", u)
		wantInOrder(t, b.got[contract.Tasks], user, commits*each)
		if _, repeated := sequences(t, b.got[contract.Tasks], user); repeated {
			t.Errorf("events of %s were published twice though nothing failed", user)
		}
	}
	for i, r := range relays {
		if s, err := r.Stats(t.Context()); err != nil || s.Published == 0 {
			t.Errorf("relay %d published %d (%v): the work is not shared", i, s.Published, err)
		}
	}
}

func TestAFailingBusLosesNothingAndKeepsTheOrder(t *testing.T) {
	t.Parallel()
	db, b := testkit.OpenPostgres(t), newBus()
	var mu sync.Mutex
	n := 0
	b.before = func(_ context.Context, topic contract.Topic, messages []event.Message) error {
		mu.Lock()
		defer mu.Unlock()
		n++
		if n%3 == 0 {
			return nil
		}
		if n%3 == 1 {
			// Delivered, but the answer was lost.
			b.mu.Lock()
			b.got[topic] = append(b.got[topic], messages...)
			b.mu.Unlock()
		}
		return errs.New(errs.Unavailable, "the broker is down")
	}
	r := outbox.New(db, b, outbox.Options{Workers: 1, Batch: 8})
	for range 5 {
		add(t, db, "ada", 5)
		add(t, db, "eve", 5)
	}
	run(t, r)
	eventually(t, "an empty outbox", func() bool { return depth(t, r) == 0 })
	wantInOrder(t, b.got[contract.Tasks], "ada", 25)
	wantInOrder(t, b.got[contract.Tasks], "eve", 25)
	if _, repeated := sequences(t, b.got[contract.Tasks], "ada"); !repeated {
		t.Error("nothing was published again: the test has not tried what it is for")
	}
}

func TestARelayThatDiesBetweenPublishAndCommitIsFollowedByOneThatPublishesAgain(t *testing.T) {
	t.Parallel()
	url, b := testkit.Postgres(t), newBus()
	dying, writer := testkit.OpenPostgresAt(t, url), testkit.OpenPostgresAt(t, url)
	add(t, writer, "ada", 10)
	ctx, die := context.WithCancel(t.Context())
	b.before = func(context.Context, contract.Topic, []event.Message) error {
		die() // the messages are taken, and the transaction never commits
		return nil
	}
	r := outbox.New(dying, b, outbox.Options{})
	if err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if n := depth(t, r); n != 10 || b.count(contract.Tasks) == 0 {
		t.Fatalf("%d events wait and %d were published; want 10 that wait, and some published", n, b.count(contract.Tasks))
	}
	b.before = nil
	next := outbox.New(writer, b, outbox.Options{})
	run(t, next)
	eventually(t, "an empty outbox", func() bool { return depth(t, next) == 0 })
	wantInOrder(t, b.got[contract.Tasks], "ada", 10)
}

func TestABusThatIsDownIsAskedLessAndLessHoweverManyCommit(t *testing.T) {
	t.Parallel()
	db, b := testkit.OpenPostgres(t), newBus()
	b.before = func(context.Context, contract.Topic, []event.Message) error {
		return errs.New(errs.Unavailable, "the broker is down")
	}
	r := outbox.New(db, b, outbox.Options{})
	run(t, r)
	began := time.Now()
	for i := range 300 {
		add(t, db, fmt.Sprint("user ", i), 1)
	}
	b.until(t, "a few attempts", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.calls >= 6 })
	took := time.Since(began)
	b.mu.Lock()
	calls := b.calls
	b.mu.Unlock()
	// Two workers, each after 80 ms at the soonest, then twice that, and so on.
	if limit := 2 * (2 + int(took/(80*time.Millisecond))); calls > limit {
		t.Errorf("asked %d times in %v, at most %d is right", calls, took, limit)
	}
	s, err := r.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Depth != 300 || s.Oldest <= 0 || s.Oldest > time.Since(began)+time.Second || s.LastError != outbox.NoBus || s.LastErrorAt.Before(began) {
		t.Errorf("the stats are %+v", s)
	}
}

func TestAPublishThatHangsIsCutOffAndSaysSo(t *testing.T) {
	t.Parallel()
	db, b := testkit.OpenPostgres(t), newBus()
	b.before = func(ctx context.Context, _ contract.Topic, _ []event.Message) error {
		<-ctx.Done()
		return errs.Because(ctx.Err(), errs.Unavailable, "no answer")
	}
	r := outbox.New(db, b, outbox.Options{Deadline: 50 * time.Millisecond})
	run(t, r)
	add(t, db, "ada", 1)
	eventually(t, "the trouble to show", func() bool {
		s, err := r.Stats(t.Context())
		return err == nil && s.LastError == outbox.TooSlow
	})
}

func TestOneTopicThatFailsDoesNotHaveTheOthersPublishedAgain(t *testing.T) {
	t.Parallel()
	db, b := testkit.OpenPostgres(t), newBus()
	b.before = func(_ context.Context, topic contract.Topic, _ []event.Message) error {
		if topic == contract.Users {
			return errs.New(errs.Denied, "not this topic")
		}
		return nil
	}
	r := outbox.New(db, b, outbox.Options{Workers: 1}) // another could come between the refusal and what becomes of it
	err := db.Transaction(t.Context(), func(tx *postgres.Tx) error {
		return tx.Append(
			event.New(contract.UserCreated, time.Now(), "ada", "ada", 1, &userv1.UserCreated{TimeZone: "UTC"}),
			event.New(contract.TaskCreated, time.Now(), "ada", "t1", 1, &taskv1.TaskCreated{}),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, r)
	b.until(t, "several attempts", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.calls >= 4 })
	if n := b.count(contract.Tasks); n != 1 {
		t.Errorf("the other topic's event was published %d times", n)
	}
	s, err := r.Stats(t.Context())
	if err != nil || s.Depth != 1 || s.LastError != outbox.Refused {
		t.Errorf("the stats are %+v (%v)", s, err)
	}
}

func TestEventsOfOneTopicTravelInBatches(t *testing.T) {
	t.Parallel()
	db, b := testkit.OpenPostgres(t), newBus()
	for u := range 40 {
		add(t, db, fmt.Sprint("user ", u), 50)
	}
	r := outbox.New(db, b, outbox.Options{Workers: 1})
	run(t, r)
	b.until(t, "all events", func() bool { return b.count(contract.Tasks) == 2000 })
	if largest := slices.Max(b.sizes); largest < 300 || largest > 600 {
		t.Errorf("2000 events travelled in batches of %v", b.sizes)
	}
}

func TestADatabaseThatGoesAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	url, b := testkit.Postgres(t), newBus()
	db, other := testkit.OpenPostgresAt(t, url), testkit.OpenPostgresAt(t, url)
	r := outbox.New(db, b, outbox.Options{Poll: 10 * time.Millisecond})
	run(t, r)
	for range 3 {
		testkit.Disconnect(t, url)
		// The writer's connection is cut too, and its next statement may be the one that notices.
		eventually(t, "the writer", func() bool { return tryAdd(t, other, "ada", 1) == nil })
	}
	b.until(t, "the events", func() bool { return b.distinct(contract.Tasks) >= 3 })
	wantInOrder(t, b.got[contract.Tasks], "ada", 3)
}

func TestTheMetricsTellWhatHappened(t *testing.T) {
	t.Parallel()
	db, b, registry := testkit.OpenPostgres(t), newBus(), prometheus.NewPedanticRegistry()
	r := outbox.New(db, b, outbox.Options{Metrics: registry})
	run(t, r)
	add(t, db, "ada", 7)
	value := func(name string) (sum float64) {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == name {
				for _, m := range f.GetMetric() {
					sum += m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
				}
			}
		}
		return sum
	}
	eventually(t, "the counter", func() bool { return value("taskflow_outbox_published_total") == 7 })
	if value("taskflow_outbox_publish_seconds") < 1 {
		t.Error("no latency was observed")
	}
}
