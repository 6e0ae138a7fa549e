package sidecar_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/proto"
)

// loop is a way from publishing to delivery that can be cut.
type loop struct {
	deliver func(event.Message)
	whole   atomic.Bool
	sent    atomic.Int64
}

func (l *loop) Publish(_ context.Context, _ proto.Topic, messages []event.Message) error {
	l.sent.Add(1)
	if !l.whole.Load() {
		return errs.New(errs.Unavailable, "cut")
	}
	for _, m := range messages {
		l.deliver(m)
	}
	return nil
}

func TestTheProbeKnowsWhetherEventsComeBackToThisReplica(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		way := &loop{}
		probe := sidecar.Dapr{PubSubFanOut: "pubsub-fanout"}.NewProbe(way)
		returns := 0
		probe.OnReturn(func() { returns++ })
		handle := probe.Subscription().Handle
		way.deliver = func(m event.Message) {
			if err := handle(t.Context(), sidecar.Delivery{Topic: proto.Probes, Data: m.Data}); err != nil {
				t.Error(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- probe.Run(ctx) }()

		time.Sleep(time.Minute) //nolint:forbidigo // synctest: no real time passes
		if err := probe.Check(ctx); !errs.Is(err, errs.Unavailable) {
			t.Errorf("before the first probe came back: %v", err)
		}
		if sent := way.sent.Load(); sent < 30 || sent > 40 {
			t.Errorf("it sent %d probes in a minute, want one in two seconds after a quick start", sent)
		}
		// Another replica's probe proves nothing.
		way.deliver(event.Message{Data: []byte(`{"replica":"another"}`)})
		if err := probe.Check(ctx); !errs.Is(err, errs.Unavailable) {
			t.Errorf("after another replica's probe: %v", err)
		}
		way.whole.Store(true)
		if err := probe.Wait(ctx); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Minute) //nolint:forbidigo // synctest: no real time passes
		if err := probe.Check(ctx); err != nil {
			t.Errorf("while probes come back: %v", err)
		}
		way.whole.Store(false)
		time.Sleep(time.Minute) //nolint:forbidigo // synctest: no real time passes
		if err := probe.Check(ctx); !errs.Is(err, errs.Unavailable) {
			t.Errorf("a minute after the way was cut: %v", err)
		}
		if returns != 0 {
			t.Errorf("it returned %d times before it was cut", returns)
		}
		way.whole.Store(true)
		time.Sleep(time.Minute) //nolint:forbidigo // synctest: no real time passes
		if err := probe.Check(ctx); err != nil || returns != 1 {
			t.Errorf("a minute after it was whole again: %v, told %d times", err, returns)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
