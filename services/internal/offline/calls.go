package offline

import (
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// The tools' inputs, as far as the rules use them.
type (
	findInput struct {
		Query      string   `json:"query,omitempty"`
		Status     string   `json:"status,omitempty"`
		Priorities []string `json:"priority,omitempty"`
		Tag        string   `json:"tag,omitempty"`
		// From and To are days, both included.
		From    string `json:"due_from,omitempty"`
		To      string `json:"due_to,omitempty"`
		Overdue bool   `json:"overdue,omitempty"`
		Limit   int    `json:"limit,omitempty"`
	}
	newTask struct {
		Title       string   `json:"title"`
		Description string   `json:"description,omitempty"`
		Priority    string   `json:"priority,omitempty"`
		Tags        []string `json:"tags,omitempty"`
		Due         string   `json:"due,omitempty"`
		Reminders   []int    `json:"reminders,omitempty"`
		Repeats     string   `json:"repeats,omitempty"`
		RepeatsFrom string   `json:"repeats_from,omitempty"`
	}
	addInput struct {
		Tasks []newTask `json:"tasks"`
	}
	idsInput struct {
		IDs []string `json:"ids"`
	}
	newDue struct {
		ID  string `json:"id"`
		Due string `json:"due"`
	}
	rescheduleInput struct {
		Tasks []newDue `json:"tasks"`
	}
	changedTask struct {
		ID          string   `json:"id"`
		Title       string   `json:"title,omitempty"`
		Description string   `json:"description,omitempty"`
		Priority    string   `json:"priority,omitempty"`
		AddTags     []string `json:"add_tags,omitempty"`
		RemoveTags  []string `json:"remove_tags,omitempty"`
		Reminders   []int    `json:"reminders,omitempty"`
		Repeats     string   `json:"repeats,omitempty"`
		RepeatsFrom string   `json:"repeats_from,omitempty"`
	}
	updateInput struct {
		Tasks []changedTask `json:"tasks"`
	}
	previewInput struct {
		Repeats string `json:"repeats"`
		Start   string `json:"start,omitempty"`
		Count   int    `json:"count,omitempty"`
	}
	recallInput struct {
		Query string `json:"query,omitempty"`
		Limit int    `json:"limit,omitempty"`
	}
)

// nothing clears a field.
const nothing = "none"

// pageSize is how many tasks are looked at.
const pageSize = 50

func (d draft) newTask(now time.Time) newTask {
	t := newTask{
		Title: d.title, Description: d.note, Priority: d.priority, Tags: d.tags, Due: d.due(now), Reminders: d.reminders,
	}
	if d.repeats.unit != "" {
		t.Repeats = d.repeats.rrule()
		if d.repeats.done {
			t.RepeatsFrom = "completion"
		}
	}
	return t
}

func (r *run) find(f findInput) ([]agenttools.Task, error) {
	f.Limit = pageSize
	got, err := r.ask(agenttools.FindTasks, f)
	return got.Tasks.Tasks, err
}
