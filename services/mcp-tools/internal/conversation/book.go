// Package conversation keeps what was said: conversations and their messages, which never change, and can be searched.
//
// It owns the tables conversations and messages. It refuses to know models, tools and times of day: a message is what the
// agent says it is, within bounds, and times are UTC.
package conversation

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// Book is the conversations of users within one transaction. It is not safe for concurrent use.
type Book struct {
	tx    *postgres.Tx
	now   func() time.Time
	calls func(ctx context.Context, userID, runID string) ([]agenttools.Call, error)
}

// New opens the book in a transaction that has locked the user's profile. calls finds what was executed for a run, which
// another package keeps.
func New(tx *postgres.Tx, now func() time.Time, calls func(ctx context.Context, userID, runID string) ([]agenttools.Call, error)) *Book {
	return &Book{tx, now, calls}
}

// toAdd locks a conversation so that nobody else adds to it until the commit.
var toAdd = clause.Locking{Strength: "NO KEY UPDATE"}

// find is the user's conversation. errs.NotFound if there is none of that id, or it is another user's.
func (b *Book) find(ctx context.Context, userID, id string, lock bool) (conversationRow, error) {
	query := b.tx.WithContext(ctx)
	if lock {
		query = query.Clauses(toAdd)
	}
	var c conversationRow
	err := query.Where("id = ? AND user_id = ?", id, userID).Take(&c).Error
	if postgres.IsNone(err) {
		return conversationRow{}, noConversation(id)
	}
	return c, postgres.Failure(err)
}

func noConversation(id string) error { return errs.New(errs.NotFound, "no conversation %s", id) }
