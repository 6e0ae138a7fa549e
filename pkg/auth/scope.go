package auth

import "github.com/taskflow-suite/taskflow/pkg/errs"

// Scope is how much a token may do. Each includes those before it.
type Scope int

// The scopes. The first is that of claims nobody has verified.
const (
	Nothing Scope = iota
	// Read is looking and listening.
	Read
	// Write is also changing tasks and what belongs to them.
	Write
	// Session is also what concerns the account itself: its API tokens and its end. Only a signed-in user has it, so that
	// who finds a script's token can neither make more of them nor delete the account.
	Session
)

var (
	errReadOnly = errs.New(errs.Denied,
		"this API token may only read: changes need one with the scope write, or, of the account and its tokens, a signed-in session")
	errSessionNeeded = errs.New(errs.Denied,
		"an API token may not do this: sign in and do it in the settings")
)

// String is the scope's name, as it is kept and shown.
func (s Scope) String() string {
	switch s {
	case Read:
		return "read"
	case Write:
		return "write"
	case Session:
		return "session"
	default:
		return "nothing"
	}
}

// ParseScope reads the name of a scope that an API token may have: read or write.
func ParseScope(name string) (Scope, bool) {
	switch name {
	case Read.String():
		return Read, true
	case Write.String():
		return Write, true
	default:
		return Nothing, false
	}
}

// May is nil if the token's scope includes what is needed, else errs.Denied with what to do instead.
func (c Claims) May(need Scope) error {
	switch {
	case c.Scope >= need:
		return nil
	case need == Write:
		return errReadOnly
	default:
		return errSessionNeeded
	}
}
