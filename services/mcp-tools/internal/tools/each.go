package tools

import (
	"context"
	"slices"
	"strings"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// spelled is an id as it is kept, whatever a model made of it.
func spelled(id string) string { return strings.ToLower(strings.TrimSpace(id)) }

// ids are those of the input, each once, in the order they were given in.
func (c *call) ids() []string {
	given, _ := c.input["ids"].([]any)
	var ids []string
	for _, one := range given {
		text, _ := one.(string) // the schema says so
		if id := spelled(text); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// each does something with the tasks of the input's ids, in the order of the ids if it changes them, and answers with what
// became of them, in the order they were given in.
func (c *call) each(ctx context.Context, changes bool, do func(context.Context, string) (task.Task, error), show func(task.Task) agenttools.Task) (answer, error) {
	ids := c.ids()
	order := slices.Clone(ids)
	if changes {
		slices.Sort(order)
	}
	done := map[string]task.Task{}
	refused := map[string]error{}
	for _, id := range order {
		t, err := do(ctx, id)
		if err != nil {
			refused[id] = err
			// What is not the task's fault will not be better with the next one.
			if _, ok := failed(err); !ok {
				return answer{}, err
			}
			continue
		}
		done[id] = t
	}
	out := agenttools.Tasks{TimeZone: c.zone.String(), Tasks: []agenttools.Task{}}
	var wrong batchFailures
	for _, id := range ids {
		if t, ok := done[id]; ok {
			out.Tasks = append(out.Tasks, show(t))
		} else if err := wrong.add(id, refused[id]); err != nil {
			return answer{}, err
		}
	}
	out.Failures = wrong
	return answer{out, len(out.Tasks) == 0}, nil
}

func (c *call) brief(t task.Task) agenttools.Task { return brief(t, c.zone) }

func completeTasks(ctx context.Context, c *call) (answer, error) {
	do := func(ctx context.Context, id string) (task.Task, error) {
		return c.Tasks.SetCompleted(ctx, c.user, id, 0, true)
	}
	if skip, _ := c.input["skip"].(bool); skip {
		do = c.skip
	}
	return c.each(ctx, true, do, c.brief)
}

// skip passes an occurrence over, and says why it cannot be.
func (c *call) skip(ctx context.Context, id string) (task.Task, error) {
	t, err := c.Tasks.Skip(ctx, c.user, id, 0)
	if !errs.Is(err, errs.Conflict) {
		return t, err
	}
	now, getErr := c.Tasks.Get(ctx, c.user, id)
	switch {
	case getErr != nil || now.Deleted():
		return t, err
	case now.Completed():
		return t, advised{err, "It is done. Only if the user wants it skipped instead: reopen_tasks first."}
	default:
		return t, advised{err, "Only a task that repeats can be skipped. Call complete_tasks without skip, reschedule_tasks or delete_tasks."}
	}
}

func reopenTasks(ctx context.Context, c *call) (answer, error) {
	return c.each(ctx, true, func(ctx context.Context, id string) (task.Task, error) {
		return c.Tasks.SetCompleted(ctx, c.user, id, 0, false)
	}, c.brief)
}

func restoreTasks(ctx context.Context, c *call) (answer, error) {
	return c.each(ctx, true, func(ctx context.Context, id string) (task.Task, error) {
		return c.Tasks.Restore(ctx, c.user, id, 0)
	}, c.brief)
}

// change is one item of a batch that says what to do with one task.
type change struct {
	position int
	id       string
	version  int
	edit     func(*task.Fields)
}

// scope is how far a change of an occurrence reaches: This unless the input says otherwise.
func (c *call) scope() task.Scope {
	if said, _ := c.input["scope"].(string); said != "" {
		return task.Scope(said)
	}
	return task.This
}

// edits checks the items with read, and applies what it makes of them, in the order of the tasks' ids.
func (c *call) edits(ctx context.Context, read func(item any) (change, error)) (answer, error) {
	items, _ := c.input[batchField].([]any)
	var (
		changes []change
		seen    []string
		done    = make([]*task.Task, len(items))
		refused = make([]error, len(items))
	)
	for i, item := range items {
		ch, err := read(item)
		if err == nil && slices.Contains(seen, ch.id) {
			err = advised{errs.New(errs.Invalid, "the same task is in this call twice"), "Say everything about a task in one item."}
		}
		if err != nil {
			refused[i] = err
			continue
		}
		ch.position = i
		seen = append(seen, ch.id)
		changes = append(changes, ch)
	}
	slices.SortFunc(changes, func(a, b change) int { return strings.Compare(a.id, b.id) })
	for _, ch := range changes {
		t, err := c.Tasks.Edit(ctx, c.user, ch.id, ch.version, c.scope(), ch.edit, nil)
		if err != nil {
			if _, ok := failed(err); !ok {
				return answer{}, err
			}
			refused[ch.position] = err
			continue
		}
		done[ch.position] = &t
	}
	out := agenttools.Tasks{TimeZone: c.zone.String(), Tasks: []agenttools.Task{}}
	var wrong batchFailures
	for i, item := range items {
		if done[i] != nil {
			out.Tasks = append(out.Tasks, c.brief(*done[i]))
		} else if err := wrong.add(itemID(item), refused[i]); err != nil {
			return answer{}, err
		}
	}
	out.Failures = wrong
	return answer{out, len(out.Tasks) == 0}, nil
}

// itemID is the id that an item has, which may be anything.
func itemID(item any) string {
	fields, _ := item.(map[string]any)
	id, _ := fields["id"].(string)
	return id
}
