package model

import (
	"fmt"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// Unavailable is what a user is told while the model gives no answer.
const Unavailable = "The assistant is not available right now. Your message is kept; please try again in a moment."

// Kind is in what way a model failed to answer.
type Kind string

// The kinds.
const (
	// Unreachable: no connection, or it broke before an answer began.
	Unreachable Kind = "unreachable"
	// Busy: 429.
	Busy Kind = "busy"
	// Failing: 408 and 5xx.
	Failing Kind = "failing"
	// Refused: any other status that is no success: a wrong key, an unknown model, a question that is too long.
	Refused Kind = "refused"
	// Silent: no sign of life for too long.
	Silent Kind = "silent"
	// Garbage: a success that is no answer: no JSON, no choices, neither text nor calls.
	Garbage Kind = "garbage"
	// Broken: the answer stopped in the middle.
	Broken Kind = "broken"
	// Down: the model was not asked, because it has been failing.
	Down Kind = "down"
)

// Fault is why the model gave no answer. It holds nothing that the model or its server wrote, and no key.
type Fault struct { //nolint:errname // it is a fault of the model, which the kinds of errors are about
	Kind Kind
	// Status is the HTTP status, 0 if there was none.
	Status int
	// Network is what the network said about an Unreachable model.
	Network string

	after time.Duration // what Retry-After asks for
}

// Error is for logs.
func (f *Fault) Error() string {
	text := "the model is " + string(f.Kind)
	if f.Status != 0 {
		text += fmt.Sprintf(" (status %d)", f.Status)
	}
	if f.Network != "" {
		text += ": " + f.Network
	}
	return text
}

// passes reports whether another try may succeed.
func (f *Fault) passes() bool { return f.Kind != Refused && f.Kind != Down }

// blamesModel reports whether the model is to blame, and not the question.
func (f *Fault) blamesModel() bool {
	return f.Kind != Refused || f.Status == 401 || f.Status == 403 || f.Status == 404
}

func unavailable(f *Fault) error { return errs.Because(f, errs.Unavailable, "%s", Unavailable) }
