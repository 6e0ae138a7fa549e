package offline

import (
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

type verb int

const (
	unknown verb = iota
	add
	list
	complete
	skip
	reopen
	reschedule
	remind
	update
	remove
	restore
	undo
	recall
	overview
	profile
	preview
	choose
	talk
)

// wish is one thing a person asked for.
type wish struct {
	verb   verb
	drafts []draft
	// target is the tasks an existing task's change is about.
	target target
	filter filter
	// when, or by how much later, a task is to be due; never takes the due date away.
	when  moment
	by    length
	never bool
	patch patch
	// following says that what repeats is to change from now on.
	following bool
	// text is the words to search old conversations for, or the answer of small talk.
	text string
	// rule and count are a preview's. Of a task that is moved from now on, rule is the weekday it is moved to.
	rule  rule
	count int
}

// length is how much a task is moved by.
type length struct {
	n    int
	unit string
}

// patch is what an update changes; what is empty stays.
type patch struct {
	title, note, priority string
	addTags, removeTags   []string
	reminders             []int
	rule                  rule
	noRule                bool
}

// target is which tasks are meant: by the words of their titles, by what was said before, or by what they have in common.
type target struct {
	query  string
	quoted []string
	// before says that they are among what was named before: all of it, or only the nth (from 1, -1 the last).
	before bool
	nth    int
	all    bool
	filter *filter
	// occurrence is what else query can mean, if no title has its words.
	occurrence *occurrence
}

// occurrence is one of the times of a task that repeats: today's workout, the next standup.
type occurrence struct {
	query string
	// next is the first that is still to come.
	next     bool
	from, to time.Time // days: from on, before to; zero for any
	// label says it in words, for the answer.
	label string
}

// filter is which tasks are listed.
type filter struct {
	status     string // open, completed or deleted
	overdue    bool
	from, to   time.Time // days: from on, before to
	priorities []string
	tags       []string
	query      string
	// label says it in words, for the answer.
	label string
}

// intent is what the agent's gate calls a wish.
func (w wish) intent() agenttools.Intent {
	switch w.verb {
	case add:
		return agenttools.Create
	case list, recall, overview, profile, preview:
		return agenttools.Read
	case complete, skip, reopen:
		return agenttools.Toggle
	case reschedule, remind, update:
		return agenttools.Update
	case remove, restore:
		return agenttools.Delete
	default:
		return agenttools.Talk
	}
}
