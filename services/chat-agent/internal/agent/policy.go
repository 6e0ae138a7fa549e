package agent

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// The policy is code, not prompt: whatever a model was talked into, these hold.
//
//   - delete_tasks is executed only after the user agreed. The model's call makes the plan; the confirmation that the plan
//     comes with is kept from the model and from the browser.
//   - Changes of more than maxUnasked existing tasks in one answer need the user's agreement from the one that exceeds it.
//   - A change that the user's own message did not ask for, as far as a model understands it that saw nothing else, needs
//     the user's agreement. If it could not be found out what the user wants, every change does.
//   - A changing tool that the agent does not know needs the user's agreement.
//
// What they do not prevent: in an answer to "complete the milk task", text in a task may lead a model to complete up to
// maxUnasked others. Receipts show it and every such change can be undone.
const maxUnasked = 5

// needsApproval reports whether a call has to wait for the user. existing are the tasks that it changes.
func (r *run) needsApproval(ctx context.Context, t tool, existing []string) (bool, error) {
	intent := agenttools.IntentOf(t.Name)
	switch {
	case !t.changes:
		return false, nil
	case intent == agenttools.Read, intent == agenttools.Delete && t.Name != agenttools.RestoreTasks:
		return true, nil
	case len(existing) == 0 && intent != agenttools.Create:
		return true, nil // nobody can tell how many it would change
	}
	changed := len(r.changed)
	for _, id := range existing {
		if !r.changed[id] {
			changed++
		}
	}
	if len(existing) > 0 && changed > maxUnasked {
		return true, nil
	}
	wanted, err := r.intents.has(ctx, intent)
	return !wanted, err
}

// targets are the ids of the tasks that a call's arguments name: id, ids, task_ids, and the id of each object in a list.
func targets(arguments map[string]any) []string {
	var ids []string
	add := func(v any) {
		if id, ok := v.(string); ok && id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for name, value := range arguments {
		switch value := value.(type) {
		case string:
			if name == "id" || name == "task_id" {
				add(value)
			}
		case []any:
			for _, item := range value {
				if object, ok := item.(map[string]any); ok {
					add(object["id"])
				} else if name == "ids" || name == "task_ids" {
					add(item)
				}
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// proposal says in a sentence what a call would do. It is made by code from the arguments, not by the model.
func proposal(t tool, arguments map[string]any, n int) string {
	verb, known := map[string]string{
		agenttools.AddTasks: "Add", agenttools.UpdateTasks: "Change", agenttools.CompleteTasks: "Complete", agenttools.ReopenTasks: "Reopen",
		agenttools.RescheduleTasks: "Reschedule", agenttools.DeleteTasks: "Delete", agenttools.RestoreTasks: "Restore",
	}[t.Name]
	if !known {
		return "Call " + t.Name
	}
	if skips(t.Name, arguments) {
		verb = "Skip"
	}
	text := verb
	if n > 0 {
		text += " " + count(n, "task")
	} else {
		text += " tasks"
	}
	switch t.Name {
	case agenttools.UpdateTasks, agenttools.RescheduleTasks:
		text += ": " + line(changesOf(arguments))
	}
	return text
}

// changesOf is what arguments say besides which tasks they are about.
func changesOf(arguments map[string]any) string {
	var strip func(v any) any
	strip = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			kept := map[string]any{}
			for name, value := range v {
				if name != "id" && name != "ids" && name != "task_id" && name != "task_ids" {
					kept[name] = strip(value)
				}
			}
			return kept
		case []any:
			kept := make([]any, 0, len(v))
			for _, item := range v {
				kept = append(kept, strip(item))
			}
			return kept
		default:
			return v
		}
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(strip(arguments)) // it was decoded from JSON
	return strings.TrimSpace(text.String())
}

// added are the titles of the tasks that add_tasks would add.
func added(arguments map[string]any) []string {
	var titles []string
	items, _ := arguments["tasks"].([]any)
	for _, item := range items {
		object, _ := item.(map[string]any)
		if title, ok := object["title"].(string); ok {
			titles = append(titles, line(title))
		}
	}
	return titles
}
