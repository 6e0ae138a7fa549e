package task_test

import (
	"context"
	"strings"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/task"
)

// TestComplaints are what became of repeating tasks elsewhere, each named after it and after the thread that tells it.
// pkg/recurrence has those about dates and clocks.
func TestComplaints(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plan
		story func(l *life)
	}{
		// Rescheduled, and no longer what it was.
		"moved to Friday, it forgot to be daily (todoist-mcp#279)": {
			plan{rule: "daily", due: "2026-11-23T09:00"}, func(l *life) {
				l.moved(0, task.This, "2026-11-27T09:00")
				l.at("2026-11-23T10:00")
				l.done(0)
				l.wake("2026-11-25T09:00")
				l.want("2026-11-27T09:00Z done", "2026-11-24T09:00Z open", "2026-11-25T09:00Z open")
			},
		},
		"overdue and moved, it lost its recurrence (raycast#10569)": {
			plan{rule: "FREQ=WEEKLY;BYDAY=MO", due: "2026-11-23"}, func(l *life) {
				l.at("2026-11-25T10:00")
				l.moved(0, task.This, "2026-11-26")
				l.at("2026-11-26T10:00")
				if x := l.done(0); x.Recurrence == nil {
					l.t.Error("it does not repeat")
				}
				l.want("2026-11-26 done", "2026-11-30 open")
			},
		},
		"completed by another program, it was done for ever (home-assistant#107504)": {
			plan{rule: "daily", due: "2026-11-23T09:00"}, func(l *life) {
				done := true
				l.do(0, func(ctx context.Context, id string) (task.Task, error) {
					return l.service.Edit(ctx, "ada", id, 0, task.This, func(*task.Fields) {}, &done)
				})
				l.want("2026-11-23T09:00Z done", "2026-11-24T09:00Z open")
			},
		},
		"every second week from its completion, starting on a date, never advanced (todoist-cli#342)": {
			plan{rule: "FREQ=WEEKLY;INTERVAL=2", anchor: task.OnCompletion, due: "2026-12-01"}, func(l *life) {
				l.at("2026-12-03T10:00")
				l.done(0)
				l.at("2026-12-20T10:00")
				l.done(1)
				l.want("2026-12-01 done", "2026-12-17 done", "2027-01-03 open")
			},
		},
		"read and written back by a plugin, it lost its schedule (logseq-plugin-agenda#185)": {
			plan{rule: "daily", due: "2026-11-23T09:00"}, func(l *life) {
				before := l.all()[0]
				if x := l.edited(0, task.Following, func(f *task.Fields) { *f = before.Fields }); x.Version != before.Version {
					l.t.Errorf("it was changed to %+v", x)
				}
				l.done(0)
				l.want("2026-11-23T09:00Z done", "2026-11-24T09:00Z open")
			},
		},
		"completed in the app, from completion became by schedule (go-vikunja/app#306)": {
			plan{rule: "FREQ=DAILY;INTERVAL=3", anchor: task.OnCompletion, due: "2026-11-23T09:00"}, func(l *life) {
				for _, day := range []string{"2026-11-24T20:00", "2026-11-29T20:00"} {
					l.at(day)
					l.done(-1)
				}
				l.want("2026-11-23T09:00Z done", "2026-11-27T09:00Z done", "2026-12-02T09:00Z open")
				if x := l.all()[2]; x.Recurrence.Anchor != task.OnCompletion {
					l.t.Errorf("it repeats as %+v", x.Recurrence)
				}
			},
		},
		"moved to an earlier day and done, its own day came back (tasknotes#2191)": {
			plan{rule: "weekly", due: "2026-12-07T09:00"}, func(l *life) {
				l.moved(0, task.This, "2026-12-04T09:00")
				l.at("2026-12-04T10:00")
				l.done(0)
				l.wake("2026-12-07T09:00")
				l.want("2026-12-04T09:00Z done", "2026-12-14T09:00Z open")
			},
		},
		"one moved again and again lost its interval (vikunja#15)": {
			plan{rule: "weekly", due: "2026-11-23T09:00"}, func(l *life) {
				for _, day := range []string{"24", "25", "26", "27"} {
					l.moved(0, task.This, "2026-11-"+day+"T09:00")
				}
				l.at("2026-11-27T10:00")
				l.done(0)
				l.want("2026-11-27T09:00Z done", "2026-11-30T09:00Z open")
			},
		},
		// Done, and gone.
		"done once, the old one was destroyed (vikunja#2619)": {
			plan{rule: "daily", anchor: task.OnCompletion, due: "2026-11-23T09:00"}, func(l *life) {
				was := l.done(0)
				l.at("2026-11-23T20:00")
				l.edited(1, task.This, func(f *task.Fields) { f.Title = "the new one" })
				if x := l.all()[0]; x.ID != was.ID || x.Title != was.Title || !x.CompletedAt.Equal(was.CompletedAt) {
					l.t.Errorf("it became %+v", x)
				}
			},
		},
		"those that were missed could not be kept, nor passed over at will (vikunja#1872): kept": {
			plan{rule: "daily", catchUp: task.All, due: "2026-11-23T09:00"}, func(l *life) {
				l.wake("2026-11-25T10:00")
				l.want("2026-11-23T09:00Z open", "2026-11-24T09:00Z open", "2026-11-25T09:00Z open")
			},
		},
		"those that were missed could not be kept, nor passed over at will (vikunja#1872): the last": {
			plan{rule: "daily", due: "2026-11-23T09:00"}, func(l *life) {
				l.wake("2026-11-25T20:00")
				l.want("2026-11-23T09:00Z open", "2026-11-25T09:00Z open")
			},
		},
		"those that were missed could not be kept, nor passed over at will (vikunja#1872): passed over": {
			plan{rule: "daily", catchUp: task.PassOver, due: "2026-11-23T09:00"}, func(l *life) {
				l.wake("2026-11-25T20:00")
				l.wake("2026-11-26T09:00")
				l.want("2026-11-23T09:00Z open", "2026-11-26T09:00Z open")
			},
		},
		"done, it was back among what is to do at once (vikunja#3444)": {
			plan{rule: "weekly", due: "2026-11-23T09:00"}, func(l *life) {
				l.at("2026-11-23T10:00")
				was := l.done(0)
				done := true
				page, err := l.service.List(l.t.Context(), "ada", task.Query{Completed: &done})
				must(l.t, err)
				if len(page.Tasks) != 1 || page.Tasks[0].ID != was.ID {
					l.t.Errorf("done are %+v", page.Tasks)
				}
				// What is to do next is not due before its time.
				if x := l.all()[1]; shown(x.Due, "UTC") != "2026-11-30T09:00Z" {
					l.t.Errorf("the next is due at %v", x.Due)
				}
			},
		},
		"when it was last done nobody knew (tasks#169, tasks#622)": {
			plan{rule: "FREQ=MONTHLY", anchor: task.OnCompletion, due: "2026-11-23"}, func(l *life) {
				for _, day := range []string{"2026-11-23T10:00", "2026-12-30T11:00", "2027-02-02T12:00"} {
					l.at(day)
					l.done(-1)
				}
				var when []string
				for _, x := range l.all() {
					if x.Completed() {
						when = append(when, x.CompletedAt.Format("2006-01-02T15:04"))
					}
				}
				if got := strings.Join(when, " "); got != "2026-11-23T10:00 2026-12-30T11:00 2027-02-02T12:00" {
					l.t.Errorf("it was done at %s", got)
				}
			},
		},
		"done by mistake, it could not be opened again (tasks#2545)": {
			plan{rule: "daily", due: "2026-11-23T09:00"}, func(l *life) {
				l.done(0)
				l.reopened(0)
				l.want("2026-11-23T09:00Z open", "2026-11-24T09:00Z open")
				l.done(0) // This time it is, and makes nothing more.
				l.want("2026-11-23T09:00Z done", "2026-11-24T09:00Z open")
			},
		},
		"one occurrence could not be passed over (tasks#45)": {
			plan{rule: "weekly", due: "2026-11-23T09:00"}, func(l *life) {
				l.skipped(0)
				l.want("2026-11-23T09:00Z skipped", "2026-11-30T09:00Z open")
			},
		},
		"one that need not be done stood there overdue (tasknotes#631)": {
			plan{rule: "weekly", due: "2026-11-23T09:00"}, func(l *life) {
				l.at("2026-11-24T10:00")
				l.skipped(0)
				page, err := l.service.List(l.t.Context(), "ada", task.Query{OverdueAt: l.clock.now()})
				must(l.t, err)
				if len(page.Tasks) != 0 {
					l.t.Errorf("overdue are %+v", page.Tasks)
				}
			},
		},
		"passed over by mistake, it could not be taken back (tasknotes#1324)": {
			plan{rule: "weekly", due: "2026-11-23T09:00"}, func(l *life) {
				l.skipped(0)
				l.reopened(0)
				l.want("2026-11-23T09:00Z open", "2026-11-30T09:00Z open")
			},
		},
		"after a holiday each missed one had to be passed over by hand (tasknotes#2179)": {
			plan{rule: "daily", due: "2026-11-23T09:00"}, func(l *life) {
				l.wake("2026-11-23T09:00")
				l.done(0)
				if did := l.wake("2026-12-04T09:30"); did.Missed != 9 {
					l.t.Errorf("%d are passed over", did.Missed)
				}
				l.want("2026-11-23T09:00Z done", "2026-11-24T09:00Z open", "2026-12-04T09:00Z open")
			},
		},
		"missed several times, it had to be done as often (planify#513)": {
			plan{rule: "daily", due: "2026-11-23T09:00"}, func(l *life) {
				l.at("2026-11-26T10:00")
				l.done(0)
				l.done(-1)
				l.want("2026-11-23T09:00Z done", "2026-11-26T09:00Z done", "2026-11-27T09:00Z open")
			},
		},
		"each device made today's once more (super-productivity#6398)": {
			plan{rule: "daily", due: "2026-11-23T09:00"}, func(l *life) {
				for range 3 {
					l.wake("2026-11-24T09:00")
				}
				l.want("2026-11-23T09:00Z open", "2026-11-24T09:00Z open")
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.story(live(t, "", "2026-11-22T09:00", repeating(t, c.plan)))
		})
	}
}

// TestComplaintsAboutDays are about days that were another day's in UTC.
func TestComplaintsAboutDays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		zone, now string
		plan
		story func(l *life)
	}{
		"written back again and again, a whole day became the one before (TickTickSync#366)": {
			"Pacific/Auckland", "2026-08-01T09:00", plan{rule: "weekly", due: "2026-08-09"}, func(l *life) {
				for range 3 {
					l.edited(0, task.Following, func(f *task.Fields) { f.Title += "!"; f.Due = task.Due{Date: f.Due.Date} })
				}
				l.at("2026-08-09T10:00")
				l.done(0)
				l.want("2026-08-09 done", "2026-08-16 open")
			},
		},
		"in the evening it was not due today any more, because UTC had tomorrow (home-assistant#59715)": {
			"America/Chicago", "2026-11-15T20:00", plan{rule: "daily", due: "2026-11-15"}, func(l *life) {
				for now, want := range map[string]int{"2026-11-15T20:00": 1, "2026-11-16T00:30": 0} {
					l.at(now)
					stats, err := l.service.Stats(l.t.Context(), "ada")
					must(l.t, err)
					if stats.DueToday != want {
						l.t.Errorf("at %s %d are due today, want %d", now, stats.DueToday, want)
					}
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.story(live(t, c.zone, c.now, repeating(t, c.plan)))
		})
	}
}
