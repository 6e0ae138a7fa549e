package recurrence

import "time"

// lastYear is the last one with occurrences.
const lastYear = 9998

// expansion walks through a rule's occurrences as days, from the day it begins on.
//
// Libraries that expand rules walk to the year 9999 looking for what is not there, one period after the other. This jumps
// from one selected day to the next, and stops when the calendar has come round to where it was without an occurrence.
type expansion struct {
	Rule
	selection
	start  int // the first day
	origin int // the period of the start: a day, a week, a month or a year by its number
	buffer []int
	// chosen are BYSETPOS.
	chosen *both[days]
}

// expand sets where the rule begins, and what it takes from there because it does not say it.
func (r *Rule) expand(start time.Time) *expansion {
	x := &expansion{Rule: *r, start: dayOf(start)}
	months, monthDays, weekdays := r.months, r.monthDays, r.weekdays
	if len(r.weeks)+len(r.yearDays)+len(r.monthDays)+len(r.weekdays) == 0 {
		switch r.freq {
		case yearly:
			if len(months) == 0 {
				months = []int{int(start.Month())}
			}
			monthDays = []int{start.Day()}
		case monthly:
			monthDays = []int{start.Day()}
		case weekly:
			weekdays = []weekday{{day: weekdayOf(x.start)}}
		case daily:
		}
	}
	x.selection = selection{
		weekStart: r.weekStart, byMonth: r.freq == monthly || len(months) > 0,
		all: len(monthDays)+len(r.yearDays)+len(r.weeks)+len(weekdays) == 0,
	}
	x.setMonths(months)
	x.setMonthDays(monthDays)
	x.setYearDays(r.yearDays)
	x.setWeeks(r.weeks)
	x.selection.setWeekdays(weekdays)
	if len(r.positions) > 0 {
		x.chosen = &both[days]{}
		for _, n := range r.positions {
			if n > 0 {
				x.chosen.front.add(n)
			} else {
				x.chosen.end.add(-n)
			}
		}
	}
	x.origin = x.periodOf(x.start)
	return x
}

// weekOffset makes weeks begin on WKST when days are divided by 7: day 0 was a Thursday. It also keeps them positive, from
// the year 1 on.
func (x *expansion) weekOffset() int { return 3 - x.Rule.weekStart + 7*110_000 }

// periodOf is the number of the period that a day lies in.
func (x *expansion) periodOf(day int) int {
	switch x.freq {
	case yearly:
		return yearOf(day)
	case monthly:
		year := yearOf(day)
		return 12*year + monthOf(year, day)
	case weekly:
		return (day + x.weekOffset()) / 7
	default:
		return day
	}
}

// firstOf is the first day of a period.
func (x *expansion) firstOf(period int) int {
	switch x.freq {
	case yearly:
		return firstOfYear(period)
	case monthly:
		return firstOfMonth(period/12, period%12)
	case weekly:
		return 7*period - x.weekOffset()
	default:
		return period
	}
}

// days yields the occurrences from a day on.
func (x *expansion) days(from int, yield func(day int) bool) {
	day, found := max(from, x.start), max(from, x.start)
	// After that many days everything that decides is as it was: the calendar, and where the interval stands in it.
	cycle := daysInCycle * x.interval
	for day-found <= cycle {
		x.steps++
		next, ok := x.next(day)
		if !ok {
			return
		}
		day = next
		period := x.periodOf(day)
		if off := (period - x.origin) % x.interval; off != 0 {
			day = x.firstOf(period + x.interval - off)
			continue
		}
		end := x.firstOf(period + 1)
		if x.chosen == nil {
			for ; ok && day < end; day, ok = x.next(day + 1) {
				if !yield(day) {
					return
				}
				found = day
			}
		} else {
			for _, at := range x.choose(x.firstOf(period), end) {
				if at < day {
					continue
				}
				if !yield(at) {
					return
				}
				found = at
			}
		}
		day = x.firstOf(period + x.interval)
	}
}

// selected reports whether a day is an occurrence.
func (x *expansion) selected(day int) (is bool) {
	x.days(day, func(found int) bool {
		is = found == day
		return false
	})
	return is
}

// choose is what BYSETPOS leaves of the selected days from one day to before another.
func (x *expansion) choose(begin, end int) []int {
	x.buffer = x.buffer[:0]
	for day, ok := x.next(begin); ok && day < end; day, ok = x.next(day + 1) {
		x.buffer = append(x.buffer, day)
	}
	kept := x.buffer[:0]
	total := len(x.buffer)
	for i, day := range x.buffer {
		if x.chosen.front.has(i+1) || x.chosen.end.has(total-i) {
			kept = append(kept, day)
		}
	}
	return kept
}

// walls yields the occurrences from a day on as the clock shows them. With COUNT they are counted from the start.
func (x *expansion) walls(from int, clock time.Duration, yield func(time.Time) bool) {
	left := x.count
	if left > 0 {
		from = x.start
	}
	x.days(from, func(day int) bool {
		wall := time.Unix(int64(day)*86400, 0).UTC().Add(clock)
		if !x.untilWall.IsZero() && wall.After(x.untilWall) || !yield(wall) {
			return false
		}
		left--
		return left != 0
	})
}
