package tools

import (
	"context"
	"slices"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// deleteTasks plans without a confirmation and deletes with one.
func deleteTasks(ctx context.Context, c *call) (answer, error) {
	ids := c.ids()
	versions := make(map[string]int, len(ids))
	var (
		found []task.Task
		wrong batchFailures
	)
	for _, id := range ids {
		t, err := c.Tasks.Get(ctx, c.user, id)
		if err == nil {
			found = append(found, t)
			versions[id] = t.Version
		} else if err := wrong.add(id, err); err != nil {
			return answer{}, err
		}
	}
	confirmation, _ := c.input["confirmation"].(string)
	if len(found) == 0 {
		return answer{agenttools.Tasks{TimeZone: c.zone.String(), Tasks: []agenttools.Task{}, Failures: wrong}, true}, nil
	}
	asked := deletion{user: c.user, ids: ids, versions: versions}
	if confirmation == "" {
		ends, note, err := c.ending(ctx, found)
		if err != nil {
			return answer{}, err
		}
		expires := c.now.Add(confirmationLife).Truncate(time.Millisecond)
		return answer{value: agenttools.DeletePlan{
			TimeZone: c.zone.String(), Plan: c.briefs(found), Failures: wrong, EndsSeries: ends, Note: note,
			Confirmation: asked.confirm(c.key, expires), ExpiresAt: stamp(expires, c.zone),
		}}, nil
	}
	err := asked.check(c.key, confirmation, c.now)
	if errs.Is(err, errs.Stale) && !slices.ContainsFunc(found, func(t task.Task) bool { return !t.Deleted() }) {
		// The answer to a confirmed call was lost, and it is sent again: there is nothing left to do.
		err = nil
	}
	if err != nil {
		return answer{}, err
	}
	return c.each(ctx, true, func(ctx context.Context, id string) (task.Task, error) {
		return c.Tasks.Delete(ctx, c.user, id, versions[id])
	}, c.brief)
}

// ending are the ids of the tasks whose deletion ends their series, and what to tell the user then.
func (c *call) ending(ctx context.Context, tasks []task.Task) (ids []string, note string, err error) {
	for _, t := range tasks {
		if !t.Open() || t.Deleted() || t.Occurrence.IsZero() || t.Recurrence == nil {
			continue
		}
		newest, err := c.newest(ctx, t)
		if err != nil {
			return nil, "", err
		}
		if newest {
			ids = append(ids, t.ID)
		}
	}
	if len(ids) > 0 {
		note = "Deleting the newest open occurrence ends its series: the task will not repeat any more. To drop only that occurrence: complete_tasks with skip."
	}
	return ids, note, nil
}

// newest reports whether a task is the latest occurrence of its series that was made, in the trash or not.
func (c *call) newest(ctx context.Context, t task.Task) (bool, error) {
	for _, deleted := range []bool{false, true} {
		page, err := c.Tasks.List(ctx, c.user, task.Query{
			SeriesID: t.Occurrence.SeriesID, Deleted: deleted, Order: task.ByCreated, Descending: true, Limit: 1,
		})
		if err != nil {
			return false, err
		}
		for _, other := range page.Tasks {
			if other.Occurrence.At.After(t.Occurrence.At) {
				return false, nil
			}
		}
	}
	return true, nil
}
