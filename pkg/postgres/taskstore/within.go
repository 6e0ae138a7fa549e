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
// A user's transactions of this kind come one after the other.
//
// The store is this user's alone, is not safe for concurrent use, and ends with fn. It refuses what needs a stronger lock
// of the profile, or none: ChangeProfile, Forget, Purge and the claims. After an error that the database gave, an id that is taken for
// instance, everything that follows is errs.Unavailable and nothing is kept: its transaction has no way back.
//
// Errors as in postgres.DB.Transaction. fn is called once at most.
func (s *Store) Within(ctx context.Context, userID string, now time.Time, fn func(tx *postgres.Tx, own *Store) error) error {
	for range maxReturns {
		if _, err := s.EnsureProfile(ctx, userID, "UTC", now); err != nil {
			return err
		}
		known, err := s.within(ctx, userID, fn)
		if known {
			return err
		}
		// Forgotten after it had been looked up, by another process perhaps.
		s.profiles.drop(userID)
	}
	return errs.New(errs.Unavailable, "the user is being deleted again and again")
}

// WithinKnown is Within for a user who may be gone: without a profile it is errs.NotFound and makes none. Handlers of events
// use it, which may come after their user has left.
func (s *Store) WithinKnown(ctx context.Context, userID string, fn func(tx *postgres.Tx, own *Store) error) error {
	known, err := s.within(ctx, userID, fn)
	if !known {
		return noProfile(userID)
	}
	return err
}

// within is one attempt of Within. known reports whether there is a profile, as far as that could be seen.
func (s *Store) within(ctx context.Context, userID string, fn func(tx *postgres.Tx, own *Store) error) (known bool, err error) {
	known = true
	err = s.db.Transaction(ctx, func(tx *postgres.Tx) error {
		// So strong that it keeps away all others that lock a series: who changes several tasks locks their series in no
		// order. Many calls would do with less, but taken later, behind a task, it could be what two wait for.
		owner, err := lockProfile(tx, userID, toChange)
		if err != nil {
			known = !postgres.IsNone(err)
			return err
		}
		return fn(tx, &Store{db: bound{tx}, log: tx.Log(), owner: &owner})
	})
	return known, err
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

// lockOwner locks the profile in a strength, unless it is locked already, and returns it.
func (s *Store) lockOwner(tx *postgres.Tx, userID, strength string) (task.Profile, error) {
	if s.owner != nil {
		return *s.owner, nil
	}
	return lockProfile(tx, userID, strength)
}

// lockZone is lockOwner for the owner's zone.
func (s *Store) lockZone(tx *postgres.Tx, userID, strength string) (*time.Location, error) {
	owner, err := s.lockOwner(tx, userID, strength)
	if err != nil {
		return nil, err
	}
	return task.Zone(owner.TimeZone)
}

func lockProfile(tx *postgres.Tx, userID, strength string) (task.Profile, error) {
	var r profileRow
	err := tx.Clauses(lock(strength)).Where("user_id = ?", userID).Take(&r).Error
	return r.profile(), err
}
