package app

import (
	"context"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
	house "github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/model"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/rest"
)

// readiness is what /readyz shows: whether a message that comes now could be let in (tokens), kept and acted on (sidecar,
// tools). A model that is down is shown as degraded: it is down for every replica, and messages are kept. A full replica
// stays ready: it answers 503 by itself.
func readiness(verifier *auth.Verifier, client *sidecar.Client, tools *mcpbus.Client, asked *model.Client, door *rest.Server) map[string]house.Check {
	return map[string]house.Check{
		"tokens":  func(ctx context.Context) (map[string]any, error) { return nil, verifier.Ready(ctx) },
		"sidecar": func(ctx context.Context) (map[string]any, error) { return nil, client.Ready(ctx) },
		"tools":   func(ctx context.Context) (map[string]any, error) { return nil, tools.Ready(ctx) },
		"model": func(context.Context) (map[string]any, error) {
			circuit := asked.Circuit()
			return map[string]any{"name": asked.Name(), "circuit": circuit, "degraded": circuit != "closed"}, nil
		},
		"runs": func(context.Context) (map[string]any, error) {
			now, most := door.Running()
			return map[string]any{"running": now, "at_most": most}, nil
		},
	}
}
