package taskstore_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
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

// everything does, to the tasks of a user, all that takes locks. Its calls may run at the same time.
type everything struct {
	agenda
	user string
	// hours is the clock, in hours since start.
	hours *atomic.Int64

	mu  sync.Mutex
	ids []string // of tasks, in order
}

func (e *everything) now() time.Time { return start.Add(time.Duration(e.hours.Load()) * time.Hour) }

func (e *everything) service(s task.Store) *task.Service { return task.NewService(s, e.now) }

func (e *everything) add(tasks ...task.Task) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, t := range tasks {
		e.ids = append(e.ids, t.ID)
	}
	slices.Sort(e.ids)
}

func (e *everything) some(i, n int) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var some []string
	for k := i % 3; k < len(e.ids) && len(some) < n; k += 1 + i%4 {
		some = append(some, e.ids[k])
	}
	return some
}

// fields of the i-th kind: with a series or without, a day or an instant, reminders or none.
func (e *everything) fields(i int) task.Fields {
	f := task.Fields{Title: fmt.Sprint("task ", i), Priority: task.None}
	if i%2 == 0 {
		f.Due = task.Due{At: start.AddDate(0, 0, i%5)}
	} else {
		f.Due = task.Due{Date: start.AddDate(0, 0, i%5).Format(time.DateOnly)}
	}
	if i%3 != 0 {
		f.Reminders = []int{0, 60 * (i % 5)}
		slices.Sort(f.Reminders)
		f.Reminders = slices.Compact(f.Reminders)
	}
	if i%4 != 3 {
		f.Recurrence = &task.Recurrence{Rule: "FREQ=DAILY", Anchor: task.OnSchedule, CatchUp: task.All}
		if i%4 == 2 {
			f.Recurrence.TimeZone = "Europe/Oslo"
		}
	}
	return f
}

// one changes one task in the i-th way.
func (e *everything) one(ctx context.Context, s task.Store, id string, i int) error {
	svc := e.service(s)
	var err error
	switch i % 6 {
	case 0:
		_, err = svc.SetCompleted(ctx, e.user, id, 0, i%4 < 2)
	case 1:
		_, err = svc.Edit(ctx, e.user, id, 0, task.Following, func(f *task.Fields) { f.Title = fmt.Sprint("title ", i) }, nil)
	case 2:
		_, err = svc.Edit(ctx, e.user, id, 0, task.Following, func(f *task.Fields) { *f = e.fields(i) }, nil)
	case 3:
		_, err = svc.Skip(ctx, e.user, id, 0)
	case 4:
		_, err = svc.Delete(ctx, e.user, id, 0)
	default:
		_, err = svc.Restore(ctx, e.user, id, 0)
	}
	return bearable(err)
}

// bearable are the errors of those who come too late, which nobody but the one who asked need know of.
func bearable(err error) error {
	if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Conflict) || errs.Is(err, errs.Invalid) {
		return nil
	}
	return err
}

// triggers handles everything that was announced and not yet handled, as a scheduler does.
func (e *everything) triggers(ctx context.Context, since *int64) error {
	for _, topic := range []contract.Topic{contract.Scheduling, contract.Tasks} {
		from := int64(0)
		if topic == contract.Scheduling {
			from = *since
		}
		events, head, err := e.Events(ctx, task.EventQuery{UserID: e.user, Topic: topic, Since: from, Limit: 1000})
		if err != nil {
			return err
		}
		if topic == contract.Scheduling {
			*since = max(*since, head-50)
		}
		for _, x := range events[max(0, len(events)-30):] {
			if err := e.handle(ctx, x); err != nil {
				return fmt.Errorf("%s: %w", x.Type, err)
			}
		}
	}
	return nil
}

func (e *everything) handle(ctx context.Context, x event.Envelope) error {
	return bearable(e.WithinKnown(ctx, e.user, func(_ *postgres.Tx, own *taskstore.Store) error {
		svc := e.service(own)
		switch x.Type {
		case contract.RecurrenceDue.Name:
			did, err := svc.Spawn(ctx, e.user, x.AggregateID, task.Cause{At: x.Timestamp.Time})
			e.add(did.Made...)
			return err
		case contract.ReminderDue.Name:
			_, _, err := svc.Ring(ctx, e.user, x.AggregateID)
			return err
		case contract.TaskCompleted.Name, contract.TaskSkipped.Name:
			done, err := own.Get(ctx, e.user, x.AggregateID)
			if err != nil || done.Occurrence.IsZero() {
				return bearable(err)
			}
			did, err := svc.Spawn(ctx, e.user, done.Occurrence.SeriesID, task.Cause{At: x.Timestamp.Time, Closed: done.ID, ClosedAt: x.Timestamp.Time})
			e.add(did.Made...)
			return err
		}
		return nil
	}))
}

// do is the i-th thing.
func (e *everything) do(ctx context.Context, i int, since *int64) error {
	zones := []string{"Asia/Tokyo", "Europe/Oslo", "UTC"}
	switch i % 9 {
	case 0, 1:
		return bearable(e.Within(ctx, e.user, e.now(), func(_ *postgres.Tx, own *taskstore.Store) error {
			for k, id := range e.some(i, 4) {
				if err := e.one(ctx, own, id, i+k); err != nil {
					return err
				}
			}
			made, _, err := e.service(own).Create(ctx, e.user, task.Idempotency{}, nil, e.fields(i))
			e.add(made...)
			return err
		}))
	case 2, 3:
		for k, id := range e.some(i, 3) {
			if err := e.one(ctx, e.Store, id, i+k); err != nil {
				return err
			}
		}
		return nil
	case 4:
		_, err := e.ChangeProfile(ctx, e.user, 0, func(p *task.Profile) error { return p.SetTimeZone(zones[i/9%3], e.now()) })
		if err == nil {
			err = e.service(e.Store).Move(ctx, e.user)
		}
		return bearable(err)
	case 5:
		e.hours.Add(6)
		if _, err := e.ClaimSeries(ctx, e.now(), 5); err != nil {
			return err
		}
		_, err := e.ClaimAlarms(ctx, e.now(), 5)
		return err
	case 6:
		made, _, err := e.service(e.Store).Create(ctx, e.user, task.Idempotency{}, nil, e.fields(i), e.fields(i+1))
		e.add(made...)
		return bearable(err)
	case 7:
		_, err := e.Purge(ctx, e.now(), e.now(), 2)
		return err
	default:
		return e.triggers(ctx, since)
	}
}

// rush does rounds of everything to two users at once from many sides, and extra beside it.
func rush(t *testing.T, rounds int, extra func(ctx context.Context, e *everything, i int) error) (url string) {
	t.Helper()
	url = testkit.Postgres(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var hours atomic.Int64
	var all sync.WaitGroup
	for u := range 2 {
		// Two processes share a user.
		for range 2 {
			s := agenda{taskstore.New(testkit.OpenPostgresAt(t, url)), url}
			e := &everything{agenda: s, user: fmt.Sprint("user ", u), hours: &hours}
			made, _, err := e.service(s.Store).Create(ctx, e.user, task.Idempotency{}, nil, e.fields(0), e.fields(1), e.fields(2), e.fields(3), e.fields(4))
			must(t, err)
			e.add(made...)
			for worker := range 9 {
				all.Go(func() {
					var since int64
					for round := range rounds {
						i := worker + 9*(worker+round) + round/3
						err := e.do(ctx, i, &since)
						if err == nil && extra != nil {
							err = extra(ctx, e, i)
						}
						if err != nil {
							t.Errorf("%d: %v", i%9, err)
						}
					}
				})
			}
		}
	}
	all.Wait()
	return url
}

func TestEverythingAtOnceNeitherDeadlocksNorLeavesTheLogBehind(t *testing.T) {
	t.Parallel()
	url := rush(t, 10, nil)
	found, err := taskstore.Verify(t.Context(), url)
	must(t, err)
	if len(found.Differences) != 0 || found.Series == 0 {
		t.Errorf("the log and the tables: %+v", found)
	}
	conn := connect(t, url)
	for what, query := range map[string]string{
		"spawned": "SELECT count(*) FROM tasks t JOIN series s ON s.id = t.series_id WHERE t.occurrence > s.start",
		"fired":   "SELECT count(*) FROM events WHERE type = 'reminder.fired'",
		"moved":   "SELECT count(*) FROM events WHERE type = 'user.updated'",
		"purged":  "SELECT count(*) FROM events WHERE type = 'task.purged'",
		"edited":  "SELECT count(*) FROM events WHERE type = 'series.updated'",
	} {
		var n int
		must(t, conn.QueryRow(t.Context(), query).Scan(&n))
		if n == 0 {
			t.Errorf("nothing was %s: the test has not tried it", what)
		}
	}
	for what, query := range map[string]string{
		"series that can never be claimed":   "SELECT count(*) FROM series WHERE (claim_at IS NULL) <> (next_at IS NULL)",
		"alarms of tasks that are not open":  "SELECT count(*) FROM alarms a JOIN tasks t ON t.id = a.task_id WHERE a.claim_at IS NOT NULL AND (t.trashed OR t.completed_at IS NOT NULL OR t.skipped_at IS NOT NULL)",
		"reminders that fired twice":         "SELECT count(*) FROM (SELECT FROM events WHERE type = 'reminder.fired' GROUP BY aggregate_id, data->>'minutes_before', data->>'due_at', data->>'absolute' HAVING count(*) > 1) x",
		"series whose newest is of another":  "SELECT count(*) FROM series s JOIN tasks t ON t.id = s.newest WHERE t.series_id <> s.id",
		"triggers with a claim that is gone": "SELECT count(*) FROM events e JOIN series s ON s.id::text = e.aggregate_id WHERE topic = 'tasks.scheduling' AND e.version > s.claims",
	} {
		var n int
		must(t, conn.QueryRow(t.Context(), query).Scan(&n))
		if n != 0 {
			t.Errorf("there are %d %s", n, what)
		}
	}
}

func TestForgettingUsersWhileEverythingRunsNeitherDeadlocksNorLeavesAnything(t *testing.T) {
	t.Parallel()
	url := rush(t, 8, func(ctx context.Context, e *everything, i int) error {
		if i%7 != 0 {
			return nil
		}
		return bearable(e.Forget(ctx, e.user, e.now()))
	})
	found, err := taskstore.Verify(t.Context(), url)
	must(t, err)
	if len(found.Differences) != 0 {
		t.Errorf("the log and the tables: %+v", found)
	}
	s := agenda{taskstore.New(testkit.OpenPostgresAt(t, url)), url}
	for u := range 2 {
		if err := bearable(s.Forget(t.Context(), fmt.Sprint("user ", u), start)); err != nil {
			t.Error(err)
		}
	}
	var left []string
	for _, table := range []string{"profiles", "tasks", "series", "alarms"} {
		if n := s.count(t, "SELECT count(*) FROM "+table); n != 0 {
			left = append(left, fmt.Sprint(n, " ", table))
		}
	}
	if n := s.count(t, "SELECT count(*) FROM events WHERE type <> 'user.deleted'"); n != 0 {
		left = append(left, fmt.Sprint(n, " events"))
	}
	if len(left) != 0 {
		t.Errorf("everybody is gone, but there are %s", strings.Join(left, ", "))
	}
}

func TestBatchesAndChangesAndSpawnsOfTheSameSeriesDoNotDeadlock(t *testing.T) {
	t.Parallel()
	s := newAgenda(t)
	var ids, series []string
	for range 2 {
		made := daily("ada")
		made.Series.Recurrence.CatchUp = task.All
		s.make(t, made)
		series = append(series, made.Occurrence.SeriesID)
		did, err := s.at(start.AddDate(0, 0, 4)).Spawn(t.Context(), "ada", made.Occurrence.SeriesID, task.Cause{})
		must(t, err)
		for _, x := range did.Made {
			ids = append(ids, x.ID)
		}
	}
	slices.Sort(ids)
	edit := func(of task.Store, id, title string) error {
		_, err := task.NewService(of, func() time.Time { return start }).Edit(t.Context(), "ada", id, 0, task.Following, func(f *task.Fields) { f.Title = title }, nil)
		return err
	}
	var days atomic.Int64
	var all sync.WaitGroup
	for worker := range 12 {
		all.Go(func() {
			for round := range 20 {
				var err error
				title := fmt.Sprint(worker, " ", round)
				switch worker % 3 {
				case 0:
					err = s.Within(t.Context(), "ada", start, func(_ *postgres.Tx, own *taskstore.Store) error {
						for i := (worker + round) % 3; i < len(ids); i += 1 + round%3 {
							if err := edit(own, ids[i], title); err != nil {
								return err
							}
						}
						return nil
					})
				case 1:
					err = edit(s.Store, ids[(worker+round)%len(ids)], title)
				default:
					now := start.AddDate(0, 0, 5+int(days.Add(1))/8)
					_, err = s.at(now).Spawn(t.Context(), "ada", series[round%2], task.Cause{})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
