package offline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rule is how a task repeats, as far as the offline model has words for it.
type rule struct {
	// unit is day, week, month or year; empty for no rule.
	unit     string
	interval int
	weekdays []time.Weekday
	// nth goes with one weekday in a month: 1 the first, -1 the last.
	nth int
	// monthdays are days of a month, -1 the last.
	monthdays []int
	month     time.Month
	count     int
	until     time.Time
	// done says that it counts from when the task was completed.
	done bool
	// timed and minutes are the time of day of every morning.
	timed   bool
	minutes int
}

var frequencies = map[string]string{"day": "DAILY", "week": "WEEKLY", "month": "MONTHLY", "year": "YEARLY"}

var dayNames = [...]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

// RRULE is the rule in RFC 5545's words.
func (r rule) rrule() string {
	var b strings.Builder
	b.WriteString("FREQ=" + frequencies[r.unit])
	if r.interval > 1 {
		b.WriteString(";INTERVAL=" + strconv.Itoa(r.interval))
	}
	if r.month > 0 {
		b.WriteString(";BYMONTH=" + strconv.Itoa(int(r.month)))
	}
	if len(r.weekdays) > 0 {
		names := make([]string, len(r.weekdays))
		for i, day := range r.weekdays {
			names[i] = dayNames[day]
			if r.nth != 0 {
				names[i] = strconv.Itoa(r.nth) + names[i]
			}
		}
		b.WriteString(";BYDAY=" + strings.Join(names, ","))
	}
	if len(r.monthdays) > 0 {
		b.WriteString(";BYMONTHDAY=" + strings.Trim(strings.ReplaceAll(fmt.Sprint(r.monthdays), " ", ","), "[]"))
	}
	if r.count > 0 {
		b.WriteString(";COUNT=" + strconv.Itoa(r.count))
	} else if !r.until.IsZero() {
		b.WriteString(";UNTIL=" + r.until.Format("20060102"))
	}
	return b.String()
}

// on reports whether the rule can mean a day.
func (r rule) on(day time.Time) bool {
	if len(r.weekdays) > 0 && !slices.Contains(r.weekdays, day.Weekday()) {
		return false
	}
	if r.nth > 0 && (day.Day()-1)/7+1 != r.nth || r.nth < 0 && day.Day()+7 <= lastOf(day).Day() {
		return false
	}
	if r.month > 0 && day.Month() != r.month {
		return false
	}
	return len(r.monthdays) == 0 || slices.ContainsFunc(r.monthdays, func(n int) bool {
		return n == day.Day() || n < 0 && day.Day() == lastOf(day).Day()
	})
}

// first is the first day of the rule from a day on.
func (r rule) first(from time.Time) time.Time {
	for day, n := from, 0; n < 9*366; day, n = day.AddDate(0, 0, 1), n+1 {
		if r.on(day) {
			return day
		}
	}
	return from
}

// repeats reads the parts of phrases that say how often.
type repeats struct {
	words []word
	now   time.Time
}

var adverbs = map[string]string{"daily": "day", "weekly": "week", "monthly": "month", "yearly": "year", "annually": "year"}

// at reads a rule such as "every 2 weeks on Monday", "daily" or "on the last day of every month" that begins at i.
func (p repeats) at(i int) (r rule, next int, ok bool) {
	next = i + begin(p.words, i, "repeating", "repeat it", "repeat", "recurring")
	if r, next, ok = p.often(next); !ok {
		if r, next, ok = p.backwards(i); !ok {
			return rule{}, i, false
		}
	}
	for more := true; more; {
		next, more = p.tail(&r, next)
	}
	return r, next, true
}

// often reads every …, each … and daily.
func (p repeats) often(i int) (rule, int, bool) {
	if i >= len(p.words) {
		return rule{}, i, false
	}
	if unit, known := adverbs[p.words[i].low]; known {
		// Write weekly report is a title; write report weekly is a rule.
		_, _, timed := clockAt(p.words, i+1, true)
		if i+1 < len(p.words) && p.words[i+1].kind == plain && !timed && !oneOf(p.words, i+1,
			"on", "at", "from", "until", "till", "starting", "after", "for", "and", "in", "with", "remind", "by", "once", "when", "next") {
			return rule{}, i, false
		}
		return rule{unit: unit}, i + 1, true
	}
	if !oneOf(p.words, i, "every", "each") {
		return rule{}, i, false
	}
	i++
	r := rule{}
	switch {
	case has(p.words, i, "other"):
		r.interval, i = 2, i+1
	case has(p.words, i, "single"):
		i++
	default:
		if n, after, ok := numberAt(p.words, i); ok && after < len(p.words) {
			if unit, known := unitOf(p.words[after].low); known && unit != "minute" && unit != "hour" {
				r.interval, i = n, after
			}
		}
	}
	if i >= len(p.words) {
		return rule{}, i, false
	}
	low := p.words[i].low
	unit, isUnit := unitOf(low)
	switch {
	case isUnit && frequencies[unit] != "":
		r.unit = unit
		return r, i + 1, true
	case low == "weekday", low == "weekdays", low == "workday":
		r.unit, r.weekdays = "week", []time.Weekday{1, 2, 3, 4, 5}
		return r, i + 1, true
	case begin(p.words, i, "working day", "work day", "business day") > 0:
		r.unit, r.weekdays = "week", []time.Weekday{1, 2, 3, 4, 5}
		return r, i + 2, true
	case low == "weekend":
		r.unit, r.weekdays = "week", []time.Weekday{6, 0}
		return r, i + 1, true
	case partsOfDay[low] > 0:
		r.unit, r.timed, r.minutes = "day", true, partsOfDay[low]*60
		return r, i + 1, true
	}
	if days, next, ok := p.weekdays(i); ok {
		r.unit, r.weekdays = "week", days
		return r, next, true
	}
	if r.interval > 0 {
		return rule{}, i, false
	}
	return p.dayOfMonth(rule{unit: "month"}, i)
}

// weekdays reads Monday, Wed and Fri; also in the plural.
func (p repeats) weekdays(i int) (days []time.Weekday, next int, ok bool) {
	for {
		day, ok := p.weekday(i)
		if !ok {
			return days, next, len(days) > 0
		}
		if !slices.Contains(days, day) {
			days = append(days, day)
		}
		next = i + 1
		i = next + begin(p.words, next, ", and", ",", "and on", "and", "&")
		i += begin(p.words, i, "every", "on")
	}
}

func (p repeats) weekday(i int) (time.Weekday, bool) {
	if i >= len(p.words) || p.words[i].kind != plain {
		return 0, false
	}
	if day, ok := weekdayAt(p.words, i, true); ok {
		return day, true
	}
	day, ok := weekdays[strings.TrimSuffix(p.words[i].low, "s")]
	return day, ok
}

var ordinals = map[string]int{"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}

// dayOfMonth reads 31st, last day, first Monday and, of a year, 25 December, with of the month behind it.
func (p repeats) dayOfMonth(r rule, i int) (rule, int, bool) {
	if i >= len(p.words) {
		return rule{}, i, false
	}
	if m, next, ok := dates(p).named(i, true); ok {
		return rule{unit: "year", month: m.day.Month(), monthdays: []int{m.day.Day()}}, next, true
	}
	if n, ok := ordinals[p.words[i].low]; ok {
		if day, ok := p.weekday(i + 1); ok {
			r.nth, r.weekdays = n, []time.Weekday{day}
			return r, p.ofMonth(i + 2), true
		}
		if has(p.words, i+1, "day") && (n == -1 || n == 1) {
			r.monthdays = []int{n}
			return r, p.ofMonth(i + 2), true
		}
	}
	next := i
	for {
		n, ok := ordinalAt(p.words, i, false)
		if !ok {
			break
		}
		r.monthdays = append(r.monthdays, n)
		next = i + 1
		i = next + begin(p.words, next, ", and the", "and the", ", and", "and", ",")
	}
	if len(r.monthdays) == 0 {
		return rule{}, i, false
	}
	slices.Sort(r.monthdays)
	r.monthdays = slices.Compact(r.monthdays)
	return r, p.ofMonth(next), true
}

func (p repeats) ofMonth(i int) int {
	return i + begin(p.words, i, "of the month", "of every month", "of each month", "of month", "in the month", "every month", "each month")
}

// backwards reads rules that say how often at their end: on the last day of every month, on Mondays.
func (p repeats) backwards(i int) (rule, int, bool) {
	at := i + begin(p.words, i, "on the", "on", "by the", "the")
	if at == i {
		return rule{}, i, false
	}
	if days, next, ok := p.weekdays(at); ok && strings.HasSuffix(p.words[next-1].low, "days") {
		return rule{unit: "week", weekdays: days}, next, true
	}
	r, next, ok := p.dayOfMonth(rule{unit: "month"}, at)
	if !ok || r.unit != "month" || !oneOf(p.words, next-1, "month") || !oneOf(p.words, next-2, "every", "each") {
		return rule{}, i, false
	}
	return r, next, true
}

// tail reads what may follow a rule: its days, its end, and what it counts from.
func (p repeats) tail(r *rule, i int) (next int, ok bool) {
	at := i + begin(p.words, i, ",")
	if n := begin(p.words, at, "after i finish it", "after i finish", "after i complete it", "after i've done it", "after i do it",
		"after i'm done", "after finishing it", "after finishing", "after completing it", "after completion", "after it is done", "after it's done",
		"once i finish it", "once i complete it", "when i finish it", "when i complete it", "from completion", "from when i finish it",
		"from when i complete it", "after the last time", "after i completed it", "after i finished it", "after it's completed"); n > 0 {
		r.done = true
		return at + n, true
	}
	if n, after, found := numberAt(p.words, at+begin(p.words, at, "for")); found && oneOf(p.words, after, "times") && r.count == 0 {
		r.count = n
		return after + 1, true
	}
	if oneOf(p.words, at, "until", "till") && r.until.IsZero() {
		if m, after, found := dates(p).day(at+1, true); found && !m.day.IsZero() {
			r.until = m.day
			return after, true
		}
	}
	days := at + begin(p.words, at, "on the", "on", "by the")
	if days == at || len(r.weekdays)+len(r.monthdays) > 0 {
		return i, false
	}
	switch r.unit {
	case "week":
		if list, after, found := p.weekdays(days); found {
			r.weekdays = list
			return after, true
		}
	case "month", "year":
		chosen, after, found := p.dayOfMonth(rule{unit: r.unit}, days)
		if found && (r.unit == "year" || chosen.unit == "month") {
			r.weekdays, r.nth, r.monthdays, r.month = chosen.weekdays, chosen.nth, chosen.monthdays, chosen.month
			return after, true
		}
	}
	return i, false
}

// foundRule is a rule in a sentence.
type foundRule struct {
	rule
	span
}

// ruleIn finds the last rule in words[from:to].
func ruleIn(words []word, from, to int, now time.Time) (last foundRule, ok bool) {
	for i := from; i < to; {
		if r, next, found := (repeats{words[:to], now}).at(i); found {
			last, ok = foundRule{r, span{i, next}}, true
			i = next
			continue
		}
		i++
	}
	return last, ok
}
