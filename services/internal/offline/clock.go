package offline

import (
	"strconv"
	"strings"
	"time"
)

// The hours that parts of a day stand for. Answers name the hour, so that whoever meant another sees it.
const (
	morning   = 9
	afternoon = 15
	evening   = 18
	night     = 20
)

var partsOfDay = map[string]int{"morning": morning, "afternoon": afternoon, "evening": evening, "night": night}

// wall is the instant at which the clocks of loc show a time of a day, and which one it is if they show it twice or never: the
// first, and the one that much after the gap's beginning. 24:00 is the end of the day.
func wall(day time.Time, minutes int, loc *time.Location) time.Time {
	shown := time.Date(day.Year(), day.Month(), day.Day(), 0, minutes, 0, 0, time.UTC)
	offset := func(near time.Time) time.Duration {
		_, seconds := near.In(loc).Zone()
		return time.Duration(seconds) * time.Second
	}
	// No zone changes its offset twice within two days, or by more than one.
	before := shown.Add(-offset(shown.Add(-36 * time.Hour)))
	after := shown.Add(-offset(shown.Add(36 * time.Hour)))
	right := func(at time.Time) bool {
		at = at.In(loc)
		return at.Day() == shown.Day() && at.Hour() == shown.Hour() && at.Minute() == shown.Minute()
	}
	switch {
	case right(before) && right(after) && after.Before(before):
		return after.In(loc)
	case right(before), !right(after):
		return before.In(loc)
	default:
		return after.In(loc)
	}
}

// dayOf is the day of an instant where it is shown, as midnight UTC, with which days can be counted.
func dayOf(at time.Time) time.Time {
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
}

// clockAt reads a time of day such as 5pm, 5:30 pm, 17:00, noon or at 5. led says that a word such as at stands before it,
// without which a bare number is no time and noon may be part of a title.
func clockAt(words []word, i int, led bool) (minutes, next int, ok bool) {
	if i >= len(words) || words[i].kind != plain {
		return 0, i, false
	}
	low := words[i].low
	switch {
	case low == "noon" && led:
		return 12 * 60, i + 1, true
	case low == "midday" && led:
		return 12 * 60, i + 1, true
	case low == "midnight" && led:
		return 24 * 60, i + 1, true
	}
	half := ""
	for _, suffix := range []string{"am", "pm", "a.m", "p.m"} {
		if number, found := strings.CutSuffix(low, suffix); found {
			low, half = number, suffix[:1]
		}
	}
	next = i + 1
	if half == "" && oneOf(words, next, "am", "pm") {
		half = words[next].low[:1]
		next++
		if has(words, next, ".") && words[next].start == words[next-1].end && next+1 < len(words) {
			next++ // the last dot of p.m.
		}
	}
	hours, mins, colon := strings.Cut(low, ":")
	if !colon && half != "" {
		hours, mins, colon = strings.Cut(low, ".")
	}
	h, err := strconv.Atoi(hours)
	if err != nil || len(hours) > 2 || h < 0 {
		return 0, i, false
	}
	m := 0
	if colon {
		if m, err = strconv.Atoi(mins); err != nil || len(mins) != 2 || m > 59 || m < 0 {
			return 0, i, false
		}
	}
	oclock := oneOf(words, next, "o'clock")
	if oclock {
		next++
	}
	switch {
	case half != "":
		if h < 1 || h > 12 {
			return 0, i, false
		}
		h %= 12
		if half == "p" {
			h += 12
		}
	case h > 23:
		return 0, i, false
	case colon:
	case !oclock && (!led || !ends(words, next)):
		return 0, i, false
	case h >= 1 && h <= 6:
		// Nobody's task is due at 5 in the night without saying so.
		h += 12
	}
	if n := begin(words, next, "in the morning"); n > 0 {
		next += n
		if half == "" && h >= 12 && !colon {
			h -= 12
		}
	} else if n := begin(words, next, "in the afternoon", "in the evening", "at night"); n > 0 {
		next += n
		if half == "" && h < 12 {
			h += 12
		}
	}
	return h*60 + m, next, true
}

// partAt reads a part of a day, such as "in the morning" or, right after a day, "evening".
func partAt(words []word, i int, afterDay bool) (minutes, next int, ok bool) {
	at := i
	switch {
	case has(words, i, "in", "the"):
		at += 2
	case has(words, i, "this"), afterDay && has(words, i, "in"):
		at++
	case !afterDay:
		return 0, i, false
	}
	if at >= len(words) {
		return 0, i, false
	}
	hour, known := partsOfDay[words[at].low]
	if !known {
		return 0, i, false
	}
	return hour * 60, at + 1, true
}

// ends reports whether what stands at i lets a bare number before it be an hour: at 5 tomorrow, and not at 5 places.
func ends(words []word, i int) bool {
	if i >= len(words) || words[i].kind != plain {
		return true
	}
	_, weekday := weekdayAt(words, i, true)
	return weekday || oneOf(words, i, "today", "tomorrow", "tonight", "on", "in", "and", "every", "each", "daily", "weekly", "monthly", "with",
		"remind", "next", "this", "to", "please")
}
