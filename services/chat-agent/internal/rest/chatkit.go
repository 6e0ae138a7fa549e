package rest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/chatkit"
)

// readTime bounds what only reads: the address is not timed by the house, as most of its answers take as long as a run.
const readTime = 15 * time.Second

var errSlow = errs.New(errs.Unavailable, "The conversations could not be read in time. Please try again in a moment.")

// absent is the middleware of an address that is not there.
func absent(echo.HandlerFunc) echo.HandlerFunc {
	return func(echo.Context) error { return echo.ErrNotFound }
}

// SpeakChatKit answers a request of ChatKit. A message has its place among the runs and its rate like any other; its
// stream alone is ChatKit's own.
func (s *Server) SpeakChatKit(ctx context.Context, r SpeakChatKitRequestObject) (SpeakChatKitResponseObject, error) {
	asked := *r.Body
	asked.Params.ThreadID, asked.Params.ItemID = canonical(asked.Params.ThreadID), canonical(asked.Params.ItemID)
	if err := asked.Check(); err != nil {
		return nil, err
	}
	if !asked.Streams() {
		return s.readChatKit(ctx, r.UserID, asked)
	}
	message, err := messageID(r.UserID, nil, r.Params.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	request := agent.Request{UserID: r.UserID, ConversationID: asked.Params.ThreadID, MessageID: message}
	turn := chatkit.Turn{Begins: asked.Type == chatkit.Create}
	if asked.Type == chatkit.Create {
		request.ConversationID = "" // whatever was sent with it
	}
	if asked.Type != chatkit.Retry {
		request.Text = asked.Params.Input.Text()
		turn.Said = request.Text
	}
	if err := s.talking.Take(r.UserID); err != nil {
		return nil, err
	}
	n, err := s.runs.start(ctx, func(ctx context.Context, see func(agent.Event)) (agent.Answer, error) {
		if asked.Type == chatkit.Retry {
			again, err := chatkit.Retried(ctx, s.Chat, request.UserID, asked.Params)
			if err != nil {
				return agent.Answer{}, err
			}
			request.MessageID, request.Text = again.ID, again.Text
		}
		return s.Chat.Say(ctx, request, see)
	})
	if err != nil {
		return nil, err
	}
	return reply(func(w http.ResponseWriter) error { return s.tell(ctx, chatkit.New(w, s.Patience, turn, s.Now), n) }), nil
}

// readChatKit answers what only reads.
func (s *Server) readChatKit(ctx context.Context, userID string, asked chatkit.Request) (_ SpeakChatKitResponseObject, err error) {
	timed, cancel := context.WithTimeoutCause(ctx, readTime, errSlow)
	defer cancel()
	var found any
	switch asked.Type {
	case chatkit.List:
		found, err = chatkit.Threads(timed, s.Chat, userID, asked.Params)
	case chatkit.ListOf:
		asked.Params.After = canonical(asked.Params.After)
		found, err = chatkit.Items(timed, s.Chat, userID, asked.Params)
	default:
		found, err = chatkit.ThreadOf(timed, s.Chat, userID, asked.Params.ThreadID)
	}
	if errors.Is(context.Cause(timed), errSlow) && err != nil {
		return nil, errSlow
	}
	if err != nil {
		return nil, err
	}
	return jsonReply(found), nil
}
