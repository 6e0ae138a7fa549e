package todoist

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/recurrence"
)

// When is a date that was understood.
type When struct {
	// At is what clocks show when it is first due, as if they were in UTC; midnight without a time.
	At      time.Time
	HasTime bool
	// Rule is an RRULE, empty for what does not repeat.
	Rule string
	// FromCompletion says that it counts from the day it is done (every!).
	FromCompletion bool
	// numeric says that it is written without words, so that its language does not matter.
	numeric bool
}

// maxWhen is how long a date may be written, in bytes; nobody writes longer ones.
const maxWhen = 150

// clock is a time of day.
type clock struct{ hour, minute int }

var (
	isoDate  = regexp.MustCompile(`^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[t ]+(\d{1,2}):(\d{2})(?::\d{2}(?:\.\d+)?)?(z)?)?$`)
	clockEnd = regexp.MustCompile(`(?:^|\s)(?:at\s+|@\s*)?(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)$|(?:^|\s)(?:at\s+|@\s*)?(\d{1,2}):(\d{2})$|(?:^|\s)at\s+(\d{1,2})$`)
	ordinal  = regexp.MustCompile(`^(\d{1,2})(?:st|nd|rd|th)$`)
	spaces   = regexp.MustCompile(`\s+`)
)

// dayTimes are the times that words of the day stand for.
var dayTimes = map[string]clock{"morning": {9, 0}, "noon": {12, 0}, "afternoon": {12, 0}, "evening": {19, 0}, "night": {22, 0}, "midnight": {0, 0}}

// Parse reads a date as people write it in Todoist, in English, counted from now, which is in their zone. False for what it
// does not understand: it guesses nothing.
func Parse(text string, now time.Time) (When, bool) {
	if len(text) > maxWhen {
		return When{}, false
	}
	words := spaces.ReplaceAllString(strings.ToLower(strings.TrimSpace(text)), " ")
	clockNow := time.Date(now.Year(), now.Month(), now.Day(), now.Hour(), now.Minute(), now.Second(), 0, time.UTC)
	p := &parser{now: clockNow, today: clockNow.Truncate(24 * time.Hour)}
	if when, ok := p.iso(words, now.Location()); ok {
		return when, inYears(when.At)
	}
	words = p.takeClock(words)
	when, ok := p.once(words)
	if !ok {
		when, ok = p.repeating(words)
	}
	if !ok || !inYears(when.At) {
		return When{}, false
	}
	return when, true
}

func inYears(t time.Time) bool { return t.Year() >= 1970 && t.Year() < 9999 }

type parser struct {
	now, today time.Time
	clock      clock
	hasClock   bool
}

// at is a day at the time that was read, if one was.
func (p *parser) at(day time.Time) When {
	if !p.hasClock {
		return When{At: day}
	}
	return When{At: day.Add(time.Duration(p.clock.hour)*time.Hour + time.Duration(p.clock.minute)*time.Minute), HasTime: true}
}

// iso reads 2026-12-01, 2026-12-01 09:00 and 2026-12-01T09:00:00Z.
func (p *parser) iso(words string, zone *time.Location) (When, bool) {
	m := isoDate.FindStringSubmatch(words)
	if m == nil {
		return When{}, false
	}
	day, ok := date(number(m[1]), number(m[2]), number(m[3]))
	if !ok {
		return When{}, false
	}
	if m[4] != "" {
		p.clock, p.hasClock = clock{number(m[4]), number(m[5])}, true
		if p.clock.hour > 23 || p.clock.minute > 59 {
			return When{}, false
		}
	}
	when := p.at(day)
	if m[6] == "z" {
		local := when.At.In(zone)
		when.At = time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), 0, 0, time.UTC)
	}
	when.numeric = true
	return when, true
}

// takeClock takes a time of day from the end, or the word for one.
func (p *parser) takeClock(words string) string {
	if m := clockEnd.FindStringSubmatchIndex(words); m != nil {
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return words[m[2*i]:m[2*i+1]]
		}
		c := clock{number(group(1) + group(4) + group(6)), number(group(2) + group(5))}
		valid := c.hour < 24 && c.minute < 60
		if half := group(3); half != "" {
			valid = c.hour >= 1 && c.hour <= 12 && c.minute < 60
			c.hour %= 12
			if half == "pm" {
				c.hour += 12
			}
		}
		if valid {
			p.clock, p.hasClock = c, true
			return strings.TrimSpace(words[:m[0]])
		}
	}
	rest, last := cutLast(words)
	if c, ok := dayTimes[last]; ok && rest != "every" && rest != "every!" && rest != "ev" && rest != "ev!" {
		p.clock, p.hasClock = c, true
		rest = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(" "+rest, " the"), " in"), " at")
		if rest = strings.TrimSpace(rest); rest == "" || rest == "this" {
			rest = "today"
		}
		return rest
	}
	return words
}

func cutLast(words string) (rest, last string) {
	i := strings.LastIndexByte(words, ' ')
	return words[:max(i, 0)], words[i+1:]
}

// once reads a single date.
func (p *parser) once(words string) (When, bool) {
	days := func(n int) (When, bool) { return p.at(p.today.AddDate(0, 0, n)), true }
	switch words {
	case "":
		// A time alone is today, or tomorrow if it is over.
		if !p.hasClock {
			return When{}, false
		}
		if when := p.at(p.today); when.At.After(p.now) {
			return when, true
		}
		return days(1)
	case "today", "tod":
		return days(0)
	case "tonight":
		if !p.hasClock {
			p.clock, p.hasClock = dayTimes["evening"], true
		}
		return days(0)
	case "tomorrow", "tom", "tmr", "tmrw":
		return days(1)
	case "yesterday":
		return days(-1)
	case "next week":
		return p.at(p.next(time.Monday, 1)), true
	case "weekend", "this weekend":
		return p.at(p.next(time.Saturday, 0)), true
	case "next month":
		return p.at(time.Date(p.today.Year(), p.today.Month()+1, 1, 0, 0, 0, 0, time.UTC)), true
	}
	if day, ok := weekday(strings.TrimPrefix(words, "this ")); ok {
		return p.at(p.next(day, 0)), true
	}
	if name, ok := strings.CutPrefix(words, "next "); ok {
		if day, ok := weekday(name); ok {
			// That of the week after this one, weeks beginning on Monday.
			monday := p.next(time.Monday, 1)
			return p.at(monday.AddDate(0, 0, (int(day)+6)%7)), true
		}
	}
	if day, ok := p.ahead(words); ok {
		return p.at(day), true
	}
	if day, ok := p.dayOfYear(words); ok {
		return p.at(day), true
	}
	if day, ok := monthDay(words); ok && ordinal.MatchString(words) && day > 0 {
		return p.first("FREQ=MONTHLY;BYMONTHDAY=" + strconv.Itoa(day))
	}
	return When{}, false
}

// first is the first day from now on that a rule selects.
func (p *parser) first(rule string) (When, bool) {
	when, ok := p.series(rule)
	when.Rule = ""
	return when, ok
}

// next is the next day of that name, from so many days ahead on.
func (p *parser) next(day time.Weekday, from int) time.Time {
	begin := p.today.AddDate(0, 0, from)
	return begin.AddDate(0, 0, (int(day)-int(begin.Weekday())+7)%7)
}

// ahead reads "in 3 days" and "+2 weeks".
func (p *parser) ahead(words string) (time.Time, bool) {
	rest, ok := strings.CutPrefix(words, "in ")
	if !ok {
		if rest, ok = strings.CutPrefix(words, "+"); !ok {
			return time.Time{}, false
		}
	}
	n, unit, ok := strings.Cut(strings.TrimSpace(rest), " ")
	count, known := countWord(n)
	if !ok || !known {
		return time.Time{}, false
	}
	switch strings.TrimSuffix(unit, "s") {
	case "day":
		return p.today.AddDate(0, 0, count), true
	case "week":
		return p.today.AddDate(0, 0, 7*count), true
	case "month":
		return clampMonth(p.today, count), true
	case "year":
		return clampMonth(p.today, 12*count), true
	default:
		return time.Time{}, false
	}
}

// clampMonth is some months later, on the month's last day if it is shorter.
func clampMonth(t time.Time, months int) time.Time {
	last := time.Date(t.Year(), t.Month()+time.Month(months)+1, 0, 0, 0, 0, 0, time.UTC)
	return time.Date(last.Year(), last.Month(), min(t.Day(), last.Day()), 0, 0, 0, 0, time.UTC)
}

// dayOfYear reads "jan 27", "27 jan", "27th of january" and each with a year; without one it is the next such day.
func (p *parser) dayOfYear(words string) (time.Time, bool) {
	month, day, rest, ok := monthAndDay(strings.Fields(strings.ReplaceAll(words, ",", " ")))
	if !ok || len(rest) > 1 {
		return time.Time{}, false
	}
	if len(rest) == 1 {
		if len(rest[0]) != 4 {
			return time.Time{}, false
		}
		return date(number(rest[0]), int(month), day)
	}
	for year := p.today.Year(); year <= p.today.Year()+8; year++ {
		if at, ok := date(year, int(month), day); ok && !at.Before(p.today) {
			return at, true
		}
	}
	return time.Time{}, false
}

// monthAndDay reads a day of a month at the front, in either order, and returns what follows.
func monthAndDay(words []string) (month time.Month, day int, rest []string, ok bool) {
	words = slices.DeleteFunc(words, func(w string) bool { return w == "of" || w == "the" })
	if len(words) < 2 {
		return 0, 0, nil, false
	}
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		m, isMonth := months[words[order[0]]]
		d, isDay := monthDay(words[order[1]])
		if isMonth && isDay && d > 0 {
			return m, d, words[2:], true
		}
	}
	return 0, 0, nil, false
}

// date is a day that exists.
func date(year, month, day int) (time.Time, bool) {
	at := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return at, at.Year() == year && int(at.Month()) == month && at.Day() == day
}

// number reads digits; -1 for what is none.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	switch {
	case digits == "":
		return 0
	case err != nil:
		return -1
	default:
		return n
	}
}

// series is a rule with its first time from now on, as a When.
func (p *parser) series(text string) (When, bool) {
	rule, err := recurrence.Parse(text)
	if err != nil {
		return When{}, false
	}
	start := p.at(p.today)
	for wall := range rule.Walls(start.At, time.UTC, time.Time{}) {
		// The start comes first, selected or not.
		if wall.Equal(start.At) && !p.selects(rule, start.At) || p.hasClock && !wall.After(p.now) {
			continue
		}
		start.At, start.Rule = wall, rule.String()
		return start, true
	}
	return When{}, false
}

// selects reports whether a rule selects the day it begins on.
func (p *parser) selects(rule *recurrence.Rule, start time.Time) bool {
	found, err := rule.Occurrences(start, time.UTC, time.Time{}, 1)
	return err == nil && len(found) == 1 && found[0].Equal(start)
}
