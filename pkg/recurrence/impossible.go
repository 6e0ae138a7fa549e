package recurrence

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// mayBeImpossible reports whether a rule has parts that could contradict each other. A single one that was checked does not,
// unless it numbers weekdays.
func (r *Rule) mayBeImpossible() bool {
	parts := 0
	for _, n := range []int{len(r.months), len(r.monthDays), len(r.yearDays), len(r.weeks), len(r.weekdays), len(r.positions)} {
		if n > 0 {
			parts++
		}
	}
	return parts > 1 || slices.ContainsFunc(r.weekdays, func(w weekday) bool { return w.n != 0 })
}

// possible reports whether there is a day that meets the rule, whenever it begins: in 400 years everything has been.
func (r *Rule) possible() bool {
	if !r.reaches() {
		return false
	}
	every := *r
	every.interval = 1
	possible := false
	every.expand(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).days(0, func(int) bool {
		possible = true
		return false
	})
	return possible
}

// reaches reports whether a day, or a week of the weekdays named, can have as many days as one of BYSETPOS counts. It saves
// looking through every day and week of the calendar.
func (r *Rule) reaches() bool {
	most := 1
	switch {
	case len(r.positions) == 0 || r.freq == monthly || r.freq == yearly:
		return true
	case r.freq == weekly:
		most = max(most, len(r.weekdays))
	}
	return slices.ContainsFunc(r.positions, func(n int) bool { return n <= most && n >= -most })
}

// whyImpossible says which parts contradict each other.
func (r *Rule) whyImpossible() string {
	whole := *r
	whole.positions = nil
	if whole.possible() {
		return fmt.Sprintf("no %s has as many to choose from as BYSETPOS counts", r.freq.unit())
	}
	alone := func(keep func(kept *Rule)) bool {
		kept := Rule{freq: r.freq, interval: 1, weekStart: r.weekStart}
		keep(&kept)
		return !kept.possible()
	}
	if alone(func(kept *Rule) { kept.weekdays, kept.months = r.weekdays, r.months }) && len(r.weekdays) > 0 {
		period := "month"
		if r.freq == yearly && len(r.months) == 0 {
			period = "year"
		}
		return fmt.Sprintf("no %s has %s", period, r.weekdays[0].with("a"))
	}
	if alone(func(kept *Rule) { kept.monthDays, kept.months = r.monthDays, r.months }) {
		if len(r.months) == 1 && len(r.monthDays) == 1 {
			return fmt.Sprintf("%s has no %s", time.Month(r.months[0]), dayName(r.monthDays[0]))
		}
		return "none of the months of BYMONTH has a day of BYMONTHDAY"
	}
	parts := []struct {
		name string
		keep func(kept *Rule)
	}{
		{"BYMONTH", func(kept *Rule) { kept.months = r.months }},
		{"BYMONTHDAY", func(kept *Rule) { kept.monthDays = r.monthDays }},
		{"BYYEARDAY", func(kept *Rule) { kept.yearDays = r.yearDays }},
		{"BYWEEKNO", func(kept *Rule) { kept.weeks = r.weeks }},
		{"BYDAY", func(kept *Rule) { kept.weekdays = r.weekdays }},
	}
	for i, a := range parts {
		for _, b := range parts[:i] {
			if alone(func(kept *Rule) { a.keep(kept); b.keep(kept) }) {
				return fmt.Sprintf("%s and %s have none in common", b.name, a.name)
			}
		}
	}
	var names []string
	for _, p := range parts {
		if strings.Contains(r.text, p.name+"=") {
			names = append(names, p.name)
		}
	}
	return list(names) + " have none in common"
}
