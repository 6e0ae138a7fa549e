package rest

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/ical"
)

// ExportCalendar answers with the user's tasks as an iCalendar file.
func (s *Server) ExportCalendar(ctx context.Context, r ExportCalendarRequestObject) (ExportCalendarResponseObject, error) {
	// What is needed for the first byte is read here, where failing can still be said with a status.
	zone, err := s.zone(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	first, err := s.tasks.List(ctx, r.UserID, newestFirst)
	if err != nil {
		return nil, err
	}
	return calendar{ctx, s.tasks, r.UserID, zone, first, map[string]bool{}}, nil
}

// newestFirst has the newest occurrence of a series before all others.
var newestFirst = task.Query{Order: task.ByCreated, Descending: true, Limit: portion}

// calendar writes a user's tasks portion by portion, so that their number does not matter.
type calendar struct {
	ctx    context.Context //nolint:containedctx // the generated interface has no place for it
	tasks  *task.Service
	userID string
	zone   *time.Location
	first  task.Page
	// told are the series of which an occurrence with the rule was written: an id per series is all that is remembered.
	told map[string]bool
}

// VisitExportCalendarResponse writes the calendar. A failure after the first byte ends the connection.
func (c calendar) VisitExportCalendarResponse(w http.ResponseWriter) error {
	attachment(w.Header(), "taskflow.ics")
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	w.Header().Set("Cache-Control", "private, no-store")
	w.WriteHeader(http.StatusOK)
	ctx, cancel := context.WithTimeout(c.ctx, exportDeadline)
	defer cancel()
	if err := c.write(ctx, sender(w)); err != nil {
		slog.WarnContext(ctx, "an export of a calendar was cut off", "error", err)
		// net/http closes the connection without the last chunk, and the client sees that something is missing.
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (c calendar) write(ctx context.Context, send func([]byte) error) error {
	writer := ical.NewWriter(c.zone)
	b := writer.Begin(make([]byte, 0, 64<<10))
	for page := c.first; ; {
		repeating, err := c.repeating(ctx, page.Tasks)
		if err != nil {
			return err
		}
		for i := range page.Tasks {
			t := &page.Tasks[i]
			b = writer.Task(b, t, repeating[t.ID])
			if len(b) > largestPooled {
				if err := send(b); err != nil {
					return err
				}
				b = b[:0]
			}
		}
		if page.Next == "" {
			break
		}
		q := newestFirst
		q.After = page.Next
		if page, err = c.tasks.List(ctx, c.userID, q); err != nil {
			return err
		}
	}
	return send(writer.End(b))
}

// repeating is what to say of the tasks of a page that stand for their series, by their ids: each is the newest open occurrence
// of one that goes on.
func (c calendar) repeating(ctx context.Context, tasks []task.Task) (map[string]*ical.Repeating, error) {
	var standing []*task.Task
	var ids []string
	for i := range tasks {
		t := &tasks[i]
		if id := t.Occurrence.SeriesID; id != "" && t.Open() && !c.told[id] {
			c.told[id] = true
			standing, ids = append(standing, t), append(ids, id)
		}
	}
	found, err := c.tasks.Series(ctx, c.userID, ids)
	if err != nil {
		return nil, err
	}
	series := make(map[string]*task.Series, len(found))
	for i := range found {
		series[found[i].ID] = &found[i]
	}
	said := make(map[string]*ical.Repeating, len(found))
	for _, t := range standing {
		s := series[t.Occurrence.SeriesID]
		if s == nil || s.Ended() {
			continue
		}
		rule, err := recurrence.Parse(s.Recurrence.Rule)
		if err != nil {
			return nil, err
		}
		if n := rule.Count(); n > 0 {
			rule = rule.WithCount(max(n-before(s, rule, t), 1))
		}
		said[t.ID] = &ical.Repeating{Series: s, Rule: rule.String()}
	}
	return said, nil
}

// before is how many occurrences COUNT has counted before an open one: those of the rule, or those that were made if each counts
// from the one before being done.
func before(s *task.Series, rule *recurrence.Rule, t *task.Task) int {
	if s.Recurrence.Anchor == task.OnCompletion {
		return s.Made - 1
	}
	n := 0
	for wall := range rule.Walls(s.Start, time.UTC, time.Time{}) {
		if !wall.Before(t.Occurrence.At) {
			break
		}
		n++
	}
	return n
}
