// Package sidecar is everything Dapr: the client that publishes (client.go, publish.go), the callback server that takes
// events in (server.go, callback.go, deliver.go), secrets, state and readiness.
//
// It owns how an event travels through the sidecar and what becomes of one that was not handled. It refuses to know
// what an event means: handlers come in with the subscriptions. Services name this package in their wiring only.
//
// The SDK's callback server is not used: it drops the CloudEvent's extensions, answers bulk deliveries with a status
// that makes the sidecar acknowledge and lose them, and does not check the app token on events.
package sidecar

import (
	"net"
	"strconv"
	"strings"

	"github.com/taskflow-suite/taskflow/pkg/config"
)

// Dapr is what a service must know of its sidecar. Embed it in the service's settings.
type Dapr struct {
	AppAddr  string        `env:"APP_ADDR" default:"127.0.0.1:6001" doc:"address on which the sidecar delivers events (gRPC AppCallback)"`
	AppToken config.Secret `env:"APP_API_TOKEN" secret:"true" doc:"token the sidecar must show with every delivery"`
	Probes   int           `env:"APP_HEALTH_THRESHOLD" default:"0" doc:"after how many failed probes the sidecar pauses the subscriptions, where it stops after the service: told to stop, the service takes events until then; 0 does not wait"`
	Open     bool          `env:"APP_API_OPEN" default:"false" doc:"take deliveries without a token; only where nothing else can reach APP_ADDR"`

	Endpoint string        `env:"DAPR_GRPC_ENDPOINT" doc:"address of the sidecar's gRPC API, host:port; empty means 127.0.0.1 and DAPR_GRPC_PORT"`
	GRPCPort int           `env:"DAPR_GRPC_PORT" default:"50001" doc:"port of the sidecar's gRPC API"`
	Token    config.Secret `env:"DAPR_API_TOKEN" secret:"true" doc:"token shown to the sidecar"`

	PubSub       string `env:"PUBSUB" default:"pubsub" doc:"pub/sub component for publishing and for shared work"`
	PubSubFanOut string `env:"PUBSUB_FANOUT" default:"pubsub-fanout" doc:"pub/sub component whose every replica sees every event"`
	SecretStore  string `env:"SECRET_STORE" default:"secrets" doc:"secret store component; none reads secrets from the environment only"`
	SecretObject string `env:"SECRET_OBJECT" doc:"object of the secret store that holds all values, as a Kubernetes Secret does; empty when each value is a secret of its own"`
	StateStore   string `env:"STATE_STORE" default:"statestore" doc:"state store component"`
}

// target is where the sidecar's gRPC API is. DAPR_GRPC_ENDPOINT may carry a scheme, as Dapr's own clients allow.
func (d Dapr) target() string {
	target := d.Endpoint
	for _, scheme := range []string{"http://", "https://"} {
		target = strings.TrimPrefix(target, scheme)
	}
	if target == "" {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(d.GRPCPort))
	}
	return target
}

// encrypted reports whether the sidecar is reached over TLS, as a hosted one is.
func (d Dapr) encrypted() bool { return strings.HasPrefix(d.Endpoint, "https://") }
