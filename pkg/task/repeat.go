package task

import (
	"slices"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	contract "github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

// owner is the owner's zone.
func (t *Task) owner() *time.Location {
	zone, err := Zone(t.ownerZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// withDue gives fields with a recurrence and no due date one: the first day from today on, in the owner's zone, that the rule
// selects; today if it selects none.
func (f Fields) withDue(owner *time.Location, now time.Time) Fields {
	if f.Recurrence == nil || !f.Due.IsZero() {
		return f
	}
	today := clockIn(now, owner).Truncate(24 * time.Hour)
	f.Due = Due{Date: today.Format(time.DateOnly)}
	if first, ok := firstDay(f.Recurrence.Rule, owner, today); ok {
		f.Due.Date = first.Format(time.DateOnly)
	}
	return f
}

// mustBegin refuses fields whose rule is over before it would begin today, for lack of a due date. zone is the owner's.
func (f Fields) mustBegin(owner *time.Location, now time.Time) error {
	if f.Recurrence == nil || !f.Due.IsZero() {
		return nil
	}
	if _, ok := firstDay(f.Recurrence.Rule, owner, clockIn(now, owner).Truncate(24*time.Hour)); !ok {
		return errs.InvalidFields(errs.Field{Field: "recurrence.rule", Message: "must not be over already, without a due_date to begin at"})
	}
	return nil
}

// firstDay is the first day from today on, on the clock of a zone, that a rule selects.
func firstDay(text string, zone *time.Location, today time.Time) (time.Time, bool) {
	rule, err := recurrence.Parse(text)
	if err != nil {
		return time.Time{}, false
	}
	return rule.First(today, zone)
}

// begin makes the task the first occurrence of a new series, as f will be. There is a recurrence and a due date.
func (t *Task) begin(f Fields, now time.Time) {
	s := &Series{ID: event.NewID(), UserID: t.UserID, CreatedAt: instant(now)}
	s.set(templateFields, f)
	s.Start, s.WholeDay = f.Due.start(s.zone(t.owner())), f.Due.Date != ""
	s.Progress = Progress{Cursor: s.Start, Made: 1, Newest: t.ID}
	recordSeries(s, contract.SeriesCreated, &taskv1.SeriesCreated{
		Fields: s.message(), Start: wall(s.Start), WholeDay: s.WholeDay,
	}, now)
	t.Series = s
	t.Occurrence = Occurrence{SeriesID: s.ID, At: s.Start}
}

// templateFields are what occurrences take from their series.
var templateFields = []string{"title", "description", "priority", "tags", "reminders", "recurrence"}

// repeat does to the series what a change of the task to f is to it, and returns f as the task will be:
//
//   - A task without a series that is given a recurrence begins one, with a due date if there is none.
//   - The recurrence taken away ends the series; given again, it goes on.
//   - A changed recurrence is the series': it begins anew with this occurrence. Of a COUNT that stays, as many are left as were.
//   - With Following, what else changes is the template's too, and a moved due date has the series begin anew with it.
//
// Otherwise a moved due date is this occurrence's alone: what comes after it comes when it would have come.
func (t *Task) repeat(f Fields, scope Scope, now time.Time) (Fields, error) {
	changed := f.changedSince(t.Fields)
	ruled := slices.Contains(changed, "recurrence")
	if ruled || t.Occurrence.IsZero() {
		if err := f.mustBegin(t.owner(), now); err != nil {
			return f, err
		}
		f = f.withDue(t.owner(), now)
	}
	switch {
	case t.Occurrence.IsZero() && f.Recurrence == nil:
		return f, nil
	case f.Recurrence != nil && f.Recurrence.Anchor == OnCompletion && !t.Open() && !t.followed(ruled):
		return f, errs.InvalidFields(errs.Field{
			Field: "recurrence.anchor", Message: "cannot count from the completion of a task that is done already; reopen it first",
		})
	case t.Occurrence.IsZero():
		t.begin(f, now)
		return f, nil
	case t.Series == nil:
		return f, nil
	case f.Recurrence == nil:
		if ruled {
			t.Series.end(now)
		}
		return f, nil
	}
	s := t.Series
	if ruled {
		s.resume(now)
	}
	var names []string
	if scope == Following {
		names = slices.DeleteFunc(changed, func(name string) bool { return !slices.Contains(templateFields, name) || name == "recurrence" })
	}
	start, wholeDay := s.Start, s.WholeDay
	if ruled || scope == Following && !f.Due.IsZero() && !f.Due.Equal(t.Due) {
		r := s.recurrenceFrom(t, *f.Recurrence, ruled)
		if r != *s.Recurrence {
			names = append(names, "recurrence")
		}
		f.Recurrence = &r
		zone := t.owner()
		if r.TimeZone != "" {
			zone = zoneOr(r.TimeZone, zone)
		}
		start, wholeDay = f.Due.start(zone), f.Due.Date != ""
		s.restart(start, r)
	}
	s.change(names, f, start, wholeDay, now)
	return f, nil
}

// followed reports whether the closed task needs no completion any more for its series to go on.
func (t *Task) followed(ruled bool) bool {
	s := t.Series
	if s == nil {
		return !t.Occurrence.IsZero()
	}
	return !ruled || s.Newest != t.ID || !s.Ended() && s.Recurrence.Anchor == OnCompletion
}

// recurrenceFrom is the series' recurrence when it begins anew with one of its occurrences: the one that was given, or its own
// if none was. Of a rule that is not another, as many are left of its COUNT as were.
func (s *Series) recurrenceFrom(t *Task, given Recurrence, ruled bool) Recurrence {
	own, err := recurrence.Parse(s.Recurrence.Rule)
	if err != nil {
		return given
	}
	kept := *s.Recurrence
	if ruled {
		said, err := recurrence.Parse(given.Rule)
		if err != nil || t.Recurrence == nil || given.Rule != t.Recurrence.Rule || said.WithCount(0).String() != own.WithCount(0).String() {
			return given
		}
		kept = given
		kept.Rule = own.String()
	}
	if own.Count() > 0 {
		kept.Rule = own.WithCount(max(own.Count()-s.before(t, own), 1)).String()
	}
	return kept
}

// before is how many occurrences that count there were before one.
func (s *Series) before(t *Task, rule *recurrence.Rule) int {
	if s.Recurrence.Anchor == OnCompletion {
		return s.Made - 1
	}
	n := 0
	for at := range rule.Walls(s.Start, s.zone(t.owner()), time.Time{}) {
		if !at.Before(t.Occurrence.At) {
			break
		}
		n++
	}
	return n
}

// restart sets the progress back to a new start, by a new recurrence. A day on which there is an occurrence gets no second
// one because the time of day is another now.
func (s *Series) restart(start time.Time, r Recurrence) {
	again := s.Cursor.Truncate(24 * time.Hour).Add(timeOfDay(start))
	if r.Anchor == OnCompletion {
		again = later(again, s.Cursor) // Their places rise, see fromCompletion.
	}
	s.Cursor, s.Made = later(start, again), 1
	if r.TimeZone == "" && !s.InOwnersZone() {
		s.Zone = ""
	}
}

// start is the due date on the clocks of a zone, in whole seconds.
func (d Due) start(zone *time.Location) time.Time {
	if d.Date != "" {
		day, _ := time.Parse(time.DateOnly, d.Date) // checked by Normal
		return day
	}
	return clockIn(d.At, zone)
}

// clockIn is what the clocks of a zone show at an instant, in whole seconds and in UTC as if it were there.
func clockIn(at time.Time, zone *time.Location) time.Time {
	t := at.In(zone)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// timeOfDay is how long after midnight a clock time is.
func timeOfDay(clock time.Time) time.Duration { return clock.Sub(clock.Truncate(24 * time.Hour)) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
