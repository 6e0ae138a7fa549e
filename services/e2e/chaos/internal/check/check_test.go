package check

import (
	"compress/gzip"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
)

// clean is the record of a real run in which nothing was broken: chaos --seconds 12 --people 3 --faults none.
func clean(t testing.TB) []record.Line {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "clean.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := record.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// copied is a record that may be changed without changing the other one.
func copied(t testing.TB, lines []record.Line) []record.Line {
	t.Helper()
	raw, err := json.Marshal(lines)
	if err != nil {
		t.Fatal(err)
	}
	var all []record.Line
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestACleanRecordHasNoFindingsAndEveryRuleLookedAtSomething(t *testing.T) {
	t.Parallel()
	report := Record(clean(t))
	for _, f := range report.Findings {
		t.Error(f)
	}
	for _, rule := range Rules() {
		if report.Looked[rule] == 0 {
			t.Errorf("%q was held against nothing: the record shows nothing", rule)
		}
	}
}

// first is the first line that fits, from a place on.
func first(t testing.TB, lines []record.Line, fits func(record.Line) bool) int {
	t.Helper()
	i := slices.IndexFunc(lines, fits)
	if i < 0 {
		t.Fatal("the record has no such line")
	}
	return i
}

// another is the last line that fits.
func another(t testing.TB, lines []record.Line, fits func(record.Line) bool) int {
	t.Helper()
	for i, l := range slices.Backward(lines) {
		if fits(l) {
			return i
		}
	}
	t.Fatal("the record has no such line")
	return 0
}

func event(kind string) func(record.Line) bool {
	return func(l record.Line) bool { return l.Event != nil && l.Event.Type == kind }
}

func frame(l record.Line) bool {
	return l.Frame != nil && l.Frame.EventID != "" && l.Frame.Sequence > 3
}

// answerTo is the first answer to a request of one item with the verb, that was done or not.
func answerTo(t testing.TB, lines []record.Line, verb record.Verb) *record.Answer {
	t.Helper()
	asked := map[int64]bool{}
	for _, l := range lines {
		if l.Request != nil && len(l.Request.Items) == 1 && l.Request.Items[0].Verb == verb {
			asked[l.Request.ID] = true
		}
		if l.Answer != nil && asked[l.Answer.ID] && len(l.Answer.Told) == 1 && (l.Answer.Told[0].Done() || verb == record.Foreign) {
			return l.Answer
		}
	}
	t.Fatalf("nobody was told of %s", verb)
	return nil
}

func TestEveryKindOfDamageIsFound(t *testing.T) {
	t.Parallel()
	whole := clean(t)
	for what, damage := range map[string]struct {
		rule Rule
		do   func(testing.TB, []record.Line) []record.Line
	}{
		"an acknowledged task was never made": {Kept, func(t testing.TB, l []record.Line) []record.Line {
			id := answerTo(t, l, record.Create).Told[0].Seen.ID
			return slices.DeleteFunc(l, func(l record.Line) bool {
				return l.Event != nil && l.Event.Subject == id || l.Task != nil && l.Task.ID == id
			})
		}},
		"an acknowledged title is another one": {Kept, func(t testing.TB, l []record.Line) []record.Line {
			l[first(t, l, event("task.updated"))].Event.Title = "another"
			return l
		}},
		"an acknowledged completion is a deletion": {Kept, func(t testing.TB, l []record.Line) []record.Line {
			told := answerTo(t, l, record.Complete).Told[0].Seen
			i := first(t, l, func(l record.Line) bool {
				return l.Event != nil && l.Event.Subject == told.ID && l.Event.Type == "task.completed"
			})
			l[i].Event.Type = "task.deleted"
			return l
		}},
		"somebody was told of a version that never was": {Kept, func(t testing.TB, l []record.Line) []record.Line {
			answerTo(t, l, record.Read).Told[0].Seen.Version = 999
			return l
		}},
		"somebody was told that their task does not exist": {Kept, func(t testing.TB, l []record.Line) []record.Line {
			answerTo(t, l, record.Update).Told[0].Status = http.StatusNotFound
			return l
		}},
		"what was refused was done": {Undone, func(t testing.TB, l []record.Line) []record.Line {
			a := answerTo(t, l, record.Update)
			a.Told[0] = record.Told{Status: http.StatusPreconditionFailed}
			return l
		}},
		"one request made two tasks": {Once, func(t testing.TB, l []record.Line) []record.Line {
			i := first(t, l, func(l record.Line) bool { return event("task.created")(l) && l.Event.Series == "" })
			twin := *l[i].Event
			twin.ID, twin.Subject, twin.Sequence = "twin", "twin", 1_000_000
			return slices.Insert(l, len(l)-1, record.Line{At: l[len(l)-1].At, Event: &twin})
		}},
		"one request began two series": {Once, func(t testing.TB, l []record.Line) []record.Line {
			i := first(t, l, func(l record.Line) bool { return event("task.created")(l) && l.Event.Series != "" })
			twin := *l[i].Event
			twin.ID, twin.Subject, twin.Series, twin.Sequence = "twin", "twin", "twins", 1_000_000
			return slices.Insert(l, len(l)-1, record.Line{At: l[len(l)-1].At, Event: &twin})
		}},
		"two tries were told of two tasks": {Once, func(t testing.TB, l []record.Line) []record.Line {
			a := *answerTo(t, l, record.Create)
			other := l[another(t, l, func(l record.Line) bool { return l.Task != nil && l.Task.User == a.User })].Task
			a.Try, a.Told = 2, []record.Told{{Status: http.StatusCreated, Seen: record.Seen{ID: other.ID, Version: 1}}}
			i := first(t, l, func(l record.Line) bool { return l.Answer != nil && l.Answer.ID == a.ID })
			return slices.Insert(l, i+1, record.Line{At: l[i].At, Answer: &a})
		}},
		"a sequence is left out": {History, func(t testing.TB, l []record.Line) []record.Line {
			user := l[first(t, l, event("task.created"))].Event.User
			for _, line := range l {
				if line.Event != nil && line.Event.User == user && line.Event.Topic == tasksTopic && line.Event.Sequence > 5 {
					line.Event.Sequence++
				}
			}
			return l
		}},
		"a version is left out": {History, func(t testing.TB, l []record.Line) []record.Line {
			l[first(t, l, event("task.updated"))].Event.Version += 5
			return l
		}},
		"a task is gone": {State, func(t testing.TB, l []record.Line) []record.Line {
			i := first(t, l, func(l record.Line) bool { return l.Task != nil })
			return slices.Delete(l, i, i+1)
		}},
		"a task is older than its history": {State, func(t testing.TB, l []record.Line) []record.Line {
			l[first(t, l, func(l record.Line) bool { return l.Task != nil && l.Task.Version > 1 })].Task.Version--
			return l
		}},
		"a task is of no history": {State, func(t testing.TB, l []record.Line) []record.Line {
			task := *l[first(t, l, func(l record.Line) bool { return l.Task != nil })].Task
			task.ID = "from nowhere"
			return slices.Insert(l, len(l)-1, record.Line{At: l[len(l)-1].At, Task: &task})
		}},
		"a task that was done is open": {State, func(t testing.TB, l []record.Line) []record.Line {
			l[first(t, l, func(l record.Line) bool { return l.Task != nil && l.Task.Completed && l.Task.Series == "" })].Task.Completed = false
			return l
		}},
		"a deleted task is there": {State, func(t testing.TB, l []record.Line) []record.Line {
			l[first(t, l, func(l record.Line) bool { return l.Task != nil && l.Task.Deleted })].Task.Deleted = false
			return l
		}},
		"an answer is an internal error": {Answers, func(t testing.TB, l []record.Line) []record.Line {
			answerTo(t, l, record.Read).Status = http.StatusInternalServerError
			return l
		}},
		"an item of an answer is an internal error": {Answers, func(t testing.TB, l []record.Line) []record.Line {
			answerTo(t, l, record.Update).Told[0].Status = http.StatusInternalServerError
			return l
		}},
		"what was asked later stands earlier": {Order, func(t testing.TB, l []record.Line) []record.Line {
			user := l[first(t, l, event("task.created"))].Event.User
			mine := func(l record.Line) bool { return event("task.created")(l) && l.Event.User == user }
			i, j := first(t, l, mine), another(t, l, func(l record.Line) bool { return mine(l) && l.Event.Series == "" })
			l[i].Event.Sequence, l[j].Event.Sequence = l[j].Event.Sequence, l[i].Event.Sequence
			return l
		}},
		"somebody read what was over": {Fresh, func(t testing.TB, l []record.Line) []record.Line {
			asked := map[int64]bool{}
			for _, line := range l {
				if line.Request != nil && line.Request.Items[0].Verb == record.List {
					asked[line.Request.ID] = true
				}
				if line.Answer == nil || !asked[line.Answer.ID] {
					continue
				}
				for i := range line.Answer.Seen {
					line.Answer.Seen[i].Version = min(line.Answer.Seen[i].Version, 1)
				}
			}
			return l
		}},
		"a window missed something": {Windows, func(t testing.TB, l []record.Line) []record.Line {
			i := first(t, l, frame)
			return slices.Delete(l, i, i+1)
		}},
		"a window missed the last thing": {Windows, func(t testing.TB, l []record.Line) []record.Line {
			i := another(t, l, frame)
			return slices.Delete(l, i, i+1)
		}},
		"a window was told twice": {Windows, func(t testing.TB, l []record.Line) []record.Line {
			i := first(t, l, frame)
			return slices.Insert(l, i, l[i])
		}},
		"a window was told in another order": {Windows, func(t testing.TB, l []record.Line) []record.Line {
			i := first(t, l, frame)
			j := i + 1 + first(t, l[i+1:], func(m record.Line) bool {
				return frame(m) && m.Frame.User == l[i].Frame.User && m.Frame.Window == l[i].Frame.Window
			})
			l[i].Frame, l[j].Frame = l[j].Frame, l[i].Frame
			return l
		}},
		"a window was told of something else": {Windows, func(t testing.TB, l []record.Line) []record.Line {
			l[first(t, l, frame)].Frame.EventID = "something else"
			return l
		}},
		"a window had to begin anew": {Windows, func(t testing.TB, l []record.Line) []record.Line {
			i := first(t, l, frame)
			return slices.Insert(l, i, record.Line{At: l[i].At, Frame: &record.Frame{User: l[i].Frame.User, Type: "resync"}})
		}},
		"an occurrence is there twice": {Series, func(t testing.TB, l []record.Line) []record.Line {
			i := first(t, l, func(l record.Line) bool { return l.Task != nil && l.Task.Series != "" })
			twin := *l[i].Task
			twin.ID = "twin"
			return slices.Insert(l, i, record.Line{At: l[i].At, Task: &twin})
		}},
		"an occurrence was left out": {Series, func(t testing.TB, l []record.Line) []record.Line {
			task := l[another(t, l, func(l record.Line) bool { return l.Task != nil && l.Task.Series != "" })].Task
			newest := ""
			for _, line := range l {
				if line.Task != nil && line.Task.Series == task.Series {
					newest = max(newest, line.Task.Occurrence)
				}
			}
			when, err := time.Parse(wall, newest)
			if err != nil {
				t.Fatal(err)
			}
			next := *task
			next.ID, next.Occurrence = "next", when.Add(2*day).Format(wall)
			return slices.Insert(l, len(l)-1, record.Line{At: l[len(l)-1].At, Task: &next})
		}},
		"the next occurrence is missing": {Series, func(t testing.TB, l []record.Line) []record.Line {
			l[len(l)-1].End.Now = l[len(l)-1].End.Now.Add(30 * day)
			return l
		}},
		"an occurrence came before its time": {Series, func(t testing.TB, l []record.Line) []record.Line {
			l[len(l)-1].End.Now = l[len(l)-1].End.Now.Add(-30 * day)
			return l
		}},
		"a reminder rang twice": {Rings, func(t testing.TB, l []record.Line) []record.Line {
			i := first(t, l, event("reminder.fired"))
			again := *l[i].Event
			again.ID = "again"
			return slices.Insert(l, i, record.Line{At: l[i].At, Event: &again})
		}},
		"a reminder did not ring": {Rings, func(t testing.TB, l []record.Line) []record.Line {
			i := first(t, l, event("reminder.fired"))
			return slices.Delete(l, i, i+1)
		}},
		"a reminder rang that was over when it was set": {Rings, func(t testing.TB, l []record.Line) []record.Line {
			bell := l[first(t, l, event("reminder.fired"))].Event
			i := first(t, l, func(l record.Line) bool { return event("task.created")(l) && l.Event.Subject == bell.Subject })
			l[i].Event.Time = bell.Ring.Add(time.Second)
			return l
		}},
		"a reminder rang that nobody asked for": {Rings, func(t testing.TB, l []record.Line) []record.Line {
			e := l[first(t, l, event("reminder.fired"))].Event
			e.Ring = e.Ring.Add(time.Hour)
			return l
		}},
		"an answered message is gone": {Talk, func(t testing.TB, l []record.Line) []record.Line {
			i := first(t, l, func(l record.Line) bool { return l.Message != nil && strings.HasPrefix(l.Message.Text, "add ") })
			return slices.Delete(l, i, i+1)
		}},
		"a message is there twice": {Talk, func(t testing.TB, l []record.Line) []record.Line {
			i := first(t, l, func(l record.Line) bool { return l.Message != nil })
			return slices.Insert(l, i, l[i])
		}},
		"somebody was shown another's task": {Isolated, func(t testing.TB, l []record.Line) []record.Line {
			answerTo(t, l, record.Foreign).Told[0].Status = http.StatusOK
			return l
		}},
		"somebody's list has another's task": {Isolated, func(t testing.TB, l []record.Line) []record.Line {
			i := first(t, l, func(l record.Line) bool { return l.Answer != nil && len(l.Answer.Seen) > 0 })
			other := l[first(t, l, func(m record.Line) bool { return m.Task != nil && m.Task.User != l[i].Answer.User })].Task
			l[i].Answer.Seen[0] = record.Seen{ID: other.ID, Version: 1}
			return l
		}},
		"a window was told of another's event": {Isolated, func(t testing.TB, l []record.Line) []record.Line {
			i := first(t, l, frame)
			other := l[first(t, l, func(m record.Line) bool { return m.Event != nil && m.Event.User != l[i].Frame.User })].Event
			l[i].Frame.EventID = other.ID
			return l
		}},
		"somebody has another's task in the end": {Isolated, func(t testing.TB, l []record.Line) []record.Line {
			task := l[first(t, l, func(l record.Line) bool { return l.Task != nil })].Task
			task.User = l[first(t, l, func(m record.Line) bool { return m.Task != nil && m.Task.User != task.User })].Task.User
			return l
		}},
		"the end is missing": {Whole, func(_ testing.TB, l []record.Line) []record.Line { return l[:len(l)-1] }},
		"what is left could not be read": {Whole, func(_ testing.TB, l []record.Line) []record.Line {
			l[len(l)-1].End.Missing = []string{"of p1: 503"}
			return l
		}},
		"a fault could not be mended": {Whole, func(_ testing.TB, l []record.Line) []record.Line {
			return slices.Insert(l, 1, record.Line{At: l[0].At, Fault: &record.Fault{Over: true, Error: "it stays broken"}})
		}},
		"nothing happened to somebody": {Whole, func(_ testing.TB, l []record.Line) []record.Line {
			l[0].Run.People = append(l[0].Run.People, "nobody")
			return l
		}},
		"nobody's answer came": {Whole, func(_ testing.TB, l []record.Line) []record.Line {
			return slices.Insert(l, 1, record.Line{At: l[0].At, Answer: &record.Answer{ID: 1_000_000, Status: 200}})
		}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			report := Record(damage.do(t, copied(t, whole)))
			if !slices.ContainsFunc(report.Findings, func(f Finding) bool { return f.Rule == damage.rule }) {
				t.Errorf("it is not found; found is %v", report.Findings)
			}
		})
	}
}

// TestNoEventTaskOrFrameCanBeTakenAway: whichever line it is.
func TestNoEventTaskOrFrameCanBeTakenAway(t *testing.T) {
	t.Parallel()
	whole := clean(t)
	taken := 0
	for i, l := range whole {
		// Each seventh will do, and takes a second instead of ten.
		if i%7 != 0 || l.Task == nil && !frame(l) && (l.Event == nil || l.Event.Topic != tasksTopic) {
			continue
		}
		taken++
		if report := Record(slices.Concat(whole[:i], whole[i+1:])); report.OK() {
			t.Errorf("without line %d all is well: %+v %+v %+v", i+1, l.Task, l.Event, l.Frame)
		}
	}
	if taken < 50 {
		t.Errorf("only %d lines were taken away", taken)
	}
}

func TestATableNamesEveryRuleAndWhatIsBroken(t *testing.T) {
	t.Parallel()
	report := Record(clean(t))
	report.Findings = append(report.Findings, Finding{Once, "p1", "twice"})
	table := report.Table()
	for _, rule := range Rules() {
		if !strings.Contains(table, string(rule)) {
			t.Errorf("the table has no %q", rule)
		}
	}
	if !strings.Contains(table, "BROKEN 1 times") || report.Findings[0].String() != "nothing was done twice: p1: twice" {
		t.Errorf("the table says\n%s", table)
	}
}
