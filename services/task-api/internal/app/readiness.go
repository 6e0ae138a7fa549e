package app

import (
	"context"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/outbox"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	house "github.com/taskflow-suite/taskflow/pkg/rest"
)

// readiness is what /readyz shows. Only what requests need makes the service not ready: the database, and keys to check
// tokens with. A sidecar (or, without one, a broker) that is away, and an outbox that grows, are shown as degraded: taking
// the service out of rotation for them would turn a delay of events into a failure of requests.
func readiness(db *postgres.DB, events carrier, relay *outbox.Relay, verifier *auth.Verifier) map[string]house.Check {
	return map[string]house.Check{
		"database": func(ctx context.Context) (map[string]any, error) { return nil, db.Ping(ctx) },
		"tokens":   func(ctx context.Context) (map[string]any, error) { return nil, verifier.Ready(ctx) },
		events.name(): func(ctx context.Context) (map[string]any, error) {
			if err := events.Ready(ctx); err != nil {
				return map[string]any{"degraded": true, "reason": "the " + events.name() + " does not answer; events wait in the outbox"}, nil //nolint:nilerr // degraded is not down
			}
			return map[string]any{"degraded": false}, nil
		},
		"outbox": func(ctx context.Context) (map[string]any, error) {
			stats, err := relay.Stats(ctx)
			if err != nil {
				return nil, err
			}
			return outboxDetail(stats), nil
		},
	}
}

// behind is how old the oldest waiting event may be before the outbox counts as degraded.
const behind = 30 * time.Second

func outboxDetail(stats outbox.Stats) map[string]any {
	detail := map[string]any{
		"degraded":           stats.Oldest > behind || stats.LastError != "",
		"depth":              stats.Depth,
		"oldest_age_seconds": stats.Oldest.Seconds(),
		"published":          stats.Published,
	}
	if stats.LastError != "" {
		detail["last_error"] = stats.LastError
		detail["last_error_at"] = stats.LastErrorAt.UTC().Format(time.RFC3339)
	}
	return detail
}
