package check

import (
	"cmp"
	"slices"
	"strings"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
)

// histories: a user's sequences are 1, 2, 3 and so on, and so are the versions of each task and series.
func (b *book) histories() {
	for user, events := range b.history {
		slices.SortStableFunc(events, func(a, c record.Event) int { return cmp.Compare(a.Sequence, c.Sequence) })
		versions := map[string]int{}
		for n, e := range events {
			b.Looked[History]++
			if e.Sequence != int64(n)+1 {
				b.find(History, user, "the event after %d has the sequence %d", n, e.Sequence)
				break
			}
			versions[e.Subject]++
			if e.Version != versions[e.Subject] {
				b.find(History, user, "%s of %s has version %d after %d", e.Type, e.Subject, e.Version, versions[e.Subject]-1)
				versions[e.Subject] = e.Version
			}
		}
	}
}

// states: the tasks in the end are what their events make of them.
func (b *book) states() {
	want := map[string]*record.Task{}
	for user, events := range b.history {
		for _, e := range events {
			if !strings.HasPrefix(e.Type, "task.") && !strings.HasPrefix(e.Type, "reminder.") {
				continue
			}
			t := want[e.Subject]
			if t == nil {
				t = &record.Task{User: user, ID: e.Subject}
				want[e.Subject] = t
				if e.Type != eventOf[record.Create] {
					b.find(State, user, "task %s begins with %s", e.Subject, e.Type)
				}
			}
			t.Version = e.Version
			switch e.Type {
			case eventOf[record.Create], eventOf[record.Update]:
				if e.Title != "" {
					t.Title = e.Title
				}
			case eventOf[record.Complete]:
				t.Completed = true
			case eventOf[record.Reopen]:
				t.Completed = false
			case eventOf[record.Delete]:
				t.Deleted = true
			case eventOf[record.Restore]:
				t.Deleted = false
			}
		}
	}
	for id, w := range want {
		b.Looked[State]++
		have, there := b.tasks[id]
		switch {
		case !there:
			b.find(State, w.User, "task %s, %q, is in the history at version %d and not among the tasks", id, w.Title, w.Version)
		case have.User != w.User:
			b.find(Isolated, have.User, "has the task %s of %s", id, w.User)
		case have.Version != w.Version || have.Title != w.Title || have.Completed != w.Completed || have.Deleted != w.Deleted:
			b.find(State, w.User, "task %s is %+v; by its events it is %+v", id, have, *w)
		}
	}
	for id, t := range b.tasks {
		if want[id] == nil {
			b.find(State, t.User, "task %s, %q, is in no history", id, t.Title)
		}
	}
}
