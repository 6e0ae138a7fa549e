package tools_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

func TestATaskHasEverythingItIsAddedWith(t *testing.T) {
	t.Parallel()
	c := newWorld(t).as("ada", "Asia/Karachi")
	made := c.add(`{"title":" Buy milk ","description":"two litres","priority":"high","tags":["shop","home"],"due":"2026-12-01T17:00",
		"reminders":[30,5],"remind_at":["2026-11-30T08:00","2026-11-24T00:00:00Z"],"repeats":"FREQ=WEEKLY;BYDAY=MO","repeats_from":"completion","catch_up":"all"}`)
	want := agenttools.Task{
		ID: made.ID, Title: "Buy milk", Description: "two litres", Status: "open", Priority: "high", Tags: []string{"home", "shop"},
		Due: "2026-12-01T17:00:00+05:00", Reminders: []int{5, 30}, RemindAt: []string{"2026-11-24T05:00:00+05:00", "2026-11-30T08:00:00+05:00"},
		Repeats: "FREQ=WEEKLY;BYDAY=MO", RepeatsFrom: "completion", CatchUp: "all", SeriesID: made.SeriesID, Occurrence: "2026-12-01T17:00:00", Version: 1,
	}
	if made.SeriesID == "" {
		t.Error("it is in no series")
	}
	if !reflect.DeepEqual(made, want) {
		t.Errorf("made %+v", made)
	}
	if got := c.get(strings.ToUpper(made.ID)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	all := c.do(agenttools.FindTasks, args(`{}`))
	if all.TimeZone != "Asia/Karachi" || len(all.Tasks) != 1 || !reflect.DeepEqual(all.Tasks[0], want) {
		t.Errorf("found %+v", all)
	}
}

func TestAWrongItemFailsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("ada", "UTC")
	made := c.do(agenttools.AddTasks, args(`{"tasks":[{"title":"a"},{"title":"b","priority":"huge"},{"title":"c","colour":"red"},{"titel":"d"},
		{"title":"e","due":"soon"},{"title":"f","reminders":[5]},{"title":"  "},{"title":"g\u0000h"},{"title":"i","repeats":"hourly"},{"title":"j","repeats_from":"schedule"},7,{"title":"k"}]}`))
	if got := titles(made.Tasks); !slices.Equal(got, []string{"a", "k"}) {
		t.Errorf("made %v", got)
	}
	want := []struct{ item, says string }{
		{"1", "priority: enum"},
		{"2", `unknown fields ["colour"]`},
		{"3", "titel"},
		{"4", "due must be a date"},
		{"5", "reminders need a due"},
		{"6", "title must not be empty"},
		{"7", "control characters"},
		{"8", "repeats must"},
		{"9", "repeats must"},
		{"10", "object"},
	}
	if len(made.Failures) != len(want) {
		t.Fatalf("failures: %+v", made.Failures)
	}
	for i, f := range made.Failures {
		if f.Item != want[i].item || f.Code != "invalid" || !strings.Contains(f.Error, want[i].says) || strings.Contains(f.Error, "due_date") {
			t.Errorf("failure %d: %+v", i, f)
		}
	}

	one := made.Tasks[0]
	edited := c.do(agenttools.UpdateTasks, args(`{"tasks":[{"id":%q,"title":"A"},{"id":"nonsense","title":"B"},{"id":%q,"title":"C"},{"id":%q,"due":"2026-12-01"}]}`,
		one.ID, one.ID, made.Tasks[1].ID))
	if len(edited.Tasks) != 1 || edited.Tasks[0].Title != "A" || len(edited.Failures) != 3 {
		t.Fatalf("edited %+v", edited)
	}
	for i, want := range []agenttools.Failure{
		{Item: "nonsense", Code: "not_found", Error: "no task nonsense", TryNext: "Look the id up with find_tasks."},
		{Item: one.ID, Code: "invalid", Error: "the same task is in this call twice", TryNext: "Say everything about a task in one item."},
		{Item: made.Tasks[1].ID, Code: "invalid", Error: "update_tasks does not change due dates", TryNext: "Use reschedule_tasks for due."},
	} {
		if edited.Failures[i] != want {
			t.Errorf("failure %d: %+v", i, edited.Failures[i])
		}
	}
}

func TestAnUpdateTouchesOnlyWhatIsSent(t *testing.T) {
	t.Parallel()
	c := newWorld(t).as("ada", "Europe/Oslo")
	before := c.add(`{"title":"x","description":"long","priority":"low","tags":["a","b"],"due":"2026-12-01T17:00","reminders":[10],"repeats":"monthly","repeats_from":"completion"}`)
	for name, step := range map[string]struct {
		fields string
		change func(*agenttools.Task)
	}{
		"the title":             {`"title":"y"`, func(t *agenttools.Task) { t.Title = "y" }},
		"no description":        {`"description":""`, func(t *agenttools.Task) { t.Description = "" }},
		"no priority":           {`"priority":"none"`, func(t *agenttools.Task) { t.Priority = "" }},
		"all tags":              {`"tags":["c"]`, func(t *agenttools.Task) { t.Tags = []string{"c"} }},
		"no tags":               {`"tags":[]`, func(t *agenttools.Task) { t.Tags = nil }},
		"a tag more, one less":  {`"add_tags":["z","a"],"remove_tags":["b","q"]`, func(t *agenttools.Task) { t.Tags = []string{"a", "z"} }},
		"no reminders":          {`"reminders":[]`, func(t *agenttools.Task) { t.Reminders = nil }},
		"a reminder of its own": {`"remind_at":["2026-11-23T08:00"]`, func(t *agenttools.Task) { t.RemindAt = []string{"2026-11-23T08:00:00+01:00"} }},
		"how to catch up":       {`"catch_up":"skip"`, func(t *agenttools.Task) { t.CatchUp = "skip" }},
		"as by default":         {`"catch_up":"latest","title":"w"`, func(t *agenttools.Task) { t.Title = "w" }},
		"another rule":          {`"repeats":"FREQ=DAILY;COUNT=3"`, func(t *agenttools.Task) { t.Repeats = "FREQ=DAILY;COUNT=3" }},
		"the same rule from":    {`"repeats_from":"schedule"`, func(t *agenttools.Task) { t.RepeatsFrom = "schedule" }},
		"no rule":               {`"repeats":"none"`, func(t *agenttools.Task) { t.Repeats, t.RepeatsFrom = "", "" }},
		"the right version too": {`"title":"v","version":1`, func(t *agenttools.Task) { t.Title = "v" }},
	} {
		t.Run(name, func(t *testing.T) {
			made := c.add(`{"title":"x","description":"long","priority":"low","tags":["a","b"],"due":"2026-12-01T17:00","reminders":[10],"repeats":"monthly","repeats_from":"completion"}`)
			want := before
			want.ID, want.SeriesID, want.Version = made.ID, made.SeriesID, 2
			step.change(&want)
			got := c.do(agenttools.UpdateTasks, args(`{"tasks":[{"id":%q,%s}]}`, made.ID, step.fields)).Tasks[0]
			if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(c.get(made.ID), want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestAnUpdateOfAnOldVersionIsRefused(t *testing.T) {
	t.Parallel()
	c := newWorld(t).as("ada", "UTC")
	one := c.add(`{"title":"x"}`)
	c.do(agenttools.UpdateTasks, args(`{"tasks":[{"id":%q,"title":"y","version":1}]}`, one.ID))
	for _, tool := range []string{agenttools.UpdateTasks, agenttools.RescheduleTasks} {
		field := map[string]string{agenttools.UpdateTasks: `"title":"z"`, agenttools.RescheduleTasks: `"due":"2026-12-01"`}[tool]
		f := c.fail(tool, args(`{"tasks":[{"id":%q,%s,"version":1}]}`, one.ID, field))[0]
		if f.Code != "stale" || !strings.Contains(f.Error, "version 2, not 1") || !strings.Contains(f.TryNext, "get_tasks") {
			t.Errorf("%s: %+v", tool, f)
		}
	}
	if f := c.fail(agenttools.UpdateTasks, args(`{"tasks":[{"id":%q}]}`, one.ID))[0]; !strings.Contains(f.Error, "nothing to change") {
		t.Errorf("an empty update: %+v", f)
	}
	if f := c.fail(agenttools.UpdateTasks, args(`{"tasks":[{"id":%q,"repeats_from":"schedule"}]}`, one.ID))[0]; !strings.Contains(f.Error, "repeats must") {
		t.Errorf("an anchor without a rule: %+v", f)
	}
}

func TestTasksAreCompletedReopenedAndRestored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("ada", "America/New_York")
	a, b := c.add(`{"title":"a"}`), c.add(`{"title":"b"}`)
	// Out of order, twice, misspelt, and with one that there is not.
	done := c.do(agenttools.CompleteTasks, args(`{"ids":[%q,%q,%q,"0192f0a0-0000-7000-8000-000000000001"]}`, b.ID, a.ID, " "+strings.ToUpper(b.ID)))
	if got := titles(done.Tasks); !slices.Equal(got, []string{"b", "a"}) || len(done.Failures) != 1 || done.Failures[0].Code != "not_found" {
		t.Fatalf("completed %+v", done)
	}
	if one := done.Tasks[0]; one.Status != "completed" || one.CompletedAt != "2026-11-22T12:00:00-05:00" {
		t.Errorf("completed %+v", one)
	}
	if again := c.do(agenttools.CompleteTasks, args(`{"ids":[%q]}`, a.ID)); again.Tasks[0].Version != 2 {
		t.Errorf("completed twice: %+v", again)
	}
	if open := c.do(agenttools.ReopenTasks, args(`{"ids":[%q]}`, a.ID)); open.Tasks[0].Status != "open" || open.Tasks[0].CompletedAt != "" {
		t.Errorf("reopened %+v", open)
	}
	plan := c.do(agenttools.DeleteTasks, args(`{"ids":[%q]}`, a.ID))
	c.do(agenttools.DeleteTasks, args(`{"ids":[%q],"confirmation":%q}`, a.ID, plan.Confirmation))
	for _, tool := range []string{agenttools.CompleteTasks, agenttools.ReopenTasks} {
		if f := c.fail(tool, args(`{"ids":[%q]}`, a.ID))[0]; f.Code != "conflict" || !strings.Contains(f.TryNext, "restore_tasks") {
			t.Errorf("%s in the trash: %+v", tool, f)
		}
	}
	if back := c.do(agenttools.RestoreTasks, args(`{"ids":[%q]}`, a.ID)); back.Tasks[0].Status != "open" {
		t.Errorf("restored %+v", back)
	}
}

func TestNobodyReachesAnothersTasks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada, eve := w.as("ada", "UTC"), w.as("eve", "UTC")
	one := ada.add(`{"title":"private"}`)
	plan := ada.do(agenttools.DeleteTasks, args(`{"ids":[%q]}`, one.ID))
	none := "0192f0a0-0000-7000-8000-000000000001"
	for tool, format := range map[string]string{
		agenttools.GetTasks: `{"ids":[%q]}`, agenttools.CompleteTasks: `{"ids":[%q]}`, agenttools.ReopenTasks: `{"ids":[%q]}`, agenttools.RestoreTasks: `{"ids":[%q]}`,
		agenttools.UpdateTasks: `{"tasks":[{"id":%q,"title":"mine","version":1}]}`, agenttools.RescheduleTasks: `{"tasks":[{"id":%q,"due":"none"}]}`,
		agenttools.DeleteTasks: `{"ids":[%q]}`,
	} {
		theirs, missing := eve.fail(tool, args(format, one.ID))[0], eve.fail(tool, args(format, none))[0]
		theirs.Item, theirs.Error = missing.Item, strings.ReplaceAll(theirs.Error, one.ID, none)
		if theirs != missing || missing.Code != "not_found" {
			t.Errorf("%s tells another's task %+v from none %+v", tool, theirs, missing)
		}
	}
	eve.fail(agenttools.DeleteTasks, args(`{"ids":[%q],"confirmation":%q}`, one.ID, plan.Confirmation))
	if found := eve.do(agenttools.FindTasks, args(`{"status":"all"}`)); len(found.Tasks) != 0 {
		t.Errorf("eve finds %v", found.Tasks)
	}
	if got := ada.get(one.ID); got.Version != 1 || got.Status != "open" {
		t.Errorf("ada's task is now %+v", got)
	}
}

func TestTasksAreFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("ada", "Asia/Karachi") // it is Sunday the 22nd, 22:00
	c.do(agenttools.AddTasks, args(`{"tasks":[
		{"title":"Call the bank","priority":"high","due":"2026-11-22T09:00"},
		{"title":"Buy milk","description":"and bread","tags":["shop"],"due":"2026-11-23"},
		{"title":"At midnight","due":"2026-11-24T00:00"},
		{"title":"Pay rent","priority":"urgent","due":"2026-11-24"},
		{"title":"Someday"},
		{"title":"Done already"}]}`))
	ids := map[string]string{}
	for _, one := range c.do(agenttools.FindTasks, args(`{"status":"all","limit":100}`)).Tasks {
		ids[one.Title] = one.ID
	}
	c.do(agenttools.CompleteTasks, args(`{"ids":[%q]}`, ids["Done already"]))
	for name, one := range map[string]struct {
		input string
		want  []string
	}{
		"by due date, the open ones":    {`{}`, []string{"Call the bank", "Buy milk", "At midnight", "Pay rent", "Someday"}},
		"the completed ones":            {`{"status":"completed"}`, []string{"Done already"}},
		"all by title":                  {`{"status":"all","sort":"title"}`, []string{"At midnight", "Buy milk", "Call the bank", "Done already", "Pay rent", "Someday"}},
		"by priority, the highest":      {`{"sort":"priority","limit":2}`, []string{"Pay rent", "Call the bank"}},
		"by words of the description":   {`{"query":"BREAD milk"}`, []string{"Buy milk"}},
		"by tag":                        {`{"tag":"shop"}`, []string{"Buy milk"}},
		"by priorities":                 {`{"priority":["high","urgent"]}`, []string{"Call the bank", "Pay rent"}},
		"what is overdue":               {`{"overdue":true}`, []string{"Call the bank"}},
		"one day and its last midnight": {`{"due_from":"2026-11-23","due_to":"2026-11-23"}`, []string{"Buy milk", "At midnight"}},
		"the next day":                  {`{"due_from":"2026-11-24","due_to":"2026-11-24"}`, []string{"Pay rent"}},
		"from and to an instant":        {`{"due_from":"2026-11-22T04:00:00Z","due_to":"2026-11-22T09:00"}`, []string{"Call the bank"}},
		"the trash, which is empty":     {`{"status":"deleted"}`, []string{}},
	} {
		if got := titles(c.do(agenttools.FindTasks, args("%s", one.input)).Tasks); !slices.Equal(got, one.want) {
			t.Errorf("%s: %v", name, got)
		}
	}

	var paged []string
	page := c.do(agenttools.FindTasks, args(`{"limit":2}`))
	for {
		paged = append(paged, titles(page.Tasks)...)
		if page.NextCursor == "" {
			break
		}
		page = c.do(agenttools.FindTasks, args(`{"limit":2,"cursor":%q}`, page.NextCursor))
	}
	if want := titles(c.do(agenttools.FindTasks, args(`{}`)).Tasks); !slices.Equal(paged, want) {
		t.Errorf("paged %v", paged)
	}
	if f := c.fail(agenttools.FindTasks, args(`{"cursor":"forged"}`))[0]; f.Code != "invalid" || !strings.Contains(f.Error, "cursor") {
		t.Errorf("a forged cursor: %+v", f)
	}
}

func TestLongDescriptionsAreCutWhereThereAreMany(t *testing.T) {
	t.Parallel()
	c := newWorld(t).as("ada", "UTC")
	long := strings.Repeat("ø", 10_000)
	var ids []string
	for range 5 {
		one := c.add(fmt.Sprintf(`{"title":"x","description":%q}`, long))
		if got := []rune(one.Description); len(got) > 400 || !strings.HasSuffix(one.Description, "get_tasks has all of it)") {
			t.Fatalf("%d characters are shown", len(got))
		}
		ids = append(ids, fmt.Sprintf("%q", one.ID))
	}
	got := c.do(agenttools.GetTasks, args(`{"ids":[%s]}`, strings.Join(ids, ",")))
	for i, one := range got.Tasks {
		if whole := one.Description == long; whole != (i < 4) {
			t.Errorf("task %d has %d bytes of description", i, len(one.Description))
		}
	}
}

func TestTheOverviewAndTheProfileAreTheUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("ada", "Asia/Karachi")
	c.do(agenttools.AddTasks, args(`{"tasks":[{"title":"late","due":"2026-11-20","priority":"high"},{"title":"tonight","due":"2026-11-22T23:00"},
		{"title":"today","due":"2026-11-22"},{"title":"later","due":"2026-12-24"},{"title":"someday"}]}`))
	var o struct {
		TimeZone       string            `json:"time_zone"`
		Now            string            `json:"now"`
		Open, Overdue  int               //nolint:tagliatelle // as it is
		DueToday       int               `json:"due_today"`
		OpenByPriority map[string]int    `json:"open_by_priority"`
		OverdueTasks   []agenttools.Task `json:"overdue_tasks"`
		NextTasks      []agenttools.Task `json:"next_tasks"`
	}
	remarshal(t, c.send(agenttools.GetOverview, args(`{"limit":2}`), nil).StructuredContent, &o)
	if o.Open != 5 || o.Overdue != 1 || o.DueToday != 2 || o.OpenByPriority["high"] != 1 || o.TimeZone != "Asia/Karachi" || o.Now != "2026-11-22T22:00:00+05:00" {
		t.Errorf("the overview is %+v", o)
	}
	if late, next := titles(o.OverdueTasks), titles(o.NextTasks); !slices.Equal(late, []string{"late"}) || !slices.Equal(next, []string{"tonight", "today"}) {
		t.Errorf("overdue %v, next %v", late, next)
	}

	w.advance(3 * time.Hour)
	var p map[string]string
	remarshal(t, c.send(agenttools.GetProfile, nil, nil).StructuredContent, &p)
	if want := map[string]string{"time_zone": "Asia/Karachi", "now": "2026-11-23T01:00:00+05:00", "weekday": "Monday"}; !reflect.DeepEqual(p, want) {
		t.Errorf("the profile is %v", p)
	}
}

func TestWhatNoSchemaAllowsIsRefusedAndExplained(t *testing.T) {
	t.Parallel()
	c := newWorld(t).as("ada", "UTC")
	many := strings.TrimSuffix(strings.Repeat(`{"title":"x"},`, 51), ",")
	names := strings.TrimSuffix(strings.Repeat(`"x",`, 51), ",")
	for name, one := range map[string]struct{ tool, input, says string }{
		"no tasks":             {agenttools.AddTasks, `{}`, `missing fields ["tasks"]`},
		"an empty batch":       {agenttools.AddTasks, `{"tasks":[]}`, "tasks: minItems"},
		"too many tasks":       {agenttools.AddTasks, `{"tasks":[` + many + `]}`, "tasks: maxItems"},
		"too many ids":         {agenttools.CompleteTasks, `{"ids":[` + names + `]}`, "ids: maxItems"},
		"an unknown field":     {agenttools.FindTasks, `{"text":"x"}`, `unknown fields ["text"]`},
		"a wrong type":         {agenttools.CompleteTasks, `{"ids":"x"}`, "ids: type"},
		"a null":               {agenttools.FindTasks, `{"query":null}`, "query: type"},
		"a limit above":        {agenttools.FindTasks, `{"limit":101}`, "limit: maximum"},
		"a limit of nothing":   {agenttools.FindTasks, `{"limit":0}`, "limit: minimum"},
		"a status there isn't": {agenttools.FindTasks, `{"status":"late"}`, "status: enum"},
		"an id that is empty":  {agenttools.GetTasks, `{"ids":[""]}`, "ids[]: minLength"},
		"a list":               {agenttools.GetProfile, `[1]`, "must be a JSON object"},
		"a word":               {agenttools.GetProfile, `"x"`, "must be a JSON object"},
		"a long error":         {agenttools.FindTasks, `{"status":"` + strings.Repeat("x", 5000) + `"}`, "status: enum"},
		"too much of it all":   {agenttools.FindTasks, `{"query":"` + strings.Repeat("x", 1<<20) + `"}`, "is the most"},
		"a wrong range":        {agenttools.FindTasks, `{"due_from":"yesterday"}`, "due_from must be a date"},
		"a wrong end":          {agenttools.FindTasks, `{"due_to":"1969-01-01"}`, "due_to must lie between"},
		"a word to search":     {agenttools.FindTasks, `{"query":"a\u0000b"}`, "query must be UTF-8"},
	} {
		f := c.fail(one.tool, args("%s", one.input))
		if len(f) != 1 || f[0].Code != "invalid" || !strings.Contains(f[0].Error, one.says) || strings.Contains(f[0].Error, "validating") {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
