package offline

import "time"

// leads stand before a day or a time and belong to it.
var leads = []string{
	"due on", "due by", "due at", "due before", "due until", "due", "starting on", "starting from", "starting", "beginning",
	"on", "by", "before", "until", "till", "at", "from", "for", "to",
}

// lead is how the word before a day or a time asks for one.
type lead int

const (
	none lead = iota
	// weak stands before many things that are no dates: for, to, from, before.
	weak
	// aDay asks for a day: on, due.
	aDay
	// aTime asks for a day or an hour, even a bare number: at, by.
	aTime
)

func leadAt(words []word, i int) (l lead, next int) {
	for _, phrase := range leads {
		n := begin(words, i, phrase)
		if n == 0 {
			continue
		}
		switch words[i+n-1].low {
		case "for", "to", "from", "before":
			return weak, i + n
		case "at", "by", "until", "till":
			return aTime, i + n
		default:
			return aDay, i + n
		}
	}
	return none, i
}

// whenAt reads a whole phrase such as "tomorrow at 5pm", "by friday" or "at noon on 25 December" that begins at i.
func whenAt(words []word, i int, now time.Time) (m moment, next int, ok bool) {
	for next = i; ; { // a day, a time, and what stands between them
		after, found := m.more(words, next, now)
		if !found {
			return m, next, !m.isZero()
		}
		if next = after; m.unclear != "" {
			return m, next, true
		}
	}
}

// more adds to m what words say at i, if they go on to say when.
func (m *moment) more(words []word, i int, now time.Time) (next int, ok bool) {
	begun := !m.isZero()
	at := i
	if begun && has(words, at, ",") {
		at++
	}
	if begun && oneOf(words, at, "until", "till") {
		return i, false // the end of a rule
	}
	l, at := leadAt(words, at)
	hadDay := !m.day.IsZero() || !m.at.IsZero()
	if !hadDay {
		day, after, found := dates{words, now}.day(at, l >= aDay || m.timed)
		if found && m.timed && !day.at.IsZero() {
			return i, false // at 5pm, in 2 hours
		}
		if found {
			if m.timed {
				day.minutes, day.timed = m.minutes, true
			}
			*m = day
			return after, true
		}
	}
	if !m.at.IsZero() || begun && l == weak {
		return i, false
	}
	tonight := m.timed && m.minutes == night*60 && hadDay
	minutes, after, found := clockAt(words, at, l == aTime || (hadDay || l != none) && oneOf(words, at, "noon", "midday", "midnight"))
	if found && (!m.timed || tonight) {
		if tonight && minutes < 12*60 {
			minutes += 12 * 60 // tonight at 8
		}
		m.minutes, m.timed = minutes, true
		return after, true
	}
	minutes, after, found = partAt(words, at, hadDay)
	if found && !m.timed {
		m.minutes, m.timed = minutes, true
		return after, true
	}
	return i, false
}

// found is a phrase in a sentence that says when.
type found struct {
	moment
	span
}

// whens finds the phrases that say when in words[from:to], from left to right.
func whens(words []word, from, to int, now time.Time) []found {
	var all []found
	for i := from; i < to; {
		if m, next, ok := whenAt(words[:to], i, now); ok && next > i {
			all = append(all, found{m, span{i, next}})
			i = next
			continue
		}
		i++
	}
	return all
}

// merged is the one moment that phrases say together, and the phrases it is made of. The last day that is said counts, for a
// title comes before its date; the others stay where they are.
func merged(all []found) (moment, []span) {
	var (
		m     moment
		spans []span
	)
	for i := len(all) - 1; i >= 0; i-- {
		f := all[i]
		if f.unclear != "" {
			return f.moment, []span{f.span}
		}
		switch {
		case m.isZero():
			m = f.moment
		case m.at.IsZero() && f.at.IsZero() && m.day.IsZero() && !f.day.IsZero() && !f.timed:
			m.day = f.day
		case m.at.IsZero() && f.at.IsZero() && !m.timed && f.timed && f.day.IsZero():
			m.minutes, m.timed = f.minutes, true
		default:
			continue
		}
		spans = append(spans, f.span)
	}
	return m, spans
}
