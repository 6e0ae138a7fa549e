package mcpbus

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/proto"
)

const (
	firstReplyRetry = 100 * time.Millisecond
	lastReplyRetry  = 2 * time.Second
)

// run is a request that a worker has.
type run struct {
	attempt
	envelope envelope
	expires  time.Time
	call     *jsonrpc.Request
	// abort ends the run's life.
	abort context.CancelCauseFunc
	// within makes a context end with the run's life.
	within     func(context.Context) (context.Context, func())
	unanswered atomic.Bool
}

type runKey struct{}

func runOf(ctx context.Context) *run {
	r, _ := ctx.Value(runKey{}).(*run)
	return r
}

// Unanswered keeps the reply to the request of ctx from leaving: whoever answers cannot tell whether the request was executed,
// and the client is to send it again. It reports whether ctx belongs to a request over pub/sub; if not it does nothing, and
// the caller must be told in words.
func Unanswered(ctx context.Context) bool {
	r := runOf(ctx)
	if r == nil {
		return false
	}
	r.unanswered.Store(true)
	return true
}

// serve executes a request, publishes its reply and returns what became of it.
func (s *Server) serve(life context.Context, r *run) (outcome string) {
	ctx := context.WithValue(life, runKey{}, r)
	ctx = s.o.Enter(ctx, Request{
		UserID: r.user, ClientID: r.client, ReplyTo: r.envelope.ReplyTo, RequestID: r.request,
		CorrelationID: r.envelope.CorrelationID, ExpiresAt: r.expires, Meta: metaOf(r.call.Params),
	})
	response, err := s.execute(ctx, r)
	switch {
	case life.Err() != nil && errors.Is(context.Cause(life), errStopping):
		return requestUnanswered
	case life.Err() != nil:
		return s.ended(life)
	case err != nil:
		slog.ErrorContext(ctx, "mcp request not executed", "error", err)
		return requestUnanswered
	case r.unanswered.Load():
		return requestUnanswered
	}
	s.reply(ctx, r, response)
	return requestExecuted
}

// execute has the SDK handle the request in a session of its own: the protocol has none, and so the request's context is
// the session's. It returns when the tool has.
func (s *Server) execute(ctx context.Context, r *run) (*jsonrpc.Response, error) {
	x := &exchange{request: make(chan *jsonrpc.Request, 1), response: make(chan *jsonrpc.Response, 1), closed: make(chan struct{})}
	x.request <- r.call
	session, err := s.o.MCP.Connect(ctx, x, nil)
	if err != nil {
		return nil, err
	}
	// Waits for the tool if it still runs.
	defer func() { _ = session.Close() }()
	select {
	case response := <-x.response:
		return response, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// receive is the middleware around every request. The SDK hides the deadline and the end of a connection's context from the
// tools, and lets a tool that panics end the process.
func receive(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (result mcp.Result, err error) {
		r := runOf(ctx)
		if r == nil {
			return next(ctx, method, req)
		}
		ctx, release := r.within(ctx)
		defer release()
		defer func() {
			if p := recover(); p != nil {
				slog.ErrorContext(ctx, "mcp tool panicked", "stack", string(debug.Stack()))
				result, err = nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "internal error"}
			}
		}()
		return next(ctx, method, req)
	}
}

// both is ctx, ending also with life and at its deadline.
func both(ctx, life context.Context) (context.Context, func()) {
	deadline, _ := life.Deadline()
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(life, func() {
		// The deadline ends both by itself, and is to be seen as what it is.
		if errors.Is(life.Err(), context.Canceled) {
			cancel(context.Cause(life))
		}
	})
	ctx, release := context.WithDeadline(ctx, deadline)
	return ctx, func() {
		stop()
		release()
		cancel(nil)
	}
}

// reply publishes the response until the bus has taken it or nobody waits any more.
func (s *Server) reply(ctx context.Context, r *run, response *jsonrpc.Response) {
	err := s.publish(ctx, r, response)
	if err != nil && ctx.Err() == nil {
		// It is larger than the bus takes. Without an answer the client would ask for it again and again.
		err = s.publish(ctx, r, &jsonrpc.Response{ID: response.ID, Error: &jsonrpc.Error{
			Code:    jsonrpc.CodeInternalError,
			Message: "the call was executed, but its result is too large to be sent: ask for less",
		}})
	}
	if err != nil {
		s.metrics.replies.WithLabelValues(replyLost).Inc()
		slog.WarnContext(ctx, "mcp reply not published", "error", err)
		return
	}
	s.metrics.replies.WithLabelValues(replySent).Inc()
}

// publish tries until the bus takes the response, refuses it for good, or ctx ends.
func (s *Server) publish(ctx context.Context, r *run, response *jsonrpc.Response) error {
	e := r.envelope
	e.ExpiresAt = ""
	m, err := s.key.message(ctx, reply, e, response)
	if err != nil {
		return err
	}
	m.ID = event.NewID()
	for pause := firstReplyRetry; ; pause = min(2*pause, lastReplyRetry) {
		err := s.attempt(ctx, m)
		if kind := errs.KindOf(err); err == nil || kind != errs.Unavailable && kind != errs.Internal {
			return err
		}
		timer := time.NewTimer(jittered(pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

func (s *Server) attempt(ctx context.Context, m event.Message) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	return s.o.Bus.Publish(ctx, proto.MCPReplies, []event.Message{m})
}

// exchange is the server's transport and connection of one request.
type exchange struct {
	request  chan *jsonrpc.Request
	response chan *jsonrpc.Response
	closed   chan struct{}
	once     sync.Once
}

// Connect implements mcp.Transport.
func (x *exchange) Connect(context.Context) (mcp.Connection, error) { return x, nil }

// SupportsProtocolVersion implements mcp.ProtocolVersionSupporter.
func (x *exchange) SupportsProtocolVersion(version string) bool { return version >= protocol }

// Read implements mcp.Connection: the request, and then nothing more.
func (x *exchange) Read(context.Context) (jsonrpc.Message, error) {
	select {
	case r := <-x.request:
		return r, nil
	case <-x.closed:
		return nil, io.EOF
	}
}

// Write implements mcp.Connection: it takes the response. What a tool sends besides has no way to the client.
func (x *exchange) Write(_ context.Context, m jsonrpc.Message) error {
	if r, ok := m.(*jsonrpc.Response); ok {
		select {
		case x.response <- r:
		default:
		}
	}
	return nil
}

// Close implements mcp.Connection.
func (x *exchange) Close() error {
	x.once.Do(func() { close(x.closed) })
	return nil
}

// SessionID implements mcp.Connection: there are no sessions in the protocol.
func (x *exchange) SessionID() string { return "" }
