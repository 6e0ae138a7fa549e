package sidecar

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/dapr/dapr/pkg/proto/runtime/v1"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// HandlerDeadline is how long a handler may take. It is below the sidecar's own timeout for a delivery
// (dapr/resiliency), so that the sidecar never starts a second attempt while the first still runs.
const HandlerDeadline = 4 * time.Second

const (
	// defaultConcurrency is enough for one delivery per partition of every topic; the sidecar keeps one in flight each.
	defaultConcurrency = 128
	// maxRequest is above the broker's limit for a record (1 MiB) and above what a batch usually holds.
	maxRequest = 8 << 20
	// stopTimeout ends connections that do not close by themselves.
	stopTimeout = 2 * time.Second
)

// ServerOptions are what a Server needs. Zero durations and sizes mean the defaults.
type ServerOptions struct {
	// Addr is where Run listens, host:port.
	Addr string
	// Token is what the sidecar must show with every delivery. Without one, Open must be set.
	Token config.Secret
	// Open takes calls of anybody who can reach Addr. For tests and for a lone developer's machine.
	Open          bool
	Subscriptions []Subscription
	// Health says whether this service can handle events now. The sidecar asks every few seconds and pauses all
	// subscriptions while it cannot, so include what handlers need (the database) and nothing else. It must be cheap:
	// the sidecar gives it two seconds. nil means always.
	Health func(context.Context) error
	// NotHandled is told of every delivery of a subscription with dead letters that was not handled, before the sidecar is
	// told, so that it keeps the delivery waiting: ctx ends half a second later at the latest, and before the sidecar loses patience.
	// nil means that nobody wants to know.
	NotHandled func(ctx context.Context, d Delivery, f Failure)
	// Concurrency bounds how many deliveries are handled at once; a batch counts as one. Default 128.
	Concurrency int
	// Probes is how many times the sidecar must have been told that this service is stopping before the stop ends, if
	// there are subscriptions with dead letters: as many as it takes to pause them. 0 does not wait for any, for a sidecar that
	// is told to stop together with the service.
	Probes int
	// Quiet is how long no event must have come before a stop ends; default 1 s. Drain bounds the wait; default 10 s.
	Quiet, Drain time.Duration
}

// Server takes events from the sidecar: Dapr's AppCallback service over gRPC. Make one with NewServer.
type Server struct {
	options  ServerOptions
	byTopic  map[source]Subscription
	slots    chan struct{}
	stopping atomic.Bool
	active   atomic.Int64 // unix nanoseconds of the last time a delivery began or ended, or a probe was refused that is waited for
	inflight atomic.Int64
	probed   atomic.Bool  // the sidecar asks for the health of this service
	waiting  atomic.Int64 // for how many more probes the stop waits
	recovery recovery
}

// source is where a delivery comes from. One topic may be subscribed through two components.
type source struct {
	pubsub string
	topic  contract.Topic
}

// NewServer checks the options and makes a Server. errs.Invalid names what is wrong with them.
func NewServer(o ServerOptions) (*Server, error) {
	if o.Token.IsZero() && !o.Open {
		return nil, errs.New(errs.Invalid, "APP_API_TOKEN is required: without it anybody who reaches %s can send events", o.Addr)
	}
	if o.Concurrency == 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.Quiet == 0 {
		o.Quiet = time.Second
	}
	if o.Drain == 0 {
		o.Drain = 10 * time.Second
	}
	s := &Server{options: o, byTopic: map[source]Subscription{}, slots: make(chan struct{}, o.Concurrency)}
	for _, sub := range o.Subscriptions {
		from := source{sub.PubSub, sub.Topic}
		if _, twice := s.byTopic[from]; twice {
			return nil, errs.New(errs.Invalid, "the topic %s of %s is subscribed twice", sub.Topic, sub.PubSub)
		}
		if sub.PubSub == "" || sub.Topic == "" || sub.Handle == nil {
			return nil, errs.New(errs.Invalid, "a subscription needs a component, a topic and a handler: %q, %q", sub.PubSub, sub.Topic)
		}
		// The sidecar takes zero as its defaults, and its default wait is ten seconds.
		if b := sub.Bulk; b != nil && (b.Messages < 1 || b.Wait < time.Millisecond) {
			return nil, errs.New(errs.Invalid, "bulk delivery of %s needs at least 1 message and 1 ms", sub.Topic)
		}
		if sub.Bulk != nil && len(sub.Types) > 0 {
			return nil, errs.New(errs.Invalid, "%s is taken in batches: the types of its events cannot be chosen", sub.Topic)
		}
		s.byTopic[from] = sub
		if sub.DeadLetter != "" {
			s.waiting.Store(int64(o.Probes))
		}
	}
	return s, nil
}

// Run listens on the address and serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", s.options.Addr)
	if err != nil {
		return fmt.Errorf("listen for the sidecar: %w", err)
	}
	return s.Serve(ctx, l)
}

// Serve serves l until ctx ends. Then it tells the sidecar that it is unhealthy, which pauses the subscriptions, and
// goes on handling what still comes until the sidecar must have noticed and it has been quiet for a moment: an event that
// finds nobody would be tried again a few times and then end in the dead letters.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	g := grpc.NewServer(
		grpc.UnaryInterceptor(guard(s.options.Token)),
		grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithFilter(func(i *stats.RPCTagInfo) bool {
			return i.FullMethodName != runtime.AppCallbackHealthCheck_HealthCheck_FullMethodName
		}))),
		grpc.MaxRecvMsgSize(maxRequest),
		grpc.MaxConcurrentStreams(256),
		grpc.ConnectionTimeout(5*time.Second),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	)
	c := &callback{server: s}
	runtime.RegisterAppCallbackServer(g, c)
	runtime.RegisterAppCallbackHealthCheckServer(g, c)
	runtime.RegisterAppCallbackAlphaServer(g, alphaCallback{callback: c})

	served := make(chan error, 1)
	go func() { served <- g.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve the sidecar: %w", err)
	case <-ctx.Done():
	}
	s.stopping.Store(true)
	s.untilQuiet()
	stop := time.AfterFunc(stopTimeout, g.Stop)
	defer stop.Stop()
	g.GracefulStop()
	if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve the sidecar: %w", err)
	}
	return nil
}

// lastActive is when a delivery began or ended last: now, if one is in flight.
func (s *Server) lastActive() time.Time {
	if s.inflight.Load() > 0 {
		return time.Now()
	}
	return time.Unix(0, s.active.Load())
}

// untilQuiet returns when the sidecar has been refused Probes times and no delivery has begun or ended for Quiet, at the
// latest after Drain.
func (s *Server) untilQuiet() {
	end := time.Now().Add(s.options.Drain)
	s.active.CompareAndSwap(0, time.Now().Add(-s.options.Quiet).UnixNano())
	if !s.probed.Load() {
		s.waiting.Store(0) // it does not ask, and will not be told
	}
	for {
		rest := s.options.Quiet - time.Since(time.Unix(0, s.active.Load()))
		if s.inflight.Load() > 0 || s.waiting.Load() > 0 {
			rest = max(rest, 10*time.Millisecond)
		}
		rest = min(rest, time.Until(end))
		if rest <= 0 {
			return
		}
		<-time.After(rest)
	}
}
