package app

import (
	"context"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
)

const secret = "a secret of more than thirty-two bytes, for tests"

func TestAllMistakesInTheSettingsAreReportedTogether(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), testkit.Environment(map[string]string{"LOG_LEVEL": "loud", "HTTP_TIMEOUT": "soon", "RATE_LIMIT": "-1"}), prometheus.NewRegistry())
	if err == nil {
		t.Fatal("it runs")
	}
	for _, name := range []string{"LOG_LEVEL", "HTTP_TIMEOUT", "DATABASE_URL", "JWT_SECRET"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in:\n%v", name, err)
		}
	}
}

// TestRequestsSucceedWithoutASidecar runs the whole service on a real database with nothing where the sidecar should be.
func TestRequestsSucceedWithoutASidecar(t *testing.T) {
	t.Parallel()
	_, nowhere, err := net.SplitHostPort(testkit.Address(t))
	if err != nil {
		t.Fatal(err)
	}
	s := begin(t, telemetry.Metrics(), map[string]string{
		"APP_ADDR": testkit.Address(t), "APP_API_TOKEN": "app", "DAPR_GRPC_PORT": nowhere, "SECRET_PATIENCE": "1ms",
	})
	if status, body := s.send("POST", "/api/alice/tasks", `{"title":"a"}`); status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	testkit.Eventually(t, "/readyz", func(context.Context) (bool, any) {
		outbox, sidecar := s.readiness("outbox"), s.readiness("sidecar")
		// The profile's event and the task's wait.
		waits := outbox["degraded"] == true && outbox["depth"] == 2.0 && outbox["last_error"] != nil
		return waits && sidecar["degraded"] == true, []any{outbox, sidecar}
	})
	if _, metrics := s.send("GET", "/metrics", ""); !strings.Contains(metrics, "taskflow_database_connections_open") || !strings.Contains(metrics, "outbox") {
		t.Error("the metrics lack the database's or the outbox's")
	}
}

// TestWithTheBusStraightToTheBrokersNoSidecarIsNeeded runs the whole service on a real database and a real broker.
func TestWithTheBusStraightToTheBrokersNoSidecarIsNeeded(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBrokerWithTopics(t)
	s := begin(t, prometheus.NewRegistry(), map[string]string{"BUS": "kafka", "KAFKA_BROKERS": broker.Addr, "APP_ADDR": "an address nobody can listen on"})
	status, body := s.send("POST", "/api/alice/tasks", `{"title":"a"}`)
	if status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	var task struct{ ID string }
	if err := json.Unmarshal([]byte(body), &task); err != nil {
		t.Fatal(err)
	}
	broker.Told(proto.Tasks, 1, "announcement of the task", func(r topics.Record) bool {
		if r.Event.AggregateID != task.ID || r.Key != "alice" || r.Source != proto.TaskAPI {
			t.Errorf("on the topic is %+v", r)
		}
		return true
	})
	testkit.Eventually(t, "/readyz", func(context.Context) (bool, any) {
		outbox, broker := s.readiness("outbox"), s.readiness("broker")
		return broker["degraded"] == false && outbox["degraded"] == false && outbox["depth"] == 0.0, []any{outbox, broker}
	})
	broker.Kill()
	testkit.Eventually(t, "/readyz", func(context.Context) (bool, any) {
		broker := s.readiness("broker")
		return broker["degraded"] == true, broker
	})
	if status, body := s.send("POST", "/api/alice/tasks", `{"title":"b"}`); status != 201 {
		t.Errorf("without a broker: %d %s", status, body)
	}
}

// running is task-api while it runs.
type running struct {
	t     *testing.T
	addr  string
	token string
}

// begin runs task-api on a database of its own until the test ends and returns when it answers.
func begin(t *testing.T, metrics prometheus.Registerer, settings map[string]string) *running {
	t.Helper()
	token, err := auth.Mint(secret, "alice", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s := &running{t, testkit.Address(t), token}
	values := map[string]string{"HTTP_ADDR": s.addr, "DATABASE_URL": testkit.Postgres(t), "JWT_SECRET": secret, "LOG_LEVEL": "error"}
	maps.Copy(values, settings)
	testkit.Background(t, func(ctx context.Context) error { return run(ctx, testkit.Environment(values), metrics) })
	testkit.Answers(t, "http://"+s.addr+"/healthz", http.StatusOK)
	return s
}

// send returns the status and the body of an answer, 0 and the error if there is none.
func (s *running) send(method, path, body string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.addr+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", "application/json")
	return testkit.Ask(r)
}

// readiness is what /readyz says of one check. The service stays ready whatever carries its events.
func (s *running) readiness(check string) map[string]any {
	s.t.Helper()
	status, body := s.send("GET", "/readyz", "")
	if status != 200 {
		s.t.Fatalf("not ready: %s", body)
	}
	var ready struct {
		Checks map[string]struct{ Detail map[string]any }
	}
	if err := json.Unmarshal([]byte(body), &ready); err != nil {
		s.t.Fatal(err)
	}
	return ready.Checks[check].Detail
}
