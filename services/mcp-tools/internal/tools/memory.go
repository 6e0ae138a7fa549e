package tools

import (
	"context"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

func loadConversation(ctx context.Context, c *call) (answer, error) {
	var in agenttools.LoadConversationInput
	if err := unpack(c.input, &in); err != nil {
		return answer{}, err
	}
	out, err := c.Conversations.Load(ctx, c.user, in)
	if err != nil {
		return answer{}, err
	}
	out.TimeZone, out.Now = c.zone.String(), stamp(c.now, c.zone)
	if out.Messages == nil {
		out.Messages = []agenttools.Message{}
	}
	return answer{value: out}, nil
}

func appendMessages(ctx context.Context, c *call) (answer, error) {
	var in agenttools.AppendMessagesInput
	if err := unpack(c.input, &in); err != nil {
		return answer{}, err
	}
	out, err := c.Conversations.Append(ctx, c.user, in)
	if errs.Is(err, errs.Conflict) {
		err = advised{err, "Give the message another id."}
	}
	if err != nil {
		return answer{}, err
	}
	return answer{value: out}, nil
}

func searchConversations(ctx context.Context, c *call) (answer, error) {
	var in agenttools.SearchConversationsInput
	if err := unpack(c.input, &in); err != nil {
		return answer{}, err
	}
	out, err := c.Conversations.Search(ctx, c.user, c.run, in)
	if err != nil {
		return answer{}, err
	}
	out.TimeZone = c.zone.String()
	if out.Conversations == nil {
		out.Conversations = []agenttools.Conversation{}
	}
	for i := range out.Conversations {
		one := &out.Conversations[i]
		one.StartedAt, one.UpdatedAt = c.local(one.StartedAt), c.local(one.UpdatedAt)
	}
	return answer{value: out}, nil
}

// local is a stamp in UTC as the user reads it.
func (c *call) local(stampUTC string) string {
	at, err := time.Parse(time.RFC3339, stampUTC)
	if err != nil {
		return stampUTC
	}
	return stamp(at, c.zone)
}
