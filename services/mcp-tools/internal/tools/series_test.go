package tools_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// follows makes what comes after a closed task, as the scheduler does, and returns it.
func (w *world) follows(user string, closed agenttools.Task) task.Task {
	w.t.Helper()
	did, err := w.tasks.Spawn(w.t.Context(), user, closed.SeriesID, task.Cause{At: w.now(), Closed: closed.ID, ClosedAt: w.now()})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(did.Made) != 1 {
		w.t.Fatalf("made %d tasks", len(did.Made))
	}
	return did.Made[0]
}

func TestAnOccurrenceIsPassedOverAndStaysInTheHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("ada", "America/New_York")
	first := c.add(`{"title":"standup","due":"2026-11-23T10:00","repeats":"daily"}`)
	other := c.add(`{"title":"retro","repeats":"weekly"}`)
	if other.Due != "2026-11-22" || other.Occurrence != "2026-11-22T00:00:00" {
		t.Errorf("without a due date it begins on %q, %q", other.Due, other.Occurrence)
	}
	skipped := c.do(agenttools.CompleteTasks, args(`{"ids":[%q],"skip":true}`, first.ID)).Tasks[0]
	if skipped.Status != "skipped" || skipped.SkippedAt != "2026-11-22T12:00:00-05:00" || skipped.CompletedAt != "" || skipped.Version != 2 {
		t.Errorf("skipped %+v", skipped)
	}
	if again := c.do(agenttools.CompleteTasks, args(`{"ids":[%q],"skip":true}`, first.ID)).Tasks[0]; again.Version != 2 {
		t.Errorf("skipped twice: %+v", again)
	}
	next := c.get(w.follows("ada", first).ID)
	if next.Due != "2026-11-24T10:00:00-05:00" || next.SeriesID != first.SeriesID || next.Occurrence != "2026-11-24T10:00:00" || next.Status != "open" {
		t.Errorf("next is %+v", next)
	}
	for status, want := range map[string][]string{"all": {first.ID, next.ID}, "open": {next.ID}, "completed": {}, "deleted": {}} {
		got := []string{}
		for _, one := range c.do(agenttools.FindTasks, args(`{"series_id":%q,"status":%q}`, strings.ToUpper(first.SeriesID), status)).Tasks {
			got = append(got, one.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s of the series: %v, want %v", status, got, want)
		}
	}
	if open := c.do(agenttools.ReopenTasks, args(`{"ids":[%q]}`, first.ID)).Tasks[0]; open.Status != "open" || open.SkippedAt != "" {
		t.Errorf("reopened %+v", open)
	}
}

func TestWhatCannotBeSkippedSaysWhatToDoInstead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("ada", "UTC")
	plain, done, gone := c.add(`{"title":"a"}`), c.add(`{"title":"b","repeats":"daily"}`), c.add(`{"title":"c","repeats":"daily"}`)
	c.do(agenttools.CompleteTasks, args(`{"ids":[%q]}`, done.ID))
	if _, err := w.tasks.Delete(t.Context(), "ada", gone.ID, 0); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct{ id, code, says, next string }{
		"one that does not repeat": {plain.ID, "conflict", "does not repeat", "without skip"},
		"one that is done":         {done.ID, "conflict", "is done", "reopen_tasks"},
		"one in the trash":         {gone.ID, "conflict", "in the trash", "restore_tasks"},
		"one that there is not":    {"nonsense", "not_found", "no task", "find_tasks"},
	} {
		f := c.fail(agenttools.CompleteTasks, args(`{"ids":[%q],"skip":true}`, want.id))[0]
		if f.Code != want.code || !strings.Contains(f.Error, want.says) || !strings.Contains(f.TryNext, want.next) {
			t.Errorf("%s: %+v", name, f)
		}
	}
	for _, refused := range []struct{ tool, input, says string }{
		{agenttools.CompleteTasks, `{"ids":["x"],"skip":"yes"}`, "skip: type"},
		{agenttools.UpdateTasks, `{"tasks":[{"id":"x","title":"y"}],"scope":"all"}`, "scope: enum"},
		{agenttools.RescheduleTasks, `{"tasks":[{"id":"x","due":"none"}],"scope":"series"}`, "scope: enum"},
		{agenttools.FindTasks, `{"series_id":"weekly"}`, "series_id is none"},
	} {
		if f := c.fail(refused.tool, args("%s", refused.input))[0]; f.Code != "invalid" || !strings.Contains(f.Error, refused.says) {
			t.Errorf("%s %s: %+v", refused.tool, refused.input, f)
		}
	}
}

func TestAChangeReachesAsFarAsItsScopeSays(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]struct{ tool, fields, title, due string }{
		"a moved occurrence leaves the series alone": {agenttools.RescheduleTasks, `"due":"2026-11-25T15:00"}]`, "standup", "2026-11-24T10:00:00Z"},
		"said in so many words":                      {agenttools.RescheduleTasks, `"due":"2026-11-25T15:00"}],"scope":"this"`, "standup", "2026-11-24T10:00:00Z"},
		"a moved series goes on from there":          {agenttools.RescheduleTasks, `"due":"2026-11-25T15:00"}],"scope":"following"`, "standup", "2026-11-26T15:00:00Z"},
		"another title of one":                       {agenttools.UpdateTasks, `"title":"sync"}]`, "standup", "2026-11-24T10:00:00Z"},
		"another title of all that follow":           {agenttools.UpdateTasks, `"title":"sync"}],"scope":"following"`, "sync", "2026-11-24T10:00:00Z"},
		"another rule is always of all that follow":  {agenttools.UpdateTasks, `"repeats":"FREQ=DAILY;INTERVAL=3"}]`, "standup", "2026-11-26T10:00:00Z"},
		"a reminder of its own is of one":            {agenttools.UpdateTasks, `"remind_at":["2026-11-23T09:00"]}],"scope":"following"`, "standup", "2026-11-24T10:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.as("ada", "UTC")
			first := c.add(`{"title":"standup","due":"2026-11-23T10:00","repeats":"daily"}`)
			c.do(step.tool, args(`{"tasks":[{"id":%q,`+step.fields+`}`, first.ID))
			c.do(agenttools.CompleteTasks, args(`{"ids":[%q]}`, first.ID))
			if next := c.get(w.follows("ada", first).ID); next.Title != step.title || next.Due != step.due || len(next.RemindAt) != 0 {
				t.Errorf("next is %+v", next)
			}
		})
	}
}

func TestRepeatsNoneEndsTheSeriesAndKeepsTheTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("ada", "UTC")
	first := c.add(`{"title":"standup","due":"2026-11-23T10:00","repeats":"daily"}`)
	last := c.do(agenttools.UpdateTasks, args(`{"tasks":[{"id":%q,"repeats":"none"}]}`, first.ID)).Tasks[0]
	if last.Repeats != "" || last.Status != "open" || last.SeriesID != first.SeriesID {
		t.Errorf("it is %+v", last)
	}
	c.do(agenttools.CompleteTasks, args(`{"ids":[%q]}`, first.ID))
	w.advance(72 * time.Hour)
	did, err := w.tasks.Spawn(t.Context(), "ada", first.SeriesID, task.Cause{At: w.now(), Closed: first.ID, ClosedAt: w.now()})
	if err != nil || len(did.Made) != 0 {
		t.Errorf("made %v, %v", did.Made, err)
	}
}

func TestRemindersAtTimesOfTheirOwn(t *testing.T) {
	t.Parallel()
	c := newWorld(t).as("ada", "Europe/Oslo")
	one := c.add(`{"title":"milk","remind_at":["2026-11-23 08:00"]}`)
	if one.Due != "" || !slices.Equal(one.RemindAt, []string{"2026-11-23T08:00:00+01:00"}) {
		t.Errorf("made %+v", one)
	}
	for said, says := range map[string]string{
		`["2026-11-24"]`:             "remind_at[0] must have a time of day, such as 2026-11-24T09:00",
		`["2026-11-24T09:00","six"]`: "remind_at[1] must be a date",
		`["1969-11-24T09:00"]`:       "remind_at[0] must lie between",
		`"2026-11-24T09:00"`:         "remind_at: type",
	} {
		if f := c.fail(agenttools.UpdateTasks, args(`{"tasks":[{"id":%q,"remind_at":%s}]}`, one.ID, said))[0]; f.Code != "invalid" || !strings.Contains(f.Error, says) {
			t.Errorf("%s: %+v", said, f)
		}
		if f := c.fail(agenttools.AddTasks, args(`{"tasks":[{"title":"x","remind_at":%s}]}`, said))[0]; f.Code != "invalid" || !strings.Contains(f.Error, says) {
			t.Errorf("%s: %+v", said, f)
		}
	}
	if none := c.do(agenttools.UpdateTasks, args(`{"tasks":[{"id":%q,"remind_at":[]}]}`, one.ID)).Tasks[0]; none.RemindAt != nil || none.Version != 2 {
		t.Errorf("it is %+v", none)
	}
	if f := c.fail(agenttools.UpdateTasks, args(`{"tasks":[{"id":%q,"catch_up":"all"}]}`, one.ID))[0]; !strings.Contains(f.Error, "repeats must") {
		t.Errorf("how to catch up without a rule: %+v", f)
	}
}

func TestThePlanOfADeletionSaysWhichSeriesEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("ada", "UTC")
	plain := c.add(`{"title":"plain"}`)
	first := c.add(`{"title":"standup","due":"2026-11-23T10:00","repeats":"daily"}`)
	plan := func(ids ...string) answered {
		t.Helper()
		return c.do(agenttools.DeleteTasks, args(`{"ids":["%s"]}`, strings.Join(ids, `","`)))
	}
	says := func(when string, p answered, ends ...string) {
		t.Helper()
		if !slices.Equal(p.EndsSeries, ends) || strings.Contains(p.Note, "complete_tasks with skip") != (len(ends) > 0) || p.Confirmation == "" {
			t.Errorf("%s: ends %v, %q", when, p.EndsSeries, p.Note)
		}
	}
	says("the only one", plan(plain.ID, first.ID), first.ID)
	c.do(agenttools.CompleteTasks, args(`{"ids":[%q]}`, first.ID))
	says("one that is done", plan(first.ID))
	next := w.follows("ada", first)
	c.do(agenttools.ReopenTasks, args(`{"ids":[%q]}`, first.ID))
	says("an older one", plan(first.ID))
	both := plan(first.ID, next.ID)
	says("both", both, next.ID)
	c.do(agenttools.DeleteTasks, args(`{"ids":[%q,%q],"confirmation":%q}`, first.ID, next.ID, both.Confirmation))
	c.do(agenttools.RestoreTasks, args(`{"ids":[%q]}`, first.ID))
	says("an older one whose newest is in the trash", plan(first.ID))
	if did, err := w.tasks.Spawn(t.Context(), "ada", first.SeriesID, task.Cause{At: w.now().Add(72 * time.Hour)}); err != nil || len(did.Made) != 0 {
		t.Errorf("it went on: %v, %v", did.Made, err)
	}
}
