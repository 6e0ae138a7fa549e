package tasktest

import (
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/task"
	contract "github.com/taskflow-suite/taskflow/proto"
	schedulev1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/schedule/v1"
)

// agenda is the store as the scheduler sees it.
func (s suite) agenda(t *testing.T) task.Agenda {
	t.Helper()
	a, ok := s.Store.(task.Agenda)
	if !ok {
		t.Fatalf("%T is no task.Agenda", s.Store)
	}
	return a
}

// claimAlarms claims what rings at a time and returns those of the user, by the events that announce them.
func (s suite) claimAlarms(t *testing.T, now time.Time) (alarms []string) {
	t.Helper()
	before := len(s.events(t, user, contract.Scheduling))
	_, err := s.agenda(t).ClaimAlarms(t.Context(), now, 100)
	must(t, err)
	for _, e := range s.events(t, user, contract.Scheduling)[before:] {
		var p schedulev1.ReminderDue
		must(t, event.Unmarshal(e.Data, &p))
		if p.GetReminderId() != e.AggregateID {
			t.Errorf("the event is %+v", e)
		}
		alarms = append(alarms, e.AggregateID)
	}
	return alarms
}

func (s suite) claimSeries(t *testing.T, now time.Time) int {
	t.Helper()
	n, err := s.agenda(t).ClaimSeries(t.Context(), now, 100)
	must(t, err)
	return n
}

var claiming = map[string]func(*testing.T, suite){
	"what is due is announced once, again when nothing comes of it": func(t *testing.T, s suite) {
		f := daily("x")
		f.RemindAt = []time.Time{tomorrow}
		made := s.made(t, user, f, start)
		due := start.Truncate(time.Hour).Add(24*time.Hour - 10*time.Minute)
		for _, step := range []struct {
			now  time.Time
			want int
		}{
			{due.Add(-time.Millisecond), 0}, {due, 1}, {due, 0}, {due.Add(task.ClaimLease - time.Millisecond), 0}, {due.Add(task.ClaimLease), 1},
		} {
			if n := s.claimSeries(t, step.now); n != step.want {
				t.Errorf("at %v %d are claimed", step.now, n)
			}
		}
		events := s.events(t, user, contract.Scheduling)
		wantEqual(t, "events", types(events), []string{contract.RecurrenceDue.Name, contract.RecurrenceDue.Name})
		for i, e := range events {
			var p schedulev1.RecurrenceDue
			must(t, event.Unmarshal(e.Data, &p))
			if e.AggregateID != made.Occurrence.SeriesID || e.Version != i+1 || p.GetSeriesId() != made.Occurrence.SeriesID ||
				p.GetOccurrence() != "2026-11-23T09:00:00" || !p.GetDueAt().AsTime().Equal(due) {
				t.Errorf("the event is %+v", e)
			}
		}
		alarm := s.claimAlarms(t, tomorrow)
		if again := s.claimAlarms(t, tomorrow.Add(task.ClaimLease)); len(alarm) != 1 || len(again) != 1 || alarm[0] != again[0] {
			t.Errorf("claimed are %v and %v", alarm, again)
		}
		e := s.events(t, user, contract.Scheduling)[3]
		var p schedulev1.ReminderDue
		must(t, event.Unmarshal(e.Data, &p))
		if e.Version != 2 || p.GetTaskId() != made.ID || p.GetMinutesBefore() != 0 || !p.GetDueAt().AsTime().Equal(tomorrow) {
			t.Errorf("the event is %+v", e)
		}
	},
	"what was made is not due any more": func(t *testing.T, s suite) {
		made := s.made(t, user, daily("x"), start)
		if n := s.claimSeries(t, tomorrow); n != 1 {
			t.Fatalf("%d are claimed", n)
		}
		s.spawn(t, made.Occurrence.SeriesID, tomorrow)
		if n := s.claimSeries(t, tomorrow.Add(task.ClaimLease)); n != 0 {
			t.Errorf("%d are claimed after it was made", n)
		}
		if n := s.claimSeries(t, tomorrow.AddDate(0, 0, 1)); n != 1 {
			t.Errorf("%d are claimed the day after", n)
		}
	},
	"of eight that claim at once each due series is one's": func(t *testing.T, s suite) {
		const due = 60
		for i := range due {
			f := daily("x")
			f.RemindAt = []time.Time{tomorrow}
			s.made(t, "user "+strconv.Itoa(i%7), f, start)
		}
		var series, alarms atomic.Int32
		agenda := s.agenda(t)
		atOnce(func(i int) {
			if i >= 8 {
				return
			}
			for misses := 0; misses < 3; {
				n, err := agenda.ClaimSeries(t.Context(), tomorrow, 5)
				if err != nil {
					t.Error(err)
				}
				m, err := agenda.ClaimAlarms(t.Context(), tomorrow, 5)
				if err != nil {
					t.Error(err)
				}
				series.Add(int32(n))
				alarms.Add(int32(m))
				if n+m == 0 {
					misses++
				}
			}
		})
		if series.Load() != due || alarms.Load() != due {
			t.Errorf("%d series and %d alarms were claimed", series.Load(), alarms.Load())
		}
		claims := map[string]int{}
		for i := range 7 {
			for _, e := range s.events(t, "user "+strconv.Itoa(i), contract.Scheduling) {
				claims[e.AggregateID]++
			}
		}
		if len(claims) != 2*due {
			t.Errorf("%d were announced", len(claims))
		}
		for id, n := range claims {
			if n != 1 {
				t.Errorf("%s was announced %d times", id, n)
			}
		}
	},
	"the longest due comes first, and the backlog says since when": func(t *testing.T, s suite) {
		agenda := s.agenda(t)
		backlog := func(now time.Time) task.Backlog {
			t.Helper()
			b, err := agenda.Backlog(t.Context(), now)
			must(t, err)
			return b
		}
		next := func() time.Time {
			t.Helper()
			at, err := agenda.NextDue(t.Context())
			must(t, err)
			return at
		}
		if b := backlog(tomorrow); b != (task.Backlog{}) || !next().IsZero() {
			t.Errorf("of nothing there is %+v", b)
		}
		var all []task.Task
		for _, hours := range []int{3, 1, 2} {
			f := daily("x")
			f.Due.At, f.Reminders = f.Due.At.Add(time.Duration(hours)*time.Hour), nil
			all = append(all, s.made(t, user, f, start))
		}
		s.made(t, user, task.Fields{Title: "y", RemindAt: []time.Time{tomorrow.Add(90 * time.Minute)}}, start)
		due := all[1].Due.At.Add(24 * time.Hour)
		if !next().Equal(due) {
			t.Errorf("next is %v", next())
		}
		if b := backlog(due.Add(time.Hour)); b.Series != 2 || b.Alarms != 1 || !b.Oldest.Equal(due) {
			t.Errorf("the backlog is %+v", b)
		}
		n, err := agenda.ClaimSeries(t.Context(), due.Add(time.Hour), 1)
		must(t, err)
		if e := s.events(t, user, contract.Scheduling); n != 1 || e[0].AggregateID != all[1].Occurrence.SeriesID {
			t.Errorf("%d are claimed, the first is %+v", n, e)
		}
		// Claimed is not acted on.
		if b := backlog(due.Add(time.Hour)); b.Series != 2 || b.Alarms != 1 || !b.Oldest.Equal(due) {
			t.Errorf("after a claim the backlog is %+v", b)
		}
		s.spawn(t, all[1].Occurrence.SeriesID, due.Add(time.Hour))
		if b := backlog(due.Add(time.Hour)); b.Series != 1 || b.Alarms != 1 || !b.Oldest.Equal(tomorrow.Add(90*time.Minute)) {
			t.Errorf("after it was made the backlog is %+v", b)
		}
	},
}
