package tools

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

const defaultFound = 10

// findInput is the input of find_tasks.
type findInput struct {
	Query    string          `json:"query"`
	Status   string          `json:"status"`
	Priority []task.Priority `json:"priority"`
	Tag      string          `json:"tag"`
	DueFrom  string          `json:"due_from"`
	DueTo    string          `json:"due_to"`
	Overdue  bool            `json:"overdue"`
	SeriesID string          `json:"series_id"`
	Sort     string          `json:"sort"`
	Limit    int             `json:"limit"`
	Cursor   string          `json:"cursor"`
}

// sorts are the orders, in the direction in which people ask for them.
var sorts = map[string]struct {
	by   task.Order
	down bool
}{
	"due": {task.ByDue, false}, "priority": {task.ByPriority, true}, "created": {task.ByCreated, true},
	"updated": {task.ByUpdated, true}, "title": {task.ByTitle, false},
}

func findTasks(ctx context.Context, c *call) (answer, error) {
	var in findInput
	if err := unpack(c.input, &in); err != nil {
		return answer{}, err
	}
	q, err := c.query(in)
	if err != nil {
		return answer{}, err
	}
	page, err := c.Tasks.List(ctx, c.user, q)
	if err != nil {
		return answer{}, err
	}
	return answer{value: agenttools.Tasks{TimeZone: c.zone.String(), Tasks: c.briefs(page.Tasks), NextCursor: page.Next}}, nil
}

func (c *call) query(in findInput) (task.Query, error) {
	q := task.Query{Text: in.Query, Priority: in.Priority, Tag: in.Tag, Limit: in.Limit, After: in.Cursor}
	if q.Limit == 0 {
		q.Limit = defaultFound
	}
	if in.SeriesID != "" {
		id, err := uuid.Parse(spelled(in.SeriesID))
		if err != nil {
			return task.Query{}, advised{
				errs.InvalidFields(errs.Field{Field: "series_id", Message: "is none"}), "Take it from a task that find_tasks or get_tasks shows.",
			}
		}
		q.SeriesID = id.String()
	}
	done := in.Status == "completed"
	switch in.Status {
	case "deleted":
		q.Deleted = true
	case "all":
	default:
		q.Completed = &done
	}
	if in.Sort == "" {
		in.Sort = "due"
	}
	q.Order, q.Descending = sorts[in.Sort].by, sorts[in.Sort].down
	if in.Overdue {
		q.OverdueAt = c.now
	}
	if in.DueFrom != "" {
		w, err := parseWhen("due_from", in.DueFrom, c.zone)
		if err != nil {
			return task.Query{}, err
		}
		q.DueAfter = w.at
		if w.date != "" {
			// What is due on the day before has its deadline where this day begins.
			yesterday := task.Due{Date: w.wall.AddDate(0, 0, -1).Format(time.DateOnly)}
			q.DueAfter = yesterday.Deadline(c.zone).Add(time.Millisecond)
		}
	}
	if in.DueTo != "" {
		w, err := parseWhen("due_to", in.DueTo, c.zone)
		if err != nil {
			return task.Query{}, err
		}
		// The query excludes its end.
		q.DueBefore = w.due().Deadline(c.zone).Add(time.Millisecond)
	}
	return q, nil
}

// getTasks shows tasks with their whole descriptions, as far as there is room.
func getTasks(ctx context.Context, c *call) (answer, error) {
	left := allDescriptions
	return c.each(ctx, false, func(ctx context.Context, id string) (task.Task, error) {
		return c.Tasks.Get(ctx, c.user, id)
	}, func(t task.Task) agenttools.Task {
		s := whole(t, c.zone)
		if n := utf8.RuneCountInString(s.Description); n <= left {
			left -= n
		} else {
			s.Description = cut(s.Description, briefDescription, tooLong)
		}
		return s
	})
}
