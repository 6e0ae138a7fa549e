package task_test

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// clock is a time that only moves when told.
type clock struct{ ms atomic.Int64 }

func (c *clock) now() time.Time          { return start.Add(time.Duration(c.ms.Load()) * time.Millisecond) }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }
func (c *clock) set(at time.Time)        { c.ms.Store(at.Sub(start).Milliseconds()) }

func service(t *testing.T) (*task.Service, *clock) {
	t.Helper()
	c := &clock{}
	return task.NewService(taskstore.New(testkit.OpenPostgres(t)), c.now), c
}

// answer is how a door would encode what was made.
func answer(made []task.Task) ([]byte, error) {
	var ids []string
	for _, x := range made {
		ids = append(ids, x.ID)
	}
	return json.Marshal(ids)
}

func create(ctx context.Context, s *task.Service, fields ...task.Fields) ([]task.Task, error) {
	made, _, err := s.Create(ctx, "ada", task.Idempotency{}, answer, fields...)
	return made, err
}

func TestOneWrongTaskRefusesAllOfThem(t *testing.T) {
	t.Parallel()
	s, _ := service(t)
	_, err := create(t.Context(), s, task.Fields{Title: "x"}, task.Fields{})
	if !errs.Is(err, errs.Invalid) || len(errs.Fields(err)) != 1 {
		t.Errorf("the error is %v", err)
	}
	for _, n := range []int{0, 101} {
		if _, err := create(t.Context(), s, make([]task.Fields, n)...); !errs.Is(err, errs.Invalid) {
			t.Errorf("%d tasks: %v", n, err)
		}
	}
	page, err := s.List(t.Context(), "ada", task.Query{})
	must(t, err)
	if len(page.Tasks) != 0 {
		t.Errorf("%d tasks were made", len(page.Tasks))
	}
}

func TestARepeatedRequestIsAnsweredAsBefore(t *testing.T) {
	t.Parallel()
	s, c := service(t)
	ctx := t.Context()
	once := task.Idempotency{Key: "k", Hash: "h"}
	made, _, err := s.Create(ctx, "ada", once, answer, task.Fields{Title: "x"})
	must(t, err)
	first, err := answer(made)
	must(t, err)
	c.advance(time.Hour)
	again, stored, err := s.Create(ctx, "ada", once, answer, task.Fields{Title: "x"})
	must(t, err)
	if again != nil || string(stored) != string(first) {
		t.Errorf("the second time came %v and %s, want %s", again, stored, first)
	}
	once.Hash = "other"
	if _, _, err := s.Create(ctx, "ada", once, answer, task.Fields{Title: "y"}); !errs.Is(err, errs.Invalid) {
		t.Errorf("another body under the same key: %v", err)
	}
}

func TestTheSameRequestManyTimesAtOnceMakesOneTask(t *testing.T) {
	t.Parallel()
	s, _ := service(t)
	var answers sync.Map
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			made, stored, err := s.Create(t.Context(), "ada", task.Idempotency{Key: "k", Hash: "h"}, answer, task.Fields{Title: "x"})
			if err != nil {
				t.Error(err)
			}
			if made != nil {
				stored, _ = answer(made)
			}
			answers.Store(string(stored), true)
		})
	}
	all.Wait()
	n := 0
	answers.Range(func(any, any) bool { n++; return true })
	page, err := s.List(t.Context(), "ada", task.Query{})
	must(t, err)
	if n != 1 || len(page.Tasks) != 1 {
		t.Errorf("there are %d answers and %d tasks", n, len(page.Tasks))
	}
}

func TestAnEditTouchesOnlyWhatItNames(t *testing.T) {
	t.Parallel()
	s, c := service(t)
	ctx := t.Context()
	made, err := create(ctx, s, task.Fields{Title: "x", Description: "d", Tags: []string{"a"}})
	must(t, err)
	c.advance(time.Minute)
	done := true
	edited, err := s.Edit(ctx, "ada", made[0].ID, 1, task.This, func(f *task.Fields) { f.Title = "y" }, &done)
	must(t, err)
	if edited.Title != "y" || edited.Description != "d" || len(edited.Tags) != 1 || !edited.Completed() || edited.Version != 3 ||
		!edited.UpdatedAt.Equal(start.Add(time.Minute)) {
		t.Errorf("edited to %+v", edited)
	}
	if _, err := s.Edit(ctx, "ada", made[0].ID, 0, task.This, func(f *task.Fields) { f.Title = "" }, nil); !errs.Is(err, errs.Invalid) {
		t.Errorf("a wrong edit: %v", err)
	}
	current, err := s.Edit(ctx, "ada", made[0].ID, 1, task.This, func(f *task.Fields) { f.Title = "z" }, nil)
	if !errs.Is(err, errs.Stale) || current.Version != 3 {
		t.Errorf("a stale edit: %+v, %v", current, err)
	}
	open := false
	if edited, err = s.Edit(ctx, "ada", made[0].ID, 3, task.This, func(*task.Fields) {}, &open); err != nil || edited.Completed() {
		t.Errorf("reopened to %+v (%v)", edited, err)
	}
}

func TestTheTrashIsEmptiedAfterThirtyDays(t *testing.T) {
	t.Parallel()
	s, c := service(t)
	ctx := t.Context()
	made, err := create(ctx, s, task.Fields{Title: "a"}, task.Fields{Title: "b"})
	must(t, err)
	_, err = s.Delete(ctx, "ada", made[0].ID, 0)
	must(t, err)
	c.advance(30*24*time.Hour - time.Millisecond)
	if n, err := s.EmptyTrash(ctx); n != 0 || err != nil {
		t.Errorf("a moment too early %d went (%v)", n, err)
	}
	restored, err := s.Restore(ctx, "ada", made[0].ID, 0)
	must(t, err)
	if restored.Deleted() {
		t.Error("it is still in the trash")
	}
	_, err = s.Delete(ctx, "ada", made[0].ID, 0)
	must(t, err)
	c.advance(30*24*time.Hour + time.Millisecond)
	if n, err := s.EmptyTrash(ctx); n != 1 || err != nil {
		t.Errorf("after thirty days %d went (%v)", n, err)
	}
	if _, err := s.Get(ctx, "ada", made[0].ID); !errs.Is(err, errs.NotFound) {
		t.Errorf("the purged task: %v", err)
	}
}

func TestLimitsHaveDefaultsAndBounds(t *testing.T) {
	t.Parallel()
	s, _ := service(t)
	ctx := t.Context()
	fields := make([]task.Fields, 60)
	for i := range fields {
		fields[i].Title = strconv.Itoa(i)
	}
	_, err := create(ctx, s, fields...)
	must(t, err)
	page, err := s.List(ctx, "ada", task.Query{})
	must(t, err)
	if len(page.Tasks) != task.DefaultPage || page.Next == "" {
		t.Errorf("a page holds %d and is followed by %q", len(page.Tasks), page.Next)
	}
	for _, limit := range []int{-1, 201} {
		if _, err := s.List(ctx, "ada", task.Query{Limit: limit}); !errs.Is(err, errs.Invalid) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	events, head, err := s.Events(ctx, "ada", contract.Tasks, "", 0, 0)
	must(t, err)
	if len(events) != 60 || head != 60 {
		t.Errorf("%d events, head %d", len(events), head)
	}
	for _, limit := range []int{-1, 1001} {
		if _, _, err := s.Events(ctx, "ada", contract.Tasks, "", 0, limit); !errs.Is(err, errs.Invalid) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

func TestAUserIsKnownFromTheFirstRequestToTheLast(t *testing.T) {
	t.Parallel()
	s, _ := service(t)
	ctx := t.Context()
	p, err := s.SetTimeZone(ctx, "ada", 1, "Pacific/Auckland")
	must(t, err)
	if p.Version != 2 || p.TimeZone != "Pacific/Auckland" {
		t.Errorf("the profile is %+v", p)
	}
	if _, err := s.SetTimeZone(ctx, "ada", 1, "UTC"); !errs.Is(err, errs.Stale) {
		t.Errorf("a stale move: %v", err)
	}
	if _, err := s.SetTimeZone(ctx, "ada", 0, "Mars"); !errs.Is(err, errs.Invalid) {
		t.Errorf("a move to nowhere: %v", err)
	}
	made, err := create(ctx, s, task.Fields{Title: "x", Recurrence: &task.Recurrence{Rule: "daily"}})
	must(t, err)
	if made[0].Recurrence.TimeZone != "" || made[0].Due.Date != "2026-11-22" {
		t.Errorf("the rule is read in %q, from %s on", made[0].Recurrence.TimeZone, made[0].Due.Date)
	}
	stats, err := s.Stats(ctx, "ada")
	must(t, err)
	if today := stats.CompletedPerDay[29].Day; stats.Open != 1 || today != "2026-11-22" {
		t.Errorf("the stats of %s are %+v", today, stats)
	}
	must(t, s.Forget(ctx, "ada"))
	if err := s.Forget(ctx, "ada"); !errs.Is(err, errs.NotFound) {
		t.Errorf("forgotten twice: %v", err)
	}
}
