package taskstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/task/tasktest"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	contract "github.com/taskflow-suite/taskflow/proto"
)

func TestAStoreWithinATransactionDoesWhatEveryTaskStorePromises(t *testing.T) {
	t.Parallel()
	tasktest.Store(t, func(t *testing.T) task.Store { return eachWithin{taskstore.New(testkit.OpenPostgres(t))} })
}

// eachWithin makes every call that a bound store takes in a transaction of its own. A user without a profile, whom Within
// would give one, is left to the plain store.
type eachWithin struct{ *taskstore.Store }

func (e eachWithin) within(ctx context.Context, userID string, fn func(task.Store) error) error {
	_, err := e.ChangeProfile(ctx, userID, 0, func(*task.Profile) error { return nil })
	if errs.Is(err, errs.NotFound) {
		return fn(e.Store)
	}
	if err != nil {
		return err
	}
	return e.Within(ctx, userID, start, func(_ *postgres.Tx, own *taskstore.Store) error { return fn(own) })
}

func (e eachWithin) Create(ctx context.Context, userID string, once task.Idempotency, tasks ...task.Task) error {
	return e.within(ctx, userID, func(s task.Store) error { return s.Create(ctx, userID, once, tasks...) })
}

func (e eachWithin) Recall(ctx context.Context, userID, key string) (found task.Idempotency, err error) {
	err = e.within(ctx, userID, func(s task.Store) error { found, err = s.Recall(ctx, userID, key); return err })
	return found, err
}

func (e eachWithin) Get(ctx context.Context, userID, id string) (found task.Task, err error) {
	err = e.within(ctx, userID, func(s task.Store) error { found, err = s.Get(ctx, userID, id); return err })
	return found, err
}

func (e eachWithin) Change(ctx context.Context, userID, id string, version int, fn func(*task.Task) error) (changed task.Task, err error) {
	err = e.within(ctx, userID, func(s task.Store) error { changed, err = s.Change(ctx, userID, id, version, fn); return err })
	return changed, err
}

func (e eachWithin) List(ctx context.Context, userID string, q task.Query) (page task.Page, err error) {
	err = e.within(ctx, userID, func(s task.Store) error { page, err = s.List(ctx, userID, q); return err })
	return page, err
}

func (e eachWithin) Stats(ctx context.Context, userID string, now time.Time, zone *time.Location) (stats task.Stats, err error) {
	err = e.within(ctx, userID, func(s task.Store) error { stats, err = s.Stats(ctx, userID, now, zone); return err })
	return stats, err
}

func (e eachWithin) Events(ctx context.Context, q task.EventQuery) (events []event.Envelope, head int64, err error) {
	err = e.within(ctx, q.UserID, func(s task.Store) error { events, head, err = s.Events(ctx, q); return err })
	return events, head, err
}

func (e eachWithin) Series(ctx context.Context, userID string, ids []string) (found []task.Series, err error) {
	err = e.within(ctx, userID, func(s task.Store) error { found, err = s.Series(ctx, userID, ids); return err })
	return found, err
}

func (e eachWithin) Advance(ctx context.Context, userID, seriesID string, fn func(*task.Series, task.Profile) ([]task.Task, error)) (made []task.Task, err error) {
	err = e.within(ctx, userID, func(s task.Store) error { made, err = s.Advance(ctx, userID, seriesID, fn); return err })
	return made, err
}

func (e eachWithin) Following(ctx context.Context, userID, zone, after string, limit int) (ids []string, err error) {
	err = e.within(ctx, userID, func(s task.Store) error { ids, err = s.Following(ctx, userID, zone, after, limit); return err })
	return ids, err
}

func (e eachWithin) OpenIDs(ctx context.Context, userID, seriesID, after string, limit int) (ids []string, err error) {
	err = e.within(ctx, userID, func(s task.Store) error { ids, err = s.OpenIDs(ctx, userID, seriesID, after, limit); return err })
	return ids, err
}

func (e eachWithin) Ring(ctx context.Context, userID, alarmID string, fn func(*task.Task, task.Alarm) error) error {
	return e.within(ctx, userID, func(s task.Store) error { return s.Ring(ctx, userID, alarmID, fn) })
}

func TestWhatIsDoneWithinATransactionIsSeenInItAndKeptWhole(t *testing.T) {
	t.Parallel()
	s := taskstore.New(testkit.OpenPostgres(t))
	first, second := fresh("ada", task.Fields{Title: "1"}), fresh("ada", task.Fields{Title: "2", Due: task.Due{Date: "2026-12-01"}})
	work := func(failure error) error {
		return s.Within(t.Context(), "ada", start, func(_ *postgres.Tx, own *taskstore.Store) error {
			must(t, own.Create(t.Context(), "ada", task.Idempotency{}, first, second))
			for _, made := range []task.Task{first, second} {
				_, err := own.Change(t.Context(), "ada", made.ID, 1, func(x *task.Task) error { return x.Complete(start) })
				must(t, err)
				changed, err := own.Change(t.Context(), "ada", made.ID, 2, func(x *task.Task) error { return x.Delete(start) })
				must(t, err)
				seen, err := own.Get(t.Context(), "ada", made.ID)
				must(t, err)
				if changed.Version != 3 || seen.Version != 3 {
					t.Errorf("within, the task is at version %d and seen at %d", changed.Version, seen.Version)
				}
			}
			return failure
		})
	}
	failure := errors.New("no")
	if err := work(failure); !errors.Is(err, failure) {
		t.Errorf("the error is %v", err)
	}
	if _, err := s.Get(t.Context(), "ada", first.ID); !errs.Is(err, errs.NotFound) {
		t.Errorf("of what failed a task is left: %v", err)
	}
	must(t, work(nil))
	events, head, err := s.Events(t.Context(), task.EventQuery{UserID: "ada", Topic: contract.Tasks, Limit: 10})
	must(t, err)
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprint(e.Type, " ", e.Version, " ", e.Sequence))
	}
	want := []string{
		"task.created 1 1", "task.created 1 2",
		"task.completed 2 3", "task.deleted 3 4", "task.completed 2 5", "task.deleted 3 6",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || head != 6 {
		t.Errorf("the log says %q up to %d", got, head)
	}
}

func TestAStoreWithinATransactionIsOneUsersAndLeavesTheProfileAlone(t *testing.T) {
	t.Parallel()
	s := taskstore.New(testkit.OpenPostgres(t))
	hers := fresh("eve", task.Fields{Title: "hers"})
	must(t, s.Create(t.Context(), "eve", task.Idempotency{}, hers))
	nothing := func(*task.Profile) error { return nil }
	must(t, s.Within(t.Context(), "ada", start, func(_ *postgres.Tx, own *taskstore.Store) error {
		for what, fn := range map[string]func() error{
			"Create for another": func() error {
				return own.Create(t.Context(), "eve", task.Idempotency{}, fresh("eve", task.Fields{Title: "x"}))
			},
			"Change for another":        func() error { _, err := own.Change(t.Context(), "eve", hers.ID, 0, nil); return err },
			"EnsureProfile for another": func() error { _, err := own.EnsureProfile(t.Context(), "eve", "UTC", start); return err },
			"ChangeProfile":             func() error { _, err := own.ChangeProfile(t.Context(), "ada", 0, nothing); return err },
			"Forget":                    func() error { return own.Forget(t.Context(), "ada", start) },
			"Advance for another":       func() error { _, err := own.Advance(t.Context(), "eve", hers.ID, nil); return err },
			"Ring for another":          func() error { return own.Ring(t.Context(), "eve", hers.ID, nil) },
			"Purge":                     func() error { _, err := own.Purge(t.Context(), start, start, 1); return err },
		} {
			if fn() == nil {
				t.Errorf("%s is done", what)
			}
		}
		return nil
	}))
}

func TestBatchesAndSingleChangesAndMovesNeitherDeadlockNorLoseAnything(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	db := testkit.OpenPostgresAt(t, url)
	s := taskstore.New(db)
	var made []task.Task
	for i := range 8 {
		f := task.Fields{Title: "x"}
		if i%2 == 0 {
			f.Due = task.Due{Date: "2026-12-01"}
		}
		made = append(made, fresh("ada", f)) // ids rise
	}
	must(t, s.Create(t.Context(), "ada", task.Idempotency{}, made...))
	edit := func(day int) func(*task.Task) error {
		return func(x *task.Task) error {
			f := x.Fields
			f.Due = task.Due{Date: fmt.Sprintf("2026-12-%02d", 1+day%28)}
			return x.Edit(f, task.This, start)
		}
	}
	zones := []string{"Asia/Tokyo", "Europe/Oslo", "UTC"}
	var all sync.WaitGroup
	for worker := range 12 {
		all.Go(func() {
			for round := range 10 {
				var err error
				switch worker % 4 {
				case 0, 1:
					err = s.Within(t.Context(), "ada", start, func(_ *postgres.Tx, own *taskstore.Store) error {
						for i := worker % 3; i < len(made); i++ {
							if _, err := own.Change(t.Context(), "ada", made[i].ID, 0, edit(worker*31+round+i)); err != nil {
								return err
							}
						}
						return own.Create(t.Context(), "ada", task.Idempotency{}, fresh("ada", task.Fields{Title: "new", Due: task.Due{Date: "2026-12-24"}}))
					})
				case 2:
					_, err = s.Change(t.Context(), "ada", made[(worker+round)%len(made)].ID, 0, edit(round))
				default:
					_, err = s.ChangeProfile(t.Context(), "ada", 0, func(p *task.Profile) error { return p.SetTimeZone(zones[(worker+round)%3], start) })
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	found, err := taskstore.Verify(t.Context(), url)
	must(t, err)
	if len(found.Differences) != 0 || found.Tasks != len(made)+6*10 {
		t.Errorf("the log and the tables: %+v", found)
	}
}
