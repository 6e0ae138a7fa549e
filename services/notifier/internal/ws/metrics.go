package ws

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/services/notifier/internal/hub"

	contract "github.com/taskflow-suite/taskflow/proto"
)

// metrics are the door's figures. Every label comes from a closed set: event names, frame types, close codes.
type metrics struct {
	all      []prometheus.Collector
	closes   *prometheus.CounterVec
	refused  prometheus.Counter
	delivery prometheus.Histogram
	sent     map[string]prometheus.Counter
	other    prometheus.Counter
}

func newMetrics(s *Server) *metrics {
	sent := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "taskflow_notifier_frames_sent_total", Help: "Frames written to WebSockets, by type.",
	}, []string{"type"})
	m := &metrics{
		closes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taskflow_notifier_closes_total",
			Help: "WebSockets ended, by the server's close code, or client or lost.",
		}, []string{"code"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "taskflow_notifier_connections_refused_total",
			Help: "WebSockets refused before the upgrade because the replica is full or stopping.",
		}),
		delivery: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "taskflow_notifier_delivery_seconds",
			Help:    "From a live event's timestamp, shortly before its commit, until its frame was written. The writer's clock and the notifier's: what they differ is in it; below 0 counts as 0.",
			Buckets: []float64{.001, .0025, .005, .01, .02, .04, .08, .16, .32, .64, 1.28, 5, 30},
		}),
		sent:  map[string]prometheus.Counter{},
		other: sent.WithLabelValues("other"),
	}
	types := []string{typeHello, typeResync, typePong, typeAuth, typeError}
	for _, k := range contract.Events() {
		types = append(types, k.Name)
	}
	for _, t := range types {
		m.sent[t] = sent.WithLabelValues(t)
	}
	for _, c := range append(Codes(), lost, byClient) {
		m.closes.WithLabelValues(c.label())
	}
	m.all = append(m.all, sent, m.closes, m.refused, m.delivery)

	gauge := func(name, help string, value func() float64) {
		m.all = append(m.all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("taskflow_notifier_connections", "Open WebSockets, those without a token yet included.", func() float64 {
		open, _ := s.count()
		return float64(open)
	})
	gauge("taskflow_notifier_connections_waiting", "Open WebSockets that have not shown a token yet.", func() float64 {
		_, waiting := s.count()
		return float64(waiting)
	})
	counter := func(name, help string, value func(hub.Counts) int64) {
		m.all = append(m.all, prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 {
			return float64(value(s.hub.Counts()))
		}))
	}
	counter("taskflow_notifier_fills_total", "Readings of the event log for a follower.",
		func(c hub.Counts) int64 { return c.Fills })
	counter("taskflow_notifier_filled_events_total", "Events brought by the event log.",
		func(c hub.Counts) int64 { return c.Filled })
	counter("taskflow_notifier_holes_total", "Live events that came before an earlier one.",
		func(c hub.Counts) int64 { return c.Holes })
	counter("taskflow_notifier_repeated_total", "Live events that a follower had been told already.",
		func(c hub.Counts) int64 { return c.Repeated })
	counter("taskflow_notifier_overflows_total", "Full queues given up for the event log.",
		func(c hub.Counts) int64 { return c.Overflows })
	counter("taskflow_notifier_false_alarms_total", "Live events that the event log does not have.",
		func(c hub.Counts) int64 { return c.FalseAlarms })
	counter("taskflow_notifier_resyncs_total", "Followers told to start anew.",
		func(c hub.Counts) int64 { return c.Resyncs })
	counter("taskflow_notifier_found_total", "Followers that had missed something only the regular check revealed.",
		func(c hub.Counts) int64 { return c.Found })
	return m
}

// Describe is prometheus.Collector's.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, c := range m.all {
		c.Describe(to)
	}
}

// Collect is prometheus.Collector's.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	for _, c := range m.all {
		c.Collect(to)
	}
}

func (m *metrics) wrote(kind string) {
	if c, ok := m.sent[kind]; ok {
		c.Inc()
		return
	}
	m.other.Inc()
}

func (m *metrics) delivered(at time.Time) {
	m.delivery.Observe(max(0, time.Since(at).Seconds()))
}
