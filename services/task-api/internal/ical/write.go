package ical

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// What iCalendar has no word for.
const (
	anchorProperty  = "X-TASKFLOW-ANCHOR"
	catchUpProperty = "X-TASKFLOW-CATCH-UP"
	zoneProperty    = "X-TASKFLOW-TIME-ZONE"
)

// nine is when the reminders of a whole day count back from, in minutes of the day.
const nine = 9 * 60

// priorities are iCalendar's, from 1, the highest; 0 is none (RFC 5545, section 3.8.1.9).
var priorities = map[task.Priority]int{task.Urgent: 1, task.High: 3, task.Medium: 5, task.Low: 7, task.None: 0}

// Repeating is what a file says of a task that repeats.
type Repeating struct {
	// Series is what its occurrences are made of.
	Series *task.Series
	// Rule is the series' rule from this occurrence on: what COUNT counted before it is gone.
	Rule string
}

// Writer writes a calendar. It remembers which time zones it has written, and no tasks.
type Writer struct {
	owner   *time.Location
	written map[string]bool
}

// NewWriter makes a Writer for somebody in a zone.
func NewWriter(owner *time.Location) *Writer { return &Writer{owner, map[string]bool{}} }

// Begin appends what a calendar begins with.
func (w *Writer) Begin(b []byte) []byte {
	for _, text := range []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//TaskFlow//TaskFlow//EN", "CALSCALE:GREGORIAN"} {
		b = appendLine(b, text)
	}
	return b
}

// End appends what a calendar ends with.
func (w *Writer) End(b []byte) []byte { return appendLine(b, "END:VCALENDAR") }

// Task appends a task. repeating is nil for one that does not repeat, and for every occurrence of a series but the one that
// stands for it; before the first of a zone comes the zone.
//
// DTSTART and DUE of a repeating task are the same. RFC 5545 wants DUE to be later, but what people enter is one time, and
// programs that know repeating to-dos write it as both.
func (w *Writer) Task(b []byte, t *task.Task, repeating *Repeating) []byte {
	if repeating == nil {
		b = begin(b, t.ID, t.Version, t)
		b = appendFields(b, t.Fields)
		b = appendDue(b, "DUE", t.Due)
		if !t.Occurrence.IsZero() {
			b = appendLine(b, "RELATED-TO;RELTYPE=SIBLING:"+escape(t.Occurrence.SeriesID))
		}
		b = appendStatus(b, t)
		b = appendAlarms(b, t.Fields, t.Due)
		return appendLine(b, "END:VTODO")
	}
	s := repeating.Series
	zone := w.owner
	if name := s.Recurrence.TimeZone; name != "" {
		if own, err := task.Zone(name); err == nil {
			zone = own
		}
	}
	if s.WholeDay {
		zone = nil
	}
	b = w.zone(b, zone)
	wall := placeOf(t, s, zone)
	at, due := wallValue(wall, zone), task.Due{Date: wall.Format(time.DateOnly)}
	if zone != nil {
		due = task.Due{At: recurrence.Instant(wall, zone).UTC()}
	}
	b = begin(b, s.ID, s.Version, t)
	b = appendFields(b, s.Fields)
	b = appendLine(b, "DTSTART"+at)
	b = appendLine(b, "DUE"+at)
	b = appendLine(b, "RRULE:"+exportRule(repeating.Rule, zone))
	b = appendRecurrence(b, s.Recurrence)
	b = appendLine(b, "STATUS:NEEDS-ACTION")
	b = appendAlarms(b, s.Fields, due)
	b = appendLine(b, "END:VTODO")
	if !alone(t, s, due) {
		return b
	}
	b = begin(b, s.ID, t.Version, t)
	b = appendLine(b, "RECURRENCE-ID"+at)
	b = appendFields(b, t.Fields)
	b = appendDue(b, "DUE", t.Due)
	b = appendStatus(b, t)
	b = appendAlarms(b, t.Fields, t.Due)
	return appendLine(b, "END:VTODO")
}

// placeOf is what clocks in a zone, nil for whole days, show when the occurrence comes by its series. If each counts from the one
// before being done, its place in the series need not be a time: then it is when it is due.
func placeOf(t *task.Task, s *task.Series, zone *time.Location) time.Time {
	if s.Recurrence.Anchor == task.OnCompletion {
		if day, err := time.Parse(time.DateOnly, t.Due.Date); err == nil && zone == nil {
			return day
		}
		if !t.Due.At.IsZero() && zone != nil {
			return t.Due.At.In(zone)
		}
	}
	return t.Occurrence.At
}

// alone reports whether the occurrence says something else than its series.
func alone(t *task.Task, s *task.Series, due task.Due) bool {
	f, g := t.Fields, s.Fields
	f.Recurrence, g.Recurrence, g.Due = nil, nil, due
	return !f.Equal(g)
}

// zone appends a VTIMEZONE if the calendar needs one that it has not got yet.
func (w *Writer) zone(b []byte, zone *time.Location) []byte {
	if zone == nil || zone == time.UTC || zone.String() == "UTC" || w.written[zone.String()] {
		return b
	}
	w.written[zone.String()] = true
	return appendZone(b, zone)
}

// wallValue is a time of the clock in a zone, or of a day for nil, as the parameters and the value of a property.
func wallValue(wall time.Time, zone *time.Location) string {
	switch {
	case zone == nil:
		return ";VALUE=DATE:" + wall.Format(dateLayout)
	case zone.String() == "UTC":
		return ":" + wall.Format(utcLayout)
	default:
		return ";TZID=" + zone.String() + ":" + wall.Format(wallLayout)
	}
}

// begin appends what every to-do begins with.
func begin(b []byte, uid string, version int, t *task.Task) []byte {
	b = appendLine(b, "BEGIN:VTODO")
	b = appendLine(b, "UID:"+escape(uid))
	b = appendLine(b, "DTSTAMP:"+t.UpdatedAt.UTC().Format(utcLayout))
	b = appendLine(b, "CREATED:"+t.CreatedAt.UTC().Format(utcLayout))
	b = appendLine(b, "LAST-MODIFIED:"+t.UpdatedAt.UTC().Format(utcLayout))
	return appendLine(b, "SEQUENCE:"+strconv.Itoa(version-1))
}

func appendFields(b []byte, f task.Fields) []byte {
	b = appendLine(b, "SUMMARY:"+escape(f.Title))
	if f.Description != "" {
		b = appendLine(b, "DESCRIPTION:"+escape(f.Description))
	}
	if n := priorities[f.Priority]; n > 0 {
		b = appendLine(b, "PRIORITY:"+strconv.Itoa(n))
	}
	if len(f.Tags) > 0 {
		tags := make([]string, len(f.Tags))
		for i, tag := range f.Tags {
			tags[i] = escape(tag)
		}
		b = appendLine(b, "CATEGORIES:"+strings.Join(tags, ","))
	}
	return b
}

func appendDue(b []byte, name string, due task.Due) []byte {
	switch {
	case due.IsZero():
		return b
	case due.Date != "":
		return appendLine(b, name+";VALUE=DATE:"+strings.ReplaceAll(due.Date, "-", ""))
	default:
		return appendLine(b, name+":"+due.At.UTC().Format(utcLayout))
	}
}

func appendStatus(b []byte, t *task.Task) []byte {
	switch {
	case t.Completed():
		b = appendLine(b, "STATUS:COMPLETED")
		b = appendLine(b, "PERCENT-COMPLETE:100")
		return appendLine(b, "COMPLETED:"+t.CompletedAt.UTC().Format(utcLayout))
	case !t.SkippedAt.IsZero():
		return appendLine(b, "STATUS:CANCELLED")
	default:
		return appendLine(b, "STATUS:NEEDS-ACTION")
	}
}

func appendRecurrence(b []byte, r *task.Recurrence) []byte {
	if r.Anchor != task.OnSchedule {
		b = appendLine(b, anchorProperty+":"+string(r.Anchor))
	}
	if r.CatchUp != task.Latest && r.CatchUp != "" {
		b = appendLine(b, catchUpProperty+":"+string(r.CatchUp))
	}
	if r.TimeZone != "" {
		b = appendLine(b, zoneProperty+":"+escape(r.TimeZone))
	}
	return b
}

// appendAlarms writes reminders: those before the due date relative to it, the others as times.
func appendAlarms(b []byte, f task.Fields, due task.Due) []byte {
	alarm := func(trigger string) {
		for _, text := range []string{"BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:" + escape(f.Title), trigger, "END:VALARM"} {
			b = appendLine(b, text)
		}
	}
	// The longest before the due time comes first, as on the clock.
	for _, minutes := range slices.Backward(f.Reminders) {
		if due.Date != "" {
			minutes -= nine
		}
		alarm("TRIGGER;RELATED=END:" + durationText(-minutes))
	}
	for _, at := range f.RemindAt {
		alarm("TRIGGER;VALUE=DATE-TIME:" + at.UTC().Format(utcLayout))
	}
	return b
}
