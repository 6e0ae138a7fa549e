package task

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/recurrence"
)

// Normal checks the fields and returns them as they are kept: title trimmed, priority, anchor and catch-up defaulted, tags
// and reminders sorted without repetition, instants in UTC and whole milliseconds, "daily", "weekly" and "monthly" as
// rules. errs.Invalid names every wrong field.
func (f Fields) Normal() (Fields, error) {
	var wrong []errs.Field
	bad := func(field, format string, args ...any) {
		wrong = append(wrong, errs.Field{Field: field, Message: fmt.Sprintf(format, args...)})
	}

	f.Title = strings.TrimSpace(f.Title)
	switch n := utf8.RuneCountInString(f.Title); {
	case n == 0:
		bad("title", "must not be empty")
	case n > MaxTitle:
		bad("title", "must be at most %d characters, not %d", MaxTitle, n)
	}
	if hasControl(f.Title, "") {
		bad("title", "must not contain control characters or invalid UTF-8")
	}
	if n := utf8.RuneCountInString(f.Description); n > MaxDescription {
		bad("description", "must be at most %d characters, not %d", MaxDescription, n)
	}
	if hasControl(f.Description, "\n\r\t") {
		bad("description", "must not contain control characters or invalid UTF-8")
	}
	if f.Priority == "" {
		f.Priority = None
	}
	if f.Priority.Rank() < 0 {
		bad("priority", "must be none, low, medium, high or urgent")
	}
	f.Tags = normalTags(f.Tags, bad)
	f.Due = normalDue(f.Due, bad)
	f.Reminders = normalReminders(f.Reminders, f.Due.IsZero() && f.Recurrence == nil, bad)
	f.RemindAt = normalRemindAt(f.RemindAt, bad)
	f.Recurrence = normalRecurrence(f.Recurrence, bad)
	return f, errs.InvalidFields(wrong...)
}

func normalTags(tags []string, bad func(string, string, ...any)) []string {
	if len(tags) > MaxTags {
		bad("tags", "must be at most %d, not %d", MaxTags, len(tags))
		return nil
	}
	var normal []string
	for i, tag := range tags {
		tag = strings.TrimSpace(tag)
		field := fmt.Sprintf("tags[%d]", i)
		switch n := utf8.RuneCountInString(tag); {
		case n == 0:
			bad(field, "must not be empty")
		case n > MaxTag:
			bad(field, "must be at most %d characters, not %d", MaxTag, n)
		case hasControl(tag, ""):
			bad(field, "must not contain control characters or invalid UTF-8")
		}
		normal = append(normal, tag)
	}
	slices.Sort(normal)
	return slices.Compact(normal)
}

// The years a due date may lie in: what RFC 3339 and every calendar people use can show.
const firstYear, lastYear = 1970, 9999

func normalDue(d Due, bad func(string, string, ...any)) Due {
	if d.Date != "" {
		day, err := time.Parse(time.DateOnly, d.Date)
		if err != nil || day.Year() < firstYear || day.Year() >= lastYear {
			bad("due_date", "must be a date such as 2026-12-01, from %d to %d", firstYear, lastYear-1)
		}
		return Due{Date: d.Date}
	}
	if d.At.IsZero() {
		return Due{}
	}
	d.At = instant(d.At)
	if !inYears(d.At) {
		bad("due_date", "must lie between the years %d and %d", firstYear, lastYear-1)
	}
	return d
}

func inYears(at time.Time) bool { return at.Year() >= firstYear && at.Year() < lastYear }

// normalReminders refuses those that have nothing to count back from. What repeats gets a due date if it has none.
func normalReminders(minutes []int, endless bool, bad func(string, string, ...any)) []int {
	if len(minutes) == 0 {
		return nil
	}
	if endless {
		bad("reminders", "need a due_date to count back from")
	}
	if len(minutes) > MaxReminders {
		bad("reminders", "must be at most %d, not %d", MaxReminders, len(minutes))
		return nil
	}
	normal := slices.Clone(minutes)
	for i, m := range normal {
		if m < 0 || m > MaxReminder {
			bad(fmt.Sprintf("reminders[%d]", i), "must be 0 to %d minutes before the due time", MaxReminder)
		}
	}
	slices.Sort(normal)
	return slices.Compact(normal)
}

func normalRemindAt(times []time.Time, bad func(string, string, ...any)) []time.Time {
	if len(times) > MaxReminders {
		bad("remind_at", "must be at most %d, not %d", MaxReminders, len(times))
		return nil
	}
	var normal []time.Time
	for i, at := range times {
		at = instant(at)
		if !inYears(at) {
			bad(fmt.Sprintf("remind_at[%d]", i), "must lie between the years %d and %d", firstYear, lastYear-1)
		}
		normal = append(normal, at)
	}
	slices.SortFunc(normal, time.Time.Compare)
	return slices.CompactFunc(normal, time.Time.Equal)
}

func normalRecurrence(r *Recurrence, bad func(string, string, ...any)) *Recurrence {
	if r == nil {
		return nil
	}
	n := *r
	rule, err := recurrence.Normal(n.Rule)
	if err != nil {
		bad("recurrence.rule", "%s", errs.Text(err))
	}
	n.Rule = rule
	if n.Anchor == "" {
		n.Anchor = OnSchedule
	}
	if n.Anchor != OnSchedule && n.Anchor != OnCompletion {
		bad("recurrence.anchor", "must be schedule or completion")
	}
	if _, err := Zone(n.TimeZone); err != nil && n.TimeZone != "" {
		bad("recurrence.time_zone", "must be an IANA time zone such as Europe/Oslo")
	}
	if n.CatchUp == "" {
		n.CatchUp = Latest
	}
	if n.CatchUp != Latest && n.CatchUp != All && n.CatchUp != PassOver {
		bad("recurrence.catch_up", "must be latest, all or skip")
	}
	return &n
}

// hasControl reports whether s has a control character not in allowed, or is not UTF-8. NUL, which Postgres cannot
// keep, is one.
func hasControl(s, allowed string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && !strings.ContainsRune(allowed, r)
	})
}
