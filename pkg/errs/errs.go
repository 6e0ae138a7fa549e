// Package errs says which of six kinds a failure is, so that each door translates it once: into an HTTP status, an MCP
// error or an event verdict. It holds no codes of any protocol.
//
// An error that has no kind is internal: it is logged with its cause and shown without it.
package errs

import (
	"errors"
	"fmt"
)

// Kind is what went wrong from the caller's side.
type Kind int

// The kinds.
const (
	// Internal is everything that is none of the others: our fault, or not yet understood.
	Internal Kind = iota
	// Invalid: the request can never succeed as it is.
	Invalid
	// NotFound: there is no such thing, or not for this user.
	NotFound
	// Conflict: it contradicts what is already there.
	Conflict
	// Stale: it was made from a version that is no longer the current one.
	Stale
	// Denied: this user may not do it.
	Denied
	// Unavailable: something we depend on does not answer; the same request may succeed later.
	Unavailable
)

func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case NotFound:
		return "not found"
	case Conflict:
		return "conflict"
	case Stale:
		return "stale"
	case Denied:
		return "denied"
	case Unavailable:
		return "unavailable"
	default:
		return "internal"
	}
}

// Field is one invalid field of a request: its path in the request's own names, and what is wrong with it.
type Field struct {
	Field   string
	Message string
}

// Error is a failure with a kind. Its text is meant for the caller; its cause is not.
type Error struct {
	kind   Kind
	text   string
	fields []Field
	cause  error
}

// New makes an error of a kind with a text for the caller.
func New(kind Kind, format string, args ...any) error {
	return &Error{kind: kind, text: fmt.Sprintf(format, args...)}
}

// Because is New with the cause, which is logged and unwrapped but never shown.
func Because(cause error, kind Kind, format string, args ...any) error {
	return &Error{kind: kind, text: fmt.Sprintf(format, args...), cause: cause}
}

// InvalidFields is an Invalid error that names every wrong field. It is nil when there is none.
func InvalidFields(fields ...Field) error {
	if len(fields) == 0 {
		return nil
	}
	text := fields[0].Field + " " + fields[0].Message
	if n := len(fields) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d more)", n)
	}
	return &Error{kind: Invalid, text: text, fields: fields}
}

// Error is the text with its cause, for logs.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.text + ": " + e.cause.Error()
	}
	return e.text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// KindOf is the kind of the outermost Error in err's chain, Internal if there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.kind
	}
	return Internal
}

// Is reports whether err is of a kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// Text is what a caller may be told: the text of the outermost Error, or nothing for an internal failure.
func Text(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.kind != Internal {
		return e.text
	}
	return ""
}

// Fields are the invalid fields err names, if any.
func Fields(err error) []Field {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.fields
	}
	return nil
}
