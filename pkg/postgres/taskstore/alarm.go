package taskstore

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// alarmRow is how Postgres sees a reminder of a task.
type alarmRow struct {
	ID      string `gorm:"primaryKey"`
	UserID  string
	TaskID  string
	Minutes int
	DueAt   time.Time
	At      time.Time
	// ClaimAt is nil for one that rang.
	ClaimAt *time.Time
	Claims  int
}

func (alarmRow) TableName() string { return "alarms" }

func (r alarmRow) alarm() task.Alarm {
	return task.Alarm{Minutes: r.Minutes, DueAt: r.DueAt.UTC(), At: r.At.UTC()}
}

// reminds reports whether a task has reminders at all: most have none, which must cost nothing.
func reminds(t task.Task) bool { return len(t.Reminders) > 0 || len(t.RemindAt) > 0 }

// rings reports whether they can ring.
func rings(t task.Task) bool { return reminds(t) && t.Open() && !t.Deleted() }

// alarmsOf are the rows of the tasks' alarms. The zone is the owner's, needed for a task that is due on a day.
func alarmsOf(zone *time.Location, tasks ...task.Task) []alarmRow {
	var rows []alarmRow
	for i := range tasks {
		t := &tasks[i]
		if !rings(*t) {
			continue
		}
		for _, a := range t.Alarms(zone) {
			rows = append(rows, alarmRow{
				ID: event.NewID(), UserID: t.UserID, TaskID: t.ID, Minutes: a.Minutes, DueAt: a.DueAt, At: a.At, ClaimAt: &a.At,
			})
		}
	}
	return rows
}

// setAlarms has those ring that are not known yet. What rang does not ring again.
func setAlarms(tx *postgres.Tx, rows []alarmRow) error {
	if len(rows) == 0 {
		return nil
	}
	return tx.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "task_id"}, {Name: "minutes"}, {Name: "due_at"}},
		DoNothing: true,
	}).Create(&rows).Error
}

// resetAlarms is setAlarms for a task that was something else before. Of what waits, that goes on which the task would have
// had whenever it was set: what is due and about to ring does. The zone is the owner's, needed as in alarmsOf.
func resetAlarms(tx *postgres.Tx, zone *time.Location, t task.Task) error {
	waiting := tx.Where("task_id = ? AND claim_at IS NOT NULL", t.ID)
	if rings(t) {
		stay := alarmsOf(zone, rowOf(t, zone).task())
		minutes, dues := make(postgres.Ints, len(stay)), make(postgres.Times, len(stay))
		for i, a := range stay {
			minutes[i], dues[i] = a.Minutes, a.DueAt
		}
		waiting = waiting.Where("(minutes, due_at) NOT IN (SELECT * FROM unnest(?::integer[], ?::timestamptz[]))", minutes, dues)
	}
	if err := waiting.Delete(&alarmRow{}).Error; err != nil {
		return err
	}
	return setAlarms(tx, alarmsOf(zone, t))
}

// Ring implements task.Store. A waiting alarm changes, but for its claims, under the lock of its task only.
func (s *Store) Ring(ctx context.Context, userID, alarmID string, fn func(*task.Task, task.Alarm) error) error {
	if err := s.mayWrite(userID); err != nil {
		return err
	}
	if !isID(alarmID) {
		return nil
	}
	var refused error
	err := s.db.Transaction(ctx, func(tx *postgres.Tx) error {
		if _, err := s.lockOwner(tx, userID, toRefer); postgres.IsNone(err) {
			return noProfile(userID)
		} else if err != nil {
			return err
		}
		its := tx.Model(&alarmRow{}).Select("task_id").Where("id = ?", alarmID)
		var r row
		err := tx.Clauses(lock(toChange)).Where("id = (?) AND user_id = ?", its, userID).Take(&r).Error
		if postgres.IsNone(err) {
			return nil
		}
		if err != nil {
			return err
		}
		var a alarmRow
		err = tx.Where("id = ? AND claim_at IS NOT NULL", alarmID).Take(&a).Error
		if postgres.IsNone(err) {
			return nil
		}
		if err != nil {
			return err
		}
		t := r.task()
		if refused = fn(&t, a.alarm()); refused != nil {
			return refused
		}
		if err := tx.Model(&a).Update("claim_at", nil).Error; err != nil {
			return err
		}
		if len(t.Facts()) == 0 {
			return nil
		}
		return saveTask(tx, r, t, nil)
	})
	if refused != nil {
		return refused
	}
	return err
}
