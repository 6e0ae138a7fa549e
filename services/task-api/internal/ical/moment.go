package ical

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

const (
	dateLayout = "20060102"
	utcLayout  = "20060102T150405Z"
)

// moment is a DATE or a DATE-TIME.
type moment struct {
	// wall is what clocks show, as if they were in UTC; midnight of a date.
	wall time.Time
	date bool
	// zone is nil for a date.
	zone *time.Location
	// named says that the file names the zone: it is not a time of whichever zone the reader is in.
	named bool
}

// instant is when it is; midnight in owner's zone of a date.
func (m moment) instant(owner *time.Location) time.Time {
	if m.zone != nil {
		owner = m.zone
	}
	return recurrence.Instant(m.wall, owner)
}

// due is a due date at the moment.
func (m moment) due() task.Due {
	if m.date {
		return task.Due{Date: m.wall.Format(time.DateOnly)}
	}
	return task.Due{At: m.instant(nil)}
}

// parseWall reads the digits of a DATE or DATE-TIME.
func parseWall(value string) (wall time.Time, date, utc, ok bool) {
	layout := wallLayout
	switch len(value) {
	case len(dateLayout):
		layout, date = dateLayout, true
	case len(utcLayout):
		layout, utc = utcLayout, true
	}
	// A leap second, which RFC 5545 allows, is the second before it.
	if !date && len(value) >= len(wallLayout) && value[13:15] == "60" {
		value = value[:13] + "59" + value[15:]
	}
	wall, err := time.Parse(layout, value)
	return wall, date, utc, err == nil
}

// parseDuration reads a DURATION (RFC 5545, section 3.3.6): [+-]P[nW][nD][T[nH][nM][nS]]. Days are 24 hours.
func parseDuration(text string) (time.Duration, bool) {
	text, negative := strings.CutPrefix(text, "-")
	if !negative {
		text = strings.TrimPrefix(text, "+")
	}
	text, ok := strings.CutPrefix(text, "P")
	if !ok || text == "" {
		return 0, false
	}
	total, inTime, counted := time.Duration(0), false, false
	for text != "" {
		if text[0] == 'T' && !inTime {
			inTime, text = true, text[1:]
			continue
		}
		end := strings.IndexAny(text, "WDHMS")
		if end < 1 || end > 9 {
			return 0, false
		}
		n, err := strconv.ParseUint(text[:end], 10, 32)
		if err != nil {
			return 0, false
		}
		unit, ok := map[string]time.Duration{
			"W": 7 * 24 * time.Hour, "D": 24 * time.Hour, "TH": time.Hour, "TM": time.Minute, "TS": time.Second,
		}[map[bool]string{true: "T"}[inTime]+text[end:end+1]]
		if !ok || float64(n)*float64(unit)+float64(total) > math.MaxInt64/2 {
			return 0, false
		}
		total += time.Duration(n) * unit
		text, counted = text[end+1:], true
	}
	if negative {
		total = -total
	}
	return total, counted
}

// durationText writes minutes as a DURATION.
func durationText(minutes int) string {
	sign := ""
	if minutes < 0 {
		sign, minutes = "-", -minutes
	}
	switch {
	case minutes > 0 && minutes%(24*60) == 0:
		return sign + "P" + strconv.Itoa(minutes/(24*60)) + "D"
	case minutes > 0 && minutes%60 == 0:
		return sign + "PT" + strconv.Itoa(minutes/60) + "H"
	default:
		return sign + "PT" + strconv.Itoa(minutes) + "M"
	}
}
