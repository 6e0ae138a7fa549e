package recurrence

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Words say the rule in an English sentence without its full stop, such as "every second Tuesday at 09:00, Europe/Oslo".
//
// Start is what the clocks in zone show at the beginning; a nil zone says that the series is of whole days, which have
// neither time nor zone. fromCompletion says that it counts from the day a task was done, and not from its schedule.
func (r *Rule) Words(start time.Time, zone *time.Location, fromCompletion bool) string {
	var b strings.Builder
	said, note := r.pattern(start, fromCompletion)
	b.WriteString(said)
	if zone != nil {
		b.WriteString(" at " + clockName(start) + ", " + zone.String())
	}
	b.WriteString(note)
	if len(r.positions) > 0 {
		b.WriteString(", only the " + ranks(r.positions) + " in each " + r.freq.unit())
	}
	switch {
	case r.count == 1:
		b.WriteString(", once")
	case r.count > 1:
		fmt.Fprintf(&b, ", %d times", r.count)
	case !r.untilWall.IsZero():
		b.WriteString(", until " + r.untilWall.Format("2 January 2006"))
		if zone != nil && strings.Contains(r.text, "T"+r.untilWall.Format("150405")) {
			b.WriteString(" at " + clockName(r.untilWall))
		}
	case !r.untilAt.IsZero() && zone == nil:
		b.WriteString(", until " + r.untilAt.Format("2 January 2006"))
	case !r.untilAt.IsZero():
		until := r.untilAt.In(zone)
		b.WriteString(", until " + until.Format("2 January 2006") + " at " + clockName(until))
	}
	if fromCompletion {
		b.WriteString(", counted from the day it is done")
	}
	return b.String()
}

func clockName(t time.Time) string {
	if t.Second() != 0 {
		return t.Format(time.TimeOnly)
	}
	return t.Format("15:04")
}

// pattern says which days, without times, and what is noted behind the time.
func (r *Rule) pattern(start time.Time, fromCompletion bool) (said, note string) {
	if r.freq == weekly && len(r.positions) == 0 && len(r.months) == 0 {
		days := r.weekdays
		if len(days) == 0 && !fromCompletion {
			days = []weekday{{day: weekdayOf(dayOf(start))}}
		}
		switch {
		case len(days) == 1:
			return every(r.interval, weekdayName(days[0].day)), ""
		case len(days) == 7 && r.interval == 1:
			return "every day", ""
		case isWorkWeek(days) && r.interval == 1:
			return "every weekday", ""
		case r.interval == 1 && len(days) > 0:
			return "every " + weekdayList(days, ""), ""
		}
	}
	said = every(r.interval, r.freq.unit())
	days, note := r.daysInWords(start, fromCompletion)
	if days != "" {
		said += " " + days
	}
	return said, note
}

// every is "every Tuesday", "every second Tuesday" or "every 14th Tuesday".
func every(interval int, what string) string {
	if interval == 1 {
		return "every " + what
	}
	return "every " + rank(interval) + " " + what
}

// What a day that not every period has is noted with.
const (
	skipsMonths = ", skipping months without it"
	skipsYears  = ", skipping years without it"
)

// daysInWords says which days of a period; nothing for all of them.
func (r *Rule) daysInWords(start time.Time, fromCompletion bool) (said, note string) {
	if r.freq == yearly && len(r.months) == 1 && len(r.monthDays) == 1 && r.monthDays[0] > 0 && len(r.weekdays)+len(r.yearDays)+len(r.weeks) == 0 {
		return yearDate(time.Month(r.months[0]), r.monthDays[0])
	}
	months := ""
	if len(r.months) > 0 {
		months = " in " + monthList(r.months)
	}
	var parts []string
	if len(r.monthDays) > 0 {
		parts = append(parts, "on the "+dayList(r.monthDays))
		if r.freq == yearly && months == "" {
			months = " of every month"
		}
		if len(r.monthDays) == 1 && r.monthDays[0] > 28 && r.freq != daily && len(r.weekdays) == 0 {
			note = skipsMonths
		}
	}
	if len(r.yearDays) > 0 {
		parts = append(parts, "on the "+dayList(r.yearDays)+" of the year")
	}
	if len(r.weekdays) > 0 {
		if len(parts) > 0 {
			parts = append(parts, "if it is "+weekdayChoice(r.weekdays))
		} else {
			parts = append(parts, "on "+weekdayList(r.weekdays, "the"))
		}
	}
	if len(r.weeks) > 0 {
		parts = append(parts, "in "+weekList(r.weeks))
	}
	if len(parts) == 0 && !fromCompletion {
		said, note = r.startInWords(start)
		parts = append(parts, said)
	}
	return strings.TrimSpace(strings.Join(parts, " ") + months), note
}

// startInWords says the day that a rule takes from where it begins.
func (r *Rule) startInWords(start time.Time) (said, note string) {
	switch {
	case r.freq == weekly:
		return "on " + weekdayName(weekdayOf(dayOf(start))), ""
	case r.freq == monthly, r.freq == yearly && len(r.months) > 0:
		if start.Day() > 28 {
			note = skipsMonths
		}
		return "on the " + dayName(start.Day()), note
	case r.freq == yearly:
		return yearDate(start.Month(), start.Day())
	default:
		return "", ""
	}
}

func yearDate(month time.Month, day int) (said, note string) {
	if month == time.February && day == 29 {
		note = skipsYears
	}
	return "on " + strconv.Itoa(day) + " " + month.String(), note
}

func weekdayName(day int) string { return time.Weekday((day + 1) % 7).String() }

func isWorkWeek(days []weekday) bool {
	return slices.Equal(days, []weekday{{day: 0}, {day: 1}, {day: 2}, {day: 3}, {day: 4}})
}

// with is the weekday with its number, as "a second Tuesday" or "the last Friday"; without one just its name.
func (w weekday) with(article string) string {
	switch {
	case w.n == 0:
		return weekdayName(w.day)
	case w.n < 0 && article == "a":
		return fmt.Sprintf("%s %s from its end", article+" "+rank(-w.n), weekdayName(w.day))
	default:
		return article + " " + rankFromEnd(w.n) + " " + weekdayName(w.day)
	}
}

func weekdayList(days []weekday, article string) string {
	if isWorkWeek(days) {
		return "Monday to Friday"
	}
	var names []string
	for _, w := range days {
		names = append(names, w.with(article))
	}
	return list(names)
}

// weekdayChoice is "a Friday" or "the last Monday or a Friday".
func weekdayChoice(days []weekday) string {
	var names []string
	for _, w := range days {
		if w.n == 0 {
			names = append(names, "a "+weekdayName(w.day))
		} else {
			names = append(names, w.with("the"))
		}
	}
	return strings.ReplaceAll(list(names), " and ", " or ")
}

func monthList(months []int) string {
	var names []string
	for _, m := range months {
		names = append(names, time.Month(m).String())
	}
	return list(names)
}

func weekList(weeks []int) string {
	var names []string
	for _, n := range weeks {
		if n > 0 {
			names = append(names, "week "+strconv.Itoa(n))
		} else {
			names = append(names, "the "+rankFromEnd(n)+" week")
		}
	}
	return list(names)
}

// dayName is "31st" or "last day" or "second to last day".
func dayName(n int) string {
	if n < 0 {
		return rankFromEnd(n) + " day"
	}
	return ordinal(n)
}

func dayList(days []int) string {
	var names []string
	for _, n := range days {
		names = append(names, dayName(n))
	}
	return strings.Join(names[:len(names)-1], ", ") + before(len(names) > 1, " and the ") + names[len(names)-1]
}

func before(yes bool, text string) string {
	if yes {
		return text
	}
	return ""
}

func ranks(numbers []int) string {
	var names []string
	for _, n := range numbers {
		names = append(names, rankFromEnd(n))
	}
	return list(names)
}

// rankFromEnd is "second", or "second to last" for a negative number.
func rankFromEnd(n int) string {
	switch {
	case n == -1:
		return "last"
	case n < 0:
		return rank(-n) + " to last"
	default:
		return rank(n)
	}
}

func rank(n int) string {
	words := [...]string{"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"}
	for i, word := range words {
		if i+1 == n {
			return word
		}
	}
	return ordinal(n)
}

func ordinal(n int) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}

func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
