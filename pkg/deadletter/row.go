package deadletter

import (
	"time"

	contract "github.com/taskflow-suite/taskflow/proto"
)

// row is how Postgres sees a letter, but for its record, which is looked at one at a time.
type row struct {
	Consumer      string `gorm:"primaryKey"`
	Topic         string `gorm:"primaryKey"`
	ID            string `gorm:"primaryKey"`
	EventID       *string
	UserID        string
	EventType     string
	CorrelationID string
	Reason        string
	Kind          string
	Attempts      int
	FirstSeen     time.Time
	LastSeen      time.Time
	DiedAt        *time.Time
	Deaths        int
	Place         string
	RetriedAt     *time.Time
	HandledAt     *time.Time
	DiscardedAt   *time.Time
}

// TableName is gorm's.
func (row) TableName() string { return "dead_letters" }

// seen is a row with what other tables know of it.
type seen struct {
	Row    row `gorm:"embedded"`
	State  string
	InLog  bool
	Record []byte
}

func (s seen) letter() Letter {
	r := s.Row
	l := Letter{
		Consumer: r.Consumer, Topic: contract.Topic(r.Topic), ID: r.ID, State: State(s.State), EventType: r.EventType, UserID: r.UserID,
		CorrelationID: r.CorrelationID, Reason: r.Reason, Kind: r.Kind, Attempts: r.Attempts, Deaths: r.Deaths,
		FirstSeen: r.FirstSeen.UTC(), LastSeen: r.LastSeen.UTC(), DiedAt: utc(r.DiedAt), RetriedAt: utc(r.RetriedAt),
		HandledAt: utc(r.HandledAt), DiscardedAt: utc(r.DiscardedAt), Place: r.Place, InLog: s.InLog, Record: s.Record,
	}
	if r.EventID != nil {
		l.EventID = *r.EventID
	}
	return l
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

// states is a table of all letters with their state. An event of the log counts as this letter's only if it is of the same
// user and topic: whoever forges a record can write any id into it.
const states = `(
	SELECT d.consumer, d.topic, d.id, d.event_id, d.user_id, d.event_type, d.correlation_id, d.reason, d.kind, d.attempts,
		d.first_seen, d.last_seen, d.died_at, d.deaths, d.place, d.retried_at, coalesce(d.handled_at, i.handled_at) AS handled_at,
		d.discarded_at, d.record, e.id IS NOT NULL AS in_log, e.sequence,
		CASE
			WHEN coalesce(d.handled_at, i.handled_at) IS NOT NULL THEN 'handled'
			WHEN d.discarded_at IS NOT NULL THEN 'discarded'
			WHEN d.died_at IS NULL THEN 'failing'
			WHEN d.retried_at >= d.died_at THEN 'retried'
			ELSE 'dead'
		END AS state
	FROM dead_letters d
	LEFT JOIN events e ON e.id = d.event_id AND e.topic = d.topic AND e.user_id = d.user_id
	LEFT JOIN inbox i ON i.consumer = d.consumer AND i.event_id = e.id
) AS letters`
