// Package app is task-api put together: the only room that knows all others.
//
// The database is the one thing without which task-api cannot work: it waits for it at the start and is not ready while
// it is away. Sidecar and broker may come and go: requests succeed, and their events wait in the outbox, whose depth
// /readyz and /metrics show.
package app

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/outbox"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/process"
	house "github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/service"
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
		events, release, err := carry(settings.Base.Bus, client)
		if err != nil {
			return err
		}
		defer release()
		if settings.Migrate {
			if _, err := postgres.Migrate(ctx, settings.Database.URL.Reveal()); err != nil {
				return fmt.Errorf("migrate: %w", err)
			}
		}
		db, err := postgres.Open(ctx, settings.Database)
		if err != nil {
			return fmt.Errorf("open the database: %w", err)
		}
		defer db.Close()
		return serve(ctx, settings, db, events, metrics)
	})
}

// serve runs the parts until the first of them ends.
func serve(ctx context.Context, settings Config, db *postgres.DB, events carrier, metrics prometheus.Registerer) error {
	verifier, err := auth.New(settings.Auth)
	if err != nil {
		return err
	}
	registry := &lease{Registerer: metrics}
	defer registry.end()
	relay := outbox.New(db, events, outbox.Options{Metrics: registry})
	poolMetrics(registry, db)

	tasks := task.NewService(taskstore.New(db), time.Now)
	door := house.New(house.Options{Config: settings.HTTP, Untimed: rest.Untimed(), Registry: registry})
	house.Health(door, readiness(db, events, relay, verifier))
	if err := rest.Register(door, tasks, time.Now,
		house.RequireUser(verifier), house.RateLimit(settings.HTTP.Rate, settings.HTTP.Burst)); err != nil {
		return err
	}
	parts := []func(context.Context) error{
		func(ctx context.Context) error { return house.Serve(ctx, settings.HTTP.Addr, door) },
		relay.Run,
		(&janitor{tasks, db, time.Hour}).Run,
	}
	if events.sidecar != nil {
		callback, err := sidecar.NewServer(sidecar.ServerOptions{
			Addr: settings.Base.Dapr.AppAddr, Token: settings.Base.Dapr.AppToken, Open: settings.Base.Dapr.Open, Health: db.Ping,
		})
		if err != nil {
			return err
		}
		parts = append(parts, callback.Run)
	}
	return process.Together(ctx, parts...)
}
