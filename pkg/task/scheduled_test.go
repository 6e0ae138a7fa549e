package task_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	contract "github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

func TestAJumpForwardIsCaughtUpWithWithinItsBound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		catchUp      task.CatchUp
		now          string
		made, missed int
	}{
		"a week, the latest":         {task.Latest, "2026-11-30T10:01", 1, 6},
		"a week, all":                {task.All, "2026-11-30T10:01", 7, 0},
		"a week, none":               {task.PassOver, "2026-11-30T10:01", 0, 7},
		"a week, the one just due":   {task.PassOver, "2026-11-30T09:30", 1, 6},
		"half a year, all there may": {task.All, "2027-06-01T09:00", task.MaxCatchUp, 90},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := live(t, "", "2026-11-23T08:00", repeating(t, plan{rule: "daily", catchUp: c.catchUp, due: "2026-11-23T09:00"}))
			did := l.wake(c.now)
			if len(did.Made) != c.made || did.Missed != c.missed || did.Prevented != 0 || shown(task.Due{At: did.Due}, "") != "2026-11-24T09:00Z" {
				t.Errorf("it made %d, missed %d, prevented %d, due since %v", len(did.Made), did.Missed, did.Prevented, did.Due)
			}
			if n := len(l.all()); n != 1+c.made {
				t.Errorf("there are %d", n)
			}
			if again := l.wake(c.now); len(again.Made)+again.Missed+again.Prevented > 0 || !again.Due.IsZero() {
				t.Errorf("the second time it did %+v", again)
			}
		})
	}
}

func TestAClockThatIsPutBackMakesNothingTwice(t *testing.T) {
	t.Parallel()
	l := live(t, "", "2026-11-23T08:00", repeating(t, plan{rule: "daily", due: "2026-11-23T09:00"}))
	for _, now := range []string{"2026-11-24T09:00", "2026-11-23T09:00", "2026-11-20T09:00", "2026-11-24T09:00", "2026-11-25T09:00", "2026-11-24T10:00"} {
		l.wake(now)
	}
	l.want("2026-11-23T09:00Z open", "2026-11-24T09:00Z open", "2026-11-25T09:00Z open")
}

func TestOfTwoClocksTheLaterOneIsRight(t *testing.T) {
	t.Parallel()
	l := live(t, "", "2026-11-23T08:00", repeating(t, plan{rule: "daily", due: "2026-11-23T09:00"}))
	l.at("2026-11-24T08:59")
	if did := l.spawn(task.Cause{At: onClock(t, "2026-11-24T09:00", "")}); len(did.Made) != 1 {
		t.Errorf("it did %+v", did)
	}
}

func TestClocksThatChangeMoveNoOccurrenceOfTheOwners(t *testing.T) {
	t.Parallel()
	l := live(t, "Europe/Oslo", "2026-03-27T01:00", repeating(t, plan{rule: "daily", due: "2026-03-28T02:30", zone: "Europe/Oslo"}))
	for _, now := range []string{"2026-03-29T04:00", "2026-03-30T04:00"} {
		l.wake(now)
	}
	l.want("2026-03-28T02:30+01:00 open", "2026-03-29T03:30+02:00 open", "2026-03-30T02:30+02:00 open")

	l = live(t, "Europe/Oslo", "2026-10-23T01:00", repeating(t, plan{rule: "daily", due: "2026-10-24T02:30", zone: "Europe/Oslo"}))
	for _, now := range []string{"2026-10-25T04:00", "2026-10-26T04:00"} {
		l.wake(now)
	}
	l.want("2026-10-24T02:30+02:00 open", "2026-10-25T02:30+02:00 open", "2026-10-26T02:30+01:00 open")
}

func TestEarlyAndLateThereIsOneNext(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		anchor task.Anchor
		done   string
		want   []string
	}{
		"early, by schedule":        {task.OnSchedule, "2026-11-23T20:00", []string{"2026-11-25T09:00Z done", "2026-11-28T09:00Z open"}},
		"late, by schedule":         {task.OnSchedule, "2026-11-27T20:00", []string{"2026-11-25T09:00Z done", "2026-11-28T09:00Z open"}},
		"too late, by schedule":     {task.OnSchedule, "2026-12-02T20:00", []string{"2026-11-25T09:00Z done", "2026-12-01T09:00Z open"}},
		"early, from completion":    {task.OnCompletion, "2026-11-23T20:00", []string{"2026-11-25T09:00Z done", "2026-11-26T09:00Z open"}},
		"late, from completion":     {task.OnCompletion, "2026-11-27T20:00", []string{"2026-11-25T09:00Z done", "2026-11-30T09:00Z open"}},
		"too late, from completion": {task.OnCompletion, "2026-12-02T20:00", []string{"2026-11-25T09:00Z done", "2026-12-05T09:00Z open"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := live(t, "", "2026-11-23T08:00", repeating(t, plan{rule: "FREQ=DAILY;INTERVAL=3", anchor: c.anchor, due: "2026-11-25T09:00"}))
			l.at(c.done)
			l.done(0)
			l.wake(c.done)
			l.want(c.want...)
		})
	}
}

func TestASeriesRunsToItsEnd(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{"FREQ=DAILY;COUNT=3", "FREQ=DAILY;UNTIL=20261125"} {
		for _, anchor := range []task.Anchor{task.OnSchedule, task.OnCompletion} {
			t.Run(fmt.Sprint(rule, " by ", anchor), func(t *testing.T) {
				t.Parallel()
				l := live(t, "", "2026-11-23T08:00", repeating(t, plan{rule: rule, anchor: anchor, due: "2026-11-23T09:00"}))
				for day := 23; day < 29; day++ {
					l.wake(fmt.Sprintf("2026-11-%dT09:00", day))
					if l.all()[len(l.all())-1].Open() {
						l.done(-1)
					}
				}
				l.want("2026-11-23T09:00Z done", "2026-11-24T09:00Z done", "2026-11-25T09:00Z done")
				if s := l.series(); s.Ended() || !s.NextAt.IsZero() {
					t.Errorf("it goes on: %+v", s)
				}
			})
		}
	}
}

func TestWhatIsEditedForOneAndForThoseThatFollow(t *testing.T) {
	t.Parallel()
	l := live(t, "", "2026-11-23T08:00", repeating(t, plan{rule: "weekly", due: "2026-11-23T09:00"}))
	l.edited(0, task.This, func(f *task.Fields) { f.Title = "this one" })
	l.edited(0, task.Following, func(f *task.Fields) { f.Priority = task.High })
	l.moved(0, task.This, "2026-11-24T09:00")
	l.wake("2026-11-30T09:00")
	l.moved(1, task.Following, "2026-12-01T18:00")
	l.wake("2026-12-08T18:00")
	l.want("2026-11-24T09:00Z open", "2026-12-01T18:00Z open", "2026-12-08T18:00Z open")
	for i, want := range []string{"this one high", "x high", "x high"} {
		if x := l.all()[i]; x.Title+" "+string(x.Priority) != want {
			t.Errorf("occurrence %d is %s %s, want %s", i, x.Title, x.Priority, want)
		}
	}
	if _, err := l.service.Edit(t.Context(), "ada", l.all()[0].ID, 0, "everything", func(*task.Fields) {}, nil); !errs.Is(err, errs.Invalid) {
		t.Errorf("another scope: %v", err)
	}
}

func TestASeriesEndsAndGoesOn(t *testing.T) {
	t.Parallel()
	l := live(t, "", "2026-11-23T08:00", repeating(t, plan{rule: "daily", due: "2026-11-23T09:00"}))
	l.edited(0, task.This, func(f *task.Fields) { f.Recurrence = nil })
	l.done(0)
	l.wake("2026-11-30T09:00")
	l.want("2026-11-23T09:00Z done")
	l.edited(0, task.This, func(f *task.Fields) { f.Recurrence = &task.Recurrence{Rule: "weekly"} })
	l.wake("2026-11-30T09:00")
	l.want("2026-11-23T09:00Z done", "2026-11-30T09:00Z open")
	// With the one that is open it ends, and goes on.
	newest := l.all()[1]
	_, err := l.service.Delete(t.Context(), "ada", newest.ID, 0)
	must(t, err)
	if did := l.wake("2026-12-20T09:00"); len(did.Made) > 0 {
		t.Errorf("in the trash, it made %+v", did.Made)
	}
	_, err = l.service.Restore(t.Context(), "ada", newest.ID, 0)
	must(t, err)
	l.wake("2026-12-21T09:00")
	l.want("2026-11-23T09:00Z done", "2026-11-30T09:00Z open", "2026-12-21T09:00Z open")
}

func TestWhatRepeatsMovesWithItsOwner(t *testing.T) {
	t.Parallel()
	l := live(t, "Europe/Oslo", "2026-11-20T08:00", repeating(t, plan{rule: "daily", due: "2026-11-20T09:00", zone: "Europe/Oslo"}))
	for _, now := range []string{"2026-11-21T09:00", "2026-11-22T09:00"} {
		l.wake(now)
	}
	l.at("2026-11-22T10:00")
	for range 3 { // made ahead, as each is done
		l.done(-1)
	}
	for n := range 3 {
		l.reopened(n + 2)
	}
	l.moved(4, task.This, "2026-11-24T11:00")
	fixed, err := create(t.Context(), l.service, plan{rule: "daily", due: "2026-11-23T09:00", zone: "Europe/Oslo"}.fields(t))
	must(t, err)
	after, err := create(t.Context(), l.service, repeating(t, plan{rule: "weekly", due: "2026-11-24T07:15", zone: "Europe/Oslo", anchor: task.OnCompletion}))
	must(t, err)
	plain, err := create(t.Context(), l.service, task.Fields{Title: "x", Due: task.Due{At: onClock(t, "2026-11-24T09:00", "Europe/Oslo")}})
	must(t, err)

	l.zone = "Asia/Tokyo"
	_, err = l.service.SetTimeZone(t.Context(), "ada", 0, "Asia/Tokyo")
	must(t, err)
	for range 2 { // again does nothing
		must(t, l.service.Move(t.Context(), "ada"))
	}
	l.want(
		// Past and done stay when they were.
		"2026-11-20T17:00+09:00 open", "2026-11-21T17:00+09:00 open", "2026-11-22T17:00+09:00 open",
		"2026-11-23T09:00+09:00 open",
		// Somebody moved it.
		"2026-11-24T19:00+09:00 open",
		"2026-11-25T09:00+09:00 open",
	)
	s := l.series()
	if next := onClock(t, "2026-11-26T09:00", "Asia/Tokyo"); s.Zone != "Asia/Tokyo" || !s.NextAt.Equal(next) {
		t.Errorf("it goes on at %v in %s", s.NextAt, s.Zone)
	}
	for what, c := range map[string]struct {
		x    task.Task
		want string
	}{
		"one with its own zone":   {fixed[0], "2026-11-23T09:00+01:00"},
		"one from its completion": {after[0], "2026-11-23T23:15+01:00"},
		"one that does not":       {plain[0], "2026-11-24T09:00+01:00"},
	} {
		x, err := l.service.Get(t.Context(), "ada", c.x.ID)
		must(t, err)
		if got := shown(x.Due, "Europe/Oslo"); got != c.want {
			t.Errorf("%s is due at %s, want %s", what, got, c.want)
		}
	}
}

func TestAMoveIsNotLostWhenSomethingElseChangesMeanwhile(t *testing.T) {
	t.Parallel()
	l := live(t, "Europe/Oslo", "2026-11-20T08:00", repeating(t, plan{rule: "daily", due: "2026-11-21T09:00", zone: "Europe/Oslo"}))
	l.done(0)
	l.reopened(0)
	_, err := l.service.SetTimeZone(t.Context(), "ada", 0, "Asia/Tokyo")
	must(t, err)
	l.zone = "Asia/Tokyo"
	// The scheduler has not heard of it yet.
	l.edited(1, task.Following, func(f *task.Fields) { f.Title = "y" })
	l.spawn(task.Cause{Closed: l.all()[1].ID, ClosedAt: l.clock.now()})
	must(t, l.service.Move(t.Context(), "ada"))
	l.want("2026-11-21T09:00+09:00 open", "2026-11-22T09:00+09:00 open", "2026-11-23T09:00+09:00 open")
}

func TestADayBeginsAnewWhereItsOwnerIs(t *testing.T) {
	t.Parallel()
	f := repeating(t, plan{rule: "daily", due: "2026-11-23", reminders: []int{0}})
	l := live(t, "Europe/Oslo", "2026-11-22T08:00", f)
	_, err := l.service.SetTimeZone(t.Context(), "ada", 0, "America/New_York")
	must(t, err)
	must(t, l.service.Move(t.Context(), "ada"))
	l.zone = "America/New_York"
	l.want("2026-11-23 open")
	if s := l.series(); !s.NextAt.Equal(onClock(t, "2026-11-24T00:00", l.zone)) {
		t.Errorf("it goes on at %v", s.NextAt)
	}
	l.wantRung("2026-11-23T08:59")
	l.wantRung("2026-11-23T09:00", "0s")
}

func TestReminders(t *testing.T) {
	t.Parallel()
	at := func(t *testing.T, text string) time.Time { return onClock(t, text, "") }
	for name, c := range map[string]struct {
		reminders []int
		story     func(t *testing.T, l *life)
	}{
		"several before the due time, each in time": {[]int{0, 10, 60}, func(t *testing.T, l *life) {
			l.wantRung("2026-11-23T07:59")
			l.wantRung("2026-11-23T08:00", "0s")
			l.wantRung("2026-11-23T08:50", "0s")
			l.wantRung("2026-11-23T09:00", "0s")
			l.wantRung("2026-11-23T09:30")
		}},
		"at a time of its own": {nil, func(t *testing.T, l *life) {
			l.edited(0, task.This, func(f *task.Fields) { f.RemindAt = []time.Time{at(t, "2026-11-22T20:00")} })
			l.wantRung("2026-11-22T20:00", "0s")
		}},
		"late, and saying so": {[]int{0, 60}, func(t *testing.T, l *life) {
			l.wantRung("2026-11-23T10:00", "2h0m0s", "1h0m0s")
			events, _, err := l.service.Events(t.Context(), "ada", contract.Tasks, l.all()[0].ID, 0, 0)
			must(t, err)
			for _, e := range events[1:] {
				var p taskv1.ReminderFired
				must(t, event.Unmarshal(e.Data, &p))
				if !p.GetLate() || p.GetLateSeconds() < 3600 || p.GetAbsolute() || !p.GetDueAt().AsTime().Equal(at(t, "2026-11-23T09:00")) {
					t.Errorf("the event is %v", &p)
				}
			}
		}},
		"snoozed": {[]int{0}, func(t *testing.T, l *life) {
			l.wantRung("2026-11-23T09:00", "0s")
			for range 2 {
				l.do(0, func(ctx context.Context, id string) (task.Task, error) {
					return l.service.Snooze(ctx, "ada", id, 0, at(t, "2026-11-23T09:10"))
				})
			}
			l.wantRung("2026-11-23T09:09")
			l.wantRung("2026-11-23T09:10", "0s")
		}},
		"moved to another time": {[]int{0}, func(t *testing.T, l *life) {
			l.moved(0, task.This, "2026-11-23T12:00")
			l.wantRung("2026-11-23T11:59")
			l.wantRung("2026-11-23T12:00", "0s")
		}},
		"moved away after it rang, and back": {[]int{0, 60}, func(t *testing.T, l *life) {
			l.wantRung("2026-11-23T08:00", "0s")
			l.moved(0, task.This, "2026-11-24T09:00")
			l.moved(0, task.This, "2026-11-23T09:00")
			l.wantRung("2026-11-23T08:30")
			l.wantRung("2026-11-23T09:00", "0s")
		}},
		"not of what is done": {[]int{0, 60}, func(t *testing.T, l *life) {
			l.wantRung("2026-11-23T08:00", "0s")
			l.done(0)
			l.wantRung("2026-11-23T09:00")
		}},
		"not of what is passed over": {[]int{0}, func(t *testing.T, l *life) {
			l.skipped(0)
			l.wantRung("2026-11-23T09:00")
		}},
		"of each occurrence": {[]int{60}, func(t *testing.T, l *life) {
			l.wantRung("2026-11-23T08:00", "0s")
			l.wake("2026-11-30T08:00")
			l.wantRung("2026-11-30T08:00", "0s")
		}},
		"late of an occurrence that was made late": {[]int{60}, func(t *testing.T, l *life) {
			l.wantRung("2026-11-23T08:00", "0s")
			l.wake("2026-11-30T08:30")
			l.wantRung("2026-11-30T08:30", "30m0s")
		}},
		"not what was over when it was set": {nil, func(t *testing.T, l *life) {
			l.at("2026-11-23T08:30")
			l.edited(0, task.This, func(f *task.Fields) { f.Reminders = []int{0, 60} })
			l.wantRung("2026-11-23T09:00", "0s")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.story(t, live(t, "", "2026-11-22T09:00", repeating(t, plan{rule: "weekly", due: "2026-11-23T09:00", reminders: c.reminders})))
		})
	}
}

func TestAWholeDayRemindsAtNineInItsOwnersMorning(t *testing.T) {
	t.Parallel()
	l := live(t, "Pacific/Auckland", "2026-11-22T09:00", task.Fields{
		Title: "x", Due: task.Due{Date: "2026-11-24"}, Reminders: []int{0, 720}, Recurrence: &task.Recurrence{Rule: "daily"},
	})
	l.wantRung("2026-11-23T20:59")
	l.wantRung("2026-11-23T21:00", "0s")
	l.wantRung("2026-11-24T09:00", "0s")
	// The next was made when its first reminder came: at nine in the evening of the day before.
	if s := l.series(); !s.NextAt.Equal(onClock(t, "2026-11-24T21:00", l.zone)) {
		t.Errorf("it goes on at %v", s.NextAt)
	}
}

func TestSnoozingMakesRoomAndIsBounded(t *testing.T) {
	t.Parallel()
	l := live(t, "", "2026-11-22T09:00", repeating(t, plan{rule: "daily", due: "2026-11-23T09:00"}))
	id := l.all()[0].ID
	snooze := func(until string) (task.Task, error) {
		return l.service.Snooze(t.Context(), "ada", id, 0, onClock(t, until, ""))
	}
	for minute := range task.MaxReminders {
		_, err := snooze(fmt.Sprintf("2026-11-22T10:%02d", minute))
		must(t, err)
	}
	if _, err := snooze("2026-11-22T11:00"); !errs.Is(err, errs.Invalid) {
		t.Errorf("one more than there may be: %v", err)
	}
	if _, err := snooze("2026-11-22T09:00"); !errs.Is(err, errs.Invalid) {
		t.Errorf("until now: %v", err)
	}
	l.at("2026-11-22T10:05")
	x, err := snooze("2026-11-22T11:00")
	must(t, err)
	if len(x.RemindAt) != 5 || !slices.IsSortedFunc(x.RemindAt, time.Time.Compare) {
		t.Errorf("it rings at %v", x.RemindAt)
	}
	l.done(0)
	if _, err := snooze("2026-11-22T12:00"); !errs.Is(err, errs.Conflict) {
		t.Errorf("done: %v", err)
	}
	_, err = l.service.Delete(t.Context(), "ada", id, 0)
	must(t, err)
	if _, err := snooze("2026-11-22T12:00"); !errs.Is(err, errs.Conflict) {
		t.Errorf("in the trash: %v", err)
	}
}

func TestWhoIsGoneHasNothingDue(t *testing.T) {
	t.Parallel()
	s, _ := service(t)
	must(t, s.Move(t.Context(), "nobody"))
	if did, err := s.Spawn(t.Context(), "nobody", event.NewID(), task.Cause{}); err != nil || len(did.Made) > 0 {
		t.Errorf("spawned %+v (%v)", did, err)
	}
	if _, rang, err := s.Ring(t.Context(), "nobody", event.NewID()); err != nil || rang {
		t.Errorf("rang is %t (%v)", rang, err)
	}
	if _, err := s.Profile(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	if did, err := s.Spawn(t.Context(), "ada", event.NewID(), task.Cause{}); err != nil || len(did.Made) > 0 {
		t.Errorf("spawned of no series %+v (%v)", did, err)
	}
}

func TestWhatIsOverBeforeItBeginsIsRefused(t *testing.T) {
	t.Parallel()
	s, _ := service(t)
	over := task.Fields{Title: "x", Recurrence: &task.Recurrence{Rule: "FREQ=DAILY;UNTIL=20200101"}}
	_, err := create(t.Context(), s, over)
	if fields := errs.Fields(err); len(fields) != 1 || fields[0].Field != "recurrence.rule" {
		t.Errorf("the error is %v", err)
	}
}

func TestDoneBySeveralAndDueAtTheSameMomentThereIsOneNext(t *testing.T) {
	t.Parallel()
	for _, anchor := range []task.Anchor{task.OnSchedule, task.OnCompletion} {
		t.Run(string(anchor), func(t *testing.T) {
			t.Parallel()
			url := testkit.Postgres(t)
			now := onClock(t, "2026-11-24T09:00", "")
			replica := func() *task.Service {
				return task.NewService(taskstore.New(testkit.OpenPostgresAt(t, url)), func() time.Time { return now })
			}
			replicas := []*task.Service{replica(), replica(), replica()}
			made, err := create(t.Context(), replicas[0], repeating(t, plan{rule: "daily", anchor: anchor, due: "2026-11-23T09:00"}))
			must(t, err)
			first := made[0]
			var all sync.WaitGroup
			for i := range 20 {
				all.Go(func() {
					s := replicas[i%len(replicas)]
					cause := task.Cause{At: now}
					if i%2 == 0 {
						x, err := s.SetCompleted(t.Context(), "ada", first.ID, 0, true)
						if err != nil {
							t.Error(err)
						}
						cause = task.Cause{Closed: x.ID, ClosedAt: x.CompletedAt}
					}
					if _, err := s.Spawn(t.Context(), "ada", first.Occurrence.SeriesID, cause); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			page, err := replicas[0].List(t.Context(), "ada", task.Query{SeriesID: first.Occurrence.SeriesID})
			must(t, err)
			next := map[task.Anchor]string{task.OnSchedule: "2026-11-24T09:00Z", task.OnCompletion: "2026-11-25T09:00Z"}[anchor]
			due := allDue(page.Tasks, "")
			slices.Sort(due)
			if !slices.Equal(due, []string{"2026-11-23T09:00Z", next}) {
				t.Errorf("there are %v", due)
			}
		})
	}
}
