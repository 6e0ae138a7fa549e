package ical_test

import (
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/ical"
)

// zones have each something of its own: half and quarter hours, a day that was skipped, a summer at midnight, summers given
// up, the other half of the year, an hour that is negative, a fast, seconds, years of dates instead of a rule.
var zones = []string{
	"Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham", "Pacific/Apia", "Europe/Istanbul",
	"Africa/Cairo", "America/Sao_Paulo", "America/St_Johns", "Asia/Karachi", "Asia/Tehran", "America/Santiago", "Europe/Dublin",
	"Asia/Pyongyang", "America/Caracas", "Antarctica/Troll", "Pacific/Kiritimati", "Africa/Casablanca", "Africa/Monrovia",
	"America/Nuuk", "Asia/Jerusalem", "Asia/Gaza", "Etc/GMT+5",
}

// daily is a calendar with one task a day in each zone.
func daily(t *testing.T, names ...string) string {
	t.Helper()
	w := ical.NewWriter(time.UTC)
	b := w.Begin(nil)
	for _, name := range names {
		made, repeating := repeats("FREQ=DAILY", name, time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC))
		b = w.Task(b, made, repeating)
	}
	return string(w.End(b))
}

// repeats is an occurrence of a series of whole days if zone is empty, and what stands for it.
func repeats(rule, zone string, at time.Time) (*task.Task, *ical.Repeating) {
	f := task.Fields{
		Title: "water the plants", Priority: task.Low, Reminders: []int{10},
		Recurrence: &task.Recurrence{Rule: rule, Anchor: task.OnSchedule, CatchUp: task.Latest, TimeZone: zone},
	}
	s := &task.Series{ID: "series-" + zone, Fields: f, Start: at, WholeDay: zone == "", Version: 1}
	made := &task.Task{ID: "task-" + zone, Fields: f, Occurrence: task.Occurrence{SeriesID: s.ID, At: at}, Version: 1, CreatedAt: at, UpdatedAt: at}
	made.Due = task.Due{Date: at.Format(time.DateOnly)}
	if zone != "" {
		in, err := time.LoadLocation(zone)
		if err != nil {
			panic(err)
		}
		made.Due = task.Due{At: recurrence.Instant(at, in).UTC()}
	}
	return made, &ical.Repeating{Series: s, Rule: rule}
}

// TestZonesAreWrittenAsGoKnowsThem compares every hour around every change of every zone's clocks from 1970 to 2110.
func TestZonesAreWrittenAsGoKnowsThem(t *testing.T) {
	t.Parallel()
	walls := map[string][]string{}
	want := map[string][]int64{}
	const layout = "2006-01-02T15:04:05"
	for _, name := range zones {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		ask := func(at time.Time) {
			wall := at.In(zone)
			_, offset := wall.Zone()
			// Of a time that clocks show twice only the first can be asked for, and ical.js takes the second then. It reads
			// no seconds in offsets.
			if recurrence.Instant(wall, zone).Equal(at) && !twice(wall, zone) && offset%60 == 0 {
				walls[name], want[name] = append(walls[name], wall.Format(layout)), append(want[name], at.Unix())
			}
		}
		_, before := time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC).In(zone).Zone()
		for day := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2111; day = day.AddDate(0, 0, 1) {
			_, now := day.In(zone).Zone()
			if now == before {
				continue
			}
			before = now
			// The clocks were put in the day before.
			for hour := -27; hour <= 3; hour++ {
				at := day.Add(time.Duration(hour) * time.Hour)
				ask(at)
				ask(at.Add(30*time.Minute + 1*time.Second))
			}
		}
		ask(time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC))
		ask(time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC))
	}
	calendar := daily(t, zones...)
	got := hear(t, calendar, 1, walls)
	for _, name := range zones {
		wrong := 0
		for i := range walls[name] {
			if got.Instants[name][i] == want[name][i] {
				continue
			}
			if wrong++; wrong <= 3 {
				t.Errorf("%s: %s is %s, want %s", name, walls[name][i], time.Unix(got.Instants[name][i], 0).UTC(), time.Unix(want[name][i], 0).UTC())
			}
		}
		t.Logf("%s: %d times compared, %d differ", name, len(walls[name]), wrong)
	}
	if n := strings.Count(calendar, "BEGIN:VTIMEZONE"); n != len(zones) {
		t.Errorf("%d zones are written, want %d", n, len(zones))
	}
}

// twice reports whether clocks show a time twice.
func twice(wall time.Time, zone *time.Location) bool {
	_, before := wall.Add(-3 * time.Hour).Zone()
	_, after := wall.Add(3 * time.Hour).Zone()
	back := time.Duration(before-after) * time.Second
	again := recurrence.Instant(wall, zone).Add(back).In(zone)
	return back > 0 && again.Hour() == wall.Hour() && again.Minute() == wall.Minute()
}

func TestAZoneThatDoesTheSameEachYearIsShort(t *testing.T) {
	t.Parallel()
	for zone, want := range map[string][]string{
		"Europe/Oslo":         {"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"},
		"America/New_York":    {"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU"},
		"America/Santiago":    {"RRULE:FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=2,3,4,5,6,7,8;BYDAY=SU"},
		"Asia/Jerusalem":      {"RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=23,24,25,26,27,28,29;BYDAY=FR"},
		"Asia/Kathmandu":      {"TZOFFSETTO:+0545"},
		"Africa/Monrovia":     {"TZOFFSETFROM:-004430"},
		"Australia/Lord_Howe": {"TZOFFSETTO:+1030", "TZOFFSETTO:+1100"},
	} {
		text := unfolded(daily(t, zone))
		for _, part := range want {
			if !strings.Contains(text, part+"\r\n") {
				t.Errorf("%s lacks %s:\n%s", zone, part, text)
			}
		}
		if len(text) > 7000 {
			t.Errorf("%s takes %d bytes", zone, len(text))
		}
	}
	if text := daily(t, "UTC"); strings.Contains(text, "VTIMEZONE") || !strings.Contains(text, "DUE:20260101T090000Z") {
		t.Errorf("UTC needs no zone:\n%s", text)
	}
}

func unfolded(text string) string { return strings.ReplaceAll(text, "\r\n ", "") }
