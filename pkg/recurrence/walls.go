package recurrence

import (
	"iter"
	"time"
)

// Walls yields what the clocks in zone show when the rule repeats, if it begins at start: in rising order, what comes after a
// time of the clock, everything if that is zero. All of them are in UTC as if they were there; Instant says when each is. Start
// itself is the first, whether the rule selects it or not, and COUNT counts it (RFC 5545, section 3.8.5.3).
//
// What is yielded is the rule's, day by day: two occurrences are a day apart at least. Looking for them costs a step per
// selected day on the way, and with COUNT at most as many as it counts.
func (r *Rule) Walls(start time.Time, zone *time.Location, after time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		if start.Year() < 1 || start.Year() > lastYear || after.Year() > lastYear {
			return
		}
		start = asUTC(start)
		if start.After(after) && !yield(start) {
			return
		}
		if after.Before(start) {
			after = start
		}
		x := r.expand(start)
		if x.count > 0 && !x.selected(x.start) {
			if x.count--; x.count == 0 {
				return
			}
		}
		last := Instant(after, zone)
		x.walls(dayOf(after), clockOf(start), func(wall time.Time) bool {
			if !wall.After(after) {
				return true
			}
			at := Instant(wall, zone)
			if !x.untilAt.IsZero() && at.After(x.untilAt) {
				return false
			}
			if !at.After(last) {
				return true // A day that the zone jumped over fell upon this one: see occurrences.
			}
			last = at
			return yield(wall)
		})
	}
}

// FromCompletion is what the clocks in zone show when a task repeats that counts from the day it was done: the first time the
// rule selects after that day if it begins on it, at start's time of day. COUNT has no say, because what has been before is not
// known here: whoever keeps the task counts. False if the rule has ended.
func (r *Rule) FromCompletion(start time.Time, zone *time.Location, done time.Time) (next time.Time, ok bool) {
	endless := *r
	endless.count = 0
	day, clock := done.In(zone), asUTC(start)
	begin := time.Date(day.Year(), day.Month(), day.Day(), clock.Hour(), clock.Minute(), clock.Second(), clock.Nanosecond(), time.UTC)
	endless.Walls(begin, zone, begin)(func(wall time.Time) bool {
		next, ok = wall, true
		return false
	})
	return next, ok
}

// asUTC is a time as its clocks show it, as if they were in UTC.
func asUTC(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// clockOf is the time of day.
func clockOf(t time.Time) time.Duration {
	hour, minute, second := t.Clock()
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(t.Nanosecond())
}
