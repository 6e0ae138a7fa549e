package conversation

import (
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
)

// runRow is how Postgres sees who answers a message of the user.
type runRow struct {
	UserID    string `gorm:"primaryKey"`
	ID        string `gorm:"primaryKey"`
	Attempt   string
	UpdatedAt time.Time `gorm:"autoUpdateTime:false"`
}

func (runRow) TableName() string { return "runs" }

// takeOver makes an attempt the one that answers a message. It waits for the calls of the attempt before that are being
// executed; those that come later are refused (Current). errs.Stale if a later attempt was here before: that is an old
// request, found on its way.
func takeOver(tx *postgres.Tx, userID, run, attempt string, now time.Time) error {
	mine := runRow{UserID: userID, ID: run, Attempt: attempt, UpdatedAt: now.UTC()}
	err := tx.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "user_id"}, {Name: "id"}},
		DoUpdates: clause.AssignmentColumns([]string{"attempt", "updated_at"}),
		Where:     clause.Where{Exprs: []clause.Expression{gorm.Expr("runs.attempt < excluded.attempt")}},
	}).Create(&mine).Error
	if err != nil {
		return postgres.Failure(err)
	}
	return Current(tx, userID, run, attempt)
}

// Current is nil if an attempt may still call tools for a run, and keeps it so until the transaction ends. errs.Stale if
// a later one has taken over.
func Current(tx *postgres.Tx, userID, run, attempt string) error {
	var now runRow
	err := tx.Clauses(clause.Locking{Strength: "SHARE"}).Where("user_id = ? AND id = ?", userID, run).Take(&now).Error
	switch {
	case postgres.IsNone(err):
		return nil // nobody said that it began
	case err != nil:
		return postgres.Failure(err)
	case now.Attempt != attempt:
		return errs.New(errs.Stale, "a later attempt answers this message")
	}
	return nil
}
