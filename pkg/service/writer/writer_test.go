package writer

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
	userv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/user/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = time.Minute

// running opens a Writer and runs it until the test ends.
func running(t *testing.T, o Options) *Writer {
	t.Helper()
	o.Service, o.Metrics = proto.TaskAPI, prometheus.NewRegistry()
	w, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, w.Close()); err != nil {
			t.Error(err)
		}
	})
	return w
}

func add(t *testing.T, w *Writer, user string) {
	t.Helper()
	err := w.DB.Transaction(t.Context(), func(tx *postgres.Tx) error {
		return tx.Append(event.New(proto.UserCreated, time.Now(), user, user, 1, &userv1.UserCreated{}))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until a check shows what holds.
func eventually(t *testing.T, w *Writer, check string, holds func(detail map[string]any) bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		detail, err := w.Checks()[check](t.Context())
		if err == nil && holds(detail) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s is still %v, %v", check, detail, err)
		}
	}
}

func TestEventsGoFromTheOutboxStraightToTheBrokers(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBroker(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := topics.Apply(ctx, []string{broker.Addr}, topics.Access{}, io.Discard); err != nil {
		t.Fatal(err)
	}
	w := running(t, Options{
		// An empty schema, so that it must be migrated.
		Config: Config{Database: postgres.At(testkit.EmptyPostgres(t)), Migrate: true},
		Bus:    kafka.Config{Bus: "kafka", Brokers: []string{broker.Addr}},
	})
	add(t, w, "ann")
	eventually(t, w, "outbox", func(d map[string]any) bool { return d["published"] == int64(1) && d["depth"] == int64(0) })
	eventually(t, w, "broker", func(d map[string]any) bool { return d["degraded"] == false })
	broker.Kill()
	eventually(t, w, "broker", func(d map[string]any) bool { return d["degraded"] == true })
}

func TestWithoutItsSidecarAServiceStaysReadyAndSaysThatEventsWait(t *testing.T) {
	t.Parallel()
	nowhere, err := sidecar.Dial(sidecar.Dapr{Endpoint: "127.0.0.1:1", PubSub: "pubsub"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nowhere.Close)
	w := running(t, Options{Config: Config{Database: postgres.At(testkit.Postgres(t))}, Sidecar: nowhere})
	add(t, w, "ann")
	eventually(t, w, "outbox", func(d map[string]any) bool {
		return d["degraded"] == true && d["depth"] == int64(1) && d["last_error"] != nil && d["last_error_at"] != nil
	})
	eventually(t, w, "sidecar", func(d map[string]any) bool { return d["degraded"] == true })
	if _, err := w.Checks()["database"](t.Context()); err != nil {
		t.Error(err)
	}
}

func TestADatabaseThatIsAwayAtTheStartIsNamed(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), Options{
		Config:  Config{Database: postgres.Config{URL: config.NewSecret("postgres://127.0.0.1:1/x"), ConnectDeadline: time.Millisecond}},
		Service: proto.TaskAPI, Bus: kafka.Config{Bus: "kafka", Brokers: []string{"127.0.0.1:1"}}, Metrics: prometheus.NewRegistry(),
	})
	if err == nil || !strings.Contains(err.Error(), "open the database") {
		t.Errorf("it says %v", err)
	}
}
