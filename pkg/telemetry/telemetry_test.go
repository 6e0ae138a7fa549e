package telemetry

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
)

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func logger(t testing.TB, out io.Writer, level string) *slog.Logger {
	t.Helper()
	h, err := NewHandler(out, "task-api", level)
	if err != nil {
		t.Fatal(err)
	}
	return slog.New(h)
}

func TestLogLine(t *testing.T) {
	t.Parallel()
	line := func(t *testing.T, log func(*slog.Logger)) map[string]any {
		t.Helper()
		var out strings.Builder
		log(logger(t, &out, "info"))
		if strings.Count(out.String(), "\n") != 1 {
			t.Fatalf("not one line: %q", out.String())
		}
		var fields map[string]any
		if err := json.Unmarshal([]byte(out.String()), &fields); err != nil {
			t.Fatalf("%v: %s", err, out.String())
		}
		return fields
	}
	t.Run("carries the ids of its context", func(t *testing.T) {
		t.Parallel()
		ctx := WithTraceparent(WithUser(WithCorrelation(t.Context(), "c1"), "alice"), parent)
		got := line(t, func(l *slog.Logger) {
			l.InfoContext(ctx, "done", EventType("task.created"), Status("ok"), Error(io.EOF), "a", 1, "b", 2, "c", 3)
		})
		want := map[string]any{
			"level": "INFO", "msg": "done", "service_name": "task-api", "correlation_id": "c1", "user_id": "alice",
			"trace_id": "0af7651916cd43dd8448eb211c80319c", "event_type": "task.created", "status": "ok", "error": "EOF",
			"a": 1.0, "b": 2.0, "c": 3.0,
		}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s is %v, want %v", name, got[name], value)
			}
		}
		at, err := time.Parse(time.RFC3339Nano, got["timestamp"].(string))
		if err != nil || at.Location() != time.UTC || time.Since(at) > time.Minute {
			t.Errorf("timestamp %v: %v", got["timestamp"], err)
		}
		if _, twice := got["time"]; twice || len(got) != len(want)+1 {
			t.Errorf("fields that nobody asked for: %v", got)
		}
	})
	t.Run("has no empty ids", func(t *testing.T) {
		t.Parallel()
		got := line(t, func(l *slog.Logger) { l.With("k", "v").InfoContext(t.Context(), "done", Error(nil)) })
		if len(got) != 5 || got["k"] != "v" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("below the level is not written", func(t *testing.T) {
		t.Parallel()
		var out strings.Builder
		l := logger(t, &out, "warn")
		l.InfoContext(t.Context(), "no")
		if out.Len() != 0 {
			t.Errorf("written: %s", out.String())
		}
	})
	t.Run("of an unknown level is refused", func(t *testing.T) {
		t.Parallel()
		if _, err := NewHandler(io.Discard, "x", "loud"); err == nil {
			t.Error("no error")
		}
		if err := (Config{LogLevel: "loud"}).Check(); err == nil || !strings.HasPrefix(err.Error(), "LOG_LEVEL is") {
			t.Errorf("got %v", err)
		}
	})
}

func TestContext(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	if Correlation(ctx) != "" || User(ctx) != "" || Traceparent(ctx) != "" {
		t.Error("an empty context has ids")
	}
	ctx = WithCorrelation(WithUser(ctx, "alice"), "c1")
	inner := WithUser(ctx, "bob")
	if Correlation(inner) != "c1" || User(inner) != "bob" || User(ctx) != "alice" {
		t.Errorf("ids are mixed up: %q %q %q", Correlation(inner), User(inner), User(ctx))
	}
	if got := Traceparent(WithTraceparent(ctx, parent)); got != parent {
		t.Errorf("traceparent %q", got)
	}
	for _, bad := range []string{"", "x", "00-00000000000000000000000000000000-b7ad6b7169203331-01"} {
		if got := Traceparent(WithTraceparent(ctx, bad)); got != "" {
			t.Errorf("%q became %q", bad, got)
		}
	}
}

func TestMetricsAreServed(t *testing.T) {
	t.Parallel()
	families, err := Metrics().Gather()
	if err != nil || len(families) == 0 {
		t.Fatalf("%d families, %v", len(families), err)
	}
	if again := Metrics(); again != Metrics() || MetricsHandler() == nil {
		t.Error("not one registry per process")
	}
}

// spans is a collector that tells the names it got.
type spans struct {
	collector.UnimplementedTraceServiceServer
	got chan string
}

func (s spans) Export(_ context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	for _, resource := range r.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				s.got <- span.GetName()
			}
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

// Start changes the process's defaults, so this is the only test of it and it is not parallel.
func TestStart(t *testing.T) {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, got := grpc.NewServer(), make(chan string, 1)
	collector.RegisterTraceServiceServer(server, spans{got: got})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)

	if _, err := Start(t.Context(), "x", "loud"); err == nil {
		t.Error("an unknown level is taken")
	}
	stop, err := begin(t.Context(), io.Discard, "task-api", "info", "")
	if err != nil || Tracing() {
		t.Fatalf("without a collector: tracing %v, %v", Tracing(), err)
	}
	if err := stop(t.Context()); err != nil {
		t.Error(err)
	}

	endpoint := "http://" + listener.Addr().String()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
	stop, err = begin(t.Context(), io.Discard, "task-api", "info", endpoint)
	if err != nil || !Tracing() {
		t.Fatalf("with a collector: tracing %v, %v", Tracing(), err)
	}
	_, span := otel.Tracer("test").Start(t.Context(), "work")
	span.End()
	if err := stop(t.Context()); err != nil {
		t.Error(err)
	}
	select {
	case name := <-got:
		if name != "work" {
			t.Errorf("span %q", name)
		}
	default:
		t.Error("stop returned before the span was sent")
	}
}

func BenchmarkLogLine(b *testing.B) {
	l := logger(b, io.Discard, "info")
	ctx := WithUser(WithCorrelation(b.Context(), "0197b3e2-1111-7000-8000-000000000000"), "alice")
	b.ReportAllocs()
	for b.Loop() {
		l.LogAttrs(ctx, slog.LevelInfo, "request", slog.String("method", "GET"), slog.String("route", "/api/:user_id/tasks"),
			slog.Int("status", 200), slog.Float64("duration_ms", 1.25), slog.Int64("bytes", 512))
	}
}
