package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// Kind is on which side of a border a span's work is.
type Kind int

// The kinds, as OpenTelemetry has them: internal, client, server, producer and consumer.
const (
	Inside Kind = iota
	Asks
	Serves
	Sends
	Takes
)

func (k Kind) kind() trace.SpanKind {
	switch k {
	case Asks:
		return trace.SpanKindClient
	case Serves:
		return trace.SpanKindServer
	case Sends:
		return trace.SpanKindProducer
	case Takes:
		return trace.SpanKindConsumer
	default:
		return trace.SpanKindInternal
	}
}

// The attributes that tie spans to log lines.
const (
	correlationKey = "taskflow.correlation_id"
	userKey        = "user.id"
)

// scope is whose spans these are, beside those of libraries.
const scope = "github.com/taskflow-suite/taskflow"

// Span is a piece of work in a trace. The zero value is none, and its methods do nothing.
type Span struct{ span trace.Span }

// Begin begins a span of ctx's trace; End it. attributes are keys and values in turn. The correlation and the user of ctx
// are added. Names and values come from closed sets or are ids: what people wrote, and what tokens say, is not for traces.
//
// Where the trace is not recorded there is no span, and ctx comes back as it is. A span never begins a trace: that is left to
// requests, or every look of a loop into a table would be a trace of its own.
func Begin(ctx context.Context, k Kind, name string, attributes ...string) (context.Context, Span) {
	if !Recorded(ctx) {
		return ctx, Span{}
	}
	ctx, span := start(ctx, k, name, attributes)
	return ctx, Span{span}
}

// Record is Begin and End for work that is over.
func Record(ctx context.Context, k Kind, name string, began, ended time.Time, attributes ...string) {
	if !Recorded(ctx) {
		return
	}
	_, span := start(ctx, k, name, attributes, trace.WithTimestamp(began))
	span.End(trace.WithTimestamp(ended))
}

func start(ctx context.Context, k Kind, name string, attributes []string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	all := make([]attribute.KeyValue, 0, len(attributes)/2+2)
	for i := 1; i < len(attributes); i += 2 {
		all = append(all, attribute.String(attributes[i-1], attributes[i]))
	}
	options = append(options, trace.WithSpanKind(k.kind()), trace.WithAttributes(append(all, ids(ctx)...)...))
	return otel.Tracer(scope).Start(ctx, name, options...)
}

func ids(ctx context.Context) []attribute.KeyValue {
	l, all := labelsOf(ctx), []attribute.KeyValue(nil)
	if l.correlation != "" {
		all = append(all, attribute.String(correlationKey, l.correlation))
	}
	if l.user != "" {
		all = append(all, attribute.String(userKey, l.user))
	}
	return all
}

// Label adds the correlation and the user of ctx to the span of ctx, which a library began before they were known.
func Label(ctx context.Context) {
	if Recorded(ctx) {
		trace.SpanFromContext(ctx).SetAttributes(ids(ctx)...)
	}
}

// Recorded reports whether ctx belongs to a trace that is recorded.
func Recorded(ctx context.Context) bool {
	return tracing.Load() && trace.SpanContextFromContext(ctx).IsSampled()
}

// traceparentLength is that of version 00 (W3C Trace Context, section 3.2).
const traceparentLength = 55

// Sampled reports whether a W3C traceparent belongs to a trace that is recorded, without reading all of it.
func Sampled(parent string) bool {
	if !tracing.Load() || len(parent) != traceparentLength {
		return false
	}
	switch parent[traceparentLength-1] {
	case '1', '3', '5', '7', '9', 'b', 'd', 'f':
		return true
	}
	return false
}

// Note adds a number to the span.
func (s Span) Note(key string, value int) {
	if s.span != nil {
		s.span.SetAttributes(attribute.Int(key, value))
	}
}

// Tell adds a text to the span; see Begin for what it must not be.
func (s Span) Tell(key, value string) {
	if s.span != nil {
		s.span.SetAttributes(attribute.String(key, value))
	}
}

// End ends the span. Of an error it says the kind (pkg/errs) and not the text, which may quote what people wrote.
func (s Span) End(err error) {
	if s.span == nil {
		return
	}
	if err != nil {
		s.span.SetStatus(codes.Error, errs.KindOf(err).String())
	}
	s.span.End()
}
