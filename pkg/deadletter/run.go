package deadletter

import (
	"context"
	"log/slog"
	"time"

	"gorm.io/gorm"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
)

const (
	// Keep is how long a letter is kept after it was last seen, whatever became of it.
	Keep = 90 * 24 * time.Hour
	// keepFailing is how long an attempt that failed is remembered if it did not become a dead letter.
	keepFailing = 24 * time.Hour

	// lookDeadline bounds one look at the table.
	lookDeadline = 5 * time.Second
	sweepEvery   = time.Hour
	sweepPortion = 1000
)

// Run writes the notes that are owed, counts the consumer's letters for the metrics, notes which were handled meanwhile, and
// removes old ones, until ctx ends.
// While the database is away the metrics stay as they are. It returns nil.
func (r *Recorder) Run(ctx context.Context) error {
	tick := time.NewTicker(r.o.Every)
	defer tick.Stop()
	var swept time.Time
	for {
		err := r.look(ctx)
		if err == nil && time.Since(swept) >= sweepEvery {
			err = r.sweep(ctx)
			swept = time.Now()
		}
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "dead letters are not counted", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look writes what is owed, notes what the inbox says was handled, for the inbox forgets it after a week, and counts the rest.
func (r *Recorder) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookDeadline)
	defer cancel()
	if err := r.settle(ctx); err != nil {
		return err
	}
	err := r.db.Read(ctx).Table("dead_letters").Where("consumer = ? AND handled_at IS NULL AND discarded_at IS NULL", r.o.Consumer).Where(`EXISTS (
			SELECT FROM inbox i JOIN events e ON e.id = i.event_id
			WHERE i.consumer = dead_letters.consumer AND e.id = dead_letters.event_id
				AND e.topic = dead_letters.topic AND e.user_id = dead_letters.user_id)`).
		Update("handled_at", gorm.Expr("(SELECT i.handled_at FROM inbox i WHERE i.consumer = dead_letters.consumer AND i.event_id = dead_letters.event_id)")).Error
	if err != nil {
		return postgres.Failure(err)
	}
	var counted struct{ Open, Rows, Records int }
	err = r.db.Read(ctx).Table("dead_letters").Select(`count(*) FILTER (
			WHERE consumer = ? AND died_at IS NOT NULL AND handled_at IS NULL AND discarded_at IS NULL) AS open,
		count(*) AS rows, count(record) AS records`, r.o.Consumer).Scan(&counted).Error
	if err != nil {
		return postgres.Failure(err)
	}
	r.metrics.open.Set(float64(counted.Open))
	r.full.Store(counted.Rows >= r.o.Rows)
	r.crowded.Store(counted.Records >= r.o.Records)
	return nil
}

// sweep removes, in portions, what is old. Two at once do no harm.
func (r *Recorder) sweep(ctx context.Context) error {
	for {
		letters := func() *gorm.DB { return r.db.Read(ctx).Table("dead_letters") }
		old := letters().Select("consumer, topic, id").
			Where("last_seen < now() - ? * interval '1 second'", keepFailing.Seconds()).
			Where("(died_at IS NULL OR last_seen < now() - ? * interval '1 second')", Keep.Seconds()).Limit(sweepPortion)
		done := letters().Where("(consumer, topic, id) IN (?)", old).Delete(&struct{}{})
		if done.Error != nil || done.RowsAffected < sweepPortion {
			return postgres.Failure(done.Error)
		}
	}
}
