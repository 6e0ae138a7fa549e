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
			ID: e.AggregateID, UserID: e.UserID, Fields: fieldsOf(created.GetFields()), Occurrence: occurrenceOf(created.GetOccurrence()),
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
	none := Task{}
	switch p := payload.(type) {
	case *taskv1.TaskUpdated:
		t.set(p.GetChanged(), fieldsOf(p.GetFields()))
		if p.GetOccurrence() != nil {
			t.Occurrence = occurrenceOf(p.GetOccurrence())
		}
	case *taskv1.TaskDueChanged:
		t.Due = dueOf(p.GetDue())
	case *taskv1.TaskCompleted:
		t.CompletedAt, t.SkippedAt = instant(p.GetCompletedAt().AsTime()), none.SkippedAt
	case *taskv1.TaskSkipped:
		t.SkippedAt = instant(p.GetSkippedAt().AsTime())
	case *taskv1.TaskReopened:
		t.CompletedAt, t.SkippedAt = none.CompletedAt, none.SkippedAt
	case *taskv1.TaskDeleted:
		t.DeletedAt = at
	case *taskv1.TaskRestored:
		t.DeletedAt = none.DeletedAt
	case *taskv1.TaskPurged:
		return nil, nil //nolint:nilnil // documented: no task is left
	case *taskv1.ReminderFired:
		// It is told to people; the task itself stays as it is.
	default:
		return nil, errs.New(errs.Invalid, "task %s has an event this version does not know: %s", t.ID, e.Type)
	}
	return t, nil
}

// ReplaySeries is Replay for a series, without its Progress, which Settle works out. A series does not go but with its user.
func ReplaySeries(s *Series, e event.Envelope, payload proto.Message) (*Series, error) {
	at := e.Timestamp.Time
	if created, ok := payload.(*taskv1.SeriesCreated); ok {
		if s != nil {
			return nil, errs.New(errs.Conflict, "series %s is created twice", e.AggregateID)
		}
		return &Series{
			ID: e.AggregateID, UserID: e.UserID, Fields: fieldsOf(created.GetFields()),
			Start: wallOf(created.GetStart()), WholeDay: created.GetWholeDay(),
			Version: e.Version, CreatedAt: at, UpdatedAt: at,
		}, nil
	}
	if s == nil {
		return nil, errs.New(errs.Conflict, "series %s has %s before it is created", e.AggregateID, e.Type)
	}
	if e.Version != s.Version+1 {
		return nil, errs.New(errs.Conflict, "series %s goes from version %d to %d", s.ID, s.Version, e.Version)
	}
	s.Version, s.UpdatedAt = e.Version, at
	switch p := payload.(type) {
	case *taskv1.SeriesUpdated:
		s.set(p.GetChanged(), fieldsOf(p.GetFields()))
		for _, name := range p.GetChanged() {
			if name == startChanged {
				s.Start, s.WholeDay = wallOf(p.GetStart()), p.GetWholeDay()
			}
		}
	case *taskv1.SeriesEnded:
		s.EndedAt = at
	case *taskv1.SeriesResumed:
		s.EndedAt = Series{}.EndedAt
	default:
		return nil, errs.New(errs.Invalid, "series %s has an event this version does not know: %s", s.ID, e.Type)
	}
	return s, nil
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
