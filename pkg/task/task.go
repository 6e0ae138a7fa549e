// Package task is the rule book: what a task is, what may be done to it, and which event each change is. Every
// service that changes tasks does so through its Service.
//
// It knows no database, no transport and no sidecar: Store says what it needs of the first, and the others call it.
package task

import (
	"slices"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
)

// Bounds on what a task may hold.
const (
	MaxTitle       = 200    // characters
	MaxDescription = 10_000 // characters
	MaxTags        = 20
	MaxTag         = 50 // characters
	MaxReminders   = 10
	MaxReminder    = 525_600 // minutes before the due time: a year
	// TrashDays is how many days a deleted task can be restored.
	TrashDays = 30
)

// Priority is how much a task matters.
type Priority string

// The priorities, from least to most.
const (
	None   Priority = "none"
	Low    Priority = "low"
	Medium Priority = "medium"
	High   Priority = "high"
	Urgent Priority = "urgent"
)

// Priorities lists the priorities from least to most.
func Priorities() []Priority { return []Priority{None, Low, Medium, High, Urgent} }

// Rank orders priorities: 0 for None up to 4 for Urgent, -1 for none of them.
func (p Priority) Rank() int { return slices.Index(Priorities(), p) }

// Due is when a task is due: an instant, or a whole day. The zero Due is none.
type Due struct {
	// At is the instant, in UTC and whole milliseconds; zero for a day.
	At time.Time
	// Date is the day, as YYYY-MM-DD in the owner's time zone; empty for an instant.
	Date string
}

// IsZero reports whether there is no due date.
func (d Due) IsZero() bool { return d.At.IsZero() && d.Date == "" }

// Equal reports whether both are the same due date.
func (d Due) Equal(o Due) bool { return d.Date == o.Date && d.At.Equal(o.At) }

// Deadline is the instant after which the task is overdue: the due instant, or the end of the due day in zone.
func (d Due) Deadline(zone *time.Location) time.Time {
	if d.Date == "" {
		return d.At
	}
	day, err := time.ParseInLocation(time.DateOnly, d.Date, zone)
	if err != nil {
		return time.Time{}
	}
	return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, zone)
}

// Anchor says what the next occurrence of a repeating task is counted from.
type Anchor string

// The anchors.
const (
	OnSchedule   Anchor = "schedule"
	OnCompletion Anchor = "completion"
)

// Recurrence is how a task repeats.
type Recurrence struct {
	// Rule is an RFC 5545 RRULE value, without "RRULE:".
	Rule   string
	Anchor Anchor
	// TimeZone is the IANA zone the rule is read in.
	TimeZone string
}

// Fields is everything a person sets on a task.
type Fields struct {
	Title       string
	Description string
	Priority    Priority
	Tags        []string
	Due         Due
	// Reminders are minutes before the due time, in rising order.
	Reminders []int
	// Recurrence is nil for a task that does not repeat.
	Recurrence *Recurrence
}

// Equal reports whether both say the same.
func (f Fields) Equal(o Fields) bool { return len(f.changedSince(o)) == 0 && f.Due.Equal(o.Due) }

// changedSince names the fields, all but due, in which f differs from old. The names are the contract's.
func (f Fields) changedSince(old Fields) []string {
	var changed []string
	if f.Title != old.Title {
		changed = append(changed, "title")
	}
	if f.Description != old.Description {
		changed = append(changed, "description")
	}
	if f.Priority != old.Priority {
		changed = append(changed, "priority")
	}
	if !slices.Equal(f.Tags, old.Tags) {
		changed = append(changed, "tags")
	}
	if !slices.Equal(f.Reminders, old.Reminders) {
		changed = append(changed, "reminders")
	}
	if (f.Recurrence == nil) != (old.Recurrence == nil) || f.Recurrence != nil && *f.Recurrence != *old.Recurrence {
		changed = append(changed, "recurrence")
	}
	return changed
}

// Task is something to be done, by one user.
type Task struct {
	// ID is a UUIDv7.
	ID     string
	UserID string
	Fields
	// CompletedAt is zero while the task is open.
	CompletedAt time.Time
	// Version counts the task's events: 1 when created, one more with each.
	Version   int
	CreatedAt time.Time
	UpdatedAt time.Time
	// DeletedAt is when the task went to the trash; zero outside it.
	DeletedAt time.Time

	facts []event.Draft
}

// Completed reports whether the task is done.
func (t *Task) Completed() bool { return !t.CompletedAt.IsZero() }

// Deleted reports whether the task is in the trash.
func (t *Task) Deleted() bool { return !t.DeletedAt.IsZero() }

// Facts are the events of the changes made to this copy since it was loaded or made, in order.
func (t *Task) Facts() []event.Draft { return t.facts }

// inTrash refuses a change to a task in the trash.
func (t *Task) inTrash() error {
	if t.Deleted() {
		return errs.New(errs.Conflict, "task %s is in the trash; restore it first", t.ID)
	}
	return nil
}
