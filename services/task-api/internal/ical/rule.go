package ical

import (
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/recurrence"
)

// Our rules end by a date, a time of the clock or an instant, whatever they begin with. In a file UNTIL is a date if DTSTART
// is one and an instant otherwise (RFC 5545, section 3.3.10).

// exportRule is a rule as a file has it. zone is nil for whole days.
func exportRule(rule string, zone *time.Location) string {
	return withUntil(rule, func(wall time.Time, date, utc bool) string {
		switch {
		case zone == nil:
			return wall.Format(dateLayout)
		case utc:
			return wall.Format(utcLayout)
		case date:
			wall = wall.Add(24*time.Hour - time.Second)
		}
		return recurrence.Instant(wall, zone).UTC().Format(utcLayout)
	})
}

// importRule is exportRule the other way: an instant becomes what the clocks of the zone show, the last second of a day the
// day.
func importRule(rule string, zone *time.Location) string {
	return withUntil(rule, func(wall time.Time, date, utc bool) string {
		if utc && zone != nil {
			wall = wall.In(zone)
		}
		switch {
		case date, zone == nil, wall.Format(time.TimeOnly) == "23:59:59":
			return wall.Format(dateLayout)
		default:
			return wall.Format(wallLayout)
		}
	})
}

// withUntil replaces UNTIL by what write makes of it. One that cannot be read stays.
func withUntil(rule string, write func(wall time.Time, date, utc bool) string) string {
	parts := strings.Split(rule, ";")
	for i, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		if !strings.EqualFold(name, "UNTIL") {
			continue
		}
		if wall, date, utc, ok := parseWall(strings.ToUpper(value)); ok {
			parts[i] = "UNTIL=" + write(wall, date, utc)
		}
	}
	return strings.Join(parts, ";")
}
