// Package writer is what a service has that writes events: the database, the relay that takes events from the outbox to
// the broker, and how both show in /readyz and /metrics.
//
// It owns their beginning and their end. It refuses to know which events they are and who asks for them. A service that
// only listens has no need of it, and one without a database must not link it.
package writer

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/kafka"
	"github.com/taskflow-suite/taskflow/pkg/outbox"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
)

// Config is the settings of this package, to be embedded in a service's.
type Config struct {
	Database postgres.Config
	Migrate  bool `env:"MIGRATE" default:"false" doc:"bring the database up to date at the start; a deployment does that once, ahead of the service, with taskflow migrate"`
}

// Options are what a Writer is made of.
type Options struct {
	Config
	// Service is the source of the events on the broker.
	Service string
	// Sidecar carries the events; nil where there is none, and then Bus says where the brokers are.
	Sidecar *sidecar.Client
	Bus     kafka.Config
	// Metrics takes the relay's and the pool's.
	Metrics prometheus.Registerer
}

// Writer is the database and the way of its events to the broker. Close it at the end.
type Writer struct {
	// DB is for the service's stores.
	DB *postgres.DB

	relay *outbox.Relay
	events
	release func()
}

// Open connects to the database, waiting for it as long as its settings say, after bringing it up to date if they say
// so. The broker is not waited for: events wait in the outbox.
func Open(ctx context.Context, o Options) (*Writer, error) {
	carrier, release, err := carry(o)
	if err != nil {
		return nil, err
	}
	db, err := open(ctx, o.Config)
	if err != nil {
		release()
		return nil, err
	}
	poolMetrics(o.Metrics, db)
	return &Writer{DB: db, relay: outbox.New(db, carrier, outbox.Options{Metrics: o.Metrics}), events: carrier, release: release}, nil
}

func open(ctx context.Context, c Config) (*postgres.DB, error) {
	if c.Migrate {
		if _, err := postgres.MigrateWith(ctx, c.Database); err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
	}
	db, err := postgres.Open(ctx, c.Database)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return db, nil
}

// Run takes events to the broker until ctx ends, whatever is away meanwhile; then it returns nil.
func (w *Writer) Run(ctx context.Context) error { return w.relay.Run(ctx) }

// Outbox tells how many events wait and how publishing goes, for a service that must not add to what cannot leave. Errors
// as in outbox.Relay.Stats.
func (w *Writer) Outbox(ctx context.Context) (outbox.Stats, error) { return w.relay.Stats(ctx) }

// Close gives back the connections. Run must have returned.
func (w *Writer) Close() error {
	err := w.DB.Close()
	w.release()
	return err
}
