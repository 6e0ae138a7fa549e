package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/taskflow-suite/taskflow/services/task-api/internal/rest"
)

func TestATaskLivesFromCreationToTheTrashAndBack(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	a := u.send("POST", "/tasks", `{"title":" Buy milk ","description":"two\nlitres","priority":"high","tags":["shop","home","shop"],
		"due_date":"2026-12-01T10:00:00.5+01:00","reminders":[60,10],"recurrence":"weekly"}`).want(t, 201)
	made := decode[rest.Task](t, a)
	path := "/tasks/" + made.ID
	if a.header.Get("Location") != "/api/"+u.id+path || a.header.Get("ETag") != `"1"` {
		t.Errorf("Location %q, ETag %q", a.header.Get("Location"), a.header.Get("ETag"))
	}
	for _, part := range []string{
		`"title":"Buy milk"`, `"description":"two\nlitres"`, `"completed":false,"completed_at":null`, `"priority":"high"`, `"tags":["home","shop"]`,
		`"due_date":"2026-12-01T09:00:00.500Z"`, `"reminders":[10,60]`, `"remind_at":[]`,
		`"recurrence":{"rule":"FREQ=WEEKLY","anchor":"schedule","time_zone":null,"catch_up":"latest"}`, `"occurrence":"2026-12-01T09:00:00"`, `"skipped":false,"skipped_at":null`,
		`"version":1`, `"deleted_at":null`,
	} {
		if !strings.Contains(string(a.body), part) {
			t.Errorf("%s lacks %s", a.body, part)
		}
	}

	got := u.send("GET", path, "").want(t, 200)
	if string(got.body) != string(a.body) || got.header.Get("ETag") != `"1"` {
		t.Errorf("read %s, made %s", got.body, a.body)
	}
	if again := u.send("GET", path, "", "If-None-Match", `W/"1"`).want(t, 304); len(again.body) != 0 || again.header.Get("ETag") != `"1"` {
		t.Errorf("%v %s", again.header, again.body)
	}
	u.send("GET", path, "", "If-None-Match", `"2"`).want(t, 200)
	u.send("GET", "/tasks/"+strings.ToUpper(made.ID), "").want(t, 200)

	patched := u.send("PATCH", path, `{"priority":"low","due_date":null,"reminders":null}`, "Content-Type", "application/merge-patch+json", "If-Match", `"1"`).want(t, 200)
	task := decode[rest.Task](t, patched)
	if task.Title != "Buy milk" || task.Priority != "low" || !task.DueDate.IsNull() || task.Version != 3 || patched.header.Get("ETag") != `"3"` {
		t.Errorf("patched %s", patched.body)
	}
	stale := u.send("PATCH", path, `{"title":"x"}`, "If-Match", `"1"`).want(t, 412)
	if problem(t, stale); !strings.Contains(string(stale.body), `"current":`+string(patched.body)) || stale.header.Get("ETag") != `"3"` {
		t.Errorf("stale %s, current %s", stale.body, patched.body)
	}
	done := decode[rest.Task](t, u.send("PATCH", path+"/complete", `{"completed":true}`).want(t, 200))
	if !done.Completed || done.CompletedAt.IsNull() {
		t.Error("not completed")
	}
	replaced := decode[rest.Task](t, u.send("PUT", path, `{"title":"Buy oats"}`, "If-Match", "*").want(t, 200))
	if replaced.Title != "Buy oats" || replaced.Completed || replaced.Description != "" || replaced.Priority != "none" || len(replaced.Tags) != 0 || !replaced.Recurrence.IsNull() {
		t.Errorf("replaced by %+v", replaced)
	}

	u.send("DELETE", path, "", "If-Match", `"1"`).want(t, 412)
	gone := decode[rest.Task](t, u.send("DELETE", path, "").want(t, 200))
	if gone.DeletedAt.IsNull() {
		t.Error("not deleted")
	}
	for method, send := range map[string]func() answer{
		"PUT":      func() answer { return u.send("PUT", path, `{"title":"x"}`) },
		"PATCH":    func() answer { return u.send("PATCH", path, `{"title":"x"}`) },
		"skip":     func() answer { return u.send("POST", path+"/skip", "") },
		"snooze":   func() answer { return u.send("POST", path+"/snooze", `{"minutes":5}`) },
		"complete": func() answer { return u.send("PATCH", path+"/complete", `{"completed":true}`) },
	} {
		if got := problem(t, send().want(t, 409)); !strings.Contains(got, "restore it first") {
			t.Errorf("%s: %s", method, got)
		}
	}
	u.send("GET", path, "").want(t, 200)
	if n := len(decode[rest.TaskPage](t, u.send("GET", "/tasks", "").want(t, 200)).Items); n != 0 {
		t.Errorf("%d tasks are listed", n)
	}
	if n := len(decode[rest.TaskPage](t, u.send("GET", "/tasks?deleted=true", "").want(t, 200)).Items); n != 1 {
		t.Errorf("%d tasks are in the trash", n)
	}
	u.send("POST", path+"/restore", "", "If-Match", `"1"`).want(t, 412)
	back := decode[rest.Task](t, u.send("POST", path+"/restore", "", "If-Match", fmt.Sprintf("%q", fmt.Sprint(gone.Version))).want(t, 200))
	if !back.DeletedAt.IsNull() {
		t.Error("not restored")
	}
}

func TestAnswersOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	for name, s := range samples {
		if strings.Contains(s.path, someID) {
			if got := problem(t, u.send(s.method, s.path, s.body).want(t, 404)); !strings.Contains(got, someID) {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
	problem(t, u.sendTo("/api/"+u.id+"/nothing", "GET", "").want(t, 404))
	problem(t, u.sendTo("/api/"+u.id+"/stats", "POST", "{}").want(t, 405))
}

func TestBadInputGetsAClearError(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	made := u.create(`{"title":"untouched"}`)
	one := "/tasks/" + made.ID
	create := func(body string) [3]string { return [3]string{"POST", "/tasks", body} }
	for name, c := range map[string]struct {
		request [3]string
		headers []string
		status  int
		want    string
	}{
		"malformed JSON":             {create(`{"title":`), nil, 400, "the body is not JSON at line 1, column 9: unexpected end of JSON input"},
		"two JSON values":            {create(`{"title":"a"} {}`), nil, 400, "the body is not JSON at line 1, column 15: invalid character '{' after top-level value"},
		"a field twice":              {create(`{"title":"a","title":"b"}`), nil, 400, `the body has "title" twice in one object`},
		"bytes that are not text":    {create("{\"title\":\"\xc3\x28\"}"), nil, 400, "the body is not UTF-8"},
		"an unknown field":           {create(`{"title":"a","colour":"red"}`), nil, 422, "colour is not a known field"},
		"a wrong type":               {create(`{"title":["a"]}`), nil, 422, "title must be a string"},
		"a title of no characters":   {create(`{"title":""}`), nil, 422, "title must not be empty"},
		"a title of spaces":          {create(`{"title":" \t "}`), nil, 422, "title must not be empty"},
		"a title of 201 characters":  {create(`{"title":"` + strings.Repeat("é", 201) + `"}`), nil, 422, "title must be at most 200 characters, not 201"},
		"a description of 10,001":    {create(`{"title":"a","description":"` + strings.Repeat("d", 10_001) + `"}`), nil, 422, "description must be at most 10000 characters, not 10001"},
		"a NUL":                      {create(`{"title":"a\u0000"}`), nil, 422, "title must not contain control characters or invalid UTF-8"},
		"a control character":        {create(`{"title":"a\u0007"}`), nil, 422, "title must not contain control characters or invalid UTF-8"},
		"a control character below":  {create(`{"title":"a","description":"\u001b[31m"}`), nil, 422, "description must not contain control characters or invalid UTF-8"},
		"a tag with a line break":    {create(`{"title":"a","tags":["x\ny"]}`), nil, 422, "tags[0] must not contain control characters or invalid UTF-8"},
		"an impossible day":          {create(`{"title":"a","due_date":"2026-02-30"}`), nil, 422, "due_date must be an RFC 3339 instant such as 2026-12-01T09:00:00Z, or a date such as 2026-12-01"},
		"an impossible zone":         {create(`{"title":"a","recurrence":{"rule":"FREQ=DAILY","time_zone":"Mars/Base"}}`), nil, 422, "recurrence.time_zone must be an IANA time zone such as Europe/Oslo"},
		"a path for a zone":          {create(`{"title":"a","recurrence":{"rule":"FREQ=DAILY","time_zone":"../../etc/passwd"}}`), nil, 422, "recurrence.time_zone must be an IANA time zone such as Europe/Oslo"},
		"an impossible rule":         {create(`{"title":"a","recurrence":{"rule":"FREQ=SECONDLY"}}`), nil, 422, "recurrence.rule must repeat by day, week, month or year"},
		"reminders of no due date":   {create(`{"title":"a","reminders":[5]}`), nil, 422, "reminders need a due_date to count back from"},
		"several at once":            {create(`{"priority":"asap","tags":[""]}`), nil, 422, "priority must be none, low, medium, high or urgent; tags[0] must not be empty; title is required"},
		"a body that is too large":   {create(`{"title":"` + strings.Repeat("a", 1<<20) + `"}`), nil, 413, "The body must be at most 1048576 bytes."},
		"a key with a line break":    {create(`{"title":"a"}`), []string{"Idempotency-Key", "ø"}, 422, "Idempotency-Key must be 1 to 200 printable ASCII characters"},
		"a key that is too long":     {create(`{"title":"a"}`), []string{"Idempotency-Key", strings.Repeat("k", 201)}, 422, "Idempotency-Key must be 1 to 200 printable ASCII characters"},
		"a patch to no title":        {[3]string{"PATCH", one, `{"title":null}`}, nil, 422, "title must not be null"},
		"a patch with a wrong field": {[3]string{"PATCH", one, `{"recurrence":{"anchor":"completion"}}`}, nil, 422, "recurrence.rule must be daily, weekly, monthly or an RRULE such as FREQ=WEEKLY;BYDAY=MO,TH"},
		"an unquoted If-Match":       {[3]string{"PATCH", one, `{"title":"x"}`}, []string{"If-Match", "1"}, 400, `If-Match must be one ETag of an earlier answer, such as "3", or *`},
		"a weak If-Match":            {[3]string{"PUT", one, `{"title":"x"}`}, []string{"If-Match", `W/"1"`}, 400, `If-Match must be one ETag of an earlier answer, such as "3", or *`},
		"a list in If-Match":         {[3]string{"DELETE", one, ""}, []string{"If-Match", `"1", "2"`}, 400, `If-Match must be one ETag of an earlier answer, such as "3", or *`},
		"an If-Match of words":       {[3]string{"POST", one + "/restore", ""}, []string{"If-Match", `"newest"`}, 400, `If-Match must be one ETag of an earlier answer, such as "3", or *`},
		"an id that is none":         {[3]string{"GET", "/tasks/1", ""}, nil, 422, "task_id must be a UUID"},
		"an id with an escape":       {[3]string{"GET", "/tasks/..%2f..%2fstats", ""}, nil, 422, "task_id must be a UUID"},
		"a list that is too long":    {[3]string{"GET", "/tasks?limit=201", ""}, nil, 422, "limit must be 1 to 200"},
		"a list of none":             {[3]string{"GET", "/tasks?limit=0", ""}, nil, 422, "limit must be 1 to 200"},
		"a limit that is no number":  {[3]string{"GET", "/tasks?limit=many", ""}, nil, 422, "limit must be a whole number"},
		"a limit twice":              {[3]string{"GET", "/tasks?limit=1&limit=2", ""}, nil, 422, "limit must be given once"},
		"an unknown status":          {[3]string{"GET", "/tasks?status=done", ""}, nil, 422, "status must be all, open or completed"},
		"an unknown priority":        {[3]string{"GET", "/tasks?priority=low,asap", ""}, nil, 422, "priority must be none, low, medium, high or urgent"},
		"an unknown order":           {[3]string{"GET", "/tasks?sort=colour", ""}, nil, 422, "sort must be created_at, -created_at, updated_at, -updated_at, due_date, -due_date, priority, -priority, title or -title"},
		"an unknown scope":           {[3]string{"PATCH", one + "?scope=all", `{"title":"x"}`}, nil, 422, "scope must be this or following"},
		"a catch-up that is none":    {create(`{"title":"a","recurrence":{"rule":"FREQ=DAILY","catch_up":"never"}}`), nil, 422, "recurrence.catch_up must be latest, all or skip"},
		"a reminder that is a day":   {create(`{"title":"a","remind_at":["2026-12-01"]}`), nil, 422, "remind_at[0] must be an RFC 3339 instant such as 2026-12-01T09:00:00Z"},
		"a snooze of no length":      {[3]string{"POST", one + "/snooze", `{"minutes":0}`}, nil, 422, "minutes must be 1 to 43200"},
		"a snooze of two kinds":      {[3]string{"POST", one + "/snooze", `{"minutes":1,"until":"2030-01-01T00:00:00Z"}`}, nil, 422, "minutes or until must be given, and not both"},
		"a snooze of neither kind":   {[3]string{"POST", one + "/snooze", `{}`}, nil, 422, "minutes or until must be given, and not both"},
		"a snooze into the past":     {[3]string{"POST", one + "/snooze", `{"until":"2020-01-01T00:00:00Z"}`}, nil, 422, "until must lie in the future"},
		"a skip of what stays":       {[3]string{"POST", one + "/skip", ""}, nil, 409, "task " + made.ID + " does not repeat: there is nothing to come instead of it"},
		"a series that is no id":     {[3]string{"GET", "/tasks?series_id=1", ""}, nil, 422, "series_id must be a UUID"},
		"a filter's impossible day":  {[3]string{"GET", "/tasks?due_before=tomorrow", ""}, nil, 422, "due_before must be an RFC 3339 instant such as 2026-12-01T09:00:00Z, or a date such as 2026-12-01"},
		"a NUL in a search":          {[3]string{"GET", "/tasks?q=a%00b", ""}, nil, 422, "q must not contain control characters or invalid UTF-8"},
		"a search that is no text":   {[3]string{"GET", "/tasks?q=%ff", ""}, nil, 422, "q must not contain control characters or invalid UTF-8"},
		"a search for nothing":       {[3]string{"GET", "/tasks?q=", ""}, nil, 422, "q must not be empty"},
		"an invented cursor":         {[3]string{"GET", "/tasks?cursor=abc", ""}, nil, 422, "cursor must come from the previous page of the same list"},
		"an invented trail cursor":   {[3]string{"GET", "/events?cursor=abc", ""}, nil, 422, "cursor must be the next_cursor of the page before, with the same topic, task_id and order"},
		"changes since nothing":      {[3]string{"GET", "/changes", ""}, nil, 422, "since is required"},
		"changes since before":       {[3]string{"GET", "/changes?since=-1", ""}, nil, 422, "since must be 0 to 9007199254740991"},
		"changes since far away":     {[3]string{"GET", "/changes?since=99999999999999999999", ""}, nil, 422, "since must be 0 to 9007199254740991"},
		"another topic's events":     {[3]string{"GET", "/events?topic=conversations.events", ""}, nil, 422, "topic must be tasks.events or users.events"},
		"a profile without its zone": {[3]string{"PUT", "/profile", `{}`}, nil, 422, "time_zone is required"},
		"a profile of no zone":       {[3]string{"PUT", "/profile", `{"time_zone":"Nowhere"}`}, nil, 422, "time_zone is not an IANA time zone such as Europe/Oslo"},
		"a profile of this machine":  {[3]string{"PUT", "/profile", `{"time_zone":"Local"}`}, nil, 422, "time_zone must be an IANA time zone such as Europe/Oslo"},
		"101 operations":             {[3]string{"POST", "/tasks/batch", `{"operations":[` + strings.Repeat(`{"op":"create","task":{"title":"a"}},`, 100) + `{"op":"create","task":{"title":"a"}}]}`}, nil, 422, "operations must have at most 100 items, not 101"},
	} {
		t.Run(name, func(t *testing.T) {
			u := u
			u.t = t
			a := u.send(c.request[0], c.request[1], c.request[2], c.headers...).want(t, c.status)
			if got := problem(t, a); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	page := decode[rest.TaskPage](t, u.send("GET", "/tasks", "").want(t, 200))
	if len(page.Items) != 1 || page.Items[0].Version != 1 {
		t.Errorf("something was changed: %+v", page.Items)
	}
}

func TestEveryChangeOfAnOldVersionIsRefusedWithTheCurrentOne(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	made := u.create(`{"title":"a"}`)
	u.send("PATCH", "/tasks/"+made.ID, `{"title":"b"}`, "If-Match", `"1"`).want(t, 200)
	for _, name := range []string{"replaceTask", "patchTask", "deleteTask", "completeTask", "restoreTask", "skipTask", "snoozeTask"} {
		s := samples[name]
		a := u.send(s.method, strings.ReplaceAll(s.path, someID, made.ID), s.body, "If-Match", `"1"`).want(t, 412)
		if got := decode[rest.StaleTask](t, a); got.Current == nil || got.Current.Title != "b" || a.header.Get("ETag") != `"2"` {
			t.Errorf("%s: %s", name, a.body)
		}
	}
}

func TestARequestWithAKeyTakesEffectOnce(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	const body = `{"title":"once"}`
	answers := make([]answer, 20)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = u.send("POST", "/tasks", body, "Idempotency-Key", "k 1") })
	}
	all.Wait()
	fresh := 0
	for _, a := range answers {
		a.want(t, 201)
		if a.header.Get("Idempotency-Replayed") != "true" {
			fresh++
		}
		if string(a.body) != string(answers[0].body) || a.header.Get("Location") != answers[0].header.Get("Location") || a.header.Get("ETag") != `"1"` {
			t.Errorf("%s %s\n%s %s", a.header.Get("Location"), a.body, answers[0].header.Get("Location"), answers[0].body)
		}
	}
	if fresh != 1 {
		t.Errorf("%d answers are new", fresh)
	}
	if n := len(decode[rest.TaskPage](t, u.send("GET", "/tasks", "").want(t, 200)).Items); n != 1 {
		t.Errorf("%d tasks were made", n)
	}
	if got := problem(t, u.send("POST", "/tasks", `{"title":"twice"}`, "Idempotency-Key", "k 1").want(t, 422)); got != "this Idempotency-Key was used with another request" {
		t.Error(got)
	}
	other := u.user(t)
	if a := other.send("POST", "/tasks", `{"title":"mine"}`, "Idempotency-Key", "k 1").want(t, 201); a.header.Get("Idempotency-Replayed") != "" {
		t.Error("a key is shared by users")
	}
}

func TestABatchWithAKeyCreatesOnce(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	const body = `{"operations":[{"op":"create","task":{"title":"a"}},{"op":"create","task":{"title":"b"}}]}`
	first := u.send("POST", "/tasks/batch", body, "Idempotency-Key", "k").want(t, 200)
	if again := u.send("POST", "/tasks/batch", body, "Idempotency-Key", "k").want(t, 200); string(again.body) != string(first.body) {
		t.Errorf("%s\n%s", first.body, again.body)
	}
	if n := len(decode[rest.TaskPage](t, u.send("GET", "/tasks", "").want(t, 200)).Items); n != 2 {
		t.Errorf("%d tasks", n)
	}
	u.send("POST", "/tasks", `{"title":"a"}`, "Idempotency-Key", "k").want(t, 201)
	other := decode[rest.BatchResult](t, u.send("POST", "/tasks/batch", `{"operations":[{"op":"create","task":{"title":"c"}}]}`, "Idempotency-Key", "k").want(t, 200))
	if other.Results[0].Status != 422 {
		t.Errorf("%+v", other)
	}
}

func TestOfChangesMadeFromOneVersionOneWins(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	path := "/tasks/" + u.create(`{"title":"start"}`).ID
	for round := range 5 {
		current := u.send("GET", path, "").header.Get("ETag")
		statuses := make([]int, 16)
		var all sync.WaitGroup
		for i := range statuses {
			all.Go(func() {
				statuses[i] = u.send("PATCH", path, fmt.Sprintf(`{"title":"round %d by %d"}`, round, i), "If-Match", current).status
			})
		}
		all.Wait()
		slices.Sort(statuses)
		if statuses[0] != 200 || statuses[1] != 412 || statuses[15] != 412 {
			t.Fatalf("%v", statuses)
		}
	}
}

func TestUsersDoNotMeet(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	alice, bob := w.user(t), w.user(t)
	made := alice.create(`{"title":"secret plans"}`)
	for name, s := range samples {
		if name == "deleteUser" {
			continue
		}
		path := strings.ReplaceAll(s.path, someID, made.ID)
		a := bob.send(s.method, path, s.body)
		if strings.Contains(s.path, someID) && a.status != 404 {
			t.Errorf("%s: %d", name, a.status)
		}
		if strings.Contains(string(a.body), "secret plans") || strings.Contains(string(a.body), alice.id) {
			t.Errorf("%s shows %s", name, a.body)
		}
	}
	batch := fmt.Sprintf(`{"operations":[{"op":"delete","id":%q},{"op":"update","id":%q,"changes":{"title":"x"}}]}`, made.ID, made.ID)
	for _, r := range decode[rest.BatchResult](t, bob.send("POST", "/tasks/batch", batch).want(t, 200)).Results {
		if r.Status != 404 {
			t.Errorf("%+v", r)
		}
	}
	bob.send("GET", "/events?task_id="+made.ID, "").want(t, 200)
	bob.send("DELETE", "", "").want(t, 204)
	if got := decode[rest.Task](t, alice.send("GET", "/tasks/"+made.ID, "").want(t, 200)); got.Version != 1 {
		t.Errorf("%+v", got)
	}
}

func TestAUserWhoseIDNeedsEscapesIsOneUser(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	u := w.named(t, "auth0|a@b.example")
	made := decode[rest.Task](t, u.sendTo("/api/auth0%7Ca%40b.example/tasks", "POST", `{"title":"a"}`).want(t, 201))
	u.sendTo("/api/auth0%7Ca@b.example/tasks/"+made.ID, "GET", "").want(t, 200)
	u.sendTo("/api/auth0%7Ca%40b.example/tasks/"+strings.Replace(made.ID, "-", "%2D", 1), "GET", "").want(t, 200)
}

func TestListsFilterSortAndPage(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	for i := range 7 {
		u.create(fmt.Sprintf(`{"title":"task %d","tags":["t%d"],"due_date":"2026-12-0%d","priority":%q}`, i, i%2, i+1, []string{"low", "high"}[i%2]))
	}
	done := u.create(`{"title":"finished thing"}`)
	u.send("PATCH", "/tasks/"+done.ID+"/complete", `{"completed":true}`).want(t, 200)
	late := u.create(`{"title":"late","due_date":"2020-01-01T00:00:00Z"}`)
	titles := func(query string) string {
		var all []string
		for _, task := range decode[rest.TaskPage](t, u.send("GET", "/tasks"+query, "").want(t, 200)).Items {
			all = append(all, task.Title)
		}
		return strings.Join(all, ",")
	}
	for query, want := range map[string]string{
		"?status=completed":                               "finished thing",
		"?overdue=true":                                   late.Title,
		"?tag=t1&sort=title":                              "task 1,task 3,task 5",
		"?priority=high&sort=-title":                      "task 5,task 3,task 1",
		"?q=finished":                                     "finished thing",
		"?due_after=2026-12-03&due_before=2026-12-06":     "task 2,task 3,task 4",
		"?due_before=2026-12-02T00:00:00.001Z&sort=title": "late,task 0",
		"?status=open&sort=-due_date&limit=2":             "task 6,task 5",
	} {
		if got := titles(query); got != want {
			t.Errorf("%s lists %s, want %s", query, got, want)
		}
	}
	var seen []string
	cursor := ""
	for {
		page := decode[rest.TaskPage](t, u.send("GET", "/tasks?limit=4&sort=title"+cursor, "").want(t, 200))
		for _, task := range page.Items {
			seen = append(seen, task.Title)
		}
		next, err := page.NextCursor.Get()
		if err != nil {
			break
		}
		cursor = "&cursor=" + next
	}
	if len(seen) != 9 || !slices.IsSorted(seen) {
		t.Errorf("paged through %v", seen)
	}
}

func TestABatchAnswersForEachOperation(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	one, two := u.create(`{"title":"one"}`), u.create(`{"title":"two"}`)
	body := fmt.Sprintf(`{"operations":[
		{"op":"create","task":{"title":"three"}},
		{"op":"create","task":{"title":"  "}},
		{"op":"update","id":%[1]q,"version":1,"changes":{"title":"uno"}},
		{"op":"update","id":%[1]q,"version":1,"changes":{"title":"eins"}},
		{"op":"complete","id":%[2]q},{"op":"reopen","id":%[2]q},{"op":"delete","id":%[2]q},
		{"op":"complete","id":%[2]q},{"op":"restore","id":%[2]q},
		{"op":"delete","id":%[3]q}]}`, one.ID, two.ID, someID)
	results := decode[rest.BatchResult](t, u.send("POST", "/tasks/batch", body).want(t, 200)).Results
	var got []int
	for i, r := range results {
		got = append(got, r.Status)
		if r.Index != i || (r.Task == nil) == (r.Problem == nil) {
			t.Errorf("%d: %+v", i, r)
		}
	}
	if want := []int{201, 422, 200, 412, 200, 200, 200, 409, 200, 404}; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if p := results[1].Problem; p.Errors == nil || (*p.Errors)[0].Field != "title" {
		t.Errorf("%+v", p)
	}
	if p := results[3].Problem; p.Current == nil || p.Current.Title != "uno" {
		t.Errorf("%+v", p)
	}
}

func TestChangesSinceASequence(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	made := u.create(`{"title":"a"}`)
	u.send("PATCH", "/tasks/"+made.ID, `{"title":"b","priority":"low"}`).want(t, 200)
	u.send("DELETE", "/tasks/"+made.ID, "").want(t, 200)
	since := func(query string) rest.Changes {
		return decode[rest.Changes](t, u.send("GET", "/changes?since="+query, "").want(t, 200))
	}
	all := since("0")
	var types []string
	for i, c := range all.Changes {
		types = append(types, c.EventType)
		if c.Sequence != int64(i+1) || c.TaskID == nil || *c.TaskID != made.ID || c.Version != i+1 {
			t.Errorf("%+v", c)
		}
	}
	if strings.Join(types, " ") != "task.created task.updated task.deleted" || all.CurrentSequence != 3 || all.HasMore || all.Reset {
		t.Errorf("%v %+v", types, all)
	}
	if c := all.Changes[1].Changed; c == nil || strings.Join(*c, " ") != "title priority" {
		t.Errorf("%v", c)
	}
	if one := since("1&limit=1"); len(one.Changes) != 1 || one.Changes[0].Sequence != 2 || !one.HasMore || one.CurrentSequence != 3 {
		t.Errorf("%+v", one)
	}
	if none := since("3"); len(none.Changes) != 0 || none.Reset || none.HasMore {
		t.Errorf("%+v", none)
	}
	if future := since("4"); !future.Reset || future.CurrentSequence != 3 || len(future.Changes) != 0 {
		t.Errorf("%+v", future)
	}
	u.send("DELETE", "", "").want(t, 204)
	u.create(`{"title":"anew"}`)
	if old := since("0"); !old.Reset || old.CurrentSequence != 4 {
		t.Errorf("a log that was cut: %+v", old)
	}
}

func TestTheAuditTrail(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	one := u.create(`{"title":"a"}`)
	for range 4 {
		u.create(`{"title":"b"}`)
	}
	made := u.send("PATCH", "/tasks/"+one.ID, `{"title":"c"}`, "X-Correlation-ID", "trail-1").want(t, 200)
	if made.header.Get("X-Correlation-ID") != "trail-1" {
		t.Error("the correlation id is not sent back")
	}
	var sequences []int64
	cursor := ""
	for {
		page := decode[rest.EventPage](t, u.send("GET", "/events?limit=4"+cursor, "").want(t, 200))
		for _, e := range page.Items {
			sequences = append(sequences, e.Sequence)
		}
		next, err := page.NextCursor.Get()
		if err != nil {
			break
		}
		cursor = "&cursor=" + next
	}
	if !slices.Equal(sequences, []int64{1, 2, 3, 4, 5, 6}) {
		t.Errorf("%v", sequences)
	}
	page := decode[rest.EventPage](t, u.send("GET", "/events?task_id="+one.ID, "").want(t, 200))
	if len(page.Items) != 2 || page.Items[1].CorrelationID == nil || *page.Items[1].CorrelationID != "trail-1" {
		t.Errorf("%+v", page.Items)
	}
	if fields, _ := page.Items[0].Data["fields"].(map[string]any); fields["title"] != "a" {
		t.Errorf("%+v", page.Items[0].Data)
	}
	users := decode[rest.EventPage](t, u.send("GET", "/events?topic=users.events", "").want(t, 200))
	if len(users.Items) != 1 || users.Items[0].EventType != "user.created" {
		t.Errorf("%+v", users.Items)
	}
}

// TestTheAuditTrailIsPagedInBothDirectionsWhileEventsAreAdded follows the cursors of both orders, with a new event after
// every page.
func TestTheAuditTrailIsPagedInBothDirectionsWhileEventsAreAdded(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	for _, c := range []struct {
		order string
		want  []int64
	}{
		// Ten events, pages of four. What is added meanwhile comes last, or not before the first page is asked for again.
		{"&order=oldest", []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		{"", []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		{"&order=newest", []int64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}},
	} {
		t.Run("with "+c.order, func(t *testing.T) {
			t.Parallel()
			u := w.user(t)
			one := u.create(`{"title":"a"}`)
			for range 9 {
				u.create(`{"title":"b"}`)
			}
			read := func(query string, added string) (sequences []int64) {
				for cursor := ""; ; {
					page := decode[rest.EventPage](t, u.send("GET", "/events?limit=4"+c.order+query+cursor, "").want(t, 200))
					for _, e := range page.Items {
						sequences = append(sequences, e.Sequence)
					}
					next, err := page.NextCursor.Get()
					if err != nil {
						return sequences
					}
					cursor = "&cursor=" + next
					u.send("PATCH", "/tasks/"+one.ID, fmt.Sprintf(`{"title":%q}`, added+fmt.Sprint(len(sequences)))).want(t, 200)
				}
			}
			if got := read("", "c"); !slices.Equal(got, c.want) {
				t.Errorf("all: %v, want %v", got, c.want)
			}
			// The task's own: its creation and the changes above, two in each order.
			want := []int64{1, 11, 12}
			if c.order == "&order=newest" {
				want = []int64{12, 11, 1}
			}
			if got := read("&task_id="+one.ID, "d"); !slices.Equal(got, want) {
				t.Errorf("one task's: %v, want %v", got, want)
			}
		})
	}
	u := w.user(t)
	for range 3 {
		u.create(`{"title":"a"}`)
	}
	for _, order := range [][2]string{{"oldest", "newest"}, {"newest", "oldest"}} {
		page := decode[rest.EventPage](t, u.send("GET", "/events?limit=1&order="+order[0], "").want(t, 200))
		if got := problem(t, u.send("GET", "/events?limit=1&order="+order[1]+"&cursor="+page.NextCursor.MustGet(), "").want(t, 422)); !strings.HasPrefix(got, "cursor ") {
			t.Error(got)
		}
	}
	// The newest page is whole although nothing follows: its last event is the first there is.
	last := decode[rest.EventPage](t, u.send("GET", "/events?limit=3&order=newest", "").want(t, 200))
	if len(last.Items) != 3 || !last.NextCursor.IsNull() || last.CurrentSequence != 3 {
		t.Errorf("%+v", last)
	}
}

func TestProfilesAreMadeOnTheFirstRequestAndChanged(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	u.send("GET", "/tasks", "").want(t, 200)
	if events := decode[rest.EventPage](t, u.send("GET", "/events?topic=users.events", "").want(t, 200)); len(events.Items) != 1 {
		t.Errorf("a list made no profile: %+v", events)
	}
	a := u.send("GET", "/profile", "").want(t, 200)
	if p := decode[rest.Profile](t, a); p.TimeZone != "UTC" || p.UserID != u.id || a.header.Get("ETag") != `"1"` {
		t.Errorf("%s", a.body)
	}
	u.send("GET", "/profile", "", "If-None-Match", `"1"`).want(t, 304)
	moved := u.send("PUT", "/profile", `{"time_zone":"Asia/Karachi"}`, "If-Match", `"1"`).want(t, 200)
	stale := u.send("PUT", "/profile", `{"time_zone":"UTC"}`, "If-Match", `"1"`).want(t, 412)
	if problem(t, stale); !strings.Contains(string(stale.body), `"current":`+string(moved.body)) {
		t.Errorf("%s", stale.body)
	}
	if r := u.create(`{"title":"a","recurrence":"daily"}`).Recurrence.MustGet(); !r.TimeZone.IsNull() {
		t.Errorf("a rule in the user's zone, wherever that is, names %+v", r)
	}
}

func TestStatsCount(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	u.create(`{"title":"a","priority":"high"}`)
	u.create(`{"title":"late","due_date":"2020-01-01"}`)
	u.send("PATCH", "/tasks/"+u.create(`{"title":"done"}`).ID+"/complete", `{"completed":true}`).want(t, 200)
	u.send("DELETE", "/tasks/"+u.create(`{"title":"gone"}`).ID, "").want(t, 200)
	s := decode[rest.Stats](t, u.send("GET", "/stats", "").want(t, 200))
	if s.Open != 2 || s.Completed != 1 || s.Overdue != 1 || s.Deleted != 1 || s.ByPriority.High != 1 || s.ByPriority.None != 1 ||
		len(s.CompletedPerDay) != 30 || s.CompletedPerDay[29].Count != 1 {
		t.Errorf("%+v", s)
	}
}

func TestAnExportHasEverything(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	for range 3 {
		u.send("POST", "/tasks/batch", `{"operations":[`+strings.TrimSuffix(strings.Repeat(`{"op":"create","task":{"title":"a"}},`, 80), ",")+`]}`).want(t, 200)
	}
	u.send("DELETE", "/tasks/"+u.create(`{"title":"gone"}`).ID, "").want(t, 200)
	a := u.send("GET", "/export", "").want(t, 200)
	if a.header.Get("Content-Disposition") == "" || a.header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("%v", a.header)
	}
	x := decode[rest.Export](t, a)
	ids := map[string]bool{}
	for _, task := range x.Tasks {
		ids[task.ID] = true
	}
	if len(x.Tasks) != 241 || len(ids) != 241 || len(x.Events) != 1+242 || x.Profile.UserID != u.id || x.Tasks[240].DeletedAt.IsNull() {
		t.Errorf("%d tasks, %d events", len(x.Tasks), len(x.Events))
	}
}

func TestAnExportThatFailsMidwayIsCutOff(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	u := w.user(t)
	u.create(`{"title":"a"}`)
	if err := w.db.Read(t.Context()).Exec("ALTER TABLE events RENAME TO gone").Error; err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", w.server.URL+"/api/"+u.id+"/export", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+u.token)
	response, err := w.server.Client().Do(r)
	if err != nil {
		return // cut before the first byte went out
	}
	defer response.Body.Close()
	var whole any
	if err := json.NewDecoder(response.Body).Decode(&whole); err == nil {
		t.Errorf("half an export looks whole: %v", whole)
	}
}

func TestAUserWhoIsDeletedIsGone(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	problem(t, u.send("DELETE", "", "").want(t, 404))
	made := u.create(`{"title":"a"}`)
	u.send("DELETE", "", "").want(t, 204)
	u.send("GET", "/tasks/"+made.ID, "").want(t, 404)
	x := decode[rest.Export](t, u.send("GET", "/export", "").want(t, 200))
	var left []string
	for _, e := range x.Events {
		left = append(left, e.EventType)
	}
	if len(x.Tasks) != 0 || strings.Join(left, " ") != "user.deleted user.created" {
		t.Errorf("%d tasks, events %v", len(x.Tasks), left)
	}
}

func TestTheDocumentationNeedsNoToken(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	for path, want := range map[string][2]string{
		"/docs":           {"text/html; charset=utf-8", "Move a task to the trash"},
		"/docs/style.css": {"text/css; charset=utf-8", "body"},
		"/openapi.yaml":   {"application/yaml", "operationId: createTask"},
		"/openapi.json":   {"application/json", `"operationId": "createTask"`},
	} {
		a := u.sendTo(path, "GET", "", "Authorization", "").want(t, 200)
		body := string(a.body)
		if a.header.Get("Content-Type") != want[0] || !strings.Contains(body, want[1]) || strings.Contains(body, "x-go-type") {
			t.Errorf("%s: %s %.200s", path, a.header.Get("Content-Type"), body)
		}
		if strings.Contains(body, "<script") || strings.Contains(body, "style=") || !strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'self'") {
			t.Errorf("%s would not work under its policy %s", path, a.header.Get("Content-Security-Policy"))
		}
	}
}
