package taskstore_test

import (
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

// statements counts what a database is asked, but for the bounds of transactions.
func statements(t *testing.T, db *postgres.DB) *atomic.Int64 {
	t.Helper()
	var n atomic.Int64
	count := func(*gorm.DB) { n.Add(1) }
	on := db.Read(t.Context()).Callback()
	for _, err := range []error{
		on.Create().After("gorm:create").Register("count", count),
		on.Query().After("gorm:query").Register("count", count),
		on.Update().After("gorm:update").Register("count", count),
		on.Delete().After("gorm:delete").Register("count", count),
		on.Row().After("gorm:row").Register("count", count),
		on.Raw().After("gorm:raw").Register("count", count),
	} {
		must(t, err)
	}
	return &n
}

func TestNobodyPaysForWhatATaskDoesNotHave(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	s := agenda{taskstore.New(db), ""}
	_, err := s.EnsureProfile(t.Context(), "ada", "UTC", start)
	must(t, err)
	asked := statements(t, db)
	plain, alarmed, series := fresh("ada", task.Fields{Title: "plain"}), reminded("ada", 5, 10), daily("ada")
	spawn := func(closed string) func() error {
		return func() error {
			return s.WithinKnown(t.Context(), "ada", func(_ *postgres.Tx, own *taskstore.Store) error {
				_, err := agenda{own, ""}.at(tomorrow).Spawn(t.Context(), "ada", series.Occurrence.SeriesID, task.Cause{At: tomorrow, Closed: closed, ClosedAt: start})
				return err
			})
		}
	}
	edit := func(id string, scope task.Scope, title string) func() error {
		return func() error {
			_, err := s.at(start).Edit(t.Context(), "ada", id, 0, scope, func(f *task.Fields) { f.Title = title }, nil)
			return err
		}
	}
	complete := func(id string) func() error {
		return func() error {
			_, err := s.at(start).SetCompleted(t.Context(), "ada", id, 0, true)
			return err
		}
	}
	for _, step := range []struct {
		what string
		do   func() error
		// the task, and the events
		want int64
	}{
		{"a task is made", func() error { return s.Create(t.Context(), "ada", task.Idempotency{}, plain) }, 2},
		{"one is made with reminders", func() error { return s.Create(t.Context(), "ada", task.Idempotency{}, alarmed) }, 3},
		{"one is made that repeats, with the profile locked", func() error { return s.Create(t.Context(), "ada", task.Idempotency{}, series) }, 4},
		{"a task is changed", edit(plain.ID, task.This, "x"), 3},
		{"one with reminders gets another title", edit(alarmed.ID, task.This, "x"), 3},
		{"an occurrence gets another title", edit(series.ID, task.This, "x"), 4},
		{"a task is done", complete(plain.ID), 3},
		{"one with reminders is done", complete(alarmed.ID), 4},
		{"an occurrence is done", complete(series.ID), 4},
		{"the next occurrence is made", spawn(series.ID), 5},
		{"it is there already", spawn(series.ID), 2},
	} {
		before := asked.Load()
		must(t, step.do())
		if n := asked.Load() - before; n != step.want {
			t.Errorf("%s: %d statements, want %d", step.what, n, step.want)
		}
	}
}
