package offline

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

// parser reads what a person said. It knows no tasks and no history.
type parser struct {
	s   sentence
	now time.Time
}

// wishes reads a message: one wish for each of its sentences, or parts joined by a command after and.
func wishes(text string, now time.Time) []wish {
	p := parser{read(strings.TrimSpace(text)), now}
	var all []wish
	begun := 0
	for i := 1; i <= len(p.s.words) && len(all) < maxWishes; i++ {
		n, isEnd := p.seam(begun, i)
		if !isEnd {
			continue
		}
		if w := p.wish(begun, i); begun < i && w.verb != unknown || i-begun > 1 || len(all) == 0 {
			all = append(all, w)
		}
		begun = i + n
		i = max(i, begun)
	}
	// Hello before a wish is politeness.
	if len(all) > 1 {
		all = slices.DeleteFunc(all, func(w wish) bool { return w.verb == talk })
	}
	if len(all) == 0 {
		return []wish{{verb: talk, text: hello}}
	}
	return all
}

// maxWishes bounds what is done for one message.
const maxWishes = 5

// seam reports whether a wish ends before i, and how many words belong to neither side.
func (p parser) seam(begun, i int) (skip int, ok bool) {
	words := p.s.words
	if i == len(words) {
		return 0, true
	}
	if n := begin(words, p.polite(begun), "from now on"); n > 0 && i <= p.polite(begun)+n {
		return 0, false // it belongs to the wish behind it
	}
	adding := p.verbAt(p.polite(begun)).verb == add
	if oneOf(words, i, ".", "!", "?") && (i+1 == len(words) || words[i+1].start > words[i].end) {
		return 1, true
	}
	if n := begin(words, i, "; then", ", and then", "and then", ", then", "then", ", and also", "and also", ";"); n > 0 {
		return n, p.verbAt(p.polite(i+n)).verb != unknown
	}
	n := begin(words, i, ", and", "and", ",")
	if n == 0 || words[i-1].kind == mark {
		return 0, false
	}
	next := p.verbAt(p.polite(i + n)).verb
	if adding {
		// "add buy milk and delete the old list" is one task with an odd title as likely as two wishes; remind me, add and
		// show begin no title.
		return n, next == add && oneOf(words, p.polite(i+n), "add", "remind") && begin(words, p.polite(i+n), "remind me to") > 0 ||
			has(words, i+n, "add") || next == list && oneOf(words, p.polite(i+n), "show", "list", "what's", "what")
	}
	return n, next != unknown && next != talk && (next != complete && next != list || !oneOf(words, i+n, "i", "we", "done", "finish", "find"))
}

// polite skips what stands before a command without changing it.
func (p parser) polite(i int) int {
	for range 6 {
		n := begin(p.s.words, i, "please", "could you please", "can you please", "could you", "can you", "would you", "will you", "hey taskflow", "hi taskflow",
			"hey", "ok", "okay", "now", "also", "i would like you to", "i'd like you to", "i want you to", "i would like to", "i'd like to", "i want to",
			"let's", "let us", "go ahead and", "then", "and", "just", "hello", "hi", ",", "so", "well", "you can", "actually", "kindly", "taskflow")
		if n == 0 || i+n >= len(p.s.words) {
			break
		}
		i += n
	}
	return i
}

// command is how a wish begins: which, and how many words say so.
type command struct {
	verb verb
	n    int
}

var commands = []struct {
	verb    verb
	phrases []string
}{
	{undo, []string{"undo"}},
	{restore, []string{"restore", "undelete", "bring back", "recover", "get back"}},
	{reopen, []string{
		"reopen", "uncomplete", "uncheck", "untick", "unmark", "re-open", "unskip", "mark as not done", "mark as open",
	}},
	{add, []string{
		"add a reminder for me to", "add the following tasks", "add these tasks", "add the tasks", "add tasks", "add a new task", "add a task", "add an", "add new task",
		"add task", "add a reminder to", "add", "create a new task", "create a task", "create these tasks", "create tasks", "create task", "create",
		"make a new task", "make a task", "new task", "remind me to", "remind me about", "remind me of", "remind me that", "remember to", "i need to", "i have to",
		"i must", "i should", "don't forget to", "do not forget to", "don't let me forget to", "note to self", "todo", "to do", "set a reminder to", "put", "schedule",
	}},
	{skip, []string{"skip"}},
	{complete, []string{
		"complete", "finish", "check off", "tick off", "check", "tick", "close", "i finished", "i've finished", "i have finished", "i completed", "i've completed",
		"i have completed", "i did", "i've done", "i have done", "i'm done with", "i am done with", "done with", "finished", "completed", "mark", "done",
	}},
	{reschedule, []string{"move", "reschedule", "postpone", "delay", "push back", "push", "defer", "shift", "put off", "bring forward"}},
	{remind, []string{"snooze", "remind me again"}},
	{remove, []string{"delete", "remove", "trash", "erase", "throw away", "get rid of", "bin"}},
	{update, []string{"stop repeating", "don't repeat", "do not repeat", "no longer repeat", "rename", "retitle", "tag", "label", "change", "set", "make", "update", "edit", "prioritise", "prioritize", "repeat", "clear"}},
	{list, []string{
		"show", "list", "display", "find", "search", "what's", "what is", "what are", "what do", "what did", "what have", "which", "when is", "when's", "give me",
		"do i have", "is there", "are there", "look up", "look for", "see", "view", "any", "anything", "tasks", "my tasks", "my", "how many", "whats", "overdue",
		"today", "today's", "tomorrow's", "tell me",
	}},
}

func (p parser) verbAt(i int) command {
	for _, c := range commands {
		if n := begin(p.s.words, i, c.phrases...); n > 0 {
			return command{c.verb, n}
		}
	}
	if i < len(p.s.words) {
		if _, ok := smallTalk(p.s.words[i:]); ok {
			return command{talk, 1}
		}
	}
	return command{}
}

// wish reads words[from:to] as one wish.
func (p parser) wish(from, to int) wish {
	for to > from && p.s.words[to-1].kind == mark && strings.Contains(".!?,;", p.s.words[to-1].text) {
		to--
	}
	for to > from+1 && oneOf(p.s.words, to-1, "please", "thanks", ",") {
		to--
	}
	q := parser{sentence{p.s.text, p.s.words[:to]}, p.now}
	words := q.s.words
	if from >= to {
		return wish{}
	}
	for _, rule := range []func(int, int) (wish, bool){q.talk, q.recall, q.preview, q.profile, q.overview, q.chosen} {
		if w, ok := rule(from, to); ok {
			return w
		}
	}
	from = q.polite(from)
	if w, ok := q.talk(from, to); ok {
		return w
	}
	following := false
	if n := begin(q.s.words, from, "from now on ,", "from now on"); n > 0 {
		from, following = q.polite(from+n), true
	}
	c := q.verbAt(from)
	if c.verb == reschedule || c.verb == update {
		var said bool
		if q, said = q.fromNowOn(from + c.n); said {
			to, following = len(q.s.words), true
		}
	}
	at := from + c.n
	var (
		w  wish
		ok bool
	)
	switch c.verb {
	case add:
		if w, ok = q.reminding(from, at, to); !ok {
			w, ok = q.adding(from, at, to)
		}
	case skip:
		w, ok = q.skipping(at, to), true
	case remind:
		w, ok = q.snoozing(from, at, to), true
	case complete:
		w, ok = q.completing(from, at, to)
	case reopen:
		w, ok = wish{verb: reopen, target: q.target(at, to)}, at < to
	case restore:
		w, ok = wish{verb: restore, target: q.target(at, to)}, true
	case undo:
		w, ok = q.undoing(at, to)
	case remove:
		w, ok = q.removing(at, to)
	case reschedule:
		w, ok = q.moving(from, at, to)
	case update:
		w, ok = q.updating(from, at, to)
	case list:
		w, ok = q.listing(from, to)
	default:
		w, ok = q.loose(from, to)
	}
	if !ok && c.verb != unknown {
		w, ok = q.loose(from, to)
	}
	if !ok || len(words) >= maxWords {
		return wish{}
	}
	w.following = following && (w.verb == reschedule || w.verb == update)
	return w
}

// loose reads wishes whose verb does not stand first.
func (p parser) loose(from, to int) (wish, bool) {
	words := p.s.words
	// "buy milk is done", "move" with the date first, "remind me tomorrow at noon to pay rent".
	if has(words, from, "remind", "me") {
		if w, ok := p.reminding(from, from+2, to); ok {
			return w, true
		}
		return p.adding(from, from+2, to)
	}
	if n := to - 2; oneOf(words, from, "stop") && n > from+1 && has(words, n, "from", "repeating") {
		return wish{verb: update, target: p.target(from+1, n), patch: patch{noRule: true}}, true
	}
	for _, end := range []string{"is done", "is finished", "is complete", "is completed", "are done", "done"} {
		want := strings.Fields(end)
		if n := to - len(want); n > from && has(words, n, want...) {
			return wish{verb: complete, target: p.target(from, n)}, true
		}
	}
	if at, n := find(words[from:to], "is due", "is now due"); at > 0 && !oneOf(words, from, "what", "when", "which") {
		if m, next, ok := whenAt(words, from+at+n, p.now); ok && next == to {
			return wish{verb: reschedule, target: p.target(from, from+at), when: m}, true
		}
	}
	if at, _ := find(words[from:to], "tasks", "todos", "todo", "to-do"); at >= 0 && to-from <= 8 {
		return p.listing(from, to)
	}
	return wish{}, false
}

func (p parser) adding(from, at, to int) (wish, bool) {
	words := p.s.words
	if has(words, from, "add") {
		// Adding something to a task is changing it.
		if w, ok := p.addingTo(from+1, to); ok {
			return w, true
		}
	}
	if has(words, from, "remind", "me") {
		// "remind me 30 minutes before buy milk" is about a task that is there.
		if minutes, next, ok := beforeAt(words, from+2); ok && next < to {
			return wish{verb: update, target: p.target(next, to), patch: patch{reminders: minutes}}, true
		}
	}
	if has(words, from, "put") {
		n, _ := find(words[at:to], "on my", "on the list")
		if n < 0 {
			return wish{}, false
		}
	}
	for range 4 {
		n := begin(words, at, "called", "named", "titled", "saying", "that says", "to my list", "to my tasks", "to my to-do list", "to my todo list", "for me", ":", "a task", "a reminder", "the task")
		if at += n; n == 0 {
			break
		}
	}
	for _, end := range []string{
		"to my to-do list", "to my todo list", "to my task list", "to my list", "to my tasks", "to the list", "on my list", "on my to-do list", "on my todo list", "on the list",
		"as a task", "as tasks", "to do", "as a new task",
	} {
		want := strings.Fields(end)
		if n := to - len(want); n > at && end != "to do" && has(words, n, want...) {
			to = n
		}
	}
	many := oneOf(words, at-1, ":") && oneOf(words, at-2, "tasks", "following")
	reminds := oneOf(words, from, "remind")
	w := wish{verb: add}
	priority := ""
	if name, next, ok := priorityAt(words[:to], at); ok && begin(words, next, "task to", "task :", "task") > 0 {
		priority, at = name, next+begin(words, next, "task to", "task :", "task") // add an urgent task: call bank
	}
	if n := begin(words, at+1, "task to", "task :", "task"); n > 0 && oneOf(words, at, "urgent", "important") {
		priority = map[string]string{"urgent": "urgent", "important": "high"}[words[at].low]
		at += 1 + n
	}
	if oneOf(words, at, "to") {
		at++
	}
	for _, d := range draftsOf(p.s, at, to, many, p.now) {
		if after, found := strings.CutPrefix(d.title, "to "); found {
			d.title = after
		}
		if d.priority == "" {
			d.priority = priority
		}
		if reminds && len(d.reminders) == 0 && (d.when.timed || !d.when.at.IsZero()) {
			d.reminders = []int{0}
		}
		w.drafts = append(w.drafts, d)
	}
	if len(w.drafts) == 1 && pronoun(w.drafts[0].title) {
		return wish{}, false
	}
	return w, len(w.drafts) > 0
}

func pronoun(text string) bool {
	return slices.Contains([]string{"it", "that", "this", "them", "those", "something"}, strings.ToLower(text))
}

func (p parser) completing(from, at, to int) (wish, bool) {
	words := p.s.words
	if has(words, from, "mark") || has(words, from, "check") || has(words, from, "tick") {
		for _, end := range []string{"as not done", "as open", "as undone", "as incomplete", "not done", "as not completed"} {
			if n := to - len(strings.Fields(end)); n > at && has(words, n, strings.Fields(end)...) {
				return wish{verb: reopen, target: p.target(at, n)}, true
			}
		}
		for _, end := range []string{"as done", "as completed", "as complete", "as finished", "done", "completed", "complete", "finished", "off"} {
			if n := to - len(strings.Fields(end)); n > at && has(words, n, strings.Fields(end)...) {
				return wish{verb: complete, target: p.target(at, n)}, true
			}
		}
		if has(words, from, "mark") {
			if i, n := find(words[at:to], "as"); i > 0 {
				if name, next, ok := priorityAt(words, at+i+n); ok && next == to {
					return wish{verb: update, target: p.target(at, at+i), patch: patch{priority: name}}, true
				}
				if name, known := priorityWords[words[at+i+n].low]; known && at+i+n+1 == to {
					return wish{verb: update, target: p.target(at, at+i), patch: patch{priority: name}}, true
				}
			}
		}
		if n := begin(words, at, "off"); n > 0 {
			at += n
		} else if c := begin(words, from, "check off", "tick off"); c == 0 {
			return wish{}, false // check money is nobody's command
		}
	}
	if oneOf(words, from, "check", "mark", "tick") && at >= to {
		return wish{}, false
	}
	if at >= to {
		return wish{verb: complete, target: target{before: true}}, oneOf(words, from, "done", "finished", "completed")
	}
	return wish{verb: complete, target: p.target(at, to)}, true
}

func (p parser) undoing(at, to int) (wish, bool) {
	at += begin(p.s.words, at, "that", "the", "this", "my", "last")
	at += begin(p.s.words, at, "last")
	switch {
	case at >= to:
		return wish{verb: undo}, true
	case begin(p.s.words, at, "delete", "deletion", "deleting", "removal") > 0:
		return wish{verb: restore, target: target{before: true}}, true
	case begin(p.s.words, at, "completion", "complete", "completing") > 0:
		return wish{verb: reopen, target: target{before: true}}, true
	default:
		return wish{}, false
	}
}

func (p parser) removing(at, to int) (wish, bool) {
	words := p.s.words
	if i, n := find(words[at:to], "from"); i >= 0 {
		end := p.target(at+i+n, to)
		if k := begin(words, at, "the tags", "the tag", "tags", "tag"); k > 0 && i > k {
			tags, _ := tagsAt(words[:at+i], at+k, p.now)
			return wish{verb: update, target: end, patch: patch{removeTags: tags}}, true
		}
		if words[at].kind == label && i == 1 {
			return wish{verb: update, target: end, patch: patch{removeTags: []string{words[at].text}}}, true
		}
	}
	if n := begin(words, at, "the due date from", "the due date of", "the date from", "due date from", "the deadline from", "the deadline of"); n > 0 {
		return wish{verb: reschedule, never: true, target: p.target(at+n, to)}, true
	}
	for _, end := range []string{"from my list", "from the list", "from my tasks"} {
		if n := to - len(strings.Fields(end)); n > at && has(words, n, strings.Fields(end)...) {
			to = n
		}
	}
	return wish{verb: remove, target: p.target(at, to)}, at < to
}

// moving reads move X to friday, postpone X by 2 days and reschedule X for tomorrow at 3pm.
func (p parser) moving(from, at, to int) (wish, bool) {
	words := p.s.words
	w := wish{verb: reschedule}
	for i := at + 1; i < to; i++ {
		if days, ok := p.everyWeekday(i+begin(words, i, "to", "onto"), to); ok {
			return wish{verb: update, target: p.target(at, i), patch: patch{rule: rule{unit: "week", weekdays: days}}}, true
		}
	}
	at += begin(words, at, "the due date of", "the due date for", "the deadline of", "the deadline for", "due date of")
	at += begin(words, at, "back")
	sign := 1
	if has(words, from, "bring", "forward") {
		sign = -1
	}
	// By how much: "by 2 days", "2 days later", or "back 2 days" at the end.
	for i := to - 1; i > at; i-- {
		n := begin(words, i, "back by", "forward by", "by", "back", "for")
		if n == 0 {
			continue
		}
		count, unit, next, ok := lengthAt(words, i+n)
		if next += begin(words, next, "later", "earlier"); ok && next == to {
			if has(words, i, "forward") || oneOf(words, to-1, "earlier") {
				sign = -1
			}
			w.target, w.by = p.target(at, i), length{sign * count, unit}
			return w, true
		}
	}
	for i := at + 1; i < to; i++ {
		if count, unit, next, ok := lengthAt(words, i); ok && next == to-1 && oneOf(words, next, "later", "earlier") {
			if oneOf(words, next, "earlier") {
				sign = -1
			}
			w.target, w.by = p.target(at, i), length{sign * count, unit}
			return w, true
		}
	}
	// When: the longest phrase at the end.
	for i := at; i < to; i++ {
		begun := i + begin(words, i, "to be due", "so it is due", "to", "until", "till", "for", "onto")
		m, next, ok := whenAt(words, begun, p.now)
		if !ok && begun > i {
			m, next, ok = whenAt(words, i, p.now)
		}
		if !ok && has(words, begun, "the") {
			m, next, ok = whenAt(append(slices.Clone(words[:begun]), append([]word{{low: "on"}}, words[begun:]...)...), begun, p.now)
			next--
		}
		if ok && next == to && (i > at || begun > i) {
			w.target, w.when = p.target(at, i), m
			// From now on, a weekday is that of the rule too.
			if day, isDay := weekdayAt(words, begun, true); isDay {
				w.rule = rule{unit: "week", weekdays: []time.Weekday{day}}
			}
			if i == at {
				w.target = target{before: true}
			}
			return w, true
		}
	}
	return wish{}, false
}

// title is a new title as it was written.
func (p parser) title(from, to int) string { return strings.TrimSpace(p.s.rest(from, to)) }

func (p parser) updating(from, at, to int) (wish, bool) {
	words := p.s.words
	w := wish{verb: update}
	i, _ := find(words[at:to], "to", "as", "into")
	switch words[from].low {
	case "stop", "don't", "do", "no":
		for to > at && begin(words, to-1, "anymore") > 0 {
			to--
		}
		if n := to - 2; n > at && has(words, n, "any", "more") {
			to = n
		}
		w.target, w.patch.noRule = p.target(at, to), true
		return w, true
	case "rename", "retitle":
		if i <= 0 || at+i+1 >= to {
			return wish{}, false
		}
		w.target, w.patch.title = p.target(at, at+i), p.title(at+i+1, to)
		return w, w.patch.title != ""
	case "tag", "label":
		i, n := find(words[at:to], "with", "as")
		if i < 0 && words[to-1].kind == label {
			i, n = to-1-at, 0
		}
		if i <= 0 {
			return wish{}, false
		}
		w.target = p.target(at, at+i)
		w.patch.addTags, _ = tagsAt(words, at+i+n, p.now)
		return w, len(w.patch.addTags) > 0
	case "prioritise", "prioritize":
		w.target, w.patch.priority = p.target(at, to), "high"
		return w, true
	case "repeat":
		for i := at + 1; i < to; i++ {
			if r, next, ok := (repeats{words, p.now}).at(i); ok && next == to {
				w.target, w.patch.rule = p.target(at, i), r
				return w, true
			}
		}
		return wish{}, false
	case "clear":
		if n := begin(words, at, "the due date of", "the due date from", "the due date for", "due date of", "the deadline of"); n > 0 {
			return wish{verb: reschedule, never: true, target: p.target(at+n, to)}, true
		}
		return wish{}, false
	}
	return p.setting(at, to)
}

// setting reads change, set, make, update and edit.
func (p parser) setting(at, to int) (wish, bool) {
	words := p.s.words
	w := wish{verb: update}
	behind := func(phrases ...string) (from, split int, ok bool) {
		n := begin(words, at, phrases...)
		if n == 0 {
			return 0, 0, false
		}
		for i := at + n; i < to-1; i++ {
			if oneOf(words, i, "to", "as") && i > at+n {
				return at + n, i, true
			}
		}
		return 0, 0, false
	}
	if from, split, ok := behind("the title of", "title of", "the name of", "name of"); ok {
		w.target, w.patch.title = p.target(from, split), p.title(split+1, to)
		return w, w.patch.title != ""
	}
	if from, split, ok := behind("the priority of", "priority of", "the priority for"); ok {
		name, known := priorityWords[words[split+1].low]
		w.target, w.patch.priority = p.target(from, split), name
		return w, known
	}
	if from, split, ok := behind("the note of", "the description of", "the notes of", "the description for"); ok {
		w.target, w.patch.note = p.target(from, split), p.title(split+1, to)
		return w, true
	}
	if n := begin(words, at, "the due date of", "the due date for", "the due date", "due date of", "the deadline of", "the deadline for", "the date of", "the due time of"); n > 0 {
		return p.moving(at, at+n, to)
	}
	// make X urgent, set X to high priority, make X repeat every Monday, make X due tomorrow.
	for i := at + 1; i < to; i++ {
		after := i + begin(words, i, "to be", "to", "as", "be", "a")
		if name, next, ok := priorityAt(words, after); ok && next == to {
			w.target, w.patch.priority = p.target(at, i), name
			return w, true
		}
		if r, next, ok := (repeats{words, p.now}).at(after + begin(words, after, "to repeat", "repeat", "recur", "happen")); ok && next == to {
			w.target, w.patch.rule = p.target(at, i), r
			return w, true
		}
		if days, ok := p.everyWeekday(after, to); ok && after > i {
			w.target, w.patch.rule = p.target(at, i), rule{unit: "week", weekdays: days}
			return w, true
		}
		if begin(words, after, "due", "for") > 0 || after > i {
			if m, next, ok := whenAt(words, after, p.now); ok && next == to {
				return wish{verb: reschedule, target: p.target(at, i), when: m}, true
			}
		}
		if begin(words, i, "not repeat", "stop repeating", "non-recurring") > 0 {
			w.target, w.patch.noRule = p.target(at, i), true
			return w, true
		}
	}
	return wish{}, false
}

// addingTo reads add a note to X: text, add the tag home to X, add a reminder to X 30 minutes before.
func (p parser) addingTo(at, to int) (wish, bool) {
	words := p.s.words
	w := wish{verb: update}
	if n := begin(words, at, "the note", "a note", "note", "the notes", "a description", "the description"); n > 0 {
		after := at + n
		switch {
		case after < to && words[after].kind == quoted && oneOf(words, after+1, "to"):
			w.target, w.patch.note = p.target(after+2, to), words[after].text
			return w, true
		case oneOf(words, after, "to", "on"):
			for i := after + 2; i < to; i++ {
				if k := begin(words, i, ":", "saying", "that says", "with"); k > 0 && i+k < to {
					w.target, w.patch.note = p.target(after+1, i), p.title(i+k, to)
					return w, true
				}
			}
			if words[to-1].kind == quoted && to-1 > after+1 {
				w.target, w.patch.note = p.target(after+1, to-1), words[to-1].text
				return w, true
			}
		}
		return wish{}, false
	}
	tag := begin(words, at, "the tags", "the tag", "a tag", "tags", "tag")
	if i, _ := find(words[at:to], "to"); i > tag && (tag > 0 || i == 1 && words[at].kind == label) {
		w.patch.addTags, _ = tagsAt(words[:at+i], at+tag, p.now)
		w.target = p.target(at+i+1, to)
		return w, len(w.patch.addTags) > 0
	}
	if n := begin(words, at, "a reminder to", "a reminder for", "reminder to"); n > 0 {
		for i := at + n + 1; i < to; i++ {
			if minutes, next, ok := beforeAt(words, i); ok && next == to {
				w.patch.reminders, w.target = minutes, p.target(at+n, i)
				return w, true
			}
		}
	}
	return wish{}, false
}

// target reads words[from:to] as the tasks that are meant.
func (p parser) target(from, to int) target {
	words := p.s.words[:to]
	from += begin(words, from, "off", "with")
	for to > from && oneOf(words, to-1, "please", "now", "too", "as", "again", "off", ":") {
		to--
	}
	words = words[:to]
	exactly := func(phrases ...string) bool { n := begin(words, from, phrases...); return n > 0 && from+n == to }
	switch {
	case from >= to, exactly("it", "that", "this", "that one", "this one", "that task", "this task", "the task", "one", "this time", "this occurrence"):
		return target{before: true}
	case exactly("them", "those", "these", "both", "both of them", "all of them", "those tasks", "these tasks", "all of those", "them all"):
		return target{before: true, all: true}
	}
	if nth, ok := p.nth(from, to); ok {
		return target{before: true, nth: nth}
	}
	if begin(words, from, "all", "everything", "every", "any", "each") > 0 || has(words, from, "my") && oneOf(words, to-1, "tasks") {
		f := p.filter(from, to)
		return target{filter: &f}
	}
	var t target
	t.occurrence = p.occurrence(from, to)
	for i := from; i < to; i++ {
		if words[i].kind == quoted {
			t.quoted = append(t.quoted, words[i].text)
		}
	}
	from += begin(words, from, "only", "just")
	from += begin(words, from, "the task called", "the task named", "the task", "my task", "task", "the", "my", "a")
	if k := begin(words, to-1, "task"); k > 0 && to-1 > from {
		to--
	}
	t.query = p.s.rest(from, to)
	return t
}

var nths = map[string]int{"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5}

// nth reads the first one, number 2 and #2.
func (p parser) nth(from, to int) (int, bool) {
	words := p.s.words[:to]
	at := from + begin(words, from, "the")
	if at < to {
		if n, ok := nths[words[at].low]; ok {
			at++
			at += begin(words, at, "one", "task")
			return n, at == to
		}
	}
	k := begin(words, from, "number", "no .", "nr .", "option")
	if from+k+1 != to {
		return 0, false
	}
	text := strings.TrimPrefix(words[from+k].text, "#")
	if len(text) == 0 || len(text) > 2 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsDigit(r) || r > '9' }) {
		return 0, false
	}
	n := 0
	for _, r := range text {
		n = n*10 + int(r-'0')
	}
	return n, n > 0
}

// chosen reads an answer to the question which task is meant.
func (p parser) chosen(from, to int) (wish, bool) {
	if n, ok := p.nth(from, to); ok {
		return wish{verb: choose, target: target{before: true, nth: n}}, true
	}
	if k := begin(p.s.words, from, "both of them", "both", "all of them", "all"); k > 0 && from+k == to {
		return wish{verb: choose, target: target{before: true, all: true}}, true
	}
	return wish{}, false
}
