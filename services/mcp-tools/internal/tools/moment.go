package tools

import (
	"fmt"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// when is a time as people and models write it.
type when struct {
	// date is set for a day alone.
	date string
	// at is the instant; of a day its first.
	at time.Time
	// wall is what the clocks in the user's zone show, also if they jump over it; its location means nothing.
	wall time.Time
}

// The years that a time may lie in, as the rule book's.
const firstYear, lastYear = 1970, 9998

var (
	withOffset    = []string{time.RFC3339, "2006-01-02T15:04Z07:00"}
	withoutOffset = []string{"2006-01-02T15:04:05", "2006-01-02T15:04"}
)

// parseWhen reads a time of a field. Without an offset it is the user's local time: one that the clocks jump over moves
// forward, one that they show twice is the first. errs.Invalid names the field.
func parseWhen(field, text string, zone *time.Location) (when, error) {
	s := strings.ToUpper(strings.TrimSpace(text))
	if len(s) > 10 && s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	w, ok := readWhen(s, zone)
	if !ok {
		return when{}, errs.InvalidFields(errs.Field{
			Field: field, Message: "must be a date (2026-12-01), a local time (2026-12-01T17:00) or one with an offset (2026-12-01T17:00:00+05:00)",
		})
	}
	if y := w.at.UTC().Year(); y < firstYear || y > lastYear {
		return when{}, errs.InvalidFields(errs.Field{Field: field, Message: "must lie between the years 1970 and 9998"})
	}
	return w, nil
}

func readWhen(s string, zone *time.Location) (when, bool) {
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		return when{date: s, at: recurrence.Instant(day, zone), wall: day}, true
	}
	for _, layout := range withOffset {
		if at, err := time.Parse(layout, s); err == nil {
			return when{at: at, wall: at.In(zone)}, true
		}
	}
	for _, layout := range withoutOffset {
		if wall, err := time.Parse(layout, s); err == nil {
			return when{at: recurrence.Instant(wall, zone), wall: wall}, true
		}
	}
	return when{}, false
}

// due is the time as a task's due date.
func (w when) due() task.Due {
	if w.date != "" {
		return task.Due{Date: w.date}
	}
	return task.Due{At: w.at}
}

// remindersAt reads the reminders at times of their own. errs.Invalid names the one that is none.
func remindersAt(texts []string, zone *time.Location) ([]time.Time, error) {
	var all []time.Time
	for i, text := range texts {
		field := fmt.Sprintf("remind_at[%d]", i)
		w, err := parseWhen(field, text, zone)
		if err != nil {
			return nil, err
		}
		if w.date != "" {
			return nil, errs.InvalidFields(errs.Field{Field: field, Message: "must have a time of day, such as " + w.date + "T09:00"})
		}
		all = append(all, w.at)
	}
	return all, nil
}

// wallFormat is how results show an occurrence's place in its series.
const wallFormat = "2006-01-02T15:04:05"

// stamp is a time as results show it.
func stamp(at time.Time, zone *time.Location) string { return at.In(zone).Format(time.RFC3339) }
