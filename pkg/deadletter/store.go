package deadletter

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// MaxList bounds how many letters are listed, and how many may be named, at once.
const MaxList = 500

// Store is the letters as operators see them. It is safe for concurrent use.
type Store struct{ db *postgres.DB }

// NewStore makes a Store.
func NewStore(db *postgres.DB) *Store { return &Store{db} }

// Filter selects letters. The zero value of a field does not restrict.
type Filter struct {
	// IDs are at most MaxList.
	IDs      []string
	Consumer string
	Topic    contract.Topic
	// Reason is a part of the reason, in whatever case. Kind is one of Kinds.
	Reason, Kind          string
	UserID, CorrelationID string
	// Since and Until are of when it was last seen; Since includes, Until excludes.
	Since, Until time.Time
	States       []State
}

// Empty reports whether the filter selects every letter.
func (f Filter) Empty() bool {
	return len(f.IDs)+len(f.States) == 0 && f.Consumer == "" && f.Topic == "" && f.Reason == "" && f.Kind == "" && f.UserID == "" &&
		f.CorrelationID == "" && f.Since.IsZero() && f.Until.IsZero()
}

func (f Filter) check() error {
	if len(f.IDs) > MaxList {
		return errs.New(errs.Invalid, "%d letters are named, expected at most %d", len(f.IDs), MaxList)
	}
	for _, id := range f.IDs {
		if !postgres.IsUUID(id) {
			return errs.New(errs.Invalid, "%q is no id of a dead letter: expected a UUID", id)
		}
	}
	return nil
}

// letters is a query of the selected ones.
func (f Filter) letters(db *gorm.DB) *gorm.DB {
	query := db.Table(states)
	equal := func(column, value string) {
		if value != "" {
			query = query.Where(column+" = ?", value)
		}
	}
	equal("letters.consumer", f.Consumer)
	equal("letters.topic", string(f.Topic))
	equal("letters.kind", f.Kind)
	equal("letters.user_id", f.UserID)
	equal("letters.correlation_id", f.CorrelationID)
	if len(f.IDs) > 0 {
		query = query.Where("letters.id IN ?", f.IDs)
	}
	if len(f.States) > 0 {
		query = query.Where("letters.state IN ?", f.States)
	}
	if f.Reason != "" {
		query = query.Where("strpos(lower(letters.reason), ?) > 0", strings.ToLower(f.Reason))
	}
	if !f.Since.IsZero() {
		query = query.Where("letters.last_seen >= ?", f.Since)
	}
	if !f.Until.IsZero() {
		query = query.Where("letters.last_seen < ?", f.Until)
	}
	return query
}

// List returns up to limit (at most MaxList) of the selected letters, the last seen first, without their records, and whether
// there are more. errs.Invalid if the filter cannot be.
func (s *Store) List(ctx context.Context, f Filter, limit int) (letters []Letter, more bool, err error) {
	limit = min(max(limit, 1), MaxList)
	found, err := s.find(ctx, f, listed, limit+1)
	if err != nil {
		return nil, false, err
	}
	if more = len(found) > limit; more {
		found = found[:limit]
	}
	return found, more, nil
}

// Named returns the letters of an id, one for each consumer and topic, with their records. errs.NotFound if there is none.
func (s *Store) Named(ctx context.Context, id string) ([]Letter, error) {
	letters, err := s.find(ctx, Filter{IDs: []string{id}}, listed+", record", MaxList)
	if err == nil && len(letters) == 0 {
		return nil, errs.New(errs.NotFound, "no dead letter %s", id)
	}
	return letters, err
}

const listed = `consumer, topic, id, event_id, user_id, event_type, correlation_id, reason, kind, attempts, first_seen, last_seen,
	died_at, deaths, place, retried_at, handled_at, discarded_at, in_log, state`

func (s *Store) find(ctx context.Context, f Filter, columns string, limit int) ([]Letter, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	var rows []seen
	err := f.letters(s.db.Read(ctx)).Select(columns).Order("last_seen DESC, id, consumer, topic").Limit(limit).Scan(&rows).Error
	if err != nil {
		return nil, postgres.Failure(err)
	}
	letters := make([]Letter, len(rows))
	for i, r := range rows {
		letters[i] = r.letter()
	}
	return letters, nil
}
