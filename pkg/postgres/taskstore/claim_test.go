package taskstore_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	contract "github.com/taskflow-suite/taskflow/proto"
)

var tomorrow = start.AddDate(0, 0, 1)

// daily is a task that repeats every day from start on.
func daily(user string) task.Task {
	return fresh(user, task.Fields{Title: "every day", Due: task.Due{At: start}, Recurrence: &task.Recurrence{Rule: "FREQ=DAILY", Anchor: task.OnSchedule, TimeZone: "UTC"}})
}

// reminded is a task whose reminders ring a number of minutes before a day from start.
func reminded(user string, minutes ...int) task.Task {
	return fresh(user, task.Fields{Title: "reminded", Due: task.Due{At: tomorrow}, Reminders: minutes})
}

func (s agenda) all(t *testing.T, userID string, topic contract.Topic) []event.Envelope {
	t.Helper()
	events, head, err := s.Events(t.Context(), task.EventQuery{UserID: userID, Topic: topic, Limit: 1000})
	must(t, err)
	if head != int64(len(events)) && len(events) < 1000 {
		t.Errorf("%s has %d events on %s, up to %d", userID, len(events), topic, head)
	}
	return events
}

// agenda is a store with the words the tests of claims are written in.
type agenda struct {
	*taskstore.Store
	url string
}

func newAgenda(t *testing.T) agenda {
	t.Helper()
	url := testkit.Postgres(t)
	return agenda{taskstore.New(testkit.OpenPostgresAt(t, url)), url}
}

func (s agenda) make(t *testing.T, tasks ...task.Task) {
	t.Helper()
	must(t, s.Create(t.Context(), tasks[0].UserID, task.Idempotency{}, tasks...))
}

func (s agenda) claim(t *testing.T, now time.Time) (series, alarms int) {
	t.Helper()
	series, err := s.ClaimSeries(t.Context(), now, 100)
	must(t, err)
	alarms, err = s.ClaimAlarms(t.Context(), now, 100)
	must(t, err)
	return series, alarms
}

func (s agenda) at(now time.Time) *task.Service {
	return task.NewService(s.Store, func() time.Time { return now })
}

func TestOfEightClaimersEachDueOneIsClaimedByOne(t *testing.T) {
	t.Parallel()
	s := newAgenda(t)
	const users, each = 5, 60
	for u := range users {
		var tasks []task.Task
		for range each {
			tasks = append(tasks, daily(fmt.Sprint("user ", u)))
		}
		s.make(t, tasks...)
		var more []task.Task
		for range each {
			more = append(more, reminded(fmt.Sprint("user ", u), 0))
		}
		s.make(t, more...)
	}
	now := tomorrow
	var series, alarms atomic.Int64
	var crowd sync.WaitGroup
	for range 8 {
		crowd.Go(func() {
			for _, claim := range []struct {
				claim func(context.Context, time.Time, int) (int, error)
				total *atomic.Int64
			}{{s.ClaimSeries, &series}, {s.ClaimAlarms, &alarms}} {
				for {
					n, err := claim.claim(t.Context(), now, 7)
					if err != nil {
						t.Error(err)
					}
					claim.total.Add(int64(n))
					if n == 0 {
						break
					}
				}
			}
		})
	}
	crowd.Wait()
	if series.Load() != users*each || alarms.Load() != users*each {
		t.Errorf("%d series and %d alarms were claimed, of %d each", series.Load(), alarms.Load(), users*each)
	}
	for u := range users {
		seen := map[string]bool{}
		for _, e := range s.all(t, fmt.Sprint("user ", u), contract.Scheduling) {
			if e.Version != 1 || seen[e.AggregateID] {
				t.Errorf("%s of %s is announced again, as version %d", e.Type, e.AggregateID, e.Version)
			}
			seen[e.AggregateID] = true
		}
		if len(seen) != 2*each {
			t.Errorf("user %d has %d triggers", u, len(seen))
		}
	}
}

func TestWhatIsClaimedAndNotActedOnCanBeClaimedAgainAfterTheLease(t *testing.T) {
	t.Parallel()
	s := newAgenda(t)
	s.make(t, daily("ada"), reminded("ada", 0))
	now := tomorrow
	if next, err := s.NextDue(t.Context()); err != nil || !next.Equal(now) {
		t.Errorf("the next is due at %v: %v", next, err)
	}
	if series, alarms := s.claim(t, now.Add(-time.Millisecond)); series+alarms != 0 {
		t.Errorf("%d series and %d alarms are claimed before their time", series, alarms)
	}
	for n, at := range []time.Time{now, now.Add(task.ClaimLease), now.Add(2 * task.ClaimLease)} {
		if series, alarms := s.claim(t, at); series != 1 || alarms != 1 {
			t.Errorf("claim %d: %d series and %d alarms", n, series, alarms)
		}
		if series, alarms := s.claim(t, at.Add(task.ClaimLease-time.Millisecond)); series+alarms != 0 {
			t.Errorf("claim %d: before the end of the lease there are %d series and %d alarms", n, series, alarms)
		}
		if next, err := s.NextDue(t.Context()); err != nil || !next.Equal(at.Add(task.ClaimLease)) {
			t.Errorf("claim %d: the next is due at %v: %v", n, next, err)
		}
		if waiting, err := s.Claimed(t.Context(), at, 10); err != nil || waiting != 2 {
			t.Errorf("claim %d: %d claims last: %v", n, waiting, err)
		}
		if b, err := s.Backlog(t.Context(), at); err != nil || b.Series != 1 || b.Alarms != 1 || !b.Oldest.Equal(now) {
			t.Errorf("claim %d: the backlog is %+v: %v", n, b, err)
		}
	}
	if waiting, err := s.Claimed(t.Context(), now.Add(3*task.ClaimLease), 10); err != nil || waiting != 0 {
		t.Errorf("%d claims last after their end: %v", waiting, err)
	}
	var triggers []string
	for _, e := range s.all(t, "ada", contract.Scheduling) {
		triggers = append(triggers, fmt.Sprint(e.Type, " ", e.Version))
	}
	want := "[recurrence.due 1 reminder.due 1 recurrence.due 2 reminder.due 2 recurrence.due 3 reminder.due 3]"
	if fmt.Sprint(triggers) != want {
		t.Errorf("the triggers are %v", triggers)
	}
}

func TestAClaimedSeriesThatWasAdvancedIsClaimedWhenTheNextIsDue(t *testing.T) {
	t.Parallel()
	s := newAgenda(t)
	made := daily("ada")
	s.make(t, made)
	for day := 1; day <= 3; day++ {
		now := start.AddDate(0, 0, day)
		if n, _ := s.claim(t, now); n != 1 {
			t.Errorf("day %d: %d were claimed", day, n)
		}
		did, err := s.at(now).Spawn(t.Context(), "ada", made.Occurrence.SeriesID, task.Cause{At: now})
		must(t, err)
		if len(did.Made) != 1 {
			t.Errorf("day %d: %d were made", day, len(did.Made))
		}
		if next, err := s.NextDue(t.Context()); err != nil || !next.Equal(now.AddDate(0, 0, 1)) {
			t.Errorf("day %d: the next is due at %v: %v", day, next, err)
		}
		if b, err := s.Backlog(t.Context(), now); err != nil || b != (task.Backlog{}) {
			t.Errorf("day %d: the backlog is %+v: %v", day, b, err)
		}
	}
	for n, e := range s.all(t, "ada", contract.Scheduling) {
		if e.Version != n+1 {
			t.Errorf("trigger %d has version %d", n+1, e.Version)
		}
	}
}

func TestNothingIsDueWithoutSeriesAndAlarms(t *testing.T) {
	t.Parallel()
	s := newAgenda(t)
	s.make(t, fresh("ada", task.Fields{Title: "plain", Due: task.Due{At: start}}))
	next, err := s.NextDue(t.Context())
	must(t, err)
	b, err := s.Backlog(t.Context(), start.AddDate(1, 0, 0))
	must(t, err)
	if !next.IsZero() || b != (task.Backlog{}) {
		t.Errorf("the next is due at %v, the backlog is %+v", next, b)
	}
}

func TestWhatTheBacklogCountsIsWhatIsDue(t *testing.T) {
	t.Parallel()
	s := newAgenda(t)
	// Within the lease from now, but not due.
	soon := fresh("ada", task.Fields{Title: "soon", RemindAt: []time.Time{tomorrow.Add(time.Minute)}})
	s.make(t, daily("ada"), reminded("ada", 0, 30), soon)
	b, err := s.Backlog(t.Context(), tomorrow)
	must(t, err)
	if b.Series != 1 || b.Alarms != 2 || !b.Oldest.Equal(tomorrow.Add(-30*time.Minute)) {
		t.Errorf("the backlog is %+v", b)
	}
}

func TestOfAUserForgottenWhileClaimedNothingIsLeft(t *testing.T) {
	t.Parallel()
	s := newAgenda(t)
	now := tomorrow
	var users sync.WaitGroup
	stop := make(chan struct{})
	var claimers sync.WaitGroup
	for range 3 {
		claimers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := s.ClaimSeries(t.Context(), now, 20); err != nil {
					t.Error(err)
				}
				if _, err := s.ClaimAlarms(t.Context(), now, 20); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for u := range 6 {
		users.Go(func() {
			user := fmt.Sprint("user ", u)
			for range 10 {
				for range 3 {
					if err := s.Create(t.Context(), user, task.Idempotency{}, daily(user), reminded(user, 0)); err != nil {
						t.Error(err)
					}
				}
				if err := s.Forget(t.Context(), user, now); err != nil {
					t.Error(err)
				}
			}
		})
	}
	users.Wait()
	close(stop)
	claimers.Wait()
	for u := range 6 {
		user := fmt.Sprint("user ", u)
		events, _, err := s.Events(t.Context(), task.EventQuery{UserID: user, Topic: contract.Scheduling, Limit: 1000})
		must(t, err)
		if len(events) != 0 {
			t.Errorf("%s is gone, but has %d triggers", user, len(events))
		}
	}
	if b, err := s.Backlog(t.Context(), now.AddDate(1, 0, 0)); err != nil || b != (task.Backlog{}) {
		t.Errorf("everybody is gone, but the backlog is %+v: %v", b, err)
	}
}

func TestATriggerOfAUserWhoIsGoneOrOfWhatIsGoneDoesNothing(t *testing.T) {
	t.Parallel()
	s := newAgenda(t)
	made := daily("ada")
	s.make(t, made, reminded("ada", 0))
	now := tomorrow
	s.claim(t, now)
	triggers := s.all(t, "ada", contract.Scheduling)
	must(t, s.Forget(t.Context(), "ada", now))
	if len(triggers) != 2 {
		t.Fatalf("there are %d triggers", len(triggers))
	}
	advance := func() error {
		_, err := s.Advance(t.Context(), "ada", made.Occurrence.SeriesID, func(*task.Series, task.Profile) ([]task.Task, error) {
			t.Error("a series that is gone is advanced")
			return nil, nil
		})
		return err
	}
	ring := func() error {
		return s.Ring(t.Context(), "ada", triggers[1].AggregateID, func(*task.Task, task.Alarm) error {
			t.Error("an alarm that is gone rings")
			return nil
		})
	}
	known := func() error {
		return s.WithinKnown(t.Context(), "ada", func(*postgres.Tx, *taskstore.Store) error { return nil })
	}
	for what, do := range map[string]func() error{"Advance": advance, "Ring": ring, "WithinKnown": known} {
		if err := do(); !errs.Is(err, errs.NotFound) {
			t.Errorf("%s for a user who is gone: %v", what, err)
		}
	}
	_, err := s.Store.EnsureProfile(t.Context(), "ada", "UTC", now)
	must(t, err)
	if err := advance(); !errs.Is(err, errs.NotFound) {
		t.Errorf("Advance for a user who is back: %v", err)
	}
	must(t, ring())
	must(t, known())
}

func TestClaimsAreNoPartOfATransactionAndBounded(t *testing.T) {
	t.Parallel()
	s := newAgenda(t)
	must(t, s.Within(t.Context(), "ada", start, func(_ *postgres.Tx, own *taskstore.Store) error {
		if _, err := own.ClaimSeries(t.Context(), start, 1); err == nil {
			t.Error("series are claimed within a user's transaction")
		}
		if _, err := own.ClaimAlarms(t.Context(), start, 1); err == nil {
			t.Error("alarms are claimed within a user's transaction")
		}
		return nil
	}))
	for _, limit := range []int{0, 1001} {
		if _, err := s.ClaimSeries(t.Context(), start, limit); !errs.Is(err, errs.Invalid) {
			t.Errorf("the limit %d: %v", limit, err)
		}
		if _, err := s.ClaimAlarms(t.Context(), start, limit); !errs.Is(err, errs.Invalid) {
			t.Errorf("the limit %d: %v", limit, err)
		}
	}
}
