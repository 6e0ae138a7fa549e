package task

import (
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

// New makes a task from fields that have been normalised (see Fields.Normal).
func New(id, userID string, f Fields, now time.Time) Task {
	now = instant(now)
	t := Task{ID: id, UserID: userID, Fields: f, CreatedAt: now, UpdatedAt: now}
	record(&t, contract.TaskCreated, &taskv1.TaskCreated{Fields: f.message()})
	return t
}

// Edit sets the fields to f, which has been normalised. What is the same as before is no change and makes no event; a
// moved due date is an event of its own. errs.Conflict in the trash.
func (t *Task) Edit(f Fields, now time.Time) error {
	if err := t.inTrash(); err != nil {
		return err
	}
	changed := f.changedSince(t.Fields)
	due := !f.Due.Equal(t.Due)
	if len(changed) == 0 && !due {
		return nil
	}
	t.Fields, t.UpdatedAt = f, instant(now)
	if len(changed) > 0 {
		record(t, contract.TaskUpdated, &taskv1.TaskUpdated{Changed: changed, Fields: f.only(changed).message()})
	}
	if due {
		record(t, contract.TaskDueChanged, &taskv1.TaskDueChanged{Due: f.Due.message()})
	}
	return nil
}

// Complete marks the task done. Done already is no change. errs.Conflict in the trash.
func (t *Task) Complete(now time.Time) error {
	if err := t.inTrash(); err != nil || t.Completed() {
		return err
	}
	t.CompletedAt, t.UpdatedAt = instant(now), instant(now)
	record(t, contract.TaskCompleted, &taskv1.TaskCompleted{CompletedAt: timestamppb.New(t.CompletedAt)})
	return nil
}

// Reopen marks the task to be done again. Open already is no change. errs.Conflict in the trash.
func (t *Task) Reopen(now time.Time) error {
	if err := t.inTrash(); err != nil || !t.Completed() {
		return err
	}
	t.CompletedAt, t.UpdatedAt = time.Time{}, instant(now)
	record(t, contract.TaskReopened, &taskv1.TaskReopened{})
	return nil
}

// Delete moves the task to the trash. There already is no change.
func (t *Task) Delete(now time.Time) error {
	if t.Deleted() {
		return nil
	}
	t.DeletedAt, t.UpdatedAt = instant(now), instant(now)
	record(t, contract.TaskDeleted, &taskv1.TaskDeleted{})
	return nil
}

// Restore takes the task out of the trash. Outside it already is no change.
func (t *Task) Restore(now time.Time) error {
	if !t.Deleted() {
		return nil
	}
	t.DeletedAt, t.UpdatedAt = time.Time{}, instant(now)
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

// only keeps the named fields and clears the rest.
func (f Fields) only(names []string) Fields {
	var g Fields
	for _, name := range names {
		switch name {
		case "title":
			g.Title = f.Title
		case "description":
			g.Description = f.Description
		case "priority":
			g.Priority = f.Priority
		case "tags":
			g.Tags = slices.Clone(f.Tags)
		case "reminders":
			g.Reminders = slices.Clone(f.Reminders)
		case "recurrence":
			g.Recurrence = f.Recurrence
		}
	}
	return g
}

// message is the fields as events carry them.
func (f Fields) message() *taskv1.Fields {
	m := &taskv1.Fields{
		Title: f.Title, Description: f.Description, Priority: string(f.Priority), Tags: f.Tags, Due: f.Due.message(),
	}
	for _, r := range f.Reminders {
		m.Reminders = append(m.Reminders, int32(r)) //nolint:gosec // G115: at most MaxReminder
	}
	if r := f.Recurrence; r != nil {
		m.Recurrence = &taskv1.Recurrence{Rule: r.Rule, Anchor: string(r.Anchor), TimeZone: r.TimeZone}
	}
	return m
}

func (d Due) message() *taskv1.Due {
	switch {
	case d.IsZero():
		return nil
	case d.Date != "":
		return &taskv1.Due{When: &taskv1.Due_Date{Date: d.Date}}
	default:
		return &taskv1.Due{When: &taskv1.Due_At{At: timestamppb.New(d.At)}}
	}
}
