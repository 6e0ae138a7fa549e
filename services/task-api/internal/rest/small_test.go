package rest

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

func TestIfMatchTakesOneETagOfOursOrAStar(t *testing.T) {
	t.Parallel()
	if version, err := ifMatch(nil); version != 0 || err != nil {
		t.Errorf("without a header: %d, %v", version, err)
	}
	for header, want := range map[string]int{`*`: 0, `"1"`: 1, ` "42" `: 42, `"2147483647"`: 2147483647} {
		if version, err := ifMatch(&header); err != nil || version != want {
			t.Errorf("%q is %d, %v", header, version, err)
		}
	}
	for _, header := range []string{``, `1`, `"`, `""`, `"0"`, `"-1"`, `"+1"`, `"01"`, `" 1"`, `W/"1"`, `"1", "2"`, `"abc"`, `"2147483648"`, `"99999999999999999999"`} {
		if version, err := ifMatch(&header); err == nil {
			t.Errorf("%q is taken as %d", header, version)
		}
	}
}

func TestIfNoneMatchTakesLists(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		`"3"`: true, `W/"3"`: true, `"1", "3"`: true, `*`: true, `"2"`: false, `3`: false, ``: false, `"33"`: false,
	} {
		if got := noneMatch(&header, 3); got != want {
			t.Errorf("%q: %t", header, got)
		}
	}
}

func FuzzIfMatch(f *testing.F) {
	for _, s := range []string{`"1"`, `*`, `W/"1"`, `"1","2"`, `"007"`, "\"\x00\"", `"٣"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		version, err := ifMatch(&header)
		switch trimmed := strings.TrimSpace(header); {
		case err != nil && version != 0:
			t.Errorf("%q is refused and taken as %d", header, version)
		case err == nil && version == 0 && trimmed != "*":
			t.Errorf("%q means any version", header)
		case err == nil && version != 0 && (version < 0 || etag(version) != trimmed):
			t.Errorf("%q is taken as %d", header, version)
		}
	})
}

func FuzzTrailCursor(f *testing.F) {
	f.Add(trailCursor{"tasks.events", "", false, 7}.String(), "tasks.events", "", false)
	f.Add(trailCursor{"tasks.events", "", true, 7}.String(), "tasks.events", "", true)
	f.Add("ZTF8dGFza3MuZXZlbnRzfHw\n3", "tasks.events", "", false)
	f.Add("ZTE", "users.events", "0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e", true)
	f.Fuzz(func(t *testing.T, cursor, topic, taskID string, newest bool) {
		got, err := trailCursor{topic: topic, taskID: taskID, newest: newest}.at(cursor)
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Errorf("%q is refused with %v", cursor, err)
			}
			return
		}
		if want := (trailCursor{topic, taskID, newest, got.sequence}); got != want || got.String() != cursor {
			t.Errorf("%q is taken for %q", cursor, got)
		}
	})
}

func FuzzDueDate(f *testing.F) {
	for _, s := range []string{
		"2026-12-01", "2026-12-01T09:00:00Z", "2026-12-01T09:00:00.123456+05:30", "2026-02-29", "2024-02-29", "0001-01-01T00:00:00Z",
		"2026-12-01T24:00:00Z", "2026-12-01t09:00:00z", "2026-12-01T9:00:00Z", "2026-12-01T09:00:00,5Z", "9999-12-31", "2026-W01-1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := parseMoment(s)
		if err != nil {
			return
		}
		if d.IsZero() {
			t.Fatalf("%q is taken for no due date", s)
		}
		normal, err := task.Fields{Title: "t", Due: d}.Normal()
		if err != nil {
			t.Fatalf("%q is taken and refused by the rule book: %v", s, err)
		}
		// What we write is read as the same again.
		var text string
		if err := json.Unmarshal(appendDue(nil, normal.Due), &text); err != nil {
			t.Fatal(err)
		}
		if again, err := parseMoment(text); err != nil || !again.Equal(normal.Due) {
			t.Errorf("%q becomes %q becomes %v, %v", s, text, again, err)
		}
	})
}

func TestADateInAFilterIsTheBeginningOfThatDay(t *testing.T) {
	t.Parallel()
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	day := beginning(task.Due{Date: "2026-12-01"}, oslo)
	before := task.Due{Date: "2026-11-30"}.Deadline(oslo)
	on := task.Due{Date: "2026-12-01"}.Deadline(oslo)
	if !before.Before(day) || on.Before(day) {
		t.Errorf("due on 11-30 ends %s, on 12-01 %s, and the day begins %s", before, on, day)
	}
	instant := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	if got := beginning(task.Due{At: instant}, oslo); !got.Equal(instant) {
		t.Errorf("an instant becomes %s", got)
	}
}

func TestAMergePatchTouchesWhatItNames(t *testing.T) {
	t.Parallel()
	present := task.Fields{
		Title: "a", Description: "b", Priority: task.High, Tags: []string{"x"}, Due: task.Due{Date: "2026-12-01"}, Reminders: []int{5},
		RemindAt:   []time.Time{time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)},
		Recurrence: &task.Recurrence{Rule: "FREQ=DAILY", Anchor: task.OnCompletion, TimeZone: "Europe/Oslo", CatchUp: task.All},
	}
	for name, c := range map[string]struct {
		patch string
		want  func(*task.Fields)
	}{
		"nothing":            {`{}`, func(*task.Fields) {}},
		"a title":            {`{"title":"z"}`, func(f *task.Fields) { f.Title = "z" }},
		"null clears":        {`{"description":null,"priority":null,"tags":null,"due_date":null,"reminders":null,"remind_at":null,"recurrence":null}`, func(f *task.Fields) { *f = task.Fields{Title: "a"} }},
		"lists are replaced": {`{"tags":["y"],"reminders":[]}`, func(f *task.Fields) { f.Tags = []string{"y"}; f.Reminders = []int{} }},
		"a word replaces":    {`{"recurrence":"weekly"}`, func(f *task.Fields) { f.Recurrence = &task.Recurrence{Rule: "weekly"} }},
		"an object is merged": {`{"recurrence":{"rule":"FREQ=WEEKLY"}}`, func(f *task.Fields) {
			f.Recurrence = &task.Recurrence{Rule: "FREQ=WEEKLY", Anchor: task.OnCompletion, TimeZone: "Europe/Oslo", CatchUp: task.All}
		}},
		"times of their own": {`{"remind_at":["2026-12-01T10:00:00+01:00"]}`, func(f *task.Fields) { f.RemindAt = []time.Time{time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)} }},
		"null in the object": {`{"recurrence":{"anchor":null,"time_zone":null,"catch_up":null}}`, func(f *task.Fields) { f.Recurrence = &task.Recurrence{Rule: "FREQ=DAILY"} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var patch TaskPatch
			if err := json.Unmarshal([]byte(c.patch), &patch); err != nil {
				t.Fatal(err)
			}
			got, want := present, present
			patch.apply(&got)
			c.want(&want)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// TestTasksAreWrittenAsTheGeneratedTypeReadsThem holds our encoder against the generated type.
func TestTasksAreWrittenAsTheGeneratedTypeReadsThem(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 12, 1, 9, 0, 0, 123e6, time.UTC)
	full := task.Task{
		ID: "0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e", UserID: "u",
		Fields: task.Fields{
			Title: "a \"quoted\" <b> \\ ø 😀 \u2028", Description: "two\nlines\tand a tab", Priority: task.Urgent, Tags: []string{"a", "ø"},
			Due: task.Due{At: at}, Reminders: []int{0, 60}, RemindAt: []time.Time{at, at.Add(time.Hour)},
			Recurrence: &task.Recurrence{Rule: "FREQ=DAILY", Anchor: task.OnSchedule, TimeZone: "Europe/Oslo", CatchUp: task.Latest},
		},
		Occurrence:  task.Occurrence{SeriesID: "0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2f", At: at.Truncate(time.Second)},
		CompletedAt: at, SkippedAt: at, Version: 12, CreatedAt: at, UpdatedAt: at, DeletedAt: at,
	}
	bare := task.Task{ID: full.ID, UserID: "u", Fields: task.Fields{Title: "a", Priority: task.None, Due: task.Due{Date: "2026-12-01"}}, Version: 1, CreatedAt: at, UpdatedAt: at}
	bodies(t).Teach()
	s := specification(t).Components.Schemas["Task"].Value
	for _, written := range []task.Task{full, bare} {
		raw := appendTask(nil, &written)
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if err := s.VisitJSON(value); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
		var read Task
		if err := json.Unmarshal(raw, &read); err != nil {
			t.Fatal(err)
		}
		same := read.ID == written.ID && read.Title == written.Title && read.Description == written.Description &&
			read.Completed == written.Completed() && read.Priority == string(written.Priority) && read.Version == written.Version &&
			read.CreatedAt.Equal(written.CreatedAt) && sameTime(read.CompletedAt, written.CompletedAt) && sameTime(read.DeletedAt, written.DeletedAt) &&
			sameTime(read.SkippedAt, written.SkippedAt) && read.Skipped == !written.SkippedAt.IsZero() && len(read.RemindAt) == len(written.RemindAt) &&
			read.SeriesID.IsNull() == written.Occurrence.IsZero() && read.Occurrence.IsNull() == written.Occurrence.IsZero() &&
			len(read.Tags) == len(written.Tags) && len(read.Reminders) == len(written.Reminders)
		if !same {
			t.Errorf("%s was written for %+v", raw, written)
		}
		// The generated encoder writes the same values.
		theirs, err := json.Marshal(read)
		if err != nil {
			t.Fatal(err)
		}
		var again any
		if err := json.Unmarshal(theirs, &again); err != nil {
			t.Fatal(err)
		}
		if normal(t, value) != normal(t, again) {
			t.Errorf("ours   %s\ntheirs %s", raw, theirs)
		}
	}
}

// normal is a JSON value in one spelling; trailing zeros of milliseconds are a matter of taste.
func normal(t *testing.T, value any) string {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(raw), ".000Z", "Z")
}

func sameTime(n nullable.Nullable[time.Time], t time.Time) bool {
	v, err := n.Get()
	return err != nil && t.IsZero() || v.Equal(t)
}

func BenchmarkPage(b *testing.B) {
	at := time.Date(2026, 12, 1, 9, 0, 0, 123e6, time.UTC)
	tasks := make([]task.Task, 50)
	for i := range tasks {
		tasks[i] = task.Task{
			ID: "0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e", Version: 1, CreatedAt: at, UpdatedAt: at,
			Fields: task.Fields{Title: "Buy milk", Description: "Two litres of it", Priority: task.High, Tags: []string{"home"}, Due: task.Due{At: at}},
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		r := pooledReply(func(b []byte) []byte { return appendTasks(b, tasks) })
		*r.pooled = r.body[:0]
		buffers.Put(r.pooled)
	}
}
