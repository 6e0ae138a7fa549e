package mcpbus

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

const (
	defaultConcurrency = 64
	// maxWait is how long a delivery waits for its turn. It is below the time a sidecar gives a handler (4 s), so that the
	// verdict is ours.
	maxWait = 3500 * time.Millisecond
	// When the server stops, quiet is how long no request must have come before it takes no more, drainTimeout how long all
	// of that and the end of what runs may take, and abortTimeout how long what is then cancelled has to end.
	quiet        = time.Second
	drainTimeout = 8 * time.Second
	abortTimeout = 2 * time.Second
	// maxCancelled bounds how many cancellations are remembered whose request has not come.
	maxCancelled = 1024
)

var (
	errCancelled = errors.New("the client cancelled the request")
	errStopping  = errors.New("the server is stopping")
)

// ServerOptions are what a Server needs.
type ServerOptions struct {
	Bus    event.Bus
	Config Config
	// MCP has the tools. NewServer adds a receiving middleware to it, which leaves other transports alone.
	MCP *mcp.Server
	// Enter puts what tools need to know of the request into the context that reaches them; nil adds nothing.
	Enter func(ctx context.Context, r Request) context.Context
	// Concurrency bounds how many requests run at once. Default 64.
	Concurrency int
	// Registry takes the server's metrics; nil for none. Two servers need two registries.
	Registry prometheus.Registerer
}

// Request is who asks, and which request it is. All of it is proved by the MAC.
type Request struct {
	// UserID is whom the request is made for. It is empty only in a request that reads nobody's data (server/discover).
	UserID string
	// ClientID is the app that asks, the same for all its replicas. ReplyTo is the replica, a UUID.
	ClientID, ReplyTo string
	// RequestID is a UUID: the same id of the same client and user is the same request.
	RequestID     string
	CorrelationID string
	ExpiresAt     time.Time
	// Meta is the _meta of the request's parameters; nil if there is none.
	Meta map[string]any
}

// Server is the answering end. It is safe for concurrent use.
type Server struct {
	o       ServerOptions
	key     key
	metrics serverMetrics
	slots   chan struct{}
	work    sync.WaitGroup

	mu       sync.Mutex
	stopping bool
	// active is when a request came last.
	active  time.Time
	running map[name]*run
	// cancelled are requests that must not run, until they expire.
	cancelled map[attempt]time.Time
}

// name is what makes two requests the same.
type name struct{ client, user, request string }

// attempt is one call of a client for a request, with all its re-sendings: another call may use the same request id again,
// and a cancellation of the first is not meant for it. The expiry tells them apart.
type attempt struct {
	name
	expiresAt string
}

// NewServer makes a Server, which serves from the first Deliver on. It panics if the secret is too short, which Config.Check
// would have said.
func NewServer(o ServerOptions) *Server {
	if o.Concurrency <= 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.Enter == nil {
		o.Enter = func(ctx context.Context, _ Request) context.Context { return ctx }
	}
	o.MCP.AddReceivingMiddleware(receive)
	return &Server{
		o: o, key: newKey(o.Config.Secret), metrics: newServerMetrics(o.Registry), slots: make(chan struct{}, o.Concurrency),
		running: map[name]*run{}, cancelled: map[attempt]time.Time{},
	}
}

// Deliver takes a message of the topic of requests and returns when a worker has it, not when it is done: a long call must
// not hold up the partition. Should this process die, the client sends again, for only the client knows whether anybody
// still waits.
//
// errs.Invalid and errs.Denied if it is no request of ours: it never will be. errs.Unavailable if all workers were busy for
// seconds or the server is stopping: it is to be delivered again.
func (s *Server) Deliver(ctx context.Context, data []byte) error {
	outcome, err := s.accept(ctx, data)
	if outcome != "" {
		s.metrics.requests.WithLabelValues(outcome).Inc()
	}
	return err
}

// accept returns what became of the request, or nothing if a worker will say.
func (s *Server) accept(ctx context.Context, data []byte) (outcome string, err error) {
	e, err := parse(data)
	if err != nil {
		return requestRefused, err
	}
	if err := s.key.verify(request, &e); err != nil {
		return requestRefused, err
	}
	expires, err := e.expiry()
	if err != nil {
		return requestRefused, err
	}
	message, err := jsonrpc.DecodeMessage([]byte(e.Message))
	if err != nil {
		return requestRefused, errs.Because(err, errs.Invalid, "a request is no message of JSON-RPC")
	}
	r, ok := message.(*jsonrpc.Request)
	switch {
	case !ok, !r.IsCall() && r.Method != methodCancelled:
		return requestRefused, errs.New(errs.Invalid, "a request is neither a call nor a cancellation")
	case e.UserID == "" && r.Method != methodDiscover:
		return requestRefused, errs.New(errs.Denied, "a call of %s names no user", e.ClientID)
	}
	of := attempt{name{e.ClientID, e.UserID, e.RequestID}, e.ExpiresAt}
	if r.Method == methodCancelled {
		s.cancel(of, expires)
		return "", nil
	}
	ctx = telemetry.WithCorrelation(ctx, e.CorrelationID)
	if e.UserID != "" {
		ctx = telemetry.WithUser(ctx, e.UserID)
	}
	return s.begin(ctx, e, r, of, expires)
}

// begin hands a request to a worker when one is free.
func (s *Server) begin(ctx context.Context, e envelope, call *jsonrpc.Request, of attempt, expires time.Time) (outcome string, err error) {
	// What the tool does is not part of the delivery and outlives it.
	life, abort := context.WithCancelCause(context.WithoutCancel(ctx))
	life, release := context.WithDeadline(life, expires)
	r := &run{attempt: of, envelope: e, expires: expires, call: call, abort: abort}
	r.within = func(ctx context.Context) (context.Context, func()) { return both(ctx, life) }
	if outcome, err := s.enter(r); outcome != "" {
		release()
		return outcome, err
	}
	end := func() {
		s.leave(r)
		release()
	}
	turn := time.NewTimer(maxWait)
	defer turn.Stop()
	select {
	case s.slots <- struct{}{}:
	case <-life.Done():
		end()
		return s.ended(life), nil
	case <-ctx.Done():
		end()
		return requestBusy, errs.Because(ctx.Err(), errs.Unavailable, "no worker was free")
	case <-turn.C:
		end()
		return requestBusy, errs.New(errs.Unavailable, "all %d workers are busy", s.o.Concurrency)
	}
	// It may have ended while it waited, in the moment in which its turn came.
	if life.Err() != nil {
		<-s.slots
		end()
		return s.ended(life), nil
	}
	go func() {
		defer end()
		defer func() { <-s.slots }()
		s.metrics.requests.WithLabelValues(s.serve(life, r)).Inc()
	}()
	return "", nil
}

// enter notes that a request is being worked on, unless there is a reason not to.
func (s *Server) enter(r *run) (outcome string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return requestBusy, errs.New(errs.Unavailable, "the MCP server is stopping")
	}
	now := time.Now()
	s.active = now
	if !now.Before(r.expires) {
		return requestExpired, nil
	}
	if _, ok := s.cancelled[r.attempt]; ok {
		return requestCancelled, nil
	}
	if s.running[r.name] != nil {
		return requestRepeated, nil
	}
	s.running[r.name] = r
	s.work.Add(1)
	return "", nil
}

func (s *Server) leave(r *run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, r.name)
	s.work.Done()
}

// cancel ends a request that runs here. It may also have overtaken the request, or this may be another replica's, so it is
// remembered until the request expires.
func (s *Server) cancel(of attempt, expires time.Time) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.running[of.name]; r != nil && r.attempt == of {
		r.abort(errCancelled)
	}
	if !now.Before(expires) {
		return
	}
	if len(s.cancelled) >= maxCancelled {
		maps.DeleteFunc(s.cancelled, func(_ attempt, at time.Time) bool { return !now.Before(at) })
	}
	for old := range s.cancelled {
		if len(s.cancelled) < maxCancelled {
			break
		}
		// Any one: what is forgotten here is executed although nobody waits, as if the cancellation had been lost.
		delete(s.cancelled, old)
	}
	s.cancelled[of] = expires
}

// ended is why a request's life is over.
func (s *Server) ended(life context.Context) string {
	if errors.Is(life.Err(), context.DeadlineExceeded) {
		return requestExpired
	}
	return requestCancelled
}

// Run waits for ctx to end and then ends the server: it goes on taking what the sidecar still hands over until none has
// come for a second; then it takes nothing new and lets what runs end. What has not
// after eight seconds in all is cancelled, without a reply: the client sends again, and another replica answers. It returns
// nil, after ten seconds at the latest.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	end := time.Now().Add(drainTimeout)
	s.untilQuiet(end)
	done := make(chan struct{})
	go func() {
		s.work.Wait()
		close(done)
	}()
	if within(done, time.Until(end)) {
		return nil
	}
	s.mu.Lock()
	for _, r := range s.running {
		r.abort(errStopping)
	}
	s.mu.Unlock()
	if !within(done, abortTimeout) {
		slog.WarnContext(ctx, "mcp requests did not end when they were cancelled")
	}
	return nil
}

// untilQuiet returns when no request has come for a moment, at the latest at end. None is taken afterwards.
func (s *Server) untilQuiet(end time.Time) {
	began := time.Now()
	for {
		s.mu.Lock()
		last := s.active
		if last.Before(began) {
			last = began
		}
		rest := min(time.Until(last.Add(quiet)), time.Until(end))
		s.stopping = rest <= 0
		s.mu.Unlock()
		if rest <= 0 {
			return
		}
		<-time.After(rest)
	}
}

// within waits for done and reports whether it came in time.
func within(done <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
