package task_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// life is a task that repeats, on a real store, with a clock that is told and a scheduler that is called.
type life struct {
	t        *testing.T
	store    *taskstore.Store
	service  *task.Service
	clock    *clock
	zone     string
	seriesID string
}

// live begins at a time of the clock in ada's zone, which is UTC if empty.
func live(t *testing.T, zone, now string, f task.Fields) *life {
	t.Helper()
	l := &life{t: t, store: taskstore.New(testkit.OpenPostgres(t)), clock: &clock{}, zone: zone}
	l.service = task.NewService(l.store, l.clock.now)
	if zone != "" {
		_, err := l.service.SetTimeZone(t.Context(), "ada", 0, zone)
		must(t, err)
	}
	l.at(now)
	made, err := create(t.Context(), l.service, f)
	must(t, err)
	l.seriesID = made[0].Occurrence.SeriesID
	return l
}

// at sets the clock.
func (l *life) at(now string) {
	l.t.Helper()
	l.clock.set(onClock(l.t, now, l.zone))
}

// wake has the scheduler look at the series at a time.
func (l *life) wake(now string) task.Spawned {
	l.t.Helper()
	l.at(now)
	return l.spawn(task.Cause{})
}

func (l *life) spawn(cause task.Cause) task.Spawned {
	l.t.Helper()
	did, err := l.service.Spawn(l.t.Context(), "ada", l.seriesID, cause)
	must(l.t, err)
	return did
}

// all are the occurrences in the order of their places.
func (l *life) all() []task.Task {
	l.t.Helper()
	page, err := l.service.List(l.t.Context(), "ada", task.Query{SeriesID: l.seriesID, Limit: task.MaxPage})
	must(l.t, err)
	slices.SortFunc(page.Tasks, func(a, b task.Task) int { return a.Occurrence.At.Compare(b.Occurrence.At) })
	return page.Tasks
}

// states are due dates and what became of them.
func (l *life) states() (all []string) {
	l.t.Helper()
	for _, x := range l.all() {
		state := " open"
		switch {
		case x.Completed():
			state = " done"
		case !x.SkippedAt.IsZero():
			state = " skipped"
		}
		all = append(all, shown(x.Due, l.zone)+state)
	}
	return all
}

// want checks the states.
func (l *life) want(states ...string) {
	l.t.Helper()
	if got := l.states(); !slices.Equal(got, states) {
		l.t.Errorf("there are\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(states, "\n  "))
	}
}

// do changes the n-th occurrence, from 0 and from the end if negative; what is closed by it comes to the scheduler.
func (l *life) do(n int, change func(ctx context.Context, id string) (task.Task, error)) task.Task {
	l.t.Helper()
	all := l.all()
	before := all[(n+len(all))%len(all)]
	x, err := change(l.t.Context(), before.ID)
	must(l.t, err)
	if before.Open() && !x.Open() {
		at := x.CompletedAt
		if at.IsZero() {
			at = x.SkippedAt
		}
		l.spawn(task.Cause{Closed: x.ID, ClosedAt: at})
	}
	return x
}

func (l *life) done(n int) task.Task {
	l.t.Helper()
	return l.do(n, func(ctx context.Context, id string) (task.Task, error) {
		return l.service.SetCompleted(ctx, "ada", id, 0, true)
	})
}

func (l *life) reopened(n int) {
	l.t.Helper()
	l.do(n, func(ctx context.Context, id string) (task.Task, error) {
		return l.service.SetCompleted(ctx, "ada", id, 0, false)
	})
}

func (l *life) skipped(n int) {
	l.t.Helper()
	l.do(n, func(ctx context.Context, id string) (task.Task, error) { return l.service.Skip(ctx, "ada", id, 0) })
}

func (l *life) edited(n int, scope task.Scope, edit func(*task.Fields)) task.Task {
	l.t.Helper()
	return l.do(n, func(ctx context.Context, id string) (task.Task, error) {
		return l.service.Edit(ctx, "ada", id, 0, scope, edit, nil)
	})
}

func (l *life) moved(n int, scope task.Scope, due string) {
	l.t.Helper()
	l.edited(n, scope, func(f *task.Fields) { f.Due = dueAt(l.t, due, l.zone) })
}

// series is the series as it is stored.
func (l *life) series() (found task.Series) {
	l.t.Helper()
	_, err := l.store.Advance(l.t.Context(), "ada", l.seriesID, func(s *task.Series, _ task.Profile) ([]task.Task, error) {
		found = *s
		return nil, nil
	})
	must(l.t, err)
	return found
}

// rang are the reminders that rang when the scheduler looked at a time, by the events of their triggers.
func (l *life) rang(now string) (rang []string) {
	l.t.Helper()
	l.at(now)
	_, head, err := l.service.Events(l.t.Context(), "ada", contract.Scheduling, "", 0, 0)
	must(l.t, err)
	_, err = l.store.ClaimAlarms(l.t.Context(), l.clock.now(), 100)
	must(l.t, err)
	due, _, err := l.service.Events(l.t.Context(), "ada", contract.Scheduling, "", head, 0)
	must(l.t, err)
	for _, e := range due {
		late, ok, err := l.service.Ring(l.t.Context(), "ada", e.AggregateID)
		must(l.t, err)
		if !ok {
			rang = append(rang, "nothing")
			continue
		}
		rang = append(rang, late.Round(time.Minute).String())
	}
	return rang
}

func (l *life) wantRung(now string, want ...string) {
	l.t.Helper()
	if got := l.rang(now); !slices.Equal(got, want) {
		l.t.Errorf("at %s rang %v, want %v", now, got, want)
	}
}

func repeating(t *testing.T, p plan) task.Fields {
	t.Helper()
	f := p.fields(t)
	f.Recurrence.TimeZone = ""
	return f
}
