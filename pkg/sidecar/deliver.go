package sidecar

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// one handles a delivery that came alone; ctx carries its trace.
func (s *Server) one(ctx context.Context, sub Subscription, d Delivery) event.Verdict {
	release, err := s.enter(ctx)
	if err != nil {
		return event.Retry
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, HandlerDeadline)
	defer cancel()
	return s.handle(ctx, sub, d)
}

// many handles a batch in order and gives verdicts up to the first that is Retry. All of it has one HandlerDeadline.
func (s *Server) many(ctx context.Context, sub Subscription, deliveries []Delivery) []event.Verdict {
	release, err := s.enter(ctx)
	if err != nil {
		return nil
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, HandlerDeadline)
	defer cancel()
	verdicts := make([]event.Verdict, 0, len(deliveries))
	for _, d := range deliveries {
		if ctx.Err() != nil {
			break
		}
		// The call's own trace is that of one entry, whichever the sidecar put there last.
		v := s.handle(telemetry.WithTraceparent(ctx, d.Trace), sub, d)
		verdicts = append(verdicts, v)
		if v == event.Retry {
			break
		}
	}
	return verdicts
}

// enter takes one of the slots and counts the delivery until release.
func (s *Server) enter(ctx context.Context) (release func(), err error) {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.inflight.Add(1)
	s.active.Store(time.Now().UnixNano())
	return func() {
		s.active.Store(time.Now().UnixNano())
		s.inflight.Add(-1)
		<-s.slots
	}, nil
}

// handle calls the subscription's handler and ends the story of the delivery: verdict, metrics and, if it was not
// handled, its one log line.
func (s *Server) handle(ctx context.Context, sub Subscription, d Delivery) event.Verdict {
	// A handler that needs an envelope refuses what is none; here it is only for the context, the log and the age.
	e, noEnvelope := d.Envelope()
	d.decoded = &decoded{e, noEnvelope}
	if noEnvelope == nil {
		ctx = telemetry.WithUser(telemetry.WithCorrelation(ctx, e.CorrelationID), e.UserID)
	}
	began := time.Now()
	err := protected(ctx, sub.Handle, d)
	took := time.Since(began)
	verdict := event.VerdictOf(err)
	observeHandled(d.Topic, d.Type, verdict, took, e.Timestamp.Time)
	if verdict == event.Done {
		return verdict
	}
	level, reason := slog.LevelWarn, any(err)
	if verdict == event.Drop {
		level = slog.LevelError
		// Without its cause: a decoder's error quotes what it could not read, and events hold people's texts.
		reason = errs.Text(err)
	}
	slog.Log(ctx, level, "event not handled", "event_type", d.Type, "status", verdict.String(), "event_id", d.ID,
		"topic", string(d.Topic), "took_ms", took.Milliseconds(), "error", reason)
	return verdict
}

// protected makes a panic an error like any other, so that one event does not end the service for all.
func protected(ctx context.Context, handle Handler, d Delivery) (err error) {
	defer func() {
		if p := recover(); p != nil {
			slog.ErrorContext(ctx, "event handler panicked", "event_type", d.Type, "event_id", d.ID, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return handle(ctx, d)
}

// unknown is a delivery nobody here asked for. It is not dropped: a newer replica of this service may know it.
func (s *Server) unknown(ctx context.Context, d Delivery) event.Verdict {
	slog.ErrorContext(ctx, "event of a topic that is not subscribed", "event_type", d.Type, "status", event.Retry.String(),
		"event_id", d.ID, "topic", string(d.Topic))
	return event.Retry
}
