package tools

import (
	"context"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// overview is the output of get_overview.
type overview struct {
	TimeZone       string                `json:"time_zone"`
	Now            string                `json:"now"`
	Open           int                   `json:"open"`
	Completed      int                   `json:"completed"`
	Overdue        int                   `json:"overdue"`
	DueToday       int                   `json:"due_today"`
	Deleted        int                   `json:"deleted"`
	OpenByPriority map[task.Priority]int `json:"open_by_priority"`
	OverdueTasks   []agenttools.Task     `json:"overdue_tasks"`
	NextTasks      []agenttools.Task     `json:"next_tasks"`
}

const defaultOverview = 5

func getOverview(ctx context.Context, c *call) (answer, error) {
	in := struct {
		Limit int `json:"limit"`
	}{defaultOverview}
	if err := unpack(c.input, &in); err != nil {
		return answer{}, err
	}
	stats, err := c.Tasks.Stats(ctx, c.user)
	if err != nil {
		return answer{}, err
	}
	overdue, err := c.Tasks.List(ctx, c.user, task.Query{OverdueAt: c.now, Order: task.ByDue, Limit: in.Limit})
	if err != nil {
		return answer{}, err
	}
	done := false
	next, err := c.Tasks.List(ctx, c.user, task.Query{Completed: &done, DueAfter: c.now, Order: task.ByDue, Limit: in.Limit})
	if err != nil {
		return answer{}, err
	}
	return answer{value: overview{
		TimeZone: c.zone.String(), Now: stamp(c.now, c.zone), Open: stats.Open, Completed: stats.Completed, Overdue: stats.Overdue,
		DueToday: stats.DueToday, Deleted: stats.Deleted, OpenByPriority: stats.ByPriority,
		OverdueTasks: c.briefs(overdue.Tasks), NextTasks: c.briefs(next.Tasks),
	}}, nil
}

// profile is the output of get_profile. The weekday is said because models compute it wrongly.
type profile struct {
	TimeZone string `json:"time_zone"`
	Now      string `json:"now"`
	Weekday  string `json:"weekday"`
}

func getProfile(_ context.Context, c *call) (answer, error) {
	return answer{value: profile{c.zone.String(), stamp(c.now, c.zone), c.now.In(c.zone).Weekday().String()}}, nil
}

// preview is the output of preview_recurrence.
type preview struct {
	TimeZone    string   `json:"time_zone"`
	Repeats     string   `json:"repeats"`
	Occurrences []string `json:"occurrences"`
	Ended       bool     `json:"ended,omitempty"`
}

const defaultPreview = 5

func previewRecurrence(_ context.Context, c *call) (answer, error) {
	in := struct {
		Repeats string `json:"repeats"`
		Start   string `json:"start"`
		Count   int    `json:"count"`
	}{Count: defaultPreview}
	if err := unpack(c.input, &in); err != nil {
		return answer{}, err
	}
	rule, err := recurrence.Parse(in.Repeats)
	if err != nil {
		return answer{}, errs.InvalidFields(errs.Field{Field: "repeats", Message: errs.Text(err)})
	}
	never := advised{errs.New(errs.Invalid, "repeats: this rule never comes true after its start"), "Use a rule whose days exist."}
	var start when
	if in.Start != "" {
		if start, err = parseWhen("start", in.Start, c.zone); err != nil {
			return answer{}, err
		}
	} else if first, ok := rule.First(c.now.In(c.zone).Truncate(time.Minute), c.zone); ok {
		start.wall = first
	} else {
		return answer{}, never
	}
	times, err := rule.Series(start.wall, c.zone, false, in.Count)
	if err != nil {
		return answer{}, err
	}
	if len(times) == 0 {
		return answer{}, never
	}
	out := preview{TimeZone: c.zone.String(), Repeats: rule.String(), Ended: len(times) < in.Count}
	for _, at := range times {
		if start.date != "" {
			out.Occurrences = append(out.Occurrences, at.In(c.zone).Format(time.DateOnly))
		} else {
			out.Occurrences = append(out.Occurrences, stamp(at, c.zone))
		}
	}
	return answer{value: out}, nil
}
