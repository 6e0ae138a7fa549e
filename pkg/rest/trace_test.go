package rest

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

// Tracing is the process's, so this test is not parallel: the others wait until it is off again.
func TestSpansAreNamedAfterRoutesAndContinueTheCallersTrace(t *testing.T) {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	traces := testkit.NewTraces(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", traces.Endpoint)
	stop, err := telemetry.Start(t.Context(), "test", "error")
	if err != nil {
		t.Fatal(err)
	}

	e := newHouse(t, Options{})
	e.GET("/tasks/:id", func(c echo.Context) error {
		return c.String(http.StatusOK, telemetry.Traceparent(c.Request().Context()))
	})
	const trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	traceparent := []string{"Traceparent", "00-" + trace + "-" + parent + "-01"}
	for _, quiet := range []string{"/healthz", "/readyz", "/metrics"} {
		call(t, e, http.MethodGet, quiet, "", traceparent...)
	}
	answer := call(t, e, http.MethodGet, "/tasks/7?q=private&token=secret", "", append(traceparent, "Authorization", "Bearer secret", "X-Correlation-ID", "c1")...)
	if answer.StatusCode != 200 || len(answer.body) < 35 || answer.body[3:35] != trace {
		t.Errorf("got %d %q", answer.StatusCode, answer.body)
	}
	if missing := call(t, e, http.MethodGet, "/missing", ""); missing.problem(t).Status != 404 {
		t.Errorf("got %q", missing.body)
	}
	if err := stop(t.Context()); err != nil {
		t.Error(err)
	}
	spans := traces.Of(trace)
	if len(spans) != 1 {
		t.Fatalf("there are %d spans: %v", len(spans), spans)
	}
	if s := spans[0]; s.String() != "test GET /tasks/:id" || s.Parent != parent || s.Kind != "server" || s.Attributes["taskflow.correlation_id"] != "c1" {
		t.Errorf("got %+v", s)
	}
	for name, value := range spans[0].Attributes {
		if strings.Contains(value, "private") || strings.Contains(value, "secret") {
			t.Errorf("the span's %s is %q", name, value)
		}
	}
	if all := traces.All(); len(all) != 2 {
		t.Errorf("there are %d spans in all: %v", len(all), all)
	}
}
