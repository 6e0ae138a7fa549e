package taskstore

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// errZoneNeeded says that a change turned out to need the owner's zone, whose lock comes before the task's.
var errZoneNeeded = errors.New("the change needs the owner's zone")

// Change implements task.Store.
func (s *Store) Change(ctx context.Context, userID, id string, version int, fn func(*task.Task) error) (task.Task, error) {
	if err := s.mayWrite(userID); err != nil {
		return task.Task{}, err
	}
	// A profile that is locked already costs nothing.
	t, err := s.change(ctx, userID, id, version, s.owner != nil, fn)
	if errors.Is(err, errZoneNeeded) {
		t, err = s.change(ctx, userID, id, version, true, fn)
	}
	return t, err
}

func (s *Store) change(ctx context.Context, userID, id string, version int, withZone bool, fn func(*task.Task) error) (task.Task, error) {
	if !isID(id) {
		return task.Task{}, noTask(id)
	}
	var (
		result  task.Task
		refused error
	)
	err := s.db.Transaction(ctx, func(tx *postgres.Tx) error {
		var zone *time.Location
		if withZone {
			var err error
			if zone, err = s.zone(tx, userID, toRely); postgres.IsNone(err) {
				return noTask(id)
			} else if err != nil {
				return err
			}
		}
		var r row
		err := tx.Clauses(lock(toChange)).Where("id = ? AND user_id = ?", id, userID).Take(&r).Error
		if postgres.IsNone(err) {
			return noTask(id)
		}
		if err != nil {
			return err
		}
		result = r.task()
		if version != 0 && version != result.Version {
			return errs.New(errs.Stale, "task %s is at version %d, not %d", id, result.Version, version)
		}
		t := r.task()
		if refused = fn(&t); refused != nil {
			return refused
		}
		if len(t.Facts()) == 0 {
			return nil
		}
		if t.Due.Date != "" && zone == nil {
			if t.Due.Date != result.Due.Date {
				return errZoneNeeded
			}
			// The day is the same, so is its end: whoever moves the owner has this task to wait for.
			zone = time.UTC
		}
		changed := rowOf(t, zone)
		if t.Due.Equal(result.Due) {
			changed.Deadline = r.Deadline
		}
		done := tx.Model(&changed).Select("*").Omit("id", "user_id", "created_at").Updates(&changed)
		if done.Error != nil {
			return done.Error
		}
		result = t
		return tx.Append(t.Facts()...)
	})
	switch {
	case refused != nil:
		return task.Task{}, refused
	case err == nil || errs.Is(err, errs.Stale):
		return result, err
	default:
		return task.Task{}, err
	}
}

// Purge implements task.Store. What another transaction holds is left for the next time.
func (s *Store) Purge(ctx context.Context, before, now time.Time, limit int) (int, error) {
	if err := s.mayLock(); err != nil {
		return 0, err
	}
	purged := 0
	err := s.db.Transaction(ctx, func(tx *postgres.Tx) error {
		var rows []row
		err := tx.Clauses(clause.Locking{Strength: toDelete, Options: clause.LockingOptionsSkipLocked}).
			Where("deleted_at < ?", before).Order("deleted_at").Limit(limit).Find(&rows).Error
		if err != nil || len(rows) == 0 {
			return err
		}
		ids := make(postgres.Texts, len(rows))
		facts := make([]event.Draft, len(rows))
		for i, r := range rows {
			t := r.task()
			ids[i], facts[i] = r.ID, t.Purged(now)
		}
		if err := tx.Where("id = ANY(?::uuid[])", ids).Delete(&row{}).Error; err != nil {
			return err
		}
		purged = len(rows)
		return tx.Append(facts...)
	})
	if err != nil {
		return 0, err
	}
	return purged, nil
}
