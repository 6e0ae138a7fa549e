package rest

import (
	"errors"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/internal/contract"
)

var (
	errMoment  = errors.New("must be an RFC 3339 instant such as 2026-12-01T09:00:00Z, or a date such as 2026-12-01")
	errInstant = errors.New("must be an RFC 3339 instant such as 2026-12-01T09:00:00Z")
	errYear    = errors.New("must lie between the years 1970 and 9998")
)

// formats are the formats of strings that the specification names and JSON Schema does not.
var formats = contract.Formats{
	"moment": func(s string) string {
		if _, err := parseMoment(s); err != nil {
			return err.Error()
		}
		return ""
	},
	"instant": func(s string) string {
		if _, err := parseInstant(s); err != nil {
			return err.Error()
		}
		return ""
	},
}

// parseMoment reads an RFC 3339 instant with its offset, or a date. The error's text is for the caller.
func parseMoment(s string) (task.Due, error) {
	if len(s) == len(time.DateOnly) {
		day, err := time.Parse(time.DateOnly, s)
		if err != nil {
			return task.Due{}, errMoment
		}
		return task.Due{Date: s}, inYears(day)
	}
	at, err := parseInstant(s)
	if errors.Is(err, errInstant) {
		err = errMoment
	}
	return task.Due{At: at}, err
}

// parseInstant reads an RFC 3339 instant with its offset. The error's text is for the caller.
func parseInstant(s string) (time.Time, error) {
	// UnmarshalText, unlike Parse, takes nothing but RFC 3339.
	var at time.Time
	if err := at.UnmarshalText([]byte(s)); err != nil {
		return time.Time{}, errInstant
	}
	at = at.UTC().Truncate(time.Millisecond)
	return at, inYears(at)
}

func inYears(t time.Time) error {
	if t.Year() < 1970 || t.Year() > 9998 {
		return errYear
	}
	return nil
}

// beginning is the instant a filter's moment means in the user's zone. A date means the beginning of that day; the end of
// the day before, when tasks due on that day are due, is the same instant, and belongs before it.
func beginning(m task.Due, zone *time.Location) time.Time {
	if m.Date == "" {
		return m.At
	}
	day, err := time.ParseInLocation(time.DateOnly, m.Date, zone)
	if err != nil {
		return time.Time{}
	}
	return day.Add(time.Millisecond)
}
