package offline

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// moment is what a phrase says about when: a day, a time of day, both, or an instant.
type moment struct {
	// day is midnight UTC of the day that is meant; zero if none is said.
	day time.Time
	// minutes is the time of day, 24*60 for its end; it counts if timed.
	minutes int
	timed   bool
	// at is an instant such as in 2 hours; zero if none is said.
	at time.Time
	// unclear is a question to the user, when what was said can mean two days.
	unclear string
}

func (m moment) isZero() bool { return m.day.IsZero() && !m.timed && m.at.IsZero() && m.unclear == "" }

// due is the moment as the tools take it, an instant in the user's zone or a date. A time without a day is the next such.
func (m moment) due(now time.Time) string {
	switch {
	case !m.at.IsZero():
		return m.at.In(now.Location()).Format(time.RFC3339)
	case !m.timed && m.day.IsZero():
		return ""
	case !m.timed:
		return m.day.Format(time.DateOnly)
	}
	day := m.day
	if day.IsZero() {
		day = dayOf(now)
		if !wall(day, m.minutes, now.Location()).After(now) {
			day = day.AddDate(0, 0, 1)
		}
	}
	return wall(day, m.minutes, now.Location()).Format(time.RFC3339)
}

var weekdays = map[string]time.Weekday{
	"sunday": time.Sunday, "monday": time.Monday, "tuesday": time.Tuesday, "wednesday": time.Wednesday,
	"thursday": time.Thursday, "friday": time.Friday, "saturday": time.Saturday,
}

// shortWeekdays are read as weekdays only where a day must stand, for the sun shines and the cat sat.
var shortWeekdays = map[string]time.Weekday{
	"sun": time.Sunday, "mon": time.Monday, "tue": time.Tuesday, "tues": time.Tuesday, "wed": time.Wednesday,
	"thu": time.Thursday, "thur": time.Thursday, "thurs": time.Thursday, "fri": time.Friday, "sat": time.Saturday,
}

var months = map[string]time.Month{
	"january": 1, "jan": 1, "february": 2, "feb": 2, "march": 3, "mar": 3, "april": 4, "apr": 4, "may": 5, "june": 6, "jun": 6,
	"july": 7, "jul": 7, "august": 8, "aug": 8, "september": 9, "sep": 9, "sept": 9, "october": 10, "oct": 10,
	"november": 11, "nov": 11, "december": 12, "dec": 12,
}

var numbers = map[string]int{
	"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
	"twelve": 12, "couple": 2,
}

// maxNumber is more than any number of days or times that a rule may mean.
const maxNumber = 5000

// numberAt reads 3, three, a or a couple of.
func numberAt(words []word, i int) (n, next int, ok bool) {
	if i >= len(words) || words[i].kind != plain {
		return 0, i, false
	}
	if k := begin(words, i, "a couple of"); k > 0 {
		return 2, i + k, true
	}
	if said, known := numbers[words[i].low]; known {
		return said, i + 1, true
	}
	n, err := strconv.Atoi(words[i].low)
	return n, i + 1, err == nil && n > 0 && n <= maxNumber
}

// ordinalAt reads 31st, or 31 of a plain number, as a day of a month.
func ordinalAt(words []word, i int, bare bool) (n int, ok bool) {
	if i >= len(words) || words[i].kind != plain {
		return 0, false
	}
	number := words[i].low
	for _, suffix := range []string{"st", "nd", "rd", "th"} {
		if cut, found := strings.CutSuffix(number, suffix); found {
			number, bare = cut, true
			break
		}
	}
	n, err := strconv.Atoi(number)
	return n, bare && err == nil && n >= 1 && n <= 31 && len(number) <= 2
}

func weekdayAt(words []word, i int, short bool) (time.Weekday, bool) {
	if i < 0 || i >= len(words) {
		return 0, false
	}
	day, ok := weekdays[words[i].low]
	if !ok && short {
		day, ok = shortWeekdays[words[i].low]
	}
	return day, ok
}

// unitOf is the unit of a word such as days: minute, hour, day, week, month or year.
func unitOf(low string) (unit string, ok bool) {
	low = strings.TrimSuffix(low, "s")
	switch low {
	case "min", "minute":
		return "minute", true
	case "hr", "hour":
		return "hour", true
	case "day", "week", "month", "year":
		return low, true
	default:
		return "", false
	}
}

// addMonths keeps the day of the month where the month has it, else its last.
func addMonths(day time.Time, n int) time.Time {
	first := time.Date(day.Year(), day.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	return first.AddDate(0, 0, min(day.Day(), lastOf(first).Day())-1)
}

// lastOf is the last day of a day's month.
func lastOf(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC)
}

// shifted is a day some units later.
func shifted(day time.Time, n int, unit string) time.Time {
	switch unit {
	case "week":
		return day.AddDate(0, 0, 7*n)
	case "month":
		return addMonths(day, n)
	case "year":
		return addMonths(day, 12*n)
	default:
		return day.AddDate(0, 0, n)
	}
}

// lengthAt reads a length of time such as 2 hours or a week.
func lengthAt(words []word, i int) (n int, unit string, next int, ok bool) {
	n, next, ok = numberAt(words, i)
	if !ok || next >= len(words) {
		return 0, "", i, false
	}
	unit, ok = unitOf(words[next].low)
	return n, unit, next + 1, ok
}

// later is a moment some time from now.
func later(now time.Time, n int, unit string) moment {
	switch unit {
	case "minute":
		return moment{at: now.Add(time.Duration(n) * time.Minute)}
	case "hour":
		return moment{at: now.Add(time.Duration(n) * time.Hour)}
	default:
		return moment{day: shifted(dayOf(now), n, unit)}
	}
}

// next weekday, strictly after today.
func nextWeekday(today time.Time, day time.Weekday) time.Time {
	return today.AddDate(0, 0, 1+int(day-today.Weekday()+6)%7)
}

// dates reads the parts of phrases that say a day.
type dates struct {
	words []word
	now   time.Time
}

// day reads a day at i. led says that a word before it asks for a day, as in "on friday" or "due".
func (d dates) day(i int, led bool) (m moment, next int, ok bool) {
	for _, rule := range []func(int, bool) (moment, int, bool){d.near, d.distance, d.ending, d.ofWeek, d.named, d.numeric, d.ofMonth} {
		if m, next, ok = rule(i, led); ok {
			return m, next, true
		}
	}
	return moment{}, i, false
}

// near reads today, tonight, tomorrow and the day after it.
func (d dates) near(i int, _ bool) (moment, int, bool) {
	today := dayOf(d.now)
	if n := begin(d.words, i, "the day after tomorrow", "day after tomorrow"); n > 0 {
		return moment{day: today.AddDate(0, 0, 2)}, i + n, true
	}
	switch {
	case oneOf(d.words, i, "today"):
		return moment{day: today}, i + 1, true
	case oneOf(d.words, i, "tonight"):
		return moment{day: today, minutes: night * 60, timed: true}, i + 1, true
	case oneOf(d.words, i, "tomorrow", "tmrw"):
		return moment{day: today.AddDate(0, 0, 1)}, i + 1, true
	case oneOf(d.words, i, "yesterday"):
		return moment{day: today.AddDate(0, 0, -1)}, i + 1, true
	default:
		return moment{}, i, false
	}
}

// distance reads in 3 days, in 2 hours and 3 days from now.
func (d dates) distance(i int, _ bool) (moment, int, bool) {
	if has(d.words, i, "in") {
		if n, unit, next, ok := lengthAt(d.words, i+1); ok && d.alone(i, next) {
			return later(d.now, n, unit), next, true
		}
		if n := begin(d.words, i, "in half an hour"); n > 0 {
			return later(d.now, 30, "minute"), i + n, true
		}
		return moment{}, i, false
	}
	if n, unit, next, ok := lengthAt(d.words, i); ok {
		if k := begin(d.words, next, "from now", "from today"); k > 0 {
			return later(d.now, n, unit), next + k, true
		}
	}
	return moment{}, i, false
}

// ending reads the end of the month.
func (d dates) ending(i int, _ bool) (moment, int, bool) {
	at := i + begin(d.words, i, "the")
	switch n := begin(d.words, at, "end of", "last day of"); {
	case n > 0:
		at += n
	default:
		return moment{}, i, false
	}
	today, nexts := dayOf(d.now), 0
	switch n := begin(d.words, at, "the next", "next"); {
	case n > 0:
		nexts, at = 1, at+n
	default:
		at += begin(d.words, at, "the", "this")
	}
	switch {
	case oneOf(d.words, at, "week"):
		return moment{day: today.AddDate(0, 0, (7-int(today.Weekday()))%7+7*nexts)}, at + 1, true
	case oneOf(d.words, at, "month"):
		first := time.Date(today.Year(), today.Month()+time.Month(nexts), 1, 0, 0, 0, 0, time.UTC)
		return moment{day: lastOf(first)}, at + 1, true
	case oneOf(d.words, at, "year"):
		return moment{day: time.Date(today.Year()+nexts, time.December, 31, 0, 0, 0, 0, time.UTC)}, at + 1, true
	case oneOf(d.words, at, "day") && nexts == 0:
		return moment{day: today}, at + 1, true
	default:
		return moment{}, i, false
	}
}

// ofWeek reads friday, next friday, this weekend and next week. A bare weekday is one only where nothing goes on as if it were
// part of a name: Friday report, Black Friday.
func (d dates) ofWeek(i int, led bool) (moment, int, bool) {
	today := dayOf(d.now)
	at, this := i, false
	switch {
	case oneOf(d.words, i, "next", "coming"):
		at++
	case oneOf(d.words, i, "this"):
		at, this = at+1, true
	case begin(d.words, i, "the coming", "the next") > 0:
		at += 2
	}
	chosen := at > i
	if day, ok := weekdayAt(d.words, at, led || chosen); ok {
		if !chosen && !led && !d.alone(i, at+1) {
			return moment{}, i, false
		}
		if this && day == today.Weekday() {
			return moment{day: today}, at + 1, true
		}
		return moment{day: nextWeekday(today, day)}, at + 1, true
	}
	switch {
	case !chosen:
		return moment{}, i, false
	case oneOf(d.words, at, "weekend"):
		day := nextWeekday(today, time.Saturday)
		if today.Weekday() == time.Saturday && this {
			day = today
		} else if !this && day.Sub(today) < 6*24*time.Hour {
			day = day.AddDate(0, 0, 7)
		}
		return moment{day: day}, at + 1, true
	case this:
		return moment{}, i, false
	case oneOf(d.words, at, "week"):
		return moment{day: nextWeekday(today, time.Monday)}, at + 1, true
	case oneOf(d.words, at, "month"):
		return moment{day: addMonths(today.AddDate(0, 0, 1-today.Day()), 1)}, at + 1, true
	case oneOf(d.words, at, "year"):
		return moment{day: time.Date(today.Year()+1, time.January, 1, 0, 0, 0, 0, time.UTC)}, at + 1, true
	default:
		return moment{}, i, false
	}
}

// alone reports whether words[from:to] can be a date of its own rather than part of a name.
func (d dates) alone(from, to int) bool {
	if oneOf(d.words, from-1, "the", "a", "an", "black", "good", "ash", "palm", "easter", "super", "and", "or") {
		return false
	}
	if to >= len(d.words) || d.words[to].kind != plain {
		return true
	}
	if _, _, ok := clockAt(d.words, to, true); ok {
		return true
	}
	if _, _, ok := partAt(d.words, to, true); ok {
		return true
	}
	return oneOf(d.words, to, "at", "and", "by", "to", "with", "before", "in", "every", "each", "remind", "tagged", "please", "urgent", "repeating", "starting")
}

// named reads 25 December, Dec 25 2026 and the 25th of December.
func (d dates) named(i int, led bool) (moment, int, bool) {
	at := i + begin(d.words, i, "the")
	var (
		month time.Month
		day   int
		ok    bool
	)
	if day, ok = ordinalAt(d.words, at, true); ok {
		at++
		at += begin(d.words, at, "of")
		if at >= len(d.words) {
			return moment{}, i, false
		}
		if month, ok = months[d.words[at].low]; !ok {
			return moment{}, i, false
		}
		at++
	} else {
		if at >= len(d.words) {
			return moment{}, i, false
		}
		if month, ok = months[d.words[at].low]; !ok {
			return moment{}, i, false
		}
		at++
		at += begin(d.words, at, "the")
		if day, ok = ordinalAt(d.words, at, true); !ok {
			return moment{}, i, false
		}
		if _, next, isClock := clockAt(d.words, at, false); isClock && next > at {
			return moment{}, i, false // May 5pm
		}
		at++
	}
	yearAt := at + begin(d.words, at, ",")
	if year, ok := yearOf(d.words, yearAt); ok {
		day, ok := calendar(year, month, day)
		return moment{day: day}, yearAt + 1, ok
	}
	if !led && !d.alone(i, at) {
		return moment{}, i, false // March 8 miles
	}
	return d.next(month, day, at, i)
}

// next is the next such day of the year, today included.
func (d dates) next(month time.Month, day, next, i int) (moment, int, bool) {
	today := dayOf(d.now)
	for year := today.Year(); year <= today.Year()+8; year++ { // 29 February
		if at, ok := calendar(year, month, day); ok && !at.Before(today) {
			return moment{day: at}, next, true
		}
	}
	return moment{}, i, false
}

func yearOf(words []word, i int) (int, bool) {
	if i >= len(words) || len(words[i].low) != 4 {
		return 0, false
	}
	year, err := strconv.Atoi(words[i].low)
	return year, err == nil && year >= 1970 && year < 2200
}

// calendar is a day if there is such a day.
func calendar(year int, month time.Month, day int) (time.Time, bool) {
	at := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	return at, at.Month() == month && at.Day() == day
}

// numeric reads 2026-12-01, 25.12.2026, 12/25/2026 and 25/12/2026. 12/01/2026 is two different days to different people, so it
// is asked.
func (d dates) numeric(i int, _ bool) (moment, int, bool) {
	if i >= len(d.words) || d.words[i].kind != plain {
		return moment{}, i, false
	}
	low := d.words[i].low
	if day, err := time.Parse(time.DateOnly, low); err == nil {
		return moment{day: day}, i + 1, true
	}
	if at, err := time.Parse(time.RFC3339, d.words[i].text); err == nil {
		return moment{at: at}, i + 1, true
	}
	sep := "/"
	if strings.Contains(low, ".") {
		sep = "."
	}
	parts := strings.Split(low, sep)
	if len(parts) != 3 || len(parts[2]) != 4 {
		return moment{}, i, false
	}
	var n [3]int
	for k, part := range parts {
		v, err := strconv.Atoi(part)
		if err != nil || v < 1 {
			return moment{}, i, false
		}
		n[k] = v
	}
	dayFirst, isDayFirst := calendar(n[2], time.Month(n[1]), n[0])
	monthFirst, isMonthFirst := calendar(n[2], time.Month(n[0]), n[1])
	switch {
	case isDayFirst && (sep == "." || !isMonthFirst || dayFirst.Equal(monthFirst)):
		return moment{day: dayFirst}, i + 1, true
	case isMonthFirst && !isDayFirst && sep == "/":
		return moment{day: monthFirst}, i + 1, true
	case isDayFirst && isMonthFirst:
		return moment{unclear: fmt.Sprintf("%s can be %s or %s. Which one do you mean? Say it like %s.", low,
			dayFirst.Format("2 January 2006"), monthFirst.Format("2 January 2006"), dayFirst.Format(time.DateOnly))}, i + 1, true
	default:
		return moment{}, i, false
	}
}

// ofMonth reads the 5th, where a day is asked for and nothing goes on as in The 5th Wave.
func (d dates) ofMonth(i int, led bool) (moment, int, bool) {
	if !led || !has(d.words, i, "the") {
		return moment{}, i, false
	}
	day, ok := ordinalAt(d.words, i+1, false)
	if !ok || !d.alone(i, i+2) {
		return moment{}, i, false
	}
	today := dayOf(d.now)
	for n := range 12 {
		first := time.Date(today.Year(), today.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
		if at, ok := calendar(first.Year(), first.Month(), day); ok && !at.Before(today) {
			return moment{day: at}, i + 2, true
		}
	}
	return moment{}, i, false
}
