package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

type contextKey struct{}

// labels is one context value instead of several: every lookup walks the chain, and every log line looks.
type labels struct{ correlation, user string }

func labelsOf(ctx context.Context) labels {
	l, _ := ctx.Value(contextKey{}).(*labels)
	if l == nil {
		return labels{}
	}
	return *l
}

// WithCorrelation names the piece of work ctx belongs to; every log line made with it carries the id.
func WithCorrelation(ctx context.Context, id string) context.Context {
	l := labelsOf(ctx)
	l.correlation = id
	return context.WithValue(ctx, contextKey{}, &l)
}

// Correlation is the id given to WithCorrelation, empty if there was none.
func Correlation(ctx context.Context) string { return labelsOf(ctx).correlation }

// WithUser names the user ctx works for; every log line made with it carries the id.
func WithUser(ctx context.Context, id string) context.Context {
	l := labelsOf(ctx)
	l.user = id
	return context.WithValue(ctx, contextKey{}, &l)
}

// User is the id given to WithUser, empty if there was none.
func User(ctx context.Context) string { return labelsOf(ctx).user }

const traceparent = "traceparent"

// Traceparent is ctx's span as a W3C Trace Context header value, empty if ctx belongs to no trace.
func Traceparent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[traceparent]
}

// WithTraceparent makes ctx continue the trace of a W3C traceparent. One that is empty or malformed changes nothing.
func WithTraceparent(ctx context.Context, parent string) context.Context {
	if parent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceparent: parent})
}
