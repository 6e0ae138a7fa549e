package due_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/scheduler/internal/due"
	"github.com/taskflow-suite/taskflow/services/scheduler/internal/topics"
)

// diary is users with their tasks in a real database, by a clock.
type diary struct {
	t     *testing.T
	url   string
	clock *clock
	store *taskstore.Store
	tasks *task.Service
}

func newDiary(t *testing.T) *diary {
	t.Helper()
	d := &diary{t: t, url: testkit.Postgres(t), clock: newClock(monday)}
	d.store = taskstore.New(testkit.OpenPostgresAt(t, d.url))
	d.tasks = task.NewService(d.store, d.clock.Now)
	return d
}

func (d *diary) add(user string, fields ...task.Fields) {
	d.t.Helper()
	if _, _, err := d.tasks.Create(d.t.Context(), user, task.Idempotency{}, nil, fields...); err != nil {
		d.t.Fatal(err)
	}
}

func daily(title string, catchUp task.CatchUp) task.Fields {
	return task.Fields{Title: title, Due: task.Due{At: monday}, Recurrence: &task.Recurrence{Rule: "FREQ=DAILY", CatchUp: catchUp}}
}

// loop is one more replica's.
func (d *diary) loop(o due.Options) *due.Loop {
	d.t.Helper()
	o.Clock = d.clock
	return due.New(taskstore.New(testkit.OpenPostgresAt(d.t, d.url)), o)
}

// announced are a user's announcements, in order.
func (d *diary) announced(user string) []event.Envelope {
	d.t.Helper()
	all, _, err := d.store.Events(d.t.Context(), task.EventQuery{UserID: user, Topic: proto.Scheduling, Limit: 1000})
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

// handle acts on a user's announcements from the n-th on and returns how many there are.
func (d *diary) handle(user string, n int) int {
	d.t.Helper()
	router := event.NewRouter()
	topics.Register(router, topics.Options{Store: d.store, Now: d.clock.Now})
	all := d.announced(user)
	for _, e := range all[n:] {
		if err := router.Handle(d.t.Context(), event.Meta{Envelope: e, Topic: proto.Scheduling}); err != nil {
			d.t.Fatal(err)
		}
	}
	return len(all)
}

// days are those on which a user's tasks of a title are due.
func (d *diary) days(user, title string) (all []int) {
	d.t.Helper()
	page, err := d.tasks.List(d.t.Context(), user, task.Query{Text: title, Order: task.ByDue, Limit: task.MaxPage})
	if err != nil {
		d.t.Fatal(err)
	}
	for _, t := range page.Tasks {
		all = append(all, t.Due.At.Day())
	}
	return all
}

func TestAfterAWeekAwayItCatchesUpWithinBoundsAndBackwardsDoesNothingTwice(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	d.add("ann", daily("latest", task.Latest), daily("every", task.All), daily("none", task.PassOver),
		task.Fields{Title: "Tea", RemindAt: []time.Time{monday.Add(time.Hour)}})
	w := begin(t, d.clock, d.loop(due.Options{}))
	if got := w.rests(); got != time.Second || len(d.announced("ann")) != 0 {
		t.Fatalf("before anything is due it rests for %v, having announced %v", got, d.announced("ann"))
	}
	later := monday.AddDate(0, 0, 7).Add(time.Minute)
	w.wakes(later)
	w.rests()
	n := d.handle("ann", 0)
	if n != 4 {
		t.Errorf("announced %d times", n)
	}
	check := func(when string) {
		t.Helper()
		for title, want := range map[string][]int{"latest": {23, 30}, "every": {23, 24, 25, 26, 27, 28, 29, 30}, "none": {23, 30}} {
			if got := d.days("ann", title); !slices.Equal(got, want) {
				t.Errorf("%s, %s is due on %v, want %v", when, title, got, want)
			}
		}
	}
	check("after a week")

	// Back, and then to where it was: nothing of it comes again.
	for _, now := range []time.Time{monday, monday.AddDate(0, 0, 3), later} {
		w.wakes(now)
		if got := w.rests(); got > time.Second {
			t.Errorf("on %v it rests for %v", now, got)
		}
		if n = d.handle("ann", n); n != 4 {
			t.Errorf("on %v there are %d announcements", now, n)
		}
	}
	check("after a way back")
}

func TestAnAnnouncementThatIsLostIsMadeAgain(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	d.add("ann", daily("milk", task.Latest))
	w := begin(t, d.clock, d.loop(due.Options{}))
	w.rests()
	tuesday := monday.AddDate(0, 0, 1)
	for i, c := range []struct {
		at        time.Time
		announced int
	}{
		{tuesday.Add(-time.Millisecond), 0},
		{tuesday, 1},
		{tuesday.Add(time.Minute), 1},
		{tuesday.Add(task.ClaimLease), 2},
		{tuesday.Add(task.ClaimLease + time.Minute), 2},
	} {
		w.wakes(c.at)
		w.rests()
		if got := len(d.announced("ann")); got != c.announced {
			t.Errorf("%d: at %v there are %d announcements, want %d", i, c.at, got, c.announced)
		}
	}
	d.handle("ann", 0)
	w.wakes(tuesday.Add(2 * task.ClaimLease))
	w.rests()
	if got := d.announced("ann"); len(got) != 2 {
		t.Errorf("what was done is announced again: %v", got)
	}
	if got := d.days("ann", "milk"); !slices.Equal(got, []int{23, 24}) {
		t.Errorf("due on %v", got)
	}
}

func TestReplicasAnnounceEverythingOnceBetweenThem(t *testing.T) {
	t.Parallel()
	const users, each = 15, 20
	d := newDiary(t)
	for u := range users {
		var all []task.Fields
		for i := range each {
			all = append(all, daily(fmt.Sprint("task ", i), task.Latest))
		}
		d.add(fmt.Sprint("user", u), all...)
	}
	d.clock.set(monday.AddDate(0, 0, 1))
	var registries []*prometheus.Registry
	replicas := make([]*work, 3)
	for i := range replicas {
		registries = append(registries, prometheus.NewPedanticRegistry())
		replicas[i] = begin(t, d.clock, d.loop(due.Options{Portion: 7, Metrics: registries[i]}))
	}
	claimed := func() (sum float64) {
		for _, r := range registries {
			sum += value(t, r, "taskflow_scheduler_claimed_total", due.Recurrence)
		}
		return sum
	}
	for rests := 0; claimed() < users*each && rests < 1000; rests++ {
		replicas[0].rests() // whichever does
		replicas[0].wakes(d.clock.Now())
	}
	for range replicas {
		replicas[0].rests()
	}
	if got := claimed(); got != users*each {
		t.Errorf("%v were claimed", got)
	}
	for u := range users {
		seen := map[string]bool{}
		for _, e := range d.announced(fmt.Sprint("user", u)) {
			if seen[e.AggregateID] {
				t.Errorf("%s was announced twice", e.AggregateID)
			}
			seen[e.AggregateID] = true
		}
		if len(seen) != each {
			t.Errorf("%d of %d were announced", len(seen), each)
		}
	}
}

func TestNoMoreIsAnnouncedThanIsActedOnInTime(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	for i := range 9 {
		d.add("ann", daily(fmt.Sprint("task ", i), task.Latest))
	}
	d.add("ann", task.Fields{Title: "Tea", RemindAt: []time.Time{monday.Add(time.Hour)}})
	tuesday := monday.AddDate(0, 0, 1)
	d.clock.set(tuesday)
	const portion, most = 2, 5
	w := begin(t, d.clock, d.loop(due.Options{Portion: portion, Room: func(ctx context.Context, backlog bool) (bool, error) {
		claimed, err := d.store.Claimed(ctx, d.clock.Now(), most)
		return claimed < most || !backlog, err
	}}))
	handled := 0
	for i, c := range []struct {
		handle    bool
		announced int
	}{
		{false, 5}, // two portions of series, and the reminder
		{false, 5}, // nobody acted on them
		{true, 10}, // and now all the others
		{true, 10},
	} {
		if c.handle {
			handled = d.handle("ann", handled)
		}
		if i > 0 {
			w.wakes(tuesday)
		}
		w.rests()
		if got := len(d.announced("ann")); got != c.announced {
			t.Errorf("%d: %d are announced, want %d", i, got, c.announced)
		}
	}
}
