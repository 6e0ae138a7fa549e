// Package tokenstore keeps the API tokens of users in Postgres, by their hashes.
//
// It owns their table. It refuses to know a token itself, to make one or to say what it may do, which is pkg/auth's business.
// A change of it is no event: a token is a key to what is told in the log, not a part of it.
package tokenstore

import (
	"context"
	"log/slog"
	"time"

	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
)

const (
	// Most is how many tokens of one user count at a time.
	Most = 50
	// usedEvery is how old a token's LastUsedAt may be while it is used.
	usedEvery = time.Minute
)

// Store keeps API tokens. It is safe for concurrent use.
type Store struct {
	db  *postgres.DB
	now func() time.Time
	// readOnly leaves the use of a token where nobody writes it down.
	readOnly bool
}

// New makes a Store. now is the clock, time.Now in production.
func New(db *postgres.DB, now func() time.Time) *Store { return &Store{db: db, now: now} }

// Reader makes a Store for a service whose database role only reads: it finds tokens and does not write down their use. What
// changes tokens fails.
func Reader(db *postgres.DB, now func() time.Time) *Store {
	return &Store{db: db, now: now, readOnly: true}
}

// FindAPIToken implements auth.Keeper. That a token is asked for is written down as its use, once a minute.
func (s *Store) FindAPIToken(ctx context.Context, hash auth.Hash) (auth.APIToken, error) {
	var r row
	err := s.db.Read(ctx).Where("hash = ?", hash[:]).Take(&r).Error
	if postgres.IsNone(err) {
		return auth.APIToken{}, errs.New(errs.NotFound, "no such API token")
	}
	if err != nil {
		return auth.APIToken{}, postgres.Failure(err)
	}
	if now := s.now(); !s.readOnly && now.Before(r.ExpiresAt) && (r.LastUsedAt == nil || now.Sub(*r.LastUsedAt) >= usedEvery) {
		s.used(ctx, r.ID, now)
	}
	return r.token(), nil
}

// used writes down when a token was used. It waits for nobody, and that it fails is no reason to refuse a request.
func (s *Store) used(ctx context.Context, id string, now time.Time) {
	free := s.db.Read(ctx).Model(&row{}).Select("id").Where("id = ?", id).
		Clauses(clause.Locking{Strength: "NO KEY UPDATE", Options: clause.LockingOptionsSkipLocked})
	err := s.db.Read(ctx).Model(&row{}).Where("id IN (?)", free).UpdateColumn("last_used_at", milliseconds(now)).Error
	if err != nil {
		slog.DebugContext(ctx, "the use of an API token is not written down", "error", err.Error())
	}
}

// Add keeps a new token. errs.Conflict if the user has as many as may be, errs.Unavailable if the user is being deleted.
func (s *Store) Add(ctx context.Context, t auth.APIToken) error {
	return s.db.Transaction(ctx, func(tx *postgres.Tx) error {
		// So that of two at a time each sees the other.
		var owners []string
		err := tx.Table("profiles").Where("user_id = ?", t.UserID).
			Clauses(clause.Locking{Strength: "NO KEY UPDATE"}).Pluck("user_id", &owners).Error
		if err != nil {
			return err
		}
		if len(owners) == 0 {
			return errs.New(errs.Unavailable, "the user was deleted a moment ago; try again")
		}
		var n int64
		if err := tx.Model(&row{}).Where("user_id = ? AND expires_at > ?", t.UserID, s.now()).Count(&n).Error; err != nil {
			return err
		}
		if n >= Most {
			return errs.New(errs.Conflict, "there are %d API tokens, which is the most: revoke one first", n)
		}
		r := rowOf(t)
		return tx.Create(&r).Error
	})
}

// List returns a user's tokens that have not expired, the newest first.
func (s *Store) List(ctx context.Context, userID string) ([]auth.APIToken, error) {
	var rows []row
	err := s.db.Read(ctx).Where("user_id = ? AND expires_at > ?", userID, s.now()).
		Order("created_at DESC, id DESC").Limit(Most).Find(&rows).Error
	if err != nil {
		return nil, postgres.Failure(err)
	}
	all := make([]auth.APIToken, len(rows))
	for i, r := range rows {
		all[i] = r.token()
	}
	return all, nil
}

// Revoke deletes a token. errs.NotFound if the user has none with that id.
func (s *Store) Revoke(ctx context.Context, userID, id string) error {
	none := errs.New(errs.NotFound, "no API token %s", id)
	if !postgres.IsUUID(id) {
		return none
	}
	done := s.db.Read(ctx).Where("id = ? AND user_id = ?", id, userID).Delete(&row{})
	if done.Error != nil {
		return postgres.Failure(done.Error)
	}
	if done.RowsAffected == 0 {
		return none
	}
	return nil
}

// Live returns those of some tokens' ids, up to 1,000, that have neither been revoked nor expired.
func (s *Store) Live(ctx context.Context, ids []string) ([]string, error) {
	var live []string
	err := s.db.Read(ctx).Model(&row{}).Where("id IN ? AND expires_at > ?", ids, s.now()).Pluck("id", &live).Error
	return live, postgres.Failure(err)
}
