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
	MaxTag         = 50      // characters
	MaxReminders   = 10      // relative ones, and as many absolute ones
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

// CatchUp says what becomes of occurrences whose time passed while nobody could make them, in a long outage for instance.
type CatchUp string

// The ways to catch up.
const (
	// Latest makes the last of them, whose time has just come or was missed by the least.
	Latest CatchUp = "latest"
	// All makes all of them, the last MaxCatchUp if there are more.
	All CatchUp = "all"
	// PassOver makes none that is missed: the last alone, and that only until an hour after its time, or while its day lasts.
	PassOver CatchUp = "skip"
)

// Recurrence is how a task repeats.
type Recurrence struct {
	// Rule is an RFC 5545 RRULE value, without "RRULE:".
	Rule   string
	Anchor Anchor
	// TimeZone is the IANA zone the rule is read in. Empty is the owner's: it moves when the owner does.
	TimeZone string
	// CatchUp is Latest in what Normal returns, unless it says otherwise.
	CatchUp CatchUp
}

// Fields is everything a person sets on a task.
type Fields struct {
	Title       string
	Description string
	Priority    Priority
	Tags        []string
	Due         Due
	// Reminders are minutes before the due time, in rising order; before nine in the morning, in the owner's zone, of a
	// whole day.
	Reminders []int
	// RemindAt are reminders at times of their own, in rising order.
	RemindAt []time.Time
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
	if !slices.EqualFunc(f.RemindAt, old.RemindAt, time.Time.Equal) {
		changed = append(changed, "remind_at")
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
	// Occurrence is the task's place in its series; the zero value if it is in none.
	Occurrence Occurrence
	// CompletedAt is zero while the task is not done.
	CompletedAt time.Time
	// SkippedAt is when the occurrence was passed over; zero if it was not. At most one of the two is set.
	SkippedAt time.Time
	// Version counts the task's events: 1 when created, one more with each.
	Version   int
	CreatedAt time.Time
	UpdatedAt time.Time
	// DeletedAt is when the task went to the trash; zero outside it.
	DeletedAt time.Time

	// Series is the task's series as it is in the same transaction, of which changes are saved with the task's. It is there
	// in the function that Store.Change calls, and in a task on its way to Store.Create; nil elsewhere and if there is none.
	Series *Series

	// ownerZone is the owner's zone, for what a change needs of it; UTC if empty. The Service sets it.
	ownerZone string
	facts     []event.Draft
	// alarmsFrom is the time whose alarms and later ones are to ring, if they are set anew: see Alarms.
	alarmsFrom    time.Time
	alarmsChanged bool
}

// Occurrence is a place in a series.
type Occurrence struct {
	// SeriesID is a UUIDv7; empty for none.
	SeriesID string
	// At is what the clocks show: a date and a time of day, in UTC as if it were there. With the series it is the
	// occurrence's identity, and stays when the task's due date is moved.
	At time.Time
}

// IsZero reports whether it is no place.
func (o Occurrence) IsZero() bool { return o.SeriesID == "" }

// Open reports whether the task is to be done.
func (t *Task) Open() bool { return t.CompletedAt.IsZero() && t.SkippedAt.IsZero() }

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
