package postgres

import (
	"encoding/json"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// eventRow is how Postgres sees an event.
type eventRow struct {
	ID          string `gorm:"primaryKey"`
	UserID      string
	Topic       string
	Type        string
	AggregateID string
	Version     int
	// Given by the database.
	Sequence      int64 `gorm:"->"`
	CorrelationID string
	CausationID   string
	Traceparent   string
	OccurredAt    time.Time
	// A string, because pgx writes bytes as bytea when it talks to a pooler.
	Data string
}

func (eventRow) TableName() string { return "events" }

// eventColumns are in the order of eventRow.columns.
var eventColumns = []string{
	"id", "user_id", "topic", "type", "aggregate_id", "version", "sequence",
	"correlation_id", "causation_id", "traceparent", "occurred_at", "data",
}

func (r *eventRow) columns() []any {
	return []any{
		&r.ID, &r.UserID, &r.Topic, &r.Type, &r.AggregateID, &r.Version, &r.Sequence,
		&r.CorrelationID, &r.CausationID, &r.Traceparent, &r.OccurredAt, &r.Data,
	}
}

func (r eventRow) stored() Stored {
	return Stored{
		Envelope: event.Envelope{
			ID: r.ID, Type: r.Type, UserID: r.UserID, Timestamp: event.Time{Time: r.OccurredAt.UTC()},
			AggregateID: r.AggregateID, Version: r.Version, Sequence: r.Sequence,
			CorrelationID: r.CorrelationID, CausationID: r.CausationID, Data: json.RawMessage(r.Data),
			Trace: r.Traceparent,
		},
		Topic: contract.Topic(r.Topic),
	}
}

type sequenceRow struct {
	UserID string `gorm:"primaryKey"`
	Topic  string `gorm:"primaryKey"`
	Value  int64
}

func (sequenceRow) TableName() string { return "sequences" }

// Handled is a row of the inbox: a consumer has acted on an event.
type Handled struct {
	Consumer  string `gorm:"primaryKey"`
	EventID   string `gorm:"primaryKey"`
	HandledAt time.Time
}

// TableName is gorm's.
func (Handled) TableName() string { return "inbox" }
