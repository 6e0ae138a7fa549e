package postgres

import (
	"cmp"
	"encoding/json"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// Append writes drafts as events, in order, and puts them into the outbox: three statements, however many they are.
// Correlation and trace are those of the transaction's context, the cause is what CausedBy named. Call it last: see
// the package's lock order. errs.Invalid for a payload that cannot be encoded or is not of the event's type;
// errs.Conflict if an aggregate has an event of that version already.
func (tx *Tx) Append(drafts ...event.Draft) error {
	if len(drafts) == 0 {
		return nil
	}
	next, err := tx.advance(drafts)
	if err != nil {
		return err
	}
	ctx := tx.Statement.Context
	correlation, trace, now := telemetry.Correlation(ctx), telemetry.Traceparent(ctx), tx.NowFunc()
	events, outgoing := make([]eventRow, len(drafts)), make([]Outgoing, len(drafts))
	for i, d := range drafts {
		if got, want := d.Payload.ProtoReflect().Descriptor().FullName(), d.Kind.New().ProtoReflect().Descriptor().FullName(); got != want {
			return errs.New(errs.Invalid, "%s carries %s, not %s", d.Kind.Name, want, got)
		}
		data, err := event.Marshal(d.Payload)
		if err != nil {
			return err
		}
		at := count{d.UserID, string(d.Kind.Topic)}
		e := event.Envelope{
			ID: event.NewID(), Type: d.Kind.Name, UserID: d.UserID, Timestamp: event.Time{Time: d.At},
			AggregateID: d.AggregateID, Version: d.Version, Sequence: next[at],
			CorrelationID: correlation, CausationID: tx.cause, Data: data,
		}
		next[at]++
		encoded, err := json.Marshal(e)
		if err != nil {
			return err
		}
		events[i] = eventRow{
			ID: e.ID, UserID: e.UserID, Topic: at.topic, Type: e.Type, AggregateID: e.AggregateID, Version: e.Version,
			Sequence: e.Sequence, CorrelationID: correlation, CausationID: tx.cause, Traceparent: trace,
			OccurredAt: d.At, Data: string(data),
		}
		outgoing[i] = Outgoing{
			Shard: ShardOf(d.UserID), Topic: at.topic, Key: d.UserID, EventID: e.ID, Type: e.Type, Trace: trace,
			Data: encoded, CreatedAt: now,
		}
	}
	if err := tx.Create(&events).Error; err != nil {
		if IsDuplicate(err) {
			return errs.Because(err, errs.Conflict, "this version of it exists already")
		}
		return err
	}
	if err := tx.Create(&outgoing).Error; err != nil {
		return err
	}
	tx.appended = true
	return nil
}

// CausedBy names the event that this transaction handles; the events it appends carry it as their cause.
func (tx *Tx) CausedBy(eventID string) { tx.cause = eventID }

// count is what one sequence counts.
type count struct{ userID, topic string }

// advance moves the sequences on by the drafts and returns the first new value of each. It locks them until the commit.
func (tx *Tx) advance(drafts []event.Draft) (map[count]int64, error) {
	more := map[count]int64{}
	for _, d := range drafts {
		more[count{d.UserID, string(d.Kind.Topic)}]++
	}
	rows := make([]sequenceRow, 0, len(more))
	for c, n := range more {
		rows = append(rows, sequenceRow{c.userID, c.topic, n})
	}
	slices.SortFunc(rows, func(a, b sequenceRow) int {
		return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.Topic, b.Topic))
	})
	err := tx.Clauses(advanceSequence, returnSequence).Create(&rows).Error
	if err != nil {
		return nil, err
	}
	next := make(map[count]int64, len(rows))
	for _, r := range rows {
		c := count{r.UserID, r.Topic}
		next[c] = r.Value - more[c] + 1
	}
	return next, nil
}

var (
	advanceSequence = clause.OnConflict{
		Columns:   []clause.Column{{Name: "user_id"}, {Name: "topic"}},
		DoUpdates: clause.Assignments(map[string]any{"value": gorm.Expr("sequences.value + excluded.value")}),
	}
	returnSequence = clause.Returning{Columns: []clause.Column{{Name: "user_id"}, {Name: "topic"}, {Name: "value"}}}
)
