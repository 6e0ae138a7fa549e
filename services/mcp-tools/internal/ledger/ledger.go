// Package ledger has every tool call executed once and written down: the row that names the call, what the call did, its
// result and its events are one transaction.
//
// It owns the table tool_invocations. It refuses to know what a tool does, and who may call it.
package ledger

import (
	"context"
	"encoding/json"

	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/caller"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/conversation"
)

// Outcome is how a call ended.
type Outcome string

// The outcomes. A call that failed has an answer too, which says why; it is as final as one that was done.
const (
	Done   Outcome = "done"
	Failed Outcome = "failed"
)

// Call is a tool call to be executed.
type Call struct {
	caller.Caller
	Tool string
	// Input is the arguments, a JSON object, without what must not be kept (confirmations).
	Input json.RawMessage
}

// Result is what a call is answered with.
type Result struct {
	Outcome Outcome
	// Answer is the encoded CallToolResult.
	Answer json.RawMessage
}

// Work is what a tool may touch: everything it does is part of the call's one transaction, and the user's time zone stays
// what it is meanwhile. It is not safe for concurrent use and ends with the call. A tool changes several tasks in the order
// of their ids, or two tools wait for each other; it cannot set the time zone, forget the user or empty the trash.
type Work struct {
	Tasks         *task.Service
	Conversations *conversation.Book
}

// Ledger executes calls.
type Ledger interface {
	// Do executes a call, or returns the result it had before. Sent twice at the same time, the second waits for the
	// first. errs.Conflict if the id was used for another tool or other input; errs.Stale if a later attempt at the call's
	// run has taken over; errs.Unavailable if the database does not answer: then nobody knows whether it was done, and the
	// same call may be sent again. An error of fn undoes everything and is not kept, so fn returns only those that another try may
	// not have; what the user did wrong is a Result.
	Do(ctx context.Context, c Call, fn func(context.Context, Work) (Result, error)) (r Result, repeated bool, err error)
}
