package task_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// loaded is an occurrence with its series as a store gives them to Change: what was recorded before is not there any more.
func loaded(t *testing.T, x task.Task, s *task.Series) (*task.Task, *task.Series) {
	t.Helper()
	of := *s
	must(t, of.Settle("UTC"))
	replayed := replaySeries(t, s)
	if s.Version != replayed.Version || !s.Equal(replayed.Fields) || !s.Start.Equal(replayed.Start) || s.WholeDay != replayed.WholeDay ||
		!s.EndedAt.Equal(replayed.EndedAt) || !s.UpdatedAt.Equal(replayed.UpdatedAt) || s.UserID != replayed.UserID {
		t.Errorf("the series is %+v, replayed %+v", *s, *replayed)
	}
	return &x, &of
}

func replaySeries(t *testing.T, s *task.Series) *task.Series {
	t.Helper()
	var replayed *task.Series
	for _, d := range s.Facts() {
		e, payload := envelope(t, d)
		var err error
		replayed, err = task.ReplaySeries(replayed, e, payload)
		must(t, err)
	}
	return replayed
}

// edit changes what fn changes.
func edit(t *testing.T, x *task.Task, scope task.Scope, now time.Time, fn func(*task.Fields)) error {
	t.Helper()
	f := x.Fields
	fn(&f)
	n, err := f.Normal()
	must(t, err)
	return x.Edit(n, scope, now)
}

func TestATaskThatRepeatsBeginsASeries(t *testing.T) {
	t.Parallel()
	f := normal(t, task.Fields{
		Title: "Water the plants", Description: "d", Priority: task.High, Tags: []string{"home"}, Due: task.Due{At: start}, Reminders: []int{5},
		RemindAt: []time.Time{later}, Recurrence: &task.Recurrence{Rule: "daily", TimeZone: "Asia/Tokyo"},
	})
	fresh := task.New(event.NewID(), "ada", f, start)
	plain := task.New(event.NewID(), "ada", normal(t, task.Fields{Title: "x"}), start)
	must(t, plain.Edit(f, task.This, later))
	for what, x := range map[string]task.Task{"made": fresh, "edited": plain} {
		s := x.Series
		if s == nil || s.Version != 1 || s.UserID != "ada" || s.Newest != x.ID || s.Made != 1 || s.WholeDay {
			t.Fatalf("%s: the series is %+v", what, s)
		}
		// 09:00:00.123 UTC is 18:00 in Tokyo; clocks show no milliseconds.
		if want := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC); !s.Start.Equal(want) || !s.Cursor.Equal(want) || x.Occurrence != (task.Occurrence{SeriesID: s.ID, At: want}) {
			t.Errorf("%s: it starts at %v, the task is %+v", what, s.Start, x.Occurrence)
		}
		template := f
		template.Due, template.RemindAt = task.Due{}, nil
		if !s.Equal(template) || !x.Equal(f) {
			t.Errorf("%s: the template is %+v", what, s.Fields)
		}
		replayed := replaySeries(t, s)
		replayed.Progress = s.Progress
		if !replayed.Equal(s.Fields) || !replayed.Start.Equal(s.Start) || replayed.Version != 1 || !replayed.CreatedAt.Equal(s.CreatedAt) {
			t.Errorf("%s: replayed it is %+v", what, replayed)
		}
		var again *task.Task
		for _, d := range x.Facts() {
			e, payload := envelope(t, d)
			var err error
			again, err = task.Replay(again, e, payload)
			must(t, err)
		}
		if again.Occurrence != x.Occurrence || !again.Equal(x.Fields) {
			t.Errorf("%s: replayed the task is %+v", what, again)
		}
	}
}

func TestWhatRepeatsWithoutADueDateBeginsOnTheFirstDayItCan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rule, zone, want string }{
		{"daily", "UTC", "2026-11-22"},
		{"daily", "Pacific/Auckland", "2026-11-22"},
		{"daily", "Pacific/Kiritimati", "2026-11-22"},
		{"FREQ=WEEKLY;BYDAY=TH", "UTC", "2026-11-26"},
		{"FREQ=MONTHLY;BYMONTHDAY=-1", "UTC", "2026-11-30"},
		{"FREQ=DAILY;UNTIL=20200101", "UTC", "2026-11-22"}, // the Service refuses it
	} {
		x := task.New(event.NewID(), "ada", normal(t, task.Fields{Title: "x"}), start)
		x.In(c.zone)
		err := edit(t, &x, task.This, start, func(f *task.Fields) { f.Recurrence = &task.Recurrence{Rule: c.rule} })
		if c.rule == "FREQ=DAILY;UNTIL=20200101" {
			if !errs.Is(err, errs.Invalid) || x.Series != nil {
				t.Errorf("what is over already: %v", err)
			}
			continue
		}
		must(t, err)
		if x.Due.Date != c.want || !x.Series.WholeDay || x.Series.Start.Format(time.DateOnly) != c.want {
			t.Errorf("%s in %s begins on %q", c.rule, c.zone, x.Due.Date)
		}
	}
	// At nine in the evening of the 22nd it is the 23rd already in Auckland.
	x := task.New(event.NewID(), "ada", normal(t, task.Fields{Title: "x"}), start)
	must(t, edit(t, x.In("Pacific/Auckland"), task.This, start.Add(12*time.Hour), func(f *task.Fields) { f.Recurrence = &task.Recurrence{Rule: "daily"} }))
	if x.Due.Date != "2026-11-23" {
		t.Errorf("it begins on %s", x.Due.Date)
	}
}

func TestWhatAChangeOfOneOccurrenceIsToItsSeries(t *testing.T) {
	t.Parallel()
	move := func(due string) func(*task.Fields) {
		return func(f *task.Fields) { f.Due = task.Due{At: onClock(t, due, "UTC")} }
	}
	rule := func(rule string) func(*task.Fields) {
		return func(f *task.Fields) {
			r := *f.Recurrence
			r.Rule, f.Recurrence = rule, &r
		}
	}
	both := func(fns ...func(*task.Fields)) func(*task.Fields) {
		return func(f *task.Fields) {
			for _, fn := range fns {
				fn(f)
			}
		}
	}
	// Each begins on Monday, 23 November, at nine, weekly for ten weeks; ahead says how many more are made before the change.
	for name, c := range map[string]struct {
		ahead int
		scope task.Scope
		edit  func(*task.Fields)
		facts []string
		// rule and next are the series' afterwards, title that of what is made next.
		rule, next, title string
	}{
		"a moved due date is this occurrence's": {
			0, task.This, move("2026-11-25T09:00"), nil, "FREQ=WEEKLY;COUNT=10", "2026-11-30T09:00", "x",
		},
		"a new title is this occurrence's": {
			0, task.This, func(f *task.Fields) { f.Title = "y" }, nil, "FREQ=WEEKLY;COUNT=10", "2026-11-30T09:00", "x",
		},
		"a new title for those that follow": {
			0, task.Following, func(f *task.Fields) { f.Title = "y" }, []string{"series.updated 2"}, "FREQ=WEEKLY;COUNT=10", "2026-11-30T09:00", "y",
		},
		"a reminder at a time of its own is this occurrence's": {
			0, task.Following, func(f *task.Fields) { f.RemindAt = []time.Time{later} }, nil, "FREQ=WEEKLY;COUNT=10", "2026-11-30T09:00", "x",
		},
		"another day for those that follow": {
			0, task.Following, move("2026-11-25T09:00"), []string{"series.updated 2"}, "FREQ=WEEKLY;COUNT=10", "2026-12-02T09:00", "x",
		},
		"an earlier day for those that follow": {
			0, task.Following, move("2026-11-22T09:00"), []string{"series.updated 2"}, "FREQ=WEEKLY;COUNT=10", "2026-11-29T09:00", "x",
		},
		"another time of day for those that follow": {
			0, task.Following, move("2026-11-23T10:00"), []string{"series.updated 2"}, "FREQ=WEEKLY;COUNT=10", "2026-11-30T10:00", "x",
		},
		"another time of day does not bring back a day there is": {
			2, task.Following, move("2026-12-07T18:00"), []string{"series.updated 2"}, "FREQ=WEEKLY;COUNT=8", "2026-12-14T18:00", "x",
		},
		"those that follow become whole days": {
			0, task.Following, func(f *task.Fields) { f.Due = task.Due{Date: "2026-11-24"} }, []string{"series.updated 2"}, "FREQ=WEEKLY;COUNT=10", "2026-12-01T00:00", "x",
		},
		"another rule begins with this occurrence": {
			0, task.This, rule("FREQ=DAILY"), []string{"series.updated 2"}, "FREQ=DAILY", "2026-11-24T09:00", "x",
		},
		"another rule and another day begin with that day": {
			0, task.This, both(rule("FREQ=DAILY"), move("2026-12-01T09:00")), []string{"series.updated 2"}, "FREQ=DAILY", "2026-12-02T09:00", "x",
		},
		"another COUNT counts from this occurrence": {
			3, task.This, rule("FREQ=WEEKLY;COUNT=2"), []string{"series.updated 2"}, "FREQ=WEEKLY;COUNT=2", "2026-12-21T09:00", "x",
		},
		"of the same COUNT as many are left as were, in another zone": {
			3, task.This, func(f *task.Fields) {
				r := *f.Recurrence
				r.TimeZone, f.Recurrence = "Asia/Tokyo", &r
			}, []string{"series.updated 2"}, "FREQ=WEEKLY;COUNT=7", "2026-12-21T18:00", "x",
		},
		"of the same COUNT as many are left as were, on another day": {
			3, task.Following, move("2026-12-15T09:00"), []string{"series.updated 2"}, "FREQ=WEEKLY;COUNT=7", "2026-12-22T09:00", "x",
		},
		"counted from completion, the clock makes none": {
			0, task.This, func(f *task.Fields) {
				r := *f.Recurrence
				r.Anchor, f.Recurrence = task.OnCompletion, &r
			}, []string{"series.updated 2"}, "FREQ=WEEKLY;COUNT=10", "0001-01-01T00:00", "x",
		},
		"no recurrence ends it": {
			0, task.This, func(f *task.Fields) { f.Recurrence = nil }, []string{"series.ended 2"}, "FREQ=WEEKLY;COUNT=10", "0001-01-01T00:00", "x",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, s := plan{rule: "FREQ=WEEKLY;COUNT=10", due: "2026-11-23T09:00"}.begin(t)
			s.Recurrence.TimeZone, first.Recurrence.TimeZone = "", ""
			x, of := loaded(t, first, s)
			for range c.ahead {
				did, err := of.Advance("UTC", task.Cause{Closed: of.Newest, ClosedAt: later}, later)
				must(t, err)
				made := did.Made[0]
				x = &made
			}
			x.Series = of
			before, known := x.Occurrence, len(of.Facts())
			must(t, edit(t, x, c.scope, later, c.edit))
			must(t, of.Settle("UTC"))
			if got := names(of.Facts()[known:]); !slices.Equal(got, c.facts) {
				t.Errorf("the facts are %v, want %v", got, c.facts)
			}
			if next := of.Next.Format("2006-01-02T15:04"); of.Recurrence.Rule != c.rule || next != c.next || x.Occurrence != before {
				t.Errorf("it is %s and goes on at %s, want %s at %s", of.Recurrence.Rule, next, c.rule, c.next)
			}
			if of.NextAt.IsZero() {
				return
			}
			did, err := of.Advance("UTC", task.Cause{}, of.NextAt)
			must(t, err)
			if made := did.Made[0]; made.Title != c.title || !reflect.DeepEqual(made.Recurrence, of.Recurrence) {
				t.Errorf("what is made next is %+v", made)
			}
			loaded(t, *x, of)
		})
	}
}

func TestADayThatHasAnOccurrenceGetsNoSecondOne(t *testing.T) {
	t.Parallel()
	for due, next := range map[string]string{
		"2026-11-23T18:00": "2026-11-25T18:00", "2026-11-23T08:00": "2026-11-25T08:00", "2026-11-22T09:00": "2026-11-25T09:00",
		"2026-11-30T09:00": "2026-12-01T09:00",
	} {
		// The clock has made the one of the 24th when the 23rd's is moved with those that follow.
		x, s := plan{rule: "daily", due: "2026-11-23T09:00"}.begin(t)
		did, err := s.Advance("UTC", task.Cause{}, onClock(t, "2026-11-24T09:00", ""))
		must(t, err)
		if len(did.Made) != 1 {
			t.Fatalf("it made %+v", did)
		}
		must(t, edit(t, &x, task.Following, later, func(f *task.Fields) { f.Due.At = onClock(t, due, "") }))
		must(t, s.Settle("UTC"))
		if got := s.Next.Format("2006-01-02T15:04"); got != next {
			t.Errorf("moved to %s, it goes on at %s, want %s", due, got, next)
		}
	}
}

func TestASeriesThatEndedGoesOn(t *testing.T) {
	t.Parallel()
	first, s := plan{rule: "weekly", due: "2026-11-23T09:00"}.begin(t)
	x, of := loaded(t, first, s)
	x.Series = of
	must(t, edit(t, x, task.This, start, func(f *task.Fields) { f.Recurrence = nil }))
	if !of.Ended() || x.Recurrence != nil || x.Occurrence.IsZero() {
		t.Fatalf("it has not ended: %+v of %+v", x, of)
	}
	if did, err := of.Advance("UTC", task.Cause{Closed: x.ID, ClosedAt: later}, later.AddDate(1, 0, 0)); err != nil || len(did.Made) > 0 {
		t.Errorf("after its end %v was made (%v)", allDue(did.Made, "UTC"), err)
	}
	must(t, edit(t, x, task.This, later, func(f *task.Fields) { f.Recurrence = &task.Recurrence{Rule: "daily"} }))
	must(t, of.Settle("UTC"))
	if of.Ended() || of.Next.Format(time.DateOnly) != "2026-11-24" {
		t.Errorf("it goes on at %v: %+v", of.Next, of)
	}
	if got := names(of.Facts()); !slices.Equal(got, []string{"series.created 1", "series.ended 2", "series.resumed 3", "series.updated 4"}) {
		t.Errorf("the facts are %v", got)
	}
	loaded(t, *x, of)
}

func TestDeletingTheOpenNewestOccurrenceEndsItsSeries(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(x *task.Task, s *task.Series)
		ends   bool
	}{
		"open and the newest": {func(*task.Task, *task.Series) {}, true},
		"done":                {func(x *task.Task, _ *task.Series) { must(t, x.Complete(start)) }, false},
		"skipped":             {func(x *task.Task, _ *task.Series) { must(t, x.Skip(start)) }, false},
		"not the newest":      {func(_ *task.Task, s *task.Series) { s.Newest = event.NewID() }, false},
	} {
		x, s := plan{rule: "weekly", due: "2026-11-23T09:00"}.begin(t)
		c.before(&x, s)
		must(t, x.Delete(later))
		if s.Ended() != c.ends {
			t.Errorf("%s: ended is %t", name, s.Ended())
		}
		must(t, x.Restore(later.Add(time.Hour)))
		if s.Ended() {
			t.Errorf("%s: restored, it is ended", name)
		}
		loaded(t, x, s)
	}
	// A series that somebody had ended before stays so.
	x, s := plan{rule: "weekly", due: "2026-11-23T09:00"}.begin(t)
	must(t, edit(t, &x, task.This, start, func(f *task.Fields) { f.Recurrence = nil }))
	must(t, x.Delete(later))
	must(t, x.Restore(later))
	if !s.Ended() {
		t.Error("it goes on")
	}
}

func TestAnOccurrenceIsSkippedOnceAndOpenedAgain(t *testing.T) {
	t.Parallel()
	x, _ := plan{rule: "weekly", due: "2026-11-23T09:00"}.begin(t)
	must(t, x.Skip(later))
	must(t, x.Skip(later))
	if x.Open() || x.Completed() || !x.SkippedAt.Equal(later) {
		t.Errorf("skipped it is %+v", x)
	}
	must(t, x.Reopen(later))
	if !x.Open() {
		t.Errorf("opened again it is %+v", x)
	}
	must(t, x.Skip(later))
	must(t, x.Complete(later))
	if !x.Completed() || !x.SkippedAt.IsZero() {
		t.Errorf("done it is %+v", x)
	}
	want := []string{"task.created 1", "task.skipped 2", "task.reopened 3", "task.skipped 4", "task.completed 5"}
	if got := names(x.Facts()); !slices.Equal(got, want) {
		t.Errorf("the facts are %v", got)
	}
	var replayed *task.Task
	for _, d := range x.Facts() {
		e, payload := envelope(t, d)
		var err error
		replayed, err = task.Replay(replayed, e, payload)
		must(t, err)
	}
	if !replayed.CompletedAt.Equal(x.CompletedAt) || !replayed.SkippedAt.IsZero() {
		t.Errorf("replayed it is %+v", replayed)
	}
	plain := task.New(event.NewID(), "ada", normal(t, task.Fields{Title: "x"}), start)
	for what, err := range map[string]error{"one that is done": x.Skip(later), "one that does not repeat": plain.Skip(later)} {
		if !errs.Is(err, errs.Conflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
	must(t, x.Delete(later))
	if err := x.Skip(later); !errs.Is(err, errs.Conflict) {
		t.Errorf("in the trash: %v", err)
	}
}

func TestADoneTaskDoesNotBeginToCountFromItsCompletion(t *testing.T) {
	t.Parallel()
	repeat := func(f *task.Fields) { f.Recurrence = &task.Recurrence{Rule: "daily", Anchor: task.OnCompletion} }
	x := task.New(event.NewID(), "ada", normal(t, task.Fields{Title: "x"}), start)
	must(t, x.Complete(start))
	if err := edit(t, &x, task.This, later, repeat); !errs.Is(err, errs.Invalid) || x.Series != nil {
		t.Errorf("it is %+v (%v)", x, err)
	}
	must(t, x.Reopen(later))
	must(t, edit(t, &x, task.This, later, repeat))
	must(t, x.Complete(later))
	// Completed within its series, what follows is on its way already.
	must(t, edit(t, &x, task.Following, later, func(f *task.Fields) { f.Title = "y" }))
}

func TestEventsOfASeriesOutOfPlaceAreNotReplayed(t *testing.T) {
	t.Parallel()
	x, s := plan{rule: "weekly", due: "2026-11-23T09:00"}.begin(t)
	must(t, x.Delete(later))
	must(t, x.Restore(later))
	created, createdPayload := envelope(t, s.Facts()[0])
	ended, endedPayload := envelope(t, s.Facts()[1])
	resumed, resumedPayload := envelope(t, s.Facts()[2])
	one, err := task.ReplaySeries(nil, created, createdPayload)
	must(t, err)
	for what, replay := range map[string]func() (*task.Series, error){
		"ended before it is created": func() (*task.Series, error) { return task.ReplaySeries(nil, ended, endedPayload) },
		"created twice":              func() (*task.Series, error) { return task.ReplaySeries(one, created, createdPayload) },
		"a version that is missing":  func() (*task.Series, error) { return task.ReplaySeries(one, resumed, resumedPayload) },
	} {
		if _, err := replay(); !errs.Is(err, errs.Conflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
	stranger, strangerPayload := envelope(t, x.Facts()[1])
	if _, err := task.ReplaySeries(one, stranger, strangerPayload); !errs.Is(err, errs.Invalid) {
		t.Errorf("a task's event: %v", err)
	}
}

func TestWhichAlarmsRing(t *testing.T) {
	t.Parallel()
	oslo, err := task.Zone("Europe/Oslo")
	must(t, err)
	f := normal(t, task.Fields{
		Title: "x", Due: task.Due{At: start.Add(24 * time.Hour)}, Reminders: []int{0, 10, 2880}, RemindAt: []time.Time{start.Add(-time.Hour), later},
	})
	alarms := func(x *task.Task) (all []string) {
		for _, a := range x.Alarms(oslo) {
			all = append(all, fmt.Sprint(a.Minutes, " ", a.At.Format("2T15:04")))
		}
		return all
	}
	x := task.New(event.NewID(), "ada", f, start)
	check := func(what string, want ...string) {
		t.Helper()
		if got := alarms(&x); !slices.Equal(got, want) || !x.AlarmsChanged() {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	check("those that are to come", "0 23T09:00", "10 23T08:50", "-1 22T10:00")
	must(t, edit(t, &x, task.This, later.Add(time.Minute), func(f *task.Fields) { f.Due = task.Due{Date: "2026-11-24"} }))
	check("a day's count back from nine", "0 24T08:00", "10 24T07:50")
	must(t, x.Complete(later))
	check("none when it is done")
	must(t, x.Reopen(later))
	check("those to come when it is opened", "0 24T08:00", "10 24T07:50", "-1 22T10:00")
	must(t, x.Delete(later))
	check("none in the trash")

	plain, _ := plan{rule: "daily", due: "2026-11-22T09:00", reminders: []int{0, 60}}.begin(t)
	stored := task.Task{ID: plain.ID, UserID: plain.UserID, Fields: plain.Fields, Version: 1}
	must(t, edit(t, &stored, task.This, later, func(f *task.Fields) { f.Title = "y" }))
	if stored.AlarmsChanged() {
		t.Error("another title sets the alarms anew")
	}
	// Made late by the clock, it has its reminders all the same.
	did, err := plain.Series.Advance("UTC", task.Cause{}, onClock(t, "2026-11-25T20:00", "UTC"))
	must(t, err)
	x = did.Made[0]
	check("late ones", "0 25T09:00", "60 25T08:00")
	// Made because the one before was done.
	did, err = plain.Series.Advance("UTC", task.Cause{Closed: x.ID, ClosedAt: onClock(t, "2026-11-26T08:30", "UTC")}, onClock(t, "2026-11-26T07:30", "UTC"))
	must(t, err)
	x = did.Made[0]
	check("those to come", "0 26T09:00", "60 26T08:00")
}
