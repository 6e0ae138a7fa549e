package postgres

import (
	"encoding/json"
	"hash/fnv"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// eventRow is how Postgres sees an event.
type eventRow struct {
	ID            string `gorm:"primaryKey"`
	UserID        string
	Topic         string
	Type          string
	AggregateID   string
	Version       int
	Sequence      int64
	CorrelationID string
	CausationID   string
	Traceparent   string
	OccurredAt    time.Time
	// A string, because pgx writes bytes as bytea when it talks to a pooler.
	Data string
}

func (eventRow) TableName() string { return "events" }

func (r eventRow) stored() Stored {
	return Stored{
		Envelope: event.Envelope{
			ID: r.ID, Type: r.Type, UserID: r.UserID, Timestamp: event.Time{Time: r.OccurredAt.UTC()},
			AggregateID: r.AggregateID, Version: r.Version, Sequence: r.Sequence,
			CorrelationID: r.CorrelationID, CausationID: r.CausationID, Data: json.RawMessage(r.Data),
		},
		Topic: contract.Topic(r.Topic),
		Trace: r.Traceparent,
	}
}

type sequenceRow struct {
	UserID string `gorm:"primaryKey"`
	Topic  string `gorm:"primaryKey"`
	Value  int64
}

func (sequenceRow) TableName() string { return "sequences" }

// Outgoing is a row of the outbox: an event on its way to the bus.
type Outgoing struct {
	Shard int16 `gorm:"autoIncrement:false"`
	// ID is given by the database; of one user's events on a topic the later one has the larger.
	ID      int64 `gorm:"->;autoIncrement:false"`
	Topic   string
	Key     string
	EventID string
	Type    string
	Trace   string
	// Data is the envelope as it travels.
	Data      []byte
	CreatedAt time.Time
}

// TableName is gorm's.
func (Outgoing) TableName() string { return "outbox" }

// Shard is a row by which the publishers of the outbox keep each other away from the same users' events.
type Shard struct {
	Shard int16 `gorm:"primaryKey;autoIncrement:false"`
}

// TableName is gorm's.
func (Shard) TableName() string { return "outbox_shards" }

// Shards is how many parts the outbox has.
const Shards = 16

// ShardOf is the part of the outbox that holds a key's events.
func ShardOf(key string) int16 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return int16(h.Sum32() % Shards) //nolint:gosec // G115: below 16
}

// Handled is a row of the inbox: a consumer has acted on an event.
type Handled struct {
	Consumer  string `gorm:"primaryKey"`
	EventID   string `gorm:"primaryKey"`
	HandledAt time.Time
}

// TableName is gorm's.
func (Handled) TableName() string { return "inbox" }
