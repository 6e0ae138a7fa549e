package event

import (
	"context"

	contract "github.com/taskflow-suite/taskflow/proto"
)

// Message is an encoded event on its way to a topic.
type Message struct {
	// ID is the event's id; it becomes the CloudEvent's id.
	ID string
	// Type is the event's name; it becomes the CloudEvent's type.
	Type string
	// Key decides the partition: the user, so that one user's events stay in order.
	Key string
	// Trace is the W3C traceparent of what caused the event, empty if there was none.
	Trace string
	// Data is the Envelope's JSON.
	Data []byte
}

// Bus carries messages to subscribers at least once. The sidecar is its implementation.
type Bus interface {
	// Publish hands the messages of one topic to the broker in order and returns when all are acknowledged.
	// errs.Unavailable if that did not happen: some of them may have been delivered all the same, so the caller sends
	// all again and subscribers recognise repeated ids.
	Publish(ctx context.Context, topic contract.Topic, messages []Message) error
}
