package sidecar

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	contract "github.com/taskflow-suite/taskflow/proto"
)

type instruments struct {
	handled   *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	age       *prometheus.HistogramVec
	published *prometheus.CounterVec
	publish   *prometheus.HistogramVec
}

var metrics = sync.OnceValue(func() instruments {
	buckets := []float64{.001, .002, .004, .008, .016, .032, .064, .125, .25, .5, 1, 2, 4}
	m := instruments{
		handled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taskflow_events_handled_total", Help: "Deliveries of events, by what became of them: done, retry or drop.",
		}, []string{"topic", "type", "verdict"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "taskflow_event_handle_seconds", Help: "Time of one delivery in the handler.", Buckets: buckets,
		}, []string{"topic"}),
		age: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "taskflow_event_age_seconds", Help: "From an event's timestamp, shortly before its commit, to when it was handled. The writer's clock and the reader's: what they differ is in it; below 0 counts as 0.",
			Buckets: append(buckets, 8, 30, 120, 600, 3600),
		}, []string{"topic"}),
		published: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taskflow_events_published_total", Help: "Events handed to the sidecar, by result: ok or failed.",
		}, []string{"topic", "result"}),
		publish: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "taskflow_publish_seconds", Help: "Time the sidecar took for one bulk publish.", Buckets: buckets,
		}, []string{"topic"}),
	}
	telemetry.Metrics().MustRegister(m.handled, m.seconds, m.age, m.published, m.publish)
	return m
})

// known holds the names a label may have. A type comes with the event, and whoever can publish could invent names.
var known = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for _, k := range contract.Events() {
		names[k.Name] = true
	}
	return names
})

func observeHandled(topic contract.Topic, eventType string, verdict event.Verdict, took time.Duration, happened time.Time) {
	if !known()[eventType] {
		eventType = "other"
	}
	m := metrics()
	m.handled.WithLabelValues(string(topic), eventType, verdict.String()).Inc()
	m.seconds.WithLabelValues(string(topic)).Observe(took.Seconds())
	if verdict == event.Done {
		telemetry.Handled(string(topic), happened)
	}
	if verdict == event.Done && !happened.IsZero() {
		m.age.WithLabelValues(string(topic)).Observe(max(0, time.Since(happened).Seconds()))
	}
}

func observePublish(topic contract.Topic, events int, took time.Duration, err error) {
	result := "ok"
	if err != nil {
		result = "failed"
	}
	m := metrics()
	m.published.WithLabelValues(string(topic), result).Add(float64(events))
	m.publish.WithLabelValues(string(topic)).Observe(took.Seconds())
}
