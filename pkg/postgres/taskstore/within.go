package taskstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// Within runs fn in one transaction, with a store through which everything is part of it: all that fn did is kept if it
// returns nil, nothing otherwise. The user gets a profile before, in UTC, if there is none; it neither changes nor goes
// until the transaction has ended. Who changes several tasks does so in the order of their ids (see postgres, lock order).
//
// The store is this user's alone, is not safe for concurrent use, and ends with fn. It refuses what needs a stronger lock
// of the profile, or none: ChangeProfile, Forget and Purge. After an error that the database gave, an id that is taken for
// instance, everything that follows is errs.Unavailable and nothing is kept: its transaction has no way back.
//
// Errors as in postgres.DB.Transaction. fn is called once at most.
func (s *Store) Within(ctx context.Context, userID string, now time.Time, fn func(tx *postgres.Tx, own *Store) error) error {
	for range maxReturns {
		if _, err := s.EnsureProfile(ctx, userID, "UTC", now); err != nil {
			return err
		}
		gone := false
		err := s.db.Transaction(ctx, func(tx *postgres.Tx) error {
			// Shared, though most calls would do without: taken later, behind a task, it could be what two wait for.
			var r profileRow
			if err := tx.Clauses(lock(toRely)).Where("user_id = ?", userID).Take(&r).Error; err != nil {
				gone = postgres.IsNone(err)
				return err
			}
			owner := r.profile()
			return fn(tx, &Store{db: bound{tx}, log: tx.Log(), owner: &owner})
		})
		if !gone {
			return err
		}
		// Forgotten after it had been looked up, by another process perhaps.
		s.profiles.drop(userID)
	}
	return errs.New(errs.Unavailable, "the user is being deleted again and again")
}

// bound is a transaction as the database of a Store.
type bound struct{ *postgres.Tx }

// Transaction is a part of the one there is. A part that fails has written nothing, because a store looks before it
// writes; if it is the database that refuses, that is the end of the whole.
func (b bound) Transaction(ctx context.Context, fn func(tx *postgres.Tx) error) error {
	return postgres.Failure(fn(b.Under(ctx)))
}

// Read sees what the transaction has written.
func (b bound) Read(ctx context.Context) *gorm.DB { return b.WithContext(ctx) }

// mayWrite refuses to write for another user than the one whose profile is locked.
func (s *Store) mayWrite(userID string) error {
	if s.owner != nil && s.owner.UserID != userID {
		return fmt.Errorf("taskstore: the transaction is user %s's, not %s's", s.owner.UserID, userID)
	}
	return nil
}

// mayLock refuses what takes other locks than a transaction with a locked profile may wait for.
func (s *Store) mayLock() error {
	if s.owner != nil {
		return errors.New("taskstore: this needs a transaction of its own")
	}
	return nil
}

// zone locks the profile in a strength, unless it is locked already, and returns the owner's zone.
func (s *Store) zone(tx *postgres.Tx, userID, strength string) (*time.Location, error) {
	if s.owner != nil {
		return task.Zone(s.owner.TimeZone)
	}
	return lockZone(tx, userID, strength)
}
