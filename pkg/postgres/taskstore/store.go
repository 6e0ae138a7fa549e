// Package taskstore keeps tasks and profiles in Postgres: it is the task.Store of every service that changes tasks.
//
// It owns the tables profiles, tasks, series, alarms and idempotency; nobody else reads or writes them. It refuses to know the rules:
// what a change is and which events it makes, pkg/task says.
package taskstore

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// Store is the task.Store on Postgres. It is safe for concurrent use.
type Store struct {
	db       database
	log      *postgres.Log
	profiles *cache
	// owner is whose transaction the Store is bound to, nil if to none; see Within.
	owner *task.Profile
}

var _ task.Store = (*Store)(nil)

// database is where a Store works: a *postgres.DB, or one transaction.
type database interface {
	Transaction(ctx context.Context, fn func(tx *postgres.Tx) error) error
	Read(ctx context.Context) *gorm.DB
}

// New makes a Store on a migrated database.
func New(db *postgres.DB) *Store {
	return &Store{db: db, log: postgres.NewLog(db), profiles: newCache(10_000, 5*time.Second)}
}

// Get implements task.Store.
func (s *Store) Get(ctx context.Context, userID, id string) (task.Task, error) {
	if !isID(id) {
		return task.Task{}, noTask(id)
	}
	var r row
	err := s.db.Read(ctx).Where("id = ? AND user_id = ?", id, userID).Take(&r).Error
	if postgres.IsNone(err) {
		return task.Task{}, noTask(id)
	}
	return r.task(), postgres.Failure(err)
}

// Events implements task.Store.
func (s *Store) Events(ctx context.Context, q task.EventQuery) ([]event.Envelope, int64, error) {
	if !isText(q.AggregateID) || q.Limit < 1 || q.Limit > 1000 {
		return nil, 0, errs.New(errs.Invalid, "no such event query")
	}
	var (
		events []event.Envelope
		err    error
	)
	switch {
	case q.Newest && q.AggregateID == "":
		events, err = s.log.Before(ctx, q.UserID, q.Topic, q.Before, q.Limit)
	case q.Newest:
		events, err = s.log.BeforeOf(ctx, q.UserID, q.Topic, q.AggregateID, q.Before, q.Limit)
	case q.AggregateID == "":
		events, err = s.log.Since(ctx, q.UserID, q.Topic, q.Since, q.Limit)
	default:
		events, err = s.log.Of(ctx, q.UserID, q.Topic, q.AggregateID, q.Since, q.Limit)
	}
	if err != nil {
		return nil, 0, err
	}
	// Read after the events, so that it is never behind the last of them.
	head, err := s.log.Head(ctx, q.UserID, q.Topic)
	return events, head, err
}

// lock is a row lock.
func lock(strength string) clause.Locking { return clause.Locking{Strength: strength} }

const (
	toChange = "NO KEY UPDATE"
	toDelete = "UPDATE"
	toRely   = "SHARE"     // nobody may change it until the commit
	toRefer  = "KEY SHARE" // nobody may delete it until the commit
)

func noTask(id string) error { return errs.New(errs.NotFound, "no task %s", id) }

// isID reports whether id can be a task's: anything else is not asked for, because Postgres would refuse it loudly.
func isID(id string) bool { return postgres.IsUUID(id) }

// isText reports whether Postgres can take s as text.
func isText(s string) bool { return postgres.IsText(s) }
