package recurrence

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// How UNTIL is written: a date, a time of the clock, or an instant.
const (
	untilDate  = "20060102"
	untilLocal = "20060102T150405"
	untilUTC   = "20060102T150405Z"
)

// weekdayCodes are BYDAY's, from Monday.
var weekdayCodes = [...]string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}

// set reads one part of a rule.
func (r *Rule) set(name, value string) (err error) {
	switch name {
	case "FREQ":
		return r.setFrequency(value)
	case "INTERVAL":
		r.interval, err = number(name, value, maxInterval)
	case "COUNT":
		r.count, err = number(name, value, maxCount)
	case "UNTIL":
		return r.setUntil(value)
	case "WKST":
		if r.weekStart = slices.Index(weekdayCodes[:], value); r.weekStart < 0 {
			return errs.New(errs.Invalid, "must have a WKST of MO, TU, WE, TH, FR, SA or SU")
		}
	case "BYMONTH":
		r.months, err = numbers(name, value, 12, false)
	case "BYMONTHDAY":
		r.monthDays, err = numbers(name, value, 31, true)
	case "BYYEARDAY":
		r.yearDays, err = numbers(name, value, 366, true)
	case "BYWEEKNO":
		r.weeks, err = numbers(name, value, 53, true)
	case "BYSETPOS":
		r.positions, err = numbers(name, value, 366, true)
	case "BYDAY":
		return r.setWeekdays(value)
	case "BYHOUR", "BYMINUTE", "BYSECOND":
		return errs.New(errs.Invalid, "must not choose hours, minutes or seconds: the due time does")
	default:
		if strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "" || name == "" {
			return errSyntax()
		}
		return errs.New(errs.Invalid, "must not have %s, which is no part of an RRULE by day, week, month or year", name)
	}
	return err
}

func (r *Rule) setFrequency(value string) error {
	switch value {
	case "DAILY":
		r.freq = daily
	case "WEEKLY":
		r.freq = weekly
	case "MONTHLY":
		r.freq = monthly
	case "YEARLY":
		r.freq = yearly
	case "HOURLY", "MINUTELY", "SECONDLY":
		return errs.New(errs.Invalid, "must repeat by day, week, month or year")
	default:
		return errSyntax()
	}
	return nil
}

func (r *Rule) setUntil(value string) error {
	layout := untilUTC
	switch len(value) {
	case len(untilDate):
		layout = untilDate
	case len(untilLocal):
		layout = untilLocal
	}
	at, err := time.Parse(layout, value)
	if err != nil {
		return errs.Because(err, errs.Invalid, "must have an UNTIL such as 20261225, 20261225T170000 or 20261225T170000Z")
	}
	switch layout {
	case untilDate:
		r.untilWall = at.AddDate(0, 0, 1).Add(-time.Nanosecond)
	case untilLocal:
		r.untilWall = at
	default:
		r.untilAt = at
	}
	return nil
}

func (r *Rule) setWeekdays(value string) error {
	for text := range strings.SplitSeq(value, ",") {
		day := -1
		if len(text) >= 2 {
			day = slices.Index(weekdayCodes[:], text[len(text)-2:])
		}
		if day < 0 {
			return errs.New(errs.Invalid, "must have BYDAY of MO, TU, WE, TH, FR, SA or SU, or numbered such as 2TU or -1FR")
		}
		w := weekday{day: day}
		if counted := text[:len(text)-2]; counted != "" {
			n, ok := signed(counted)
			if !ok || n == 0 || n > 53 || n < -53 {
				return errs.New(errs.Invalid, "must number the weekdays of BYDAY with 1 to 53 or -53 to -1")
			}
			w.n = n
		}
		if !slices.Contains(r.weekdays, w) {
			r.weekdays = append(r.weekdays, w)
		}
	}
	slices.SortFunc(r.weekdays, func(a, b weekday) int {
		if order := fromFront(a.n) - fromFront(b.n); order != 0 {
			return order
		}
		return a.day - b.day
	})
	return nil
}

// fromFront orders numbers that count from the end, the negative ones, behind those that count from the front.
func fromFront(n int) int {
	if n < 0 {
		return n + 10_000
	}
	return n
}

// number is a whole number from 1 to most.
func number(name, value string, most int) (int, error) {
	n, ok := signed(value)
	if !ok || n < 1 || n > most || value[0] == '+' {
		return 0, errs.New(errs.Invalid, "must have %s of 1 to %d", article(name), most)
	}
	return n, nil
}

func article(name string) string {
	if name == "INTERVAL" {
		return "an " + name
	}
	return "a " + name
}

// numbers is a list of numbers from 1 to most, or also from the end; sorted, without repetition.
func numbers(name, value string, most int, negative bool) ([]int, error) {
	var all []int
	for text := range strings.SplitSeq(value, ",") {
		n, ok := signed(text)
		switch {
		case !ok || n == 0 || n > most || negative && n < -most:
			ok = false
		case !negative && n < 0:
			ok = false
		}
		if !ok {
			if negative {
				return nil, errs.New(errs.Invalid, "must have %s of 1 to %d or -%d to -1", name, most, most)
			}
			return nil, errs.New(errs.Invalid, "must have %s of 1 to %d", name, most)
		}
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b int) int { return fromFront(a) - fromFront(b) })
	return slices.Compact(all), nil
}

// signed reads a number of at most five digits with or without a sign.
func signed(text string) (int, bool) {
	digits := strings.TrimLeft(text, "+-")
	if len(text)-len(digits) > 1 || digits == "" || len(digits) > 5 {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}
