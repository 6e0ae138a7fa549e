package task

import (
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

// New makes a task from fields that have been normalised (see Fields.Normal), for an owner in UTC: one that repeats begins its
// series.
func New(id, userID string, f Fields, now time.Time) Task { return newIn("UTC", id, userID, f, now) }

// newIn is New for an owner in a zone.
func newIn(zone, id, userID string, f Fields, now time.Time) Task {
	now = instant(now)
	t := Task{ID: id, UserID: userID, CreatedAt: now, UpdatedAt: now, ownerZone: zone}
	if f.Recurrence != nil {
		f = f.withDue(t.owner(), now)
		t.begin(f, now)
	}
	t.Fields = f
	t.setAlarms(now)
	record(&t, contract.TaskCreated, &taskv1.TaskCreated{Fields: f.message(), Occurrence: t.Occurrence.message()})
	return t
}

// Edit sets the fields to f, which has been normalised. What is the same as before is no change and makes no event; a
// moved due date is an event of its own. What it is to the task's series, the scope says: see repeat. errs.Conflict in the
// trash.
func (t *Task) Edit(f Fields, scope Scope, now time.Time) error {
	if err := t.inTrash(); err != nil || f.Equal(t.Fields) {
		return err
	}
	now = instant(now)
	before := t.Occurrence
	f, err := t.repeat(f, scope, now)
	if err != nil {
		return err
	}
	changed := f.changedSince(t.Fields)
	moved := !f.Due.Equal(t.Due)
	t.Fields, t.UpdatedAt = f, now
	if moved || slices.Contains(changed, "reminders") || slices.Contains(changed, "remind_at") {
		t.setAlarms(now)
	}
	begun := t.Occurrence != before
	if len(changed) > 0 || begun {
		p := &taskv1.TaskUpdated{Changed: changed, Fields: f.only(changed).message()}
		if begun {
			p.Occurrence = t.Occurrence.message()
		}
		record(t, contract.TaskUpdated, p)
	}
	if moved {
		record(t, contract.TaskDueChanged, &taskv1.TaskDueChanged{Due: f.Due.message()})
	}
	return nil
}

// Complete marks the task done, also one that was skipped. Done already is no change. errs.Conflict in the trash.
func (t *Task) Complete(now time.Time) error {
	if err := t.inTrash(); err != nil || t.Completed() {
		return err
	}
	t.UpdatedAt = instant(now)
	t.CompletedAt, t.SkippedAt = t.UpdatedAt, time.Time{}
	t.setAlarms(now)
	record(t, contract.TaskCompleted, &taskv1.TaskCompleted{
		CompletedAt: timestamppb.New(t.CompletedAt), SeriesId: t.Occurrence.SeriesID,
	})
	return nil
}

// Skip passes an occurrence over. Skipped already is no change. errs.Conflict for a task that is in no series, is done or is
// in the trash.
func (t *Task) Skip(now time.Time) error {
	switch {
	case t.inTrash() != nil:
		return t.inTrash()
	case t.Occurrence.IsZero():
		return errs.New(errs.Conflict, "task %s does not repeat: there is nothing to come instead of it", t.ID)
	case t.Completed():
		return errs.New(errs.Conflict, "task %s is done; reopen it first", t.ID)
	case !t.SkippedAt.IsZero():
		return nil
	}
	t.UpdatedAt = instant(now)
	t.SkippedAt = t.UpdatedAt
	t.setAlarms(now)
	record(t, contract.TaskSkipped, &taskv1.TaskSkipped{SkippedAt: timestamppb.New(t.SkippedAt), SeriesId: t.Occurrence.SeriesID})
	return nil
}

// Reopen marks the task, done or skipped, to be done again. Open already is no change. errs.Conflict in the trash.
func (t *Task) Reopen(now time.Time) error {
	if err := t.inTrash(); err != nil || t.Open() {
		return err
	}
	t.CompletedAt, t.SkippedAt, t.UpdatedAt = time.Time{}, time.Time{}, instant(now)
	t.setAlarms(now)
	record(t, contract.TaskReopened, &taskv1.TaskReopened{})
	return nil
}

// Delete moves the task to the trash. There already is no change. With the open one that a series made last, the series ends:
// who wants to be rid of that one alone skips it.
func (t *Task) Delete(now time.Time) error {
	if t.Deleted() {
		return nil
	}
	t.UpdatedAt = instant(now)
	t.DeletedAt = t.UpdatedAt
	t.setAlarms(now)
	if s := t.Series; s != nil && s.Newest == t.ID && t.Open() {
		s.end(t.DeletedAt)
	}
	record(t, contract.TaskDeleted, &taskv1.TaskDeleted{})
	return nil
}

// Restore takes the task out of the trash. Outside it already is no change. A series that ended with its deletion goes on.
func (t *Task) Restore(now time.Time) error {
	if !t.Deleted() {
		return nil
	}
	if s := t.Series; s != nil && s.Newest == t.ID && s.EndedAt.Equal(t.DeletedAt) {
		s.resume(now)
	}
	t.DeletedAt, t.UpdatedAt = time.Time{}, instant(now)
	t.setAlarms(now)
	record(t, contract.TaskRestored, &taskv1.TaskRestored{})
	return nil
}

// Purged is the event of a task leaving the trash for good; the store removes the row with it.
func (t *Task) Purged(now time.Time) event.Draft {
	return event.New(contract.TaskPurged, now, t.UserID, t.ID, t.Version+1, &taskv1.TaskPurged{})
}

// record counts a fact into the version and keeps it for the store.
func record[P proto.Message](t *Task, kind contract.Type[P], payload P) {
	t.Version++
	t.facts = append(t.facts, event.New(kind, t.UpdatedAt, t.UserID, t.ID, t.Version, payload))
}

// instant is a time as events carry it and every store can keep it: UTC, whole milliseconds.
func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
