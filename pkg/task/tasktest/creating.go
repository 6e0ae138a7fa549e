package tasktest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/task"
	contract "github.com/taskflow-suite/taskflow/proto"
)

var creating = map[string]func(*testing.T, suite){
	"a created task is read as it was made": func(t *testing.T, s suite) {
		limits := task.Fields{Title: strings.Repeat("ü", task.MaxTitle), Description: strings.Repeat("€", task.MaxDescription)}
		for _, f := range []task.Fields{titled("plain"), full("full"), {Title: "day", Due: task.Due{Date: "2026-12-01"}}, limits} {
			made := s.made(t, user, f, start)
			got, err := s.Get(t.Context(), user, made.ID)
			must(t, err)
			same(t, "the stored task", got, made)
			if got.CreatedAt.Location() != time.UTC {
				t.Error("an instant does not come back in UTC")
			}
		}
	},
	"a task is found by its owner only": func(t *testing.T, s suite) {
		made := s.made(t, user, titled("mine"), start)
		s.profile(t, "eve")
		for what, ask := range map[string][2]string{
			"another user":      {"eve", made.ID},
			"no such user":      {"nobody", made.ID},
			"no such task":      {user, event.NewID()},
			"no id at all":      {user, ""},
			"an id of nonsense": {user, "../../etc/passwd"},
			"an id with a NUL":  {user, "a\x00b"},
		} {
			_, err := s.Get(t.Context(), ask[0], ask[1])
			wantKind(t, what+" reads", err, errs.NotFound)
			_, err = s.Change(t.Context(), ask[0], ask[1], 0, func(x *task.Task) error { return x.Delete(start) })
			wantKind(t, what+" changes", err, errs.NotFound)
		}
	},
	"tasks made together have their events in order": func(t *testing.T, s suite) {
		s.profile(t, user)
		var tasks []task.Task
		for range task.MaxBatch {
			tasks = append(tasks, fresh(t, user, full("batch"), start))
		}
		must(t, s.Create(t.Context(), user, task.Idempotency{}, tasks...))
		events := s.events(t, user, contract.Tasks)
		if len(events) != 2*len(tasks) {
			t.Fatalf("%d tasks that repeat made %d events", len(tasks), len(events))
		}
		for i, e := range events {
			of, name := tasks[i/2].ID, contract.TaskCreated.Name
			if i%2 == 1 {
				of, name = tasks[i/2].Occurrence.SeriesID, contract.SeriesCreated.Name
			}
			if e.AggregateID != of || e.Sequence != int64(i+1) || e.Type != name || e.Version != 1 {
				t.Fatalf("event %d is %s of %s, version %d, sequence %d", i, e.Type, e.AggregateID, e.Version, e.Sequence)
			}
		}
		if !slices.IsSortedFunc(events, func(a, b event.Envelope) int { return strings.Compare(a.ID, b.ID) }) {
			t.Error("event ids do not rise with the sequence")
		}
	},
	"one taken id refuses the whole batch": func(t *testing.T, s suite) {
		made := s.made(t, user, titled("first"), start)
		other := fresh(t, user, titled("other"), start)
		err := s.Create(t.Context(), user, task.Idempotency{}, other, made)
		wantKind(t, "a taken id", err, errs.Conflict)
		_, err = s.Get(t.Context(), user, other.ID)
		wantKind(t, "the other task of the batch", err, errs.NotFound)
		if n := len(s.events(t, user, contract.Tasks)); n != 1 {
			t.Errorf("the refused batch left %d events", n-1)
		}
	},
	"no task, too many and another user's are refused": func(t *testing.T, s suite) {
		s.profile(t, user)
		wantKind(t, "none", s.Create(t.Context(), user, task.Idempotency{}), errs.Invalid)
		many := make([]task.Task, task.MaxBatch+1)
		for i := range many {
			many[i] = fresh(t, user, titled("many"), start)
		}
		wantKind(t, "101", s.Create(t.Context(), user, task.Idempotency{}, many...), errs.Invalid)
		wantKind(t, "another's", s.Create(t.Context(), user, task.Idempotency{}, fresh(t, "eve", titled("x"), start)), errs.Invalid)
	},
	"the first task of somebody unknown makes the profile": func(t *testing.T, s suite) {
		for _, f := range []task.Fields{titled("plain"), {Title: "day", Due: task.Due{Date: "2026-12-01"}}} {
			who := "new " + f.Title
			made := fresh(t, who, f, start)
			must(t, s.Create(t.Context(), who, task.Idempotency{}, made))
			wantEqual(t, "events of "+who, types(s.events(t, who, contract.Users)), []string{contract.UserCreated.Name})
			if p := s.profile(t, who); p.TimeZone != "UTC" {
				t.Errorf("the profile is in %s", p.TimeZone)
			}
		}
	},
	"an idempotency key takes effect once and is recalled": func(t *testing.T, s suite) {
		s.profile(t, user)
		once := task.Idempotency{Key: "k'1", Hash: "h1", Answer: []byte("{\"a\":\x00}")}
		_, err := s.Recall(t.Context(), user, once.Key)
		wantKind(t, "recalled before", err, errs.NotFound)
		first, second := fresh(t, user, titled("first"), start), fresh(t, user, titled("second"), start)
		must(t, s.Create(t.Context(), user, once, first))
		wantKind(t, "used again", s.Create(t.Context(), user, once, second), errs.Conflict)
		_, err = s.Get(t.Context(), user, second.ID)
		wantKind(t, "what was refused", err, errs.NotFound)
		got, err := s.Recall(t.Context(), user, once.Key)
		must(t, err)
		if got.Hash != once.Hash || string(got.Answer) != string(once.Answer) || got.Key != once.Key {
			t.Errorf("recalled %+v, want %+v", got, once)
		}
		s.profile(t, "eve")
		_, err = s.Recall(t.Context(), "eve", once.Key)
		wantKind(t, "recalled by another user", err, errs.NotFound)
		must(t, s.Create(t.Context(), "eve", once, fresh(t, "eve", titled("hers"), start)))
	},
	"a refused request leaves its idempotency key free": func(t *testing.T, s suite) {
		made := s.made(t, user, titled("first"), start)
		once := task.Idempotency{Key: "k", Hash: "h", Answer: []byte("a")}
		wantKind(t, "a taken id", s.Create(t.Context(), user, once, made), errs.Conflict)
		_, err := s.Recall(t.Context(), user, once.Key)
		wantKind(t, "recalled", err, errs.NotFound)
		must(t, s.Create(t.Context(), user, once, fresh(t, user, titled("second"), start)))
	},
}
