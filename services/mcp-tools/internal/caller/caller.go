// Package caller says who asks for a tool, whichever door they came through: the doors establish it, the tools read it.
//
// It refuses to check anything: what is in it has been proved by the door.
package caller

import "context"

// Caller is who asks, and which call it is.
type Caller struct {
	UserID string
	// ClientID and RequestID name the call: the same pair of the same user is the same call, executed once. A door whose
	// calls have no id of their own (HTTP) makes a new RequestID for each.
	ClientID  string
	RequestID string
	// Agent says that TaskFlow's own agent asks, which may use its memory.
	Agent bool
	// ReadOnly says that the caller may use read-only tools and no others.
	ReadOnly bool
	// ConversationID and RunID say what the agent calls for, AttemptID which attempt at the run calls; empty from other
	// clients.
	ConversationID string
	RunID          string
	AttemptID      string
}

type key struct{}

// With puts a caller into a context.
func With(ctx context.Context, c Caller) context.Context { return context.WithValue(ctx, key{}, c) }

// From is the caller of a context; ok is false if no door has put one there.
func From(ctx context.Context) (c Caller, ok bool) {
	c, ok = ctx.Value(key{}).(Caller)
	return c, ok
}
