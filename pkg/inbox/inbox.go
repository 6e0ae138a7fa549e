// Package inbox is how a consumer acts on an event once, however often it is delivered: the note that it has, and the
// effect, share a transaction.
//
// It owns the table inbox and nothing else. It refuses to run handlers, to retry and to know what an event says. An
// effect outside Postgres cannot be made to happen once by it.
package inbox

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
)

// Once notes that the consumer handles the event in this transaction and reports whether it is the first to: on false
// there is nothing left to do. While another transaction handles the same event it waits: if that one commits, the
// answer is false, if it rolls back, true. Events appended in the transaction carry eventID as their cause.
// errs.Invalid if eventID is no UUID.
func Once(tx *postgres.Tx, consumer, eventID string) (first bool, err error) {
	// Only the usual form: uuid also reads others, which Postgres refuses.
	if len(eventID) != 36 || uuid.Validate(eventID) != nil {
		return false, errs.New(errs.Invalid, "an event's id must be a UUID")
	}
	tx.CausedBy(eventID)
	note := postgres.Handled{Consumer: consumer, EventID: eventID, HandledAt: time.Now().UTC()}
	done := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&note)
	return done.RowsAffected == 1, done.Error
}
