package check

import (
	"net/http"
	"slices"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
)

// wishes: what was acknowledged happened, once; what was refused did not.
func (b *book) wishes() {
	for _, w := range b.asked {
		for _, a := range w.answers {
			b.answer(w, a)
		}
		for n, item := range w.Items {
			if item.Verb.Changes() {
				b.item(w, n, item)
			}
		}
	}
}

// answer: a status is one that people can be given, and what an answer shows is so, and is theirs.
func (b *book) answer(w *wish, a record.Answer) {
	b.Looked[Answers]++
	if !passing(a.Status) && !slices.Contains([]int{http.StatusOK, http.StatusCreated, http.StatusConflict, http.StatusPreconditionFailed, http.StatusNotFound, http.StatusForbidden}, a.Status) {
		b.find(Answers, a.User, "request %d, try %d, was answered with %d: %s", a.ID, a.Try, a.Status, a.Error)
		return
	}
	for n, t := range a.Told {
		if n >= len(w.Items) {
			b.find(Answers, a.User, "request %d has %d wishes and was told of %d", a.ID, len(w.Items), len(a.Told))
			break
		}
		item := w.Items[n]
		switch {
		case item.Verb == record.Foreign:
			b.Looked[Isolated]++
			if t.Status != http.StatusNotFound && t.Status != http.StatusForbidden && !t.Unknown() {
				b.find(Isolated, a.User, "asked for %s of %s and was answered with %d", item.Task, b.owner[item.Task], t.Status)
			}
		case t.Status == http.StatusNotFound:
			b.find(Kept, a.User, "request %d to %s the task %s was told that there is none", a.ID, item.Verb, item.Task)
		case !passing(t.Status) && !slices.Contains([]int{http.StatusOK, http.StatusCreated, http.StatusConflict, http.StatusPreconditionFailed}, t.Status):
			b.find(Answers, a.User, "request %d, try %d, to %s was told %d: %s", a.ID, a.Try, item.Verb, t.Status, a.Error)
		}
		b.seen(a, t.Seen)
	}
	for _, s := range a.Seen {
		b.seen(a, s)
	}
}

// passing are the statuses of nobody who could say more: a client tries again.
func passing(status int) bool {
	return slices.Contains([]int{0, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, status)
}

// seen: a task that somebody was shown is theirs, and was so at some time.
func (b *book) seen(a record.Answer, s record.Seen) {
	if s.ID == "" {
		return
	}
	b.Looked[Isolated]++
	if o, known := b.owner[s.ID]; known && o != a.User {
		b.find(Isolated, a.User, "was shown the task %s of %s", s.ID, o)
		return
	}
	b.Looked[Answers]++
	if _, was := b.places[at{s.ID, s.Version}]; !was {
		b.find(Kept, a.User, "was shown the task %s, %q, at version %d, of which there is no event", s.ID, s.Title, s.Version)
	}
}

// item: one wish of a request.
func (b *book) item(w *wish, n int, item record.Item) {
	done, unknown := w.told(n)
	happened := b.happened(w.User, item)
	switch {
	case len(done) > 0:
		b.Done++
		b.Looked[Kept]++
		for _, t := range done {
			b.kept(w, item, t, happened)
		}
		if slices.ContainsFunc(done, func(t record.Told) bool { return t.Seen.ID != done[0].Seen.ID }) {
			b.find(Once, w.User, "the tries of request %d (%s %q) were told of several tasks: %+v", w.ID, item.Verb, item.Title, done)
		}
	case unknown:
		b.Unknown++
		if len(happened) > 0 {
			b.Happened++
		}
	default:
		b.Refused++
		b.Looked[Undone]++
		if len(happened) > 0 {
			b.find(Undone, w.User, "request %d to %s %q was refused and yet happened: %+v", w.ID, item.Verb, item.Title, happened[0])
		}
	}
	if item.Title == "" {
		return
	}
	b.Looked[Once]++
	if len(happened) > 1 {
		b.find(Once, w.User, "%s %q happened %d times: %+v", item.Verb, item.Title, len(happened), happened)
	}
}

// happened are the events of a wish that names a title, which nobody else has. A task that repeats is made again under its title:
// only the first of each series counts.
func (b *book) happened(user string, item record.Item) []record.Event {
	var all []record.Event
	switch item.Verb {
	case record.Create:
		all = b.created[item.Title]
	case record.Update:
		all = b.renamed[item.Title]
	default:
		return nil
	}
	var first []record.Event
	for _, e := range all {
		if e.User != user {
			b.find(Isolated, user, "%q, which nobody else knows, is a title of %s", item.Title, e.User)
		}
		if e.Series == "" || !slices.ContainsFunc(first, func(f record.Event) bool { return f.Series == e.Series }) {
			first = append(first, e)
		}
	}
	return first
}

// kept: what a client was told is done is in the history, as it was told.
func (b *book) kept(w *wish, item record.Item, t record.Told, happened []record.Event) {
	kind, subject := eventOf[item.Verb], item.Task
	if item.Verb == record.Create {
		subject = t.Seen.ID
	}
	if item.Title != "" {
		// The chat does not tell the version.
		if !slices.ContainsFunc(happened, func(e record.Event) bool { return e.Subject == subject && (e.Version == t.Seen.Version) }) {
			b.find(Kept, w.User, "request %d to %s %q was told of %+v, and the history has %+v", w.ID, item.Verb, item.Title, t.Seen, happened)
		}
		return
	}
	if t.Seen.ID != subject {
		b.find(Answers, w.User, "request %d to %s %s was told of %s", w.ID, item.Verb, subject, t.Seen.ID)
		return
	}
	if item.Base > 0 {
		if e := b.places[at{subject, item.Base + 1}]; e.Type != kind || t.Seen.Version != item.Base+1 {
			b.find(Kept, w.User, "request %d to %s %s of version %d was told that it has version %d, and the history has %q there",
				w.ID, item.Verb, subject, item.Base, t.Seen.Version, e.Type)
		}
		return
	}
	// Without a version, done already is done.
	for v := t.Seen.Version; v > 0; v-- {
		if b.places[at{subject, v}].Type == kind {
			return
		}
	}
	b.find(Kept, w.User, "request %d to %s %s was told so at version %d, and the history has no such event", w.ID, item.Verb, subject, t.Seen.Version)
}
