package ws

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/hub"
)

// Path is the route of the door.
const Path = "/ws/user/:user_id/tasks"

// Limits on a connection that are part of the contract with clients.
const (
	// authWait is how long a connection may stay without a token.
	authWait = 5 * time.Second
	// idleAfter is how long a connection stays open when neither side says anything.
	idleAfter = 5 * time.Minute
	// messageLimit is a client's longest message in bytes.
	messageLimit = 4096
)

// Limits on a connection that only show when something is wrong.
const (
	pingEvery = 25 * time.Second
	// pongWait is how long a client may be silent on the level of frames; two of three pings may get lost.
	pongWait = 60 * time.Second
	// writeWait bounds one write.
	writeWait = 10 * time.Second
	// verifyWait bounds looking at a token, for which keys may have to be fetched.
	verifyWait = 5 * time.Second
	// tokensEvery is how often the API tokens of open connections are looked up: a revoked one is to stop within ten seconds.
	tokensEvery = 5 * time.Second
	// tokensAtOnce is how many are looked up with one question.
	tokensAtOnce = 1000
	// goodbye is how long the other side of the closing handshake is waited for.
	goodbye = 2 * time.Second
	// bufferSize is a connection's read buffer and the size of the pooled write buffers: longer messages take a few more
	// calls, and ten thousand silent connections take 10 MB.
	bufferSize = 1024
)

// Verifier says whose a token is. auth.Verifier is one.
type Verifier interface {
	// Verify returns the token's claims. errs.Denied if it is not valid, errs.Unavailable if that cannot be said now.
	Verify(ctx context.Context, raw string) (auth.Claims, error)
}

// Tokens says which API tokens still count. tokenstore.Store is one.
type Tokens interface {
	// Live returns those of some tokens' ids, up to 1,000, that have neither been revoked nor expired.
	Live(ctx context.Context, ids []string) ([]string, error)
}

// Options are the door's settings. Verifier and Hub are needed.
type Options struct {
	Verifier Verifier
	// Tokens is needed where the verifier takes API tokens.
	Tokens Tokens
	Hub    *hub.Hub[*Frame]
	// Origins are the pages that may connect, as scheme://host[:port].
	Origins []string
	// MaxConnections bounds all connections (12,000).
	MaxConnections int
	// MaxWaiting bounds those that have not shown a token yet (1,000), so that strangers cannot take every place.
	MaxWaiting int
	// ShutdownSpread is the time over which connections are closed when the server stops (5 s).
	ShutdownSpread time.Duration
}

// Server is the door. Run must run for it to close connections in order when it stops.
type Server struct {
	verifier Verifier
	tokens   Tokens
	hub      *hub.Hub[*Frame]
	origins  origins
	metrics  *metrics
	traces   traces
	upgrader websocket.Upgrader
	started  time.Time

	maxOpen, maxWaiting int
	spread              time.Duration

	// closing is closed when connections are to leave, within spread. ctx ends when they must be gone.
	closing chan struct{}
	ctx     context.Context //nolint:containedctx // connections outlive their requests and have nobody else's
	cut     context.CancelFunc

	mu            sync.Mutex
	stopping      bool
	open, waiting int
	conns         map[*conn]struct{}
	all           sync.WaitGroup
}

// New makes the door.
func New(o Options) *Server {
	ctx, cut := context.WithCancel(context.Background()) // ended by Run, after its own
	s := &Server{
		verifier: o.Verifier, tokens: o.Tokens, hub: o.Hub, origins: newOrigins(o.Origins), started: time.Now(),
		maxOpen: o.MaxConnections, maxWaiting: o.MaxWaiting, spread: o.ShutdownSpread,
		closing: make(chan struct{}), ctx: ctx, cut: cut, conns: map[*conn]struct{}{},
		upgrader: websocket.Upgrader{
			HandshakeTimeout: authWait,
			ReadBufferSize:   bufferSize,
			WriteBufferSize:  bufferSize,
			WriteBufferPool:  &sync.Pool{},
			// The origin has been looked at before.
			CheckOrigin: func(*http.Request) bool { return true },
			// The error comes back from Upgrade and is answered like every other.
			Error: func(http.ResponseWriter, *http.Request, int, error) {},
		},
	}
	if s.maxOpen <= 0 {
		s.maxOpen = 12_000
	}
	if s.maxWaiting <= 0 {
		s.maxWaiting = 1000
	}
	if s.spread <= 0 {
		s.spread = 5 * time.Second
	}
	s.metrics, s.traces = newMetrics(s), make(traces, tracesKept)
	return s
}

// Routes opens the door on e.
func (s *Server) Routes(e *echo.Echo) { e.GET(Path, s.accept) }

// Metrics are the door's and the hub's figures, to be registered.
func (s *Server) Metrics() prometheus.Collector { return s.metrics }

// accept refuses before the upgrade what is wrong with the request itself: 400 for one that is no upgrade or has a since
// that is none, 403 for a page that may not connect, 503 when there is no place. What concerns the token is answered
// after the upgrade with a close code, because a browser does not show its scripts the status of a refused upgrade.
func (s *Server) accept(c echo.Context) error {
	r := c.Request()
	if !s.origins.allow(r) {
		return errs.New(errs.Denied, "pages of this origin may not connect")
	}
	since, err := sinceOf(r)
	if err != nil {
		return err
	}
	// echo leaves a parameter escaped if its client escaped more than was necessary, such as %40 for @.
	userID, err := url.PathUnescape(c.Param("user_id"))
	if err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, "the user in the path is not escaped as a URL is")
	}
	if err := s.reserve(); err != nil {
		s.metrics.refused.Inc()
		return err
	}
	ctx := r.Context()
	conn := &conn{
		server: s, userID: userID, since: since, correlation: telemetry.Correlation(ctx),
		wake: make(chan struct{}, 1), hung: make(chan struct{}), silent: make(chan struct{}),
	}
	if token := tokenOf(r); token != "" {
		// Here and not on the connection's own goroutines, which would keep the stack that this takes.
		if end, ok := conn.admit(ctx, token); !ok {
			conn.ending = &end
		}
	}
	header := http.Header{}
	if id := c.Response().Header().Get(echo.HeaderXCorrelationID); id != "" {
		header.Set(echo.HeaderXCorrelationID, id)
	}
	socket, err := s.upgrader.Upgrade(c.Response(), r, header)
	if err != nil {
		s.release(conn.expires.IsZero())
		if _, early := errors.AsType[websocket.HandshakeError](err); early {
			return echo.NewHTTPError(http.StatusBadRequest, "this address only speaks WebSocket (RFC 6455, version 13)").SetInternal(err)
		}
		slog.DebugContext(ctx, "the upgrade failed", "error", err.Error())
		return nil
	}
	// The request ends here and its memory with it; the connection keeps none of it.
	conn.socket = socket
	s.serve(conn)
	return nil
}

func sinceOf(r *http.Request) (int64, error) {
	values, given := r.URL.Query()["since"]
	if !given {
		return -1, nil
	}
	since, err := strconv.ParseUint(values[0], 10, 63)
	if len(values) > 1 || err != nil {
		return 0, echo.NewHTTPError(http.StatusBadRequest, "since must be one whole number: the sequence of the last frame received, or 0")
	}
	return int64(since), nil
}

// tokenOf is the token a client sent with its request. The query goes first: a cookie is sent by the browser unasked.
func tokenOf(r *http.Request) string {
	if token := r.URL.Query().Get("token"); token != "" {
		return token
	}
	return auth.FromRequest(r)
}

// reserve takes a place for a connection without a token.
func (s *Server) reserve() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopping:
		return errs.New(errs.Unavailable, "this server is stopping; try again")
	case s.open >= s.maxOpen, s.waiting >= s.maxWaiting:
		return errs.New(errs.Unavailable, "this server has as many connections as it takes; try again later")
	}
	s.open++
	s.waiting++
	s.all.Add(1)
	return nil
}

// settle says that a connection has shown its token.
func (s *Server) settle() {
	s.mu.Lock()
	s.waiting--
	s.mu.Unlock()
}

func (s *Server) release(waiting bool) {
	s.mu.Lock()
	s.open--
	if waiting {
		s.waiting--
	}
	s.mu.Unlock()
	s.all.Done()
}

func (s *Server) count() (open, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open, s.waiting
}

// Open is the number of connections now.
func (s *Server) Open() int {
	open, _ := s.count()
	return open
}

func (s *Server) serve(c *conn) {
	s.mu.Lock()
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	go func() {
		c.run()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
		s.release(c.expires.IsZero())
	}()
}

// Run closes connections whose API tokens are revoked, until the end of ctx. Then it refuses new connections and closes all others with 1001, spread over some seconds
// so that the clients do not all return in the same instant. It returns when the last is gone.
func (s *Server) Run(ctx context.Context) error {
	var tracing sync.WaitGroup
	defer tracing.Wait()
	// For as long as anything is written.
	writing, written := context.WithCancel(context.WithoutCancel(ctx))
	defer written()
	tracing.Go(func() { s.traces.run(writing) })
	s.watchTokens(ctx)
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		return nil
	}
	s.stopping = true
	s.mu.Unlock()
	close(s.closing)

	gone := make(chan struct{})
	go func() {
		s.all.Wait()
		close(gone)
	}()
	late := time.NewTimer(s.spread + goodbye + time.Second)
	defer late.Stop()
	select {
	case <-gone:
	case <-late.C:
		// Whoever is still writing to a client that does not read is not waited for.
		s.mu.Lock()
		for c := range s.conns {
			_ = c.socket.Close()
		}
		s.mu.Unlock()
	}
	s.cut()
	<-gone
	return nil
}
