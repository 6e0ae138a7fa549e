package sidecar

import (
	"context"
	"errors"
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
	ctx, span := telemetry.Begin(ctx, telemetry.Takes, "process "+string(d.Topic), "messaging.system", "kafka",
		"messaging.destination.name", string(d.Topic), "messaging.message.id", d.ID, "taskflow.event_type", d.Type)
	began := time.Now()
	err := protected(ctx, sub.Handle, d)
	took := time.Since(began)
	verdict := event.VerdictOf(err)
	span.Tell("taskflow.verdict", verdict.String())
	span.End(err)
	observeHandled(d.Topic, d.Type, verdict, took, e.Timestamp.Time)
	if verdict == event.Done {
		return verdict
	}
	f := failure(ctx, verdict, err)
	telemetry.Failed(telemetry.Events, f.Kind)
	level, reason := slog.LevelWarn, any(err)
	if verdict == event.Drop {
		level = slog.LevelError
		// Without its cause: a decoder's error quotes what it could not read, and events hold people's texts.
		reason = errs.Text(err)
	}
	slog.Log(ctx, level, "event not handled", "event_type", d.Type, "status", verdict.String(), "event_id", d.ID,
		"topic", string(d.Topic), "took_ms", took.Milliseconds(), "error", reason)
	if told := s.options.NotHandled; told != nil && sub.DeadLetter != "" {
		tell(ctx, told, d, f)
	}
	return verdict
}

// Failure is why a delivery was not handled, in words for anybody: nothing of the event is in it.
type Failure struct {
	Verdict event.Verdict
	// Kind is an errs.Kind's text, or one of the kinds below.
	Kind string
	// Reason is errs.Text, or a sentence where that is silent.
	Reason string
}

// The kinds of failure that are no errs.Kind.
const (
	KindPanic   = "panic"
	KindTimeout = "timeout"
)

// errPanic is in the chain of what was a panic.
var errPanic = errors.New("panic")

func failure(ctx context.Context, verdict event.Verdict, err error) Failure {
	f := Failure{Verdict: verdict, Kind: errs.KindOf(err).String(), Reason: errs.Text(err)}
	switch {
	case errors.Is(err, errPanic):
		f.Kind, f.Reason = KindPanic, "the handler panicked; the log has the stack"
	case verdict == event.Retry && errors.Is(ctx.Err(), context.DeadlineExceeded):
		f.Kind, f.Reason = KindTimeout, fmt.Sprintf("the handler took longer than %v", HandlerDeadline)
	case f.Reason == "":
		f.Reason = "an internal failure; the log has its cause"
	}
	return f
}

const (
	// maxTold is how long telling of a failure may hold up the verdict.
	maxTold = 500 * time.Millisecond
	// spare is how long it may take after a handler that took all its time: it ends before the sidecar's own timeout
	// (dapr/resiliency), or the sidecar would try again for want of a verdict.
	spare = 120 * time.Millisecond
)

// tell tells of a failure. The handler's time, which ctx has, may be over.
func tell(ctx context.Context, told func(context.Context, Delivery, Failure), d Delivery, f Failure) {
	end := time.Now().Add(maxTold)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(spare).Before(end) {
		end = deadline.Add(spare)
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
	defer cancel()
	told(ctx, d, f)
}

// protected makes a panic an error like any other, so that one event does not end the service for all.
func protected(ctx context.Context, handle Handler, d Delivery) (err error) {
	defer func() {
		if p := recover(); p != nil {
			slog.ErrorContext(ctx, "event handler panicked", "event_type", d.Type, "event_id", d.ID, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %v", errPanic, p)
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
