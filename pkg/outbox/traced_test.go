package outbox_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/outbox"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	contract "github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

const (
	first  = "11111111111111111111111111111111"
	second = "22222222222222222222222222222222"
)

// Tracing is the process's, so this test is not parallel: the others wait until it is off again.
func TestEachEventOfABatchTravelsInItsOwnTrace(t *testing.T) {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	traces := testkit.NewTraces(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", traces.Endpoint)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10") // ms
	stop, err := telemetry.Start(t.Context(), "test", "error")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	sampled := func(trace string) string { return "00-" + trace + "-b7ad6b7169203331-01" }
	const decided = "00-33333333333333333333333333333333-b7ad6b7169203331-00" // by somebody else, against it

	for name, c := range map[string]struct {
		traces []string // of the events
		call   string   // the trace that the call is part of
	}{
		"several traces":               {[]string{sampled(first), sampled(second)}, first},
		"one that is not recorded":     {[]string{decided, sampled(first)}, first},
		"an event that has no trace":   {[]string{sampled(first), ""}, ""},
		"events none of which has one": {[]string{"", ""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			db := testkit.OpenPostgresAt(t, testkit.Postgres(t))
			to := newBus()
			var call string
			to.before = func(ctx context.Context, _ contract.Topic, _ []event.Message) error {
				call = telemetry.Traceparent(ctx)
				return nil
			}
			if err := db.Transaction(t.Context(), func(tx *postgres.Tx) error {
				for _, trace := range c.traces {
					// One user's, so that they come in this order.
					draft := event.New(contract.TaskCreated, time.Now(), "ann", event.NewID(), 1, &taskv1.TaskCreated{})
					if err := tx.Under(telemetry.WithTraceparent(t.Context(), trace)).Append(draft); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			end := run(t, outbox.New(db, to, outbox.Options{}))
			to.until(t, "the events", func() bool { return to.count(contract.Tasks) == len(c.traces) })
			end()
			if to.sizes[0] != len(c.traces) {
				t.Fatalf("they came in %v batches", to.sizes)
			}
			for i, m := range to.got[contract.Tasks] {
				was := c.traces[i]
				switch {
				case !telemetry.Sampled(was):
					if m.Trace != was {
						t.Errorf("event %d travels with %q, not with its own %q", i, m.Trace, was)
					}
				case m.Trace[:35] != was[:35] || m.Trace == was:
					t.Errorf("event %d travels with %q, which is no child of its own %q", i, m.Trace, was)
				default:
					published(t, traces, m, was)
				}
			}
			if c.call == "" && call != "" || c.call != "" && (len(call) < 35 || call[3:35] != c.call) {
				t.Errorf("the call is part of %q, want %q", call, c.call)
			}
		})
	}
}

// published waits for the span as whose child a message travels.
func published(t *testing.T, traces *testkit.Traces, m event.Message, parent string) {
	t.Helper()
	testkit.Eventually(t, "the span of "+m.ID, func(context.Context) (bool, any) {
		for _, s := range traces.Of(parent[3:35]) {
			if s.Attributes["messaging.message.id"] == m.ID {
				return s.Name == "publish tasks.events" && s.Kind == "producer" && s.ID == m.Trace[36:52] && s.Parent == parent[36:52], s
			}
		}
		return false, traces.All()
	})
}
