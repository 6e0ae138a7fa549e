package tasktest

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/task"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// daily repeats every day at nine in its owner's zone, from today on.
func daily(title string) task.Fields {
	return task.Fields{
		Title: title, Description: "d", Priority: task.Low, Tags: []string{"a"}, Due: task.Due{At: start.Truncate(time.Hour)}, Reminders: []int{10},
		Recurrence: &task.Recurrence{Rule: "daily"},
	}
}

// series is the one a user has of that id.
func (s suite) series(t *testing.T, userID, id string) (found task.Series) {
	t.Helper()
	s.advance(t, userID, id, func(of *task.Series) []task.Task {
		found = *of
		return nil
	})
	return found
}

func (s suite) advance(t *testing.T, userID, id string, fn func(*task.Series) []task.Task) []task.Task {
	t.Helper()
	made, err := s.Advance(t.Context(), userID, id, func(of *task.Series, owner task.Profile) ([]task.Task, error) {
		if owner.UserID != userID {
			t.Errorf("the owner is %+v", owner)
		}
		return fn(of), nil
	})
	must(t, err)
	return made
}

// at is a Service whose clock stands still.
func (s suite) at(now time.Time) *task.Service {
	return task.NewService(s.Store, func() time.Time { return now })
}

// spawn makes what is due by a clock.
func (s suite) spawn(t *testing.T, seriesID string, now time.Time) task.Spawned {
	t.Helper()
	did, err := s.at(now).Spawn(t.Context(), user, seriesID, task.Cause{})
	must(t, err)
	return did
}

// sameSeries compares what is stored of two series, but for their progress.
func sameSeries(t *testing.T, what string, got, want task.Series) {
	t.Helper()
	if got.ID != want.ID || got.UserID != want.UserID || !got.Equal(want.Fields) || !got.Start.Equal(want.Start) || got.WholeDay != want.WholeDay ||
		got.Version != want.Version || !got.CreatedAt.Equal(want.CreatedAt) || !got.UpdatedAt.Equal(want.UpdatedAt) || !got.EndedAt.Equal(want.EndedAt) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// wantProgress checks how far a series is: its days are those of the tests' month, at nine.
func wantProgress(t *testing.T, got task.Series, zone string, cursor, made int, newest string, next int, nextAt time.Time) {
	t.Helper()
	nine := func(day int) time.Time { return time.Date(2026, 11, day, 9, 0, 0, 0, time.UTC) }
	if got.Zone != zone || !got.Cursor.Equal(nine(cursor)) || got.Made != made || got.Newest != newest || !got.Next.Equal(nine(next)) || !got.NextAt.Equal(nextAt) {
		t.Errorf("its progress is %+v", got.Progress)
	}
}

var repeating = map[string]func(*testing.T, suite){
	"a task that repeats is kept with its series": func(t *testing.T, s suite) {
		for _, f := range []task.Fields{daily("daily"), full("full"), {Title: "day", Due: task.Due{Date: "2026-12-01"}, Recurrence: &task.Recurrence{Rule: "weekly"}}} {
			made := s.made(t, user, f, start)
			got := s.series(t, user, made.Occurrence.SeriesID)
			sameSeries(t, "the stored series", got, *made.Series)
			read, err := s.Get(t.Context(), user, made.ID)
			must(t, err)
			same(t, "the stored task", read, made)
			if read.Series != nil {
				t.Error("a task that is read has its series with it")
			}
		}
		made := s.made(t, user, daily("daily"), start)
		wantProgress(t, s.series(t, user, made.Occurrence.SeriesID), "UTC", 22, 1, made.ID, 23, start.Truncate(time.Hour).Add(24*time.Hour-10*time.Minute))
		s.profile(t, "eve")
		for what, ask := range map[string][2]string{
			"another user's": {"eve", made.Occurrence.SeriesID}, "nobody's": {"nobody", made.Occurrence.SeriesID},
			"no such series": {user, event.NewID()}, "an id of nonsense": {user, "a\x00b"},
		} {
			_, err := s.Advance(t.Context(), ask[0], ask[1], func(*task.Series, task.Profile) ([]task.Task, error) {
				t.Error(what + " is advanced")
				return nil, nil
			})
			wantKind(t, what, err, errs.NotFound)
		}
	},
	"a series is worked out in its owner's zone": func(t *testing.T, s suite) {
		s.profile(t, user)
		_, err := s.ChangeProfile(t.Context(), user, 0, func(p *task.Profile) error { return p.SetTimeZone("Asia/Tokyo", start) })
		must(t, err)
		made := s.made(t, user, daily("daily"), start)
		wantProgress(t, s.series(t, user, made.Occurrence.SeriesID), "Asia/Tokyo", 22, 1, made.ID, 23, time.Date(2026, 11, 22, 23, 50, 0, 0, time.UTC))
	},
	"series are read by their ids, and those of others are not": func(t *testing.T, s suite) {
		var asked []string
		var want []task.Series
		for _, f := range []task.Fields{daily("daily"), full("full"), {Title: "day", Due: task.Due{Date: "2026-12-01"}, Recurrence: &task.Recurrence{Rule: "weekly"}}} {
			made := s.made(t, user, f, start)
			asked = append(asked, made.Occurrence.SeriesID)
			want = append(want, s.series(t, user, made.Occurrence.SeriesID))
		}
		s.made(t, user, daily("not asked for"), start)
		slices.SortFunc(want, func(a, b task.Series) int { return strings.Compare(a.ID, b.ID) })
		theirs := s.made(t, "eve", daily("theirs"), start).Occurrence.SeriesID
		got, err := s.Series(t.Context(), user, append([]string{theirs, event.NewID(), "a\x00b", "", asked[2]}, asked...))
		must(t, err)
		if len(got) != len(want) {
			t.Fatalf("%d series, want %d: %+v", len(got), len(want), got)
		}
		for i := range got {
			sameSeries(t, "a series", got[i], want[i])
			if !got[i].Next.Equal(want[i].Next) || got[i].Newest != want[i].Newest || got[i].Made != want[i].Made {
				t.Errorf("its progress is %+v, want %+v", got[i].Progress, want[i].Progress)
			}
		}
		for _, none := range [][]string{nil, {"x"}} {
			if got, err := s.Series(t.Context(), user, none); err != nil || len(got) != 0 {
				t.Errorf("of %q there are %+v (%v)", none, got, err)
			}
		}
		many := make([]string, task.MaxPage+1)
		_, err = s.Series(t.Context(), user, many)
		wantKind(t, "too many", err, errs.Invalid)
		_, err = s.Series(t.Context(), user, many[1:])
		must(t, err)
	},
	"a series begins, changes, ends and goes on with its task": func(t *testing.T, s suite) {
		made := s.made(t, user, titled("x"), start)
		id := ""
		step := func(name string, scope task.Scope, edit func(*task.Fields)) task.Series {
			t.Helper()
			var want task.Series
			changed := s.change(t, made, func(x *task.Task) error {
				f := x.Fields
				edit(&f)
				normal, err := f.Normal()
				if err != nil {
					return err
				}
				err = x.Edit(normal, scope, later)
				want = *x.Series
				return err
			})
			id = changed.Occurrence.SeriesID
			got, err := s.Get(t.Context(), user, made.ID)
			must(t, err)
			same(t, name, got, changed)
			of := s.series(t, user, id)
			sameSeries(t, name, of, want)
			return of
		}
		if got := step("begun", task.This, func(f *task.Fields) { *f = daily("x") }); got.Version != 1 || got.Newest != made.ID {
			t.Errorf("begun, it is %+v", got)
		}
		if got := step("another title", task.Following, func(f *task.Fields) { f.Title = "y" }); got.Title != "y" {
			t.Errorf("the title is %q", got.Title)
		}
		of := step("an hour later", task.Following, func(f *task.Fields) { f.Due.At = f.Due.At.Add(time.Hour) })
		if want := start.Truncate(time.Hour).Add(25*time.Hour - 10*time.Minute); !of.NextAt.Equal(want) {
			t.Errorf("it goes on at %v", of.NextAt)
		}
		if got := step("ended", task.This, func(f *task.Fields) { f.Recurrence = nil }); !got.Ended() || !got.NextAt.IsZero() {
			t.Errorf("ended, it is %+v", got)
		}
		if got := step("resumed", task.This, func(f *task.Fields) { f.Recurrence = &task.Recurrence{Rule: "weekly"} }); got.Ended() || got.NextAt.IsZero() {
			t.Errorf("resumed, it is %+v", got)
		}
		if got := step("only this", task.This, func(f *task.Fields) { f.Title = "z" }); got.Version != 6 {
			t.Errorf("changed alone, it is %+v", got)
		}
		events, _, err := s.Events(t.Context(), task.EventQuery{UserID: user, Topic: contract.Tasks, AggregateID: id, Limit: 10})
		must(t, err)
		wantEqual(t, "events", types(events), []string{
			contract.SeriesCreated.Name, contract.SeriesUpdated.Name, contract.SeriesUpdated.Name, contract.SeriesEnded.Name,
			contract.SeriesResumed.Name, contract.SeriesUpdated.Name,
		})
		s.change(t, made, func(x *task.Task) error { return x.Delete(later) })
		if got := s.series(t, user, id); !got.EndedAt.Equal(later) {
			t.Errorf("deleted, it is %+v", got)
		}
		s.change(t, made, func(x *task.Task) error { return x.Restore(later) })
		if got := s.series(t, user, id); got.Ended() {
			t.Errorf("restored, it is %+v", got)
		}
	},
	"an error of the change leaves the series as it was": func(t *testing.T, s suite) {
		made := s.made(t, user, daily("x"), start)
		before := s.series(t, user, made.Occurrence.SeriesID)
		_, err := s.Change(t.Context(), user, made.ID, 0, func(x *task.Task) error {
			must(t, x.Delete(later))
			return errOwn
		})
		if err != errOwn { //nolint:errorlint // as it is
			t.Errorf("the error is %v", err)
		}
		sameSeries(t, "the series", s.series(t, user, made.Occurrence.SeriesID), before)
	},
	"an occurrence is made with its event, its series with its progress": func(t *testing.T, s suite) {
		made := s.made(t, user, daily("x"), start)
		id := made.Occurrence.SeriesID
		did := s.spawn(t, id, start.AddDate(0, 0, 2))
		if len(did.Made) != 1 || did.Missed != 1 || did.Prevented != 0 {
			t.Fatalf("it made %+v", did)
		}
		got, err := s.Get(t.Context(), user, did.Made[0].ID)
		must(t, err)
		same(t, "the stored task", got, did.Made[0])
		wantProgress(t, s.series(t, user, id), "UTC", 24, 2, got.ID, 25, time.Date(2026, 11, 25, 8, 50, 0, 0, time.UTC))
		wantEqual(t, "events", types(s.events(t, user, contract.Tasks)), []string{
			contract.TaskCreated.Name, contract.SeriesCreated.Name, contract.TaskCreated.Name,
		})
		tasks := s.list(t, task.Query{SeriesID: id, Order: task.ByDue})
		wantEqual(t, "the series' tasks", ids(tasks), []string{made.ID, got.ID})
	},
	"an occurrence that there is already is not made again": func(t *testing.T, s suite) {
		made := s.made(t, user, daily("x"), start)
		id := made.Occurrence.SeriesID
		there := s.spawn(t, id, start.AddDate(0, 0, 1)).Made[0]
		s.change(t, there, func(x *task.Task) error { return x.Delete(later) })
		s.change(t, there, func(x *task.Task) error { return x.Restore(later) })
		before := len(s.events(t, user, contract.Tasks))
		// As if it had been forgotten that it was made.
		s.advance(t, user, id, func(of *task.Series) []task.Task {
			of.Cursor, of.Newest = of.Start, made.ID
			return nil
		})
		did := s.spawn(t, id, start.AddDate(0, 0, 1))
		if len(did.Made) != 0 || did.Prevented != 1 {
			t.Errorf("it made %+v", did)
		}
		if got := s.series(t, user, id); got.Newest != there.ID || !got.Cursor.Equal(there.Occurrence.At) {
			t.Errorf("its progress is %+v", got.Progress)
		}
		if n := len(s.events(t, user, contract.Tasks)); n != before {
			t.Errorf("it made %d events", n-before)
		}
		// One of two is there.
		s.change(t, there, func(x *task.Task) error {
			f := x.Fields
			r := *f.Recurrence
			r.CatchUp, f.Recurrence = task.All, &r
			return x.Edit(f, task.This, later)
		})
		s.advance(t, user, id, func(of *task.Series) []task.Task {
			of.Start, of.Cursor, of.Newest = made.Occurrence.At, made.Occurrence.At, made.ID
			return nil
		})
		did = s.spawn(t, id, start.AddDate(0, 0, 2))
		if len(did.Made) != 1 || did.Prevented != 1 || did.Made[0].Due.At.Day() != 24 {
			t.Errorf("it made %+v", did)
		}
		if got := s.series(t, user, id); got.Newest != did.Made[0].ID {
			t.Errorf("its progress is %+v", got.Progress)
		}
	},
	"an error of advancing comes back as it is and saves nothing": func(t *testing.T, s suite) {
		made := s.made(t, user, daily("x"), start)
		before := s.series(t, user, made.Occurrence.SeriesID)
		_, err := s.Advance(t.Context(), user, before.ID, func(of *task.Series, _ task.Profile) ([]task.Task, error) {
			of.Cursor = of.Next
			return []task.Task{fresh(t, user, titled("y"), start)}, errOwn
		})
		if err != errOwn { //nolint:errorlint // as it is
			t.Errorf("the error is %v", err)
		}
		if after := s.series(t, user, before.ID); !after.Cursor.Equal(before.Cursor) || len(s.list(t, task.Query{})) != 1 {
			t.Errorf("its progress is %+v", after.Progress)
		}
	},
	"a crowd that advances a series makes each occurrence once": func(t *testing.T, s suite) {
		f := daily("x")
		f.Recurrence.CatchUp = task.All
		made := s.made(t, user, f, start)
		var all, prevented atomic.Int32
		atOnce(func(i int) {
			for j := range 5 {
				did, err := s.at(start.AddDate(0, 0, 1+(i+j)%10)).Spawn(t.Context(), user, made.Occurrence.SeriesID, task.Cause{Closed: made.ID, ClosedAt: start})
				if err != nil {
					t.Error(err)
				}
				all.Add(int32(len(did.Made)))
				prevented.Add(int32(did.Prevented))
			}
		})
		days := map[string]bool{}
		for _, x := range s.list(t, task.Query{SeriesID: made.Occurrence.SeriesID}) {
			days[x.Occurrence.At.Format(time.DateOnly)] = true
		}
		// One a day for ten days, or for eleven if the first was found closed before its successor's time.
		if n := int(all.Load()); n < 10 || n > 11 || len(days) != n+1 || prevented.Load() != 0 {
			t.Errorf("%d were made on %d days, %d prevented", n, len(days), prevented.Load())
		}
		s.wantWhole(t, contract.Tasks)
	},
	"series and open tasks are listed in the order of their ids": func(t *testing.T, s suite) {
		var series, all []string
		for range 5 {
			made := s.made(t, user, daily("x"), start)
			series = append(series, made.Occurrence.SeriesID)
			all = append(all, made.ID)
		}
		elsewhere := daily("elsewhere")
		elsewhere.Recurrence.TimeZone = "Asia/Tokyo"
		s.made(t, user, elsewhere, start)
		s.made(t, "eve", daily("hers"), start)
		ended := s.made(t, user, daily("ended"), start)
		s.change(t, ended, func(x *task.Task) error { return x.Delete(later) })
		slices.Sort(series)
		got, err := s.Following(t.Context(), user, "UTC", "", 10)
		must(t, err)
		wantEqual(t, "not in UTC", got, nil)
		got, err = s.Following(t.Context(), user, "Europe/Oslo", "", 3)
		must(t, err)
		wantEqual(t, "not in Oslo", got, series[:3])
		got, err = s.Following(t.Context(), user, "Europe/Oslo", got[2], 3)
		must(t, err)
		wantEqual(t, "not in Oslo, the others", got, series[3:])

		next := s.spawn(t, s.task(t, all[0]).Occurrence.SeriesID, start.AddDate(0, 0, 1)).Made[0]
		got, err = s.OpenIDs(t.Context(), user, next.Occurrence.SeriesID, "", 10)
		must(t, err)
		wantEqual(t, "open", got, []string{all[0], next.ID})
		s.change(t, s.task(t, all[0]), func(x *task.Task) error { return x.Complete(later) })
		got, err = s.OpenIDs(t.Context(), user, next.Occurrence.SeriesID, "", 10)
		must(t, err)
		wantEqual(t, "still open", got, []string{next.ID})
		s.change(t, next, func(x *task.Task) error { return x.Skip(later) })
		got, err = s.OpenIDs(t.Context(), user, next.Occurrence.SeriesID, "", 10)
		must(t, err)
		wantEqual(t, "none open", got, nil)

		day := s.made(t, user, task.Fields{Title: "day", Due: task.Due{Date: "2026-12-01"}, Reminders: []int{5}}, start)
		s.made(t, user, task.Fields{Title: "day without", Due: task.Due{Date: "2026-12-01"}}, start)
		got, err = s.OpenIDs(t.Context(), user, "", "", 10)
		must(t, err)
		wantEqual(t, "days with reminders", got, []string{day.ID})
	},
	"who is forgotten leaves no series and no alarms": func(t *testing.T, s suite) {
		made := s.made(t, user, daily("x"), start)
		alarms := s.claimAlarms(t, start.AddDate(0, 0, 5))
		if len(alarms) != 0 {
			t.Fatalf("the reminder of what is due now is over, but %v wait", alarms)
		}
		s.spawn(t, made.Occurrence.SeriesID, start.AddDate(0, 0, 1))
		alarms = s.claimAlarms(t, start.AddDate(0, 0, 5))
		if len(alarms) != 1 {
			t.Fatalf("%d alarms wait", len(alarms))
		}
		must(t, s.Forget(t.Context(), user, later))
		_, err := s.Advance(t.Context(), user, made.Occurrence.SeriesID, nil)
		wantKind(t, "the series", err, errs.NotFound)
		wantKind(t, "the alarm", s.Ring(t.Context(), user, alarms[0], nil), errs.NotFound)
		if at, err := s.agenda(t).NextDue(t.Context()); err != nil || !at.IsZero() {
			t.Errorf("something waits until %v (%v)", at, err)
		}
		s.profile(t, user)
		got, err := s.Following(t.Context(), user, "Asia/Tokyo", "", 10)
		must(t, err)
		wantEqual(t, "series left", got, nil)
	},
	"moving and repeating at once neither deadlocks nor makes anything twice": func(t *testing.T, s suite) {
		var tasks []task.Task
		for range 4 {
			tasks = append(tasks, s.made(t, user, daily("x"), start))
		}
		zones := []string{"Asia/Tokyo", "Europe/Oslo", "UTC"}
		atOnce(func(i int) {
			for j := range 6 {
				made := tasks[(i+j)%len(tasks)]
				service := s.at(start.Add(time.Duration(i*j) * time.Hour))
				var err error
				switch (i + j) % 6 {
				case 0:
					_, err = s.ChangeProfile(t.Context(), user, 0, func(p *task.Profile) error { return p.SetTimeZone(zones[(i+j)%3], later) })
				case 1:
					err = service.Move(t.Context(), user)
				case 2:
					_, err = service.Edit(t.Context(), user, made.ID, 0, task.Following, func(f *task.Fields) { f.Due.At = f.Due.At.Add(time.Minute) }, nil)
				case 3:
					_, err = service.SetCompleted(t.Context(), user, made.ID, 0, i%2 == 0)
				case 4:
					_, err = s.agenda(t).ClaimSeries(t.Context(), start.AddDate(0, 0, 2), 10)
				default:
					_, err = service.Spawn(t.Context(), user, made.Occurrence.SeriesID, task.Cause{Closed: made.ID, ClosedAt: start})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
		s.wantWhole(t, contract.Tasks)
		places := map[task.Occurrence]bool{}
		for _, x := range s.pages(t, user, task.Query{Limit: 50}) {
			if places[x.Occurrence] {
				t.Errorf("%v was made twice", x.Occurrence)
			}
			places[x.Occurrence] = true
		}
	},
}

func (s suite) task(t *testing.T, id string) task.Task {
	t.Helper()
	x, err := s.Get(t.Context(), user, id)
	must(t, err)
	return x
}
