package recurrence

import (
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// Bounds of an expansion.
const (
	// MaxOccurrences is how many can be asked for at once.
	MaxOccurrences = 1000
	// maxDays is how many days are looked at before a rule counts as ended: more than the 400 years after which the
	// calendar repeats, and than a rule by the day with the largest COUNT needs. It takes about 20 ms.
	maxDays = 400_000
	// lastYear is the last one with occurrences.
	lastYear = 9998
)

// Occurrences are the first n times after an instant at which a rule that begins at start repeats, in rising order and in
// UTC; fewer if it ends before. The rule is any that Normal accepts.
//
// Start is what the clocks in zone show at the beginning: its date and time of day count, its location does not, so an
// instant must be given In(zone). It is an occurrence itself if the rule selects it. A zero after asks for the first of
// all.
//
// The rule is expanded on the calendar and the clock of zone, and only then turned into instants, as Instant does. So a
// day of a month stays that day: a rule on the 31st has no occurrence in a shorter month, and BYMONTHDAY=-1 is the last
// day of each. The work is bounded whatever the rule: one that selects nothing for centuries has ended.
//
// errs.Invalid for a rule that Normal refuses and for n outside 1 to MaxOccurrences.
func Occurrences(rule string, start time.Time, zone *time.Location, after time.Time, n int) ([]time.Time, error) {
	if n < 1 || n > MaxOccurrences {
		return nil, errs.New(errs.Invalid, "1 to %d occurrences at a time", MaxOccurrences)
	}
	x, err := parse(rule)
	if err != nil {
		return nil, err
	}
	x.begin(start)
	if x.count == 0 && !after.IsZero() {
		// Two days are more than any jump of the clocks.
		x.skipTo(midnight(after.In(zone)).AddDate(0, 0, -2))
	}
	var found []time.Time
	for wall := range x.walls {
		at := Instant(wall, zone).UTC()
		if !x.untilAt.IsZero() && at.After(x.untilAt) {
			break
		}
		// A zone that changes sides of the date line jumps over a whole day, whose occurrence falls upon the next one's.
		if at.After(after) && (len(found) == 0 || at.After(found[len(found)-1])) {
			found = append(found, at)
		}
		if len(found) == n {
			break
		}
	}
	return found, nil
}

// expansion walks through a rule's periods (days, weeks, months or years), and through the days of each. Days are
// midnights in UTC, which stand for no instant.
//
// The library that reads the rules could expand them too, but walks to the year 9999 looking for a 30th of February, and
// leaves its tables for the 53rd Monday of a month.
type expansion struct {
	rrule.ROption
	interval int
	count    int
	// untilWall ends the rule by the clock, untilAt by an instant; both are included, and at most one is set.
	untilWall, untilAt time.Time

	start time.Time     // the first day
	clock time.Duration // the time of day
	first time.Time     // the first day of the first period
	from  int           // the period to begin with
}

func parse(rule string) (*expansion, error) {
	normal, err := Normal(rule)
	if err != nil {
		return nil, err
	}
	option, err := rrule.StrToROption(normal)
	if err != nil {
		return nil, errs.Because(err, errs.Invalid, "must be an RRULE")
	}
	x := &expansion{ROption: *option, interval: max(option.Interval, 1), count: option.Count}
	if !option.Until.IsZero() {
		switch until := valueOf(normal, "UNTIL"); {
		case strings.HasSuffix(until, "Z"):
			x.untilAt = option.Until
		case len(until) == len(rrule.DateFormat):
			x.untilWall = option.Until.AddDate(0, 0, 1).Add(-time.Nanosecond)
		default:
			x.untilWall = option.Until
		}
	}
	return x, nil
}

func valueOf(rule, key string) string {
	for part := range strings.SplitSeq(rule, ";") {
		if value, ok := strings.CutPrefix(part, key+"="); ok {
			return value
		}
	}
	return ""
}

// begin sets where the rule begins, and what it takes from there because it does not say it.
func (x *expansion) begin(start time.Time) {
	x.start = midnight(start)
	hour, minute, second := start.Clock()
	x.clock = time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(start.Nanosecond())
	if len(x.Byweekno)+len(x.Byyearday)+len(x.Bymonthday)+len(x.Byweekday) == 0 {
		switch x.Freq { //nolint:exhaustive // a rule by the day says everything; Normal lets no other pass
		case rrule.YEARLY:
			if len(x.Bymonth) == 0 {
				x.Bymonth = []int{int(start.Month())}
			}
			x.Bymonthday = []int{start.Day()}
		case rrule.MONTHLY:
			x.Bymonthday = []int{start.Day()}
		case rrule.WEEKLY:
			x.Byweekday = []rrule.Weekday{weekdays[dayOfWeek(start)]}
		}
	}
	switch x.Freq {
	case rrule.YEARLY:
		x.first = time.Date(start.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	case rrule.MONTHLY:
		x.first = time.Date(start.Year(), start.Month(), 1, 0, 0, 0, 0, time.UTC)
	case rrule.WEEKLY:
		x.first = x.start.AddDate(0, 0, -((dayOfWeek(x.start) - x.Wkst.Day() + 7) % 7))
	default:
		x.first = x.start
	}
}

// skipTo begins with the period that has a day, if the rule has begun by then: so the work does not grow with the rule's age.
func (x *expansion) skipTo(day time.Time) {
	if !day.After(x.first) {
		return
	}
	var periods int
	switch x.Freq {
	case rrule.YEARLY:
		periods = day.Year() - x.first.Year()
	case rrule.MONTHLY:
		periods = 12*(day.Year()-x.first.Year()) + int(day.Month()) - int(x.first.Month())
	case rrule.WEEKLY:
		periods = daysBetween(x.first, day) / 7
	default:
		periods = daysBetween(x.first, day)
	}
	x.from = periods / x.interval
}

// period is the k-th one's first day and how many days it has.
func (x *expansion) period(k int) (time.Time, int) {
	switch x.Freq {
	case rrule.YEARLY:
		day := x.first.AddDate(k*x.interval, 0, 0)
		return day, daysBetween(day, day.AddDate(1, 0, 0))
	case rrule.MONTHLY:
		day := x.first.AddDate(0, k*x.interval, 0)
		return day, daysBetween(day, day.AddDate(0, 1, 0))
	case rrule.WEEKLY:
		return x.first.AddDate(0, 0, 7*k*x.interval), 7
	default:
		return x.first.AddDate(0, 0, k*x.interval), 1
	}
}

// walls yields the occurrences as the clock shows them.
func (x *expansion) walls(yield func(time.Time) bool) {
	left, looked := x.count, 0
	for k := x.from; looked < maxDays; k++ {
		first, length := x.period(k)
		if first.Year() > lastYear {
			return
		}
		looked += length
		var days []time.Time
		for i := range length {
			if day := first.AddDate(0, 0, i); x.selects(day) {
				days = append(days, day)
			}
		}
		for _, day := range x.positions(days) {
			if day.Before(x.start) {
				continue
			}
			wall := day.Add(x.clock)
			if day.Year() > lastYear || !x.untilWall.IsZero() && wall.After(x.untilWall) || !yield(wall) {
				return
			}
			if left--; left == 0 {
				return
			}
		}
	}
}

// positions are the days that BYSETPOS leaves of a period's.
func (x *expansion) positions(days []time.Time) []time.Time {
	if len(x.Bysetpos) == 0 {
		return days
	}
	var kept []time.Time
	for i, day := range days {
		if slices.Contains(x.Bysetpos, i+1) || slices.Contains(x.Bysetpos, i-len(days)) {
			kept = append(kept, day)
		}
	}
	return kept
}

// selects reports whether every part of the rule that names days names this one (RFC 5545, section 3.3.10; with whole days
// what it calls expanding a period comes to the same as limiting the period's days).
func (x *expansion) selects(day time.Time) bool {
	monthLength := daysIn(day.Year(), day.Month())
	yearLength := daysBetween(time.Date(day.Year(), 1, 1, 0, 0, 0, 0, time.UTC), time.Date(day.Year()+1, 1, 1, 0, 0, 0, 0, time.UTC))
	return (len(x.Bymonth) == 0 || slices.Contains(x.Bymonth, int(day.Month()))) &&
		among(x.Bymonthday, day.Day(), monthLength) &&
		among(x.Byyearday, day.YearDay(), yearLength) &&
		x.selectsWeek(day) &&
		x.selectsWeekday(day, monthLength, yearLength)
}

// among reports whether the n-th of total is named, from the front or, negative, from the end. No names name all.
func among(names []int, n, total int) bool {
	return len(names) == 0 || slices.Contains(names, n) || slices.Contains(names, n-total-1)
}

func (x *expansion) selectsWeekday(day time.Time, monthLength, yearLength int) bool {
	if len(x.Byweekday) == 0 {
		return true
	}
	n, total := day.YearDay(), yearLength
	if x.Freq == rrule.MONTHLY || len(x.Bymonth) > 0 {
		n, total = day.Day(), monthLength
	}
	return slices.ContainsFunc(x.Byweekday, func(w rrule.Weekday) bool {
		if w.Day() != dayOfWeek(day) {
			return false
		}
		return w.N() == 0 || w.N() == (n+6)/7 || w.N() == -((total-n)/7+1)
	})
}

// selectsWeek is BYWEEKNO: week 1 is the first with four days in the year, weeks begin on WKST. The days of a year's weeks
// that lie in the years beside it are selected in those.
func (x *expansion) selectsWeek(day time.Time) bool {
	if len(x.Byweekno) == 0 {
		return true
	}
	weekStart := day.AddDate(0, 0, -((dayOfWeek(day) - x.Wkst.Day() + 7) % 7))
	year := weekStart.AddDate(0, 0, 3).Year()
	n := daysBetween(x.firstWeek(year), weekStart)/7 + 1
	return among(x.Byweekno, n, daysBetween(x.firstWeek(year), x.firstWeek(year+1))/7)
}

func (x *expansion) firstWeek(year int) time.Time {
	fourth := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC)
	return fourth.AddDate(0, 0, -((dayOfWeek(fourth) - x.Wkst.Day() + 7) % 7))
}

var weekdays = []rrule.Weekday{rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU}

// dayOfWeek counts from Monday, 0, as the library does.
func dayOfWeek(t time.Time) int { return (int(t.Weekday()) + 6) % 7 }

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// daysBetween counts from a to b, which are days. Not by Sub, which holds 292 years only.
func daysBetween(a, b time.Time) int { return int((b.Unix() - a.Unix()) / 86400) }

func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
