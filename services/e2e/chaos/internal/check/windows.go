package check

import "github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"

// windows: every window saw the whole history of its user, in order, each event once, over however many connections.
func (b *book) windows() {
	for user, all := range b.frames {
		for n, frames := range all {
			b.window(user, n, frames)
		}
	}
}

func (b *book) window(user string, window int, frames []record.Frame) {
	history := b.history[user]
	last := int64(0)
	for _, f := range frames {
		switch f.Type {
		case record.Connected:
			b.Connections++
			continue
		case "resync", "unreadable", "error":
			b.find(Windows, user, "window %d got the frame %+v", window, f)
			continue
		}
		if f.EventID == "" {
			continue
		}
		if e, known := b.ids[f.EventID]; known && e.User != user {
			b.find(Isolated, user, "window %d was told of the event %s of %s", window, f.EventID, e.User)
		}
		if f.Sequence == 0 {
			continue // of the user's own settings, outside of the order
		}
		b.Frames++
		b.Looked[Windows]++
		b.Looked[Isolated]++
		if f.Sequence != last+1 {
			b.find(Windows, user, "window %d was told of %d after %d", window, f.Sequence, last)
		}
		last = f.Sequence
		if f.Sequence > int64(len(history)) {
			b.find(Windows, user, "window %d was told of %d, and the history ends at %d", window, f.Sequence, len(history))
			continue
		}
		e := history[f.Sequence-1]
		if e.ID != f.EventID || e.Type != f.Type || e.Subject != f.Subject || e.Version != f.Version {
			b.find(Windows, user, "window %d was told %+v, and the history has %+v", window, f, e)
		}
	}
	if last != int64(len(history)) {
		b.find(Windows, user, "window %d is at %d, and the history at %d", window, last, len(history))
	}
}
