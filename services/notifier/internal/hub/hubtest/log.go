// Package hubtest has what tests of the hub and of its doors need: a log in memory, and the suite that every log passes,
// this one included.
package hubtest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
)

// Log is a hub.Log in memory.
type Log struct {
	mu     sync.Mutex
	events map[string][]event.Envelope
	heads  map[string]int64
	fail   error
	asked  int
}

// NewLog makes an empty log.
func NewLog() *Log {
	return &Log{events: map[string][]event.Envelope{}, heads: map[string]int64{}}
}

// Add appends n events of a user, as a publisher's transaction would, and returns them for delivery.
func (l *Log) Add(userID string, n int) []event.Envelope {
	l.mu.Lock()
	defer l.mu.Unlock()
	var added []event.Envelope
	for range n {
		l.heads[userID]++
		e := Event(userID, l.heads[userID])
		l.events[userID] = append(l.events[userID], e)
		added = append(added, e)
	}
	return added
}

// Event is a task.updated event of a user.
func Event(userID string, sequence int64) event.Envelope {
	return event.Envelope{
		ID: fmt.Sprintf("%s-%d", userID, sequence), Type: "task.updated", UserID: userID,
		Timestamp: event.Time{Time: time.Now()}, AggregateID: "task-1", Version: int(sequence), Sequence: sequence,
		Data: json.RawMessage(`{"changed":["title"],"fields":{"title":"a secret title"}}`),
	}
}

// Prune forgets a user's events up to and including a sequence, as retention does.
func (l *Log) Prune(userID string, upTo int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events[userID] = slices.DeleteFunc(l.events[userID], func(e event.Envelope) bool { return e.Sequence <= upTo })
}

// Forget removes a user with the counter, as the deletion of an account does.
func (l *Log) Forget(userID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.events, userID)
	delete(l.heads, userID)
}

// Fail lets every reading fail with err from now on; nil mends the log.
func (l *Log) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = err
}

// Asked counts the readings so far.
func (l *Log) Asked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

// Since is hub.Log's.
func (l *Log) Since(_ context.Context, userID string, since int64, limit int) ([]event.Envelope, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	if l.fail != nil {
		return nil, l.fail
	}
	events := l.events[userID]
	from, _ := slices.BinarySearchFunc(events, since, func(e event.Envelope, since int64) int {
		if e.Sequence <= since {
			return -1
		}
		return 1
	})
	return slices.Clone(events[from:min(from+limit, len(events))]), nil
}

// Heads is hub.Log's.
func (l *Log) Heads(_ context.Context, userIDs []string) (map[string]int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	if l.fail != nil {
		return nil, l.fail
	}
	heads := map[string]int64{}
	for _, id := range userIDs {
		if head := l.heads[id]; head > 0 {
			heads[id] = head
		}
	}
	return heads, nil
}
