package telemetry

import (
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var registry = sync.OnceValue(func() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
})

// Metrics is the process's registry, with the Go runtime's and the process's own metrics in it. Everything in it is
// served by MetricsHandler.
func Metrics() *prometheus.Registry { return registry() }

// MetricsHandler serves Metrics in the Prometheus text format.
func MetricsHandler() http.Handler {
	return promhttp.InstrumentMetricHandler(Metrics(), promhttp.HandlerFor(Metrics(), promhttp.HandlerOpts{
		// More scrapes at once than that are somebody's mistake and would only slow each other down.
		MaxRequestsInFlight: 4,
	}))
}
