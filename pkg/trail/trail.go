// Package trail finds the way of one change: all that is known under one correlation id, in the order of time, from the
// tables that every change leaves its mark in and, if there are any, from log lines.
//
// It reads and never writes. It shows ids, names and times, and never what people wrote: no payload of an event, no input
// or result of a tool, no text of a log line's attributes but those that services are known to write.
package trail

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Source says where a step is known from.
type Source string

// The sources, in the order in which steps of the same moment are shown.
const (
	Log        Source = "log"
	Tool       Source = "tool"
	Event      Source = "event"
	Outbox     Source = "outbox"
	Handled    Source = "inbox"
	DeadLetter Source = "dead letter"
)

var sources = []Source{Log, Tool, Event, Outbox, Handled, DeadLetter}

// Step is one thing that happened.
type Step struct {
	At     time.Time `json:"at"`
	Source Source    `json:"source"`
	// Who did it: a service, or a client of the tools. Empty for an event, of which the log does not say who wrote it.
	Who string `json:"who,omitempty"`
	// What happened, such as task.created, add_tasks or a log line's sentence.
	What    string `json:"what"`
	UserID  string `json:"user_id,omitempty"`
	EventID string `json:"event_id,omitempty"`
	// Detail is the rest, by names.
	Detail map[string]any `json:"detail,omitempty"`
}

// Trail is a change's way.
type Trail struct {
	CorrelationID string `json:"correlation_id"`
	// Traces are the ids of the traces it is part of, as a tracing backend knows them.
	Traces []string `json:"trace_ids"`
	Users  []string `json:"user_ids"`
	Steps  []Step   `json:"steps"`
	// Cut says that there is more than MaxSteps.
	Cut bool `json:"cut"`
}

// MaxSteps bounds a trail: one request makes at most some hundreds, a client that sends the same id with all of its requests
// any number.
const MaxSteps = 10_000

// Began is when the work of a correlation id began, if the id says so: those that services make are UUIDv7
// (RFC 9562, section 5.7), those that clients send may be anything.
func Began(correlationID string) (time.Time, bool) {
	id, err := uuid.Parse(correlationID)
	if err != nil || id.Version() != 7 {
		return time.Time{}, false
	}
	seconds, nanoseconds := id.Time().UnixTime()
	return time.Unix(seconds, nanoseconds).UTC(), true
}

// New puts steps in order.
func New(correlationID string, steps []Step) Trail {
	slices.SortStableFunc(steps, func(a, b Step) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(slices.Index(sources, a.Source), slices.Index(sources, b.Source)))
	})
	t := Trail{CorrelationID: correlationID, Traces: []string{}, Users: []string{}, Steps: steps}
	if len(steps) > MaxSteps {
		t.Steps, t.Cut = steps[:MaxSteps], true
	}
	for _, s := range t.Steps {
		t.Users = with(t.Users, s.UserID)
		trace, _ := s.Detail[traceID].(string)
		t.Traces = with(t.Traces, trace)
	}
	return t
}

// traceID is what a trace's id is called in a step's detail.
const traceID = "trace_id"

func with(all []string, one string) []string {
	if one == "" || slices.Contains(all, one) {
		return all
	}
	return append(all, one)
}

// MarshalJSON never writes null for no steps.
func (t Trail) MarshalJSON() ([]byte, error) {
	type plain Trail
	if t.Steps == nil {
		t.Steps = []Step{}
	}
	return json.Marshal(plain(t))
}
