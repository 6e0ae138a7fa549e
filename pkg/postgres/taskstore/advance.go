package taskstore

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// Advance implements task.Store. This is the path of every occurrence: beside the events it is four statements, and one
// more if there are reminders.
func (s *Store) Advance(ctx context.Context, userID, seriesID string, fn func(*task.Series, task.Profile) ([]task.Task, error)) ([]task.Task, error) {
	if err := s.mayWrite(userID); err != nil {
		return nil, err
	}
	if !isID(seriesID) {
		return nil, noSeries(seriesID)
	}
	var (
		made    []task.Task
		refused error
	)
	err := s.db.Transaction(ctx, func(tx *postgres.Tx) error {
		owner, err := s.lockOwner(tx, userID, toChange)
		if postgres.IsNone(err) {
			return noProfile(userID)
		}
		if err != nil {
			return err
		}
		loaded, err := takeSeries(tx, userID, seriesID, true)
		if err != nil {
			return err
		}
		one := loaded.series()
		var wanted []task.Task
		if wanted, refused = fn(&one, owner); refused != nil {
			return refused
		}
		if made, err = makeOccurrences(tx, &one, owner, wanted); err != nil {
			return err
		}
		return saveSeries(tx, &one, loaded, owner.TimeZone)
	})
	if refused != nil {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	return made, nil
}

// makeOccurrences saves the tasks of a locked series whose occurrence has none yet, and returns them. Who is making, changing
// or purging the same occurrence is waited for; it does not wait for the series (see postgres, lock order).
func makeOccurrences(tx *postgres.Tx, of *task.Series, owner task.Profile, wanted []task.Task) ([]task.Task, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	zone, err := zoneFor(owner, wanted)
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(wanted))
	for i, t := range wanted {
		rows[i] = rowOf(t, zone)
	}
	done := tx.Omit(clause.Associations).Clauses(clause.OnConflict{
		Columns:     []clause.Column{{Name: "series_id"}, {Name: "occurrence"}},
		TargetWhere: clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: "series_id IS NOT NULL"}}},
		DoNothing:   true,
	}).Create(&rows)
	if done.Error != nil {
		return nil, done.Error
	}
	made := wanted
	if done.RowsAffected != int64(len(wanted)) {
		if made, err = madeOf(tx, of, wanted); err != nil {
			return nil, err
		}
	}
	for _, t := range made {
		if err := tx.Append(t.Facts()...); err != nil {
			return nil, err
		}
	}
	return made, setAlarms(tx, alarmsOf(zone, made...))
}

// madeOf finds those of the wanted tasks that were made. For the others there was one already: if such a one is to be the
// newest, the one that was there is.
func madeOf(tx *postgres.Tx, of *task.Series, wanted []task.Task) ([]task.Task, error) {
	at := make(postgres.Times, len(wanted))
	for i, t := range wanted {
		at[i] = t.Occurrence.At
	}
	var rows []row
	err := tx.Select("id", "occurrence").Where("series_id = ? AND occurrence = ANY(?::timestamp[])", of.ID, at).Find(&rows).Error
	if err != nil {
		return nil, err
	}
	there := make(map[time.Time]string, len(rows))
	for _, r := range rows {
		there[r.Occurrence.UTC()] = r.ID
	}
	var made []task.Task
	for _, t := range wanted {
		id := there[t.Occurrence.At.UTC()]
		if id == t.ID {
			made = append(made, t)
		} else if of.Newest == t.ID {
			of.Newest = id
		}
	}
	return made, nil
}

// zoneFor is the owner's zone if one of the tasks needs it, nil otherwise: a zone is read from a file.
func zoneFor(owner task.Profile, tasks []task.Task) (*time.Location, error) {
	for _, t := range tasks {
		if t.Due.Date != "" {
			return task.Zone(owner.TimeZone)
		}
	}
	return nil, nil //nolint:nilnil // documented: nobody needs one
}

// Following implements task.Store.
func (s *Store) Following(ctx context.Context, userID, zone, after string, limit int) ([]string, error) {
	query := s.db.Read(ctx).Model(&seriesRow{}).
		Where("user_id = ? AND ended_at IS NULL AND recurrence_zone IS NULL AND zone <> ?", userID, zone)
	return idsAbove(query, after, limit)
}

// OpenIDs implements task.Store.
func (s *Store) OpenIDs(ctx context.Context, userID, seriesID, after string, limit int) ([]string, error) {
	query := s.db.Read(ctx).Model(&row{}).
		Where("user_id = ? AND trashed = ? AND completed_at IS NULL AND skipped_at IS NULL", userID, false)
	switch {
	case seriesID == "":
		query = query.Where("due_date IS NOT NULL AND reminders <> '{}'")
	case isID(seriesID):
		query = query.Where("series_id = ?", seriesID)
	default:
		return nil, nil
	}
	return idsAbove(query, after, limit)
}

// idsAbove are up to limit ids of a query, in order, above one, or from the first on if that is empty.
func idsAbove(query *gorm.DB, after string, limit int) ([]string, error) {
	if limit < 1 || limit > 1000 || after != "" && !isID(after) {
		return nil, errs.New(errs.Invalid, "1 to 1000 at a time, above an id")
	}
	if after != "" {
		query = query.Where("id > ?", after)
	}
	var ids []string
	return ids, postgres.Failure(query.Order("id").Limit(limit).Pluck("id", &ids).Error)
}
