package outbox

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// batch publishes the oldest events of the shards it gets hold of and returns how many. elsewhere means that it got none,
// but that events wait in shards others have.
func (r *Relay) batch(ctx context.Context) (sent int, elsewhere bool, err error) {
	var refused error
	err = r.db.Transaction(ctx, func(tx *postgres.Tx) error {
		shards, err := r.claim(tx)
		if err != nil {
			return err
		}
		if len(shards) == 0 {
			elsewhere, err = waiting(tx)
			return err
		}
		// A statement of its own, which sees what others committed before we got the locks.
		rows, err := r.oldest(tx, shards)
		if err != nil {
			return err
		}
		done := rows[:0:0]
		for _, group := range byTopic(rows) {
			// One topic that cannot be published does not have the others published again and again.
			if err := r.publish(ctx, group); err != nil {
				refused = errors.Join(refused, err)
				continue
			}
			done = append(done, group...)
		}
		sent = len(done)
		return remove(tx, done)
	})
	if err != nil {
		return 0, false, err
	}
	r.published.Add(int64(sent))
	return sent, elsewhere, refused
}

// claim locks some of the shards in which events wait and nobody else publishes. Where it begins is left to chance:
// no shard is always the last.
func (r *Relay) claim(tx *postgres.Tx) ([]int16, error) {
	var shards []int16
	err := tx.Model(&postgres.Shard{}).
		Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate, Options: clause.LockingOptionsSkipLocked}).
		Where("EXISTS (?)", tx.Model(&postgres.Outgoing{}).Select("1").Where("outbox.shard = outbox_shards.shard")).
		Order(clause.OrderBy{Expression: clause.Expr{SQL: "(shard + ?::int) % ?::int", Vars: []any{rand.IntN(postgres.Shards), postgres.Shards}}}). //nolint:gosec // G404: nobody gains by guessing it
		Limit((postgres.Shards+r.o.Workers-1)/r.o.Workers).
		Pluck("shard", &shards).Error
	return shards, err
}

func waiting(tx *postgres.Tx) (bool, error) {
	var shards []int16
	err := tx.Model(&postgres.Outgoing{}).Limit(1).Pluck("shard", &shards).Error
	return len(shards) > 0, err
}

// oldest reads each shard's first rows in the order of their ids.
func (r *Relay) oldest(tx *postgres.Tx, shards []int16) ([]postgres.Outgoing, error) {
	each := (r.o.Batch + len(shards) - 1) / len(shards)
	first := tx.Model(&postgres.Outgoing{}).Where("outbox.shard = s.shard").Order("outbox.id").Limit(each)
	var rows []postgres.Outgoing
	err := tx.Table("outbox_shards AS s").Select("o.*").
		Joins("CROSS JOIN LATERAL (?) AS o", first).
		Where("s.shard = ANY(?::smallint[])", numbers(shards)).
		Order("o.id").Find(&rows).Error
	return rows, err
}

// byTopic groups rows, keeping their order.
func byTopic(rows []postgres.Outgoing) [][]postgres.Outgoing {
	var groups [][]postgres.Outgoing
	at := map[string]int{}
	for _, row := range rows {
		i, ok := at[row.Topic]
		if !ok {
			i = len(groups)
			at[row.Topic] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], row)
	}
	return groups
}

// publish sends rows of one topic.
func (r *Relay) publish(ctx context.Context, rows []postgres.Outgoing) error {
	ctx, cancel := context.WithTimeoutCause(ctx, r.o.Deadline, errDeadline)
	defer cancel()
	messages := make([]event.Message, len(rows))
	for i, row := range rows {
		messages[i] = event.Message{ID: row.EventID, Type: row.Type, Key: row.Key, Trace: row.Trace, Data: row.Data}
	}
	topic := rows[0].Topic
	began := time.Now()
	if err := r.bus.Publish(ctx, contract.Topic(topic), messages); err != nil {
		return publishError{cause: err, deadline: errors.Is(context.Cause(ctx), errDeadline)}
	}
	r.metrics.latency.Observe(time.Since(began).Seconds())
	r.metrics.published.WithLabelValues(topic).Add(float64(len(rows)))
	return nil
}

func remove(tx *postgres.Tx, rows []postgres.Outgoing) error {
	if len(rows) == 0 {
		return nil
	}
	shards, ids := make(postgres.BigInts, len(rows)), make(postgres.BigInts, len(rows))
	for i, row := range rows {
		shards[i], ids[i] = int64(row.Shard), row.ID
	}
	return tx.Where("(shard, id) IN (SELECT * FROM unnest(?::smallint[], ?::bigint[]))", shards, ids).
		Delete(&postgres.Outgoing{}).Error
}

func numbers(shards []int16) postgres.BigInts {
	all := make(postgres.BigInts, len(shards))
	for i, s := range shards {
		all[i] = int64(s)
	}
	return all
}

var errDeadline = errors.New("the publish deadline is over")

// publishError tells a failure of the bus from one of the database.
type publishError struct {
	cause    error
	deadline bool
}

func (e publishError) Error() string { return "publish: " + e.cause.Error() }
func (e publishError) Unwrap() error { return e.cause }
