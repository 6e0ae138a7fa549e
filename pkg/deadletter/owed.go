package deadletter

import (
	"sync"

	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// maxOwed bounds how many notes wait for the database.
const maxOwed = 1000

// owed are the notes that could not be written when it happened. They are written with the next look at the table, or before
// the record they are about becomes a dead letter. Those of a process that ends are lost.
type owed struct {
	mu    sync.Mutex
	notes map[owner]note
}

type owner struct {
	topic contract.Topic
	id    string
}

// note is attempts that failed, with the failure of the last of them.
type note struct {
	topic contract.Topic
	identity
	sidecar.Failure
	attempts int
}

// add keeps a note, unless there are too many. later says that the note is of later attempts than what is there.
func (o *owed) add(n note, later bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := owner{n.topic, n.id}
	old, there := o.notes[key]
	if !there && len(o.notes) >= maxOwed {
		return
	}
	n.attempts += old.attempts
	if there && !later {
		n.Failure = old.Failure
	}
	if o.notes == nil {
		o.notes = map[owner]note{}
	}
	o.notes[key] = n
}

// take removes the note about something, if there is one.
func (o *owed) take(topic contract.Topic, id string) (note, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := owner{topic, id}
	n, ok := o.notes[key]
	delete(o.notes, key)
	return n, ok
}

// any removes some note, if there is one.
func (o *owed) any() (note, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for key, n := range o.notes {
		delete(o.notes, key)
		return n, true
	}
	return note{}, false
}
