// Package app is mcp-tools put together: the only room that knows all others.
//
// The same tools stand behind two doors: topics for TaskFlow's own agent, which may also use its memory, and HTTP for
// every other client. The database is the one thing without which there is nothing to do: mcp-tools waits for it at the
// start, is not ready while it is away, and has the sidecar keep the agent's requests meanwhile. Sidecar and broker may
// come and go: HTTP is served without them, and events wait in the outbox.
package app

import (
	"context"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/deadletter"
	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
	"github.com/taskflow-suite/taskflow/pkg/postgres/tokenstore"
	"github.com/taskflow-suite/taskflow/pkg/process"
	"github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/service"
	"github.com/taskflow-suite/taskflow/pkg/service/writer"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/ledger"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/tools"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/web"
)

// Run is mcp-tools, with the settings of the process's environment, until ctx ends.
func Run(ctx context.Context) error { return run(ctx, os.LookupEnv, telemetry.Metrics()) }

func run(ctx context.Context, env service.Lookup, metrics prometheus.Registerer) error {
	return service.Run(ctx, proto.MCPTools, env, func(ctx context.Context, settings Config, client *sidecar.Client) error {
		registry := service.NewLease(metrics)
		defer registry.End()
		store, err := writer.Open(ctx, writer.Options{
			Config: settings.Store, Service: proto.MCPTools, Sidecar: client, Bus: settings.Base.Bus, Metrics: registry,
		})
		if err != nil {
			return err
		}
		defer store.Close()
		return serve(ctx, settings, store, client, registry)
	})
}

// serve runs the parts until the first of them ends.
func serve(ctx context.Context, settings Config, store *writer.Writer, client *sidecar.Client, registry prometheus.Registerer) error {
	verifier, err := auth.New(settings.Auth, auth.WithAPITokens(tokenstore.New(store.DB, time.Now)))
	if err != nil {
		return err
	}
	all := tools.New(ledger.New(store.DB, time.Now), time.Now, tools.Confirmations{Secret: settings.Agent.Secret}, tools.WithMetrics(registry))

	requests := topicDoor(all, settings, client, registry)
	letters := deadletter.New(store.DB, deadletter.Options{
		Consumer: proto.MCPTools, Topics: []proto.Topic{proto.MCPRequests}, Metrics: registry,
	})
	work := settings.Base.Dapr.Work(proto.MCPTools, proto.MCPRequests,
		func(ctx context.Context, d sidecar.Delivery) error { return requests.Deliver(ctx, d.Data) })
	callback, err := sidecar.NewServer(sidecar.ServerOptions{
		Addr: settings.Base.Dapr.AppAddr, Token: settings.Base.Dapr.AppToken, Open: settings.Base.Dapr.Open, Health: store.DB.Ping,
		Probes:        settings.Base.Dapr.Probes,
		Subscriptions: append(letters.Subscriptions(settings.Base.Dapr), work),
		NotHandled:    letters.NotHandled,
	})
	if err != nil {
		return err
	}

	// A page of our own origin may call whatever Host a proxy writes.
	http := settings.HTTP
	http.Origins = append(http.Origins[:len(http.Origins):len(http.Origins)], settings.Web.Origin())
	house := rest.New(rest.Options{Config: http, Registry: registry})
	checks := store.Checks()
	checks["tokens"] = func(ctx context.Context) (map[string]any, error) { return nil, verifier.Ready(ctx) }
	rest.Health(house, checks)
	web.Register(house, web.Options{Config: settings.Web, MCP: tools.NewServer(all, tools.Public), Verifier: verifier, HTTP: http})

	// Requests are taken for as long as the sidecar may hand any over.
	taking, taken := context.WithCancel(context.WithoutCancel(ctx))
	defer taken()
	return process.Together(ctx,
		func(ctx context.Context) error { return rest.Serve(ctx, http.Addr, house) },
		func(ctx context.Context) error {
			defer taken()
			return callback.Run(ctx)
		},
		func(context.Context) error { return requests.Run(taking) },
		store.Run,
		letters.Run,
	)
}

// topicDoor is the door for the agent.
func topicDoor(all *tools.Tools, settings Config, client *sidecar.Client, registry prometheus.Registerer) *mcpbus.Server {
	server := tools.NewServer(all, tools.Agent)
	// Before the door's own middleware is added, which runs first and says whose call it is.
	server.AddReceivingMiddleware(limited(rest.NewLimiter(settings.HTTP.Rate, settings.HTTP.Burst)))
	return mcpbus.NewServer(mcpbus.ServerOptions{Bus: client, Config: settings.Agent, MCP: server, Enter: enter, Registry: registry})
}
