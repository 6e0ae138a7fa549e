package app

import (
	"context"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/ws"
)

// readiness is what /readyz shows: whether a client that connects now is placed (database), let in (tokens) and told
// what happens (events, see source). A full
// replica stays ready: it answers 503 by itself, and its clients are well.
func readiness(db *postgres.DB, verifier *auth.Verifier, events source, door *ws.Server, places int) map[string]rest.Check {
	return map[string]rest.Check{
		"database": func(ctx context.Context) (map[string]any, error) { return nil, db.Ping(ctx) },
		"tokens":   func(ctx context.Context) (map[string]any, error) { return nil, verifier.Ready(ctx) },
		"events":   func(ctx context.Context) (map[string]any, error) { return nil, events.check(ctx) },
		"connections": func(context.Context) (map[string]any, error) {
			return map[string]any{"open": door.Open(), "at_most": places}, nil
		},
	}
}
