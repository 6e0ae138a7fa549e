package rest

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	return &metrics{
		requests: registered(r, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taskflow_http_requests_total", Help: "Answered requests by method, route template and status.",
		}, []string{"method", "route", "status"})),
		seconds: registered(r, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "taskflow_http_request_seconds", Help: "Time to answer by method and route template, without WebSockets.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route"})),
	}
}

// registered registers a collector, or returns the one that is there: a process may hold several houses.
func registered[C prometheus.Collector](r prometheus.Registerer, c C) C {
	err := r.Register(c)
	if there, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		return there.ExistingCollector.(C)
	}
	if err != nil {
		panic("rest: " + err.Error())
	}
	return c
}

// observe counts and logs one request. Labels come from closed sets: a client chooses neither route nor method names.
func (h *house) observe(c echo.Context, begun time.Time) {
	took, r, status := time.Since(begun), c.Request(), c.Response().Status
	method, route := methodLabel(r.Method), c.Path()
	if route == "" {
		route = "unmatched"
	}
	upgraded := !c.Response().Committed && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
	if upgraded {
		// The connection was taken over, so echo never saw its status; how long it lived is no response time.
		status = http.StatusSwitchingProtocols
	} else {
		h.metrics.seconds.WithLabelValues(method, route).Observe(took.Seconds())
	}
	h.metrics.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	telemetry.Label(r.Context())
	slog.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("method", method), slog.String("route", route), slog.Int("status", status),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000), slog.Int64("bytes", c.Response().Size))
}

func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}
