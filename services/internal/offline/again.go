package offline

import (
	"slices"
	"strings"
	"time"
)

// What people say about tasks that repeat, and to be reminded again.

// fromNowOn cuts words off the end that say that a change is for all that follow.
func (p parser) fromNowOn(at int) (parser, bool) {
	for _, end := range []string{"from now on", "going forward", "from here on", "in future", "in the future", "and all following ones", "and all that follow"} {
		want := strings.Fields(end)
		if n := len(p.s.words) - len(want); n > at && has(p.s.words, n, want...) {
			for n > at+1 && has(p.s.words, n-1, ",") {
				n--
			}
			return parser{sentence{p.s.text, p.s.words[:n]}, p.now}, true
		}
	}
	return p, false
}

// everyWeekday reads mondays, or tuesdays and fridays: in the plural they are a rule.
func (p parser) everyWeekday(i, to int) ([]time.Weekday, bool) {
	words := p.s.words[:to]
	i += begin(words, i, "on")
	days, next, ok := repeats{words, p.now}.weekdays(i)
	return days, ok && next == to && strings.HasSuffix(words[next-1].low, "days")
}

// skipping reads skip X, skip today's X and skip X on friday.
func (p parser) skipping(at, to int) wish {
	words := p.s.words[:to]
	w := wish{verb: skip}
	for i := at + 1; i < to; i++ {
		o, next, ok := p.span(i+begin(words, i, "for"), false)
		if !ok || next != to {
			continue
		}
		w.target = p.target(at, i)
		if o.query = w.target.query; o.query != "" && o.label != "" {
			// A title may end with the very words.
			w.target.query, w.target.occurrence = p.target(at, to).query, &o
		}
		return w
	}
	w.target = p.target(at, to)
	return w
}

// occurrence reads the words before a title that say which of its times is meant; nil if there are none.
func (p parser) occurrence(from, to int) *occurrence {
	words := p.s.words[:to]
	at := from + begin(words, from, "only", "just")
	at += begin(words, at, "the", "my", "our")
	o, next, ok := p.span(at, true)
	if !ok {
		if next = at + begin(words, at, "this"); next == at {
			return nil
		}
	}
	if o.query = p.s.rest(next, to); o.query == "" {
		return nil
	}
	return &o
}

// span reads a time such as today, this week or on friday; possessive ones are today's, this week's and the next.
func (p parser) span(i int, possessive bool) (o occurrence, next int, ok bool) {
	words, today := slices.Clone(p.s.words), dayOf(p.now)
	if possessive {
		if n := begin(words, i, "next", "upcoming", "coming"); n > 0 && i+1 < len(words) && !strings.HasSuffix(words[i+1].low, "'s") {
			return occurrence{next: true}, i + n, true
		}
		end := slices.IndexFunc(words[min(i, len(words)):min(i+2, len(words))], func(w word) bool { return strings.HasSuffix(w.low, "'s") })
		if end < 0 {
			return o, i, false
		}
		end += i
		words[end].low = strings.TrimSuffix(words[end].low, "'s")
		words = words[:end+1]
	}
	days := func(label string, from, to time.Time, n int) (occurrence, int, bool) {
		return occurrence{from: from, to: to, label: label}, i + n, !possessive || i+n == len(words)
	}
	monday := today.AddDate(0, 0, -int(today.Weekday()+6)%7)
	first := today.AddDate(0, 0, 1-today.Day())
	switch {
	case has(words, i, "this", "time"), has(words, i, "once"):
		return occurrence{}, i + begin(words, i, "this time", "once"), true
	case has(words, i, "this", "week"):
		return days("this week", monday, monday.AddDate(0, 0, 7), 2)
	case has(words, i, "next", "week"):
		return days("next week", monday.AddDate(0, 0, 7), monday.AddDate(0, 0, 14), 2)
	case has(words, i, "this", "month"):
		return days("this month", first, addMonths(first, 1), 2)
	case has(words, i, "next", "month"):
		return days("next month", addMonths(first, 1), addMonths(first, 2), 2)
	}
	m, next, ok := whenAt(words, i, p.now)
	if !ok || m.day.IsZero() {
		return o, i, false
	}
	return days(dayWords(m.day, p.now), m.day, m.day.AddDate(0, 0, 1), next-i)
}

// reminding reads remind me about X at six, which is about a task that is there, if it is.
func (p parser) reminding(from, at, to int) (wish, bool) {
	words := p.s.words[:to]
	if n, _ := find(words[from:], "about", "of"); n > 2 {
		m, end, ok := whenAt(words[:from+n], from+2, p.now)
		next := from + n + 1
		if !ok || end != from+n || next >= to {
			return wish{}, false
		}
		d := draftOf(p.s, next, to, p.now)
		d.when, d.reminders = m, []int{0}
		return p.reminder(m, p.target(next, to), d), d.repeats.unit == ""
	}
	if !oneOf(words, at-1, "about", "of") {
		return wish{}, false
	}
	for i := at + 1; i < to; i++ {
		if m, next, ok := whenAt(words, i, p.now); ok && next == to {
			made, _ := p.adding(from, at, to)
			if len(made.drafts) > 1 || len(made.drafts) == 1 && made.drafts[0].repeats.unit != "" {
				return wish{}, false
			}
			return p.reminder(m, p.target(at, i), made.drafts...), true
		}
	}
	return wish{}, false
}

// reminder is the wish for a reminder; drafts are what is added if there is no such task.
func (p parser) reminder(m moment, t target, drafts ...draft) wish {
	if t.before || len(drafts) == 1 && drafts[0].title == "" {
		drafts = nil
	}
	return wish{verb: remind, when: m, target: t, drafts: drafts}
}

const untilWhen = "Until when? Say it like: snooze buy milk for an hour."

// snoozing reads snooze X for an hour and snooze X until six.
func (p parser) snoozing(from, at, to int) wish {
	words := p.s.words[:to]
	if has(words, from, "remind") {
		at += begin(words, at, "about", "of")
	}
	for i := at; i < to; i++ {
		begun := i + begin(words, i, "for another", "for", "by another", "by", "another")
		if begun > i && begin(words, begun, "half an hour") == 3 && begun+3 == to {
			return p.reminder(later(p.now, 30, "minute"), p.target(at, i))
		}
		if n, unit, next, ok := lengthAt(words, begun); ok && begun > i && next == to {
			return p.reminder(later(p.now, n, unit), p.target(at, i))
		}
		begun = i + begin(words, i, "until", "till", "to")
		if m, next, ok := whenAt(words, begun, p.now); ok && next == to {
			return p.reminder(m, p.target(at, i))
		}
	}
	return p.reminder(moment{unclear: untilWhen}, p.target(at, to))
}

// alarm is the instant at which a moment rings: a day in the morning.
func (m moment) alarm(now time.Time) time.Time {
	if !m.at.IsZero() {
		return m.at
	}
	if !m.timed {
		m.minutes, m.timed = morning*60, true
	}
	at, _ := time.Parse(time.RFC3339, m.due(now)) // as due writes it
	return at.In(now.Location())
}
