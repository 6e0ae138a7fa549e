package postgres

import (
	"context"
	"time"
)

const (
	// KeepHandled is how much longer than a topic the inbox remembers: a delivery is repeated within the topic's retention.
	KeepHandled = 24 * time.Hour
	// KeepAnswers is how long a request with an idempotency key is answered as before.
	KeepAnswers = 24 * time.Hour
	// KeepInvocations is how long a tool call is known, and the run it belongs to: it can be looked at, and is answered as
	// before if it is sent again.
	KeepInvocations = 90 * 24 * time.Hour

	sweepPortion = 1000
)

// Swept counts the rows a Sweep removed.
type Swept struct{ Inbox, Idempotency, Invocations, Runs, APITokens int64 }

// Sweep removes, in portions, what no repeated delivery or request can ask for any more, and API tokens that have expired.
// Two at once do no harm. retention is how long topics keep events.
func (db *DB) Sweep(ctx context.Context, retention time.Duration) (Swept, error) {
	now := time.Now()
	var s Swept
	var err error
	if s.Inbox, err = db.sweep(ctx, "inbox", "consumer, event_id", "handled_at", now.Add(-retention-KeepHandled)); err != nil {
		return s, err
	}
	if s.Idempotency, err = db.sweep(ctx, "idempotency", "user_id, key", "created_at", now.Add(-KeepAnswers)); err != nil {
		return s, err
	}
	if s.Invocations, err = db.sweepInvocations(ctx, now.Add(-KeepInvocations)); err != nil {
		return s, err
	}
	if s.Runs, err = db.sweep(ctx, "runs", "user_id, id", "updated_at", now.Add(-KeepInvocations)); err != nil {
		return s, err
	}
	s.APITokens, err = db.sweep(ctx, "api_tokens", "id", "expires_at", now)
	return s, err
}

// sweep deletes what is older than a time. The names come from Sweep only.
func (db *DB) sweep(ctx context.Context, table, key, age string, before time.Time) (int64, error) {
	total := int64(0)
	for {
		old := db.Read(ctx).Table(table).Select(key).Where(age+" < ?", before).Limit(sweepPortion)
		done := db.Read(ctx).Table(table).Where("("+key+") IN (?)", old).Delete(&struct{}{})
		if done.Error != nil {
			return total, Failure(done.Error)
		}
		total += done.RowsAffected
		if done.RowsAffected < sweepPortion {
			return total, nil
		}
	}
}

// sweepInvocations deletes tool calls, which a service's role may not: the database does it, and only for what is 30 days old.
func (db *DB) sweepInvocations(ctx context.Context, before time.Time) (int64, error) {
	total := int64(0)
	for {
		var swept []int64
		err := db.Read(ctx).Table("tool_invocations_sweep(?, ?) AS swept", before, sweepPortion).Pluck("swept", &swept).Error
		if err != nil || len(swept) != 1 {
			return total, Failure(err)
		}
		total += swept[0]
		if swept[0] < sweepPortion {
			return total, nil
		}
	}
}
