package check

import (
	"maps"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
)

// order: what somebody asked for after an answer came stands behind it in the history, and nobody reads a task older than
// they were told it is.
func (b *book) order() {
	highest := map[string]int64{}           // sequence that a user was told of
	versions := map[string]map[string]int{} // of tasks, by user
	floors := map[int64]int64{}             // highest when a wish was first asked for
	type try struct {
		id int64
		n  int
	}
	reads := map[try]map[string]int{} // versions when a read was asked for
	for _, l := range b.lines {
		switch {
		case l.Request != nil:
			r := l.Request
			if r.Try == 1 {
				floors[r.ID] = highest[r.User]
			}
			if len(r.Items) == 1 && (r.Items[0].Verb == record.Read || r.Items[0].Verb == record.List) {
				reads[try{r.ID, r.Try}] = maps.Clone(versions[r.User])
			}
		case l.Answer != nil:
			a := l.Answer
			before := reads[try{a.ID, a.Try}]
			told := versions[a.User]
			if told == nil {
				told = map[string]int{}
				versions[a.User] = told
			}
			tell := func(s record.Seen) {
				if s.ID == "" {
					return
				}
				if before != nil {
					b.Looked[Fresh]++
					if s.Version < before[s.ID] {
						b.find(Fresh, a.User, "request %d read the task %s at version %d, after having been told of %d", a.ID, s.ID, s.Version, before[s.ID])
					}
				}
				told[s.ID] = max(told[s.ID], s.Version)
				if e, was := b.places[at{s.ID, s.Version}]; was && e.User == a.User {
					highest[a.User] = max(highest[a.User], e.Sequence)
				}
			}
			for _, t := range a.Told {
				tell(t.Seen)
			}
			for _, s := range a.Seen {
				tell(s)
			}
		}
	}
	for _, w := range b.asked {
		for _, item := range w.Items {
			for _, e := range b.happened(w.User, item) {
				b.Looked[Order]++
				if e.Sequence <= floors[w.ID] {
					b.find(Order, w.User, "%s %q has the sequence %d, and was asked for after the answer of %d", item.Verb, item.Title, e.Sequence, floors[w.ID])
				}
			}
		}
	}
}
