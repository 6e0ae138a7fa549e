package rest

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/task"
)

// Answers are written by appending: a page of tasks is written some thousand times a second, and reflection would take
// most of that time. A test holds the outcome against the generated types.

const (
	timeFormat = "2006-01-02T15:04:05.000Z"
	// occurrenceFormat has no zone: an occurrence is what clocks show.
	occurrenceFormat = "2006-01-02T15:04:05"
)

func appendTask(b []byte, t *task.Task) []byte {
	b = append(b, `{"id":"`...)
	b = append(b, t.ID...)
	b = append(b, `","title":`...)
	b = appendString(b, t.Title)
	b = append(b, `,"description":`...)
	b = appendString(b, t.Description)
	b = append(b, `,"completed":`...)
	b = strconv.AppendBool(b, t.Completed())
	b = append(b, `,"completed_at":`...)
	b = appendTime(b, t.CompletedAt)
	b = append(b, `,"skipped":`...)
	b = strconv.AppendBool(b, !t.SkippedAt.IsZero())
	b = append(b, `,"skipped_at":`...)
	b = appendTime(b, t.SkippedAt)
	b = append(b, `,"priority":`...)
	b = appendString(b, string(t.Priority))
	b = append(b, `,"tags":[`...)
	for i, tag := range t.Tags {
		b = appendComma(b, i)
		b = appendString(b, tag)
	}
	b = append(b, `],"due_date":`...)
	b = appendDue(b, t.Due)
	b = append(b, `,"reminders":[`...)
	for i, minutes := range t.Reminders {
		b = appendComma(b, i)
		b = strconv.AppendInt(b, int64(minutes), 10)
	}
	b = append(b, `],"remind_at":[`...)
	for i, at := range t.RemindAt {
		b = appendComma(b, i)
		b = appendTime(b, at)
	}
	b = append(b, `],"recurrence":`...)
	b = appendRecurrence(b, t.Recurrence)
	b = append(b, `,"series_id":`...)
	if t.Occurrence.IsZero() {
		b = append(b, `null,"occurrence":null`...)
	} else {
		b = appendString(b, t.Occurrence.SeriesID)
		b = append(b, `,"occurrence":"`...)
		b = t.Occurrence.At.AppendFormat(b, occurrenceFormat)
		b = append(b, '"')
	}
	b = append(b, `,"version":`...)
	b = strconv.AppendInt(b, int64(t.Version), 10)
	b = append(b, `,"created_at":`...)
	b = appendTime(b, t.CreatedAt)
	b = append(b, `,"updated_at":`...)
	b = appendTime(b, t.UpdatedAt)
	b = append(b, `,"deleted_at":`...)
	b = appendTime(b, t.DeletedAt)
	return append(b, '}')
}

func appendTasks(b []byte, tasks []task.Task) []byte {
	b = append(b, '[')
	for i := range tasks {
		b = appendComma(b, i)
		b = appendTask(b, &tasks[i])
	}
	return append(b, ']')
}

func appendProfile(b []byte, p task.Profile) []byte {
	b = append(b, `{"user_id":`...)
	b = appendString(b, p.UserID)
	b = append(b, `,"time_zone":`...)
	b = appendString(b, p.TimeZone)
	b = append(b, `,"version":`...)
	b = strconv.AppendInt(b, int64(p.Version), 10)
	b = append(b, `,"created_at":`...)
	b = appendTime(b, p.CreatedAt)
	b = append(b, `,"updated_at":`...)
	b = appendTime(b, p.UpdatedAt)
	return append(b, '}')
}

func appendComma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

func appendDue(b []byte, d task.Due) []byte {
	if d.Date != "" {
		return appendString(b, d.Date)
	}
	return appendTime(b, d.At)
}

func appendRecurrence(b []byte, r *task.Recurrence) []byte {
	if r == nil {
		return append(b, "null"...)
	}
	b = append(b, `{"rule":`...)
	b = appendString(b, r.Rule)
	b = append(b, `,"anchor":`...)
	b = appendString(b, string(r.Anchor))
	b = append(b, `,"time_zone":`...)
	b = appendText(b, r.TimeZone)
	b = append(b, `,"catch_up":`...)
	b = appendString(b, string(r.CatchUp))
	return append(b, '}')
}

// appendText writes a JSON string, null for an empty one.
func appendText(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendString(b, s)
}

// appendTime writes an instant in UTC with milliseconds, null for none.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, timeFormat)
	return append(b, '"')
}

// appendString writes a JSON string. What needs no escaping, nearly everything, is copied.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) //nolint:errchkjson // a string always has a JSON form
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
