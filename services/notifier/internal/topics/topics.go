// Package topics takes in the events that the notifier subscribes to and hands them to the hub.
//
// Every replica gets every event (proto.TopicSpec.FanOut). It has no effect but on the connections of this replica and
// keeps nothing, so a repeated delivery needs no inbox: the hub knows what each connection has been told.
package topics

import (
	"context"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	contract "github.com/taskflow-suite/taskflow/proto"
	userv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/user/v1"
)

// Hub is who is told.
type Hub interface {
	// Publish hands an event of the tasks topic to its user's connections.
	Publish(event.Envelope)
	// Tell hands an event of another topic to its user's connections.
	Tell(event.Envelope)
	// Forget ends a user's connections.
	Forget(userID string)
}

// Register subscribes to every event of the tasks topic, those of newer publishers included, and to what concerns a
// connected user on the users topic.
func Register(r *event.Router, h Hub) {
	event.OnAny(r, contract.Tasks, func(ctx context.Context, m event.Meta) error {
		h.Publish(traced(ctx, m.Envelope))
		return nil
	})
	event.On(r, contract.UserUpdated, func(ctx context.Context, m event.Meta, _ *userv1.UserUpdated) error {
		h.Tell(traced(ctx, m.Envelope))
		return nil
	})
	event.On(r, contract.UserDeleted, func(_ context.Context, m event.Meta, _ *userv1.UserDeleted) error {
		h.Forget(m.UserID)
		return nil
	})
}

// traced is an event whose frames belong to the delivery's trace.
func traced(ctx context.Context, e event.Envelope) event.Envelope {
	if telemetry.Recorded(ctx) {
		e.Trace = telemetry.Traceparent(ctx)
	}
	return e
}
