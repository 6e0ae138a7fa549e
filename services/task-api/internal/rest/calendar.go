package rest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	"github.com/taskflow-suite/taskflow/pkg/task"
	contract "github.com/taskflow-suite/taskflow/proto"
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
		for i := range page.Tasks {
			t := &page.Tasks[i]
			repeating, err := c.repeating(ctx, t)
			if err != nil {
				return err
			}
			b = writer.Task(b, t, repeating)
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
		var err error
		if page, err = c.tasks.List(ctx, c.userID, q); err != nil {
			return err
		}
	}
	return send(writer.End(b))
}

// repeating is what to say of a task that stands for its series: the newest open occurrence of one that goes on; nil for
// every other task.
func (c calendar) repeating(ctx context.Context, t *task.Task) (*ical.Repeating, error) {
	id := t.Occurrence.SeriesID
	if id == "" || !t.Open() || c.told[id] {
		return nil, nil //nolint:nilnil // documented
	}
	c.told[id] = true
	s, err := c.series(ctx, id)
	if err != nil || s == nil || s.Ended() || s.Recurrence == nil {
		return nil, err
	}
	rule, err := recurrence.Parse(s.Recurrence.Rule)
	if err != nil {
		return nil, err
	}
	if n := rule.Count(); n > 0 {
		before, err := c.before(ctx, s, rule, t)
		if err != nil {
			return nil, err
		}
		rule = rule.WithCount(max(n-before, 1))
	}
	return &ical.Repeating{Series: s, Rule: rule.String()}, nil
}

// before is how many occurrences COUNT has counted before one: those of the rule, or those that were made if each counts from
// the one before being done.
func (c calendar) before(ctx context.Context, s *task.Series, rule *recurrence.Rule, t *task.Task) (int, error) {
	n := 0
	if s.Recurrence.Anchor != task.OnCompletion {
		for wall := range rule.Walls(s.Start, time.UTC, time.Time{}) {
			if !wall.Before(t.Occurrence.At) {
				break
			}
			n++
		}
		return n, nil
	}
	for _, deleted := range []bool{false, true} {
		for q := (task.Query{SeriesID: s.ID, Deleted: deleted, Limit: portion}); ; {
			page, err := c.tasks.List(ctx, c.userID, q)
			if err != nil {
				return 0, err
			}
			for i := range page.Tasks {
				if at := page.Tasks[i].Occurrence.At; at.Before(t.Occurrence.At) && !at.Before(s.Start) {
					n++
				}
			}
			if page.Next == "" {
				break
			}
			q.After = page.Next
		}
	}
	return n, nil
}

// series is a series as its events tell it, nil if there are none.
func (c calendar) series(ctx context.Context, id string) (*task.Series, error) {
	var s *task.Series
	for since := int64(0); ; {
		events, _, err := c.tasks.Events(ctx, c.userID, contract.Tasks, id, since, portion)
		if err != nil {
			return nil, err
		}
		for i := range events {
			if s, err = replaySeries(s, events[i]); err != nil {
				return nil, err
			}
			since = events[i].Sequence
		}
		if len(events) < portion {
			return s, nil
		}
	}
}

func replaySeries(s *task.Series, e event.Envelope) (*task.Series, error) {
	for _, kind := range contract.Events() {
		if kind.Name != e.Type {
			continue
		}
		payload := kind.New()
		if err := event.Unmarshal(e.Data, payload); err != nil {
			return nil, fmt.Errorf("event %s: %w", e.ID, err)
		}
		return task.ReplaySeries(s, e, payload)
	}
	return nil, errs.New(errs.Internal, "event %s is of a type that is not known", e.ID)
}
