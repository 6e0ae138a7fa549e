// Package telemetry is what a running service tells about itself: structured logs, traces and metrics, and the ids in a
// context that tie them together. It decides no names of business metrics and keeps no data.
package telemetry

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Config is the settings of this package, to be embedded in a service's.
type Config struct {
	LogLevel string `env:"LOG_LEVEL" default:"info" doc:"what is logged: debug, info, warn or error"`
	// OTLPEndpoint stands here for the documentation: the OpenTelemetry exporter reads this variable and its relatives
	// (protocol, headers, certificates, sampler) itself.
	OTLPEndpoint string `env:"OTEL_EXPORTER_OTLP_ENDPOINT" doc:"where traces are sent with OTLP, such as http://localhost:4317; empty sends none; see docs/tracing.md"`
}

// Check says whether the log level is one.
func (c Config) Check() error {
	if _, err := parseLevel(c.LogLevel); err != nil {
		return fmt.Errorf("LOG_LEVEL %w", err)
	}
	return nil
}

// flushTimeout is how long stop waits for a collector that does not answer.
const flushTimeout = 3 * time.Second

var tracing atomic.Bool

// Tracing reports whether spans are recorded, that is whether making them is worth the work.
func Tracing() bool { return tracing.Load() }

// Start makes the process's default logger write JSON lines to standard output and, if OTEL_EXPORTER_OTLP_ENDPOINT is
// set, sends spans there, as many as OTEL_TRACES_SAMPLER says. Trace context travels as W3C headers in either case. It
// does not wait for the collector. Call stop once, last: it sends what is left, for 3 s at most. The error says which
// setting is wrong.
func Start(ctx context.Context, serviceName, level string) (stop func(context.Context) error, err error) {
	return begin(ctx, os.Stdout, serviceName, level, setting("ENDPOINT"))
}

// setting is what the environment says for traces, or for all that is exported.
func setting(name string) string {
	return cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_"+name), os.Getenv("OTEL_EXPORTER_OTLP_"+name))
}

func begin(ctx context.Context, out io.Writer, serviceName, level, endpoint string) (func(context.Context) error, error) {
	handler, err := NewHandler(out, serviceName, level)
	if err != nil {
		return nil, err
	}
	slog.SetDefault(slog.New(handler))
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		slog.Warn("traces cannot be sent", "error", err.Error())
	}))
	if endpoint == "" {
		return func(context.Context) error { return nil }, nil
	}
	exporter, err := exporter(ctx)
	if err != nil {
		return nil, err
	}
	// Later ones win: the name may be set from outside, for an installation that has two of us.
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", serviceName), attribute.String("service.instance.id", instance())),
		resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	otel.SetTracerProvider(provider)
	tracing.Store(true)
	return func(ctx context.Context) error {
		tracing.Store(false)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
		defer cancel()
		return provider.Shutdown(ctx)
	}, nil
}

// exporter speaks what OTEL_EXPORTER_OTLP_PROTOCOL says. It does not connect yet.
func exporter(ctx context.Context) (sdktrace.SpanExporter, error) {
	var made sdktrace.SpanExporter
	var err error
	switch protocol := setting("PROTOCOL"); protocol {
	case "", "grpc":
		made, err = otlptracegrpc.New(ctx)
	case "http/protobuf":
		made, err = otlptracehttp.New(ctx)
	default:
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q: expected grpc or http/protobuf", protocol)
	}
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	return made, nil
}

// instance tells this replica from the others.
func instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return cmp.Or(os.Getenv("POD_NAME"), host)
}
