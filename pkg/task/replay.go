package task

import (
	"google.golang.org/protobuf/proto"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
	userv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/user/v1"
)

// Replay applies one event to what earlier events left of its task, nil before the first. It returns nil once the
// task is purged. Applying all events of a task in order gives exactly the stored task: this is what makes the log the
// system of record. errs.Conflict if the event does not follow on the task's version.
func Replay(t *Task, e event.Envelope, payload proto.Message) (*Task, error) {
	at := e.Timestamp.Time
	if created, ok := payload.(*taskv1.TaskCreated); ok {
		if t != nil {
			return nil, errs.New(errs.Conflict, "task %s is created twice", e.AggregateID)
		}
		return &Task{
			ID: e.AggregateID, UserID: e.UserID, Fields: fieldsOf(created.GetFields()),
			Version: e.Version, CreatedAt: at, UpdatedAt: at,
		}, nil
	}
	if t == nil {
		return nil, errs.New(errs.Conflict, "task %s has %s before it is created", e.AggregateID, e.Type)
	}
	if e.Version != t.Version+1 {
		return nil, errs.New(errs.Conflict, "task %s goes from version %d to %d", t.ID, t.Version, e.Version)
	}
	t.Version, t.UpdatedAt = e.Version, at
	switch p := payload.(type) {
	case *taskv1.TaskUpdated:
		t.apply(p.GetChanged(), fieldsOf(p.GetFields()))
	case *taskv1.TaskDueChanged:
		t.Due = dueOf(p.GetDue())
	case *taskv1.TaskCompleted:
		t.CompletedAt = instant(p.GetCompletedAt().AsTime())
	case *taskv1.TaskReopened:
		t.CompletedAt = Task{}.CompletedAt
	case *taskv1.TaskDeleted:
		t.DeletedAt = at
	case *taskv1.TaskRestored:
		t.DeletedAt = Task{}.DeletedAt
	case *taskv1.TaskPurged:
		return nil, nil //nolint:nilnil // documented: no task is left
	case *taskv1.ReminderFired:
		// It is told to people; the task itself stays as it is.
	default:
		return nil, errs.New(errs.Invalid, "task %s has an event this version does not know: %s", t.ID, e.Type)
	}
	return t, nil
}

// apply sets the named fields, all but due.
func (t *Task) apply(names []string, f Fields) {
	for _, name := range names {
		switch name {
		case "title":
			t.Title = f.Title
		case "description":
			t.Description = f.Description
		case "priority":
			t.Priority = f.Priority
		case "tags":
			t.Tags = f.Tags
		case "reminders":
			t.Reminders = f.Reminders
		case "recurrence":
			t.Recurrence = f.Recurrence
		}
	}
}

func fieldsOf(m *taskv1.Fields) Fields {
	f := Fields{
		Title: m.GetTitle(), Description: m.GetDescription(), Priority: Priority(m.GetPriority()),
		Tags: m.GetTags(), Due: dueOf(m.GetDue()),
	}
	for _, r := range m.GetReminders() {
		f.Reminders = append(f.Reminders, int(r))
	}
	if r := m.GetRecurrence(); r != nil {
		f.Recurrence = &Recurrence{Rule: r.GetRule(), Anchor: Anchor(r.GetAnchor()), TimeZone: r.GetTimeZone()}
	}
	return f
}

func dueOf(m *taskv1.Due) Due {
	switch w := m.GetWhen().(type) {
	case *taskv1.Due_Date:
		return Due{Date: w.Date}
	case *taskv1.Due_At:
		return Due{At: instant(w.At.AsTime())}
	default:
		return Due{}
	}
}

// ReplayProfile is Replay for a user's profile. It returns nil once the user is forgotten.
func ReplayProfile(p *Profile, e event.Envelope, payload proto.Message) (*Profile, error) {
	at := e.Timestamp.Time
	switch m := payload.(type) {
	case *userv1.UserCreated:
		if p != nil {
			return nil, errs.New(errs.Conflict, "user %s is created twice", e.UserID)
		}
		return &Profile{UserID: e.UserID, TimeZone: m.GetTimeZone(), Version: e.Version, CreatedAt: at, UpdatedAt: at}, nil
	case *userv1.UserDeleted:
		// All events before it are gone with the user.
		return nil, nil //nolint:nilnil // documented: no profile is left
	case *userv1.UserUpdated:
		if p == nil || e.Version != p.Version+1 {
			return nil, errs.New(errs.Conflict, "user %s has version %d out of order", e.UserID, e.Version)
		}
		p.TimeZone, p.Version, p.UpdatedAt = m.GetTimeZone(), e.Version, at
		return p, nil
	default:
		return nil, errs.New(errs.Invalid, "user %s has an event this version does not know: %s", e.UserID, e.Type)
	}
}
