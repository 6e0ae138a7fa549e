package telemetry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// NewHandler writes one JSON object per record to out: level, msg, service_name, the record's own attributes, timestamp
// (RFC 3339, UTC, nanoseconds) and, from the record's context, correlation_id, user_id and trace_id where there are any.
// Inside a group opened with WithGroup the last four are in that group too. Level is debug, info, warn or error; empty
// is info.
func NewHandler(out io.Writer, serviceName, level string) (slog.Handler, error) {
	threshold, err := parseLevel(level)
	if err != nil {
		return nil, err
	}
	inner := slog.NewJSONHandler(out, &slog.HandlerOptions{Level: threshold})
	return &handler{inner.WithAttrs([]slog.Attr{slog.String("service_name", serviceName)})}, nil
}

func parseLevel(text string) (slog.Level, error) {
	switch strings.ToLower(text) {
	case "debug":
		return slog.LevelDebug, nil
	case "", "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, errors.New("is " + strconv.Quote(text) + ": expected debug, info, warn or error")
}

type handler struct{ inner slog.Handler }

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.inner.Enabled(ctx, level)
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	// A record without a time is written without slog's "time"; adding it as an attribute gives the field its name
	// without asking ReplaceAttr about every attribute of every line.
	attrs := make([]slog.Attr, 0, 12)
	attrs = append(attrs, slog.Time("timestamp", r.Time.UTC()))
	l := labelsOf(ctx)
	if l.correlation != "" {
		attrs = append(attrs, slog.String("correlation_id", l.correlation))
	}
	if l.user != "" {
		attrs = append(attrs, slog.String("user_id", l.user))
	}
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		attrs = append(attrs, slog.String("trace_id", span.TraceID().String()))
	}
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	out := slog.NewRecord(time.Time{}, r.Level, r.Message, r.PC)
	out.AddAttrs(attrs...)
	return h.inner.Handle(ctx, out)
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{h.inner.WithAttrs(attrs)}
}

func (h *handler) WithGroup(name string) slog.Handler { return &handler{h.inner.WithGroup(name)} }

// EventType is the attribute that names the kind of event a line is about.
func EventType(name string) slog.Attr { return slog.String("event_type", name) }

// Status is the attribute that says how what a line is about came out, such as "ok" or "failed".
func Status(outcome string) slog.Attr { return slog.String("status", outcome) }

// Error is the attribute that holds why something failed, with its causes.
func Error(err error) slog.Attr {
	if err == nil {
		return slog.Attr{}
	}
	return slog.String("error", err.Error())
}
