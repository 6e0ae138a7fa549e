package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/service"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
)

const secret = "a secret of more than thirty-two bytes, for tests"

func environment(values map[string]string) service.Lookup {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestAllMistakesInTheSettingsAreReportedTogether(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), environment(map[string]string{"LOG_LEVEL": "loud", "HTTP_TIMEOUT": "soon", "RATE_LIMIT": "-1"}), prometheus.NewRegistry())
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
	_, nowhere, err := net.SplitHostPort(free(t))
	if err != nil {
		t.Fatal(err)
	}
	s := begin(t, telemetry.Metrics(), map[string]string{
		"APP_ADDR": free(t), "APP_API_TOKEN": "app", "DAPR_GRPC_PORT": nowhere, "SECRET_PATIENCE": "1ms",
	})
	if status, body := s.send("POST", "/api/alice/tasks", `{"title":"a"}`); status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	eventually(t, s.ended, func() bool {
		outbox, sidecar := s.readiness("outbox"), s.readiness("sidecar")
		// The profile's event and the task's wait.
		return sidecar["degraded"] == true && outbox["degraded"] == true && outbox["depth"] == 2.0 && outbox["last_error"] != nil
	})
	if _, metrics := s.send("GET", "/metrics", ""); !strings.Contains(metrics, "taskflow_database_connections_open") || !strings.Contains(metrics, "outbox") {
		t.Error("the metrics lack the database's or the outbox's")
	}
}

// TestWithTheBusStraightToTheBrokersNoSidecarIsNeeded runs the whole service on a real database and a real broker.
func TestWithTheBusStraightToTheBrokersNoSidecarIsNeeded(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBroker(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := topics.Apply(ctx, []string{broker.Addr}, topics.Access{}, io.Discard); err != nil {
		t.Fatal(err)
	}
	s := begin(t, prometheus.NewRegistry(), map[string]string{"BUS": "kafka", "KAFKA_BROKERS": broker.Addr, "APP_ADDR": "an address nobody can listen on"})
	status, body := s.send("POST", "/api/alice/tasks", `{"title":"a"}`)
	if status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	var task struct{ ID string }
	if err := json.Unmarshal([]byte(body), &task); err != nil {
		t.Fatal(err)
	}
	errSeen := errors.New("seen")
	filter := topics.Filter{Topics: []proto.Topic{proto.Tasks}, Since: time.Unix(1, 0)}
	err := topics.Tail(ctx, []string{broker.Addr}, topics.Access{}, filter, func(r topics.Record) error {
		if r.Event.AggregateID != task.ID || r.Key != "alice" || r.Source != proto.TaskAPI {
			t.Errorf("on the topic is %+v", r)
		}
		return errSeen
	})
	if !errors.Is(err, errSeen) {
		t.Fatalf("the event never came: %v", err)
	}
	eventually(t, s.ended, func() bool {
		outbox := s.readiness("outbox")
		return s.readiness("broker")["degraded"] == false && outbox["degraded"] == false && outbox["depth"] == 0.0
	})
	broker.Kill()
	eventually(t, s.ended, func() bool { return s.readiness("broker")["degraded"] == true })
	if status, body := s.send("POST", "/api/alice/tasks", `{"title":"b"}`); status != 201 {
		t.Errorf("without a broker: %d %s", status, body)
	}
}

// running is task-api while it runs.
type running struct {
	t     *testing.T
	addr  string
	token string
	ended chan error
}

// begin runs task-api on a database of its own until the test ends and returns when it answers.
func begin(t *testing.T, metrics prometheus.Registerer, settings map[string]string) *running {
	t.Helper()
	token, err := auth.Mint(secret, "alice", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s := &running{t, free(t), token, make(chan error, 1)}
	values := map[string]string{"HTTP_ADDR": s.addr, "DATABASE_URL": testkit.Postgres(t), "JWT_SECRET": secret, "LOG_LEVEL": "error"}
	maps.Copy(values, settings)
	ctx, stop := context.WithCancel(context.Background())
	go func() { s.ended <- run(ctx, environment(values), metrics) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-s.ended:
			if err != nil {
				t.Errorf("it ends with %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("it does not end")
		}
	})
	eventually(t, s.ended, func() bool { status, _ := s.send("GET", "/healthz", ""); return status == 200 })
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
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(raw)
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

// eventually waits until what holds is true, and fails if the service ends or half a minute passes before.
func eventually(t *testing.T, ended <-chan error, holds func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case err := <-ended:
			t.Fatalf("it ended with %v", err)
		case <-deadline:
			t.Fatal("it never happened")
		case <-tick.C:
		}
	}
}
