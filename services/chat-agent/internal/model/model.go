// Package model asks a language model, over the Chat Completions protocol that OpenAI and everybody compatible speak.
//
// It owns timeouts, retries, the circuit that spares a model that is down, and the reading of whatever comes back: an
// answer is whole, or it says why it is not, or it is a Fault. It refuses to know what is asked and why, to execute
// anything, to log what is said, and to show anybody the key or what the model's server wrote into an error.
package model

import "context"

// Model answers questions. It is safe for concurrent use.
type Model interface {
	// Ask asks once. onText, if not nil, is told the answer's text piece by piece as it comes, from the calling goroutine;
	// without it the answer comes in one piece. The error is errs.Unavailable with a sentence for the user and a *Fault as
	// its cause if the model gave no answer, and ctx's own if ctx ended first. Pieces that onText was told before an error
	// are not an answer.
	Ask(ctx context.Context, q Question, onText func(string)) (Reply, error)
	// Name is the model that is asked for.
	Name() string
}

// Question is what the model is shown.
type Question struct {
	// System is the prompt.
	System string
	// Turns are what was said and done so far, in order.
	Turns []Turn
	Tools []Tool
}

// Role says whose turn it is.
type Role int

// The roles.
const (
	User Role = iota
	Assistant
	ToolResult
)

// Turn is one message to the model. A turn of the assistant that has Calls is followed by a ToolResult for each.
type Turn struct {
	Role Role
	Text string
	// Calls are what the assistant called.
	Calls []Call
	// CallID is the call that a ToolResult answers.
	CallID string
}

// Call is a tool that the model wants called.
type Call struct {
	ID, Name string
	// Arguments is what the model wrote, which may be no JSON at all.
	Arguments string
}

// Tool is a tool that the model may call.
type Tool struct {
	Name, Description string
	// Parameters is a JSON Schema of an object.
	Parameters map[string]any
}

// Reply is what the model answered: a text, calls, or both.
type Reply struct {
	Text  string
	Calls []Call
	End   End
	// InputTokens and OutputTokens are as the model's server counted them, 0 if it did not.
	InputTokens, OutputTokens int
}

// End is why the model stopped.
type End int

// The ends.
const (
	// Whole: the model said all it wanted to say.
	Whole End = iota
	// Cut: the limit of output tokens was reached. There are no calls then, because the last may be half of one.
	Cut
	// Filtered: the provider's content filter stopped the answer. There are no calls.
	Filtered
)
