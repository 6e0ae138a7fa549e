package offline

import (
	"slices"
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
		Sort    string `json:"sort,omitempty"`
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
		// Skip is complete_tasks'.
		Skip bool `json:"skip,omitempty"`
	}
	newDue struct {
		ID  string `json:"id"`
		Due string `json:"due"`
	}
	rescheduleInput struct {
		Tasks []newDue `json:"tasks"`
		Scope string   `json:"scope,omitempty"`
	}
	changedTask struct {
		ID          string   `json:"id"`
		Title       string   `json:"title,omitempty"`
		Description string   `json:"description,omitempty"`
		Priority    string   `json:"priority,omitempty"`
		AddTags     []string `json:"add_tags,omitempty"`
		RemoveTags  []string `json:"remove_tags,omitempty"`
		Reminders   []int    `json:"reminders,omitempty"`
		RemindAt    []string `json:"remind_at,omitempty"`
		Repeats     string   `json:"repeats,omitempty"`
		RepeatsFrom string   `json:"repeats_from,omitempty"`
	}
	updateInput struct {
		Tasks []changedTask `json:"tasks"`
		Scope string        `json:"scope,omitempty"`
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

// skipped is a status that find_tasks has among all only.
const skipped = "skipped"

// find is a page of tasks; of those that were skipped, the last of each title.
func (r *run) find(f findInput) ([]agenttools.Task, error) {
	f.Limit = pageSize
	wanted := f.Status
	if wanted == skipped {
		f.Status, f.Sort = "all", "updated"
	}
	got, err := r.ask(agenttools.FindTasks, f)
	found := got.Tasks.Tasks
	if wanted != skipped {
		return found, err
	}
	var last []agenttools.Task
	for _, t := range found {
		if t.Status == skipped && !slices.ContainsFunc(last, func(o agenttools.Task) bool { return o.Title == t.Title }) {
			last = append(last, t)
		}
	}
	return last, err
}
