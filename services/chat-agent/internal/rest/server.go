package rest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	house "github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/internal/contract"
)

// MaxBody is the largest request body in bytes: more than 8,000 characters take in any spelling that is not an attack.
const MaxBody = 64 << 10

// Limits bound the answers that are being made. Each replica counts for itself.
type Limits struct {
	Rate  int `env:"CHAT_RATE" default:"2" doc:"messages per second of one user over time; beyond it is 429"`
	Burst int `env:"CHAT_BURST" default:"10" doc:"messages of one user at once"`
	Runs  int `env:"CHAT_RUNS" default:"256" doc:"messages that are answered at once; beyond it is 503"`
}

// Check says what is wrong with the settings.
func (l Limits) Check() error {
	var wrong []error
	for _, s := range []struct {
		name  string
		value int
	}{{"CHAT_RATE", l.Rate}, {"CHAT_BURST", l.Burst}, {"CHAT_RUNS", l.Runs}} {
		if s.value < 1 {
			wrong = append(wrong, fmt.Errorf("%s is %d: expected at least 1", s.name, s.value))
		}
	}
	return errors.Join(wrong...)
}

// Options are what a Server needs. Zero durations mean the defaults.
type Options struct {
	Chat   agent.Chat
	Limits Limits
	// ChatKit opens the door for OpenAI's ChatKit.
	ChatKit bool
	// RunTime is when a run that has not ended by itself is ended; default 90 s.
	RunTime time.Duration
	// Heartbeat is how long a stream may be silent, as proxies take a minute of silence for an end; default 15 s.
	Heartbeat time.Duration
	// Patience is how long a stream waits for a reader that takes nothing; default 10 s.
	Patience time.Duration
	// Finish is how long a stop lets runs come to their own end; default 10 s. The HTTP server waits 15 s for its last
	// answers, and runs that are cut need a moment.
	Finish time.Duration
	// Now is the clock of what is told before it is kept; time.Now if nil.
	Now func() time.Time
}

// Server answers the operations of the specification.
type Server struct {
	Options
	// talking counts each user's messages, whatever door they come through.
	talking *house.Limiter
	runs    *runs
	metrics *metrics
}

// New makes a Server.
func New(o Options) *Server {
	o.RunTime, o.Heartbeat = either(o.RunTime, 90*time.Second), either(o.Heartbeat, 15*time.Second)
	o.Patience, o.Finish = either(o.Patience, 10*time.Second), either(o.Finish, 10*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	m := newMetrics()
	return &Server{Options: o, talking: house.NewLimiter(o.Limits.Rate, o.Limits.Burst), runs: newRuns(o, m), metrics: m}
}

func either(chosen, fallback time.Duration) time.Duration {
	if chosen == 0 {
		return fallback
	}
	return chosen
}

// Untimed are the route templates whose answers take as long as a run does; the house must not time them.
func Untimed() []string {
	return []string{"/api/:user_id/chat", "/api/:user_id/chat/approvals/:approval_id", "/api/:user_id/chatkit"}
}

// Register adds the operations to e, behind the given middleware (who may call, and how often), and the specification
// with its page. e's binder becomes the contract's. An error is a mistake in the specification.
func (s *Server) Register(e *echo.Echo, behind ...echo.MiddlewareFunc) error {
	spec, err := GetSwagger()
	if err != nil {
		return fmt.Errorf("the specification: %w", err)
	}
	c, err := contract.New(spec, nil)
	if err != nil {
		return err
	}
	chains := c.Chains(behind...)
	for _, id := range []string{"sendMessage", "decideApproval", "speakChatKit"} {
		chains[id] = append(chains[id], s.patient)
	}
	if !s.ChatKit {
		chains["speakChatKit"] = []echo.MiddlewareFunc{absent}
	}
	if err := c.Attach(e); err != nil {
		return err
	}
	RegisterHandlersWithOptions(e, NewStrictHandler(s, nil), RegisterHandlersOptions{OperationMiddlewares: chains})
	return nil
}

// Run keeps the runs until ctx ends, and then lets them come to an end; see runs.Run.
func (s *Server) Run(ctx context.Context) error { return s.runs.Run(ctx) }

// Collectors are the door's metrics.
func (s *Server) Collectors() []prometheus.Collector {
	return []prometheus.Collector{s.metrics.running, s.metrics.refused, s.metrics.seconds}
}

// Running is how many answers are being made, and how many may be.
func (s *Server) Running() (now, most int) { return len(s.runs.slots), cap(s.runs.slots) }

// SendMessage answers a message.
func (s *Server) SendMessage(ctx context.Context, r SendMessageRequestObject) (SendMessageResponseObject, error) {
	id, err := messageID(r.UserID, r.Body.MessageID, r.Params.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	if err := s.talking.Take(r.UserID); err != nil {
		return nil, err
	}
	request := agent.Request{UserID: r.UserID, ConversationID: canonical(or(r.Body.ConversationID, "")), MessageID: id, Text: r.Body.Message}
	return s.answer(ctx, func(ctx context.Context, see func(agent.Event)) (agent.Answer, error) {
		return s.Chat.Say(ctx, request, see)
	})
}

// DecideApproval carries out what waited for the user, or drops it.
func (s *Server) DecideApproval(ctx context.Context, r DecideApprovalRequestObject) (DecideApprovalResponseObject, error) {
	if err := s.talking.Take(r.UserID); err != nil {
		return nil, err
	}
	return s.answer(ctx, func(ctx context.Context, see func(agent.Event)) (agent.Answer, error) {
		return s.Chat.Decide(ctx, r.UserID, canonical(r.ApprovalID), r.Body.Approve, see)
	})
}

// ListConversations answers with one page of conversations.
func (s *Server) ListConversations(ctx context.Context, r ListConversationsRequestObject) (ListConversationsResponseObject, error) {
	found, err := s.Chat.Conversations(ctx, r.UserID, agenttools.SearchConversationsInput{
		Query: or(r.Params.Q, ""), Limit: or(r.Params.Limit, 0), Cursor: or(r.Params.Cursor, ""),
	})
	if err != nil {
		return nil, err
	}
	page := struct {
		Items      []agenttools.Conversation `json:"items"`
		NextCursor *string                   `json:"next_cursor"`
		TimeZone   string                    `json:"time_zone"`
	}{Items: list(found.Conversations), TimeZone: found.TimeZone}
	if found.NextCursor != "" {
		page.NextCursor = &found.NextCursor
	}
	return jsonReply(page), nil
}

// ListMessages answers with one page of a conversation.
func (s *Server) ListMessages(ctx context.Context, r ListMessagesRequestObject) (ListMessagesResponseObject, error) {
	loaded, err := s.Chat.Messages(ctx, r.UserID, agenttools.LoadConversationInput{
		ConversationID: canonical(r.ConversationID), Before: canonical(or(r.Params.Before, "")), Limit: or(r.Params.Limit, 0),
	})
	if err != nil {
		return nil, err
	}
	return jsonReply(struct {
		ConversationID string               `json:"conversation_id"`
		Title          string               `json:"title"`
		Items          []agenttools.Message `json:"items"`
		More           bool                 `json:"more"`
		TimeZone       string               `json:"time_zone"`
	}{loaded.ConversationID, loaded.Title, list(loaded.Messages), loaded.More, loaded.TimeZone}), nil
}

// named is the namespace of the ids made of Idempotency-Keys (RFC 9562, section 5.5).
var named = uuid.MustParse("5b0f3a0e-6d0c-5f7c-9b1e-3f5d1c2a7e94")

// messageID is the id that names a message: the one sent, or one made of the key, always the same of the same; else a new
// one. errs.Invalid if it is named twice and differently.
func messageID(userID string, id, key *string) (string, error) {
	switch {
	case id == nil && key == nil:
		return uuid.Must(uuid.NewV7()).String(), nil
	case key == nil:
		return canonical(*id), nil
	}
	of := canonical(*key)
	if contract.UUID(of) != "" {
		of = uuid.NewSHA1(named, []byte(userID+"\x00"+*key)).String()
	}
	if id != nil && canonical(*id) != of {
		return "", errs.InvalidFields(errs.Field{Field: "message_id", Message: "must be the Idempotency-Key, or only one of both be sent"})
	}
	return of, nil
}

// canonical is an id, checked before, as ids are kept: UUIDs may be written in capitals.
func canonical(id string) string {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return id
	}
	return parsed.String()
}

func or[T any](p *T, fallback T) T {
	if p == nil {
		return fallback
	}
	return *p
}
