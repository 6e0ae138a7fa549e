package task_test

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

var (
	start = time.Date(2026, 11, 22, 9, 0, 0, 123_000_000, time.UTC)
	later = start.Add(time.Hour)
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func normal(t *testing.T, f task.Fields) task.Fields {
	t.Helper()
	n, err := f.Normal()
	must(t, err)
	return n
}

func TestFieldsAreKeptInOneSpelling(t *testing.T) {
	t.Parallel()
	tokyo, err := task.Zone("Asia/Tokyo")
	must(t, err)
	got := normal(t, task.Fields{
		Title: "  Buy milk \t", Tags: []string{"b ", "a", "b"}, Reminders: []int{60, 0, 60},
		Due:        task.Due{At: time.Date(2026, 12, 1, 9, 0, 0, 123_456_789, tokyo)},
		RemindAt:   []time.Time{later.In(tokyo), start.Add(time.Microsecond), start},
		Recurrence: &task.Recurrence{Rule: "Weekly"},
	})
	want := task.Fields{
		Title: "Buy milk", Priority: task.None, Tags: []string{"a", "b"}, Reminders: []int{0, 60},
		Due:        task.Due{At: time.Date(2026, 12, 1, 0, 0, 0, 123_000_000, time.UTC)},
		RemindAt:   []time.Time{start.Truncate(time.Millisecond), later},
		Recurrence: &task.Recurrence{Rule: "FREQ=WEEKLY", Anchor: task.OnSchedule, CatchUp: task.Latest},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if again := normal(t, got); !reflect.DeepEqual(again, got) {
		t.Errorf("the second time it becomes %+v", again)
	}
}

func TestNormalLeavesItsArgumentAlone(t *testing.T) {
	t.Parallel()
	f := task.Fields{Title: "x", Tags: []string{"b", "a"}, Reminders: []int{2, 1}, RemindAt: []time.Time{later, start}, Due: task.Due{Date: "2026-12-01"}, Recurrence: &task.Recurrence{Rule: "daily"}}
	normal(t, f)
	if f.Tags[0] != "b" || f.Reminders[0] != 2 || !f.RemindAt[0].Equal(later) || f.Recurrence.Rule != "daily" {
		t.Errorf("it became %+v", f)
	}
}

func TestEachWrongFieldIsNamed(t *testing.T) {
	t.Parallel()
	due := task.Due{Date: "2026-12-01"}
	many := func(n int) (tags []string) {
		for i := range n {
			tags = append(tags, strconv.Itoa(i))
		}
		return tags
	}
	for what, test := range map[string]struct {
		f     task.Fields
		wrong []string
	}{
		"an empty title":                {task.Fields{}, []string{"title"}},
		"a title of spaces":             {task.Fields{Title: " \t\n "}, []string{"title"}},
		"200 characters":                {task.Fields{Title: strings.Repeat("😀", 200)}, nil},
		"201 characters":                {task.Fields{Title: strings.Repeat("ü", 201)}, []string{"title"}},
		"a title with a newline":        {task.Fields{Title: "a\nb"}, []string{"title"}},
		"a title with a NUL":            {task.Fields{Title: "a\x00b"}, []string{"title"}},
		"a title that is not UTF-8":     {task.Fields{Title: "a\xff"}, []string{"title"}},
		"a description with lines":      {task.Fields{Title: "x", Description: "a\r\n\tb"}, nil},
		"a description with an escape":  {task.Fields{Title: "x", Description: "\x1b[31m"}, []string{"description"}},
		"10,000 characters":             {task.Fields{Title: "x", Description: strings.Repeat("€", 10_000)}, nil},
		"10,001 characters":             {task.Fields{Title: "x", Description: strings.Repeat("a", 10_001)}, []string{"description"}},
		"an unknown priority":           {task.Fields{Title: "x", Priority: "highest"}, []string{"priority"}},
		"20 tags":                       {task.Fields{Title: "x", Tags: many(20)}, nil},
		"21 tags":                       {task.Fields{Title: "x", Tags: many(21)}, []string{"tags"}},
		"an empty tag":                  {task.Fields{Title: "x", Tags: []string{"a", " "}}, []string{"tags[1]"}},
		"a tag of 51":                   {task.Fields{Title: "x", Tags: []string{strings.Repeat("a", 51)}}, []string{"tags[0]"}},
		"a tag with a control":          {task.Fields{Title: "x", Tags: []string{"a\tb"}}, []string{"tags[0]"}},
		"a date that is none":           {task.Fields{Title: "x", Due: task.Due{Date: "2026-02-30"}}, []string{"due_date"}},
		"a date in other words":         {task.Fields{Title: "x", Due: task.Due{Date: "tomorrow"}}, []string{"due_date"}},
		"a date before 1970":            {task.Fields{Title: "x", Due: task.Due{Date: "1969-12-31"}}, []string{"due_date"}},
		"an instant after 9998":         {task.Fields{Title: "x", Due: task.Due{At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}}, []string{"due_date"}},
		"a reminder of nothing":         {task.Fields{Title: "x", Reminders: []int{5}}, []string{"reminders"}},
		"a reminder after the time":     {task.Fields{Title: "x", Due: due, Reminders: []int{-1}}, []string{"reminders[0]"}},
		"a reminder years ahead":        {task.Fields{Title: "x", Due: due, Reminders: []int{0, 525_601}}, []string{"reminders[1]"}},
		"11 reminders":                  {task.Fields{Title: "x", Due: due, Reminders: make([]int, 11)}, []string{"reminders"}},
		"reminders of what will be due": {task.Fields{Title: "x", Reminders: []int{5}, Recurrence: &task.Recurrence{Rule: "daily"}}, nil},
		"11 times":                      {task.Fields{Title: "x", RemindAt: make([]time.Time, 11)}, []string{"remind_at"}},
		"a time in no year":             {task.Fields{Title: "x", RemindAt: []time.Time{start, {}}}, []string{"remind_at[1]"}},
		"an unknown way to catch up":    {task.Fields{Title: "x", Recurrence: &task.Recurrence{Rule: "daily", CatchUp: "x"}}, []string{"recurrence.catch_up"}},
		"a rule that is none":           {task.Fields{Title: "x", Recurrence: &task.Recurrence{Rule: "now and then"}}, []string{"recurrence.rule"}},
		"a rule by the second":          {task.Fields{Title: "x", Recurrence: &task.Recurrence{Rule: "FREQ=SECONDLY"}}, []string{"recurrence.rule"}},
		"an unknown anchor":             {task.Fields{Title: "x", Recurrence: &task.Recurrence{Rule: "daily", Anchor: "x"}}, []string{"recurrence.anchor"}},
		"a zone there is not":           {task.Fields{Title: "x", Recurrence: &task.Recurrence{Rule: "daily", TimeZone: "Mars/Olympus"}}, []string{"recurrence.time_zone"}},
		"the zone of whoever computes":  {task.Fields{Title: "x", Recurrence: &task.Recurrence{Rule: "daily", TimeZone: "Local"}}, []string{"recurrence.time_zone"}},
		"a zone that is a path":         {task.Fields{Title: "x", Recurrence: &task.Recurrence{Rule: "daily", TimeZone: "../../etc/passwd"}}, []string{"recurrence.time_zone"}},
		"everything wrong is named":     {task.Fields{Priority: "x", Tags: []string{""}, Due: task.Due{Date: "x"}}, []string{"title", "priority", "tags[0]", "due_date"}},
	} {
		_, err := test.f.Normal()
		var wrong []string
		for _, f := range errs.Fields(err) {
			if f.Message == "" {
				t.Errorf("%s: %s has no message", what, f.Field)
			}
			wrong = append(wrong, f.Field)
		}
		if !slices.Equal(wrong, test.wrong) || (err != nil) != (len(test.wrong) > 0) || err != nil && !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: wrong are %v (%v), want %v", what, wrong, err, test.wrong)
		}
	}
}

func TestADayEndsWhenItsOwnersDayEnds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ day, zone, end string }{
		{"2026-11-22", "UTC", "2026-11-23T00:00:00Z"},
		{"2026-11-22", "Asia/Tokyo", "2026-11-22T15:00:00Z"},
		{"2026-03-28", "Europe/Oslo", "2026-03-28T23:00:00Z"}, // the next day is one of 23 hours
		{"2026-03-29", "Europe/Oslo", "2026-03-29T22:00:00Z"},
		{"2026-12-31", "America/New_York", "2027-01-01T05:00:00Z"},
	} {
		zone, err := task.Zone(test.zone)
		must(t, err)
		if got := (task.Due{Date: test.day}).Deadline(zone).UTC().Format(time.RFC3339); got != test.end {
			t.Errorf("%s ends in %s at %s, want %s", test.day, test.zone, got, test.end)
		}
	}
	if at := (task.Due{At: start}).Deadline(time.UTC); !at.Equal(start) {
		t.Errorf("an instant ends at %v", at)
	}
	if !(task.Due{}).Deadline(time.UTC).IsZero() {
		t.Error("no due date has an end")
	}
}

func names(drafts []event.Draft) (all []string) {
	for _, d := range drafts {
		all = append(all, fmt.Sprint(d.Kind.Name, " ", d.Version))
	}
	return all
}

func TestEachChangeIsItsEvent(t *testing.T) {
	t.Parallel()
	edit := func(change func(*task.Fields)) func(*task.Task) error {
		return func(x *task.Task) error {
			f := x.Fields
			change(&f)
			n, err := f.Normal()
			if err != nil {
				return err
			}
			return x.Edit(n, task.This, later)
		}
	}
	complete := func(x *task.Task) error { return x.Complete(later) }
	reopen := func(x *task.Task) error { return x.Reopen(later) }
	remove := func(x *task.Task) error { return x.Delete(later) }
	restore := func(x *task.Task) error { return x.Restore(later) }
	for what, test := range map[string]struct {
		steps []func(*task.Task) error
		facts []string
	}{
		"made":                {nil, []string{"task.created 1"}},
		"edited":              {[]func(*task.Task) error{edit(func(f *task.Fields) { f.Title = "y" })}, []string{"task.created 1", "task.updated 2"}},
		"edited to the same":  {[]func(*task.Task) error{edit(func(f *task.Fields) { f.Title = " x " })}, []string{"task.created 1"}},
		"only moved":          {[]func(*task.Task) error{edit(func(f *task.Fields) { f.Due.Date = "2026-12-01" })}, []string{"task.created 1", "task.due_changed 2"}},
		"edited and moved":    {[]func(*task.Task) error{edit(func(f *task.Fields) { f.Title, f.Due.Date = "y", "2026-12-01" })}, []string{"task.created 1", "task.updated 2", "task.due_changed 3"}},
		"completed twice":     {[]func(*task.Task) error{complete, complete}, []string{"task.created 1", "task.completed 2"}},
		"reopened while open": {[]func(*task.Task) error{reopen}, []string{"task.created 1"}},
		"reopened":            {[]func(*task.Task) error{complete, reopen}, []string{"task.created 1", "task.completed 2", "task.reopened 3"}},
		"deleted twice":       {[]func(*task.Task) error{remove, remove}, []string{"task.created 1", "task.deleted 2"}},
		"restored unasked":    {[]func(*task.Task) error{restore}, []string{"task.created 1"}},
		"restored":            {[]func(*task.Task) error{remove, restore}, []string{"task.created 1", "task.deleted 2", "task.restored 3"}},
	} {
		x := task.New("t1", "ada", normal(t, task.Fields{Title: "x"}), start)
		for _, step := range test.steps {
			must(t, step(&x))
		}
		if got := names(x.Facts()); !slices.Equal(got, test.facts) || x.Version != len(test.facts) {
			t.Errorf("%s: the facts are %v at version %d, want %v", what, got, x.Version, test.facts)
		}
	}
}

func TestNothingButRestoringIsDoneInTheTrash(t *testing.T) {
	t.Parallel()
	x := task.New("t1", "ada", normal(t, task.Fields{Title: "x"}), start)
	must(t, x.Delete(later))
	for what, err := range map[string]error{
		"edit": x.Edit(normal(t, task.Fields{Title: "y"}), task.This, later), "complete": x.Complete(later), "reopen": x.Reopen(later),
	} {
		if !errs.Is(err, errs.Conflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if x.Title != "x" || x.Completed() || len(x.Facts()) != 2 {
		t.Errorf("it became %+v", x)
	}
}

func TestAProfileMovesToZonesThereAre(t *testing.T) {
	t.Parallel()
	p := task.NewProfile("ada", "UTC", start)
	for _, wrong := range []string{"", "Local", "Mars/Olympus", "utc\x00", "../etc/passwd", "/etc/localtime"} {
		if err := p.SetTimeZone(wrong, later); !errs.Is(err, errs.Invalid) {
			t.Errorf("zone %q: %v", wrong, err)
		}
	}
	must(t, p.SetTimeZone("UTC", later))
	must(t, p.SetTimeZone("Asia/Tokyo", later))
	if got := names(p.Facts()); !slices.Equal(got, []string{"user.created 1", "user.updated 2"}) || p.Version != 2 {
		t.Errorf("the facts are %v at version %d", got, p.Version)
	}
}

// envelope is a draft as it is read back from the log.
func envelope(t *testing.T, d event.Draft) (event.Envelope, proto.Message) {
	t.Helper()
	data, err := event.Marshal(d.Payload)
	must(t, err)
	payload := d.Kind.New()
	must(t, event.Unmarshal(data, payload))
	return event.Envelope{
		ID: event.NewID(), Type: d.Kind.Name, UserID: d.UserID, Timestamp: event.Time{Time: d.At},
		AggregateID: d.AggregateID, Version: d.Version, Sequence: int64(d.Version), Data: data,
	}, payload
}

func TestEventsOutOfPlaceAreNotReplayed(t *testing.T) {
	t.Parallel()
	x := task.New("t1", "ada", normal(t, task.Fields{Title: "x"}), start)
	must(t, x.Complete(later))
	must(t, x.Reopen(later))
	created, createdPayload := envelope(t, x.Facts()[0])
	completed, completedPayload := envelope(t, x.Facts()[1])
	reopened, reopenedPayload := envelope(t, x.Facts()[2])
	one, err := task.Replay(nil, created, createdPayload)
	must(t, err)
	for what, replay := range map[string]func() (*task.Task, error){
		"completed before it is created": func() (*task.Task, error) { return task.Replay(nil, completed, completedPayload) },
		"created twice":                  func() (*task.Task, error) { return task.Replay(one, created, createdPayload) },
		"a version that is missing":      func() (*task.Task, error) { return task.Replay(one, reopened, reopenedPayload) },
	} {
		if _, err := replay(); !errs.Is(err, errs.Conflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
	p := task.NewProfile("ada", "UTC", start)
	stranger, strangerPayload := envelope(t, p.Facts()[0])
	stranger.Version = 2
	if _, err := task.Replay(one, stranger, strangerPayload); !errs.Is(err, errs.Invalid) {
		t.Errorf("another topic's event: %v", err)
	}
}

func TestAPurgedTaskIsNoneAfterReplay(t *testing.T) {
	t.Parallel()
	x := task.New("t1", "ada", normal(t, task.Fields{Title: "x"}), start)
	must(t, x.Delete(later))
	var replayed *task.Task
	for _, d := range append(x.Facts(), x.Purged(later)) {
		e, payload := envelope(t, d)
		var err error
		replayed, err = task.Replay(replayed, e, payload)
		must(t, err)
	}
	if replayed != nil {
		t.Errorf("it is %+v", replayed)
	}
}

func TestAProfileIsReplayedToo(t *testing.T) {
	t.Parallel()
	p := task.NewProfile("ada", "UTC", start)
	must(t, p.SetTimeZone("Asia/Tokyo", later))
	var replayed *task.Profile
	for _, d := range p.Facts() {
		e, payload := envelope(t, d)
		var err error
		replayed, err = task.ReplayProfile(replayed, e, payload)
		must(t, err)
	}
	if replayed.TimeZone != "Asia/Tokyo" || replayed.Version != 2 || !replayed.CreatedAt.Equal(start) || !replayed.UpdatedAt.Equal(later) {
		t.Errorf("it is %+v", replayed)
	}
	e, payload := envelope(t, p.Forgotten(later))
	if gone, err := task.ReplayProfile(replayed, e, payload); gone != nil || err != nil {
		t.Errorf("forgotten it is %+v (%v)", gone, err)
	}
}

// FuzzReplay checks that whatever a person may enter survives its events.
func FuzzReplay(f *testing.F) {
	f.Add("Buy milk", "now", "high", "a,b", "2026-12-01", int64(0), 10, "weekly", "completion", "Asia/Tokyo")
	f.Add("x", "", "", "", "", int64(1_800_000_000_000), 0, "", "", "")
	f.Fuzz(func(t *testing.T, title, description, priority, tags, day string, at int64, reminder int, rule, anchor, zone string) {
		fields := task.Fields{Title: title, Description: description, Priority: task.Priority(priority), Due: task.Due{Date: day}}
		if tags != "" {
			fields.Tags = strings.Split(tags, ",")
		}
		if day == "" && at != 0 {
			fields.Due.At = time.UnixMilli(at)
		}
		if reminder != 0 {
			fields.Reminders = []int{reminder}
		}
		if rule != "" {
			fields.Recurrence = &task.Recurrence{Rule: rule, Anchor: task.Anchor(anchor), TimeZone: zone}
		}
		n, err := fields.Normal()
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Fatal(err)
			}
			return
		}
		x := task.New("t1", "ada", normal(t, task.Fields{Title: "first"}), start)
		must(t, x.Edit(n, task.This, later))
		var replayed *task.Task
		for _, d := range x.Facts() {
			e, payload := envelope(t, d)
			if replayed, err = task.Replay(replayed, e, payload); err != nil {
				t.Fatal(err)
			}
		}
		if !replayed.Equal(x.Fields) || replayed.Version != x.Version {
			t.Errorf("replayed it is %+v, not %+v", replayed, x)
		}
	})
}
