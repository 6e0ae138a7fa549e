package writer

import (
	"context"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/outbox"
	"github.com/taskflow-suite/taskflow/pkg/rest"
)

// Checks are what /readyz shows of the database, of what carries the events (sidecar or broker) and of the outbox. Only
// the database makes a service not ready: a carrier that is away and an outbox that grows are shown as degraded, because
// taking the service out of rotation for them would turn a delay of events into a failure of requests.
func (w *Writer) Checks() map[string]rest.Check {
	return map[string]rest.Check{
		"database": func(ctx context.Context) (map[string]any, error) { return nil, w.DB.Ping(ctx) },
		w.name: func(ctx context.Context) (map[string]any, error) {
			if err := w.ready(ctx); err != nil {
				return map[string]any{"degraded": true, "reason": "the " + w.name + " does not answer; events wait in the outbox"}, nil //nolint:nilerr // degraded is not down
			}
			return map[string]any{"degraded": false}, nil
		},
		"outbox": func(ctx context.Context) (map[string]any, error) {
			stats, err := w.Outbox(ctx)
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
