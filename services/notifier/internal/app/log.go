package app

import (
	"context"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/proto"
)

// eventLog is the hub's log: the tasks topic of the event log in Postgres.
type eventLog struct{ db *postgres.DB }

// Since is hub.Log's.
func (l eventLog) Since(ctx context.Context, userID string, since int64, limit int) ([]event.Envelope, error) {
	return postgres.NewLog(l.db).Since(ctx, userID, proto.Tasks, since, limit)
}

// Heads is hub.Log's.
func (l eventLog) Heads(ctx context.Context, userIDs []string) (map[string]int64, error) {
	return postgres.NewLog(l.db).Heads(ctx, proto.Tasks, userIDs)
}
