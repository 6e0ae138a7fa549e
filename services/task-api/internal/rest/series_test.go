package rest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/rest"
)

// spawn does what the scheduler does when an occurrence was done or skipped, and returns the tasks it made.
func (u user) spawn(closed rest.Task) []rest.Task {
	u.t.Helper()
	did, err := task.NewService(taskstore.New(u.db), time.Now).Spawn(u.t.Context(), u.id, closed.SeriesID.MustGet(),
		task.Cause{At: time.Now(), Closed: closed.ID, ClosedAt: time.Now()})
	if err != nil {
		u.t.Fatal(err)
	}
	var made []rest.Task
	for _, t := range did.Made {
		made = append(made, decode[rest.Task](u.t, u.send("GET", "/tasks/"+t.ID, "").want(u.t, 200)))
	}
	return made
}

// one ends the test unless there is one task.
func one(t testing.TB, all []rest.Task) rest.Task {
	t.Helper()
	if len(all) != 1 {
		t.Fatalf("%d tasks: %+v", len(all), all)
	}
	return all[0]
}

func (u user) patch(of rest.Task, query, body string) rest.Task {
	u.t.Helper()
	return decode[rest.Task](u.t, u.send("PATCH", "/tasks/"+of.ID+query, body).want(u.t, 200))
}

const weekly = `{"title":"water the plants","priority":"low","tags":["home"],"due_date":"2030-01-07","reminders":[60],"recurrence":{"rule":"FREQ=WEEKLY;BYDAY=MO","catch_up":"all"}}`

func TestTheNextOccurrenceComesWhenTheNewestIsDoneOrSkipped(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	first := u.create(weekly)
	if first.Occurrence.MustGet() != "2030-01-07T00:00:00" || first.Recurrence.MustGet().CatchUp != "all" {
		t.Errorf("%+v", first)
	}
	done := decode[rest.Task](t, u.send("PATCH", "/tasks/"+first.ID+"/complete", `{"completed":true}`).want(t, 200))
	second := one(t, u.spawn(done))
	if second.DueDate.MustGet() != "2030-01-14" || second.Title != first.Title || second.SeriesID.MustGet() != first.SeriesID.MustGet() || !slices.Equal(second.Reminders, first.Reminders) {
		t.Errorf("%+v", second)
	}
	if again := u.spawn(done); len(again) != 0 {
		t.Errorf("the same cause made %+v", again)
	}
	skipped := decode[rest.Task](t, u.send("POST", "/tasks/"+second.ID+"/skip", "", "If-Match", `"1"`).want(t, 200))
	if !skipped.Skipped || skipped.Completed || skipped.SkippedAt.IsNull() || skipped.Version != 2 {
		t.Errorf("%+v", skipped)
	}
	if again := decode[rest.Task](t, u.send("POST", "/tasks/"+second.ID+"/skip", "").want(t, 200)); again.Version != 2 {
		t.Error("skipped already is a change")
	}
	if third := one(t, u.spawn(skipped)); third.DueDate.MustGet() != "2030-01-21" {
		t.Errorf("%+v", third)
	}
	titles := func(query string) int {
		return len(decode[rest.TaskPage](t, u.send("GET", "/tasks"+query, "").want(t, 200)).Items)
	}
	u.create(`{"title":"another"}`)
	series := "&series_id=" + strings.ToUpper(first.SeriesID.MustGet())
	if all, open, completed := titles("?status=all"+series), titles("?status=open"+series), titles("?status=completed"+series); all != 3 || open != 1 || completed != 1 {
		t.Errorf("of the series there are %d, %d of them open and %d done", all, open, completed)
	}
}

func TestAChangeOfOneOccurrenceLeavesTheSeriesAlone(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	first := u.create(weekly)
	moved := u.patch(first, "", `{"due_date":"2030-01-10T08:00:00Z","title":"water them late"}`)
	if moved.Recurrence.MustGet().Rule != "FREQ=WEEKLY;BYDAY=MO" || moved.Occurrence.MustGet() != first.Occurrence.MustGet() {
		t.Errorf("a patch that does not name the recurrence made it %+v", moved)
	}
	done := u.patch(moved, "?scope=this", `{"completed":true}`)
	if next := one(t, u.spawn(done)); next.DueDate.MustGet() != "2030-01-14" || next.Title != "water the plants" {
		t.Errorf("%+v", next)
	}
}

func TestAChangeOfThisAndFollowingIsSeenInTheNext(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	first := u.create(weekly)
	changed := u.patch(first, "?scope=following", `{"title":"water all plants","due_date":"2030-01-08","tags":["garden"],"reminders":[]}`)
	next := one(t, u.spawn(u.patch(changed, "", `{"completed":true}`)))
	if next.Title != "water all plants" || !slices.Equal(next.Tags, []string{"garden"}) || len(next.Reminders) != 0 {
		t.Errorf("%+v", next)
	}
	replaced := decode[rest.Task](t, u.send("PUT", "/tasks/"+next.ID+"?scope=following", `{"title":"water","due_date":"2030-01-14","recurrence":{"rule":"FREQ=DAILY","time_zone":null}}`).want(t, 200))
	results := decode[rest.BatchResult](t, u.send("POST", "/tasks/batch", fmt.Sprintf(
		`{"operations":[{"op":"update","id":%[1]q,"scope":"following","changes":{"priority":"high"}},{"op":"skip","id":%[1]q},{"op":"skip","id":%[2]q}]}`,
		replaced.ID, u.create(`{"title":"once"}`).ID)).want(t, 200)).Results
	if results[0].Status != 200 || results[1].Status != 200 || results[2].Status != 409 || !results[1].Task.Skipped {
		t.Fatalf("%+v", results)
	}
	if last := one(t, u.spawn(*results[1].Task)); last.Title != "water" || last.Priority != "high" || last.DueDate.MustGet() != "2030-01-15" {
		t.Errorf("%+v", last)
	}
}

func TestASeriesEndsWithItsRecurrenceOrItsNewestOccurrence(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	first := u.create(weekly)
	ended := u.patch(first, "", `{"recurrence":null,"completed":true}`)
	if !ended.Recurrence.IsNull() || ended.SeriesID.MustGet() != first.SeriesID.MustGet() {
		t.Errorf("%+v", ended)
	}
	if made := u.spawn(ended); len(made) != 0 {
		t.Errorf("an ended series made %+v", made)
	}
	resumed := u.patch(ended, "", `{"recurrence":"daily"}`)
	if resumed.SeriesID.MustGet() != first.SeriesID.MustGet() {
		t.Errorf("%+v", resumed)
	}
	newest := one(t, u.spawn(resumed))
	u.send("DELETE", "/tasks/"+newest.ID, "").want(t, 200)
	if made := u.spawn(newest); len(made) != 0 {
		t.Errorf("a series whose newest occurrence is in the trash made %+v", made)
	}
	back := decode[rest.Task](t, u.send("POST", "/tasks/"+newest.ID+"/restore", "").want(t, 200))
	one(t, u.spawn(u.patch(back, "", `{"completed":true}`)))

	changes := decode[rest.Changes](t, u.send("GET", "/changes?since=0", "").want(t, 200)).Changes
	seen := map[string]bool{}
	for _, c := range changes {
		seen[c.EventType] = true
		if ofSeries := strings.HasPrefix(c.EventType, "series."); ofSeries != (c.SeriesID != nil) || ofSeries == (c.TaskID != nil) {
			t.Errorf("%+v", c)
		}
	}
	for _, name := range []string{"series.created", "series.ended", "series.resumed", "series.updated"} {
		if !seen[name] {
			t.Errorf("no %s among the changes", name)
		}
	}
}

func TestASnoozeAddsAReminderAndMovesNothing(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	made := u.create(`{"title":"a","due_date":"2030-01-07T09:00:00Z","reminders":[10],"remind_at":["2030-01-01T10:00:00.5+01:00","2020-01-01T00:00:00Z"]}`)
	if len(made.RemindAt) != 2 || !made.RemindAt[1].Equal(time.Date(2030, 1, 1, 9, 0, 0, 5e8, time.UTC)) {
		t.Errorf("%+v", made.RemindAt)
	}
	until := decode[rest.Task](t, u.send("POST", "/tasks/"+made.ID+"/snooze", `{"until":"2031-01-01T00:00:00Z"}`, "If-Match", `"1"`).want(t, 200))
	if len(until.RemindAt) != 2 || !until.RemindAt[1].Equal(time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)) || until.DueDate.MustGet() != made.DueDate.MustGet() || until.Version != 2 {
		t.Errorf("%+v", until)
	}
	before := time.Now()
	minutes := decode[rest.Task](t, u.send("POST", "/tasks/"+made.ID+"/snooze", `{"minutes":30}`).want(t, 200))
	if ring := minutes.RemindAt[0]; ring.Before(before.Add(30*time.Minute-time.Second)) || ring.After(time.Now().Add(30*time.Minute)) {
		t.Errorf("%+v", minutes.RemindAt)
	}
	if cleared := u.patch(made, "", `{"remind_at":null}`); len(cleared.RemindAt) != 0 {
		t.Errorf("%+v", cleared.RemindAt)
	}
}
