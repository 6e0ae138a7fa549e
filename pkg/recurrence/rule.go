// Package recurrence reads and checks the rules by which tasks repeat (RFC 5545, section 3.3.10, the part people use).
//
// It refuses what no task needs and what would be expensive: rules by the second, minute or hour, and unbounded
// numbers.
package recurrence

import (
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
	switch strings.ToLower(rule) {
	case "daily", "weekly", "monthly":
		return "FREQ=" + strings.ToUpper(rule), nil
	}
	if len(rule) > maxRule {
		return "", errs.New(errs.Invalid, "must be at most %d characters", maxRule)
	}
	rule = strings.ToUpper(strings.TrimPrefix(strings.TrimSpace(rule), "RRULE:"))
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
	case len(o.Byhour)+len(o.Byminute)+len(o.Bysecond)+len(o.Byeaster) > 0:
		return "", errs.New(errs.Invalid, "must not choose hours, minutes or seconds: the due time does")
	}
	return rule, nil
}
