package deadletter

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// breather is how long no note is tried after one could not be written: a database that is away must not hold up the
// deliveries that fail because it is.
const breather = 5 * time.Second

// Options are what a Recorder needs. Zero bounds mean the defaults.
type Options struct {
	// Consumer is whose dead letters they are: the service's app id.
	Consumer string
	// Topics are those whose work the consumer shares.
	Topics []contract.Topic
	// Metrics takes the recorder's metrics; nil for none.
	Metrics prometheus.Registerer
	// Rows bounds how many letters are kept, of all consumers: who can publish could fill the database otherwise. What is
	// beyond is counted and logged. Default 100,000. Records bounds how many of them keep their record, of 64 KiB at most.
	// Default 1,000.
	Rows, Records int
	// Every is how often letters are counted. Default 10 s.
	Every time.Duration
}

// Recorder notes what a consumer cannot handle. It is safe for concurrent use.
type Recorder struct {
	db      *postgres.DB
	o       Options
	metrics metrics
	owed    owed
	// pausing is until when notes are owed at once, in unix nanoseconds.
	pausing atomic.Int64
	// crowded and full say that the bounds were reached when letters were counted last.
	crowded, full atomic.Bool
}

// New makes a Recorder.
func New(db *postgres.DB, o Options) *Recorder {
	if o.Rows == 0 {
		o.Rows = 100_000
	}
	if o.Records == 0 {
		o.Records = 1000
	}
	if o.Every == 0 {
		o.Every = 10 * time.Second
	}
	return &Recorder{db: db, o: o, metrics: newMetrics(o)}
}

// NotHandled notes an attempt that failed; it is for sidecar.ServerOptions. It does what it can until ctx ends: a note that
// cannot be written is owed, and so are those of the next seconds.
func (r *Recorder) NotHandled(ctx context.Context, d sidecar.Delivery, f sidecar.Failure) {
	i, ok := ofDelivery(d)
	if !ok || r.full.Load() {
		return
	}
	n := note{d.Topic, i, f, 1}
	if time.Now().UnixNano() < r.pausing.Load() {
		r.owed.add(n, true)
		return
	}
	if err := r.write(ctx, n); err != nil {
		r.pausing.Store(time.Now().Add(breather).UnixNano())
		r.owed.add(n, true)
		slog.WarnContext(ctx, "the failure of a delivery is not noted yet", "topic", string(d.Topic), "event_id", i.id, "error", err)
	}
}

func (r *Recorder) write(ctx context.Context, n note) error {
	values := r.values(n.topic, n.identity, n.Failure)
	values["attempts"], values["deaths"], values["place"] = n.attempts, 0, ""
	return postgres.Failure(r.db.Read(ctx).Model(&row{}).Clauses(clause.OnConflict{
		Columns: key, DoUpdates: clause.Assignments(map[string]any{
			"reason": values["reason"], "kind": values["kind"], "last_seen": now, "attempts": gorm.Expr("dead_letters.attempts + excluded.attempts"),
		}),
	}).Create(values).Error)
}

// key is what makes two letters the same.
var key = []clause.Column{{Name: "consumer"}, {Name: "topic"}, {Name: "id"}}

// now is the time of the database: those of the replicas may differ.
var now = gorm.Expr("now()")

// values are the columns that a note and a dead letter have in common.
func (r *Recorder) values(topic contract.Topic, i identity, f sidecar.Failure) map[string]any {
	return map[string]any{
		"consumer": r.o.Consumer, "topic": string(topic), "id": i.id, "event_id": i.eventID(), "user_id": i.user, "event_type": i.eventType,
		"correlation_id": i.correlationID, "reason": text(f.Reason, maxReason), "kind": known(f.Kind), "first_seen": now, "last_seen": now,
	}
}

// settle writes the notes that are owed.
func (r *Recorder) settle(ctx context.Context) error {
	for range maxOwed { // while others come
		n, ok := r.owed.any()
		if !ok {
			return nil
		}
		if err := r.write(ctx, n); err != nil {
			r.owed.add(n, false)
			return err
		}
	}
	return nil
}

// eventID is a value for a column that is null without an event.
func (i identity) eventID() any {
	if !i.event {
		return nil
	}
	return i.id
}

// Subscriptions take the consumer's dead-letter topics. Nothing becomes of what they cannot keep but that it is delivered
// again, without end: it is kept when the database is back.
func (r *Recorder) Subscriptions(dapr sidecar.Dapr) []sidecar.Subscription {
	all := make([]sidecar.Subscription, len(r.o.Topics))
	for i, topic := range r.o.Topics {
		all[i] = dapr.DeadLetters(r.o.Consumer, topic, func(ctx context.Context, d sidecar.Delivery) error {
			return r.record(ctx, topic, d)
		})
	}
	return all
}

// record makes a record of the dead-letter topic a dead letter.
func (r *Recorder) record(ctx context.Context, topic contract.Topic, d sidecar.Delivery) error {
	i, f := ofRecord(topic, d.Key, d.Data)
	if r.full.Load() {
		r.metrics.dead(topic, f.Kind)
		slog.ErrorContext(ctx, "dead letter, not kept: there are too many", "topic", string(topic), "event_id", i.id, "place", d.Place)
		return nil
	}
	if n, ok := r.owed.take(topic, i.id); ok {
		if err := r.write(ctx, n); err != nil {
			r.owed.add(n, false)
			return err
		}
	}
	values := r.values(topic, i, f)
	values["attempts"], values["deaths"], values["died_at"], values["place"] = 0, 1, now, d.Place
	values["record"] = nil
	if len(d.Data) <= maxRecord && !private(topic) && !r.crowded.Load() {
		// Only if the log has never had the event: that of a user who was forgotten is to be forgotten as well.
		values["record"] = gorm.Expr(`CASE WHEN NOT EXISTS (SELECT FROM sequences s
			WHERE ?::boolean AND s.user_id = ?::text AND s.topic = ?::text AND s.value >= ?::bigint) THEN ?::bytea END`,
			i.event, i.user, string(topic), i.sequence, append([]byte{}, d.Data...))
	}
	done := r.db.Read(ctx).Model(&row{}).Clauses(clause.OnConflict{
		Columns: key, DoUpdates: clause.Assignments(map[string]any{
			"last_seen": now, "died_at": now, "deaths": gorm.Expr("dead_letters.deaths + 1"), "place": d.Place, "discarded_at": nil,
			"record": gorm.Expr("coalesce(dead_letters.record, excluded.record)"),
		}),
		Where: clause.Where{Exprs: []clause.Expression{gorm.Expr("(excluded.place = '' OR dead_letters.place <> excluded.place)")}},
	}).Create(values)
	if done.Error != nil || done.RowsAffected == 0 { // the same delivery as before
		return postgres.Failure(done.Error)
	}
	var died row
	err := r.db.Read(ctx).Where("consumer = ? AND topic = ? AND id = ?", r.o.Consumer, string(topic), i.id).Limit(1).Find(&died).Error
	if err != nil { // It is kept; only that is left to be told.
		died = row{Kind: f.Kind, Reason: f.Reason}
	}
	r.metrics.dead(topic, died.Kind)
	slog.ErrorContext(ctx, "dead letter", "topic", string(topic), "event_id", i.id, "event_type", i.eventType, "kind", died.Kind,
		"reason", died.Reason, "attempts", died.Attempts, "place", d.Place)
	return nil
}
