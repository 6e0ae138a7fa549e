package ical

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The years in which a zone's changes are looked for. A due date lies in 1970 or later; from some year before lastChange on,
// every zone does the same each year, or nothing.
const (
	firstChange = 1970
	lastChange  = 2120
)

// change is a moment at which a zone's clocks are put forward or back.
type change struct {
	// wall is what the clocks show at that moment before they are put, as if they were in UTC.
	wall     time.Time
	from, to int // seconds ahead of UTC, before and after
	name     string
	summer   bool
}

// kind is what one observance of a VTIMEZONE can say together: it starts at one time of day, or of several by RDATE.
type kind struct {
	from, to int
	name     string
	summer   bool
}

func (c change) kind() kind { return kind{c.from, c.to, c.name, c.summer} }

// changes are those of a zone in the years above. Time.ZoneBounds would be the way to ask for them; on the last day of a leap
// year it may end before its own time.
func changes(zone *time.Location) []change {
	const day = 24 * time.Hour
	var all []change
	offset := func(at time.Time) int {
		_, seconds := at.In(zone).Zone()
		return seconds
	}
	end := time.Date(lastChange+1, 1, 1, 0, 0, 0, 0, time.UTC)
	before := time.Date(firstChange, 1, 1, 0, 0, 0, 0, time.UTC)
	from := offset(before)
	for before.Before(end) {
		after := before.Add(day)
		to := offset(after)
		if to != from {
			low, high := before.Unix(), after.Unix()
			for high-low > 1 {
				if middle := (low + high) / 2; offset(time.Unix(middle, 0)) == from {
					low = middle
				} else {
					high = middle
				}
			}
			at := time.Unix(high, 0).In(zone)
			name, _ := at.Zone()
			all = append(all, change{
				wall: at.UTC().Add(time.Duration(from) * time.Second), from: from, to: to, name: name, summer: at.IsDST(),
			})
		}
		before, from = after, to
	}
	return all
}

// yearly is how a change comes back each year: on a weekday among seven days of a month, at a time of day.
type yearly struct {
	month   time.Month
	first   int // the earliest day of the month on which it falls
	weekday time.Weekday
	clock   string
}

// rule is the change's RRULE. The usual form is taken where there is one: not every reader knows the other.
func (y yearly) rule() string {
	day := strings.ToUpper(y.weekday.String()[:2])
	last := time.Date(2001, y.month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	switch {
	case y.month != time.February && y.first == last-6:
		return fmt.Sprintf("FREQ=YEARLY;BYMONTH=%d;BYDAY=-1%s", y.month, day)
	case y.first%7 == 1:
		return fmt.Sprintf("FREQ=YEARLY;BYMONTH=%d;BYDAY=%d%s", y.month, y.first/7+1, day)
	default:
		days := make([]string, 7)
		for i := range days {
			days[i] = strconv.Itoa(y.first + i)
		}
		return fmt.Sprintf("FREQ=YEARLY;BYMONTH=%d;BYMONTHDAY=%s;BYDAY=%s", y.month, strings.Join(days, ","), day)
	}
}

// tail finds from which change on, all of which are of two kinds in turn, a zone does the same each year. It returns how
// many changes come before, and the rules of the two kinds; all of them and none if it does not.
func tail(all []change) (before int, rules map[kind]yearly) {
	n := len(all)
	if n < 4 || all[n-1].wall.Year() < lastChange-1 {
		return n, nil // its clocks stand still in the end
	}
	rules = map[kind]yearly{}
	begin := n
	for k := range 2 {
		c := all[n-1-k]
		rules[c.kind()] = yearly{month: c.wall.Month(), first: earliest(all, n-1-k), weekday: c.wall.Weekday(), clock: c.wall.Format(time.TimeOnly)}
	}
	if len(rules) != 2 {
		return n, nil
	}
	for i := n - 1; i >= 0; i-- {
		y, known := rules[all[i].kind()]
		c := all[i].wall
		follows := i == n-1 || all[i].kind() != all[i+1].kind() && all[i+1].wall.Sub(c) < 366*24*time.Hour
		if !known || !follows || c.Month() != y.month || c.Weekday() != y.weekday || c.Format(time.TimeOnly) != y.clock ||
			c.Day() < y.first || c.Day() > y.first+6 {
			break
		}
		begin = i
	}
	if n-begin < 4 {
		return n, nil
	}
	return begin, rules
}

// earliest is the earliest day of the month on which the change at index i falls in the forty years before: in them a date
// falls on every weekday.
func earliest(all []change, i int) int {
	first := all[i].wall.Day()
	for k := i; k >= 0 && k > i-80; k -= 2 {
		if all[k].kind() == all[i].kind() && all[k].wall.Month() == all[i].wall.Month() {
			first = min(first, all[k].wall.Day())
		}
	}
	return first
}

const wallLayout = "20060102T150405"

// appendZone writes a zone as a VTIMEZONE that is right from 1970 on, made of Go's zone data: what has no rule as dates, and
// what comes back each year as a rule.
func appendZone(b []byte, zone *time.Location) []byte {
	all := changes(zone)
	b = appendLine(b, "BEGIN:VTIMEZONE")
	b = appendLine(b, "TZID:"+zone.String())
	b = appendLine(b, "X-LIC-LOCATION:"+zone.String())
	begin := time.Date(firstChange, 1, 1, 0, 0, 0, 0, time.UTC).In(zone)
	name, offset := begin.Zone()
	// What the clocks showed when 1970 began in UTC may still be 1969.
	b = appendObservance(b, kind{offset, offset, name, begin.IsDST()}, begin.Add(-24*time.Hour).Format(wallLayout), "", nil)
	until, rules := tail(all)
	var kinds []kind
	dates := map[kind][]string{}
	for _, c := range all[:until] {
		if !slices.Contains(kinds, c.kind()) {
			kinds = append(kinds, c.kind())
		}
		dates[c.kind()] = append(dates[c.kind()], c.wall.Format(wallLayout))
	}
	for _, k := range kinds {
		b = appendObservance(b, k, dates[k][0], "", dates[k])
	}
	for _, c := range all[until:min(len(all), until+2)] {
		b = appendObservance(b, c.kind(), c.wall.Format(wallLayout), rules[c.kind()].rule(), nil)
	}
	return appendLine(b, "END:VTIMEZONE")
}

// appendObservance writes one STANDARD or DAYLIGHT part.
func appendObservance(b []byte, k kind, start, rule string, dates []string) []byte {
	name := "STANDARD"
	if k.summer {
		name = "DAYLIGHT"
	}
	b = appendLine(b, "BEGIN:"+name)
	b = appendLine(b, "DTSTART:"+start)
	if rule != "" {
		b = appendLine(b, "RRULE:"+rule)
	}
	// Each on a line of its own, the first again: readers are about (ical.js) that take one date of each RDATE, and do not
	// count DTSTART if there is one.
	for _, at := range dates {
		if len(dates) > 1 {
			b = appendLine(b, "RDATE:"+at)
		}
	}
	b = appendLine(b, "TZNAME:"+escape(k.name))
	b = appendLine(b, "TZOFFSETFROM:"+offsetText(k.from))
	b = appendLine(b, "TZOFFSETTO:"+offsetText(k.to))
	return appendLine(b, "END:"+name)
}

// offsetText writes a UTC-OFFSET (RFC 5545, section 3.3.14).
func offsetText(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	text := fmt.Sprintf("%c%02d%02d", sign, seconds/3600, seconds/60%60)
	if seconds%60 != 0 {
		text += fmt.Sprintf("%02d", seconds%60)
	}
	return text
}
