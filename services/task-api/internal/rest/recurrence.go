package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

const defaultPreview = 5

// PreviewRecurrence answers with a rule's first occurrences and what it means in words. Nothing is kept.
func (s *Server) PreviewRecurrence(ctx context.Context, r PreviewRecurrenceRequestObject) (PreviewRecurrenceResponseObject, error) {
	zone, err := s.previewZone(ctx, r)
	if err != nil {
		return nil, err
	}
	rule, err := recurrence.Parse(r.Params.Rule)
	if err != nil {
		return nil, errs.InvalidFields(errs.Field{Field: "rule", Message: errs.Text(err)})
	}
	start, whole, err := s.previewStart(r.Params.Start, rule, zone)
	if err != nil {
		return nil, err
	}
	anchor := or(r.Params.Anchor, string(task.OnSchedule))
	preview := RecurrencePreview{Rule: rule.String(), TimeZone: zone.String(), Anchor: anchor}
	fromCompletion := anchor == string(task.OnCompletion)
	count := or(r.Params.Count, defaultPreview)
	times, err := rule.Series(start, zone, fromCompletion, count)
	if err != nil {
		return nil, err
	}
	if len(times) == 0 {
		return nil, errNeverTrue()
	}
	// Whole days are the same in every zone.
	saidIn, layout := zone, time.RFC3339
	if whole {
		saidIn, layout = nil, time.DateOnly
	}
	preview.Sentence = rule.Words(start, saidIn, fromCompletion)
	preview.Ends = rule.Ends() || len(times) < count
	for _, at := range times {
		preview.Occurrences = append(preview.Occurrences, at.In(zone).Format(layout))
	}
	body, err := json.Marshal(preview)
	if err != nil {
		return nil, err
	}
	return reply{status: http.StatusOK, body: body}, nil
}

// previewZone is the zone that was asked for, or else the user's.
func (s *Server) previewZone(ctx context.Context, r PreviewRecurrenceRequestObject) (*time.Location, error) {
	if r.Params.TimeZone == nil {
		return s.zone(ctx, r.UserID)
	}
	return task.Zone(*r.Params.TimeZone)
}

func errNeverTrue() error {
	return errs.InvalidFields(errs.Field{Field: "rule", Message: "must come true after its start, and never does"})
}

// previewStart is what the clocks in zone show at the first occurrence, and whether it is a whole day: when it was asked for,
// or else the first the rule selects from now on.
func (s *Server) previewStart(moment *string, rule *recurrence.Rule, zone *time.Location) (start time.Time, whole bool, err error) {
	if moment == nil {
		start, ok := rule.First(s.now().In(zone).Truncate(time.Minute), zone)
		if !ok {
			return time.Time{}, false, errNeverTrue()
		}
		return start, false, nil
	}
	due, err := parseMoment(*moment)
	if err != nil {
		return time.Time{}, false, errs.InvalidFields(errs.Field{Field: "start", Message: err.Error()})
	}
	if due.Date == "" {
		return due.At.In(zone), false, nil
	}
	day, err := time.Parse(time.DateOnly, due.Date)
	return day, true, err
}
