package recurrence

import (
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// Series are the first n occurrences of a task that repeats and is first due at start, in rising order and in UTC: start,
// whether the rule selects it or not, and what follows on it, by the schedule (see Walls), or, fromCompletion, each counted
// from the one before as if that had been done the day it was due. COUNT counts start; there are fewer if it ends before n.
//
// There are none if the rule selects nothing from start on: a task that begins there does not repeat. errs.Invalid as
// Occurrences.
func (r *Rule) Series(start time.Time, zone *time.Location, fromCompletion bool, n int) ([]time.Time, error) {
	if n < 1 || n > MaxOccurrences {
		return nil, errs.New(errs.Invalid, "1 to %d occurrences at a time", MaxOccurrences)
	}
	if !inRange(start) {
		return nil, errs.New(errs.Invalid, "must begin in the years 1 to %d", lastYear)
	}
	if _, ok := r.First(start, zone); !ok {
		return nil, nil
	}
	if fromCompletion {
		return r.completed(start, zone, n), nil
	}
	var found []time.Time
	for wall := range r.Walls(start, zone, time.Time{}) {
		if found = append(found, Instant(wall, zone).UTC()); len(found) == n {
			break
		}
	}
	return found, nil
}

func (r *Rule) completed(start time.Time, zone *time.Location, n int) []time.Time {
	if r.count > 0 {
		n = min(n, r.count)
	}
	found := []time.Time{Instant(start, zone).UTC()}
	for len(found) < n {
		next, ok := r.AfterCompletion(start, zone, found[len(found)-1])
		if !ok {
			break
		}
		found = append(found, next)
	}
	return found
}

// First is what the clocks in zone show when the rule selects the first time, if it is counted from start: start itself, if it
// selects that. It is in UTC as if it were there. It is where a task begins that repeats and was given no due date. False if
// there is none.
func (r *Rule) First(start time.Time, zone *time.Location) (first time.Time, ok bool) {
	if !inRange(start) {
		return time.Time{}, false
	}
	x := r.expand(start)
	x.walls(x.start, clockOf(start), func(wall time.Time) bool {
		first, ok = wall, x.untilAt.IsZero() || !Instant(wall, zone).After(x.untilAt)
		return false
	})
	if !ok {
		return time.Time{}, false
	}
	return first, true
}

func inRange(start time.Time) bool { return start.Year() >= 1 && start.Year() <= lastYear }
