package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	headerTimeout = 5 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10 // bytes
	// drain is how long requests may take to end after the server was told to; it fits into process.Main's 25 s.
	drain = 15 * time.Second
)

type server struct {
	http.Server
	streams bool
}

// ServeOption changes how a server treats its connections.
type ServeOption func(*server)

// Streams is for answers that never end: writing has no time limit, and the contexts of requests end with Serve's, so
// that streams know when to stop. Connections that were taken over (WebSockets) are their handlers' to close.
func Streams() ServeOption { return func(s *server) { s.streams = true } }

// Serve answers requests on an address until ctx ends; then it takes no more, lets those under way finish for 15 s and
// returns nil. The error says why it could not listen, or that requests had to be cut off.
func Serve(ctx context.Context, addr string, h http.Handler, opts ...ServeOption) error {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("HTTP cannot be served on %s: %w", addr, err)
	}
	return ServeOn(ctx, l, h, opts...)
}

// ServeOn is Serve on a listener, which it closes.
func ServeOn(ctx context.Context, l net.Listener, h http.Handler, opts ...ServeOption) error {
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	s := &server{Server: http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog:    slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug), // clients' broken connections
		BaseContext: func(net.Listener) context.Context { return requests },
	}}
	for _, opt := range opts {
		opt(s)
	}
	if s.streams {
		s.WriteTimeout = 0
		s.BaseContext = func(net.Listener) context.Context { return ctx }
	}
	slog.InfoContext(ctx, "HTTP is served", "address", l.Addr().String())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("HTTP is served no more: %w", err)
	case <-ctx.Done():
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err := s.Shutdown(deadline)
	if errors.Is(err, context.DeadlineExceeded) {
		cut()
		err = errors.Join(errors.New("requests were cut off: they did not end in time"), s.Close())
	}
	<-ended
	return err
}
