package postgres

import (
	"cmp"
	"slices"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// Append has drafts written as events, in order, when the transaction's function has returned: one statement, however
// many they are, in which the database numbers them and puts them into the outbox. That it comes last is what the lock
// order asks for. Correlation and trace are those of the Tx's context, the cause is what CausedBy named.
//
// errs.Invalid for a payload that cannot be encoded or is not of the event's type. The transaction fails with
// errs.Conflict if an aggregate has an event of that version already.
func (tx *Tx) Append(drafts ...event.Draft) error {
	ctx := tx.Statement.Context
	correlation, trace := telemetry.Correlation(ctx), telemetry.Traceparent(ctx)
	for _, d := range drafts {
		if got, want := d.Payload.ProtoReflect().Descriptor().FullName(), d.Kind.New().ProtoReflect().Descriptor().FullName(); got != want {
			return errs.New(errs.Invalid, "%s carries %s, not %s", d.Kind.Name, want, got)
		}
		data, err := event.Marshal(d.Payload)
		if err != nil {
			return err
		}
		tx.progress.events = append(tx.progress.events, eventRow{
			ID: event.NewID(), UserID: d.UserID, Topic: string(d.Kind.Topic), Type: d.Kind.Name,
			AggregateID: d.AggregateID, Version: d.Version,
			CorrelationID: correlation, CausationID: tx.progress.cause, Traceparent: trace,
			OccurredAt: d.At, Data: string(data),
		})
	}
	return nil
}

// finish writes what was appended. It is the transaction's last statement before the commit.
func (tx *Tx) finish() error {
	rows := tx.progress.events
	if len(rows) == 0 {
		return nil
	}
	// The rows lock the sequences one after the other.
	slices.SortStableFunc(rows, func(a, b eventRow) int {
		return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.Topic, b.Topic))
	})
	if err := tx.Create(&rows).Error; err != nil {
		if IsDuplicate(err) {
			return errs.Because(err, errs.Conflict, "this version of it exists already")
		}
		return err
	}
	tx.progress.announced = true
	return nil
}

// CausedBy names the event that this transaction handles; the events it appends from here on carry it as their cause.
func (tx *Tx) CausedBy(eventID string) { tx.progress.cause = eventID }
