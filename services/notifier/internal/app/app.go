// Package app is notifier put together: the only room that knows all others.
//
// Nothing it depends on ends it once it runs. Without the database, connected clients go on as long as events come in
// order; without sidecar or broker, the regular comparison with the event log still tells them, later. Either makes it
// not ready, so that new clients go to another replica.
package app

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/tokenstore"
	"github.com/taskflow-suite/taskflow/pkg/process"
	"github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/service"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/hub"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/topics"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/ws"
)

// Run is notifier, with the settings of the process's environment, until ctx ends.
func Run(ctx context.Context) error { return run(ctx, os.LookupEnv, telemetry.Metrics()) }

func run(ctx context.Context, env service.Lookup, registry prometheus.Registerer) error {
	return service.Run(ctx, proto.Notifier, env, func(ctx context.Context, settings Config, client *sidecar.Client) error {
		db, err := postgres.Open(ctx, settings.Database)
		if err != nil {
			return fmt.Errorf("open the database: %w", err)
		}
		defer db.Close()
		return serve(ctx, settings, db, client, registry)
	})
}

// serve runs the parts until the first of them ends. client is nil where there is no sidecar.
func serve(ctx context.Context, settings Config, db *postgres.DB, client *sidecar.Client, registry prometheus.Registerer) error {
	tokens := tokenstore.Reader(db, time.Now)
	verifier, err := auth.New(settings.Auth, auth.WithAPITokens(tokens))
	if err != nil {
		return err
	}
	connections := hub.New(eventLog{db}, ws.Encode, hub.Options{
		PerUser: settings.Connections.PerUser, CheckEvery: settings.Connections.CheckEvery,
		// The pool's other half is for the regular check and for /readyz.
		Reads: max(1, settings.Database.MaxConns/2),
	})
	door := ws.New(ws.Options{
		Verifier: verifier, Tokens: tokens, Hub: connections, Origins: settings.HTTP.Origins,
		MaxConnections: settings.Connections.Max, ShutdownSpread: settings.Connections.Spread,
	})
	if err := registry.Register(door.Metrics()); err != nil {
		return err
	}
	defer registry.Unregister(door.Metrics())

	router := event.NewRouter()
	topics.Register(router, connections)
	events, err := subscribe(settings, client, router, connections.CheckSoon)
	if err != nil {
		return err
	}
	house := rest.New(rest.Options{Config: settings.HTTP, Untimed: []string{ws.Path}})
	rest.Health(house, readiness(db, verifier, events, door, settings.Connections.Max))
	door.Routes(house)
	warnOfFewFiles(ctx, settings.Connections.Max)
	return process.Together(ctx,
		func(ctx context.Context) error { return rest.Serve(ctx, settings.HTTP.Addr, house) },
		events.run,
		connections.Run,
		door.Run,
	)
}
