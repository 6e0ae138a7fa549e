// Package app is chat-agent put together: the only room that knows all others.
//
// It holds no database and needs three things to answer: keys to check tokens with, its sidecar, and mcp-tools at the other
// end of the topics. While one of them is away it is not ready. The model may come and go: messages are kept and answered
// with a sentence that says so.
package app

import (
	"context"
	"os"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
	"github.com/taskflow-suite/taskflow/pkg/process"
	house "github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/service"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/model"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/rest"
)

const (
	// lastWords is what the door gives an agent beyond its own limit, to keep what it has and say why it stops.
	lastWords = 10 * time.Second
	// lastReplies bounds how long replies are taken in after the last run has ended, when they are other replicas' only.
	lastReplies = 500 * time.Millisecond
)

type connect = func(ctx context.Context, userID string) (*mcp.ClientSession, error)

// within bounds how long beginning a session may take. While no server is known it waits for one as a call does, and a run
// has no use for a session at its very end.
func within(limit time.Duration, begin connect) connect {
	return func(ctx context.Context, userID string) (*mcp.ClientSession, error) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return begin(ctx, userID)
	}
}

// Run is chat-agent, with the settings of the process's environment, until ctx ends.
func Run(ctx context.Context) error { return run(ctx, os.LookupEnv, telemetry.Metrics()) }

func run(ctx context.Context, env service.Lookup, metrics prometheus.Registerer) error {
	return service.Run(ctx, proto.ChatAgent, env, func(ctx context.Context, settings Config, client *sidecar.Client) error {
		registry := service.NewLease(metrics)
		defer registry.End()
		return serve(ctx, settings, client, registry)
	})
}

// serve runs the parts until the first of them ends.
func serve(ctx context.Context, settings Config, client *sidecar.Client, registry prometheus.Registerer) error {
	verifier, err := auth.New(settings.Auth)
	if err != nil {
		return err
	}
	tools := mcpbus.NewClient(client, settings.Tools, proto.ChatAgent, mcpbus.WithMetrics(registry))
	callback, err := sidecar.NewServer(sidecar.ServerOptions{
		Addr: settings.Base.Dapr.AppAddr, Token: settings.Base.Dapr.AppToken, Open: settings.Base.Dapr.Open,
		Subscriptions: []sidecar.Subscription{settings.Base.Dapr.FanOut(proto.MCPReplies,
			func(ctx context.Context, d sidecar.Delivery) error { return tools.Deliver(ctx, d.Data) })},
		Quiet: lastReplies / 5, Drain: lastReplies,
	})
	if err != nil {
		return err
	}
	asked := model.New(settings.Model)
	defer asked.Close()
	door := rest.New(rest.Options{
		Chat: agent.New(agent.Options{
			Connect: within(settings.Agent.Call, tools.Connect), Model: model.Traced(model.Measured(asked, settings.Model, registry)), State: client.State(), Limits: settings.Agent,
		}),
		Limits: settings.Chat, ChatKit: settings.ChatKit,
		// The agent counts its time from where it has its turn and its tools.
		RunTime: settings.Agent.Wait + settings.Agent.Call + settings.Agent.Time + lastWords,
	})
	for _, collector := range door.Collectors() {
		if err := registry.Register(collector); err != nil {
			return err
		}
	}
	http := settings.HTTP
	http.BodyLimit = min(http.BodyLimit, rest.MaxBody)
	front := house.New(house.Options{Config: http, Untimed: rest.Untimed(), Registry: registry})
	house.Health(front, readiness(verifier, client, tools, asked, door))
	if err := door.Register(front, house.RequireUser(verifier), house.RateLimit(http.Rate, http.Burst)); err != nil {
		return err
	}

	// What runs need to come to their end, the way of the replies, outlasts the doors.
	back, closeBack := context.WithCancel(context.WithoutCancel(ctx))
	defer closeBack()
	return process.Together(ctx,
		func(ctx context.Context) error {
			defer closeBack()
			return process.Together(ctx, func(ctx context.Context) error { return house.Serve(ctx, http.Addr, front) }, door.Run)
		},
		func(context.Context) error { return process.Together(back, callback.Run, tools.Run) },
	)
}
