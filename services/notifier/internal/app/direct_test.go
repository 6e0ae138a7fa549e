package app

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/kafka"
	"github.com/taskflow-suite/taskflow/pkg/outbox"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
)

// The same as with sidecars, straight from the brokers.
func TestWithoutASidecarEventsComeStraightFromTheBrokers(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBrokerWithTopics(t)
	database := testkit.Postgres(t)
	db := testkit.OpenPostgresAt(t, database)
	bus, err := kafka.NewBus(kafka.Config{Brokers: []string{broker.Addr}}, proto.TaskAPI)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bus.Close)
	testkit.Background(t, outbox.New(db, bus, outbox.Options{}).Run)
	env := map[string]string{
		"BUS": "kafka", "KAFKA_BROKERS": broker.Addr, "APP_ADDR": "an address nobody can listen on",
		// Events are not found by comparing with the log: the test's patience is over before.
		"CHECK_INTERVAL": "1h",
		"HTTP_ADDR":      testkit.Address(t), "DATABASE_URL": database, "JWT_SECRET": secret, "LOG_LEVEL": "error", "SHUTDOWN_SPREAD": "100ms",
	}
	r := &replica{addr: env["HTTP_ADDR"]}
	testkit.Background(t, func(ctx context.Context) error {
		return run(ctx, testkit.Environment(env), prometheus.NewRegistry())
	})
	r.ready(t)
	write(t, db, "ann", 3)
	ann, eve := r.follow(t, "ann", 0), r.follow(t, "eve", 0)
	write(t, db, "ann", 50)
	ann.until(53)
	write(t, db, "eve", 1)
	eve.until(1)

	// A broker that is away makes the replica not ready, and events that waited come when it is back.
	broker.Kill()
	r.status(t, 503)
	write(t, db, "ann", 5)
	broker.Start()
	ann.until(58)
	r.ready(t)
}
