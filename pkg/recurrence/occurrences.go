package recurrence

import (
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// MaxOccurrences is how many can be asked for at once.
const MaxOccurrences = 1000

// Occurrences are the first n times after an instant at which a rule repeats: see Rule.Occurrences. errs.Invalid also for a
// rule that Parse refuses.
func Occurrences(rule string, start time.Time, zone *time.Location, after time.Time, n int) ([]time.Time, error) {
	r, err := Parse(rule)
	if err != nil {
		return nil, err
	}
	return r.Occurrences(start, zone, after, n)
}

// Occurrences are the first n times after an instant at which the rule, if it begins at start, repeats, in rising order
// and in UTC; fewer if it ends before.
//
// Start is what the clocks in zone show at the beginning: its date and time of day count, its location does not, so an
// instant must be given In(zone). It is an occurrence itself if the rule selects it. A zero after asks for the first of
// all.
//
// The rule is expanded on the calendar and the clock of zone, and only then turned into instants, as Instant does. So a
// day of a month stays that day: a rule on the 31st has no occurrence in a shorter month, and BYMONTHDAY=-1 is the last
// day of each. The last year with occurrences is 9998.
//
// errs.Invalid for n outside 1 to MaxOccurrences, and for a start outside the years 1 to 9999.
func (r *Rule) Occurrences(start time.Time, zone *time.Location, after time.Time, n int) ([]time.Time, error) {
	if n < 1 || n > MaxOccurrences {
		return nil, errs.New(errs.Invalid, "1 to %d occurrences at a time", MaxOccurrences)
	}
	if start.Year() < 1 || start.Year() > lastYear+1 {
		return nil, errs.New(errs.Invalid, "must begin in the years 1 to %d", lastYear)
	}
	found, _ := r.occurrences(start, zone, after, n)
	return found, nil
}

// Next is the first time after an instant at which the rule repeats: see Occurrences. False if it has ended.
func (r *Rule) Next(start time.Time, zone *time.Location, after time.Time) (time.Time, bool) {
	found, err := r.Occurrences(start, zone, after, 1)
	if err != nil || len(found) == 0 {
		return time.Time{}, false
	}
	return found[0], true
}

// AfterCompletion is FromCompletion as an instant, in UTC.
func (r *Rule) AfterCompletion(start time.Time, zone *time.Location, done time.Time) (time.Time, bool) {
	wall, ok := r.FromCompletion(start, zone, done)
	if !ok {
		return time.Time{}, false
	}
	return Instant(wall, zone).UTC(), true
}

func (r *Rule) occurrences(start time.Time, zone *time.Location, after time.Time, n int) (found []time.Time, steps int) {
	x := r.expand(start)
	from := x.start
	if !after.IsZero() {
		if local := after.In(zone); local.Year() > lastYear+1 {
			return nil, 0
		} else if local.Year() > 0 {
			// Two days are more than any jump of the clocks.
			from = max(from, dayOf(local)-2)
		}
	}
	x.walls(from, clockOf(start), func(wall time.Time) bool {
		if x.count > 0 && wall.Unix() < int64(from-2)*86400 {
			return true // It only counts.
		}
		at := Instant(wall, zone).UTC()
		if !x.untilAt.IsZero() && at.After(x.untilAt) {
			return false
		}
		// A zone that changes sides of the date line jumps over a whole day, whose occurrence falls upon the next one's.
		if at.After(after) && (len(found) == 0 || at.After(found[len(found)-1])) {
			found = append(found, at)
		}
		return len(found) < n
	})
	return found, x.steps
}
