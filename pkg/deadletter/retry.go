package deadletter

import (
	"context"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
)

// portion is how many letters are changed in one transaction.
const portion = 500

// Sent counts what a Retry did.
type Sent struct {
	// Letters is how many are sent again. Events is fewer if several consumers could not handle the same one.
	Letters, Events int
	// Left is how many of the selected cannot be sent again; see Letter.CannotRetry.
	Left int
}

// changeable is what a changing command means by the filter: dead letters, unless it names ids or states.
func (f Filter) changeable() Filter {
	if len(f.IDs)+len(f.States) == 0 {
		f.States = []State{Dead}
	}
	return f
}

// can is what may be sent again.
const can = "in_log AND state NOT IN ('failing', 'handled')"

// Retry sends the selected letters again: it puts their events back into the outbox, with the ids they had, each user's in
// the order in which they happened, and the relays of the running services publish them. Every consumer of the topic gets
// them, and who has handled one knows it by its id.
//
// Without ids and states in the filter only dead letters are selected. With dryRun it only counts. seen is called after each
// portion with the number of letters so far. errs.Invalid if the filter cannot be.
func (s *Store) Retry(ctx context.Context, f Filter, dryRun bool, seen func(letters int)) (sent Sent, err error) {
	if err := f.check(); err != nil {
		return sent, err
	}
	f = f.changeable()
	if sent.Left, err = s.count(ctx, f, "*", "NOT ("+can+")"); err != nil {
		return sent, err
	}
	if dryRun {
		if sent.Letters, err = s.count(ctx, f, "*", can); err == nil {
			sent.Events, err = s.count(ctx, f, "DISTINCT event_id", can)
		}
		return sent, err
	}
	for after := (resent{}); ; {
		var letters, events int
		err := s.db.Transaction(ctx, func(tx *postgres.Tx) (err error) {
			letters, events, after, err = resend(tx, f, after)
			return err
		})
		if err != nil || after.Consumer == "" {
			return sent, err
		}
		sent.Letters, sent.Events = sent.Letters+letters, sent.Events+events
		seen(sent.Letters)
	}
}

// resent is a letter that can be sent again. Letters are in the order of the first four fields.
type resent struct {
	UserID   string
	Topic    string
	Sequence int64
	Consumer string
	ID       string
	EventID  string
	// Before is when it was sent last, as Postgres writes it.
	Before string
}

// resend sends a portion of letters again, those after a letter, and returns the last of them, none at the end.
func resend(tx *postgres.Tx, f Filter, after resent) (letters, events int, last resent, err error) {
	var found []resent
	err = f.letters(tx.DB).Select("user_id, topic, sequence, consumer, id, event_id, coalesce(retried_at::text, '') AS before").Where(can).
		Where("(user_id, topic, sequence, consumer) > (?, ?, ?, ?)", after.UserID, after.Topic, after.Sequence, after.Consumer).
		Order("user_id, topic, sequence, consumer").Limit(portion).Scan(&found).Error
	if err != nil || len(found) == 0 {
		return 0, 0, last, err
	}
	var consumers, topics, ids, before postgres.Texts
	for _, l := range found {
		consumers, topics = append(consumers, l.Consumer), append(topics, l.Topic)
		ids, before = append(ids, l.ID), append(before, l.Before)
	}
	// Whoever else sends one of them again at this moment is waited for here, and has sent it then.
	var mine []row
	err = tx.Model(&mine).Clauses(clause.Returning{}).
		Where("(consumer, topic, id, coalesce(retried_at::text, '')) IN (SELECT * FROM unnest(?::text[], ?::text[], ?::uuid[], ?::text[]))",
			consumers, topics, ids, before).
		Updates(map[string]any{"retried_at": gorm.Expr("clock_timestamp()"), "discarded_at": nil}).Error
	if err != nil {
		return 0, 0, last, err
	}
	var rows []postgres.Outgoing
	for _, l := range found {
		sent := slices.ContainsFunc(mine, func(m row) bool { return m.Consumer == l.Consumer && m.Topic == l.Topic && m.ID == l.ID })
		twice := len(rows) > 0 && rows[len(rows)-1].EventID == l.EventID
		if sent && !twice {
			rows = append(rows, postgres.Outgoing{UserID: l.UserID, EventID: l.EventID})
		}
	}
	return len(mine), len(rows), found[len(found)-1], tx.Requeue(rows)
}

// Discard sets the selected letters aside, dead ones unless the filter names ids or states, and forgets their records. Should
// one die again, it is a dead letter again. It returns how many; with dryRun it only counts. errs.Invalid if the filter
// cannot be.
func (s *Store) Discard(ctx context.Context, f Filter, dryRun bool) (int, error) {
	if err := f.check(); err != nil {
		return 0, err
	}
	f = f.changeable()
	const open = "state NOT IN ('handled', 'discarded')"
	if dryRun {
		return s.count(ctx, f, "*", open)
	}
	selected := f.letters(s.db.Read(ctx)).Select("consumer, topic, id").Where(open)
	done := s.db.Read(ctx).Table("dead_letters").Where("(consumer, topic, id) IN (?)", selected).
		Updates(map[string]any{"discarded_at": gorm.Expr("clock_timestamp()"), "record": nil})
	return int(done.RowsAffected), postgres.Failure(done.Error)
}

func (s *Store) count(ctx context.Context, f Filter, what, where string) (int, error) {
	var n int
	err := f.letters(s.db.Read(ctx)).Select("count(" + what + ")").Where(where).Scan(&n).Error
	return n, postgres.Failure(err)
}
