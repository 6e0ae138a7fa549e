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
func remember[Out any](ctx context.Context, a *Agent, session *mcp.ClientSession, conversation, name string, in any) (Out, error) {
	var out Out
	r, err := call(ctx, session, a.limits.Call, metaOf(conversation), name, in)
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

func metaOf(conversation string) mcp.Meta {
	if conversation == "" {
		return nil
	}
	return mcp.Meta{agenttools.MetaConversation: conversation}
}

// refused is what a memory tool said against a call, by the code in it.
func refused(tool string, r result) error {
	var said struct{ Code, Error string }
	if r.output == nil || json.Unmarshal(r.output, &said) != nil {
		said.Error = r.text
	}
	cause := errors.New(tool + ": " + line(said.Error))
	switch said.Code {
	case "conflict":
		return errs.Because(cause, errs.Conflict, "%s", said.Error)
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

func (a *Agent) load(ctx context.Context, session *mcp.ClientSession, in agenttools.LoadConversationInput) (agenttools.LoadedConversation, error) {
	return remember[agenttools.LoadedConversation](ctx, a, session, in.ConversationID, agenttools.LoadConversation, in)
}

// keep appends messages. Those that are there already stay as they are; one of the same id with another text is
// errs.Conflict.
func (a *Agent) keep(ctx context.Context, session *mcp.ClientSession, conversation string, messages ...agenttools.Message) error {
	in := agenttools.AppendMessagesInput{ConversationID: conversation, Messages: messages}
	_, err := remember[agenttools.AppendedMessages](ctx, a, session, conversation, agenttools.AppendMessages, in)
	if errs.Is(err, errs.Conflict) {
		return reused(err)
	}
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
	return remember[agenttools.FoundConversations](ctx, a, session, "", agenttools.SearchConversations, in)
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
	loaded, err := remember[agenttools.LoadedConversation](ctx, a, session, in.ConversationID, agenttools.LoadConversation, in)
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
