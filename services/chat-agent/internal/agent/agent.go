// Package agent is the agent's loop: it asks the model, calls the tools the model chose as far as the user allowed it,
// and answers with what the tools' receipts show.
//
// It is made fresh for each request and keeps nothing: history is read and written through MCP, approvals wait in the
// state store. It knows no HTTP, no broker and no sidecar.
package agent

import (
	"context"
	"encoding/json"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// Request is what a user said.
type Request struct {
	UserID string
	// ConversationID is a UUID; empty begins a new conversation.
	ConversationID string
	// MessageID is a UUID that names the message: sent again with the same one, nothing is done twice, and an answer that
	// exists is given again. Empty makes a new one.
	MessageID string
	// Text is 1 to 8,000 characters.
	Text string
}

// Answer is what the agent answered. It is JSON as the REST door shows it.
type Answer struct {
	ConversationID string `json:"conversation_id"`
	// MessageID is the user's message, InReplyTo of the agent's, whose id is AnswerID.
	MessageID string                `json:"message_id"`
	AnswerID  string                `json:"answer_id"`
	Response  string                `json:"response"`
	ToolCalls []agenttools.Receipt  `json:"tool_calls"`
	Approvals []agenttools.Approval `json:"approvals"`
	TaskIDs   []string              `json:"task_ids"`
	Model     Model                 `json:"model"`
	Usage     Usage                 `json:"usage"`
}

// Model says which model answered.
type Model struct {
	Name string `json:"name"`
	// Offline says that it is the repository's own rule-based model and not a language model.
	Offline bool `json:"offline"`
}

// Usage counts the tokens of one answer, as the model reported them, and the times it was asked.
type Usage struct {
	InputTokens  int `json:"input_tokens"`
	OutputTokens int `json:"output_tokens"`
	Steps        int `json:"steps"`
}

// Chat is what the REST door calls. Errors have kinds (pkg/errs): Invalid, NotFound, Conflict (an approval that was decided
// otherwise or has run out; a conversation in which another message is being answered), and Unavailable with a sentence for
// the user, when the model or the tools are down: then the user's message is kept and the same request may be sent again.
type Chat interface {
	// Say answers a message. see, if not nil, is told what happens while it happens, in order, from one goroutine at a time.
	Say(ctx context.Context, r Request, see func(Event)) (Answer, error)
	// Decide carries out or drops what an approval asks. Deciding the same again gives the same answer.
	Decide(ctx context.Context, userID, approvalID string, approve bool, see func(Event)) (Answer, error)
	// Conversations lists, or with a query searches, a user's conversations.
	Conversations(ctx context.Context, userID string, in agenttools.SearchConversationsInput) (agenttools.FoundConversations, error)
	// Messages reads a conversation. errs.NotFound if the user has none of that id.
	Messages(ctx context.Context, userID string, in agenttools.LoadConversationInput) (agenttools.LoadedConversation, error)
}

// Event is one thing that happens during a run: Began, StepBegan, TextDelta, ToolCalled, ToolAnswered, ApprovalAsked or
// StepEnded. The end is Say's return.
type Event interface{ event() }

type (
	// Began is the first event.
	Began struct {
		ConversationID, MessageID, AnswerID string
		Model                               Model
	}
	// StepBegan and StepEnded bracket one question to the model with its tool calls.
	StepBegan struct{}
	// StepEnded ends a step.
	StepEnded struct{}
	// TextDelta is a piece of the answer's text. ID is the same for all pieces of one part.
	TextDelta struct{ ID, Text string }
	// ToolCalled says which tool is called, before it is. CallID is unique in the run.
	ToolCalled struct {
		CallID, Tool string
		Arguments    json.RawMessage
	}
	// ToolAnswered has the tool's structured result, or an error's text.
	ToolAnswered struct {
		CallID string
		Output json.RawMessage
		Error  string
	}
	// ApprovalAsked says that a called tool waits for the user.
	ApprovalAsked struct {
		CallID   string
		Approval agenttools.Approval
	}
)

func (Began) event()         {}
func (StepBegan) event()     {}
func (StepEnded) event()     {}
func (TextDelta) event()     {}
func (ToolCalled) event()    {}
func (ToolAnswered) event()  {}
func (ApprovalAsked) event() {}
