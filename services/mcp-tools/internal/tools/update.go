package tools

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// nothing is the word that takes something away, where a schema with null would be refused by some models.
const nothing = "none"

func isNothing(said string) bool { return strings.EqualFold(strings.TrimSpace(said), nothing) }

// updateItem is a task of update_tasks. What is nil was not sent.
type updateItem struct {
	ID          string         `json:"id"`
	Version     int            `json:"version"`
	Title       *string        `json:"title"`
	Description *string        `json:"description"`
	Priority    *task.Priority `json:"priority"`
	Tags        *[]string      `json:"tags"`
	AddTags     []string       `json:"add_tags"`
	RemoveTags  []string       `json:"remove_tags"`
	Reminders   *[]int         `json:"reminders"`
	RemindAt    *[]string      `json:"remind_at"`
	Repeats     *string        `json:"repeats"`
	RepeatsFrom *task.Anchor   `json:"repeats_from"`
	CatchUp     *task.CatchUp  `json:"catch_up"`

	// remindAt is what RemindAt says.
	remindAt []time.Time
}

func updateTasks(ctx context.Context, c *call) (answer, error) {
	return c.edits(ctx, func(item any) (change, error) {
		if fields, ok := item.(map[string]any); ok && fields["due"] != nil {
			return change{}, advised{errs.New(errs.Invalid, "update_tasks does not change due dates"), "Use reschedule_tasks for due."}
		}
		var u updateItem
		if err := c.checker.into(item, &u); err != nil {
			return change{}, err
		}
		if u.Title == nil && u.Description == nil && u.Priority == nil && u.Tags == nil && len(u.AddTags)+len(u.RemoveTags) == 0 &&
			u.Reminders == nil && u.RemindAt == nil && u.Repeats == nil && u.RepeatsFrom == nil && u.CatchUp == nil {
			return change{}, errs.New(errs.Invalid, "there is nothing to change in this item")
		}
		if u.RemindAt != nil {
			var err error
			if u.remindAt, err = remindersAt(*u.RemindAt, c.zone); err != nil {
				return change{}, err
			}
		}
		return change{id: spelled(u.ID), version: u.Version, edit: u.apply}, nil
	})
}

// apply sets what was sent.
func (u updateItem) apply(f *task.Fields) {
	set(&f.Title, u.Title)
	set(&f.Description, u.Description)
	set(&f.Priority, u.Priority)
	set(&f.Tags, u.Tags)
	set(&f.Reminders, u.Reminders)
	if u.RemindAt != nil {
		f.RemindAt = u.remindAt
	}
	// Not in place: the slice may be the stored task's.
	f.Tags = slices.Concat(f.Tags, u.AddTags)
	f.Tags = slices.DeleteFunc(f.Tags, func(tag string) bool {
		return slices.ContainsFunc(u.RemoveTags, func(gone string) bool { return strings.TrimSpace(gone) == strings.TrimSpace(tag) })
	})
	u.repeat(f)
}

func (u updateItem) repeat(f *task.Fields) {
	if u.Repeats != nil && isNothing(*u.Repeats) {
		f.Recurrence = nil
		return
	}
	if u.Repeats == nil && u.RepeatsFrom == nil && u.CatchUp == nil {
		return
	}
	// A task that does not repeat has no rule, and is told so when only how is sent.
	var r task.Recurrence
	if f.Recurrence != nil {
		r = *f.Recurrence
	}
	set(&r.Rule, u.Repeats)
	set(&r.Anchor, u.RepeatsFrom)
	set(&r.CatchUp, u.CatchUp)
	f.Recurrence = &r
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// moveItem is a task of reschedule_tasks.
type moveItem struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	Due     string `json:"due"`
	AllDay  bool   `json:"all_day"`
}

func rescheduleTasks(ctx context.Context, c *call) (answer, error) {
	return c.edits(ctx, func(item any) (change, error) {
		var m moveItem
		if err := c.checker.into(item, &m); err != nil {
			return change{}, err
		}
		ch := change{id: spelled(m.ID), version: m.Version}
		if isNothing(m.Due) {
			// Reminders count back from the due time.
			ch.edit = func(f *task.Fields) { f.Due, f.Reminders = task.Due{}, nil }
			return ch, nil
		}
		w, err := parseWhen("due", m.Due, c.zone)
		if err != nil {
			return change{}, err
		}
		ch.edit = func(f *task.Fields) { f.Due = moved(f.Due, w, m.AllDay, c.zone) }
		return ch, nil
	})
}

// moved is where a due date comes to lie. A day alone keeps the time of day that there was.
func moved(from task.Due, to when, allDay bool, zone *time.Location) task.Due {
	switch {
	case allDay:
		return task.Due{Date: to.wall.Format(time.DateOnly)}
	case to.date != "" && !from.At.IsZero():
		was := from.At.In(zone)
		return task.Due{At: recurrence.Instant(time.Date(
			to.wall.Year(), to.wall.Month(), to.wall.Day(), was.Hour(), was.Minute(), was.Second(), was.Nanosecond(), time.UTC), zone)}
	default:
		return to.due()
	}
}
