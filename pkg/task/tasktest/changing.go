package tasktest

import (
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
	contract "github.com/taskflow-suite/taskflow/proto"
)

var later = start.Add(time.Hour)

var changing = map[string]func(*testing.T, suite){
	"a change is saved with its events": func(t *testing.T, s suite) {
		made := s.made(t, user, titled("before"), start)
		f := full("after")
		f.Due = task.Due{Date: "2026-12-24"}
		normal, err := f.Normal()
		must(t, err)
		changed, err := s.Change(t.Context(), user, made.ID, 1, func(x *task.Task) error { return x.Edit(normal, task.This, later) })
		must(t, err)
		if changed.Version != 3 || changed.Title != "after" || !changed.UpdatedAt.Equal(later) {
			t.Errorf("changed to %+v", changed)
		}
		got, err := s.Get(t.Context(), user, made.ID)
		must(t, err)
		same(t, "the stored task", got, changed)
		events := s.events(t, user, contract.Tasks)
		wantEqual(t, "events", types(events), []string{
			contract.TaskCreated.Name, contract.TaskUpdated.Name, contract.TaskDueChanged.Name, contract.SeriesCreated.Name,
		})
		for i, e := range events {
			if e.Version != []int{1, 2, 3, 1}[i] || e.Sequence != int64(i+1) {
				t.Errorf("event %d has version %d and sequence %d", i+1, e.Version, e.Sequence)
			}
		}
	},
	"every field can be cleared again": func(t *testing.T, s suite) {
		made := s.made(t, user, full("full"), start)
		s.change(t, made, func(x *task.Task) error { return x.Complete(later) })
		normal, err := titled("bare").Normal()
		must(t, err)
		s.change(t, made, func(x *task.Task) error {
			if err := x.Edit(normal, task.This, later); err != nil {
				return err
			}
			return x.Reopen(later)
		})
		got, err := s.Get(t.Context(), user, made.ID)
		must(t, err)
		if !got.Equal(normal) || got.Completed() {
			t.Errorf("cleared, it still is %+v", got)
		}
	},
	"a task goes through its whole life": func(t *testing.T, s suite) {
		made := s.made(t, user, titled("life"), start)
		step := func(name string, fn func(*task.Task) error) {
			t.Helper()
			changed := s.change(t, made, fn)
			got, err := s.Get(t.Context(), user, made.ID)
			must(t, err)
			same(t, name, got, changed)
		}
		step("completed", func(x *task.Task) error { return x.Complete(later) })
		step("reopened", func(x *task.Task) error { return x.Reopen(later) })
		step("deleted", func(x *task.Task) error { return x.Delete(later) })
		step("restored", func(x *task.Task) error { return x.Restore(later) })
		wantEqual(t, "events", types(s.events(t, user, contract.Tasks)), []string{
			contract.TaskCreated.Name, contract.TaskCompleted.Name, contract.TaskReopened.Name, contract.TaskDeleted.Name,
			contract.TaskRestored.Name,
		})
	},
	"a stale version changes nothing and shows the current task": func(t *testing.T, s suite) {
		made := s.made(t, user, titled("x"), start)
		current := s.change(t, made, func(x *task.Task) error { return x.Complete(later) })
		for _, version := range []int{1, 3, -1} {
			got, err := s.Change(t.Context(), user, made.ID, version, func(x *task.Task) error { return x.Delete(later) })
			wantKind(t, "a stale version", err, errs.Stale)
			same(t, "what came with the error", got, current)
		}
		got, err := s.Get(t.Context(), user, made.ID)
		must(t, err)
		same(t, "the stored task", got, current)
	},
	"an error of the change comes back as it is and saves nothing": func(t *testing.T, s suite) {
		made := s.made(t, user, titled("x"), start)
		_, err := s.Change(t.Context(), user, made.ID, 0, func(x *task.Task) error {
			must(t, x.Delete(later))
			return errOwn
		})
		if err != errOwn { //nolint:errorlint // as it is
			t.Errorf("the error is %v", err)
		}
		got, err := s.Get(t.Context(), user, made.ID)
		must(t, err)
		same(t, "the stored task", got, made)
		if n := len(s.events(t, user, contract.Tasks)); n != 1 {
			t.Errorf("there are %d events", n)
		}
	},
	"a change without a fact writes nothing": func(t *testing.T, s suite) {
		made := s.made(t, user, full("x"), start)
		got := s.change(t, made, func(x *task.Task) error { return x.Edit(x.Fields, task.Following, later) })
		same(t, "the returned task", got, made)
		if n := len(s.events(t, user, contract.Tasks)); n != 2 {
			t.Errorf("there are %d events", n)
		}
	},
	"old trash is purged, with an event each, in portions": func(t *testing.T, s suite) {
		kept := s.made(t, user, titled("kept"), start)
		young := s.made(t, user, titled("young"), start)
		s.change(t, young, func(x *task.Task) error { return x.Delete(later) })
		for _, who := range []string{user, "eve", "bob"} {
			for range 2 {
				old := s.made(t, who, titled("old"), start)
				s.change(t, old, func(x *task.Task) error { return x.Delete(start) })
			}
		}
		for _, want := range []int{4, 2, 0} {
			n, err := s.Purge(t.Context(), later, later, 4)
			must(t, err)
			if n != want {
				t.Fatalf("purged %d, want %d", n, want)
			}
		}
		wantEqual(t, "outside the trash", titles(s.list(t, task.Query{})), []string{kept.Title})
		wantEqual(t, "in the trash", titles(s.list(t, task.Query{Deleted: true})), []string{young.Title})
		events := s.events(t, "eve", contract.Tasks)
		if last := events[len(events)-1]; last.Type != contract.TaskPurged.Name || last.Version != 3 {
			t.Errorf("the last event is %s, version %d", last.Type, last.Version)
		}
	},
}
