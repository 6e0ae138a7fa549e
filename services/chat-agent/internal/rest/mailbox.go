package rest

import (
	"sync"

	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
)

// maxWaiting is how many bytes may wait for a reader. An answer is a few thousand.
const maxWaiting = 1 << 20

// mailbox holds what happened in a run until its reader has time. It never makes the run wait: text that waits is put
// together, so that a slow reader gets fewer and larger pieces, and a reader that is too far behind is given up.
type mailbox struct {
	// more has an element when there is something to take, or the reader was given up.
	more chan struct{}

	mu      sync.Mutex
	waiting []agent.Event
	size    int
	closed  bool
	behind  bool
}

func newMailbox() *mailbox { return &mailbox{more: make(chan struct{}, 1)} }

// put adds an event.
func (m *mailbox) put(event agent.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	if m.size += sizeOf(event); m.size > maxWaiting && len(m.waiting) > 0 {
		m.closed, m.behind, m.waiting = true, true, nil
	} else if !m.join(event) {
		m.waiting = append(m.waiting, event)
	}
	select {
	case m.more <- struct{}{}:
	default:
	}
}

// join adds a piece of text to the piece that waits last, if it belongs to the same text.
func (m *mailbox) join(event agent.Event) bool {
	next, ok := event.(agent.TextDelta)
	if !ok || len(m.waiting) == 0 {
		return false
	}
	last, ok := m.waiting[len(m.waiting)-1].(agent.TextDelta)
	if !ok || last.ID != next.ID {
		return false
	}
	last.Text += next.Text
	m.waiting[len(m.waiting)-1] = last
	return true
}

// take returns what waits, in order; behind says that the reader was given up.
func (m *mailbox) take() (events []agent.Event, behind bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	events, m.waiting, m.size = m.waiting, nil, 0
	return events, m.behind
}

// close drops what waits and what comes: nobody reads.
func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.waiting = true, nil
}

// sizeOf is about what an event takes in memory.
func sizeOf(event agent.Event) int {
	const fixed = 64
	switch e := event.(type) {
	case agent.TextDelta:
		return len(e.Text)
	case agent.ToolCalled:
		return fixed + len(e.Arguments)
	case agent.ToolAnswered:
		return fixed + len(e.Output) + len(e.Error)
	default:
		return fixed
	}
}
