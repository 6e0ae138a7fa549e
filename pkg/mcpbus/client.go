package mcpbus

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
)

const (
	defaultTimeout = 25 * time.Second
	// maxTimeout bounds also what a caller's own deadline says.
	maxTimeout = 5 * time.Minute
	// maxPending bounds how many calls of a replica wait at once. The agent's own limits are far below.
	maxPending = 1024
)

// Client is the asking end of one replica. It is safe for concurrent use.
type Client struct {
	bus     event.Bus
	key     key
	app     string
	replica string
	timeout time.Duration
	sdk     *mcp.Client
	metrics clientMetrics

	mu sync.Mutex
	// pending are the calls that wait, by request id. One id may be asked for by several callers at once: it is one request
	// with one answer for all.
	pending map[string][]*call
	waiting int
	// known is the server's last answer to server/discover, and answered when it last answered anything.
	known    json.RawMessage
	knownAt  time.Time
	answered time.Time
}

// ClientOption changes how a Client is made.
type ClientOption func(*Client)

// WithMetrics registers the client's metrics. Two clients need two registerers.
func WithMetrics(r prometheus.Registerer) ClientOption {
	return func(c *Client) { c.metrics = newClientMetrics(r) }
}

// NewClient makes the client of this replica of an app. clientID is the app, the same for all replicas. Nothing happens
// before Connect or Run. It panics if the secret is too short, which Config.Check would have said.
func NewClient(bus event.Bus, c Config, clientID string, options ...ClientOption) *Client {
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	client := &Client{
		bus: bus, key: newKey(c.Secret), app: clientID, replica: uuid.NewString(), timeout: c.Timeout,
		sdk: mcp.NewClient(&mcp.Implementation{Name: clientID, Version: "1"}, &mcp.ClientOptions{
			Capabilities:   &mcp.ClientCapabilities{},
			MultiRoundTrip: &mcp.MultiRoundTripOptions{Disabled: true},
		}),
		metrics: newClientMetrics(nil), pending: map[string][]*call{},
	}
	client.sdk.AddSendingMiddleware(deadlines)
	for _, option := range options {
		option(client)
	}
	return client
}

// deadlines makes the end of a caller's own deadline the same error as the end of ours: the SDK reports the context's.
func deadlines(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, r mcp.Request) (mcp.Result, error) {
		result, err := next(ctx, method, r)
		if errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrNoAnswer) {
			err = noAnswer(err)
		}
		return result, err
	}
}

// Connect begins a session whose every call is made for the user. It is cheap while Run is running or somebody connected a
// moment ago: then nothing is sent. Close the session; a call in flight holds its Close up until it ends.
//
// A call waits until its context's deadline, or Config.Timeout if there is none, and sends its request again meanwhile.
// Its errors: ErrNoAnswer; errs.Unavailable if too many calls wait already; errs.Invalid if the request id in its _meta is no
// UUID or the request is larger than the bus takes; what the server answers, a *jsonrpc.Error; and the context's
// cancellation, which the server is told.
func (c *Client) Connect(ctx context.Context, userID string) (*mcp.ClientSession, error) {
	if userID == "" {
		return nil, errs.New(errs.Invalid, "a session of MCP needs a user")
	}
	return c.sdk.Connect(ctx, &transport{client: c, user: userID}, nil)
}

// Deliver takes a message of the topic of replies. What is not for this replica, or what nobody waits for, is passed over;
// errs.Invalid and errs.Denied say that it is no reply of ours. None of it ends a session.
func (c *Client) Deliver(_ context.Context, data []byte) error {
	outcome, err := c.take(data)
	c.metrics.replies.WithLabelValues(outcome).Inc()
	return err
}

func (c *Client) take(data []byte) (outcome string, err error) {
	e, err := parse(data)
	if err != nil {
		return replyRefused, err
	}
	// Before anything expensive: most of what a replica sees is for others.
	if e.ReplyTo != c.replica {
		return replyForeign, nil
	}
	if err := c.key.verify(reply, &e); err != nil {
		return replyRefused, err
	}
	message, err := jsonrpc.DecodeMessage([]byte(e.Message))
	if err != nil {
		return replyRefused, errs.Because(err, errs.Invalid, "a reply is no message of JSON-RPC")
	}
	response, ok := message.(*jsonrpc.Response)
	if !ok || e.ClientID != c.app {
		return replyRefused, errs.New(errs.Invalid, "a reply is no answer to a call of %s", c.app)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answered = time.Now()
	outcome = replyLate
	for _, call := range c.pending[e.RequestID] {
		if call.user == e.UserID && call.answer(response) {
			outcome = replyTaken
		}
	}
	return outcome, nil
}

// wait enters a call among those that wait. errs.Unavailable if there are too many.
func (c *Client) wait(k *call) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting >= maxPending {
		return errs.New(errs.Unavailable, "more than %d calls wait for an answer already", maxPending)
	}
	c.waiting++
	c.pending[k.request] = append(c.pending[k.request], k)
	return nil
}

func (c *Client) forget(k *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting--
	rest := c.pending[k.request]
	for i, other := range rest {
		if other == k {
			rest = append(rest[:i:i], rest[i+1:]...)
			break
		}
	}
	if len(rest) == 0 {
		delete(c.pending, k.request)
		return
	}
	c.pending[k.request] = rest
}
