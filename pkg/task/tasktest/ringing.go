package tasktest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/task"
	contract "github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

// reminded is due tomorrow at this time, with reminders in minutes before that.
func reminded(minutes ...int) task.Fields {
	return task.Fields{Title: "x", Due: task.Due{At: start.Add(24 * time.Hour)}, Reminders: minutes}
}

// ring rings at a time and reports whether the alarm was waiting.
func (s suite) ring(t *testing.T, alarm string, now time.Time) bool {
	t.Helper()
	_, rang, err := s.at(now).Ring(t.Context(), user, alarm)
	must(t, err)
	return rang
}

var tomorrow = start.Add(24 * time.Hour)

var ringing = map[string]func(*testing.T, suite){
	"each reminder rings once, with its event": func(t *testing.T, s suite) {
		f := reminded(0, 10)
		f.RemindAt = []time.Time{later}
		made := s.made(t, user, f, start)
		alarms := s.claimAlarms(t, tomorrow)
		if len(alarms) != 3 {
			t.Fatalf("%d alarms wait", len(alarms))
		}
		for _, alarm := range alarms {
			if !s.ring(t, alarm, tomorrow.Add(time.Second)) || s.ring(t, alarm, tomorrow) {
				t.Errorf("alarm %s did not ring once", alarm)
			}
		}
		var got []string
		for _, e := range s.events(t, user, contract.Tasks)[1:] {
			var p taskv1.ReminderFired
			must(t, event.Unmarshal(e.Data, &p))
			got = append(got, e.Type+" "+p.String())
			if e.AggregateID != made.ID || p.GetLate() != (p.GetLateSeconds() > 60) {
				t.Errorf("the event is %+v", e)
			}
		}
		if len(got) != 3 {
			t.Errorf("the events are %v", got)
		}
		if x := s.task(t, made.ID); x.Version != 4 {
			t.Errorf("it is at version %d", x.Version)
		}
		if left := s.claimAlarms(t, tomorrow.AddDate(1, 0, 0)); len(left) != 0 {
			t.Errorf("%v wait after they rang", left)
		}
		if s.ring(t, event.NewID(), tomorrow) || s.ring(t, "a\x00b", tomorrow) {
			t.Error("an alarm that is none rang")
		}
	},
	"of a crowd one rings": func(t *testing.T, s suite) {
		s.made(t, user, reminded(0), start)
		alarm := s.claimAlarms(t, tomorrow)[0]
		var rang atomic.Int32
		atOnce(func(int) {
			_, did, err := s.at(tomorrow).Ring(t.Context(), user, alarm)
			if err != nil {
				t.Error(err)
			}
			if did {
				rang.Add(1)
			}
		})
		if n := s.wantWhole(t, contract.Tasks); rang.Load() != 1 || n != 2 {
			t.Errorf("%d rang, there are %d events", rang.Load(), n)
		}
	},
	"an error of ringing comes back as it is, and it still waits": func(t *testing.T, s suite) {
		s.made(t, user, reminded(0), start)
		alarm := s.claimAlarms(t, tomorrow)[0]
		err := s.Ring(t.Context(), user, alarm, func(*task.Task, task.Alarm) error { return errOwn })
		if err != errOwn { //nolint:errorlint // as it is
			t.Errorf("the error is %v", err)
		}
		if !s.ring(t, alarm, tomorrow) {
			t.Error("it does not wait")
		}
	},
	"what is done, deleted or moved does not ring": func(t *testing.T, s suite) {
		for what, fn := range map[string]func(*task.Task) error{
			"done":    func(x *task.Task) error { return x.Complete(later) },
			"deleted": func(x *task.Task) error { return x.Delete(later) },
			"moved": func(x *task.Task) error {
				f := x.Fields
				f.Due.At = f.Due.At.Add(time.Hour)
				return x.Edit(f, task.This, later)
			},
			"without reminders": func(x *task.Task) error {
				f := x.Fields
				f.Reminders = nil
				return x.Edit(f, task.This, later)
			},
		} {
			made := s.made(t, user, reminded(0), start)
			alarm := s.claimAlarms(t, tomorrow)[0]
			s.change(t, made, fn)
			if s.ring(t, alarm, tomorrow) {
				t.Errorf("one that is %s rang", what)
			}
			s.change(t, made, func(x *task.Task) error { return x.Delete(later) })
		}
	},
	"moved there and back it does not ring again, moved on it does": func(t *testing.T, s suite) {
		made := s.made(t, user, reminded(0), start)
		move := func(by time.Duration) func(*task.Task) error {
			return func(x *task.Task) error {
				f := x.Fields
				f.Due.At = tomorrow.Add(by)
				return x.Edit(f, task.This, later)
			}
		}
		alarm := s.claimAlarms(t, tomorrow)[0]
		if !s.ring(t, alarm, tomorrow) {
			t.Fatal("it does not ring")
		}
		s.change(t, made, move(time.Hour))
		s.change(t, made, move(0))
		if again := s.claimAlarms(t, tomorrow); len(again) != 0 {
			t.Error("moved back, it rings again")
		}
		s.change(t, made, move(time.Hour))
		if again := s.claimAlarms(t, tomorrow.Add(time.Hour)); len(again) != 1 || !s.ring(t, again[0], tomorrow.Add(time.Hour)) {
			t.Error("moved on, it does not ring")
		}
	},
	"what is over when it is set does not ring": func(t *testing.T, s suite) {
		f := reminded(0, 10, 2880)
		f.RemindAt = []time.Time{start.Add(-time.Hour), start.Add(time.Hour)}
		made := s.made(t, user, f, start)
		if n := len(s.claimAlarms(t, tomorrow)); n != 3 {
			t.Errorf("%d ring", n)
		}
		s.change(t, made, func(x *task.Task) error {
			f := x.Fields
			f.Reminders = []int{0, 5, 10, 120, 2880}
			return x.Edit(f, task.This, tomorrow.Add(-time.Hour))
		})
		// What was claimed is not claimed again so soon, but the new one at five to is.
		if n := len(s.claimAlarms(t, tomorrow)); n != 1 {
			t.Errorf("%d new ones ring", n)
		}
	},
	"a late reminder is not lost when the task is changed meanwhile": func(t *testing.T, s suite) {
		made := s.made(t, user, reminded(0), start)
		s.change(t, made, func(x *task.Task) error {
			f := x.Fields
			f.Title = "y"
			return x.Edit(f, task.This, tomorrow.Add(time.Hour))
		})
		if alarms := s.claimAlarms(t, tomorrow.Add(2*time.Hour)); len(alarms) != 1 || !s.ring(t, alarms[0], tomorrow.Add(2*time.Hour)) {
			t.Error("it does not ring")
		}
	},
	"opened again it rings if its time is to come": func(t *testing.T, s suite) {
		made := s.made(t, user, reminded(0, 60), start)
		s.change(t, made, func(x *task.Task) error { return x.Complete(later) })
		if n := len(s.claimAlarms(t, tomorrow)); n != 0 {
			t.Errorf("done, %d ring", n)
		}
		s.change(t, made, func(x *task.Task) error { return x.Reopen(tomorrow.Add(-time.Minute)) })
		if n := len(s.claimAlarms(t, tomorrow)); n != 1 {
			t.Errorf("opened again, %d ring", n)
		}
	},
}
