package app

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

const secret = "a secret of more than thirty-two bytes, for tests"

func environment(values map[string]string) lookup {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestAllMistakesInTheSettingsAreReportedTogether(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), environment(map[string]string{"LOG_LEVEL": "loud", "HTTP_TIMEOUT": "soon", "RATE_LIMIT": "-1"}))
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
	addr := free(t)
	_, nowhere, err := net.SplitHostPort(free(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, environment(map[string]string{
			"HTTP_ADDR": addr, "APP_ADDR": free(t), "APP_API_TOKEN": "app", "DAPR_GRPC_PORT": nowhere, "SECRET_PATIENCE": "1ms",
			"DATABASE_URL": testkit.Postgres(t), "JWT_SECRET": secret, "LOG_LEVEL": "error",
		}))
	}()
	token, err := auth.Mint(secret, "alice", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	send := func(method, path, body string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, err.Error()
		}
		defer response.Body.Close()
		raw, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(raw)
	}
	eventually(t, ended, func() bool { status, _ := send("GET", "/healthz", ""); return status == 200 })
	if status, body := send("POST", "/api/alice/tasks", `{"title":"a"}`); status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	var ready struct {
		Status string
		Checks map[string]struct{ Detail map[string]any }
	}
	eventually(t, ended, func() bool {
		status, body := send("GET", "/readyz", "")
		if status != 200 {
			t.Fatalf("not ready without a sidecar: %s", body)
		}
		if err := json.Unmarshal([]byte(body), &ready); err != nil {
			t.Fatal(err)
		}
		outbox, sidecar := ready.Checks["outbox"].Detail, ready.Checks["sidecar"].Detail
		// The profile's event and the task's wait.
		return sidecar["degraded"] == true && outbox["degraded"] == true && outbox["depth"] == 2.0 && outbox["last_error"] != nil
	})
	if _, metrics := send("GET", "/metrics", ""); !strings.Contains(metrics, "taskflow_database_connections_open") || !strings.Contains(metrics, "outbox") {
		t.Error("the metrics lack the database's or the outbox's")
	}
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it does not end")
	}
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
