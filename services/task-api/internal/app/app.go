// Package app is task-api put together: the only room that knows all others.
//
// The database is the one thing without which task-api cannot work: it waits for it at the start and is not ready while
// it is away. Sidecar and broker may come and go: requests succeed, and their events wait in the outbox, whose depth
// /readyz and /metrics show.
package app

import (
	"context"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/postgres/tokenstore"
	"github.com/taskflow-suite/taskflow/pkg/process"
	house "github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/service"
	"github.com/taskflow-suite/taskflow/pkg/service/writer"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/rest"
)

// Run is task-api, with the settings of the process's environment, until ctx ends.
func Run(ctx context.Context) error { return run(ctx, os.LookupEnv, telemetry.Metrics()) }

func run(ctx context.Context, env service.Lookup, metrics prometheus.Registerer) error {
	return service.Run(ctx, proto.TaskAPI, env, func(ctx context.Context, settings Config, client *sidecar.Client) error {
		registry := service.NewLease(metrics)
		defer registry.End()
		store, err := writer.Open(ctx, writer.Options{
			Config: settings.Store, Service: proto.TaskAPI, Sidecar: client, Bus: settings.Base.Bus, Metrics: registry,
		})
		if err != nil {
			return err
		}
		defer store.Close()
		return serve(ctx, settings, store, client != nil, registry)
	})
}

// serve runs the parts until the first of them ends.
func serve(ctx context.Context, settings Config, store *writer.Writer, hasSidecar bool, registry prometheus.Registerer) error {
	tokens := tokenstore.New(store.DB, time.Now)
	verifier, err := auth.New(settings.Auth, auth.WithAPITokens(tokens))
	if err != nil {
		return err
	}
	tasks := task.NewService(taskstore.New(store.DB), time.Now)
	door := house.New(house.Options{Config: settings.HTTP, Untimed: rest.Untimed(), Large: rest.Large(), Registry: registry})
	checks := store.Checks()
	checks["tokens"] = func(ctx context.Context) (map[string]any, error) { return nil, verifier.Ready(ctx) }
	house.Health(door, checks)
	if err := rest.Register(door,
		rest.Options{Tasks: tasks, Tokens: tokens, ForgetTokens: verifier.ForgetAPITokens, Now: time.Now},
		house.RequireUser(verifier), house.RateLimit(settings.HTTP.Rate, settings.HTTP.Burst)); err != nil {
		return err
	}
	parts := []func(context.Context) error{
		func(ctx context.Context) error { return house.Serve(ctx, settings.HTTP.Addr, door) },
		store.Run,
		(&janitor{tasks, store.DB, time.Hour, settings.Topics.Retention}).Run,
	}
	if hasSidecar {
		callback, err := sidecar.NewServer(sidecar.ServerOptions{
			Addr: settings.Base.Dapr.AppAddr, Token: settings.Base.Dapr.AppToken, Open: settings.Base.Dapr.Open, Health: store.DB.Ping,
		})
		if err != nil {
			return err
		}
		parts = append(parts, callback.Run)
	}
	return process.Together(ctx, parts...)
}
