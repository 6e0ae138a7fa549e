// Package topics takes in the events that make the scheduler act: announcements of what is due, tasks that were done or
// skipped, and users who moved.
//
// It owns that each event has its effect once, however often and in whatever order events are delivered: the note that an
// event was handled and the effect are one transaction, and so is nothing that only looks. It refuses to know what is due
// and what follows on what: pkg/task says.
package topics

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/inbox"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	contract "github.com/taskflow-suite/taskflow/proto"
	schedulev1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/schedule/v1"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
	userv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/user/v1"
)

// consumer is who has handled an event, in the inbox.
const consumer = contract.Scheduler

// zoneField is what user.updated calls the time zone.
const zoneField = "time_zone"

// Options are what handlers need.
type Options struct {
	Store *taskstore.Store
	// Now is the machine's clock by default.
	Now func() time.Time
	// Metrics takes the handlers' metrics; nil for none.
	Metrics prometheus.Registerer
}

type handlers struct {
	store   *taskstore.Store
	now     func() time.Time
	metrics metrics
}

// Register adds the handlers. Whatever else comes on the topics is done with at once.
func Register(r *event.Router, o Options) {
	if o.Now == nil {
		o.Now = time.Now
	}
	h := &handlers{o.Store, o.Now, newMetrics(o.Metrics)}
	event.On(r, contract.RecurrenceDue, h.recurrenceDue)
	event.On(r, contract.ReminderDue, h.reminderDue)
	event.On(r, contract.TaskCompleted, h.taskCompleted)
	event.On(r, contract.TaskSkipped, h.taskSkipped)
	event.On(r, contract.UserUpdated, h.userUpdated)
}

func (h *handlers) recurrenceDue(ctx context.Context, m event.Meta, due *schedulev1.RecurrenceDue) error {
	if err := named("series_id", due.GetSeriesId()); err != nil {
		return err
	}
	return h.spawn(ctx, m, due.GetSeriesId(), task.Cause{At: m.Timestamp.Time})
}

func (h *handlers) taskCompleted(ctx context.Context, m event.Meta, done *taskv1.TaskCompleted) error {
	return h.closed(ctx, m, done.GetSeriesId(), done.GetCompletedAt())
}

func (h *handlers) taskSkipped(ctx context.Context, m event.Meta, skipped *taskv1.TaskSkipped) error {
	return h.closed(ctx, m, skipped.GetSeriesId(), skipped.GetSkippedAt())
}

// closed has the next occurrence made when one is done or skipped.
func (h *handlers) closed(ctx context.Context, m event.Meta, seriesID string, at *timestamppb.Timestamp) error {
	if seriesID == "" {
		return nil
	}
	if err := named("series_id", seriesID); err != nil {
		return err
	}
	if err := at.CheckValid(); err != nil {
		return errs.Because(err, errs.Invalid, "%s does not say when", m.Type)
	}
	return h.spawn(ctx, m, seriesID, task.Cause{Closed: m.AggregateID, ClosedAt: at.AsTime()})
}

func (h *handlers) spawn(ctx context.Context, m event.Meta, seriesID string, cause task.Cause) error {
	var done task.Spawned
	err := h.once(ctx, m, func(ctx context.Context, tasks *task.Service) (err error) {
		done, err = tasks.Spawn(ctx, m.UserID, seriesID, cause)
		return err
	})
	if err == nil {
		h.metrics.spawned(done, h.now())
	}
	return err
}

func (h *handlers) reminderDue(ctx context.Context, m event.Meta, due *schedulev1.ReminderDue) error {
	if err := named("reminder_id", due.GetReminderId()); err != nil {
		return err
	}
	var (
		late time.Duration
		rang bool
	)
	err := h.once(ctx, m, func(ctx context.Context, tasks *task.Service) (err error) {
		late, rang, err = tasks.Ring(ctx, m.UserID, due.GetReminderId())
		return err
	})
	if err == nil && rang {
		h.metrics.rang(late)
	}
	return err
}

// userUpdated goes to wherever the user is by now, which is the same again: it needs no note to do so once. It takes a
// transaction for each task, and goes on where it was when it is delivered again. The note at the end is for those who look
// after dead letters (pkg/deadletter).
func (h *handlers) userUpdated(ctx context.Context, m event.Meta, user *userv1.UserUpdated) error {
	if !slices.Contains(user.GetChanged(), zoneField) {
		return nil
	}
	if err := task.NewService(h.store, h.now).Move(correlated(ctx, m), m.UserID); err != nil {
		return unlessGone(err)
	}
	return h.once(ctx, m, func(context.Context, *task.Service) error { return nil })
}

// once runs effect in the transaction that notes that the event was handled, unless it was. Nothing is left to do for a
// user who is gone.
func (h *handlers) once(ctx context.Context, m event.Meta, effect func(context.Context, *task.Service) error) error {
	ctx = correlated(ctx, m)
	return unlessGone(h.store.WithinKnown(ctx, m.UserID, func(tx *postgres.Tx, own *taskstore.Store) error {
		first, err := inbox.Once(tx, consumer, m.ID)
		if err != nil || !first {
			return err
		}
		return effect(ctx, task.NewService(own, h.now))
	}))
}

// unlessGone is err, but for a user who is not there any more.
func unlessGone(err error) error {
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}

// correlated begins a new piece of work with an event that belongs to none: what is due belongs to no request.
func correlated(ctx context.Context, m event.Meta) context.Context {
	if m.CorrelationID != "" {
		return telemetry.WithCorrelation(ctx, m.CorrelationID)
	}
	return telemetry.WithCorrelation(ctx, m.ID)
}

// named is errs.Invalid unless id can be one.
func named(field, id string) error {
	if !postgres.IsUUID(id) {
		return errs.New(errs.Invalid, "%s is no UUID", field)
	}
	return nil
}
