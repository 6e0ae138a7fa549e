package mcpbus

import (
	"context"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// traced begins the span of a call, named by the method and the tool: who calls over this bus takes both from lists. The
// request and its re-sendings travel as its children.
func traced(ctx context.Context, r *jsonrpc.Request) (context.Context, telemetry.Span) {
	if !telemetry.Recorded(ctx) {
		return ctx, telemetry.Span{}
	}
	name := r.Method
	var p struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(r.Params, &p) == nil && p.Name != "" {
		name += " " + p.Name
	}
	return telemetry.Begin(ctx, telemetry.Asks, name, "mcp.method.name", r.Method)
}
