package ical_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/ical"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/importing"
)

// todo is a calendar of one to-do with these lines.
func todo(lines ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
}

func read(t *testing.T, text string) importing.File {
	t.Helper()
	file, err := ical.Read(text, oslo(t))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return file
}

func TestToDosOfOthersAreRead(t *testing.T) {
	t.Parallel()
	at := func(text string) task.Due {
		instant, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return task.Due{At: instant.UTC()}
	}
	for name, c := range map[string]struct {
		lines  []string
		want   task.Fields
		done   bool
		warned string
	}{
		"a title":                {[]string{"SUMMARY:a\\, b\\; c\\\\d"}, task.Fields{Title: `a, b; c\d`}, false, ""},
		"a folded line and tabs": {[]string{"SUMMARY:one ", " two", "\tthree"}, task.Fields{Title: "one twothree"}, false, ""},
		"all the rest": {
			[]string{"SUMMARY:a", "DESCRIPTION:b\\nc", "PRIORITY:2", "CATEGORIES:x,y\\,z", "CATEGORIES:w", "DUE;VALUE=DATE:20261201", "STATUS:COMPLETED"},
			task.Fields{Title: "a", Description: "b\nc", Priority: task.High, Tags: []string{"x", "y,z", "w"}, Due: task.Due{Date: "2026-12-01"}},
			true, "",
		},
		"an instant":               {[]string{"SUMMARY:a", "DUE:20261201T080000Z"}, task.Fields{Title: "a", Due: at("2026-12-01T08:00:00Z")}, false, ""},
		"a time that floats":       {[]string{"SUMMARY:a", "DUE:20261201T090000"}, task.Fields{Title: "a", Due: at("2026-12-01T08:00:00Z")}, false, ""},
		"a time in a zone":         {[]string{"SUMMARY:a", "DUE;TZID=America/New_York:20261201T090000"}, task.Fields{Title: "a", Due: at("2026-12-01T14:00:00Z")}, false, ""},
		"a zone of a longer name":  {[]string{"SUMMARY:a", `DUE;TZID="/freeassociation.sourceforge.net/America/New_York":20261201T090000`}, task.Fields{Title: "a", Due: at("2026-12-01T14:00:00Z")}, false, ""},
		"a zone nobody knows":      {[]string{"SUMMARY:a", "DUE;TZID=Mars/Base:20261201T090000"}, task.Fields{Title: "a", Due: at("2026-12-01T08:00:00Z")}, false, `line 6 has a time zone that is not known, "Mars/Base"; the time was read in yours`},
		"a time that jumps":        {[]string{"SUMMARY:a", "DUE;TZID=Europe/Oslo:20260329T023000"}, task.Fields{Title: "a", Due: at("2026-03-29T01:30:00Z")}, false, ""},
		"a start and a length":     {[]string{"SUMMARY:a", "DTSTART:20261201T080000Z", "DURATION:P1DT2H"}, task.Fields{Title: "a", Due: at("2026-12-02T10:00:00Z")}, false, ""},
		"a start alone":            {[]string{"SUMMARY:a", "DTSTART;VALUE=DATE:20261201"}, task.Fields{Title: "a", Due: task.Due{Date: "2026-12-01"}}, false, "it has no due date; the date on which it starts was taken"},
		"a date that is none":      {[]string{"SUMMARY:a", "DUE:tomorrow"}, task.Fields{Title: "a", Description: "DUE: tomorrow"}, false, `line 6 is not a date or time: "tomorrow"`},
		"no summary":               {[]string{"DESCRIPTION:first\\nsecond"}, task.Fields{Title: "first", Description: "first\nsecond"}, false, "it has no summary; its title is the first line of its description"},
		"cancelled":                {[]string{"SUMMARY:a", "STATUS:CANCELLED"}, task.Fields{Title: "a"}, true, "it was cancelled, and became a completed task"},
		"completed without saying": {[]string{"SUMMARY:a", "COMPLETED:20261201T080000Z"}, task.Fields{Title: "a"}, true, ""},
		"a rule in the user's own zone": {
			[]string{"SUMMARY:a", "DUE;TZID=Europe/Oslo:20261201T090000", "RRULE:FREQ=WEEKLY;BYDAY=TU;UNTIL=20261231T225959Z"},
			task.Fields{Title: "a", Due: at("2026-12-01T08:00:00Z"), Recurrence: &task.Recurrence{Rule: "FREQ=WEEKLY;BYDAY=TU;UNTIL=20261231", Anchor: task.OnSchedule, CatchUp: task.Latest}},
			false, "",
		},
		"a rule in another zone": {
			[]string{"SUMMARY:a", "DTSTART;TZID=America/New_York:20261201T090000", "RRULE:FREQ=DAILY"},
			task.Fields{Title: "a", Due: at("2026-12-01T14:00:00Z"), Recurrence: &task.Recurrence{Rule: "FREQ=DAILY", Anchor: task.OnSchedule, CatchUp: task.Latest, TimeZone: "America/New_York"}},
			false, "",
		},
		"a rule that cannot be kept": {
			[]string{"SUMMARY:a", "DUE;VALUE=DATE:20261201", "RRULE:FREQ=HOURLY"},
			task.Fields{Title: "a", Description: "Repeats: FREQ=HOURLY", Due: task.Due{Date: "2026-12-01"}},
			false, `line 7: its rule cannot be kept, for a rule must repeat by day, week, month or year: "FREQ=HOURLY"`,
		},
		"a rule of what is done": {
			[]string{"SUMMARY:a", "DUE;VALUE=DATE:20261201", "RRULE:FREQ=DAILY", "STATUS:COMPLETED"},
			task.Fields{Title: "a", Description: "Repeated: FREQ=DAILY", Due: task.Due{Date: "2026-12-01"}},
			true, "it is done, so that it does not repeat any more",
		},
		"reminders of all kinds": {
			[]string{
				"SUMMARY:a", "DTSTART:20261201T060000Z", "DUE:20261201T080000Z",
				"BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER;RELATED=END:-PT10M", "END:VALARM", "BEGIN:VALARM", "TRIGGER:-PT1H", "END:VALARM",
				"BEGIN:VALARM", "TRIGGER;VALUE=DATE-TIME:20261130T080000Z", "END:VALARM", "BEGIN:VALARM", "TRIGGER;RELATED=END:PT5M", "END:VALARM",
			},
			task.Fields{
				Title: "a", Due: at("2026-12-01T08:00:00Z"), Reminders: []int{10, 180},
				RemindAt: []time.Time{at("2026-11-30T08:00:00Z").At, at("2026-12-01T08:05:00Z").At},
			},
			false, "",
		},
		"reminders of a day": {
			[]string{"SUMMARY:a", "DUE;VALUE=DATE:20261201", "BEGIN:VALARM", "TRIGGER;RELATED=END:PT8H30M", "END:VALARM", "BEGIN:VALARM", "TRIGGER:-P1D", "END:VALARM", "BEGIN:VALARM", "TRIGGER:PT18H", "END:VALARM"},
			task.Fields{Title: "a", Due: task.Due{Date: "2026-12-01"}, Reminders: []int{30, 1980}, RemindAt: []time.Time{at("2026-12-01T17:00:00Z").At}},
			false, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := read(t, todo(append([]string{"UID:u"}, c.lines...)...))
			got := file.Items[0]
			if c.want.Priority == "" {
				c.want.Priority = task.None
			}
			if !reflect.DeepEqual(got.Fields, c.want) || got.Done != c.done || strings.Join(got.Warnings.Said, "|") != c.warned || got.UID != "u" || got.Line != 3 {
				t.Errorf("got  %+v, done %t, %q\nwant %+v, done %t, %q", got.Fields, got.Done, got.Warnings.Said, c.want, c.done, c.warned)
			}
		})
	}
}

func TestWhatWeWriteWeReadAsTheSame(t *testing.T) {
	t.Parallel()
	made, repeating := repeats("FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20271231", "Asia/Karachi", time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC))
	r := repeating.Series.Recurrence
	r.Anchor, r.CatchUp = task.OnCompletion, task.All
	for name, zone := range map[string]*time.Location{"elsewhere": oslo(t), "there": mustZone(t, "Asia/Karachi")} {
		file, err := ical.Read(written(zone, made, repeating), zone)
		if err != nil {
			t.Fatal(err)
		}
		got := file.Items[0]
		if !got.Fields.Equal(made.Fields) || len(got.Warnings.Said) > 0 || got.Own != nil || *got.Fields.Recurrence != *r {
			t.Errorf("%s: %+v %+v", name, got, got.Fields.Recurrence)
		}
	}
	r.Anchor = task.OnSchedule
	made.Due, made.RemindAt = task.Due{At: made.Due.At.Add(time.Hour)}, []time.Time{made.Due.At}
	file := read(t, written(oslo(t), made, repeating))
	if len(file.Items) != 1 || file.Items[0].Own == nil || !file.Items[0].Own.Due.Equal(made.Due) || file.Items[0].Fields.Due.Equal(made.Due) {
		t.Errorf("a moved occurrence: %+v", file.Items)
	}
}

func mustZone(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestFilesThatAreNoCalendarsAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                    "it holds no calendar; one begins with BEGIN:VCALENDAR",
		"hello":                               "line 1 is not a content line of iCalendar",
		"BEGIN:VTODO\r\nEND:VTODO":            "line 1: a calendar begins with BEGIN:VCALENDAR",
		"BEGIN:VCALENDAR":                     "the file ends before the VCALENDAR that begins on line 1",
		"BEGIN:VCALENDAR\nX;A\nEND:VCALENDAR": "line 2 is not a content line of iCalendar",
		"BEGIN:VCALENDAR\nX;A=\"b:c":          "line 2 is not a content line of iCalendar",
		"BEGIN:VCALENDAR\nX;A=b":              "line 2 is not a content line of iCalendar",
		"BEGIN:VCALENDAR\nEND:VTODO":          "line 2 ends a VTODO, and on line 1 a VCALENDAR began",
		"\xff":                                "the file is not UTF-8",
		"BEGIN:VCALENDAR\nX:" + strings.Repeat("a", 200_001):                                       "line 2 is longer than 200000 bytes",
		"BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:X\n", 100_000):                                 "line 10: components are nested more than 8 deep",
		"BEGIN:VCALENDAR\nBEGIN:VTODO\n" + strings.Repeat("X:1\n", 1001):                           "line 1003: a VTODO has more than 1000 lines",
		"BEGIN:VCALENDAR\nBEGIN:VTODO\n" + strings.Repeat("BEGIN:X\nEND:X\n", 101):                 "line 203: a VTODO holds more than 100 components",
		"BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:VTODO\nEND:VTODO\n", 5001) + "END:VCALENDAR\n": "must hold at most 5000 tasks, not 5001",
	} {
		_, err := ical.Read(text, time.UTC)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if fields := errs.Fields(err); len(fields) == 1 {
			got = fields[0].Message
		}
		if got != want {
			t.Errorf("%.60q: %q, want %q", text, got, want)
		}
	}
}

func TestAnItemIsBoundedWhateverAFileSays(t *testing.T) {
	t.Parallel()
	lines := []string{"SUMMARY:" + strings.Repeat("t", 500), "DESCRIPTION:" + strings.Repeat("d", 20_000), "DUE;VALUE=DATE:20261201"}
	for i := range 30 {
		lines = append(lines, fmt.Sprintf("CATEGORIES:c%d", i), "BEGIN:VALARM", fmt.Sprintf("TRIGGER:-PT%dM", i), "END:VALARM")
	}
	item := read(t, todo(lines...)).Items[0]
	if normal, err := item.Fields.Normal(); err != nil || len([]rune(normal.Title)) != 200 || len(normal.Description) != 10_000 || len(normal.Tags) != 20 || len(normal.Reminders) != 10 {
		t.Errorf("%v %+v", err, item)
	}
	if n := len(item.Warnings.Said); n > 8 || !strings.HasPrefix(item.Warnings.Said[n-1], "and ") {
		t.Errorf("%q", item.Warnings.Said)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(todo("SUMMARY:a", "DUE;TZID=Europe/Oslo:20261201T090000", "RRULE:FREQ=DAILY;UNTIL=20261201T000000Z", "BEGIN:VALARM", "TRIGGER;RELATED=END:-P1DT1H", "END:VALARM"))
	f.Add(todo("SUMMARY;LANGUAGE=en,\"x:y\":a\\", "CATEGORIES:a\\,b,,c\\", "DTSTART:20261231T235960Z", "DURATION:P1W", "X-TASKFLOW-ANCHOR:completion"))
	f.Add("BEGIN:VCALENDAR\n \n\t\nEND:VCALENDAR")
	zone := oslo(f)
	f.Fuzz(func(t *testing.T, text string) {
		file, err := ical.Read(text, zone)
		if err != nil {
			return
		}
		for _, item := range file.Items {
			normal, err := item.Fields.Normal()
			if err != nil {
				continue
			}
			// What is taken is written, and read as the same title again.
			again, err := ical.Read(written(zone, &task.Task{Fields: normal}, nil), zone)
			if err != nil || again.Items[0].Fields.Title != normal.Title {
				t.Errorf("%q becomes %+v, %v", text, again.Items, err)
			}
		}
	})
}

func FuzzDurationsAndTimesAreReadOrRefused(f *testing.F) {
	for _, s := range []string{"P1D", "-PT15M", "PT", "P", "P99999999999W", "20261201T090000", "20261301", "2026120１"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		file, err := ical.Read(todo("SUMMARY:a", "DUE:"+value, "DTSTART:20260101T000000Z", "BEGIN:VALARM", "TRIGGER:"+value, "END:VALARM"), time.UTC)
		if err == nil && len(file.Items) != 1 && !strings.ContainsAny(value, "\r\n") {
			t.Errorf("%q makes %d items", value, len(file.Items))
		}
	})
}
