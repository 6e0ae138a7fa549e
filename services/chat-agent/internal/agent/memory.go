package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// maxQuery bounds what conversations may be searched for, in characters.
const maxQuery = 500

// remember calls one of the tools that are the agent's memory.
func remember[Out any](ctx context.Context, a *Agent, session *mcp.ClientSession, meta mcp.Meta, name string, in any) (Out, error) {
	var out Out
	r, err := call(ctx, session, a.limits.Call, meta, name, in)
	switch {
	case err != nil:
		return out, err
	case r.outcome == unknown:
		return out, silent(errors.New(r.text))
	case r.outcome == failed:
		return out, refused(name, r)
	}
	if err := json.Unmarshal(r.output, &out); err != nil {
		return out, fmt.Errorf("decode what %s answered: %w", name, err)
	}
	return out, nil
}

// meta says what a call of this run is for.
func (r *run) meta() mcp.Meta {
	return mcp.Meta{agenttools.MetaConversation: r.conversation, agenttools.MetaRun: r.message, agenttools.MetaAttempt: r.attemptID}
}

// refused is what a memory tool said against a call, by the code in it.
func refused(tool string, r result) error {
	var said struct{ Code, Error string }
	if r.output == nil || json.Unmarshal(r.output, &said) != nil {
		said.Error = r.text
	}
	cause := errors.New(tool + ": " + line(said.Error))
	switch said.Code {
	case "stale": // a later attempt has taken over, while this one was taken for dead
		return errs.Because(cause, errs.Conflict, "This message is being answered already.")
	case "conflict":
		return reused(cause)
	case "invalid":
		return errs.Because(cause, errs.Invalid, "%s", said.Error)
	case "not_found":
		return noConversation()
	default:
		return silent(cause)
	}
}

// silent is the error when the tools do not answer before anything was done.
func silent(cause error) error {
	return errs.Because(cause, errs.Unavailable, "Your tasks cannot be reached right now. Please try again in a moment.")
}

// session begins an MCP session for a user.
func (a *Agent) session(ctx context.Context, userID string) (*mcp.ClientSession, error) {
	session, err := a.connect(ctx, userID)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, silent(err)
	}
	return session, nil
}

// load reads the conversation and what earlier attempts at this run came to, and takes the run over from them.
func (r *run) load(ctx context.Context, limit int) (agenttools.LoadedConversation, error) {
	return remember[agenttools.LoadedConversation](ctx, r.Agent, r.session, r.meta(), agenttools.LoadConversation, agenttools.LoadConversationInput{
		ConversationID: r.conversation, Limit: limit, Run: r.message, Attempt: r.attemptID,
	})
}

// keep appends messages. Those that are there already stay as they are; one of the same id with another text is
// errs.Conflict.
func (r *run) keep(ctx context.Context, messages ...agenttools.Message) error {
	in := agenttools.AppendMessagesInput{ConversationID: r.conversation, Messages: messages}
	_, err := remember[agenttools.AppendedMessages](ctx, r.Agent, r.session, r.meta(), agenttools.AppendMessages, in)
	return err
}

func reused(cause error) error {
	return errs.Because(cause, errs.Conflict, "This message id was used for another message.")
}

// Conversations implements Chat.
func (a *Agent) Conversations(ctx context.Context, userID string, in agenttools.SearchConversationsInput) (agenttools.FoundConversations, error) {
	if utf8.RuneCountInString(in.Query) > maxQuery {
		return agenttools.FoundConversations{}, errs.InvalidFields(errs.Field{Field: "q", Message: fmt.Sprintf("must have at most %d characters", maxQuery)})
	}
	session, err := a.session(ctx, userID)
	if err != nil {
		return agenttools.FoundConversations{}, err
	}
	defer session.Close()
	return remember[agenttools.FoundConversations](ctx, a, session, nil, agenttools.SearchConversations, in)
}

// Messages implements Chat.
func (a *Agent) Messages(ctx context.Context, userID string, in agenttools.LoadConversationInput) (agenttools.LoadedConversation, error) {
	var none agenttools.LoadedConversation
	if !isUUID(in.ConversationID) {
		return none, noConversation()
	}
	if in.Before != "" && !isUUID(in.Before) {
		return none, errs.InvalidFields(errs.Field{Field: "before", Message: "must be a message's id"})
	}
	session, err := a.session(ctx, userID)
	if err != nil {
		return none, err
	}
	defer session.Close()
	loaded, err := remember[agenttools.LoadedConversation](ctx, a, session, mcp.Meta{agenttools.MetaConversation: in.ConversationID}, agenttools.LoadConversation, in)
	if err != nil {
		return none, err
	}
	if len(loaded.Messages) == 0 && in.Before == "" {
		return none, noConversation()
	}
	return loaded, nil
}

func noConversation() error {
	return errs.New(errs.NotFound, "There is no such conversation.")
}
