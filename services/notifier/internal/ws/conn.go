package ws

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// repliesKept bounds the answers waiting for a client. One that asks without reading is not answered.
const repliesKept = 16

// conn is one client's connection.
type conn struct {
	server      *Server
	socket      *websocket.Conn
	userID      string
	since       int64
	correlation string

	// wake tells the writer to look at everything again.
	wake chan struct{}
	// hung is closed when the closing frame is written or has failed, silent when the reader has ended.
	hung, silent chan struct{}
	// began is when the connection did, as a Duration since the server's start.
	began time.Duration
	// said is when a data frame last went in either direction, as a Duration since the server's start.
	said atomic.Int64

	mu sync.Mutex
	// expires is when the token does, zero before there was one.
	expires time.Time
	// tokenID is the API token's, empty for a session.
	tokenID string
	replies []reply
	ending  *ending
	hanging bool
}

// reply is an encoded answer to a client's message.
type reply struct {
	kind string
	text []byte
}

// ending is how a connection ends: a code of ours, or the client's own code to echo.
type ending struct {
	Code
	echo  int
	cause error
}

func (c *conn) clock() time.Duration { return time.Since(c.server.started) }

// context is for log lines and calls on behalf of the connection; the request's is over.
func (c *conn) context() context.Context {
	return telemetry.WithUser(telemetry.WithCorrelation(c.server.ctx, c.correlation), c.userID)
}

// run reads and writes until the connection ends, and returns when both have stopped. What waits for hours in here should
// need little stack: a goroutine's stack is a power of two, and ten thousand times 4 KB more are 40 MB.
func (c *conn) run() {
	c.began = c.clock()
	c.said.Store(int64(c.began))
	go c.read()
	c.over(c.theReaders(c.safely(c.write)))
}

// theReaders is the reader's end instead of the writer's, if the writer only failed because the library, on the reader's
// goroutine, has sent the closing frame already (for a message over the limit, and for a violation of the protocol).
func (c *conn) theReaders(end ending) ending {
	if !errors.Is(end.cause, websocket.ErrCloseSent) {
		return end
	}
	for {
		c.mu.Lock()
		reader := c.ending
		c.mu.Unlock()
		if reader != nil {
			return *reader
		}
		<-c.wake // The reader is on its way to finish.
	}
}

// over ends the connection and tells about it.
func (c *conn) over(end ending) {
	c.hangUp(end)
	c.server.metrics.closes.WithLabelValues(end.label()).Inc()

	level := slog.LevelDebug
	attrs := []slog.Attr{slog.String("code", end.label()), slog.Duration("lasted", c.clock()-c.began)}
	if end.cause != nil {
		attrs = append(attrs, slog.String("error", end.cause.Error()))
	}
	if end.Code == Failed {
		level = slog.LevelError
	}
	slog.LogAttrs(c.context(), level, "a connection ended", attrs...)
}

// safely turns a panic into an end of this connection: the others go on.
func (c *conn) safely(fn func() ending) (end ending) {
	defer func() {
		if p := recover(); p != nil {
			end = ending{Code: Failed, cause: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	return fn()
}

// finish asks the writer to end the connection. The first reason counts.
func (c *conn) finish(end ending) {
	c.mu.Lock()
	if c.ending == nil {
		c.ending = &end
	}
	c.mu.Unlock()
	c.signal()
}

func (c *conn) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *conn) reply(kind string, text []byte) {
	c.mu.Lock()
	if len(c.replies) < repliesKept {
		c.replies = append(c.replies, reply{kind, text})
	}
	c.mu.Unlock()
	c.signal()
}

// admit looks at a token. It reports whether the connection may go on, and otherwise how it ends.
func (c *conn) admit(ctx context.Context, token string) (end ending, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			end, ok = ending{Code: Failed, cause: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}, false
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, verifyWait)
	defer cancel()
	claims, err := c.server.verifier.Verify(ctx, token)
	if err != nil {
		if kind := errs.KindOf(err); kind == errs.Unavailable || kind == errs.Internal {
			return ending{Code: Failed, cause: err}, false
		}
		return ending{Code: BadToken, cause: err}, false
	}
	if err := claims.Owns(c.userID); err != nil {
		return ending{Code: WrongUser, cause: err}, false
	}
	c.mu.Lock()
	first := c.expires.IsZero()
	c.expires, c.tokenID = claims.Expires, claims.TokenID
	c.mu.Unlock()
	if first {
		c.server.settle()
	}
	return ending{}, true
}

// hangUp sends the closing frame and waits a little for the client's, then closes the connection. Closing at once would
// make the kernel answer what the client has just sent with a reset, which can take the close code with it.
func (c *conn) hangUp(end ending) {
	number, reason := end.Number, end.Reason
	if number == 0 {
		number, reason = end.echo, ""
	}
	if number != 0 {
		// It fails when nothing can be written any more; then there is nobody to tell.
		_ = c.socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(number, reason), time.Now().Add(time.Second))
	}
	raw := c.socket.NetConn()
	if half, ok := raw.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	c.mu.Lock()
	c.hanging = true
	_ = c.socket.SetReadDeadline(time.Now().Add(goodbye))
	c.mu.Unlock()
	if end.Code == lost {
		_ = c.socket.Close()
	}
	close(c.hung)
	<-c.silent
	_ = c.socket.Close()
}

// endOf is the end that a failed write means.
func endOf(err error) ending {
	if timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && timeout.Timeout() {
		return ending{Code: Slow, cause: err}
	}
	return ending{Code: lost, cause: err}
}
