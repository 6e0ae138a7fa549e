package taskstore

import (
	"context"
	"slices"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// seriesRow is how Postgres sees a series. It never leaves this package.
type seriesRow struct {
	ID               string `gorm:"primaryKey"`
	UserID           string
	Title            string
	Description      string
	Priority         int16
	Tags             postgres.Texts
	Reminders        postgres.Ints
	RecurrenceRule   string
	RecurrenceAnchor string
	RecurrenceZone   *string
	CatchUp          string
	Start            time.Time
	WholeDay         bool
	Version          int
	CreatedAt        time.Time
	UpdatedAt        time.Time `gorm:"autoUpdateTime:false"`
	EndedAt          *time.Time
	// Derived is what the log does not tell of.
	Derived progressRow `gorm:"embedded"`
}

// progressRow is a series' task.Progress, and when it can be claimed.
type progressRow struct {
	Zone    string
	Cursor  time.Time
	Made    int
	Newest  string
	Next    *time.Time
	NextAt  *time.Time
	ClaimAt *time.Time
	Claims  int
}

func (seriesRow) TableName() string { return "series" }

// seriesRowOf can be claimed when it is due, and has not been claimed.
func seriesRowOf(s task.Series) seriesRow {
	r := seriesRow{
		ID: s.ID, UserID: s.UserID, Title: s.Title, Description: s.Description,
		Priority: int16(s.Priority.Rank()), //nolint:gosec // G115: at most 4
		Tags:     s.Tags, Reminders: s.Reminders,
		RecurrenceRule: s.Recurrence.Rule, RecurrenceAnchor: string(s.Recurrence.Anchor),
		RecurrenceZone: orNone(s.Recurrence.TimeZone), CatchUp: string(s.Recurrence.CatchUp),
		Start: s.Start, WholeDay: s.WholeDay, Version: s.Version,
		CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt, EndedAt: orNull(s.EndedAt),
		Derived: progressRow{
			Zone: s.Zone, Cursor: s.Cursor, Made: s.Made, Newest: s.Newest,
			Next: orNull(s.Next), NextAt: orNull(s.NextAt), ClaimAt: orNull(s.NextAt),
		},
	}
	if r.CatchUp == "" {
		r.CatchUp = string(task.Latest)
	}
	return r
}

func (r seriesRow) series() task.Series {
	s := task.Series{
		ID: r.ID, UserID: r.UserID,
		Fields: task.Fields{
			Title: r.Title, Description: r.Description, Priority: priorityOf(r.Priority), Tags: r.Tags, Reminders: r.Reminders,
			Recurrence: &task.Recurrence{
				Rule: r.RecurrenceRule, Anchor: task.Anchor(r.RecurrenceAnchor), CatchUp: task.CatchUp(r.CatchUp),
			},
		},
		Start: r.Start.UTC(), WholeDay: r.WholeDay, Version: r.Version,
		CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(), EndedAt: orZero(r.EndedAt),
		Progress: r.Derived.progress(),
	}
	if r.RecurrenceZone != nil {
		s.Recurrence.TimeZone = *r.RecurrenceZone
	}
	return s
}

func (r progressRow) progress() task.Progress {
	return task.Progress{
		Zone: r.Zone, Cursor: r.Cursor.UTC(), Made: r.Made, Newest: r.Newest, Next: orZero(r.Next), NextAt: orZero(r.NextAt),
	}
}

// touched reports whether a series is not what was loaded.
func touched(now task.Series, loaded seriesRow) bool {
	a, b := now.Progress, loaded.Derived.progress()
	return len(now.Facts()) > 0 || a.Zone != b.Zone || a.Made != b.Made || a.Newest != b.Newest ||
		!a.Cursor.Equal(b.Cursor) || !a.Next.Equal(b.Next) || !a.NextAt.Equal(b.NextAt)
}

// Series implements task.Store.
func (s *Store) Series(ctx context.Context, userID string, ids []string) ([]task.Series, error) {
	if len(ids) > task.MaxPage {
		return nil, errs.New(errs.Invalid, "%d series at a time", task.MaxPage)
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !isID(id) })
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []seriesRow
	err := s.db.Read(ctx).Where("user_id = ? AND id = ANY(?::uuid[])", userID, postgres.Texts(ids)).Order("id").Find(&rows).Error
	if err != nil {
		return nil, postgres.Failure(err)
	}
	found := make([]task.Series, len(rows))
	for i := range rows {
		found[i] = rows[i].series()
	}
	return found, nil
}

// takeSeries reads a user's series, locked or as it was last committed.
func takeSeries(tx *postgres.Tx, userID, id string, locked bool) (seriesRow, error) {
	query := tx.Where("id = ? AND user_id = ?", id, userID)
	if locked {
		query = query.Clauses(lock(toChange))
	}
	var r seriesRow
	err := query.Take(&r).Error
	if postgres.IsNone(err) {
		return r, noSeries(id)
	}
	return r, err
}

// saveSeries writes a series that is locked with its events, if it is not what was loaded, and has it claimed when it is due.
// A claim that is being acted on may be made once more by that, which does no harm; one that led to nothing stays, so that
// what cannot be done is not tried again at once. The zone is the owner's.
func saveSeries(tx *postgres.Tx, s *task.Series, loaded seriesRow, zone string) error {
	if err := s.Settle(zone); err != nil {
		return err
	}
	if !touched(*s, loaded) {
		return nil
	}
	r := seriesRowOf(*s)
	columns := tx.Model(&r)
	if len(s.Facts()) > 0 {
		columns = columns.Select("*").Omit("id", "user_id", "created_at", "claims")
	} else {
		columns = columns.Select("zone", "cursor", "made", "newest", "next", "next_at", "claim_at")
	}
	if err := columns.Updates(&r).Error; err != nil {
		return err
	}
	return tx.Append(s.Facts()...)
}

// insertSeries writes new series of an owner in a zone, without their events.
func insertSeries(tx *postgres.Tx, zone *time.Location, all ...*task.Series) error {
	if len(all) == 0 {
		return nil
	}
	rows := make([]seriesRow, len(all))
	for i, s := range all {
		if err := s.Settle(zone.String()); err != nil {
			return err
		}
		rows[i] = seriesRowOf(*s)
	}
	err := tx.Create(&rows).Error
	if postgres.IsDuplicate(err) {
		return errs.Because(err, errs.Conflict, "a series of that id exists already")
	}
	return err
}

func noSeries(id string) error { return errs.New(errs.NotFound, "no series %s", id) }
