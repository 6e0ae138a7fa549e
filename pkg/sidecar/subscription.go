package sidecar

import (
	"context"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// Delivery is one event as the sidecar hands it over.
type Delivery struct {
	Topic contract.Topic
	// ID, Type and Source are the CloudEvent's. They are empty in a raw subscription.
	ID, Type, Source string
	// Key is the record's key on the broker: the user. It is empty in a bulk delivery of a broker that keeps no keys.
	Key string
	// Place is the record's partition and offset on its topic, "3/1042"; empty in a bulk delivery, and if the broker does not say.
	Place string
	// Trace is the W3C traceparent the event was published with, empty if there was none.
	Trace string
	// Data is the CloudEvent's data: an event.Envelope in JSON. In a raw subscription it is the whole record.
	Data []byte

	// decoded is Data read once by the server, for its log and metrics as for the handler.
	decoded *decoded
}

type decoded struct {
	envelope event.Envelope
	err      error
}

// Envelope is Data decoded. errs.Invalid if it is no event.
func (d Delivery) Envelope() (event.Envelope, error) {
	if d.decoded == nil {
		return event.Decode(d.Data)
	}
	return d.decoded.envelope, d.decoded.err
}

// Handler acts on a delivery. What becomes of it follows from the error (event.VerdictOf). ctx carries the correlation
// id, the user and the trace, and ends after HandlerDeadline.
type Handler func(ctx context.Context, d Delivery) error

// Routed hands deliveries to the router's typed handlers.
func Routed(r *event.Router) Handler {
	return func(ctx context.Context, d Delivery) error {
		e, err := d.Envelope()
		if err != nil {
			return err
		}
		return r.Handle(ctx, event.Meta{Envelope: e, Topic: d.Topic})
	}
}

// Subscription is one topic this service takes, from one pub/sub component.
type Subscription struct {
	PubSub string
	Topic  contract.Topic
	// DeadLetter takes what was dropped or could not be handled in time. Without one the sidecar tries again without
	// end where the component says so, and a record that is no JSON blocks its partition.
	DeadLetter contract.Topic
	// Types are the events that are wanted, by the CloudEvent's type; all others are acknowledged before anybody looks
	// into them. Empty means all. Not with Bulk.
	Types []string
	// Bulk makes the sidecar deliver in batches; nil delivers one by one.
	Bulk *Bulk
	// Raw takes records as they are, also those that are no CloudEvent.
	Raw    bool
	Handle Handler
}

// Bulk bounds a batch. A failed batch is delivered again from its first failure on. Dropped entries of a batch that
// cannot be written to the dead-letter topic are lost, so take batches only where nothing needs to be kept.
type Bulk struct {
	Messages int
	// Wait is how long the sidecar collects, in whole milliseconds, at least one.
	Wait time.Duration
}

// Work subscribes app's replicas to a topic whose work they share; what cannot be handled goes to app's dead letters.
func (d Dapr) Work(app string, topic contract.Topic, handle Handler) Subscription {
	return Subscription{PubSub: d.PubSub, Topic: topic, DeadLetter: contract.DeadLetter(topic, app), Handle: handle}
}

// FanOut subscribes each replica to every event of a topic from now on. There are no dead letters: who missed
// something fills the hole from the event log.
func (d Dapr) FanOut(topic contract.Topic, handle Handler) Subscription {
	return Subscription{PubSub: d.PubSubFanOut, Topic: topic, Handle: handle}
}

// DeadLetters subscribes app to what it could not process of a topic. The records come as they were on the topic,
// because what was no CloudEvent there is none here either.
func (d Dapr) DeadLetters(app string, topic contract.Topic, handle Handler) Subscription {
	return Subscription{PubSub: d.PubSub, Topic: contract.DeadLetter(topic, app), Raw: true, Handle: handle}
}
