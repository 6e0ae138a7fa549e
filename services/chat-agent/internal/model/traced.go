package model

import (
	"context"

	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

type traced struct{ Model }

// Traced is a model each of whose questions is a span of its trace: which model, and how many tokens; nothing of what was
// said. The trace ends here, because the model's server is somebody else's.
func Traced(m Model) Model { return traced{m} }

// Ask implements Model.
func (m traced) Ask(ctx context.Context, q Question, onText func(string)) (Reply, error) {
	ctx, span := telemetry.Begin(ctx, telemetry.Asks, "chat "+m.Name(), "gen_ai.operation.name", "chat", "gen_ai.request.model", m.Name())
	reply, err := m.Model.Ask(ctx, q, onText)
	span.Note("gen_ai.usage.input_tokens", reply.InputTokens)
	span.Note("gen_ai.usage.output_tokens", reply.OutputTokens)
	span.Note("taskflow.tool_calls", len(reply.Calls))
	span.End(err)
	return reply, err
}
