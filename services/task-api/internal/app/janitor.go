package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// janitor removes what nobody can ask for any more: tasks that have been in the trash for 30 days, the keys by which repeated
// requests and deliveries were recognised, and API tokens that have expired. Several replicas may do so at once.
type janitor struct {
	tasks *task.Service
	db    *postgres.DB
	every time.Duration
	// retention is how long topics keep events, which may be delivered again until then.
	retention time.Duration
}

// Run cleans at once, then regularly, until ctx ends. What fails is logged and tried again next time.
func (j *janitor) Run(ctx context.Context) error {
	ticker := time.NewTicker(j.every)
	defer ticker.Stop()
	for {
		j.clean(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (j *janitor) clean(ctx context.Context) {
	purged, err := j.tasks.EmptyTrash(ctx)
	report(ctx, "emptied the trash", err, slog.Int("purged", purged))
	swept, err := j.db.Sweep(ctx, j.retention)
	report(ctx, "swept keys that have run out", err, slog.Int64("inbox", swept.Inbox), slog.Int64("idempotency", swept.Idempotency),
		slog.Int64("api_tokens", swept.APITokens))
}

func report(ctx context.Context, what string, err error, attrs ...any) {
	switch {
	case ctx.Err() != nil:
	case err != nil:
		slog.ErrorContext(ctx, "cleaning failed", append(attrs, "what", what, "error", err)...)
	default:
		slog.DebugContext(ctx, "cleaned", append(attrs, "what", what)...)
	}
}
