package sidecar

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"

	"github.com/dapr/dapr/pkg/proto/runtime/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/taskflow-suite/taskflow/pkg/config"
)

// tokenHeader carries Dapr's token in both directions.
const tokenHeader = "dapr-api-token"

// unguarded are the calls with which daprd does not send the token. They change nothing and tell the topics' names.
var unguarded = map[string]bool{
	runtime.AppCallback_ListTopicSubscriptions_FullMethodName: true,
	runtime.AppCallback_ListInputBindings_FullMethodName:      true,
	runtime.AppCallbackHealthCheck_HealthCheck_FullMethodName: true,
}

// guard refuses every other call that does not show the token. Without a token it lets everybody in.
func guard(token config.Secret) grpc.UnaryServerInterceptor {
	// The digests are compared because a comparison in constant time still tells the length.
	want := sha256.Sum256([]byte(token.Reveal()))
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		if !token.IsZero() && !unguarded[info.FullMethod] {
			shown := metadata.ValueFromIncomingContext(ctx, tokenHeader)
			if len(shown) != 1 {
				return nil, status.Error(codes.Unauthenticated, "the app token is missing")
			}
			got := sha256.Sum256([]byte(shown[0]))
			if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
				return nil, status.Error(codes.Unauthenticated, "the app token is wrong")
			}
		}
		return handle(ctx, req)
	}
}
