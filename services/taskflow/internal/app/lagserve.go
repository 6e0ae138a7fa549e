package app

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/process"
	"github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/service"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/pkg/topics"
)

// serveLag reads again and again and serves the last reading as metrics, until ctx ends.
func serveLag(ctx context.Context, addr string, reader *topics.LagReader, interval time.Duration) error {
	exporter := newLagExporter()
	registry := service.NewLease(telemetry.Metrics())
	defer registry.End()
	if err := registry.Register(exporter); err != nil {
		return err
	}
	house := rest.New(rest.Options{Config: rest.Config{Addr: addr}, Registry: registry})
	rest.Health(house, map[string]rest.Check{"broker": exporter.check})
	return process.Together(ctx,
		func(ctx context.Context) error { return rest.Serve(ctx, addr, house) },
		func(ctx context.Context) error { return exporter.read(ctx, reader, interval) },
	)
}

// lagExporter shows the last reading to Prometheus, and nothing after one that failed: an old number would look like a
// new one. The groups of fan-out replicas are one, notifier-* or chat-agent-*, with the one that is furthest behind: their
// names are new with each start of a sidecar, and would make series for ever.
type lagExporter struct {
	behind, oldest, members, left *prometheus.Desc
	reads                         *prometheus.CounterVec

	mu    sync.Mutex
	last  topics.Lags
	fault error
}

func newLagExporter() *lagExporter {
	e := &lagExporter{
		behind: prometheus.NewDesc("taskflow_consumer_lag",
			"Records that a consumer group has not acknowledged; of notifier-* and chat-agent-*, the replica that is furthest behind.", []string{"group", "topic"}, nil),
		oldest: prometheus.NewDesc("taskflow_consumer_lag_oldest_seconds",
			"How old the oldest record is that a consumer group has not acknowledged, by its publisher's clock and the reader's; 0 if none waits.", []string{"group", "topic"}, nil),
		members: prometheus.NewDesc("taskflow_consumer_members",
			"Replicas that read in a consumer group; of notifier-* and chat-agent-*, replicas that live.", []string{"group"}, nil),
		left: prometheus.NewDesc("taskflow_consumer_groups_left",
			"Groups of fan-out replicas that are gone, which brokers keep for a while and which count for no lag.", []string{"group"}, nil),
		reads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taskflow_consumer_lag_reads_total", Help: "Readings of the consumers' lag, by result: ok or failed.",
		}, []string{"result"}),
		fault: errs.New(errs.Unavailable, "nothing was read yet"),
	}
	for _, result := range []string{"ok", "failed"} {
		e.reads.WithLabelValues(result)
	}
	return e
}

// read reads until ctx ends, whatever fails meanwhile.
func (e *lagExporter) read(ctx context.Context, reader *topics.LagReader, interval time.Duration) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		all, err := readLag(ctx, reader)
		if ctx.Err() != nil {
			return nil
		}
		e.keep(ctx, all, err)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// keep notes a reading, and tells the log when they begin to fail or to succeed.
func (e *lagExporter) keep(ctx context.Context, all topics.Lags, err error) {
	e.mu.Lock()
	before := e.fault
	e.last, e.fault = all, err
	e.mu.Unlock()
	if err == nil {
		e.reads.WithLabelValues("ok").Inc()
		if before != nil {
			slog.InfoContext(ctx, "the consumers' lag is read")
		}
		return
	}
	e.reads.WithLabelValues("failed").Inc()
	if before == nil || meaning(before) != meaning(err) {
		slog.WarnContext(ctx, "the consumers' lag cannot be read", "error", err.Error())
	}
}

// check is what /readyz shows. A broker that is away is no reason not to be asked for metrics.
func (e *lagExporter) check(context.Context) (map[string]any, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fault != nil {
		return map[string]any{"degraded": true, "reason": meaning(e.fault)}, nil
	}
	return map[string]any{"degraded": false, "read_at": e.last.At.Format(time.RFC3339)}, nil
}

// Describe is prometheus.Collector's.
func (e *lagExporter) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{e.behind, e.oldest, e.members, e.left} {
		to <- d
	}
	e.reads.Describe(to)
}

// Collect is prometheus.Collector's.
func (e *lagExporter) Collect(to chan<- prometheus.Metric) {
	e.reads.Collect(to)
	e.mu.Lock()
	all, fault := e.last, e.fault
	e.mu.Unlock()
	if fault != nil {
		return
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	type place struct{ group, topic string }
	worst, members, counted := map[place]topics.Lag{}, map[string]int{}, map[string]bool{}
	for _, l := range all.Groups {
		group := groupLabel(l)
		at := place{group, string(l.Topic)}
		w := worst[at]
		worst[at] = topics.Lag{Behind: max(w.Behind, l.Behind), Oldest: max(w.Oldest, l.Oldest)}
		if !counted[l.Group] {
			counted[l.Group] = true
			if l.Each {
				members[group]++
			} else {
				members[group] = l.Members
			}
		}
	}
	for at, l := range worst {
		gauge(e.behind, float64(l.Behind), at.group, at.topic)
		gauge(e.oldest, l.Oldest.Seconds(), at.group, at.topic)
	}
	for group, n := range members {
		gauge(e.members, float64(n), group)
	}
	for app, n := range all.Left {
		gauge(e.left, float64(n), app+eachReplica)
	}
}

// eachReplica stands behind an app's name for the groups of its replicas.
const eachReplica = "-*"

func groupLabel(l topics.Lag) string {
	if l.Each {
		return l.App + eachReplica
	}
	return l.Group
}
