package task

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	contract "github.com/taskflow-suite/taskflow/proto"
	schedulev1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/schedule/v1"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

// LateAfter is how long after its time a reminder is late.
const LateAfter = time.Minute

// Absolute is Alarm.Minutes of a reminder at a time of its own.
const Absolute = -1

// morning is when a whole day's reminders count back from.
const morning = 9 * time.Hour

// Alarm is one reminder of one task: that it rings once is the store's promise, by Minutes and DueAt.
type Alarm struct {
	// Minutes before DueAt, or Absolute.
	Minutes int
	// DueAt is what it counts back from: the due time, nine in the morning of a due day, or its own time.
	DueAt time.Time
	// At is when it rings.
	At time.Time
}

// AlarmsChanged reports whether this copy was changed in a way that its alarms may be others than before: the store then sets
// them anew, also if there is no fact. Otherwise it leaves them alone, so that one that is late does not get lost because
// somebody gives the task another title meanwhile.
func (t *Task) AlarmsChanged() bool { return t.alarmsChanged }

// Alarms are those of the task that are still to ring, for a task whose AlarmsChanged: none of one that is closed or in the
// trash, and none whose time was over when it was set. One of them that has rung does not ring again: the store knows. zone is
// the owner's, needed for a whole day.
func (t *Task) Alarms(zone *time.Location) []Alarm {
	if !t.Open() || t.Deleted() {
		return nil
	}
	var all []Alarm
	set := func(a Alarm) {
		if !a.At.Before(t.alarmsFrom) {
			all = append(all, a)
		}
	}
	if due := t.Due.remindedOf(zone); !due.IsZero() {
		for _, m := range t.Reminders {
			set(Alarm{Minutes: m, DueAt: due, At: due.Add(-time.Duration(m) * time.Minute)})
		}
	}
	for _, at := range t.RemindAt {
		set(Alarm{Minutes: Absolute, DueAt: at, At: at})
	}
	return all
}

// setAlarms has the store set the alarms anew: those from a time on.
func (t *Task) setAlarms(from time.Time) { t.alarmsFrom, t.alarmsChanged = instant(from), true }

// remindedOf is what reminders count back from, zero without a due date.
func (d Due) remindedOf(zone *time.Location) time.Time {
	if d.Date == "" {
		return d.At
	}
	day, err := time.Parse(time.DateOnly, d.Date)
	if err != nil {
		return time.Time{}
	}
	return recurrence.Instant(day.Add(morning), zone).UTC()
}

// ring tells that an alarm's time has come. It returns how long ago that was.
func (t *Task) ring(a Alarm, now time.Time) time.Duration {
	now = instant(now)
	late := max(now.Sub(a.At), 0)
	t.UpdatedAt = now
	record(t, contract.ReminderFired, &taskv1.ReminderFired{
		MinutesBefore: minutesOf(a), DueAt: timestamppb.New(a.DueAt), Absolute: a.Minutes == Absolute,
		Late: late > LateAfter, LateSeconds: int32(min(late/time.Second, 1<<30)), //nolint:gosec // G115: bounded
	})
	return late
}

// ReminderDue is the trigger of an alarm that was claimed for the n-th time.
func ReminderDue(alarmID, userID, taskID string, a Alarm, n int, now time.Time) event.Draft {
	return event.New(contract.ReminderDue, instant(now), userID, alarmID, n, &schedulev1.ReminderDue{
		TaskId: taskID, ReminderId: alarmID, MinutesBefore: minutesOf(a), DueAt: timestamppb.New(a.DueAt),
	})
}

// minutesOf is 0 for an absolute alarm.
func minutesOf(a Alarm) int32 { return int32(max(a.Minutes, 0)) } //nolint:gosec // G115: at most MaxReminder
