package todoist

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// months and weekdays are by their names and usual abbreviations, in small letters.
var (
	months   = monthNames()
	weekdays = weekdayNames()
)

func monthNames() map[string]time.Month {
	names := map[string]time.Month{"sept": time.September}
	for m := time.January; m <= time.December; m++ {
		name := strings.ToLower(m.String())
		names[name], names[name[:3]] = m, m
	}
	return names
}

func weekdayNames() map[string]time.Weekday {
	names := map[string]time.Weekday{"tues": time.Tuesday, "weds": time.Wednesday, "thur": time.Thursday, "thurs": time.Thursday}
	for d := time.Sunday; d <= time.Saturday; d++ {
		name := strings.ToLower(d.String())
		names[name], names[name[:3]], names[name+"s"] = d, d, d
	}
	return names
}

func weekday(word string) (time.Weekday, bool) {
	d, ok := weekdays[word]
	return d, ok
}

func code(d time.Weekday) string { return strings.ToUpper(d.String()[:2]) }

var ordinals = map[string]int{"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}

var counts = map[string]int{"a": 1, "an": 1, "one": 1, "other": 2, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}

// countWord reads a small number, in digits or as a word.
func countWord(word string) (int, bool) {
	if n, ok := counts[word]; ok {
		return n, true
	}
	n, err := strconv.Atoi(word)
	return n, err == nil && n >= 1 && n <= 1000
}

// monthDay reads a day of the month: 15, 15th; -1 for last.
func monthDay(word string) (int, bool) {
	if m := ordinal.FindStringSubmatch(word); m != nil {
		word = m[1]
	}
	if n, ok := ordinals[word]; ok {
		return n, true
	}
	n, err := strconv.Atoi(word)
	return n, err == nil && n >= 1 && n <= 31
}

// units are what "every week" and "weekly" repeat by.
var units = map[string]string{
	"day": "DAILY", "daily": "DAILY", "week": "WEEKLY", "weekly": "WEEKLY", "month": "MONTHLY", "monthly": "MONTHLY",
	"year": "YEARLY", "yearly": "YEARLY", "annually": "YEARLY",
}

const workdays = "MO,TU,WE,TH,FR"

// repeating reads what repeats: "every other monday", "daily", "after 3 days". What begins or ends it is read, too.
func (p *parser) repeating(words string) (When, bool) {
	words, until, ok := p.bounds(words)
	if !ok {
		return When{}, false
	}
	text, fromCompletion := words, false
	switch first, rest, _ := strings.Cut(words, " "); first {
	case "every", "ev", "each":
		text = rest
	case "every!", "ev!":
		text, fromCompletion = rest, true
	case "after":
		if _, _, ok := intervalOf(rest); !ok {
			return When{}, false
		}
		text, fromCompletion = rest, true
	default:
		// "daily" says it alone; "day" does not.
		if len(units[words]) == 0 || words == strings.TrimSuffix(words, "ly") {
			return When{}, false
		}
	}
	// "every morning" is a day's time, which is no part of the rule.
	if c, ok := dayTimes[text]; ok && !p.hasClock {
		p.clock, p.hasClock, text = c, true, "day"
	}
	// "every day at 9am" has lost its time by now, "every 9am" all its words.
	if text == "" && p.hasClock {
		text = "day"
	}
	rule, ok := ruleOf(text)
	if !ok {
		return When{}, false
	}
	when, ok := p.series(rule + until)
	when.FromCompletion = fromCompletion
	return when, ok
}

// bounds takes "starting monday" and "until 1 dec" away, and sets the day it begins from.
func (p *parser) bounds(words string) (rest, until string, ok bool) {
	for _, word := range []string{" until ", " ending "} {
		before, after, found := strings.Cut(words, word)
		if !found {
			continue
		}
		end, ok := (&parser{now: p.now, today: p.today}).once(after)
		if !ok || end.HasTime {
			return "", "", false
		}
		words, until = before, ";UNTIL="+end.At.Format("20060102")
	}
	for _, word := range []string{" starting ", " from "} {
		before, after, found := strings.Cut(words, word)
		if !found {
			continue
		}
		begin, ok := (&parser{now: p.now, today: p.today}).once(strings.TrimPrefix(after, "on "))
		if !ok || begin.HasTime {
			return "", "", false
		}
		words, p.today = before, begin.At
	}
	// The time may stand before what begins and ends it.
	if !p.hasClock {
		words = p.takeClock(words)
	}
	return words, until, true
}

// intervalOf reads "3 days", "other week", "week".
func intervalOf(text string) (n int, freq string, ok bool) {
	words := strings.Fields(text)
	n = 1
	if len(words) == 2 {
		if n, ok = countWord(words[0]); !ok {
			return 0, "", false
		}
		words = words[1:]
	}
	if len(words) != 1 {
		return 0, "", false
	}
	unit := strings.TrimSuffix(words[0], "s")
	if unit == "quarter" || unit == "quarterly" {
		return 3 * n, "MONTHLY", true
	}
	freq, ok = units[unit]
	return n, freq, ok
}

// ruleOf is the rule of what follows "every".
func ruleOf(text string) (string, bool) {
	if n, freq, ok := intervalOf(text); ok {
		return "FREQ=" + freq + every(n), true
	}
	switch text {
	case "weekday", "weekdays", "workday", "workdays":
		return "FREQ=WEEKLY;BYDAY=" + workdays, true
	case "weekend", "weekends":
		return "FREQ=WEEKLY;BYDAY=SA,SU", true
	}
	words := strings.Fields(strings.NewReplacer(",", " ", " and ", " ", " & ", " ").Replace(text))
	if len(words) == 0 || len(words) > 31 {
		return "", false
	}
	if rule, ok := weekdayRule(words); ok {
		return rule, true
	}
	if rule, ok := ofMonthRule(words); ok {
		return rule, true
	}
	if month, day, rest, ok := monthAndDay(slices.Clone(words)); ok && len(rest) == 0 {
		return fmt.Sprintf("FREQ=YEARLY;BYMONTH=%d;BYMONTHDAY=%d", month, day), true
	}
	return monthDaysRule(words)
}

// weekdayRule reads "mon wed fri", "other monday", "3 mondays" is none.
func weekdayRule(words []string) (string, bool) {
	interval := 1
	if words[0] == "other" {
		interval, words = 2, words[1:]
	}
	var days []string
	for _, word := range words {
		d, ok := weekday(word)
		if !ok {
			return "", false
		}
		days = append(days, code(d))
	}
	if len(days) == 0 {
		return "", false
	}
	return "FREQ=WEEKLY" + every(interval) + ";BYDAY=" + strings.Join(days, ","), true
}

// every is the part of a rule that says each how many, nothing for each.
func every(n int) string {
	if n == 1 {
		return ""
	}
	return ";INTERVAL=" + strconv.Itoa(n)
}

// ofMonthRule reads "3rd friday", "last day", "first workday", each perhaps "of the month".
func ofMonthRule(words []string) (string, bool) {
	text := strings.TrimSuffix(strings.TrimSuffix(strings.Join(words, " "), " of the month"), " of every month")
	words = strings.Fields(text)
	if len(words) != 2 {
		return "", false
	}
	n, ok := ordinals[words[0]]
	if m := ordinal.FindStringSubmatch(words[0]); m != nil {
		n, ok = number(m[1]), true
	}
	if !ok || n > 31 || n == 0 {
		return "", false
	}
	if d, ok := weekday(words[1]); ok && n <= 5 {
		return fmt.Sprintf("FREQ=MONTHLY;BYDAY=%d%s", n, code(d)), true
	}
	switch words[1] {
	case "workday", "weekday":
		return fmt.Sprintf("FREQ=MONTHLY;BYDAY=%s;BYSETPOS=%d", workdays, n), n <= 23
	case "day":
		return fmt.Sprintf("FREQ=MONTHLY;BYMONTHDAY=%d", n), true
	}
	return "", false
}

// monthDaysRule reads "15th", "1st 15th", "15 30".
func monthDaysRule(words []string) (string, bool) {
	var days []string
	for _, word := range words {
		n, ok := monthDay(word)
		if !ok || n < 0 {
			return "", false
		}
		days = append(days, strconv.Itoa(n))
	}
	return "FREQ=MONTHLY;BYMONTHDAY=" + strings.Join(days, ","), true
}
