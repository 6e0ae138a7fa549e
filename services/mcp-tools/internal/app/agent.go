package app

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
	"github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/caller"
)

// enter tells the tools who calls through the topic. Whoever signed the request has the agent's key.
func enter(ctx context.Context, r mcpbus.Request) context.Context {
	return caller.With(ctx, caller.Caller{
		UserID: r.UserID, ClientID: r.ClientID, RequestID: r.RequestID, Agent: true,
		ConversationID: idOf(r.Meta, agenttools.MetaConversation), RunID: idOf(r.Meta, agenttools.MetaRun),
		AttemptID: idOf(r.Meta, agenttools.MetaAttempt),
	})
}

// idOf is a UUID in a call's _meta, empty if there is none.
func idOf(meta map[string]any, key string) string {
	text, _ := meta[key].(string)
	id, err := uuid.Parse(text)
	if err != nil {
		return ""
	}
	return id.String()
}

// limited answers the calls of a user who makes too many before any tool is entered, so that nothing is done and nothing
// is written down: the same call may be sent again. Over HTTP that is 429; here it is an answer that a model can act on.
func limited(limiter *rest.Limiter) mcp.Middleware {
	return func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, r mcp.Request) (mcp.Result, error) {
			who, ok := caller.From(ctx)
			if method != "tools/call" || !ok {
				return next(ctx, method, r)
			}
			err := limiter.Take(who.UserID)
			if err == nil {
				return next(ctx, method, r)
			}
			wait := 1.0
			if e, is := errors.AsType[rest.TooManyRequests](err); is {
				wait = max(wait, math.Ceil(e.Wait.Seconds()))
			}
			return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: fmt.Sprintf(refusal, wait)}}}, nil
		}
	}
}

// refusal has the form in which the tools refuse a call as a whole.
const refusal = `{"code":"rate_limited","error":"too many calls at once; nothing was done","try_next":"Wait %.0f s, then make the same call again."}`
