// Package check judges a run by its record alone: whether what people were told is so, and what they saw is what happened.
// It knows nothing of the suite but its promises:
//
//   - What was acknowledged is in the history and in the state; what was refused is not; what nobody knows may be either.
//   - Nothing is there twice: one task per key, one change per wish, one occurrence per place in a series, one ring per reminder.
//   - Sequences and versions go up by one; what was asked after an answer came stands behind it; every window saw all of it, in
//     order; nobody reads what is older than what they were told.
//   - Nobody is told of anybody else's tasks.
//
// It refuses to guess: a record that is not whole is a finding.
package check

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
)

// Rule is one promise.
type Rule string

// The rules.
const (
	Whole    Rule = "the record is whole"
	Kept     Rule = "what was acknowledged is kept"
	Undone   Rule = "what was refused was not done"
	Once     Rule = "nothing was done twice"
	History  Rule = "sequences and versions go up by one"
	State    Rule = "the tasks are what the history says"
	Answers  Rule = "answers are answers, and tell what is so"
	Order    Rule = "what was asked later stands later"
	Fresh    Rule = "nobody reads less than they were told"
	Windows  Rule = "every window saw everything, in order, once"
	Series   Rule = "every occurrence is there once"
	Rings    Rule = "every reminder rang once"
	Talk     Rule = "every message is kept once"
	Isolated Rule = "nobody is told of others' tasks"
)

// Rules are all of them.
func Rules() []Rule {
	return []Rule{Whole, Kept, Undone, Once, History, State, Answers, Order, Fresh, Windows, Series, Rings, Talk, Isolated}
}

// Finding is a promise that was not kept.
type Finding struct {
	Rule Rule
	User string
	Text string
}

func (f Finding) String() string { return fmt.Sprintf("%s: %s: %s", f.Rule, f.User, f.Text) }

// Report is what a record shows.
type Report struct {
	Findings []Finding
	// Looked is how many facts each rule was held against: a rule with none shows nothing.
	Looked map[Rule]int
	// Done, Refused and Unknown count wishes; Happened are those of the unknown ones that came true.
	Done, Refused, Unknown, Happened int
	Events, Frames, Connections      int
}

// OK reports whether every promise was kept.
func (r Report) OK() bool { return len(r.Findings) == 0 }

// Table is the report for people.
func (r Report) Table() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d wishes acknowledged, %d refused, %d of unknown outcome (%d of them happened); %d events, %d frames over %d connections\n\n",
		r.Done, r.Refused, r.Unknown, r.Happened, r.Events, r.Frames, r.Connections)
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, rule := range Rules() {
		broken := 0
		for _, f := range r.Findings {
			if f.Rule == rule {
				broken++
			}
		}
		verdict := "ok"
		if broken > 0 {
			verdict = fmt.Sprintf("BROKEN %d times", broken)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\n", rule, r.Looked[rule], verdict)
	}
	_ = w.Flush()
	return text.String()
}

// Record judges a record.
func Record(lines []record.Line) Report {
	b := open(lines)
	b.whole()
	b.histories()
	b.states()
	b.wishes()
	b.order()
	b.windows()
	b.series()
	b.rings()
	b.talk()
	slices.SortStableFunc(b.Findings, func(a, c Finding) int { return slices.Index(Rules(), a.Rule) - slices.Index(Rules(), c.Rule) })
	return b.Report
}

// at is a place in a task's or series' own history.
type at struct {
	subject string
	version int
}

// wish is something somebody wanted, with all tries.
type wish struct {
	record.Request
	answers []record.Answer
}

// told is what came of item n of a wish.
func (w *wish) told(n int) (done []record.Told, unknown bool) {
	for _, a := range w.answers {
		if n >= len(a.Told) {
			unknown = true
			continue
		}
		if a.Told[n].Done() {
			done = append(done, a.Told[n])
		}
		unknown = unknown || a.Told[n].Unknown()
	}
	// A try without any line of an answer: the run ended before.
	return done, unknown || len(w.answers) < w.Try
}

// book is a record, looked up.
type book struct {
	Report
	lines []record.Line
	run   *record.Run
	end   *record.End

	asked    []*wish // in the order of their first try
	byID     map[int64]*wish
	history  map[string][]record.Event // by user; of tasks
	places   map[at]record.Event
	owner    map[string]string         // of a task or series
	ids      map[string]record.Event   // by event id
	created  map[string][]record.Event // by title
	renamed  map[string][]record.Event // by title
	tasks    map[string]record.Task
	messages []record.Message
	frames   map[string]map[int][]record.Frame
}

const tasksTopic = "tasks.events"

func open(lines []record.Line) *book {
	b := &book{
		Report: Report{Looked: map[Rule]int{}}, lines: lines,
		byID: map[int64]*wish{}, history: map[string][]record.Event{}, places: map[at]record.Event{}, owner: map[string]string{},
		ids: map[string]record.Event{}, created: map[string][]record.Event{}, renamed: map[string][]record.Event{},
		tasks: map[string]record.Task{}, frames: map[string]map[int][]record.Frame{},
	}
	for _, l := range lines {
		switch {
		case l.Run != nil:
			b.run = l.Run
		case l.End != nil:
			b.end = l.End
		case l.Request != nil:
			w := b.byID[l.Request.ID]
			if w == nil {
				w = &wish{}
				b.byID[l.Request.ID] = w
				b.asked = append(b.asked, w)
			}
			w.Request = *l.Request
		case l.Answer != nil:
			if w := b.byID[l.Answer.ID]; w != nil {
				w.answers = append(w.answers, *l.Answer)
			} else {
				b.find(Whole, l.Answer.User, "answer %d is to no request", l.Answer.ID)
			}
		case l.Frame != nil:
			f := *l.Frame
			if b.frames[f.User] == nil {
				b.frames[f.User] = map[int][]record.Frame{}
			}
			b.frames[f.User][f.Window] = append(b.frames[f.User][f.Window], f)
		case l.Event != nil:
			b.event(*l.Event)
		case l.Task != nil:
			b.task(*l.Task)
		case l.Message != nil:
			b.messages = append(b.messages, *l.Message)
		}
	}
	return b
}

func (b *book) event(e record.Event) {
	b.Events++
	if other, twice := b.ids[e.ID]; twice {
		b.find(Once, e.User, "event %s is there twice: %+v and %+v", e.ID, other, e)
	}
	b.ids[e.ID] = e
	if e.Topic != tasksTopic {
		return
	}
	b.history[e.User] = append(b.history[e.User], e)
	if o, known := b.owner[e.Subject]; known && o != e.User {
		b.find(Isolated, e.User, "%s has events of %s and of %s", e.Subject, o, e.User)
	}
	b.owner[e.Subject] = e.User
	b.places[at{e.Subject, e.Version}] = e
	switch {
	case e.Title == "":
	case e.Type == eventOf[record.Create]:
		b.created[e.Title] = append(b.created[e.Title], e)
	case e.Type == eventOf[record.Update]:
		b.renamed[e.Title] = append(b.renamed[e.Title], e)
	}
}

func (b *book) task(t record.Task) {
	if _, twice := b.tasks[t.ID]; twice {
		b.find(State, t.User, "task %s is listed twice", t.ID)
	}
	b.tasks[t.ID] = t
}

// eventOf is what happens when a wish comes true.
var eventOf = map[record.Verb]string{
	record.Create: "task.created", record.Update: "task.updated", record.Complete: "task.completed", record.Reopen: "task.reopened",
	record.Delete: "task.deleted", record.Restore: "task.restored",
}

// mostFindings bounds what is told of one rule; the rest is of the same kind.
const mostFindings = 50

func (b *book) find(rule Rule, user, format string, args ...any) {
	n := 0
	for _, f := range b.Findings {
		if f.Rule == rule {
			n++
		}
	}
	if n < mostFindings {
		b.Findings = append(b.Findings, Finding{rule, user, fmt.Sprintf(format, args...)})
	}
}

// whole: the record begins and ends, nothing in it is out of order, and people were there.
func (b *book) whole() {
	b.Looked[Whole] = len(b.lines)
	if b.run == nil || b.end == nil || len(b.lines) == 0 || b.lines[0].Run == nil || b.lines[len(b.lines)-1].End == nil {
		b.find(Whole, "-", "it does not begin and end as it should")
		return
	}
	for _, what := range b.end.Missing {
		b.find(Whole, "-", "what is left could not be read: %s", what)
	}
	last := int64(0)
	for n, l := range b.lines {
		if l.At < last {
			b.find(Whole, "-", "line %d happened before the line before it", n+1)
		}
		last = l.At
		if l.Fault != nil && l.Fault.Error != "" {
			b.find(Whole, "-", "%s", l.Fault.Error)
		}
	}
	for _, user := range b.run.People {
		if len(b.history[user]) == 0 {
			b.find(Whole, user, "nothing ever happened")
		}
		if len(b.frames[user]) == 0 {
			b.find(Whole, user, "no window was open")
		}
	}
}
