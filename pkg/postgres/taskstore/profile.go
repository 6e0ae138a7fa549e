package taskstore

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/task"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// EnsureProfile implements task.Store. A profile may be some seconds old: it is asked for with every request. What must
// not be wrong, a deadline, does not rest on it.
func (s *Store) EnsureProfile(ctx context.Context, userID, zone string, now time.Time) (task.Profile, error) {
	if s.owner != nil {
		if err := s.mayWrite(userID); err != nil {
			return task.Profile{}, err
		}
		return *s.owner, nil
	}
	if p, ok := s.profiles.get(userID); ok {
		return p, nil
	}
	if userID == "" || len(userID) > 255 || !isText(userID) {
		return task.Profile{}, errs.New(errs.Invalid, "a user's id must be 1 to 255 bytes of text")
	}
	p, err := s.profile(ctx, userID)
	if errs.Is(err, errs.NotFound) {
		if err = s.welcome(ctx, userID, zone, now); err == nil {
			p, err = s.profile(ctx, userID)
		}
	}
	if err != nil {
		return task.Profile{}, err
	}
	s.profiles.put(p)
	return p, nil
}

func (s *Store) profile(ctx context.Context, userID string) (task.Profile, error) {
	var r profileRow
	err := s.db.Read(ctx).Where("user_id = ?", userID).Take(&r).Error
	if postgres.IsNone(err) {
		return task.Profile{}, noProfile(userID)
	}
	return r.profile(), postgres.Failure(err)
}

// welcome makes the profile unless somebody else just did. The versions of a user who was here before go on where they
// ended, so that nobody takes the new profile for an old one.
func (s *Store) welcome(ctx context.Context, userID, zone string, now time.Time) error {
	return s.db.Transaction(ctx, func(tx *postgres.Tx) error {
		p := task.NewProfile(userID, zone, now)
		r := profileRowOf(p)
		done := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&r)
		if done.Error != nil || done.RowsAffected == 0 {
			return done.Error
		}
		before, err := tx.Log().LastVersion(ctx, contract.Users, userID)
		if err != nil {
			return err
		}
		facts := p.Facts()
		if before > 0 {
			for i := range facts {
				facts[i].Version += before
			}
			if err := tx.Model(&r).Update("version", p.Version+before).Error; err != nil {
				return err
			}
		}
		return tx.Append(facts...)
	})
}

// ChangeProfile implements task.Store.
func (s *Store) ChangeProfile(ctx context.Context, userID string, version int, fn func(*task.Profile) error) (task.Profile, error) {
	if err := s.mayLock(); err != nil {
		return task.Profile{}, err
	}
	var (
		result  task.Profile
		refused error
	)
	err := s.db.Transaction(ctx, func(tx *postgres.Tx) error {
		var r profileRow
		err := tx.Clauses(lock(toChange)).Where("user_id = ?", userID).Take(&r).Error
		if postgres.IsNone(err) {
			return noProfile(userID)
		}
		if err != nil {
			return err
		}
		result = r.profile()
		if version != 0 && version != result.Version {
			return errs.New(errs.Stale, "the profile is at version %d, not %d", result.Version, version)
		}
		p := r.profile()
		if refused = fn(&p); refused != nil {
			return refused
		}
		if len(p.Facts()) == 0 {
			return nil
		}
		changed := profileRowOf(p)
		if err := tx.Model(&changed).Select("*").Omit("user_id", "created_at").Updates(&changed).Error; err != nil {
			return err
		}
		if p.TimeZone != result.TimeZone {
			if err := moveDays(tx, p); err != nil {
				return err
			}
		}
		result = p
		return tx.Append(p.Facts()...)
	})
	if refused != nil {
		return task.Profile{}, refused
	}
	if err == nil || errs.Is(err, errs.Stale) {
		s.profiles.put(result)
		return result, err
	}
	s.profiles.drop(userID)
	return task.Profile{}, err
}

// moveDays gives the tasks that are due on a day the end of that day in the profile's zone. Days in a row whose ends are
// equally far from the UTC midnight, as all are between two clock changes, are one statement. It is computed here because
// Postgres may know other zones than Go, and because the two disagree about a midnight that a clock change skips.
func moveDays(tx *postgres.Tx, p task.Profile) error {
	zone, err := task.Zone(p.TimeZone)
	if err != nil {
		return err
	}
	var days []time.Time
	err = tx.Model(&row{}).Where("user_id = ? AND due_date IS NOT NULL", p.UserID).Distinct().Order("due_date").Pluck("due_date", &days).Error
	if err != nil {
		return err
	}
	length := func(day time.Time) time.Duration {
		return task.Due{Date: day.Format(time.DateOnly)}.Deadline(zone).Sub(day)
	}
	for first := 0; first < len(days); {
		end := length(days[first])
		last := first
		for last+1 < len(days) && length(days[last+1]) == end {
			last++
		}
		err := tx.Model(&row{}).
			Where("user_id = ? AND due_date BETWEEN ? AND ?", p.UserID, days[first], days[last]).
			UpdateColumn("deadline", gorm.Expr("due_date::timestamp AT TIME ZONE 'UTC' + ? * interval '1 second'", int(end.Seconds()))).Error
		if err != nil {
			return err
		}
		first = last + 1
	}
	return nil
}

// Forget implements task.Store.
func (s *Store) Forget(ctx context.Context, userID string, now time.Time) error {
	if err := s.mayLock(); err != nil {
		return err
	}
	defer s.profiles.drop(userID)
	return s.db.Transaction(ctx, func(tx *postgres.Tx) error {
		// From here on nobody makes a task of this user until the commit, and then only with a new profile.
		var r profileRow
		err := tx.Clauses(lock(toDelete)).Where("user_id = ?", userID).Take(&r).Error
		if postgres.IsNone(err) {
			return noProfile(userID)
		}
		if err != nil {
			return err
		}
		if err := tx.Delete(&r).Error; err != nil { // what else is the user's goes with it
			return err
		}
		if err := tx.Erase(userID); err != nil {
			return err
		}
		p := r.profile()
		return tx.Append(p.Forgotten(now))
	})
}

func noProfile(userID string) error { return errs.New(errs.NotFound, "no profile of user %s", userID) }
