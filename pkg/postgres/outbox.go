package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"
)

// Shards is how many parts the outbox has. All of a user's events are in one.
const Shards = 16

// Outgoing is a row of the outbox: an event of the log on its way to the bus.
type Outgoing struct {
	// Shard is given by the database, as are ID and CreatedAt.
	Shard int16 `gorm:"->;autoIncrement:false"`
	// ID of one user's events on a topic is larger for the later one.
	ID        int64 `gorm:"->;autoIncrement:false"`
	UserID    string
	EventID   string
	CreatedAt time.Time `gorm:"->"`
}

// TableName is gorm's.
func (Outgoing) TableName() string { return "outbox" }

// Shard is a row by which the publishers of the outbox keep each other away from the same users' events.
type Shard struct {
	Shard int16 `gorm:"primaryKey;autoIncrement:false"`
}

// TableName is gorm's.
func (Shard) TableName() string { return "outbox_shards" }

// Taken is an event with its place in the outbox.
type Taken struct {
	Stored
	Shard int16
	ID    int64
}

// Take deletes the oldest rows, about limit of them, of at most that many shards that nobody else has, and returns their
// events in order; the shards are the transaction's until it ends. Which shards is left to chance: none is always the last.
// No event may come though some wait: somebody else has them.
func (tx *Tx) Take(shards, limit int) (taken []Taken, err error) {
	start := rand.IntN(Shards) //nolint:gosec // G404: nobody gains by guessing it
	rows, err := tx.Table("outbox_take(?, ?, ?)", start, shards, limit).Select(takenColumns).Rows()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var t Taken
		var e eventRow
		if err := rows.Scan(append([]any{&t.Shard, &t.ID}, e.columns()...)...); err != nil {
			return nil, err
		}
		t.Stored = e.stored()
		taken = append(taken, t)
	}
	return taken, rows.Err()
}

var takenColumns = "outbox_shard, outbox_id, (event)." + strings.Join(eventColumns, ", (event).")

// Waiting reports whether anything has been in the outbox for a time.
func (db *DB) Waiting(ctx context.Context, since time.Duration) (bool, error) {
	var shards []int16
	// In the order of the index: the heap is full of dead rows.
	query := db.Read(ctx).Model(&Outgoing{}).Order("shard, id").Limit(1)
	if since > 0 {
		query = query.Where("created_at < now() - ? * interval '1 microsecond'", since.Microseconds())
	}
	err := query.Pluck("shard", &shards).Error
	return len(shards) > 0, Failure(err)
}

// Drop deletes what was taken in a transaction that was rolled back.
func (db *DB) Drop(ctx context.Context, taken []Taken) error {
	if len(taken) == 0 {
		return nil
	}
	shards, ids := make(BigInts, len(taken)), make(BigInts, len(taken))
	for i, t := range taken {
		shards[i], ids[i] = int64(t.Shard), t.ID
	}
	return Failure(db.Read(ctx).Where("(shard, id) IN (SELECT * FROM unnest(?::smallint[], ?::bigint[]))", shards, ids).
		Delete(&Outgoing{}).Error)
}
