package outbox

import (
	"context"
	"strconv"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// traced begins a span for each event whose trace is recorded; the event travels as that span's child. The call that carries
// them all can be part of one trace only, which is the first one's. It is nobody's if an event has no trace, for the sidecar
// would give that event the call's. ended ends the spans.
func traced(ctx context.Context, group []postgres.Taken, messages []event.Message) (calling context.Context, ended func(error)) {
	if !telemetry.Tracing() {
		return ctx, func(error) {}
	}
	var spans []telemetry.Span
	first, size := "", strconv.Itoa(len(group))
	for i, t := range group {
		if !telemetry.Sampled(t.Trace) {
			continue
		}
		of := telemetry.WithTraceparent(telemetry.WithUser(telemetry.WithCorrelation(ctx, t.CorrelationID), t.UserID), t.Trace)
		of, span := telemetry.Begin(of, telemetry.Sends, "publish "+string(t.Topic), "messaging.system", "kafka",
			"messaging.destination.name", string(t.Topic), "messaging.message.id", t.Envelope.ID, "taskflow.event_type", t.Type,
			"messaging.batch.message_count", size)
		messages[i].Trace = telemetry.Traceparent(of)
		spans = append(spans, span)
		if first == "" {
			first = messages[i].Trace
		}
	}
	for _, m := range messages {
		if m.Trace == "" {
			first = ""
		}
	}
	return telemetry.WithTraceparent(ctx, first), func(err error) {
		for _, s := range spans {
			s.End(err)
		}
	}
}
