// Package tasktest is the suite every task.Store passes: what the comments of the interface promise, tried.
//
// It knows nothing of how a store keeps things. What it cannot see through the interface, each store's own tests show.
package tasktest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/task"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// Store runs the suite. open returns an empty store of the given test's own, which is a task.Agenda too; the subtests run in
// parallel.
func Store(t *testing.T, open func(t *testing.T) task.Store) {
	t.Helper()
	for _, part := range []map[string]func(*testing.T, suite){
		creating, changing, listing, counting, people, logging, together, repeating, ringing, claiming,
	} {
		for name, test := range part {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, suite{open(t)})
			})
		}
	}
}

// suite is one test's store with the words the tests are written in.
type suite struct{ task.Store }

// start is when the tests' clock begins.
var start = time.Date(2026, 11, 22, 9, 0, 0, 123_000_000, time.UTC)

const user = "ada"

func (s suite) profile(t *testing.T, userID string) task.Profile {
	t.Helper()
	p, err := s.EnsureProfile(t.Context(), userID, "UTC", start)
	must(t, err)
	return p
}

// made is a task of the user with fields that are not normalised yet, saved.
func (s suite) made(t *testing.T, userID string, f task.Fields, at time.Time) task.Task {
	t.Helper()
	s.profile(t, userID)
	made := fresh(t, userID, f, at)
	must(t, s.Create(t.Context(), userID, task.Idempotency{}, made))
	return made
}

// fresh is a new task that is not saved yet.
func fresh(t *testing.T, userID string, f task.Fields, at time.Time) task.Task {
	t.Helper()
	normal, err := f.Normal()
	must(t, err)
	return task.New(event.NewID(), userID, normal, at)
}

func titled(title string) task.Fields { return task.Fields{Title: title} }

// full uses every field.
func full(title string) task.Fields {
	return task.Fields{
		Title: title, Description: "two lines\nof \"text\", with {braces} and \\", Priority: task.High,
		Tags: []string{"a,b", `quo"ted`, "üñï", `back\slash`, "NULL"}, Due: task.Due{At: start.Add(48 * time.Hour)},
		Reminders: []int{0, 10, 1440}, RemindAt: []time.Time{start.Add(time.Hour), start.Add(36 * time.Hour)},
		Recurrence: &task.Recurrence{Rule: "weekly", Anchor: task.OnCompletion, TimeZone: "Europe/Oslo", CatchUp: task.All},
	}
}

// change applies fn to the current version and fails the test if that fails.
func (s suite) change(t *testing.T, made task.Task, fn func(*task.Task) error) task.Task {
	t.Helper()
	changed, err := s.Change(t.Context(), made.UserID, made.ID, 0, fn)
	must(t, err)
	return changed
}

// same compares what is stored of two tasks.
func same(t *testing.T, what string, got, want task.Task) {
	t.Helper()
	if got.ID != want.ID || got.UserID != want.UserID || !got.Equal(want.Fields) || got.Version != want.Version ||
		got.Occurrence.SeriesID != want.Occurrence.SeriesID || !got.Occurrence.At.Equal(want.Occurrence.At) ||
		!got.CompletedAt.Equal(want.CompletedAt) || !got.SkippedAt.Equal(want.SkippedAt) || !got.CreatedAt.Equal(want.CreatedAt) ||
		!got.UpdatedAt.Equal(want.UpdatedAt) || !got.DeletedAt.Equal(want.DeletedAt) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// events are all of a user's events of a topic.
func (s suite) events(t *testing.T, userID string, topic contract.Topic) []event.Envelope {
	t.Helper()
	var all []event.Envelope
	for {
		since := int64(0)
		if n := len(all); n > 0 {
			since = all[n-1].Sequence
		}
		more, head, err := s.Events(t.Context(), task.EventQuery{UserID: userID, Topic: topic, Since: since, Limit: 1000})
		must(t, err)
		if len(more) == 0 {
			if head != since && len(all) > 0 {
				t.Errorf("the log of %s on %s ends at %d, its head says %d", userID, topic, since, head)
			}
			return all
		}
		all = append(all, more...)
	}
}

func types(events []event.Envelope) []string {
	var names []string
	for _, e := range events {
		names = append(names, e.Type)
	}
	return names
}

func (s suite) list(t *testing.T, q task.Query) []task.Task {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = task.MaxPage
	}
	page, err := s.List(t.Context(), user, q)
	must(t, err)
	return page.Tasks
}

func titles(tasks []task.Task) []string {
	var names []string
	for _, t := range tasks {
		names = append(names, t.Title)
	}
	return names
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, what string, err error, kind errs.Kind) {
	t.Helper()
	if !errs.Is(err, kind) {
		t.Errorf("%s: the error is %q (%v), want one that is %v", what, err, errs.KindOf(err), kind)
	}
}

func wantEqual[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

var errOwn = errors.New("the caller's own")
