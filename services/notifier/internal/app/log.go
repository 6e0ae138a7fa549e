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

// Heads is hub.Log's: one query for all users, because the regular check asks about everybody who is connected.
func (l eventLog) Heads(ctx context.Context, userIDs []string) (map[string]int64, error) {
	var rows []struct {
		UserID string
		Value  int64
	}
	err := l.db.Read(ctx).Table("sequences").Select("user_id", "value").
		Where("topic = ? AND user_id IN ?", proto.Tasks, userIDs).Find(&rows).Error
	if err != nil {
		return nil, postgres.Failure(err)
	}
	heads := make(map[string]int64, len(rows))
	for _, r := range rows {
		heads[r.UserID] = r.Value
	}
	return heads, nil
}
