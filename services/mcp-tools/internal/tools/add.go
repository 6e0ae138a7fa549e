package tools

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// newItem is a task of add_tasks.
type newItem struct {
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Priority    string   `json:"priority"`
	Tags        []string `json:"tags"`
	Due         string   `json:"due"`
	Reminders   []int    `json:"reminders"`
	RemindAt    []string `json:"remind_at"`
	Repeats     string   `json:"repeats"`
	RepeatsFrom string   `json:"repeats_from"`
	CatchUp     string   `json:"catch_up"`
}

// keyPrefix keeps the keys of this door apart from those of REST, whose answers have another shape.
const keyPrefix = "mcp:"

func addTasks(ctx context.Context, c *call) (answer, error) {
	items, _ := c.input[batchField].([]any)
	var (
		fields []task.Fields
		wrong  batchFailures
	)
	for i, item := range items {
		f, err := c.newTask(item)
		if err == nil {
			fields = append(fields, f)
		} else if err := wrong.add(strconv.Itoa(i), err); err != nil {
			return answer{}, err
		}
	}
	out := agenttools.Tasks{TimeZone: c.zone.String(), Tasks: []agenttools.Task{}, Failures: wrong}
	if len(fields) == 0 {
		return answer{out, true}, nil
	}
	once, err := c.once(items)
	if err != nil {
		return answer{}, err
	}
	made, before, err := c.Tasks.Create(ctx, c.user, once, func(made []task.Task) ([]byte, error) {
		out.Tasks = c.briefs(made)
		return json.Marshal(out)
	}, fields...)
	switch {
	case once.Key != "" && errs.Is(err, errs.Invalid):
		return answer{}, advised{errs.Because(err, errs.Invalid, "this idempotency_key was used with other tasks"), "Use another idempotency_key."}
	case err != nil:
		return answer{}, err
	case before != nil:
		return answer{value: json.RawMessage(before)}, nil
	}
	out.Tasks = c.briefs(made)
	return answer{value: out}, nil
}

// newTask checks an item and makes a task's fields of it.
func (c *call) newTask(item any) (task.Fields, error) {
	var n newItem
	if err := c.checker.into(item, &n); err != nil {
		return task.Fields{}, err
	}
	f := task.Fields{
		Title: n.Title, Description: n.Description, Priority: task.Priority(n.Priority), Tags: n.Tags, Reminders: n.Reminders,
	}
	if n.Due != "" {
		w, err := parseWhen("due", n.Due, c.zone)
		if err != nil {
			return task.Fields{}, err
		}
		f.Due = w.due()
	}
	var err error
	if f.RemindAt, err = remindersAt(n.RemindAt, c.zone); err != nil {
		return task.Fields{}, err
	}
	// A task that does not repeat has no rule, and is told so when only how is sent.
	if n.Repeats != "" || n.RepeatsFrom != "" || n.CatchUp != "" {
		f.Recurrence = &task.Recurrence{Rule: n.Repeats, Anchor: task.Anchor(n.RepeatsFrom), CatchUp: task.CatchUp(n.CatchUp)}
	}
	return f.Normal()
}

// once is what the client named the request by, if it did.
func (c *call) once(items []any) (task.Idempotency, error) {
	key, _ := c.input["idempotency_key"].(string)
	if key == "" {
		return task.Idempotency{}, nil
	}
	body, err := json.Marshal(items)
	if err != nil {
		return task.Idempotency{}, err
	}
	sum := sha256.Sum256(body)
	return task.Idempotency{Key: keyPrefix + key, Hash: hex.EncodeToString(sum[:])}, nil
}
