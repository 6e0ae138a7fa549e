package taskstore

import (
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// row is how Postgres sees a task. It never leaves this package. The columns trashed and search are Postgres's own.
type row struct {
	ID               string `gorm:"primaryKey"`
	UserID           string
	Title            string
	Description      string
	Priority         int16
	Tags             postgres.Texts
	DueAt            *time.Time
	DueDate          *time.Time
	Deadline         *time.Time
	Reminders        postgres.Ints
	RemindAt         postgres.Times
	RecurrenceRule   *string
	RecurrenceAnchor *string
	RecurrenceZone   *string
	// RecurrenceCatchUp is nil for task.Latest.
	RecurrenceCatchUp *string
	SeriesID          *string
	Occurrence        *time.Time
	CompletedAt       *time.Time
	SkippedAt         *time.Time
	Version           int
	CreatedAt         time.Time
	UpdatedAt         time.Time `gorm:"autoUpdateTime:false"`
	DeletedAt         *time.Time
}

func (row) TableName() string { return "tasks" }

// rowColumns are in the order of row.columns.
var rowColumns = []string{
	"id", "user_id", "title", "description", "priority", "tags", "due_at", "due_date", "deadline", "reminders", "remind_at",
	"recurrence_rule", "recurrence_anchor", "recurrence_zone", "recurrence_catch_up", "series_id", "occurrence",
	"completed_at", "skipped_at", "version", "created_at", "updated_at", "deleted_at",
}

func (r *row) columns() []any {
	return []any{
		&r.ID, &r.UserID, &r.Title, &r.Description, &r.Priority, &r.Tags, &r.DueAt, &r.DueDate, &r.Deadline, &r.Reminders, &r.RemindAt,
		&r.RecurrenceRule, &r.RecurrenceAnchor, &r.RecurrenceZone, &r.RecurrenceCatchUp, &r.SeriesID, &r.Occurrence,
		&r.CompletedAt, &r.SkippedAt, &r.Version, &r.CreatedAt, &r.UpdatedAt, &r.DeletedAt,
	}
}

// each calls fn with every row of a query on tasks. The row is the same each time. gorm's own scanning takes twice as long,
// which a page of fifty feels.
func each(query *gorm.DB, fn func(*row)) (err error) {
	rows, err := query.Model(&row{}).Select(rowColumns).Rows()
	if err != nil {
		return postgres.Failure(err)
	}
	defer func() { err = errors.Join(err, postgres.Failure(rows.Close())) }()
	var r row
	into := r.columns()
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return postgres.Failure(err)
		}
		fn(&r)
	}
	return postgres.Failure(rows.Err())
}

// rowOf needs the owner's zone only for a task that is due on a day.
func rowOf(t task.Task, zone *time.Location) row {
	r := row{
		ID: t.ID, UserID: t.UserID, Title: t.Title, Description: t.Description,
		Priority: int16(t.Priority.Rank()), //nolint:gosec // G115: at most 4
		Tags:     t.Tags, Reminders: t.Reminders, RemindAt: t.RemindAt,
		SeriesID: orNone(t.Occurrence.SeriesID), Occurrence: orNull(t.Occurrence.At),
		DueAt: orNull(t.Due.At), CompletedAt: orNull(t.CompletedAt), SkippedAt: orNull(t.SkippedAt), DeletedAt: orNull(t.DeletedAt),
		Version: t.Version, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
		Deadline: orNull(t.Due.At),
	}
	if t.Due.Date != "" {
		day, _ := time.Parse(time.DateOnly, t.Due.Date) // checked by task.Fields.Normal
		r.DueDate, r.Deadline = &day, orNull(t.Due.Deadline(zone))
	}
	if n := t.Recurrence; n != nil {
		anchor := string(n.Anchor)
		r.RecurrenceRule, r.RecurrenceAnchor, r.RecurrenceZone = &n.Rule, &anchor, orNone(n.TimeZone)
		if n.CatchUp != task.Latest {
			r.RecurrenceCatchUp = orNone(string(n.CatchUp))
		}
	}
	return r
}

func (r row) task() task.Task {
	t := task.Task{
		ID: r.ID, UserID: r.UserID,
		Fields: task.Fields{
			Title: r.Title, Description: r.Description, Priority: priorityOf(r.Priority),
			Tags: r.Tags, Reminders: r.Reminders, RemindAt: r.RemindAt, Due: task.Due{At: orZero(r.DueAt)},
		},
		CompletedAt: orZero(r.CompletedAt), SkippedAt: orZero(r.SkippedAt), Version: r.Version,
		CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(), DeletedAt: orZero(r.DeletedAt),
	}
	if r.DueDate != nil {
		t.Due.Date = r.DueDate.Format(time.DateOnly)
	}
	if r.SeriesID != nil {
		t.Occurrence = task.Occurrence{SeriesID: *r.SeriesID, At: orZero(r.Occurrence)}
	}
	if r.RecurrenceRule != nil && r.RecurrenceAnchor != nil {
		t.Recurrence = &task.Recurrence{Rule: *r.RecurrenceRule, Anchor: task.Anchor(*r.RecurrenceAnchor), CatchUp: task.Latest}
		if r.RecurrenceZone != nil {
			t.Recurrence.TimeZone = *r.RecurrenceZone
		}
		if r.RecurrenceCatchUp != nil {
			t.Recurrence.CatchUp = task.CatchUp(*r.RecurrenceCatchUp)
		}
	}
	return t
}

func priorityOf(rank int16) task.Priority {
	all := task.Priorities()
	if rank < 0 || int(rank) >= len(all) {
		return task.None // the table's check keeps this from happening
	}
	return all[rank]
}

// profileRow is how Postgres sees a profile.
type profileRow struct {
	UserID    string `gorm:"primaryKey"`
	TimeZone  string
	Version   int
	CreatedAt time.Time
	UpdatedAt time.Time `gorm:"autoUpdateTime:false"`
}

func (profileRow) TableName() string { return "profiles" }

func profileRowOf(p task.Profile) profileRow {
	return profileRow{p.UserID, p.TimeZone, p.Version, p.CreatedAt, p.UpdatedAt}
}

func (r profileRow) profile() task.Profile {
	return task.Profile{
		UserID: r.UserID, TimeZone: r.TimeZone, Version: r.Version,
		CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
	}
}

// onceRow is how Postgres sees a request that must take effect once.
type onceRow struct {
	UserID    string `gorm:"primaryKey"`
	Key       string `gorm:"primaryKey"`
	Hash      string
	Answer    []byte
	CreatedAt time.Time
}

func (onceRow) TableName() string { return "idempotency" }

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func orNone(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
