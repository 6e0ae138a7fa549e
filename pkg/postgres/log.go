package postgres

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// Log reads the event log. It is safe for concurrent use, unless it is one transaction's.
type Log struct {
	read func(context.Context) *gorm.DB
}

// NewLog makes a Log on a database.
func NewLog(db *DB) *Log { return &Log{db.Read} }

// Log reads the log as the transaction sees it.
func (tx *Tx) Log() *Log { return &Log{tx.WithContext} }

// Stored is an event of the log with what an envelope does not carry.
type Stored struct {
	event.Envelope
	Topic contract.Topic
}

// Since returns up to limit events of a user on a topic with a sequence above since, in order. What follows a gap is
// never returned before the gap is filled: the order of a user's sequences is the order of that user's commits.
func (l *Log) Since(ctx context.Context, userID string, topic contract.Topic, since int64, limit int) ([]event.Envelope, error) {
	return envelopes(l.read(ctx).
		Where("user_id = ? AND topic = ? AND sequence > ?", userID, topic, since).
		Order("sequence").Limit(limit))
}

// Of is Since for the events of one aggregate.
func (l *Log) Of(ctx context.Context, userID string, topic contract.Topic, aggregateID string, since int64, limit int) ([]event.Envelope, error) {
	return envelopes(l.read(ctx).
		Where("user_id = ? AND topic = ? AND aggregate_id = ? AND sequence > ?", userID, topic, aggregateID, since).
		// An aggregate's versions and sequences rise together; there is an index of the versions.
		Order("version").Limit(limit))
}

// Before returns up to limit events of a user on a topic with a sequence below before (any, if it is 0), the newest first. What
// comes later has a higher sequence, so that pages of it have neither gaps nor repetitions.
func (l *Log) Before(ctx context.Context, userID string, topic contract.Topic, before int64, limit int) ([]event.Envelope, error) {
	query := l.read(ctx).Where("user_id = ? AND topic = ?", userID, topic)
	if before > 0 {
		query = query.Where("sequence < ?", before)
	}
	return envelopes(query.Order("sequence DESC").Limit(limit))
}

// BeforeOf is Before for the events of one aggregate.
func (l *Log) BeforeOf(ctx context.Context, userID string, topic contract.Topic, aggregateID string, before int64, limit int) ([]event.Envelope, error) {
	query := l.read(ctx).Where("user_id = ? AND topic = ? AND aggregate_id = ?", userID, topic, aggregateID)
	if before > 0 {
		query = query.Where("sequence < ?", before)
	}
	return envelopes(query.Order("version DESC").Limit(limit)) // see Of
}

func envelopes(query *gorm.DB) ([]event.Envelope, error) {
	var rows []eventRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, Failure(err)
	}
	all := make([]event.Envelope, len(rows))
	for i, r := range rows {
		all[i] = r.stored().Envelope
	}
	return all, nil
}

// Head is the sequence of the user's last event on a topic, 0 before the first. It outlives a forgotten user.
func (l *Log) Head(ctx context.Context, userID string, topic contract.Topic) (int64, error) {
	var values []int64
	err := l.read(ctx).Model(&sequenceRow{}).Where("user_id = ? AND topic = ?", userID, topic).Pluck("value", &values).Error
	if err != nil || len(values) == 0 {
		return 0, Failure(err)
	}
	return values[0], nil
}

// Heads is Head for many users with one query. Users without an event on the topic are left out.
func (l *Log) Heads(ctx context.Context, topic contract.Topic, userIDs []string) (map[string]int64, error) {
	var rows []sequenceRow
	err := l.read(ctx).Where("topic = ? AND user_id IN ?", topic, userIDs).Find(&rows).Error
	if err != nil {
		return nil, Failure(err)
	}
	heads := make(map[string]int64, len(rows))
	for _, r := range rows {
		heads[r.UserID] = r.Value
	}
	return heads, nil
}

// Filter selects events for Each. The zero value of a field does not restrict.
type Filter struct {
	UserID string
	Topic  contract.Topic
	// From includes, To excludes.
	From, To time.Time
}

// portion is how many events are in memory at a time when many are read.
const portion = 500

// Each calls fn with portions of the selected events, ordered by user, topic and sequence. It ends with fn's first error.
func (l *Log) Each(ctx context.Context, f Filter, fn func([]Stored) error) error {
	var last eventRow
	for {
		query := l.read(ctx).Where("(user_id, topic, sequence) > (?, ?, ?)", last.UserID, last.Topic, last.Sequence)
		if f.UserID != "" {
			query = query.Where("user_id = ?", f.UserID)
		}
		if f.Topic != "" {
			query = query.Where("topic = ?", f.Topic)
		}
		if !f.From.IsZero() {
			query = query.Where("occurred_at >= ?", f.From)
		}
		if !f.To.IsZero() {
			query = query.Where("occurred_at < ?", f.To)
		}
		var rows []eventRow
		if err := query.Order("user_id, topic, sequence").Limit(portion).Find(&rows).Error; err != nil {
			return Failure(err)
		}
		if len(rows) == 0 {
			return nil
		}
		events := make([]Stored, len(rows))
		for i, r := range rows {
			events[i] = r.stored()
		}
		if err := fn(events); err != nil {
			return err
		}
		last = rows[len(rows)-1]
	}
}

// EachOf calls fn with every event of one aggregate of a topic, in order.
func (l *Log) EachOf(ctx context.Context, topic contract.Topic, aggregateID string, fn func(Stored)) error {
	for last := 0; ; {
		var rows []eventRow
		err := l.read(ctx).Where("topic = ? AND aggregate_id = ? AND version > ?", topic, aggregateID, last).
			Order("version").Limit(portion).Find(&rows).Error
		if err != nil || len(rows) == 0 {
			return Failure(err)
		}
		for _, r := range rows {
			fn(r.stored())
		}
		last = rows[len(rows)-1].Version
	}
}

// EachAggregate calls fn once for every aggregate of a topic, in the order of their ids, with all its events in order.
// It ends with fn's first error.
func (l *Log) EachAggregate(ctx context.Context, topic contract.Topic, fn func([]Stored) error) error {
	var (
		last    eventRow
		current []Stored
	)
	for {
		var rows []eventRow
		err := l.read(ctx).Where("topic = ? AND (aggregate_id, version) > (?, ?)", topic, last.AggregateID, last.Version).
			Order("aggregate_id, version").Limit(portion).Find(&rows).Error
		if err != nil {
			return Failure(err)
		}
		for _, r := range rows {
			if len(current) > 0 && current[0].AggregateID != r.AggregateID {
				if err := fn(current); err != nil {
					return err
				}
				current = nil
			}
			current = append(current, r.stored())
		}
		if len(rows) < portion {
			break
		}
		last = rows[len(rows)-1]
	}
	if len(current) == 0 {
		return nil
	}
	return fn(current)
}

// LastVersion is the highest version an aggregate has events of, 0 without any.
func (l *Log) LastVersion(ctx context.Context, topic contract.Topic, aggregateID string) (int, error) {
	var versions []int
	err := l.read(ctx).Model(&eventRow{}).Where("topic = ? AND aggregate_id = ?", topic, aggregateID).
		Order("version DESC").Limit(1).Pluck("version", &versions).Error
	if err != nil || len(versions) == 0 {
		return 0, Failure(err)
	}
	return versions[0], nil
}
