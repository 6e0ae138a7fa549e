package sidecar

import (
	"context"
	"slices"
	"testing"

	"google.golang.org/grpc/stats"

	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// heard is a handler that notes what it is told.
type heard struct {
	stats.Handler
	calls []string
}

func (h *heard) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	h.calls = append(h.calls, "tag "+info.FullMethodName)
	return ctx
}

func (h *heard) HandleRPC(context.Context, stats.RPCStats) { h.calls = append(h.calls, "handle") }

func TestOnlyCallsThatBelongToATraceAreTraced(t *testing.T) {
	t.Parallel()
	inner := &heard{}
	h := traced{inner}
	for name, ctx := range map[string]context.Context{
		"/nobody's":  t.Context(),
		"/a trace's": telemetry.WithTraceparent(t.Context(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
	} {
		h.HandleRPC(h.TagRPC(ctx, &stats.RPCTagInfo{FullMethodName: name}), &stats.Begin{})
	}
	if want := []string{"tag /a trace's", "handle"}; !slices.Equal(inner.calls, want) {
		t.Errorf("it heard %q, want %q", inner.calls, want)
	}
}
