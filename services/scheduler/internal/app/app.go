// Package app is scheduler put together: the only room that knows all others.
//
// A loop announces what is due on a topic, through the outbox as every event, and whichever replica gets the announcement
// acts on it. The database is the one thing without which there is nothing to do: scheduler waits for it at the start,
// is not ready while it is away, and has the sidecar keep the events meanwhile. Without sidecar or broker the backlog
// grows, and /readyz and /metrics show it.
package app

import (
	"context"
	"os"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/deadletter"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/process"
	"github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/service"
	"github.com/taskflow-suite/taskflow/pkg/service/writer"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/scheduler/internal/due"
	"github.com/taskflow-suite/taskflow/services/scheduler/internal/topics"
)

// Run is scheduler, with the settings of the process's environment, until ctx ends.
func Run(ctx context.Context) error { return run(ctx, os.LookupEnv, telemetry.Metrics()) }

func run(ctx context.Context, env service.Lookup, metrics prometheus.Registerer) error {
	return service.Run(ctx, proto.Scheduler, env, func(ctx context.Context, settings Config, client *sidecar.Client) error {
		registry := service.NewLease(metrics)
		defer registry.End()
		store, err := writer.Open(ctx, writer.Options{
			Config: settings.Store, Service: proto.Scheduler, Sidecar: client, Bus: settings.Base.Bus, Metrics: registry,
		})
		if err != nil {
			return err
		}
		defer store.Close()
		return serve(ctx, settings, store, registry)
	})
}

// serve runs the parts until the first of them ends.
func serve(ctx context.Context, settings Config, store *writer.Writer, registry prometheus.Registerer) error {
	tasks := taskstore.New(store.DB)
	loop := due.New(tasks, due.Options{Portion: settings.Due.Portion, Room: room(store, tasks), Metrics: registry})

	router := event.NewRouter()
	topics.Register(router, topics.Options{Store: tasks, Now: time.Now, Metrics: registry})
	letters := deadletter.New(store.DB, deadletter.Options{Consumer: proto.Scheduler, Topics: taken(router), Metrics: registry})
	callback, err := sidecar.NewServer(sidecar.ServerOptions{
		Addr: settings.Base.Dapr.AppAddr, Token: settings.Base.Dapr.AppToken, Open: settings.Base.Dapr.Open, Health: store.DB.Ping,
		Probes:        settings.Base.Dapr.Probes,
		Subscriptions: append(subscriptions(settings.Base.Dapr, router), letters.Subscriptions(settings.Base.Dapr)...),
		NotHandled:    letters.NotHandled,
	})
	if err != nil {
		return err
	}

	house := rest.New(rest.Options{Config: rest.Config{Addr: settings.Door.Addr}, Registry: registry})
	checks := store.Checks()
	checks["schedule"] = loop.Check
	rest.Health(house, checks)

	return process.Together(ctx,
		func(ctx context.Context) error { return rest.Serve(ctx, settings.Door.Addr, house) },
		callback.Run,
		store.Run,
		loop.Run,
		letters.Run,
	)
}

// subscriptions share the work of every topic that the router has a handler for among the replicas. Events come one by
// one, which keeps each user's in order: in batches the sidecar would handle one partition at a time (Dapr's Kafka
// component holds one lock for all), and handlers spend their time in commits, which partitions can do side by side.
func subscriptions(dapr sidecar.Dapr, router *event.Router) []sidecar.Subscription {
	var all []sidecar.Subscription
	for _, topic := range taken(router) {
		work := dapr.Work(proto.Scheduler, topic, sidecar.Routed(router))
		work.Types = router.Types(topic) // of all that happens to tasks, little
		all = append(all, work)
	}
	return all
}

// taken are the topics that the router has a handler for, in order.
func taken(router *event.Router) []proto.Topic { return slices.Sorted(slices.Values(router.Topics())) }

// maxWaiting bounds what is announced and has not been acted on: how many events may wait in the outbox, and how many
// claims may wait for whoever acts on them. The replicas act on as many in much less time than a claim lasts.
const maxWaiting = 10_000

// room reports whether announcements leave and are acted on.
func room(store *writer.Writer, tasks *taskstore.Store) func(context.Context, bool) (bool, error) {
	return func(ctx context.Context, backlog bool) (bool, error) {
		outbox, err := store.Outbox(ctx)
		if err != nil || outbox.Depth >= maxWaiting || !backlog {
			return outbox.Depth < maxWaiting, err
		}
		claimed, err := tasks.Claimed(ctx, time.Now(), maxWaiting)
		return claimed < maxWaiting, err
	}
}
