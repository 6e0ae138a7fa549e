package ical_test

import (
	"bufio"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/taskflow-suite/taskflow/pkg/recurrence"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/ical"
)

func oslo(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// written is a calendar of one task.
func written(zone *time.Location, made *task.Task, repeating *ical.Repeating) string {
	w := ical.NewWriter(zone)
	return string(w.End(w.Task(w.Begin(nil), made, repeating)))
}

func TestATaskIsReadByOthersAsItIs(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	made := &task.Task{
		ID: "0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e", Version: 3, CreatedAt: at, UpdatedAt: at,
		Fields: task.Fields{
			Title: `Semi;colon, comma \ "quotes" and ` + strings.Repeat("æøå😀", 40), Description: "one\ntwo\r\nthree\tfour; " + strings.Repeat("long ", 100),
			Priority: task.Urgent, Tags: []string{"a,b", "c;d", "ø"}, Due: task.Due{At: at}, Reminders: []int{0, 10, 60, 1440},
			RemindAt: []time.Time{at.Add(-26 * time.Hour)},
		},
	}
	text := written(oslo(t), made, nil)
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Split(func(data []byte, end bool) (int, []byte, error) {
		if i := strings.Index(string(data), "\r\n"); i >= 0 {
			return i + 2, data[:i], nil
		}
		return 0, nil, nil
	})
	for lines.Scan() {
		if line := lines.Text(); len(line) > 75 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line of %d bytes: %q", len(line), line)
		}
	}
	h := hear(t, text, 0, nil)
	todo := h.Todos[0]
	if h.Version != "2.0" || len(h.Todos) != 1 || todo.UID != made.ID || todo.Summary != made.Title ||
		todo.Description != strings.ReplaceAll(made.Description, "\r\n", "\n") || todo.Priority != 1 || todo.Status != "NEEDS-ACTION" ||
		!slices.Equal(todo.Categories, made.Tags) || todo.Due != "2026-12-01T08:00:00.000Z" {
		t.Errorf("%+v", h)
	}
	if want := []string{"-P1D", "-PT1H", "-PT10M", "PT0S", "2026-11-30T06:00:00Z"}; !slices.Equal(todo.Triggers, want) {
		t.Errorf("reminders %v, want %v", todo.Triggers, want)
	}
	made.CompletedAt, made.Due, made.Occurrence = at, task.Due{Date: "2026-12-01"}, task.Occurrence{SeriesID: "the-series", At: at}
	todo = hear(t, written(oslo(t), made, nil), 0, nil).Todos[0]
	if todo.Status != "COMPLETED" || todo.Due != "2026-12-01" || todo.Related != "the-series" || todo.Triggers[3] != "PT9H" {
		t.Errorf("%+v", todo)
	}
	made.CompletedAt, made.SkippedAt = time.Time{}, at
	if todo = hear(t, written(oslo(t), made, nil), 0, nil).Todos[0]; todo.Status != "CANCELLED" {
		t.Errorf("%+v", todo)
	}
}

// TestOthersExpandARuleAsWeDo leaves out where ical.js departs from RFC 5545: it moves a time that clocks jump over back
// instead of forward, and has a 29 February in every year.
func TestOthersExpandARuleAsWeDo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule, zone string
		at         time.Time
	}{
		"over both changes of the clocks":  {"FREQ=WEEKLY;BYDAY=SU,MO", "Europe/Oslo", time.Date(2026, 3, 1, 3, 30, 0, 0, time.UTC)},
		"the last day of each month":       {"FREQ=MONTHLY;BYMONTHDAY=-1", "America/New_York", time.Date(2026, 1, 31, 23, 15, 0, 0, time.UTC)},
		"the second Tuesday":               {"FREQ=MONTHLY;BYDAY=2TU", "Pacific/Chatham", time.Date(2026, 1, 13, 9, 0, 0, 0, time.UTC)},
		"whole days with a last one":       {"FREQ=DAILY;INTERVAL=3;UNTIL=20260301", "", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
		"until a day, in a zone":           {"FREQ=DAILY;UNTIL=20260110", "Asia/Karachi", time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC)},
		"until a time of the clock":        {"FREQ=DAILY;UNTIL=20260110T090000", "Europe/Oslo", time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC)},
		"so many times":                    {"FREQ=YEARLY;COUNT=4", "Europe/Oslo", time.Date(2024, 3, 29, 12, 0, 0, 0, time.UTC)},
		"every workday, the last of which": {"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "UTC", time.Date(2026, 1, 30, 8, 0, 0, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made, repeating := repeats(c.rule, c.zone, c.at)
			got := hear(t, written(oslo(t), made, repeating), 60, nil).Todos[0].Occurrences
			rule, err := recurrence.Parse(c.rule)
			if err != nil {
				t.Fatal(err)
			}
			zone, layout := time.UTC, time.DateOnly
			if c.zone != "" {
				layout = "2006-01-02T15:04:05.000Z"
				if zone, err = time.LoadLocation(c.zone); err != nil {
					t.Fatal(err)
				}
			}
			times, err := rule.Occurrences(c.at, zone, time.Time{}, 60)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, at := range times {
				want = append(want, at.UTC().Format(layout))
			}
			if !slices.Equal(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

func TestAnOccurrenceThatWasMovedAloneIsWrittenBesideItsSeries(t *testing.T) {
	t.Parallel()
	made, repeating := repeats("FREQ=DAILY", "", time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	if h := hear(t, written(oslo(t), made, repeating), 1, nil); len(h.Todos) != 1 {
		t.Errorf("one that is as its series says is written %d times", len(h.Todos))
	}
	made.Due = task.Due{At: time.Date(2026, 12, 5, 8, 0, 0, 0, time.UTC)}
	h := hear(t, written(oslo(t), made, repeating), 1, nil)
	if len(h.Todos) != 2 || h.Todos[0].UID != h.Todos[1].UID || h.Todos[0].Due != "2026-12-01" || h.Todos[1].RecurrenceID != "2026-12-01" || h.Todos[1].Due != "2026-12-05T08:00:00.000Z" {
		t.Errorf("%+v", h.Todos)
	}
}
