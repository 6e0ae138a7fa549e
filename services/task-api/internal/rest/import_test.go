package rest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"github.com/taskflow-suite/taskflow/services/task-api/internal/rest"
)

// importing sends a file.
func (u user) importing(format, query, body string) rest.ImportResult {
	u.t.Helper()
	return decode[rest.ImportResult](u.t, u.send("POST", "/import?format="+format+query, body).want(u.t, 200))
}

func (u user) all(query string) []rest.Task {
	u.t.Helper()
	return decode[rest.TaskPage](u.t, u.send("GET", "/tasks?limit=200&sort=title"+query, "").want(u.t, 200)).Items
}

const todoistFile = "TYPE,CONTENT,DESCRIPTION,PRIORITY,INDENT,AUTHOR,RESPONSIBLE,DATE,DATE_LANG,TIMEZONE\n" +
	"task,Buy milk @errand,,1,1,,,every monday at 9am,en,\n" +
	"task,  ,,4,1,,,,,\n" +
	"task,Call Ann,,4,1,,,one of these days,en,\n" +
	"note,She moved,,,,,,,,\n"

func TestAnImportSaysWhatItWouldDoAndThenDoesItOnce(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	u.send("PUT", "/profile", `{"time_zone":"Europe/Oslo"}`).want(t, 200)
	dry := u.importing("todoist", "&dry_run=true", todoistFile)
	if dry.Total != 3 || dry.Imported != 2 || dry.Refused != 1 || dry.WithWarnings != 1 || !dry.DryRun || dry.Items[0].Status != "ready" || !dry.Items[0].TaskID.IsNull() {
		t.Errorf("%+v", dry)
	}
	if item := dry.Items[0]; item.Line != 2 || item.Title != "Buy milk" || item.Recurrence.MustGet() != "every Monday at 09:00, Europe/Oslo" {
		t.Errorf("%+v", item)
	}
	if item := dry.Items[1]; item.Status != "refused" || item.Errors[0].Field != "title" || item.Errors[0].Message != "must not be empty" {
		t.Errorf("%+v", item)
	}
	if item := dry.Items[2]; !strings.Contains(item.Warnings[0], `line 4: its date was not understood, "one of these days"`) {
		t.Errorf("%+v", item)
	}
	if n := len(u.all("")); n != 0 {
		t.Fatalf("a dry run made %d tasks", n)
	}
	did := u.importing("todoist", "", todoistFile)
	if did.Imported != 2 || did.AlreadyImported != 0 || did.Refused != 1 || did.Items[0].Status != "imported" {
		t.Errorf("%+v", did)
	}
	tasks := u.all("")
	if len(tasks) != 2 || tasks[0].ID != did.Items[0].TaskID.MustGet() || tasks[0].Priority != "urgent" || !slices.Equal(tasks[0].Tags, []string{"errand"}) ||
		tasks[0].Recurrence.MustGet().Rule != "FREQ=WEEKLY;BYDAY=MO" || tasks[1].Description != "Date: one of these days\n\nShe moved" {
		t.Errorf("%+v", tasks)
	}
	again := u.importing("todoist", "", todoistFile)
	if again.Imported != 0 || again.AlreadyImported != 2 || again.Items[0].TaskID.MustGet() != tasks[0].ID || len(u.all("")) != 2 {
		t.Errorf("%+v", again)
	}
	if other := u.user(t); other.importing("todoist", "", todoistFile).Imported != 2 {
		t.Error("what one user imported another cannot")
	}
}

func TestAnImportOfManyGoesInBatchesOfWhichEachIsMadeOnce(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:a meeting\r\nEND:VEVENT\r\n")
	for i := range 250 {
		wrong := map[bool]string{true: "SUMMARY: "}[i%100 == 7]
		if wrong == "" {
			wrong = fmt.Sprintf("SUMMARY:task %03d", i)
		}
		fmt.Fprintf(&b, "BEGIN:VTODO\r\nUID:u%d\r\n%s\r\nSTATUS:%s\r\nEND:VTODO\r\n", i, wrong, map[bool]string{true: "COMPLETED", false: "NEEDS-ACTION"}[i%50 == 0])
	}
	b.WriteString("END:VCALENDAR\r\n")
	did := u.importing("ical", "", b.String())
	if did.Imported != 247 || did.Refused != 3 || did.Items[7].Errors[0].Field != "title" || did.Items[8].UID.MustGet() != "u8" {
		t.Errorf("%d imported, %d refused", did.Imported, did.Refused)
	}
	if len(did.Warnings) != 1 || !strings.HasPrefix(did.Warnings[0], "1 events and journals were passed over") {
		t.Errorf("%v", did.Warnings)
	}
	done := u.all("&status=completed")
	if len(done) != 5 {
		t.Errorf("%d are done", len(done))
	}
	// What somebody has changed since stays as it is.
	u.send("PATCH", "/tasks/"+done[0].ID+"/complete", `{"completed":false}`).want(t, 200)
	again := u.importing("ical", "", b.String())
	if again.Imported != 0 || again.AlreadyImported != 247 || len(u.all("&status=completed")) != 4 {
		t.Errorf("%d imported, %d already", again.Imported, again.AlreadyImported)
	}
}

func TestFilesThatCannotBeReadAreRefused(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	for name, c := range map[string]struct {
		query, body string
		headers     []string
		status      int
		want        string
	}{
		"no format":          {"", "x", []string{"Content-Type", "text/csv"}, 422, "format is required"},
		"another format":     {"?format=xml", "x", []string{"Content-Type", "text/csv"}, 422, "format must be todoist or ical"},
		"another type":       {"?format=todoist", "x", []string{"Content-Type", "text/calendar"}, 415, "Content-Type must be text/csv with format=todoist"},
		"no text":            {"?format=todoist", "x", []string{"Content-Type", "application/json"}, 415, "Content-Type must be text/*"},
		"another charset":    {"?format=ical", "x", []string{"Content-Type", "text/calendar; charset=latin1"}, 415, `the body must be UTF-8, not "latin1"`},
		"no calendar":        {"?format=ical", "x", nil, 400, "the file cannot be read: line 1 is not a content line of iCalendar"},
		"nothing":            {"?format=ical", "", []string{"Content-Type", "text/calendar"}, 400, "the file cannot be read: it holds no calendar; one begins with BEGIN:VCALENDAR"},
		"no columns":         {"?format=todoist", "a,b", nil, 400, "the file cannot be read: the first row must name the columns, TYPE and CONTENT among them"},
		"no text at all":     {"?format=todoist", "\xff\xfe", nil, 400, "the file cannot be read: the file is not UTF-8"},
		"too many tasks":     {"?format=todoist", "TYPE,CONTENT\n" + strings.Repeat("task,x\n", 5001), nil, 422, "body must hold at most 5000 tasks, not 5001"},
		"a file of over 5 M": {"?format=ical", strings.Repeat("x", 5<<20+1), nil, 413, "The body must be at most 5242880 bytes."},
	} {
		t.Run(name, func(t *testing.T) {
			u := u
			u.t = t
			if got := problem(t, u.send("POST", "/import"+c.query, c.body, c.headers...).want(t, c.status)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// shape is what an export and an import must keep of a task.
func shape(tasks []rest.Task) []string {
	var all []string
	for _, t := range tasks {
		all = append(all, fmt.Sprintf("%q %q %v %q %v %v %+v %v", t.Title, t.Description, t.DueDate, t.Tags, t.Reminders, t.RemindAt, t.Recurrence, t.Priority))
	}
	slices.Sort(all)
	return all
}

func TestACalendarThatIsExportedAndImportedKeepsTheOpenTasks(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	from, to := w.user(t), w.user(t)
	for _, u := range []user{from, to} {
		u.send("PUT", "/profile", `{"time_zone":"America/New_York"}`).want(t, 200)
	}
	for _, body := range []string{
		`{"title":"plain; with, marks \\ and ø","description":"two\nlines","priority":"urgent","tags":["a,b","c"]}`,
		`{"title":"a day","due_date":"2030-06-01","reminders":[0,60,1440],"priority":"low"}`,
		`{"title":"an instant","due_date":"2030-06-01T09:00:00Z","reminders":[0,15],"remind_at":["2030-05-01T00:00:00Z"],"priority":"medium"}`,
		`{"title":"every week","due_date":"2030-06-03T13:00:00Z","priority":"high","reminders":[10],"recurrence":{"rule":"FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20311231"}}`,
		`{"title":"elsewhere","due_date":"2030-06-03T13:00:00Z","recurrence":{"rule":"FREQ=MONTHLY;BYMONTHDAY=-1","time_zone":"Asia/Karachi","anchor":"completion","catch_up":"skip"}}`,
		`{"title":"whole days","due_date":"2030-06-03","recurrence":{"rule":"FREQ=DAILY;INTERVAL=2;COUNT=5","time_zone":"Europe/Oslo"}}`,
	} {
		from.create(body)
	}
	moved := from.create(`{"title":"moved","due_date":"2030-06-03","recurrence":"daily"}`)
	from.patch(moved, "", `{"due_date":"2030-06-09T10:00:00Z","description":"this one alone"}`)
	a := from.send("GET", "/export.ics", "").want(t, 200)
	if a.header.Get("Content-Type") != "text/calendar; charset=utf-8" || !strings.HasSuffix(string(a.body), "END:VCALENDAR\r\n") {
		t.Errorf("%v %s", a.header, a.body)
	}
	if n := strings.Count(string(a.body), "BEGIN:VTIMEZONE"); n != 2 {
		t.Errorf("%d zones", n)
	}
	did := to.importing("ical", "", string(a.body))
	if did.Imported != 7 || did.WithWarnings != 0 || did.Refused != 0 {
		t.Errorf("%+v", did)
	}
	was, is := shape(from.all("")), shape(to.all(""))
	if !slices.Equal(was, is) {
		t.Errorf("exported\n%s\nimported\n%s", strings.Join(was, "\n"), strings.Join(is, "\n"))
	}
	imported := to.all("&q=moved")[0]
	if imported.Occurrence.MustGet() != "2030-06-03T00:00:00" {
		t.Errorf("an occurrence that was moved alone is at %+v", imported.Occurrence)
	}
}

func TestACalendarHasARuleOncePerSeriesAndWhatIsLeftOfItsCount(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	first := u.create(`{"title":"a","due_date":"2030-06-03","recurrence":{"rule":"FREQ=DAILY;COUNT=5"}}`)
	skipped := decode[rest.Task](t, u.send("POST", "/tasks/"+first.ID+"/skip", "").want(t, 200))
	second := one(t, u.spawn(skipped))
	fromDone := u.create(`{"title":"b","due_date":"2030-06-03","recurrence":{"rule":"FREQ=DAILY;COUNT=5","anchor":"completion"}}`)
	one(t, u.spawn(u.patch(fromDone, "", `{"completed":true}`)))
	ended := u.create(`{"title":"c","due_date":"2030-06-03","recurrence":"daily"}`)
	u.patch(ended, "", `{"recurrence":null}`)
	u.send("DELETE", "/tasks/"+u.create(`{"title":"gone"}`).ID, "").want(t, 200)
	text := strings.ReplaceAll(string(u.send("GET", "/export.ics", "").want(t, 200).body), "\r\n ", "")
	if n := strings.Count(text, "RRULE:FREQ=DAILY;COUNT=4\r\n"); n != 2 || strings.Count(text, "RRULE:") != 2 {
		t.Errorf("%d rules with what is left:\n%s", n, text)
	}
	if strings.Count(text, "BEGIN:VTODO") != 5 || strings.Contains(text, "RECURRENCE-ID") || strings.Contains(text, "gone") || strings.Contains(text, "UID:"+second.ID) {
		t.Error(text)
	}
	if !strings.Contains(text, "RELATED-TO;RELTYPE=SIBLING:"+first.SeriesID.MustGet()) || !strings.Contains(text, "STATUS:CANCELLED") {
		t.Error(text)
	}
}

func TestACalendarReadsTheSeriesOfAPageAtOnce(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	u := w.user(t)
	var asked atomic.Int64
	// The profile is remembered for a while, so that it is asked for now and then.
	count := func(db *gorm.DB) {
		if db.Statement.Table != "profiles" {
			asked.Add(1)
		}
	}
	on := w.db.Read(t.Context()).Callback()
	for _, err := range []error{
		on.Query().After("gorm:query").Register("count", count), on.Row().After("gorm:row").Register("count", count), on.Raw().After("gorm:raw").Register("count", count),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	export := func() (queries int64, rules int) {
		before := asked.Load()
		text := string(u.send("GET", "/export.ics", "").want(t, 200).body)
		return asked.Load() - before, strings.Count(text, "RRULE:")
	}
	u.create(`{"title":"a","recurrence":{"rule":"FREQ=DAILY;COUNT=5","anchor":"completion"}}`)
	one, rules := export()
	if one != 2 || rules != 1 {
		t.Errorf("%d queries for %d rules", one, rules)
	}
	for range 5 {
		u.create(`{"title":"b","recurrence":"daily"}`)
		u.create(`{"title":"c","recurrence":{"rule":"FREQ=DAILY;COUNT=5","anchor":"completion"}}`)
	}
	if many, rules := export(); many != one || rules != 11 {
		t.Errorf("%d queries for %d rules, %d for one", many, rules, one)
	}
}

func TestACalendarThatFailsMidwayIsCutOff(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	u := w.user(t)
	u.create(`{"title":"a","recurrence":"daily"}`)
	if err := w.db.Read(t.Context()).Exec("ALTER TABLE series RENAME TO gone").Error; err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", w.server.URL+"/api/"+u.id+"/export.ics", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+u.token)
	response, err := w.server.Client().Do(r)
	if err != nil {
		return // cut before the first byte went out
	}
	defer response.Body.Close()
	b := make([]byte, 1<<20)
	n := 0
	for err == nil {
		var more int
		more, err = response.Body.Read(b[n:])
		n += more
	}
	if err.Error() == "EOF" || strings.Contains(string(b[:n]), "END:VCALENDAR") {
		t.Errorf("half a calendar looks whole: %v %s", err, b[:n])
	}
}
