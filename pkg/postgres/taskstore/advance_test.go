package taskstore_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// count is a number that only the database knows.
func (s agenda) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	conn := connect(t, s.url)
	must(t, conn.QueryRow(t.Context(), query, args...).Scan(&n))
	return n
}

func TestACrowdThatSpawnsTheSameOccurrenceMakesItOnce(t *testing.T) {
	t.Parallel()
	s := newAgenda(t)
	made := daily("ada")
	made.Series.Reminders = []int{0, 10} // its occurrences have them
	s.make(t, made)
	var one, prevented atomic.Int64
	var crowd sync.WaitGroup
	for i := range 20 {
		crowd.Go(func() {
			cause := task.Cause{At: tomorrow}
			if i%2 == 0 {
				cause = task.Cause{At: tomorrow, Closed: made.ID, ClosedAt: tomorrow}
			}
			err := s.WithinKnown(t.Context(), "ada", func(_ *postgres.Tx, own *taskstore.Store) error {
				did, err := task.NewService(own, func() time.Time { return tomorrow }).Spawn(t.Context(), "ada", made.Occurrence.SeriesID, cause)
				one.Add(int64(len(did.Made)))
				prevented.Add(int64(did.Prevented))
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	crowd.Wait()
	if one.Load() != 1 {
		t.Errorf("%d were made", one.Load())
	}
	if n := s.count(t, "SELECT count(*) FROM tasks WHERE series_id = $1", made.Occurrence.SeriesID); n != 2 {
		t.Errorf("there are %d occurrences", n)
	}
	if n := s.count(t, "SELECT count(*) FROM alarms WHERE claim_at IS NOT NULL"); n != 2 {
		t.Errorf("%d reminders wait", n)
	}
}

// again makes the tasks of a series that are due, as if the series had never come as far.
func again(made *[]task.Task) func(*task.Series, task.Profile) ([]task.Task, error) {
	return func(of *task.Series, _ task.Profile) ([]task.Task, error) {
		of.Cursor = (*made)[len(*made)-1].Occurrence.At
		of.Newest = (*made)[len(*made)-1].ID
		return *made, nil
	}
}

func TestAnOccurrenceThatExistsIsNotMadeAgainAndStaysTheNewest(t *testing.T) {
	t.Parallel()
	s := newAgenda(t)
	made := daily("ada")
	s.make(t, made)
	seriesID := made.Occurrence.SeriesID
	occurrence := func(days int) task.Task {
		x := fresh("ada", task.Fields{Title: "x", Due: task.Due{At: start.AddDate(0, 0, days)}, Reminders: []int{5}})
		x.Occurrence = task.Occurrence{SeriesID: seriesID, At: start.AddDate(0, 0, days)}
		return x
	}
	newest := func() (id string) {
		_, err := s.Advance(t.Context(), "ada", seriesID, func(of *task.Series, _ task.Profile) ([]task.Task, error) {
			id = of.Newest
			return nil, nil
		})
		must(t, err)
		return id
	}
	first := []task.Task{occurrence(1), occurrence(2)}
	got, err := s.Advance(t.Context(), "ada", seriesID, again(&first))
	must(t, err)
	if len(got) != 2 || newest() != first[1].ID {
		t.Errorf("%d are made, the newest is %s", len(got), newest())
	}
	events := len(s.all(t, "ada", contract.Tasks))
	second := []task.Task{occurrence(1), occurrence(2)}
	got, err = s.Advance(t.Context(), "ada", seriesID, again(&second))
	must(t, err)
	if len(got) != 0 || newest() != first[1].ID {
		t.Errorf("%d are made again, the newest is %s, not %s", len(got), newest(), first[1].ID)
	}
	third := []task.Task{occurrence(2), occurrence(3)}
	got, err = s.Advance(t.Context(), "ada", seriesID, again(&third))
	must(t, err)
	if len(got) != 1 || got[0].ID != third[1].ID || newest() != third[1].ID {
		t.Errorf("made is %+v, the newest is %s", got, newest())
	}
	if n := len(s.all(t, "ada", contract.Tasks)); n != events+1 {
		t.Errorf("there are %d events more", n-events)
	}
	if n := s.count(t, "SELECT count(*) FROM alarms"); n != 3 {
		t.Errorf("there are %d alarms", n)
	}
}

func TestWhatAdvanceRefusesLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newAgenda(t)
	made := daily("ada")
	s.make(t, made)
	own := errors.New("the caller's own")
	_, err := s.Advance(t.Context(), "ada", made.Occurrence.SeriesID, func(of *task.Series, _ task.Profile) ([]task.Task, error) {
		of.Made = 77
		return nil, own
	})
	if !errors.Is(err, own) {
		t.Errorf("the error is %v", err)
	}
	if n := s.count(t, "SELECT made FROM series"); n != 1 {
		t.Errorf("the series has made %d", n)
	}
	for what, at := range map[string][2]string{
		"no series": {"ada", made.ID}, "no id": {"ada", "x"}, "another's": {"eve", made.Occurrence.SeriesID},
	} {
		_, err := s.Advance(t.Context(), at[0], at[1], nil)
		if !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAnAlarmRingsOnceHoweverManyTry(t *testing.T) {
	t.Parallel()
	s := newAgenda(t)
	s.make(t, reminded("ada", 0, 10))
	s.claim(t, tomorrow)
	triggers := s.all(t, "ada", contract.Scheduling)
	var rang atomic.Int64
	var crowd sync.WaitGroup
	for i := range 20 {
		crowd.Go(func() {
			_, did, err := s.at(tomorrow).Ring(t.Context(), "ada", triggers[i%2].AggregateID)
			if err != nil {
				t.Error(err)
			}
			if did {
				rang.Add(1)
			}
		})
	}
	crowd.Wait()
	if rang.Load() != 2 {
		t.Errorf("two alarms rang %d times", rang.Load())
	}
	fired := 0
	for _, e := range s.all(t, "ada", contract.Tasks) {
		if e.Type == contract.ReminderFired.Name {
			fired++
		}
	}
	if fired != 2 {
		t.Errorf("%d events tell of it", fired)
	}
	if _, alarms := s.claim(t, tomorrow.AddDate(0, 0, 1)); alarms != 0 {
		t.Errorf("%d that rang are claimed", alarms)
	}
}

func TestAnAlarmThatWaitsFollowsItsTask(t *testing.T) {
	t.Parallel()
	s := newAgenda(t)
	made := reminded("ada", 10)
	s.make(t, made)
	waiting := func() (times string) {
		conn := connect(t, s.url)
		must(t, conn.QueryRow(t.Context(), `SELECT coalesce(string_agg(minutes || ' ' || to_char(at AT TIME ZONE 'UTC', 'DD HH24:MI'), ', ' ORDER BY at), '')
			FROM alarms WHERE claim_at IS NOT NULL`).Scan(&times))
		return times
	}
	edit := func(now time.Time, fn func(*task.Fields)) {
		_, err := s.Change(t.Context(), "ada", made.ID, 0, func(x *task.Task) error {
			f := x.Fields
			fn(&f)
			return x.Edit(f, task.This, now)
		})
		must(t, err)
	}
	expect := func(what, want string) {
		if got := waiting(); got != want {
			t.Errorf("%s: %q wait, want %q", what, got, want)
		}
	}
	ring := func(now time.Time) {
		s.claim(t, now)
		for _, e := range s.all(t, "ada", contract.Scheduling) {
			_, _, err := s.at(now).Ring(t.Context(), "ada", e.AggregateID)
			must(t, err)
		}
	}
	expect("made", "10 23 08:50")
	edit(start, func(f *task.Fields) { f.Reminders = []int{0, 10, 60} })
	expect("more reminders", "60 23 08:00, 10 23 08:50, 0 23 09:00")
	edit(start, func(f *task.Fields) { f.Due.At = tomorrow.Add(time.Hour) })
	expect("moved", "60 23 09:00, 10 23 09:50, 0 23 10:00")
	ring(tomorrow)
	expect("one rang", "10 23 09:50, 0 23 10:00")
	// Ten to ten has passed and it has not rung yet: that is no reason to forget it.
	edit(tomorrow.Add(55*time.Minute), func(f *task.Fields) { f.Reminders = []int{0, 1, 10, 60} })
	expect("changed when one was late", "10 23 09:50, 1 23 09:59, 0 23 10:00")
	edit(tomorrow, func(f *task.Fields) { f.Due = task.Due{Date: "2026-11-24"} })
	expect("a day", "60 24 08:00, 10 24 08:50, 1 24 08:59, 0 24 09:00")
	_, err := s.ChangeProfile(t.Context(), "ada", 0, func(p *task.Profile) error { return p.SetTimeZone("Asia/Tokyo", tomorrow) })
	must(t, err)
	must(t, s.at(start).Move(t.Context(), "ada"))
	expect("in Tokyo", "60 23 23:00, 10 23 23:50, 1 23 23:59, 0 24 00:00")
	_, err = s.at(tomorrow).SetCompleted(t.Context(), "ada", made.ID, 0, true)
	must(t, err)
	expect("done", "")
	_, err = s.at(tomorrow).SetCompleted(t.Context(), "ada", made.ID, 0, false)
	must(t, err)
	expect("open again", "60 23 23:00, 10 23 23:50, 1 23 23:59, 0 24 00:00")
	_, err = s.at(tomorrow).Delete(t.Context(), "ada", made.ID, 0)
	must(t, err)
	expect("in the trash", "")
	_, err = s.Purge(t.Context(), tomorrow.Add(time.Hour), tomorrow, 10)
	must(t, err)
	if n := s.count(t, "SELECT count(*) FROM alarms"); n != 0 {
		t.Errorf("of a purged task %d alarms are left", n)
	}
}

func TestASeriesIsSavedWithTheTaskThatChangesIt(t *testing.T) {
	t.Parallel()
	for name, bound := range map[string]bool{"alone": false, "within a transaction": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newAgenda(t)
			made := daily("ada")
			s.make(t, made)
			change := func(fn func(*task.Task) error) {
				t.Helper()
				do := func(own *taskstore.Store) error {
					_, err := own.Change(t.Context(), "ada", made.ID, 0, fn)
					return err
				}
				if !bound {
					must(t, do(s.Store))
					return
				}
				must(t, s.Within(t.Context(), "ada", start, func(_ *postgres.Tx, own *taskstore.Store) error { return do(own) }))
			}
			change(func(x *task.Task) error {
				f := x.Fields
				f.Title = "another"
				return x.Edit(f, task.Following, start)
			})
			did, err := s.at(tomorrow).Spawn(t.Context(), "ada", made.Occurrence.SeriesID, task.Cause{At: tomorrow})
			must(t, err)
			if len(did.Made) != 1 || did.Made[0].Title != "another" {
				t.Errorf("made is %+v", did.Made)
			}
			change(func(x *task.Task) error {
				f := x.Fields
				f.Recurrence = nil
				return x.Edit(f, task.This, tomorrow)
			})
			if next, err := s.NextDue(t.Context()); err != nil || !next.IsZero() {
				t.Errorf("it has ended, and is due at %v: %v", next, err)
			}
			found, err := taskstore.Verify(t.Context(), s.url)
			must(t, err)
			if len(found.Differences) != 0 || found.Tasks != 2 || found.Series != 1 {
				t.Errorf("the log and the tables: %+v", found)
			}
		})
	}
}

func TestVerifyFindsWhatTheLogDoesNotSayOfSeriesAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newAgenda(t)
	var made []task.Task
	for range 4 {
		made = append(made, daily("ada"))
	}
	s.make(t, made...)
	_, err := s.ChangeProfile(t.Context(), "ada", 0, func(p *task.Profile) error { return p.SetTimeZone("Asia/Tokyo", start) })
	must(t, err)
	must(t, s.at(start).Move(t.Context(), "ada"))
	_, err = s.at(tomorrow).Spawn(t.Context(), "ada", made[0].Occurrence.SeriesID, task.Cause{At: tomorrow})
	must(t, err)
	_, err = s.at(tomorrow).Skip(t.Context(), "ada", made[1].ID, 0)
	must(t, err)
	_, err = s.at(tomorrow).Delete(t.Context(), "ada", made[2].ID, 0)
	must(t, err)
	good, err := taskstore.Verify(t.Context(), s.url)
	must(t, err)
	if len(good.Differences) != 0 || good.Tasks != 5 || good.Series != 4 {
		t.Errorf("a sound database has %+v", good)
	}
	for i, statement := range []string{
		"UPDATE series SET title = 'changed' WHERE id = '%s'",
		"UPDATE series SET ended_at = now() WHERE id = '%s'",
		"UPDATE series SET start = start + interval '1 hour' WHERE id = '%s'",
		"DELETE FROM series WHERE id = '%s'",
	} {
		execute(t, s.url, fmt.Sprintf(statement, made[i].Occurrence.SeriesID))
	}
	execute(t, s.url, "UPDATE tasks SET skipped_at = NULL WHERE id = '"+made[1].ID+"'")
	bad, err := taskstore.Verify(t.Context(), s.url)
	must(t, err)
	if len(bad.Differences) != 5 {
		t.Errorf("five differences are told as %q", bad.Differences)
	}
}
