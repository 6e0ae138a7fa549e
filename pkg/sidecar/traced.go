package sidecar

import (
	"context"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/stats"
)

// traced lets a handler see the calls that belong to a trace. A call that belongs to none would begin one of its own: every
// batch of the outbox, every look for readiness, and every event in them that has no trace would become part of it.
type traced struct{ stats.Handler }

type untracedKey struct{}

// TagRPC is stats.Handler's.
func (h traced) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return context.WithValue(ctx, untracedKey{}, true)
	}
	return h.Handler.TagRPC(ctx, info)
}

// HandleRPC is stats.Handler's.
func (h traced) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if ctx.Value(untracedKey{}) == nil {
		h.Handler.HandleRPC(ctx, s)
	}
}
