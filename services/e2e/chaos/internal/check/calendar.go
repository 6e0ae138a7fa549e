package check

import (
	"slices"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
)

const (
	day  = 24 * time.Hour
	wall = "2006-01-02T15:04:05"
	// soon is how far behind the end of a run a reminder or an occurrence may be on its way.
	soon = 2 * time.Second
)

// series: the occurrences of a daily series are those of its days, each once, and there is a next one when and only when the
// newest is done or the next one's time has come.
func (b *book) series() {
	if b.end == nil {
		return
	}
	all := map[string][]record.Task{}
	for _, t := range b.tasks {
		if t.Series != "" {
			all[t.Series] = append(all[t.Series], t)
		}
	}
	for id, tasks := range all {
		slices.SortFunc(tasks, func(a, c record.Task) int { return strings.Compare(a.Occurrence, c.Occurrence) })
		user := tasks[0].User
		for n, t := range tasks {
			b.Looked[Series]++
			when, err := time.Parse(wall, t.Occurrence)
			if err != nil {
				b.find(Series, user, "occurrence %q of %s is no time", t.Occurrence, id)
				continue
			}
			if n > 0 {
				before := tasks[n-1]
				earlier, _ := time.Parse(wall, before.Occurrence)
				if gap := when.Sub(earlier); gap != day {
					b.find(Series, user, "series %s has the occurrences %s and %s, %s apart", id, before.Occurrence, t.Occurrence, gap)
				}
				if !before.Completed && when.After(b.end.Now) {
					b.find(Series, user, "series %s has the occurrence %s, whose time has not come, and %s is not done", id, t.Occurrence, before.Occurrence)
				}
			}
			if n == len(tasks)-1 && (t.Completed || when.Add(day).Before(b.end.Now.Add(-soon))) {
				b.find(Series, user, "series %s ends with %s, which is done or over: the next occurrence is missing", id, t.Occurrence)
			}
		}
	}
}

// rings: each reminder whose time has come rang once, and nothing else did. One whose time was over when its task was made,
// because nobody could make it before, does not ring.
func (b *book) rings() {
	if b.end == nil {
		return
	}
	type ring struct {
		task string
		at   int64 // milliseconds, as they are kept
	}
	rang := map[ring]int{}
	owner := map[ring]string{}
	for user, events := range b.history {
		for _, e := range events {
			if e.Type == "reminder.fired" {
				r := ring{e.Subject, e.Ring.UnixMilli()}
				rang[r]++
				owner[r] = user
			}
		}
	}
	for _, w := range b.asked {
		for _, item := range w.Items {
			if len(item.Rings) == 0 {
				continue
			}
			for _, e := range b.happened(w.User, item) {
				for _, when := range item.Rings {
					r := ring{e.Subject, when.UnixMilli()}
					n := rang[r]
					delete(rang, r)
					b.Looked[Rings]++
					over := when.Before(e.Time)
					if n > 1 || n == 1 && over || n == 0 && !over && when.Before(b.end.Now.Add(-soon)) {
						b.find(Rings, w.User, "the reminder of %q, made at %s, at %s rang %d times",
							item.Title, e.Time.Format(time.RFC3339Nano), when.Format(time.RFC3339Nano), n)
					}
				}
			}
		}
	}
	for r := range rang {
		b.find(Rings, owner[r], "task %s rang at %d, which nobody asked for", r.task, r.at)
	}
}

// talk: a message whose answer came is in its conversation once; no other is there more often.
func (b *book) talk() {
	there := map[string]int{}
	for _, m := range b.messages {
		b.Looked[Talk]++
		if there[m.ID]++; there[m.ID] > 1 {
			b.find(Talk, m.User, "message %s, %q, is there twice", m.ID, m.Text)
		}
		if w := b.saidAs(m.ID); w != nil && w.User != m.User {
			b.find(Isolated, m.User, "has the message %s of %s", m.ID, w.User)
		}
	}
	for _, w := range b.asked {
		if w.Door != record.Chat {
			continue
		}
		if done, _ := w.told(0); len(done) > 0 && there[w.Key] != 1 {
			b.find(Talk, w.User, "message %s, %q, was answered, and is there %d times", w.Key, w.Items[0].Title, there[w.Key])
		}
	}
}

// saidAs is the request that said a message.
func (b *book) saidAs(id string) *wish {
	i := slices.IndexFunc(b.asked, func(w *wish) bool { return w.Door == record.Chat && w.Key == id })
	if i < 0 {
		return nil
	}
	return b.asked[i]
}
