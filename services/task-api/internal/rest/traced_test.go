package rest_test

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

// BenchmarkCreateTraced is BenchmarkCreate with every tenth request traced, the collector included.
func BenchmarkCreateTraced(b *testing.B) {
	before, traces := slog.Default(), testkit.NewTraces(b)
	b.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", traces.Endpoint)
	b.Setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
	b.Setenv("OTEL_TRACES_SAMPLER_ARG", "0.1")
	stop, err := telemetry.Start(b.Context(), "task-api", "error")
	if err != nil {
		b.Fatal(err)
	}
	slog.SetDefault(before)
	b.Cleanup(func() {
		if err := stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	w := open(b, settings{})
	users := make([]user, 64)
	for i := range users {
		users[i] = w.user(b)
		users[i].create(`{"title":"first"}`)
	}
	var n atomic.Int64
	drive(b, func(client *http.Client) error {
		u := users[int(n.Add(1))%len(users)]
		return u.request(client, "POST", "/tasks", `{"title":"Buy milk","description":"Two litres","priority":"high","tags":["home"],"due_date":"2026-12-01T09:00:00Z"}`, 201)
	})
	b.ReportMetric(float64(len(traces.All()))/float64(b.N), "spans/op")
}
