package rest

import (
	"context"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"

	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// spans is a collector that tells the names and traces of the spans it got.
type spans struct {
	collector.UnimplementedTraceServiceServer
	got chan [2]string
}

func (s spans) Export(_ context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	for _, resource := range r.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				s.got <- [2]string{span.GetName(), hex.EncodeToString(span.GetTraceId())}
			}
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

// Tracing is the process's, so this test is not parallel: the others wait until it is off again.
func TestSpansAreNamedAfterRoutesAndContinueTheCallersTrace(t *testing.T) {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, got := grpc.NewServer(), make(chan [2]string, 4)
	collector.RegisterTraceServiceServer(server, spans{got: got})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String())
	stop, err := telemetry.Start(t.Context(), "test", "error")
	if err != nil {
		t.Fatal(err)
	}

	e := newHouse(t, Options{})
	e.GET("/tasks/:id", func(c echo.Context) error {
		return c.String(http.StatusOK, telemetry.Traceparent(c.Request().Context()))
	})
	const trace = "0af7651916cd43dd8448eb211c80319c"
	answer := call(t, e, http.MethodGet, "/tasks/7", "", "Traceparent", "00-"+trace+"-b7ad6b7169203331-01")
	if answer.StatusCode != 200 || len(answer.body) < 35 || answer.body[3:35] != trace || answer.Header.Get("X-Correlation-ID") == "" {
		t.Errorf("got %d %q", answer.StatusCode, answer.body)
	}
	if missing := call(t, e, http.MethodGet, "/missing", ""); missing.problem(t).Status != 404 {
		t.Errorf("got %q", missing.body)
	}
	if err := stop(t.Context()); err != nil {
		t.Error(err)
	}
	if span := <-got; span != [2]string{"GET /tasks/:id", trace} {
		t.Errorf("span %q", span)
	}
}
