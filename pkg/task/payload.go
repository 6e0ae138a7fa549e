package task

import (
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

// What events carry, and back. Of both directions each knows every field, under the contract's name.

// set takes the named fields of g, all but due.
func (f *Fields) set(names []string, g Fields) {
	for _, name := range names {
		switch name {
		case "title":
			f.Title = g.Title
		case "description":
			f.Description = g.Description
		case "priority":
			f.Priority = g.Priority
		case "tags":
			f.Tags = slices.Clone(g.Tags)
		case "reminders":
			f.Reminders = slices.Clone(g.Reminders)
		case "remind_at":
			f.RemindAt = slices.Clone(g.RemindAt)
		case "recurrence":
			f.Recurrence = g.Recurrence
		}
	}
}

// only keeps the named fields and clears the rest.
func (f Fields) only(names []string) Fields {
	var g Fields
	g.set(names, f)
	return g
}

func (f Fields) message() *taskv1.Fields {
	m := &taskv1.Fields{
		Title: f.Title, Description: f.Description, Priority: string(f.Priority), Tags: f.Tags, Due: f.Due.message(),
	}
	for _, r := range f.Reminders {
		m.Reminders = append(m.Reminders, int32(r)) //nolint:gosec // G115: at most MaxReminder
	}
	for _, at := range f.RemindAt {
		m.RemindAt = append(m.RemindAt, timestamppb.New(at))
	}
	if r := f.Recurrence; r != nil {
		m.Recurrence = &taskv1.Recurrence{Rule: r.Rule, Anchor: string(r.Anchor), TimeZone: r.TimeZone, CatchUp: string(r.CatchUp)}
	}
	return m
}

func fieldsOf(m *taskv1.Fields) Fields {
	f := Fields{
		Title: m.GetTitle(), Description: m.GetDescription(), Priority: Priority(m.GetPriority()),
		Tags: m.GetTags(), Due: dueOf(m.GetDue()),
	}
	for _, r := range m.GetReminders() {
		f.Reminders = append(f.Reminders, int(r))
	}
	for _, at := range m.GetRemindAt() {
		f.RemindAt = append(f.RemindAt, instant(at.AsTime()))
	}
	if r := m.GetRecurrence(); r != nil {
		f.Recurrence = &Recurrence{
			Rule: r.GetRule(), Anchor: Anchor(r.GetAnchor()), TimeZone: r.GetTimeZone(), CatchUp: CatchUp(r.GetCatchUp()),
		}
		if f.Recurrence.CatchUp == "" {
			f.Recurrence.CatchUp = Latest // Events from before there was a choice.
		}
	}
	return f
}

func (d Due) message() *taskv1.Due {
	switch {
	case d.IsZero():
		return nil
	case d.Date != "":
		return &taskv1.Due{When: &taskv1.Due_Date{Date: d.Date}}
	default:
		return &taskv1.Due{When: &taskv1.Due_At{At: timestamppb.New(d.At)}}
	}
}

func dueOf(m *taskv1.Due) Due {
	switch w := m.GetWhen().(type) {
	case *taskv1.Due_Date:
		return Due{Date: w.Date}
	case *taskv1.Due_At:
		return Due{At: instant(w.At.AsTime())}
	default:
		return Due{}
	}
}

// message is nil for no place.
func (o Occurrence) message() *taskv1.Occurrence {
	if o.IsZero() {
		return nil
	}
	return &taskv1.Occurrence{SeriesId: o.SeriesID, At: wall(o.At)}
}

func occurrenceOf(m *taskv1.Occurrence) Occurrence {
	return Occurrence{SeriesID: m.GetSeriesId(), At: wallOf(m.GetAt())}
}

// wallFormat is how events write an occurrence.
const wallFormat = "2006-01-02T15:04:05"

func wall(t time.Time) string { return t.Format(wallFormat) }

// wallOf is the zero time for what is none.
func wallOf(text string) time.Time {
	t, err := time.Parse(wallFormat, text)
	if err != nil {
		return time.Time{}
	}
	return t
}
