package offline

import (
	"slices"
	"strings"
	"time"
)

// draft is what a phrase says about a task: its title, and what was found around it.
type draft struct {
	title     string
	note      string
	priority  string
	tags      []string
	when      moment
	repeats   rule
	reminders []int
}

// draftOf reads words[from:to] as a task.
func draftOf(s sentence, from, to int, now time.Time) draft {
	p := drafting{s: s, words: s.words[:to], from: from, to: to, now: now}
	p.notes()
	p.reminding()
	p.labels()
	p.priorities()
	p.rules()
	p.moments()
	p.d.title = strings.TrimSpace(s.rest(from, to, p.taken...))
	return p.d
}

// drafting takes phrases out of a sentence one after the other; what nobody takes is the title.
type drafting struct {
	s        sentence
	words    []word
	from, to int
	now      time.Time
	taken    []span
	d        draft
}

func (p *drafting) take(from, to int) { p.taken = append(p.taken, span{from, to}) }

// free are the stretches of words that nobody has taken.
func (p *drafting) free() []span {
	var all []span
	begun := -1
	for i := p.from; i <= p.to; i++ {
		gone := i == p.to || slices.ContainsFunc(p.taken, func(t span) bool { return t.from <= i && i < t.to })
		switch {
		case gone && begun >= 0:
			all = append(all, span{begun, i})
			begun = -1
		case !gone && begun < 0:
			begun = i
		}
	}
	return all
}

// notes takes everything behind note: or description:, or what is quoted behind "with the note".
func (p *drafting) notes() {
	for i := p.from; i < p.to; i++ {
		n := begin(p.words, i, "with the note", "with a note", "with note", "with the description", "with description", "note", "notes", "description")
		if n == 0 {
			continue
		}
		at := i + n
		switch {
		case at < p.to && p.words[at].kind == quoted:
			p.d.note = p.words[at].text
			p.take(i, at+1)
			return
		case has(p.words, at, ":") && at+1 < p.to, n > 1 && at < p.to && !has(p.words, at, ":"):
			at += begin(p.words, at, ":")
			p.d.note = p.s.rest(at, p.to)
			p.take(i, p.to)
			return
		}
	}
}

// reminding takes "remind me 30 minutes before".
func (p *drafting) reminding() {
	for i := p.from; i < p.to; i++ {
		begun := i + begin(p.words, i, "and", ",")
		n := begin(p.words, begun, "remind me", "with a reminder", "with reminders", "with reminder", "with an alert", "a reminder", "reminder", "reminders")
		if n == 0 {
			continue
		}
		minutes, next, ok := beforeAt(p.words, begun+n)
		if ok {
			p.d.reminders = append(p.d.reminders, minutes...)
			p.take(i, next)
			i = next - 1
		}
	}
}

var minutesOf = map[string]int{"minute": 1, "hour": 60, "day": 24 * 60, "week": 7 * 24 * 60}

// beforeAt reads "30 minutes and 1 day before it": lengths of time, in minutes.
func beforeAt(words []word, i int) (minutes []int, next int, ok bool) {
	for {
		i += begin(words, i, "at", "of", "about")
		n, unit, after, ok := lengthAt(words, i)
		if !ok || minutesOf[unit] == 0 {
			return nil, i, false
		}
		minutes = append(minutes, n*minutesOf[unit])
		if n := begin(words, after, "before", "ahead of", "ahead", "earlier", "in advance", "prior"); n > 0 {
			next = after + n
			return minutes, next + begin(words, next, "it is due", "it's due", "the due date", "the due time", "it", "that"), true
		}
		joined := begin(words, after, ", and", "and", ",")
		if joined == 0 {
			return nil, i, false
		}
		i = after + joined
	}
}

// labels takes #home, "tagged home and work" and "with the tag home".
func (p *drafting) labels() {
	for i := p.from; i < p.to; i++ {
		if p.words[i].kind == label {
			p.d.tags = append(p.d.tags, p.words[i].text)
			p.take(i, i+1)
			continue
		}
		n := begin(p.words, i, ", tagged as", ", tagged", "and tag it as", "and tag it with", "and tag it", ", tag it as", ", tag it with", ", tag it",
			"tagged as", "tagged with", "tagged", "with the tags", "with the tag", "with tags", "with tag", "tag it as", "tag it with", "tag it")
		if n == 0 {
			continue
		}
		tags, next := tagsAt(p.words, i+n, p.now)
		if len(tags) > 0 {
			p.d.tags = append(p.d.tags, tags...)
			p.take(i, next)
			i = next - 1
		}
	}
}

// tagsAt reads home, or home and work: at most as far as single words joined by and or commas go.
func tagsAt(words []word, i int, now time.Time) (tags []string, next int) {
	next = i
	for i < len(words) && words[i].kind != mark {
		_, _, dated := whenAt(words, i+1, now)
		if len(tags) > 0 && i+1 < len(words) && words[i+1].kind == plain && !dated && !oneOf(words, i+1, "and", "every", "with", "to") {
			return tags, next // the word goes on as something else
		}
		tags = append(tags, words[i].text)
		next = i + 1
		joined := begin(words, next, ", and", "and", ",")
		if joined == 0 {
			return tags, next
		}
		i = next + joined
	}
	return tags, next
}

var priorityWords = map[string]string{"low": "low", "medium": "medium", "normal": "medium", "high": "high", "urgent": "urgent", "top": "urgent", "no": "none"}

// priorityAt reads high priority, priority high and, where nothing goes on, urgent.
func priorityAt(words []word, i int) (priority string, next int, ok bool) {
	at := i + begin(words, i, "with a", "with", "as a", "as", "it is", "it's", "at", "of", "a", "an")
	if at < len(words) && words[at].kind == plain {
		if name, known := priorityWords[words[at].low]; known && (has(words, at+1, "priority") || has(words, at+1, "-", "priority")) {
			return name, at + 1 + begin(words, at+1, "priority", "- priority"), true
		}
	}
	if low := "-priority"; at < len(words) && strings.HasSuffix(words[at].low, low) {
		if name, known := priorityWords[strings.TrimSuffix(words[at].low, low)]; known {
			return name, at + 1, true
		}
	}
	if has(words, at, "priority") {
		after := at + 1 + begin(words, at+1, ":", "is", "to")
		if after < len(words) {
			if name, known := priorityWords[words[after].low]; known {
				return name, after + 1, true
			}
		}
	}
	if has(words, at, "urgent") && (at+1 == len(words) || words[at+1].kind == mark || at > i && oneOf(words, at+1, "and", "with")) {
		return "urgent", at + 1, true
	}
	return "", i, false
}

func (p *drafting) priorities() {
	for _, f := range p.free() {
		for i := f.from; i < f.to; i++ {
			if name, next, ok := priorityAt(p.words[:f.to], i); ok {
				if p.d.priority = name; next < f.to && has(p.words, i, "urgent") {
					next += begin(p.words, next, ":")
				}
				p.take(i, next)
				return
			}
		}
	}
}

// rules takes how often, and when that ends, wherever it is said.
func (p *drafting) rules() {
	for _, f := range p.free() {
		if r, ok := ruleIn(p.words, f.from, f.to, p.now); ok {
			p.d.repeats = r.rule
			p.take(r.from, r.to)
		}
	}
	if p.d.repeats.unit == "" {
		return
	}
	for _, f := range p.free() {
		for i := f.from; i < f.to; i++ {
			if oneOf(p.words, i, "on", "by") {
				continue // its days stand beside it
			}
			if next, ok := (repeats{p.words[:f.to], p.now}).tail(&p.d.repeats, i); ok {
				p.take(i, next)
				i = next - 1
			}
		}
	}
}

func (p *drafting) moments() {
	var all []found
	for _, f := range p.free() {
		all = append(all, whens(p.words, f.from, f.to, p.now)...)
	}
	m, spans := merged(all)
	p.d.when = m
	p.taken = append(p.taken, spans...)
}

// due is when the task is due as the tools take it. A task that repeats begins on the first day of its rule.
func (d draft) due(now time.Time) string {
	m := d.when
	if d.repeats.unit == "" || !m.at.IsZero() || !m.day.IsZero() {
		return m.due(now)
	}
	if !m.timed && d.repeats.timed {
		m.minutes, m.timed = d.repeats.minutes, true
	}
	from := dayOf(now)
	if m.timed && !wall(from, m.minutes, now.Location()).After(now) {
		from = from.AddDate(0, 0, 1)
	}
	m.day = d.repeats.first(from)
	return m.due(now)
}

// doing are verbs that tasks begin with: where one of them follows "and", another task begins.
var doing = []string{
	"ask", "bake", "book", "borrow", "bring", "build", "buy", "call", "cancel", "change", "charge", "check", "clean", "collect", "contact", "cook",
	"do", "download", "draft", "drop", "email", "feed", "fetch", "file", "fill", "find", "finish", "fix", "get", "give", "go", "help", "install", "invite",
	"iron", "learn", "make", "meet", "message", "mow", "order", "organise", "organize", "pack", "paint", "pay", "phone", "pick", "plan", "plant", "post",
	"practice", "practise", "prepare", "print", "read", "register", "renew", "repair", "reply", "return", "review", "ring", "run", "schedule", "sell",
	"send", "sign", "study", "submit", "sweep", "take", "talk", "tell", "text", "tidy", "update", "vacuum", "visit", "walk", "wash", "watch",
	"water", "wrap", "write",
}

// draftsOf reads words[from:to] as one or more tasks: what is joined by ; or line breaks, each quoted one, what follows a colon as
// a list, and what is joined by and or a comma if it begins with a verb.
func draftsOf(s sentence, from, to int, list bool, now time.Time) []draft {
	var drafts []draft
	begun := from
	end := func(at int) {
		if d := draftOf(s, begun, at, now); d.title != "" {
			drafts = append(drafts, d)
		}
	}
	for i := from; i < to; i++ {
		n := begin(s.words[:to], i, ", and", "and", ",", ";", "&")
		line := i > begun && strings.Contains(s.text[s.words[i-1].end:s.words[i].start], "\n")
		switch after := i + n; {
		case line:
			n = 0
		case n == 0:
			continue
		case has(s.words, i, ";"), list, after < to && oneOf(s.words, after, doing...):
		case after < to && s.words[after].kind == quoted && i > begun && s.words[begun].kind == quoted:
		default:
			continue
		}
		end(i)
		begun = i + n
	}
	end(to)
	return shared(drafts)
}

// shared gives what is said once at the end to all: buy milk and call mom tomorrow.
func shared(drafts []draft) []draft {
	if len(drafts) < 2 {
		return drafts
	}
	last := drafts[len(drafts)-1]
	for _, d := range drafts[:len(drafts)-1] {
		if !d.when.isZero() || d.repeats.unit != "" {
			return drafts
		}
	}
	for i := range drafts {
		drafts[i].when, drafts[i].repeats = last.when, last.repeats
	}
	return drafts
}
