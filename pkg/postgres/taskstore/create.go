package taskstore

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

// Create implements task.Store. This is the path that must be fast: the tasks, the events, and nothing
// more; sequence and outbox are the database's. Only an idempotency key, a task that is due on a day, and one that repeats
// cost a look at the profile, and only reminders and series cost statements of their own.
func (s *Store) Create(ctx context.Context, userID string, once task.Idempotency, tasks ...task.Task) error {
	if len(tasks) == 0 || len(tasks) > task.MaxBatch {
		return errs.New(errs.Invalid, "1 to %d tasks at a time", task.MaxBatch)
	}
	if err := s.mayWrite(userID); err != nil {
		return err
	}
	for _, t := range tasks {
		if t.UserID != userID {
			return errs.New(errs.Invalid, "task %s is another user's", t.ID)
		}
	}
	for range maxReturns {
		err := s.create(ctx, userID, once, tasks)
		if !postgres.IsOrphan(err) {
			return err
		}
		// The user was forgotten after the profile had been looked up, by another process perhaps, and is back.
		s.profiles.drop(userID)
		if _, err := s.EnsureProfile(ctx, userID, "UTC", tasks[0].CreatedAt); err != nil {
			return err
		}
	}
	return errs.New(errs.Unavailable, "the user is being deleted again and again")
}

// maxReturns is how often a user may be forgotten during one creation.
const maxReturns = 10

func (s *Store) create(ctx context.Context, userID string, once task.Idempotency, tasks []task.Task) error {
	return s.db.Transaction(ctx, func(tx *postgres.Tx) error {
		zone, err := s.profileFor(tx, userID, once, tasks)
		if err != nil {
			return err
		}
		if once.Key != "" {
			if err := remember(tx, userID, once); err != nil {
				return err
			}
		}
		rows := make([]row, len(tasks))
		facts := make([]event.Draft, 0, len(tasks))
		var series []*task.Series
		for i := range tasks {
			rows[i] = rowOf(tasks[i], zone)
			facts = append(facts, tasks[i].Facts()...)
			if of := tasks[i].Series; of != nil {
				series = append(series, of)
				facts = append(facts, of.Facts()...)
			}
		}
		if err := tx.Omit(clause.Associations).Create(&rows).Error; err != nil {
			if postgres.IsDuplicate(err) {
				return errs.Because(err, errs.Conflict, "a task of that id exists already")
			}
			return err
		}
		if err := insertSeries(tx, zone, series...); err != nil {
			return err
		}
		if err := setAlarms(tx, alarmsOf(zone, tasks...)); err != nil {
			return err
		}
		return tx.Append(facts...)
	})
}

// profileFor locks the profile as far as this creation needs it, and returns the owner's zone if it is needed.
func (s *Store) profileFor(tx *postgres.Tx, userID string, once task.Idempotency, tasks []task.Task) (*time.Location, error) {
	var strength string
	switch {
	case slices.ContainsFunc(tasks, func(t task.Task) bool { return t.Due.Date != "" || t.Series != nil }):
		// A move to another zone would miss the deadline of this task, or when it repeats.
		strength = toRely
	case once.Key != "":
		// The lock of the key comes after the profile's.
		strength = toRefer
	default:
		return nil, nil //nolint:nilnil // documented: nobody needs one
	}
	zone, err := s.lockZone(tx, userID, strength)
	if postgres.IsNone(err) {
		return nil, gorm.ErrForeignKeyViolated // as the insert would have said
	}
	return zone, err
}

// remember writes down the request. One that is older than a day is as if it had never been.
func remember(tx *postgres.Tx, userID string, once task.Idempotency) error {
	if !isText(once.Key) {
		return errs.New(errs.Invalid, "the idempotency key must be UTF-8 text")
	}
	now := time.Now().UTC()
	answer := once.Answer
	if answer == nil {
		answer = []byte{}
	}
	r := onceRow{UserID: userID, Key: once.Key, Hash: once.Hash, Answer: answer, CreatedAt: now}
	done := tx.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "user_id"}, {Name: "key"}},
		DoUpdates: clause.AssignmentColumns([]string{"hash", "answer", "created_at"}),
		Where:     clause.Where{Exprs: []clause.Expression{gorm.Expr("idempotency.created_at < ?", now.Add(-postgres.KeepAnswers))}},
	}).Create(&r)
	if done.Error == nil && done.RowsAffected == 0 {
		return errs.New(errs.Conflict, "this Idempotency-Key has been used")
	}
	return done.Error
}

// Recall implements task.Store.
func (s *Store) Recall(ctx context.Context, userID, key string) (task.Idempotency, error) {
	none := errs.New(errs.NotFound, "nothing was made under this key")
	if !isText(key) {
		return task.Idempotency{}, none
	}
	var r onceRow
	err := s.db.Read(ctx).Where("user_id = ? AND key = ? AND created_at >= ?", userID, key, time.Now().Add(-postgres.KeepAnswers)).
		Take(&r).Error
	if postgres.IsNone(err) {
		return task.Idempotency{}, none
	}
	if err != nil {
		return task.Idempotency{}, postgres.Failure(err)
	}
	return task.Idempotency{Key: r.Key, Hash: r.Hash, Answer: r.Answer}, nil
}
