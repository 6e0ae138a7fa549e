package offline

import (
	"slices"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

const (
	hello  = "Hello! I am TaskFlow's offline model: plain rules, not a language model. Try: add buy milk tomorrow at 5pm."
	whoAmI = "I am the offline model of TaskFlow: a set of plain rules that stands in when no language model is configured. " + canDo
	canDo  = `I can add tasks ("add buy milk tomorrow at 5pm, every Monday"), list them ("what's due today", "show overdue tasks"), ` +
		`complete or skip ("complete buy milk", "skip today's workout"), move ("move buy milk to friday 3pm"), remind ("snooze buy milk for an hour"), change ("make buy milk urgent"), delete and restore them, ` +
		`search what we said ("what did we say about milk?") and tell how you are doing.`
	puzzled = `I did not understand that: I am TaskFlow's offline model, which follows plain rules in English. ` +
		`Try "add buy milk tomorrow at 5pm", "what's due today", "complete buy milk", "move buy milk to friday 3pm" or "delete buy milk".`
)

var talks = []struct {
	phrases []string
	answer  string
}{
	{[]string{"hi", "hello", "hey", "good morning", "good afternoon", "good evening", "hi there", "hello there", "hey there", "hi taskflow"}, hello},
	{[]string{"thanks", "thank you", "thank you very much", "thanks a lot", "cheers", "great", "great thanks", "perfect", "nice", "cool", "ok", "okay", "ok thanks"}, "You are welcome."},
	{[]string{"bye", "goodbye", "good bye", "see you", "good night"}, "Goodbye."},
	{[]string{"who are you", "what are you", "are you an ai", "are you a robot", "are you a language model", "what is your name", "what's your name", "which model are you", "what model are you"}, whoAmI},
	{[]string{"help", "help me", "what can you do", "what can i do", "what can you do for me", "how does this work", "how do you work", "what can i say"}, canDo},
	{[]string{"how are you", "how are you doing", "how do you do"}, "I am a set of rules and always the same, thank you. What shall I do with your tasks?"},
	{[]string{"yes", "no", "yes please", "no thanks", "never mind", "nevermind", "cancel"}, "Nothing is waiting for your answer. Tell me what to do with your tasks."},
}

// smallTalk is the answer to words that are small talk and nothing else.
func smallTalk(words []word) (answer string, ok bool) {
	var said []string
	for _, w := range words {
		if w.kind == mark {
			continue
		}
		said = append(said, w.low)
		if len(said) > 8 {
			return "", false
		}
	}
	text := strings.Join(said, " ")
	for _, t := range talks {
		if slices.Contains(t.phrases, text) {
			return t.answer, true
		}
	}
	return "", false
}

func (p parser) talk(from, to int) (wish, bool) {
	if answer, ok := smallTalk(p.s.words[from:to]); ok {
		return wish{verb: talk, text: answer}, true
	}
	for _, phrase := range []string{"what time is it", "what is the time", "what's the time", "what day is it", "what is the date", "what's the date", "what date is it", "what is today's date", "what's today's date"} {
		if begin(p.s.words, from, phrase) > 0 && !p.now.IsZero() {
			return wish{verb: talk, text: "It is " + p.now.Format("15:04 on Monday 2 January 2006") + " in " + p.now.Location().String() + "."}, true
		}
	}
	return wish{}, false
}

// recall reads questions about old conversations.
func (p parser) recall(from, to int) (wish, bool) {
	words := p.s.words
	begun := p.polite(from)
	for _, phrase := range []string{
		"what did we say about", "what did i say about", "what did you say about", "what did we talk about", "what did we discuss about", "what did i tell you about",
		"what have we said about", "did we talk about", "did we say anything about", "did we discuss", "did i tell you about", "did i mention", "did we mention", "have we talked about", "have we discussed",
		"when did we talk about", "when did i mention", "search our conversations for", "search our conversation for", "search my conversations for", "search conversations for",
		"search old conversations for", "search our old conversations for", "search our chats for", "search the conversations for", "search the chat for",
		"find conversations about", "find the conversation about", "find our conversation about", "find where we talked about", "find where we discussed", "look through our conversations for",
		"what did we discuss", "search my old conversations for", "search past conversations for",
	} {
		if n := begin(words, begun, phrase); n > 0 {
			begun += n
			begun += begin(words, begun, "the", "my")
			for _, end := range []string{"last time", "last week", "yesterday", "before", "the other day", "earlier"} {
				if k := to - len(strings.Fields(end)); k > begun && has(words, k, strings.Fields(end)...) {
					to = k
				}
			}
			return wish{verb: recall, text: p.s.rest(begun, to)}, true
		}
	}
	if begin(words, begun, "show my conversations", "list my conversations", "show our conversations", "list our conversations", "show old conversations", "show my old conversations") > 0 {
		return wish{verb: recall}, true
	}
	return wish{}, false
}

// preview reads questions for the next days of a rule.
func (p parser) preview(from, to int) (wish, bool) {
	words := p.s.words
	begun := p.polite(from)
	asks := begin(words, begun, "when is", "when would", "when will", "when does", "when are", "preview", "what are the next", "show the next", "show me the next", "list the next",
		"what dates are", "which days are", "give me the next", "next", "what would")
	if asks == 0 {
		return wish{}, false
	}
	// The rule may be quoted: what is in the quotes is then read by itself.
	var r rule
	for i := begun; i < to; i++ {
		if words[i].kind != quoted {
			continue
		}
		inner := read(words[i].text)
		if got, ok := ruleIn(inner.words, 0, len(inner.words), p.now); ok {
			r = got.rule
		}
	}
	if r.unit == "" {
		got, ok := ruleIn(words, begun+max(0, asks-1), to, p.now)
		if !ok {
			return wish{}, false
		}
		r = got.rule
	}
	count := 5
	for i := begun; i < to; i++ {
		if oneOf(words, i, "next") {
			if n, _, ok := numberAt(words, i+1); ok {
				count = n
			}
		}
	}
	if r.count > 0 && oneOf(words, to-1, "times") {
		count, r.count = r.count, 0
	}
	return wish{verb: preview, rule: r, count: min(count, 50)}, true
}

func (p parser) profile(from, to int) (wish, bool) {
	at, _ := find(p.s.words[from:to], "time zone", "timezone", "time-zone", "my profile", "my settings")
	asks := oneOf(p.s.words, p.polite(from), "what", "what's", "which", "show", "tell", "in", "is", "do", "whats", "get")
	return wish{verb: profile}, at >= 0 && asks
}

func (p parser) overview(from, to int) (wish, bool) {
	at, _ := find(p.s.words[from:to], "how am i doing", "how i'm doing", "how i am doing", "overview", "summary", "summarize", "summarise", "statistics", "stats", "how many tasks", "how many open tasks",
		"how productive", "my progress", "how is my week", "how does my week look", "how's my week", "how busy am i", "status report", "what's next", "what is next")
	if at < 0 || oneOf(p.s.words, p.polite(from), "add", "remind", "create", "complete", "delete", "finish", "move", "rename", "remember", "new") {
		return wish{}, false
	}
	if i, _ := find(p.s.words[from:to], "completed", "overdue", "urgent", "tagged"); i >= 0 && begin(p.s.words, from, "how many") > 0 {
		return wish{}, false
	}
	return wish{verb: overview}, true
}

// listing reads questions for tasks.
func (p parser) listing(from, to int) (wish, bool) {
	f := p.filter(from, to)
	if f.query != "" && begin(p.s.words, from, "what is", "what's", "what are", "tell me", "see", "any", "is there", "are there", "which") > 0 &&
		begin(p.s.words, to-1, "due") == 0 && !p.names(from, to) {
		return wish{}, false // what is the meaning of life
	}
	return wish{verb: list, filter: f}, true
}

// names reports whether words speak of tasks.
func (p parser) names(from, to int) bool {
	at, _ := find(p.s.words[from:to], "task", "tasks", "todo", "todos", "to-do", "to-dos", "list", "due", "overdue", "reminders", "reminder")
	return at >= 0
}

// fillers say nothing about which tasks are meant.
var fillers = strings.Fields("a all also an and any anything are at be been by called can containing contain could did display do done? due everything find for from get give " +
	"got have i in is it item items i've list look looking lookup me mentioning matching my named need nothing now of old on only open our out please priority reminder reminders remaining search see should show " +
	"still task tasks tell that the their them there these thing things this to to-do to-dos todo todos up us view want was we what what's whats when when's where which will with " +
	"you left pending upcoming every each whose has about supposed currently planned today's each's many how marked")

// filter reads which tasks are meant.
func (p parser) filter(from, to int) filter {
	words := p.s.words[:to]
	f := filter{status: "open"}
	var taken []span
	take := func(at, n int) { taken = append(taken, span{at, at + n}) }
	for i := from; i < to; i++ {
		if words[i].kind == label {
			f.tags = append(f.tags, words[i].text)
			take(i, 1)
			continue
		}
		if n := begin(words, i, "tagged as", "tagged with", "tagged", "with the tags", "with the tag", "with tag", "labelled", "labeled", "in the tag"); n > 0 {
			if tags, next := tagsAt(words, i+n, p.now); len(tags) > 0 {
				f.tags = append(f.tags, tags...)
				take(i, next-i)
				i = next - 1
				continue
			}
		}
		if n := begin(words, i, "overdue", "late", "past due", "past their due date"); n > 0 {
			f.overdue = true
			take(i, n)
		}
		if n := begin(words, i, "in my trash", "in the trash", "my trash", "the trash", "trash", "deleted", "trashed", "did i delete"); n > 0 {
			f.status = "deleted"
			take(i, n)
		}
		if n := begin(words, i, "did i finish", "did i complete", "did i do", "did i get done", "have i finished", "have i completed", "have i done", "i finished", "i completed",
			"completed", "finished", "done", "i've done", "i've finished", "i have done"); n > 0 {
			f.status = "completed"
			take(i, n)
		}
		if name, next, ok := priorityAt(words, i); ok && name != "none" {
			f.priorities = append(f.priorities, name)
			take(i, next-i)
			i = next - 1
		} else if oneOf(words, i, "urgent") {
			f.priorities = append(f.priorities, "urgent")
			take(i, 1)
		} else if oneOf(words, i, "important") {
			f.priorities = append(f.priorities, "high", "urgent")
			take(i, 1)
		}
	}
	taken = append(taken, p.within(&f, from, to, taken)...)
	// What is left, apart from what says nothing, is looked for.
	var left []span
	for i := from; i < to; i++ {
		if words[i].kind == mark || words[i].kind == plain && slices.Contains(fillers, words[i].low) {
			left = append(left, span{i, i + 1})
		}
	}
	f.query = p.s.rest(from, to, append(left, taken...)...)
	if strings.HasPrefix(f.query, `"`) {
		f.query = strings.Trim(f.query, `"`)
	}
	return f
}

// within reads the days of a filter: today, this week, by friday, in the next 3 days.
func (p parser) within(f *filter, from, to int, taken []span) []span {
	words, today := p.s.words[:to], dayOf(p.now)
	for i := from; i < to; i++ {
		if slices.ContainsFunc(taken, func(t span) bool { return t.from <= i && i < t.to }) {
			continue
		}
		at := i + begin(words, i, "due", "for", "during", "in", "over", "within", "on")
		at += begin(words, at, "the")
		monday := today.AddDate(0, 0, -int(today.Weekday()+6)%7)
		first := today.AddDate(0, 0, 1-today.Day())
		switch {
		case has(words, at, "this", "week"):
			f.from, f.to, f.label = monday, monday.AddDate(0, 0, 7), "this week"
			return []span{{i, at + 2}}
		case has(words, at, "next", "week"):
			f.from, f.to, f.label = monday.AddDate(0, 0, 7), monday.AddDate(0, 0, 14), "next week"
			return []span{{i, at + 2}}
		case has(words, at, "last", "week"):
			f.from, f.to, f.label = monday.AddDate(0, 0, -7), monday, "last week"
			return []span{{i, at + 2}}
		case has(words, at, "this", "month"):
			f.from, f.to, f.label = first, addMonths(first, 1), "this month"
			return []span{{i, at + 2}}
		case has(words, at, "next", "month"):
			f.from, f.to, f.label = addMonths(first, 1), addMonths(first, 2), "next month"
			return []span{{i, at + 2}}
		case begin(words, at, "this weekend", "weekend") > 0:
			n := begin(words, at, "this weekend", "weekend")
			f.from = nextWeekday(today, time.Saturday)
			if today.Weekday() == time.Saturday || today.Weekday() == time.Sunday {
				f.from = today
			}
			f.to, f.label = nextWeekday(f.from.AddDate(0, 0, -1), time.Sunday).AddDate(0, 0, 1), "this weekend"
			return []span{{i, at + n}}
		case has(words, at, "next"):
			if n, unit, next, ok := lengthAt(words, at+1); ok && minutesOf[unit] >= 24*60 || ok && (unit == "month" || unit == "year") {
				f.from, f.to, f.label = today, shifted(today, n, unit).AddDate(0, 0, 1), "in the next days"
				return []span{{i, next}}
			}
		}
		m, next, ok := whenAt(words, i, p.now)
		if !ok || m.day.IsZero() && m.at.IsZero() {
			continue
		}
		day := m.day
		if !m.at.IsZero() {
			day = dayOf(m.at.In(p.now.Location()))
		}
		f.from, f.to, f.label = day, day.AddDate(0, 0, 1), dayWords(day, p.now)
		if begin(words, i, "by", "due by", "until", "till") > 0 {
			f.from, f.label = time.Time{}, "by "+f.label
		}
		if begin(words, i, "before", "due before") > 0 {
			f.from, f.to, f.label = time.Time{}, day, "before "+f.label
		}
		return []span{{i, next}}
	}
	return nil
}

// intents are the words with which the agent's second question is answered.
func intents(text string, now time.Time) string {
	var said []string
	for _, w := range wishes(text, now) {
		if name := string(w.intent()); !slices.Contains(said, name) {
			said = append(said, name)
		}
		if w.verb == undo {
			said = append(said, string(agenttools.Toggle), string(agenttools.Delete))
		}
		if w.verb == remind && len(w.drafts) > 0 && !slices.Contains(said, string(agenttools.Create)) {
			said = append(said, string(agenttools.Create)) // what there is no task of is added
		}
	}
	return strings.Join(said, ", ")
}
