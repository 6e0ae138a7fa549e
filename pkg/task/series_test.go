package task_test

import (
	"slices"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// plan is a series in words: how it repeats, and when its first occurrence is due.
type plan struct {
	rule    string
	anchor  task.Anchor
	catchUp task.CatchUp
	// zone is UTC if empty.
	zone string
	// due is a date, or a time on the clock such as 2026-11-23T09:00.
	due       string
	reminders []int
}

// onClock is an instant by the clock of a zone, such as 2026-11-23T09:00.
func onClock(t *testing.T, text, zone string) time.Time {
	t.Helper()
	if zone == "" {
		zone = "UTC"
	}
	place, err := task.Zone(zone)
	must(t, err)
	at, err := time.ParseInLocation("2006-01-02T15:04", text, place)
	must(t, err)
	return at.UTC()
}

func dueAt(t *testing.T, text, zone string) task.Due {
	t.Helper()
	if len(text) == len(time.DateOnly) {
		return task.Due{Date: text}
	}
	return task.Due{At: onClock(t, text, zone)}
}

func (p plan) fields(t *testing.T) task.Fields {
	t.Helper()
	return normal(t, task.Fields{
		Title: "x", Due: dueAt(t, p.due, p.zone), Reminders: p.reminders,
		Recurrence: &task.Recurrence{Rule: p.rule, Anchor: p.anchor, CatchUp: p.catchUp, TimeZone: p.zone},
	})
}

// begin makes the first occurrence and its series.
func (p plan) begin(t *testing.T) (task.Task, *task.Series) {
	t.Helper()
	x := task.New(event.NewID(), "ada", p.fields(t), start)
	must(t, x.Series.Settle("UTC"))
	return x, x.Series
}

// shown is a due date as it reads in a zone.
func shown(d task.Due, zone string) string {
	if d.Date != "" || d.IsZero() {
		return d.Date
	}
	place, err := task.Zone(zone)
	if err != nil {
		place = time.UTC
	}
	return d.At.In(place).Format("2006-01-02T15:04Z07:00")
}

func allDue(tasks []task.Task, zone string) (all []string) {
	for _, x := range tasks {
		all = append(all, shown(x.Due, zone))
	}
	return all
}

func TestTheClockMakesWhatIsDue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plan
		now    string
		want   []string
		missed int
		// nextAt is when it goes on afterwards, in UTC; empty if it does not.
		nextAt string
	}{
		"nothing before its time": {
			plan{rule: "daily", due: "2026-11-22T09:00"}, "2026-11-23T08:59", nil, 0, "2026-11-23T09:00",
		},
		"one at its time": {
			plan{rule: "daily", due: "2026-11-22T09:00"}, "2026-11-23T09:00", []string{"2026-11-23T09:00Z"}, 0, "2026-11-24T09:00",
		},
		"nothing when the clock is put back": {
			plan{rule: "daily", due: "2026-11-22T09:00"}, "2026-11-01T09:00", nil, 0, "2026-11-23T09:00",
		},
		"after a week the latest": {
			plan{rule: "daily", due: "2026-11-22T09:00"}, "2026-11-29T12:00", []string{"2026-11-29T09:00Z"}, 6, "2026-11-30T09:00",
		},
		"after a week all, if asked to": {
			plan{rule: "FREQ=DAILY;INTERVAL=2", due: "2026-11-22T09:00", catchUp: task.All},
			"2026-11-29T12:00",
			[]string{"2026-11-24T09:00Z", "2026-11-26T09:00Z", "2026-11-28T09:00Z"},
			0, "2026-11-30T09:00",
		},
		"after a week none that is more than an hour late, if asked to": {
			plan{rule: "daily", due: "2026-11-22T09:00", catchUp: task.PassOver}, "2026-11-29T10:01", nil, 7, "2026-11-30T09:00",
		},
		"within the hour the one whose time it is, if asked to pass over the others": {
			plan{rule: "daily", due: "2026-11-22T09:00", catchUp: task.PassOver}, "2026-11-29T10:00", []string{"2026-11-29T09:00Z"}, 6, "2026-11-30T09:00",
		},
		"a day is not missed while it lasts": {
			plan{rule: "weekly", due: "2026-11-22", catchUp: task.PassOver}, "2026-12-06T23:59", []string{"2026-12-06"}, 1, "2026-12-13T00:00",
		},
		"a day is missed when it is over": {
			plan{rule: "weekly", due: "2026-11-22", catchUp: task.PassOver}, "2026-12-07T00:00", nil, 2, "2026-12-13T00:00",
		},
		"a reminder has it made before its time": {
			plan{rule: "weekly", due: "2026-11-22T09:00", reminders: []int{10, 120}}, "2026-11-29T07:00", []string{"2026-11-29T09:00Z"}, 0, "2026-12-06T07:00",
		},
		"a reminder does not have it made before the one before it": {
			plan{rule: "daily", due: "2026-11-22T09:00", reminders: []int{10_000}}, "2026-11-22T08:59", nil, 0, "2026-11-22T09:00",
		},
		"a day is made when it begins in its zone": {
			plan{rule: "daily", due: "2026-11-22", zone: "Pacific/Auckland"}, "2026-11-22T11:00", []string{"2026-11-23"}, 0, "2026-11-23T11:00",
		},
		"a day's reminder counts back from nine in the morning of its owner": {
			plan{rule: "weekly", due: "2026-11-22", reminders: []int{600}}, "2026-11-28T23:00", []string{"2026-11-29"}, 0, "2026-12-05T23:00",
		},
		"a time that clocks jump over moves forward": {
			plan{rule: "daily", due: "2026-03-28T02:30", zone: "Europe/Oslo"}, "2026-03-29T01:30", []string{"2026-03-29T03:30+02:00"}, 0, "2026-03-30T00:30",
		},
		"of a time that clocks show twice it is the first": {
			plan{rule: "daily", due: "2026-10-24T02:30", zone: "Europe/Oslo"}, "2026-10-25T00:30", []string{"2026-10-25T02:30+02:00"}, 0, "2026-10-26T01:30",
		},
		"a day that a zone jumped over falls upon the next": {
			plan{rule: "daily", due: "2011-12-29T09:00", zone: "Pacific/Apia", catchUp: task.All},
			"2011-12-31T19:00",
			[]string{"2011-12-31T09:00+14:00", "2012-01-01T09:00+14:00"},
			0, "2012-01-01T19:00",
		},
		"COUNT counts the first": {
			plan{rule: "FREQ=DAILY;COUNT=3", due: "2026-11-22T09:00", catchUp: task.All},
			"2027-11-22T09:00",
			[]string{"2026-11-23T09:00Z", "2026-11-24T09:00Z"},
			0, "",
		},
		"COUNT counts a first that the rule does not select": {
			plan{rule: "FREQ=WEEKLY;BYDAY=MO;COUNT=3", due: "2026-11-25T09:00", catchUp: task.All},
			"2027-11-22T09:00",
			[]string{"2026-11-30T09:00Z", "2026-12-07T09:00Z"},
			0, "",
		},
		"COUNT of one is the first alone": {
			plan{rule: "FREQ=WEEKLY;BYDAY=MO;COUNT=1", due: "2026-11-25T09:00"}, "2027-11-22T09:00", nil, 0, "",
		},
		"UNTIL is included": {
			plan{rule: "FREQ=DAILY;UNTIL=20261124", due: "2026-11-22T09:00", catchUp: task.All},
			"2027-11-22T09:00",
			[]string{"2026-11-23T09:00Z", "2026-11-24T09:00Z"},
			0, "",
		},
		"what counts from completion waits for it": {
			plan{rule: "daily", due: "2026-11-22T09:00", anchor: task.OnCompletion}, "2027-11-22T09:00", nil, 0, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, s := c.begin(t)
			now := onClock(t, c.now, "UTC")
			did, err := s.Advance("UTC", task.Cause{}, now)
			must(t, err)
			must(t, s.Settle("UTC"))
			if got := allDue(did.Made, c.zone); !slices.Equal(got, c.want) || did.Missed != c.missed {
				t.Errorf("made %v and missed %d, want %v and %d", got, did.Missed, c.want, c.missed)
			}
			next := ""
			if !s.NextAt.IsZero() {
				next = s.NextAt.Format("2006-01-02T15:04")
			}
			if next != c.nextAt || s.Next.IsZero() != s.NextAt.IsZero() {
				t.Errorf("it goes on at %q (%v), want %q", next, s.Next, c.nextAt)
			}
			if again, err := s.Advance("UTC", task.Cause{}, now); err != nil || len(again.Made)+again.Missed > 0 {
				t.Errorf("the second time it made %v and missed %d (%v)", allDue(again.Made, c.zone), again.Missed, err)
			}
		})
	}
}

func TestNoMoreThanAHundredAreCaughtUpWith(t *testing.T) {
	t.Parallel()
	_, s := plan{rule: "daily", due: "1970-01-01T09:00", catchUp: task.All}.begin(t)
	did, err := s.Advance("UTC", task.Cause{}, onClock(t, "2026-11-22T12:00", "UTC"))
	must(t, err)
	due := allDue(did.Made, "UTC")
	if len(due) != task.MaxCatchUp || due[0] != "2026-08-15T09:00Z" || due[99] != "2026-11-22T09:00Z" || did.Missed != 20_679 {
		t.Errorf("made %d from %s to %s, missed %d", len(due), due[0], due[len(due)-1], did.Missed)
	}
	if s.Newest != did.Made[99].ID || s.Made != 101 {
		t.Errorf("the newest of %d is %s", s.Made, s.Newest)
	}
}

func TestWhatFollowsAClosedOccurrence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plan
		closed string // in the plan's zone
		want   []string
	}{
		"done early on schedule, the next is the next": {
			plan{rule: "weekly", due: "2026-11-23T09:00"}, "2026-11-19T20:00", []string{"2026-11-30T09:00Z"},
		},
		"done late on schedule, those in between are not": {
			plan{rule: "weekly", due: "2026-11-02T09:00"}, "2026-11-19T20:00", []string{"2026-11-16T09:00Z"},
		},
		"done late on schedule and nothing due, the next is the next": {
			plan{rule: "weekly", due: "2026-11-16T09:00"}, "2026-11-19T20:00", []string{"2026-11-23T09:00Z"},
		},
		"done late from completion, it counts from that day": {
			plan{rule: "FREQ=DAILY;INTERVAL=3", due: "2026-11-02T09:00", anchor: task.OnCompletion}, "2026-11-19T20:00", []string{"2026-11-22T09:00Z"},
		},
		"done early from completion, it counts from that day": {
			plan{rule: "FREQ=DAILY;INTERVAL=3", due: "2026-11-30T09:00", anchor: task.OnCompletion}, "2026-11-19T20:00", []string{"2026-11-22T09:00Z"},
		},
		"done so early from completion that the next is due when this one was": {
			plan{rule: "weekly", due: "2026-11-30T09:00", anchor: task.OnCompletion}, "2026-11-23T08:00", []string{"2026-11-30T09:00Z"},
		},
		"done on its evening from completion, the day is the owner's": {
			plan{rule: "daily", due: "2026-11-22T09:00", anchor: task.OnCompletion, zone: "America/New_York"}, "2026-11-22T22:00", []string{"2026-11-23T09:00-05:00"},
		},
		"a whole day done from completion": {
			plan{rule: "FREQ=WEEKLY;BYDAY=MO", due: "2026-11-23", anchor: task.OnCompletion}, "2026-11-25T22:00", []string{"2026-11-30"},
		},
		"the last by COUNT on schedule": {
			plan{rule: "FREQ=DAILY;COUNT=1", due: "2026-11-22T09:00"}, "2026-11-22T08:00", nil,
		},
		"the last by COUNT from completion": {
			plan{rule: "FREQ=DAILY;COUNT=1", due: "2026-11-22T09:00", anchor: task.OnCompletion}, "2026-11-22T08:00", nil,
		},
		"the last by UNTIL from completion": {
			plan{rule: "FREQ=DAILY;UNTIL=20261122", due: "2026-11-22T09:00", anchor: task.OnCompletion}, "2026-11-22T08:00", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, s := c.begin(t)
			at := onClock(t, c.closed, c.zone)
			did, err := s.Advance("UTC", task.Cause{Closed: x.ID, ClosedAt: at}, at)
			must(t, err)
			if got := allDue(did.Made, c.zone); !slices.Equal(got, c.want) {
				t.Errorf("made %v, want %v", got, c.want)
			}
			again, err := s.Advance("UTC", task.Cause{Closed: x.ID, ClosedAt: at}, at)
			if must(t, err); len(again.Made) > 0 {
				t.Errorf("the second time it made %v", allDue(again.Made, c.zone))
			}
		})
	}
}

func TestASeriesThatCountsComesToItsEnd(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{"FREQ=DAILY;COUNT=5", "FREQ=DAILY;UNTIL=20261126"} {
		for _, anchor := range []task.Anchor{task.OnSchedule, task.OnCompletion} {
			x, s := plan{rule: rule, due: "2026-11-22T09:00", anchor: anchor}.begin(t)
			made := []string{shown(x.Due, "UTC")}
			for newest := x; ; {
				did, err := s.Advance("UTC", task.Cause{Closed: newest.ID, ClosedAt: newest.Due.At}, newest.Due.At)
				must(t, err)
				if len(did.Made) == 0 {
					break
				}
				newest = did.Made[0]
				made = append(made, shown(newest.Due, "UTC"))
			}
			want := []string{"2026-11-22T09:00Z", "2026-11-23T09:00Z", "2026-11-24T09:00Z", "2026-11-25T09:00Z", "2026-11-26T09:00Z"}
			if !slices.Equal(made, want) {
				t.Errorf("%s on %s: %v", rule, anchor, made)
			}
		}
	}
}

func TestPlacesInASeriesAreTakenOnce(t *testing.T) {
	t.Parallel()
	x, s := plan{rule: "FREQ=DAILY;INTERVAL=10", due: "2026-11-30T09:00", anchor: task.OnCompletion}.begin(t)
	taken := map[time.Time]bool{x.Occurrence.At: true}
	closed, at := x.ID, onClock(t, "2026-11-20T08:00", "UTC")
	for range 40 { // four a day, each done long before its time
		did, err := s.Advance("UTC", task.Cause{Closed: closed, ClosedAt: at}, at)
		must(t, err)
		made := did.Made[0]
		if want := at.AddDate(0, 0, 10).Format("2006-01-02") + "T09:00Z"; shown(made.Due, "UTC") != want {
			t.Errorf("done at %v, the next is due at %v", at, made.Due)
		}
		if taken[made.Occurrence.At] {
			t.Fatalf("the place %v is taken twice", made.Occurrence.At)
		}
		taken[made.Occurrence.At] = true
		closed, at = made.ID, at.Add(6*time.Hour)
	}
}
