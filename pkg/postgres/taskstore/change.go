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

// What a change turns out to need of the owner's profile, whose lock comes before the task's.
var (
	errZoneNeeded   = errors.New("the change needs the owner's zone")
	errSeriesNeeded = errors.New("the change is one of the series")
)

// Change implements task.Store. Most changes need the task alone. Whether one needs the owner's zone, or is one of the series,
// is found out by trying, with the series as it was last committed; it is then done again behind a lock of the profile.
func (s *Store) Change(ctx context.Context, userID, id string, version int, fn func(*task.Task) error) (task.Task, error) {
	if err := s.mayWrite(userID); err != nil {
		return task.Task{}, err
	}
	if s.owner != nil { // whose profile is locked
		return s.change(ctx, userID, id, version, toChange, fn)
	}
	t, err := s.change(ctx, userID, id, version, "", fn)
	if errors.Is(err, errZoneNeeded) {
		t, err = s.change(ctx, userID, id, version, toRely, fn)
	}
	if errors.Is(err, errSeriesNeeded) {
		t, err = s.change(ctx, userID, id, version, toChange, fn)
	}
	return t, err
}

// change is Change with the profile locked in a strength: not at all, toRely for the zone, or toChange for the series too.
func (s *Store) change(ctx context.Context, userID, id string, version int, strength string, fn func(*task.Task) error) (task.Task, error) {
	if !isID(id) {
		return task.Task{}, noTask(id)
	}
	var (
		result  task.Task
		refused error
	)
	err := s.db.Transaction(ctx, func(tx *postgres.Tx) error {
		var zone *time.Location
		if strength != "" {
			var err error
			if zone, err = s.lockZone(tx, userID, strength); postgres.IsNone(err) {
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
		c := change{before: result, row: r, zone: zone, withSeries: strength == toChange}
		t := r.task()
		if r.SeriesID != nil {
			if c.series, err = takeSeries(tx, userID, *r.SeriesID, c.withSeries); err != nil {
				return err
			}
			of := c.series.series()
			t.Series = &of
		}
		if refused = fn(&t); refused != nil {
			return refused
		}
		if err := c.save(tx, t); err != nil {
			return err
		}
		result = t
		result.Series = nil
		return nil
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

// change is one change of a task: what was before, and under which locks.
type change struct {
	before task.Task
	row    row
	// series is the task's, if it had one; locked if withSeries.
	series     seriesRow
	withSeries bool
	// zone is the owner's if the profile is locked, nil if not.
	zone *time.Location
}

// save writes what the change left, or is errZoneNeeded or errSeriesNeeded.
func (c change) save(tx *postgres.Tx, t task.Task) error {
	series := t.Series != nil && touched(*t.Series, c.series)
	alarms := t.AlarmsChanged() && (reminds(c.before) || reminds(t))
	switch {
	case series && !c.withSeries:
		return errSeriesNeeded
	case c.zone == nil && t.Due.Date != "" && (t.Due.Date != c.before.Due.Date || alarms && rings(t)):
		return errZoneNeeded
	}
	if len(t.Facts()) > 0 {
		if err := saveTask(tx, c.row, t, c.zone); err != nil {
			return err
		}
	}
	if series {
		if err := c.saveSeries(tx, t.Series); err != nil {
			return err
		}
	}
	if alarms {
		return resetAlarms(tx, c.zone, t)
	}
	return nil
}

func (c change) saveSeries(tx *postgres.Tx, now *task.Series) error {
	if c.series.ID == now.ID {
		return saveSeries(tx, now, c.series, c.zone.String())
	}
	if err := insertSeries(tx, c.zone, now); err != nil {
		return err
	}
	return tx.Append(now.Facts()...)
}

// saveTask writes a task that is locked, with its events. The zone is the owner's, needed if the due day is another than in
// the row: of the same day the end is the same, because whoever moves the owner has this task to wait for.
func saveTask(tx *postgres.Tx, before row, t task.Task, zone *time.Location) error {
	if zone == nil {
		zone = time.UTC
	}
	r := rowOf(t, zone)
	if t.Due.Equal(before.task().Due) {
		r.Deadline = before.Deadline
	}
	if err := tx.Model(&r).Select("*").Omit("id", "user_id", "created_at").Updates(&r).Error; err != nil {
		return err
	}
	return tx.Append(t.Facts()...)
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
