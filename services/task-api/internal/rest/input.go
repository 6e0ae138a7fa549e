package rest

import (
	"encoding/json"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/taskflow-suite/taskflow/pkg/task"
)

// Recurring is how a request says that a task repeats: a short word, a rule, or, in a patch, parts of a rule. Its kinds
// of value were checked against the specification before.
type Recurring struct {
	// Word is daily, weekly or monthly; empty for an object.
	Word string
	// Members are an object's, as they were sent.
	Members struct {
		Rule     *string                   `json:"rule"`
		Anchor   nullable.Nullable[string] `json:"anchor"`
		TimeZone nullable.Nullable[string] `json:"time_zone"`
		CatchUp  nullable.Nullable[string] `json:"catch_up"`
	}
}

// UnmarshalJSON reads a string or an object.
func (r *Recurring) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &r.Word)
	}
	return json.Unmarshal(data, &r.Members)
}

// over is what it makes of the present recurrence, nil for none: a word replaces it, members are merged into it, and a
// null member goes back to its default (RFC 7396).
func (r Recurring) over(present *task.Recurrence) *task.Recurrence {
	if r.Word != "" {
		return &task.Recurrence{Rule: r.Word}
	}
	var merged task.Recurrence
	if present != nil {
		merged = *present
	}
	if r.Members.Rule != nil {
		merged.Rule = *r.Members.Rule
	}
	if r.Members.Anchor.IsSpecified() {
		merged.Anchor = task.Anchor(valueOf(r.Members.Anchor))
	}
	if r.Members.TimeZone.IsSpecified() {
		merged.TimeZone = valueOf(r.Members.TimeZone)
	}
	if r.Members.CatchUp.IsSpecified() {
		merged.CatchUp = task.CatchUp(valueOf(r.Members.CatchUp))
	}
	return &merged
}

// valueOf is a field's value, the zero value if it is null or was not sent.
func valueOf[T any](n nullable.Nullable[T]) T {
	v, _ := n.Get()
	return v
}

func or[T any](p *T, fallback T) T {
	if p == nil {
		return fallback
	}
	return *p
}

// fields are a new task's, unchecked by the rule book.
func (n NewTask) fields() task.Fields {
	f := task.Fields{
		Title: n.Title, Description: or(n.Description, ""), Priority: task.Priority(or(n.Priority, "")),
		Tags: or(n.Tags, nil), Due: dueOf(n.DueDate), Reminders: or(n.Reminders, nil), RemindAt: instantsOf(or(n.RemindAt, nil)),
	}
	if r, err := n.Recurrence.Get(); err == nil {
		f.Recurrence = r.over(nil)
	}
	return f
}

func (r TaskReplacement) fields() task.Fields {
	return NewTask{
		Title: r.Title, Description: r.Description, Priority: r.Priority, Tags: r.Tags, DueDate: r.DueDate,
		Reminders: r.Reminders, RemindAt: r.RemindAt, Recurrence: r.Recurrence,
	}.fields()
}

// apply makes the merge patch's changes.
func (p TaskPatch) apply(f *task.Fields) {
	if p.Title != nil {
		f.Title = *p.Title
	}
	if p.Description.IsSpecified() {
		f.Description = valueOf(p.Description)
	}
	if p.Priority.IsSpecified() {
		f.Priority = task.Priority(valueOf(p.Priority))
	}
	if p.Tags.IsSpecified() {
		f.Tags = valueOf(p.Tags)
	}
	if p.DueDate.IsSpecified() {
		f.Due = dueOf(p.DueDate)
	}
	if p.Reminders.IsSpecified() {
		f.Reminders = valueOf(p.Reminders)
	}
	if p.RemindAt.IsSpecified() {
		f.RemindAt = instantsOf(valueOf(p.RemindAt))
	}
	if p.Recurrence.IsSpecified() {
		if r, err := p.Recurrence.Get(); err == nil {
			f.Recurrence = r.over(f.Recurrence)
		} else {
			f.Recurrence = nil
		}
	}
}

// instantsOf reads instants that were checked before.
func instantsOf(texts []string) []time.Time {
	var all []time.Time
	for _, text := range texts {
		if at, err := parseInstant(text); err == nil {
			all = append(all, at)
		}
	}
	return all
}

// dueOf reads a due date that was checked before; null or nothing is none.
func dueOf(n nullable.Nullable[string]) task.Due {
	s, err := n.Get()
	if err != nil {
		return task.Due{}
	}
	d, err := parseMoment(s)
	if err != nil {
		return task.Due{}
	}
	return d
}
