package ws_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

// Tracing is the process's, so this test is not parallel: the others wait until it is off again.
func TestEveryFrameOfATracedEventIsASpanOfItsTrace(t *testing.T) {
	before, traces := slog.Default(), testkit.NewTraces(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", traces.Endpoint)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10") // ms
	stop, err := telemetry.Start(t.Context(), "notifier", "error")
	if err != nil {
		t.Fatal(err)
	}
	slog.SetDefault(before)
	t.Cleanup(func() {
		if err := stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	const trace, cause = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	w := outside(t, settings{})
	one, other := ann(t, w), ann(t, w)
	traced, untraced := w.log.Add("ann", 1)[0], w.log.Add("ann", 1)[0]
	traced.Trace = "00-" + trace + "-" + cause + "-01"
	untraced.Trace = "00-" + trace + "-" + cause + "-00"
	traced.CorrelationID = "c1"
	w.hub.Publish(traced)
	w.hub.Publish(untraced)
	for _, c := range []*client{one, other} {
		c.next()
		c.next()
	}
	testkit.Eventually(t, "the frames' spans", func(context.Context) (bool, any) {
		spans := traces.Of(trace)
		return len(spans) == 2, spans
	})
	for _, s := range traces.Of(trace) {
		if s.Name != "frame "+traced.Type || s.Parent != cause || s.Kind != "producer" || s.Ended.Before(s.Began) ||
			s.Attributes["messaging.message.id"] != traced.ID || s.Attributes["taskflow.correlation_id"] != "c1" || s.Attributes["user.id"] != "ann" {
			t.Errorf("got %+v", s)
		}
	}
}
