// Package recurrence reads and checks the rules by which tasks repeat (RFC 5545, section 3.3.10, the part people use),
// and tells when they do: by the calendar and the clock of a zone.
//
// It refuses what no task needs and what would be expensive: rules by the second, minute or hour, and unbounded
// numbers. It keeps nothing, and knows neither tasks nor the present.
package recurrence

import (
	"slices"
	"strings"

	"github.com/teambition/rrule-go"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// Bounds of a rule.
const (
	maxRule     = 200 // bytes
	maxInterval = 1000
	maxCount    = 10_000
)

// Normal checks a rule and returns it in one spelling: "daily", "weekly" and "monthly" are short for the plain rules.
// errs.Invalid says what is wrong with it.
func Normal(rule string) (string, error) {
	if len(rule) > maxRule {
		return "", errs.New(errs.Invalid, "must be at most %d characters", maxRule)
	}
	rule = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(rule)), "RRULE:")
	switch rule {
	case "DAILY", "WEEKLY", "MONTHLY":
		return "FREQ=" + rule, nil
	}
	if strings.ContainsAny(rule, "\n\r") || strings.Contains(rule, "DTSTART") {
		return "", errs.New(errs.Invalid, "must be one RRULE, without DTSTART")
	}
	o, err := rrule.StrToROption(rule)
	if err != nil {
		return "", errs.Because(err, errs.Invalid, "must be daily, weekly, monthly or an RRULE such as FREQ=WEEKLY;BYDAY=MO,TH")
	}
	switch {
	case o.Freq != rrule.DAILY && o.Freq != rrule.WEEKLY && o.Freq != rrule.MONTHLY && o.Freq != rrule.YEARLY:
		return "", errs.New(errs.Invalid, "must repeat by day, week, month or year")
	case o.Interval < 0 || o.Interval > maxInterval:
		return "", errs.New(errs.Invalid, "must have an INTERVAL of 1 to %d", maxInterval)
	case o.Count < 0 || o.Count > maxCount:
		return "", errs.New(errs.Invalid, "must have a COUNT of 1 to %d", maxCount)
	case o.Count > 0 && !o.Until.IsZero():
		return "", errs.New(errs.Invalid, "must not have both COUNT and UNTIL")
	case slices.ContainsFunc(o.Byweekday, func(d rrule.Weekday) bool { return d.N() != 0 }) && !mayCount(o):
		return "", errs.New(errs.Invalid, "must not number the weekdays of BYDAY unless it repeats by month or year")
	case len(o.Byhour)+len(o.Byminute)+len(o.Bysecond)+len(o.Byeaster) > 0:
		return "", errs.New(errs.Invalid, "must not choose hours, minutes or seconds: the due time does")
	}
	// It checks that days, weeks, months and positions are some that a year can have.
	if _, err := rrule.NewRRule(*o); err != nil {
		return "", errs.Because(err, errs.Invalid, "must not name days, weeks, months or positions that no year has")
	}
	return rule, nil
}

// mayCount reports whether BYDAY may say which of a period's weekdays it means (RFC 5545, section 3.3.10).
func mayCount(o *rrule.ROption) bool {
	return o.Freq == rrule.MONTHLY || o.Freq == rrule.YEARLY && len(o.Byweekno) == 0
}
