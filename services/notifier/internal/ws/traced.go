package ws

import (
	"context"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// tracesKept bounds the frames whose spans are still to be made. What does not fit is missing in its trace.
const tracesKept = 1024

// origin is where a frame comes from, for its trace.
type origin struct{ trace, correlation, user, event, kind string }

// originOf is nil for an event whose trace is not recorded.
func originOf(e event.Envelope) *origin {
	if !telemetry.Sampled(e.Trace) {
		return nil
	}
	return &origin{e.Trace, e.CorrelationID, e.UserID, e.ID, e.Type}
}

// written is a frame that a connection has written.
type written struct {
	*origin
	began, ended time.Time
}

// traces makes the spans of all connections' frames: to make one takes a deep stack, which a connection's own goroutine
// would keep.
type traces chan written

// took notes that a frame was written. It does not wait.
func (t traces) took(from *origin, began time.Time) {
	if from == nil {
		return
	}
	select {
	case t <- written{from, began, time.Now()}:
	default:
	}
}

// run makes spans until ctx ends.
func (t traces) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case w := <-t:
			of := telemetry.WithTraceparent(telemetry.WithUser(telemetry.WithCorrelation(ctx, w.correlation), w.user), w.trace)
			telemetry.Record(of, telemetry.Sends, "frame "+w.kind, w.began, w.ended, "messaging.message.id", w.event)
		}
	}
}
