package sidecar

import (
	"context"
	"crypto/tls"
	"slices"
	"time"

	dapr "github.com/dapr/go-sdk/client"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

const (
	publishTimeout = 10 * time.Second
	callTimeout    = 2 * time.Second
)

// Client talks to the service's own sidecar. It is safe for concurrent use.
type Client struct {
	dapr   dapr.Client
	config Dapr
}

// Dial makes a Client without waiting for the sidecar, which starts beside the service and may come later or go away:
// the connection is made with the first call and made again whenever it breaks. Calls that find no sidecar fail at
// once with errs.Unavailable.
func Dial(config Dapr) (*Client, error) {
	transport := insecure.NewCredentials()
	if config.encrypted() {
		transport = credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
	}
	conn, err := grpc.NewClient(config.target(),
		grpc.WithTransportCredentials(transport),
		grpc.WithChainUnaryInterceptor(withToken(config.Token.Reveal()), withWaiting),
		grpc.WithStatsHandler(traced{otelgrpc.NewClientHandler()}),
		// The default waits up to two minutes between attempts; a sidecar restarts in a second.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
			MinConnectTimeout: 2 * time.Second,
		}),
		// No keepalive pings: daprd allows one in five minutes and cuts who sends more. The sidecar is on this machine,
		// so a connection that broke is seen to be broken.
	)
	if err != nil {
		return nil, errs.Because(err, errs.Invalid, "the sidecar's address %q cannot be used", config.target())
	}
	return &Client{dapr: dapr.NewClientWithConnection(conn), config: config}, nil
}

// Close ends the connection.
func (c *Client) Close() { c.dapr.Close() }

// Ready reports whether the sidecar answers and has the pub/sub component, errs.Unavailable if not. daprd opens its API
// after its components are initialised, so the broker was reachable once; it may be away by now.
func (c *Client) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	meta, err := c.dapr.GetMetadata(ctx)
	if err != nil {
		return errs.Because(err, errs.Unavailable, "the sidecar does not answer")
	}
	if !slices.ContainsFunc(meta.RegisteredComponents, func(r *dapr.MetadataRegisteredComponents) bool {
		return r.Name == c.config.PubSub
	}) {
		return errs.New(errs.Unavailable, "the sidecar has no component %q", c.config.PubSub)
	}
	return nil
}

// withToken shows the API token with every call.
func withToken(token string) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if token != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, tokenHeader, token)
		}
		return invoke(ctx, method, req, reply, conn, opts...)
	}
}

type waitingKey struct{}

// waiting makes calls with ctx wait for the sidecar until ctx ends, instead of failing at once.
func waiting(ctx context.Context) context.Context { return context.WithValue(ctx, waitingKey{}, true) }

func withWaiting(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if ctx.Value(waitingKey{}) != nil {
		opts = append(opts, grpc.WaitForReady(true))
	}
	return invoke(ctx, method, req, reply, conn, opts...)
}
