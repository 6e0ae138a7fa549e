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
		expires := c.now.Add(confirmationLife).Truncate(time.Millisecond)
		return answer{value: agenttools.DeletePlan{
			TimeZone: c.zone.String(), Plan: c.briefs(found), Failures: wrong,
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
