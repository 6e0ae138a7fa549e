package ledger

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm/clause"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/proto"
	conversationv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/conversation/v1"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/conversation"
)

// Store is the Ledger on Postgres. It is safe for concurrent use. Calls are kept for postgres.KeepInvocations.
type Store struct {
	tasks *taskstore.Store
	now   func() time.Time
}

var _ Ledger = (*Store)(nil)

// New makes a Store on a migrated database. now is the clock, time.Now in production.
func New(db *postgres.DB, now func() time.Time) *Store {
	return &Store{tasks: taskstore.New(db), now: now}
}

// Do implements Ledger. errs.Invalid for a call whose names or input cannot be kept.
//
// load_conversation and search_conversations only read, and their answers are long: those are not kept, and sent again
// they are executed again.
func (s *Store) Do(ctx context.Context, c Call, fn func(context.Context, Work) (Result, error)) (r Result, repeated bool, err error) {
	call, err := rowOf(ctx, c, s.now())
	if err != nil {
		return Result{}, false, err
	}
	// The profile's lock comes before the call's, the call's before what fn locks.
	err = s.tasks.Within(ctx, c.UserID, call.StartedAt, func(tx *postgres.Tx, tasks *taskstore.Store) error {
		if repeated, err = claim(tx, &call); err != nil {
			return err
		}
		if repeated && call.Result != nil {
			r = call.answer()
			return nil
		}
		// Loading is what takes a run over.
		if c.RunID != "" && c.AttemptID != "" && c.Tool != agenttools.LoadConversation {
			if err := conversation.Current(tx, c.UserID, c.RunID, c.AttemptID); err != nil {
				return err
			}
		}
		r, err = fn(ctx, Work{
			Tasks:         task.NewService(tasks, s.now),
			Conversations: conversation.New(tx, s.now, callsOf(tx)),
		})
		if err != nil || repeated {
			return err
		}
		return s.settle(tx, call, r)
	})
	if err != nil {
		return Result{}, false, err
	}
	return r, repeated, nil
}

// claim makes the call this transaction's, or finds that it was executed before: then call is what is known of it. While
// another transaction executes the same call it waits for that one's end.
func claim(tx *postgres.Tx, call *row) (repeated bool, err error) {
	done := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(call)
	if done.Error != nil || done.RowsAffected == 1 {
		return false, done.Error
	}
	var before row
	err = tx.Where("user_id = ? AND client_id = ? AND request_id = ?", call.UserID, call.ClientID, call.RequestID).Take(&before).Error
	if postgres.IsNone(err) {
		// It was swept between the two statements.
		return false, errs.New(errs.Unavailable, "the call is too old; try again")
	}
	if err != nil {
		return false, err
	}
	if before.Tool != call.Tool || string(before.InputHash) != string(call.InputHash) {
		return false, errs.New(errs.Conflict, "request %s was used for another call", call.RequestID)
	}
	*call = before
	return true, nil
}

// settle writes down how the call ended.
func (s *Store) settle(tx *postgres.Tx, call row, r Result) error {
	if r.Outcome != Done && r.Outcome != Failed {
		return errors.New("ledger: a call ends as done or failed, not as " + string(r.Outcome))
	}
	ended := s.now()
	outcome, took, answer := string(r.Outcome), int(ended.Sub(call.StartedAt).Milliseconds()), string(r.Answer)
	call.Outcome, call.DurationMs = &outcome, &took
	if call.Tool != agenttools.LoadConversation && call.Tool != agenttools.SearchConversations {
		call.Result = &answer
	}
	if err := tx.Model(&call).Select("outcome", "result", "duration_ms").Updates(&call).Error; err != nil {
		return err
	}
	return tx.Append(event.New(proto.ToolInvoked, ended, call.UserID, call.ID, 1, &conversationv1.ToolInvoked{
		InvocationId: call.ID, Tool: call.Tool, Outcome: outcome,
	}))
}
