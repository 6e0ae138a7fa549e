package tasktest

import (
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
	contract "github.com/taskflow-suite/taskflow/proto"
)

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := task.Zone(name)
	must(t, err)
	return zone
}

var counting = map[string]func(*testing.T, suite){
	"nothing is counted as zeroes": func(t *testing.T, s suite) {
		stats, err := s.Stats(t.Context(), user, start, time.UTC)
		must(t, err)
		if stats.Open+stats.Completed+stats.Overdue+stats.DueToday+stats.Deleted != 0 {
			t.Errorf("counted %+v", stats)
		}
		if len(stats.CompletedPerDay) != 30 || len(stats.ByPriority) != len(task.Priorities()) {
			t.Errorf("%d days and %d priorities", len(stats.CompletedPerDay), len(stats.ByPriority))
		}
	},
	"tasks are counted by the days of the owner's zone": func(t *testing.T, s suite) {
		auckland := location(t, "Pacific/Auckland") // already the 23rd when it is 11:00 of the 22nd in UTC
		now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		s.profile(t, user)
		_, err := s.ChangeProfile(t.Context(), user, 0, func(p *task.Profile) error { return p.SetTimeZone("Pacific/Auckland", now) })
		must(t, err)
		s.made(t, user, task.Fields{Title: "plain", Priority: task.High}, now)
		s.made(t, user, task.Fields{Title: "today", Due: task.Due{Date: "2026-11-23"}}, now)
		s.made(t, user, task.Fields{Title: "yesterday", Due: task.Due{Date: "2026-11-22"}}, now)
		s.made(t, user, task.Fields{Title: "later today", Due: task.Due{At: now.Add(time.Hour)}}, now)
		s.made(t, user, task.Fields{Title: "earlier today", Due: task.Due{At: now.Add(-time.Minute)}}, now)
		s.made(t, user, task.Fields{Title: "tomorrow", Due: task.Due{Date: "2026-11-24"}}, now)
		for _, at := range []time.Time{now, now.Add(-2 * time.Hour), now.AddDate(0, 0, -29), now.AddDate(0, 0, -30)} {
			done := s.made(t, user, task.Fields{Title: "done", Due: task.Due{At: now.Add(-time.Minute)}}, at)
			s.change(t, done, func(x *task.Task) error { return x.Complete(at) })
		}
		gone := s.made(t, user, titled("gone"), now)
		s.change(t, gone, func(x *task.Task) error { return x.Delete(now) })
		s.made(t, "eve", titled("hers"), now)

		stats, err := s.Stats(t.Context(), user, now, auckland)
		must(t, err)
		if stats.Open != 6 || stats.Completed != 4 || stats.Overdue != 2 || stats.DueToday != 3 || stats.Deleted != 1 {
			t.Errorf("counted %+v", stats)
		}
		if stats.ByPriority[task.High] != 1 || stats.ByPriority[task.None] != 5 {
			t.Errorf("by priority %v", stats.ByPriority)
		}
		days := stats.CompletedPerDay
		if len(days) != 30 || days[29] != (task.DayCount{Day: "2026-11-23", Count: 1}) ||
			days[28] != (task.DayCount{Day: "2026-11-22", Count: 1}) || days[0] != (task.DayCount{Day: "2026-10-25", Count: 1}) {
			t.Errorf("by day %v", days)
		}
	},
}

var people = map[string]func(*testing.T, suite){
	"a profile is made once": func(t *testing.T, s suite) {
		first, err := s.EnsureProfile(t.Context(), user, "Europe/Oslo", start)
		must(t, err)
		second, err := s.EnsureProfile(t.Context(), user, "UTC", later)
		must(t, err)
		for _, p := range []task.Profile{first, second} {
			if p.UserID != user || p.TimeZone != "Europe/Oslo" || p.Version != 1 || !p.CreatedAt.Equal(start) {
				t.Errorf("the profile is %+v", p)
			}
		}
		wantEqual(t, "events", types(s.events(t, user, contract.Users)), []string{contract.UserCreated.Name})
	},
	"an id that cannot be a user's is invalid": func(t *testing.T, s suite) {
		for _, id := range []string{"", "a\x00b", "\xff", string(make([]byte, 300))} {
			_, err := s.EnsureProfile(t.Context(), id, "UTC", start)
			wantKind(t, "such a user", err, errs.Invalid)
		}
	},
	"a profile changes as a task does": func(t *testing.T, s suite) {
		move := func(zone string) func(*task.Profile) error {
			return func(p *task.Profile) error { return p.SetTimeZone(zone, later) }
		}
		_, err := s.ChangeProfile(t.Context(), user, 0, move("Asia/Tokyo"))
		wantKind(t, "no profile", err, errs.NotFound)
		s.profile(t, user)
		moved, err := s.ChangeProfile(t.Context(), user, 1, move("Asia/Tokyo"))
		must(t, err)
		if moved.TimeZone != "Asia/Tokyo" || moved.Version != 2 || !moved.UpdatedAt.Equal(later) {
			t.Errorf("moved to %+v", moved)
		}
		current, err := s.ChangeProfile(t.Context(), user, 1, move("Europe/Oslo"))
		wantKind(t, "a stale version", err, errs.Stale)
		if current.Version != 2 || current.TimeZone != "Asia/Tokyo" {
			t.Errorf("with the stale error came %+v", current)
		}
		_, err = s.ChangeProfile(t.Context(), user, 0, func(*task.Profile) error { return errOwn })
		if err != errOwn { //nolint:errorlint // as it is
			t.Errorf("the error is %v", err)
		}
		_, err = s.ChangeProfile(t.Context(), user, 2, move("Asia/Tokyo"))
		must(t, err)
		if p := s.profile(t, user); p.TimeZone != "Asia/Tokyo" || p.Version != 2 {
			t.Errorf("the stored profile is %+v", p)
		}
		wantEqual(t, "events", types(s.events(t, user, contract.Users)), []string{contract.UserCreated.Name, contract.UserUpdated.Name})
	},
	"days end later when their owner moves west": func(t *testing.T, s suite) {
		days := []string{"2026-03-28", "2026-03-29", "2026-07-01", "2026-10-25", "2026-11-01", "2026-12-31", "2027-03-28"}
		at := s.made(t, user, task.Fields{Title: "instant", Due: task.Due{At: start}}, start)
		for _, day := range days {
			s.made(t, user, task.Fields{Title: day, Due: task.Due{Date: day}}, start)
		}
		before := s.events(t, user, contract.Tasks)
		for _, name := range []string{"Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC"} {
			_, err := s.ChangeProfile(t.Context(), user, 0, func(p *task.Profile) error { return p.SetTimeZone(name, later) })
			must(t, err)
			zone := location(t, name)
			for _, day := range days {
				end := task.Due{Date: day}.Deadline(zone)
				ending := titles(s.list(t, task.Query{DueAfter: end, DueBefore: end.Add(time.Millisecond)}))
				wantEqual(t, day+" ends in "+name, ending, []string{day})
			}
			got := titles(s.list(t, task.Query{DueAfter: start, DueBefore: start.Add(time.Millisecond)}))
			wantEqual(t, "the instant in "+name, got, []string{at.Title})
			// A task made now, and one moved to a day now, end with the new zone's day.
			made := s.made(t, user, task.Fields{Title: "made", Due: task.Due{Date: "2030-06-01"}}, start)
			moved := s.made(t, user, titled("moved"), start)
			f := moved.Fields
			f.Due = task.Due{Date: "2030-06-01"}
			s.change(t, moved, func(x *task.Task) error { return x.Edit(f, task.This, later) })
			end := f.Due.Deadline(zone)
			both := s.list(t, task.Query{DueAfter: end, DueBefore: end.Add(time.Millisecond)})
			wantEqual(t, "ends of 1 June 2030 in "+name, titles(both), []string{"made", "moved"})
			for _, x := range []task.Task{made, moved} {
				s.change(t, x, func(x *task.Task) error { return x.Delete(later) })
			}
		}
		if n := len(s.events(t, user, contract.Tasks)); n != len(before)+5*5 {
			t.Errorf("moving made %d events of tasks", n-len(before)-5*5)
		}
	},
	"a forgotten user is gone but for the last event": func(t *testing.T, s suite) {
		wantKind(t, "nobody", s.Forget(t.Context(), user, start), errs.NotFound)
		made := s.made(t, user, full("x"), start)
		other := s.made(t, "eve", titled("hers"), start)
		must(t, s.Create(t.Context(), user, task.Idempotency{Key: "k", Hash: "h", Answer: []byte("a")}, fresh(t, user, titled("y"), start)))
		must(t, s.Forget(t.Context(), user, later))
		_, err := s.Get(t.Context(), user, made.ID)
		wantKind(t, "the task", err, errs.NotFound)
		_, err = s.Recall(t.Context(), user, "k")
		wantKind(t, "the idempotency key", err, errs.NotFound)
		wantKind(t, "forgotten twice", s.Forget(t.Context(), user, later), errs.NotFound)
		if n := len(s.events(t, user, contract.Tasks)); n != 0 {
			t.Errorf("%d events of tasks are left", n)
		}
		left := s.events(t, user, contract.Users)
		wantEqual(t, "events left", types(left), []string{contract.UserDeleted.Name})
		if left[0].Sequence != 2 || left[0].Version != 2 {
			t.Errorf("the last event has sequence %d and version %d", left[0].Sequence, left[0].Version)
		}
		got, err := s.Get(t.Context(), "eve", other.ID)
		must(t, err)
		same(t, "another user's task", got, other)
	},
	"who comes back counts on": func(t *testing.T, s suite) {
		for life := range 3 {
			s.made(t, user, titled("x"), start)
			_, err := s.ChangeProfile(t.Context(), user, 0, func(p *task.Profile) error { return p.SetTimeZone("Asia/Tokyo", later) })
			must(t, err)
			events := s.events(t, user, contract.Users)
			last := events[len(events)-1]
			if want := life*3 + 2; last.Version != want || last.Sequence != int64(want) {
				t.Errorf("in life %d the profile is at version %d and sequence %d, want %d", life, last.Version, last.Sequence, want)
			}
			tasks := s.events(t, user, contract.Tasks)
			if len(tasks) != 1 || tasks[0].Sequence != int64(life+1) {
				t.Errorf("in life %d the tasks' events are %v", life, tasks)
			}
			must(t, s.Forget(t.Context(), user, later))
		}
	},
}
