package sidecar_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dapr/dapr/pkg/proto/runtime/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/taskflow-suite/taskflow/pkg/sidecar"
)

// early is the API of a sidecar that has its components after some questions only, or never.
type early struct {
	runtime.UnimplementedDaprServer
	asked, ready int64
}

func (e *early) GetSecret(context.Context, *runtime.GetSecretRequest) (*runtime.GetSecretResponse, error) {
	if atomic.AddInt64(&e.asked, 1) < e.ready {
		return nil, status.Error(codes.FailedPrecondition, "secret store is not configured")
	}
	return &runtime.GetSecretResponse{Data: map[string]string{"JWT_SECRET": "of the store"}}, nil
}

func TestASidecarThatAnswersBeforeItHasItsComponentsIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ready    int64
		patience time.Duration
		want     string
	}{
		"until they are there":        {ready: 3, patience: patience, want: "of the store"},
		"for as long as its patience": {ready: 1 << 40, patience: 300 * time.Millisecond, want: "of the environment"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var listen net.ListenConfig
			l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			server := grpc.NewServer()
			runtime.RegisterDaprServer(server, &early{ready: c.ready})
			go func() { _ = server.Serve(l) }()
			t.Cleanup(server.Stop)
			client, err := sidecar.Dial(sidecar.Dapr{Endpoint: l.Addr().String(), SecretStore: "secrets", SecretObject: "task-api"})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			secrets := client.Secrets(func(string) (string, bool) { return "of the environment", true })
			secrets.Patience = c.patience
			if got, _ := secrets.Lookup(within(t, patience), "JWT_SECRET")("JWT_SECRET"); got != c.want {
				t.Errorf("looked up %q, want %q", got, c.want)
			}
		})
	}
}
