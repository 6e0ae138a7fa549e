// Package inbox is how a consumer acts on an event once, however often it is delivered: the note that it has, and the
// effect, share a transaction.
//
// It owns the table inbox and nothing else. It refuses to run handlers, to retry and to know what an event says. An
// effect outside Postgres cannot be made to happen once by it.
package inbox

import (
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

var duplicates = sync.OnceValue(func() *prometheus.CounterVec {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "taskflow_inbox_duplicates_total", Help: "Deliveries of events that the consumer had handled before, and that were left at that.",
	}, []string{"consumer"})
	telemetry.Metrics().MustRegister(vec)
	return vec
})

// Once notes that the consumer handles the event in this transaction and reports whether it is the first to: on false
// there is nothing left to do. While another transaction handles the same event it waits: if that one commits, the
// answer is false, if it rolls back, true. Events appended in the transaction carry eventID as their cause.
// errs.Invalid if eventID is no UUID. A consumer is a service: its name is a label of a metric.
func Once(tx *postgres.Tx, consumer, eventID string) (first bool, err error) {
	// Only the usual form: uuid also reads others, which Postgres refuses.
	if len(eventID) != 36 || uuid.Validate(eventID) != nil {
		return false, errs.New(errs.Invalid, "an event's id must be a UUID")
	}
	tx.CausedBy(eventID)
	note := postgres.Handled{Consumer: consumer, EventID: eventID, HandledAt: time.Now().UTC()}
	done := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&note)
	first = done.RowsAffected == 1
	if !first && done.Error == nil {
		duplicates().WithLabelValues(consumer).Inc()
	}
	return first, done.Error
}
