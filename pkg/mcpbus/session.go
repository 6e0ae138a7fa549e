package mcpbus

import (
	"context"
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// The protocol's methods that this package treats in its own way.
const (
	methodDiscover   = "server/discover"
	methodInitialize = "initialize"
	methodCancelled  = "notifications/cancelled"
)

// protocol is the first version that pub/sub can serve: those before have a handshake and sessions, which one replica
// would have to remember for all.
const protocol = "2026-07-28"

// transport is the client's mcp.Transport of one session.
type transport struct {
	client *Client
	user   string
	// fresh asks the server even if it is known.
	fresh bool
}

// Connect implements mcp.Transport.
func (t *transport) Connect(context.Context) (mcp.Connection, error) {
	s := &session{
		client: t.client, user: t.user, fresh: t.fresh, firstResend: firstResend,
		incoming: make(chan jsonrpc.Message, 1), closed: make(chan struct{}),
	}
	if t.fresh {
		s.firstResend = probeResend
	}
	return s, nil
}

// session is the client's mcp.Connection. Its methods fail only by closing: an error of one would be the end of the session
// for the SDK, so whatever goes wrong with a call is the call's response.
type session struct {
	client      *Client
	user        string
	fresh       bool
	firstResend time.Duration

	incoming chan jsonrpc.Message
	closed   chan struct{}
	once     sync.Once

	mu sync.Mutex
	// refused is why the server could not be discovered.
	refused error
}

// Read implements mcp.Connection: the next response.
func (s *session) Read(context.Context) (jsonrpc.Message, error) {
	select {
	case m := <-s.incoming:
		if r, ok := m.(*jsonrpc.Response); ok && r.Error != nil {
			s.mu.Lock()
			s.refused = r.Error
			s.mu.Unlock()
		}
		return m, nil
	case <-s.closed:
		return nil, io.EOF
	}
}

// Write implements mcp.Connection: it begins a call. Notifications do not travel; a cancellation is told by the call itself.
func (s *session) Write(ctx context.Context, m jsonrpc.Message) error {
	r, ok := m.(*jsonrpc.Request)
	if !ok || !r.IsCall() {
		return nil
	}
	if err := s.begin(ctx, r); err != nil {
		s.deliver(&jsonrpc.Response{ID: r.ID, Error: err})
	}
	return nil
}

func (s *session) begin(ctx context.Context, r *jsonrpc.Request) error {
	switch r.Method {
	case methodDiscover:
		if known := s.client.server(); known != nil && !s.fresh {
			s.deliver(&jsonrpc.Response{ID: r.ID, Result: known})
			return nil
		}
	case methodInitialize:
		// What the SDK tries when it could not discover the server, whatever the reason.
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.refused != nil {
			return s.refused
		}
		return errs.New(errs.Invalid, "the protocol before %s is not spoken over pub/sub", protocol)
	}
	return s.client.begin(ctx, s, r)
}

// deliver hands a response to the reader, who is always there until the session is closed.
func (s *session) deliver(r *jsonrpc.Response) {
	select {
	case s.incoming <- r:
	case <-s.closed:
	}
}

// Close implements mcp.Connection.
func (s *session) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// SessionID implements mcp.Connection: there are no sessions in the protocol.
func (s *session) SessionID() string { return "" }

// knownFor is how long an answer to server/discover is used without Run, which asks again and again.
const knownFor = 5 * time.Minute

// server is the server's answer to server/discover, nil if it must be asked.
func (c *Client) server() json.RawMessage {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.knownAt) > knownFor {
		return nil
	}
	return c.known
}

func (c *Client) learn(result json.RawMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known, c.knownAt = result, time.Now()
}
