package telemetry

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

const unsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"

// recorded has spans recorded until the test ends. It changes the process's defaults: such a test is not parallel.
func recorded(t *testing.T) *tracetest.SpanRecorder {
	t.Helper()
	before, spans := otel.GetTracerProvider(), tracetest.NewSpanRecorder()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))
	tracing.Store(true)
	t.Cleanup(func() {
		tracing.Store(false)
		otel.SetTracerProvider(before)
	})
	return spans
}

func TestSpansBelongToARecordedTrace(t *testing.T) {
	spans := recorded(t)
	for name, ctx := range map[string]context.Context{
		"no trace":                  t.Context(),
		"a trace nobody records":    WithTraceparent(t.Context(), unsampled),
		"a traceparent that is bad": WithTraceparent(t.Context(), "x"),
	} {
		again, span := Begin(ctx, Inside, "work", "k", "v")
		Record(ctx, Inside, "work", time.Now(), time.Now())
		Label(ctx)
		span.Note("n", 1)
		span.Tell("k", "v")
		span.End(io.EOF)
		if again != ctx || Recorded(ctx) || len(spans.Started()) > 0 {
			t.Errorf("%s began a span", name)
		}
	}

	ctx := WithUser(WithCorrelation(WithTraceparent(t.Context(), parent), "c1"), "ann")
	inner, span := Begin(ctx, Takes, "process x", "topic", "x")
	span.Note("attempt", 2)
	span.Tell("verdict", "done")
	_, failed := Begin(inner, Asks, "ask")
	failed.End(errs.New(errs.Unavailable, "the text that somebody wrote"))
	span.End(nil)
	began := time.Now().Add(-time.Minute)
	Record(inner, Sends, "frame", began, began.Add(time.Second))

	ended := spans.Ended()
	if len(ended) != 3 {
		t.Fatalf("%d spans", len(ended))
	}
	ask, process, frame := ended[0], ended[1], ended[2]
	if process.SpanKind() != trace.SpanKindConsumer || process.Parent().SpanID().String() != "b7ad6b7169203331" ||
		ask.Parent().SpanID() != process.SpanContext().SpanID() || Traceparent(inner)[36:52] != process.SpanContext().SpanID().String() {
		t.Errorf("the spans are not each other's: %+v", ended)
	}
	got := map[attribute.Key]string{}
	for _, a := range process.Attributes() {
		got[a.Key] = a.Value.String()
	}
	want := map[attribute.Key]string{"topic": "x", "attempt": "2", "verdict": "done", "taskflow.correlation_id": "c1", "user.id": "ann"}
	if !maps.Equal(got, want) {
		t.Errorf("the attributes are %v", got)
	}
	if ask.Status() != (sdktrace.Status{Code: codes.Error, Description: "unavailable"}) || len(ask.Events()) > 0 {
		t.Errorf("the failure is %+v, %v", ask.Status(), ask.Events())
	}
	if !frame.StartTime().Equal(began) || frame.EndTime().Sub(began) != time.Second || frame.SpanKind() != trace.SpanKindProducer {
		t.Errorf("the frame is from %v to %v", frame.StartTime(), frame.EndTime())
	}
	for text, want := range map[string]bool{parent: true, unsampled: false, "": false, parent[:54]: false, parent[:54] + "3": true} {
		if Sampled(text) != want {
			t.Errorf("%q counts as recorded: %v", text, !want)
		}
	}
	tracing.Store(false)
	if Sampled(parent) || Recorded(ctx) {
		t.Error("it is recorded although nothing is")
	}
}

func TestEveryKindIsOpenTelemetrys(t *testing.T) {
	t.Parallel()
	for kind, want := range map[Kind]trace.SpanKind{
		Inside: trace.SpanKindInternal, Asks: trace.SpanKindClient, Serves: trace.SpanKindServer, Sends: trace.SpanKindProducer, Takes: trace.SpanKindConsumer,
	} {
		if kind.kind() != want {
			t.Errorf("%v is %v", kind, kind.kind())
		}
	}
}

func TestTracesCanBeSentOverHTTP(t *testing.T) {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	names := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var request collector.ExportTraceServiceRequest
		body, err := io.ReadAll(r.Body)
		if err != nil || proto.Unmarshal(body, &request) != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
			return
		}
		from := request.GetResourceSpans()[0]
		for _, a := range from.GetResource().GetAttributes() {
			if a.GetKey() == "service.name" {
				names <- a.GetValue().GetStringValue() + " " + from.GetScopeSpans()[0].GetSpans()[0].GetName()
			}
		}
	}))
	t.Cleanup(server.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", server.URL+"/v1/traces")
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	t.Setenv("OTEL_SERVICE_NAME", "the blue one")
	stop, err := begin(t.Context(), io.Discard, "task-api", "info", setting("ENDPOINT"))
	if err != nil {
		t.Fatal(err)
	}
	_, span := otel.Tracer("test").Start(t.Context(), "work")
	span.End()
	if err := stop(t.Context()); err != nil {
		t.Error(err)
	}
	select {
	case got := <-names:
		if got != "the blue one work" {
			t.Errorf("got %s", got)
		}
	default:
		t.Error("stop returned before the span was sent")
	}

	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
	if _, err := begin(t.Context(), io.Discard, "task-api", "info", setting("ENDPOINT")); err == nil {
		t.Error("a protocol that is not spoken is taken")
	}
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "no value")
	if _, err := begin(t.Context(), io.Discard, "task-api", "info", setting("ENDPOINT")); err == nil {
		t.Error("attributes that are none are taken")
	}
}

// BenchmarkSpanOfNoTrace is what a place where a span could begin costs when nothing is recorded.
func BenchmarkSpanOfNoTrace(b *testing.B) {
	ctx := WithTraceparent(b.Context(), parent)
	b.ReportAllocs()
	for b.Loop() {
		_, span := Begin(ctx, Inside, "work", "key", "value")
		span.End(nil)
	}
}
