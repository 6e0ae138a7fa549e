package tools

import (
	"context"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// traced is the execution of a tool's calls, each as a span of its trace; behind both doors, for the door does not matter
// here. What was asked and answered is not in it.
func traced(one *tool, execute mcp.ToolHandler) mcp.ToolHandler {
	name := "tools/call " + one.name
	return func(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		ctx, span := telemetry.Begin(ctx, telemetry.Serves, name, "mcp.method.name", "tools/call", "gen_ai.tool.name", one.name)
		result, err := execute(ctx, r)
		if result != nil && result.IsError {
			span.Tell("taskflow.outcome", "failed")
		}
		span.End(err)
		return result, err
	}
}
