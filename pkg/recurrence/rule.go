// Package recurrence reads and checks the rules by which tasks repeat (RFC 5545, section 3.3.10, the part people use),
// tells when they do, by the calendar and the clock of a zone, and says them in English.
//
// It refuses what no task needs and what would be expensive: rules by the second, minute or hour, unbounded numbers, and
// rules that no day ever meets. Everything it does takes a bounded number of steps, whatever it is given. It keeps nothing,
// and knows neither tasks nor the present.
package recurrence

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// Bounds of a rule.
const (
	maxRule     = 200 // bytes
	maxInterval = 1000
	maxCount    = 10_000
)

type frequency int

const (
	daily frequency = iota
	weekly
	monthly
	yearly
)

// unit is what a rule repeats by.
func (f frequency) unit() string { return [...]string{"day", "week", "month", "year"}[f] }

// Rule is a rule that was checked. It does not change.
type Rule struct {
	text     string
	freq     frequency
	interval int
	count    int // 0: none
	// untilWall ends the rule by the clock, untilAt by an instant; both are included, and at most one is set.
	untilWall, untilAt time.Time
	weekStart          int // from Monday, 0

	months, monthDays, yearDays, weeks, positions []int
	weekdays                                      []weekday
}

// weekday is one of BYDAY.
type weekday struct {
	n   int // which of the period's, from its end if negative; 0: all
	day int // from Monday, 0
}

// Parse reads and checks a rule. "daily", "weekly" and "monthly" are short for the plain rules, and "RRULE:" may stand in
// front. errs.Invalid says what is wrong with it, in words that follow the name of a field.
func Parse(rule string) (*Rule, error) {
	if len(rule) > maxRule {
		return nil, errs.New(errs.Invalid, "must be at most %d characters", maxRule)
	}
	if strings.ContainsFunc(rule, func(c rune) bool { return c > '~' }) {
		// Some letters of other scripts have capitals in this one, which is none of what was sent.
		return nil, errSyntax()
	}
	text := strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(rule)), "RRULE:")
	switch text {
	case "DAILY", "WEEKLY", "MONTHLY":
		text = "FREQ=" + text
	}
	if strings.ContainsAny(text, "\n\r") || strings.Contains(text, "DTSTART") {
		return nil, errs.New(errs.Invalid, "must be one RRULE, without DTSTART")
	}
	r := &Rule{text: text, freq: -1, interval: 1}
	var seen []string
	for part := range strings.SplitSeq(text, ";") {
		name, value, ok := strings.Cut(part, "=")
		if !ok || value == "" {
			return nil, errSyntax()
		}
		if slices.Contains(seen, name) {
			return nil, errs.New(errs.Invalid, "must not have %s twice", name)
		}
		if err := r.set(name, value); err != nil {
			return nil, err
		}
		seen = append(seen, name)
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	if r.mayBeImpossible() && !r.possible() {
		return nil, errs.New(errs.Invalid, "must name days that exist: %s", r.whyImpossible())
	}
	return r, nil
}

func errSyntax() error {
	return errs.New(errs.Invalid, "must be daily, weekly, monthly or an RRULE such as FREQ=WEEKLY;BYDAY=MO,TH")
}

// Normal checks a rule and returns it in one spelling: see Parse.
func Normal(rule string) (string, error) {
	r, err := Parse(rule)
	if err != nil {
		return "", err
	}
	return r.text, nil
}

// String is the rule in the spelling that Normal gives.
func (r *Rule) String() string { return r.text }

// Ends reports whether the rule says where it ends, by COUNT or UNTIL. Without them it ends only with the calendar.
func (r *Rule) Ends() bool { return r.count > 0 || !r.untilWall.IsZero() || !r.untilAt.IsZero() }

// Count is COUNT, 0 if the rule has none.
func (r *Rule) Count() int { return r.count }

// WithCount is the rule with another COUNT, 1 at least and no more than Parse takes; with none for 0.
func (r *Rule) WithCount(n int) *Rule {
	counted := *r
	counted.count = n
	parts := slices.DeleteFunc(strings.Split(r.text, ";"), func(part string) bool { return strings.HasPrefix(part, "COUNT=") })
	if n > 0 {
		parts = append(parts, fmt.Sprintf("COUNT=%d", n))
	}
	counted.text = strings.Join(parts, ";")
	return &counted
}

// check holds the parts against each other (RFC 5545, section 3.3.10).
func (r *Rule) check() error {
	bad := func(text string) error { return errs.New(errs.Invalid, "%s", text) }
	counted := slices.ContainsFunc(r.weekdays, func(w weekday) bool { return w.n != 0 })
	switch {
	case r.freq < 0:
		return errSyntax()
	case r.count > 0 && (!r.untilWall.IsZero() || !r.untilAt.IsZero()):
		return bad("must not have both COUNT and UNTIL")
	case counted && (r.freq == daily || r.freq == weekly || len(r.weeks) > 0):
		return bad("must not number the weekdays of BYDAY unless it repeats by month or year, without BYWEEKNO")
	case len(r.weeks) > 0 && r.freq != yearly:
		return bad("must not have BYWEEKNO unless it repeats by year")
	case len(r.yearDays) > 0 && r.freq != yearly:
		return bad("must not have BYYEARDAY unless it repeats by year")
	case len(r.monthDays) > 0 && r.freq == weekly:
		return bad("must not have BYMONTHDAY if it repeats by week")
	case len(r.positions) > 0 && len(r.months)+len(r.monthDays)+len(r.yearDays)+len(r.weeks)+len(r.weekdays) == 0:
		return bad("must not have BYSETPOS without another part to choose from")
	}
	return nil
}
