package outbox

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// maxDepth bounds what counting the outbox costs.
const maxDepth = 100_000

// observeEvery is how often the gauges are refreshed.
const observeEvery = 5 * time.Second

// Stats is how a relay and the outbox are doing.
type Stats struct {
	// Depth is how many events wait in the outbox, of all services, counted up to 100,000.
	Depth int64
	// Oldest is how long the oldest has been waiting, 0 if there is none.
	Oldest time.Duration
	// Published counts what this relay has published, repetitions included.
	Published int64
	// LastError is what failed last and LastErrorAt when; both zero after a success.
	LastError   Trouble
	LastErrorAt time.Time
}

// Stats asks the database and the relay. errs.Unavailable if the database does not answer; the relay's own part is
// filled in all the same.
func (r *Relay) Stats(ctx context.Context) (Stats, error) {
	s := Stats{Published: r.published.Load()}
	s.LastError, s.LastErrorAt = r.trouble()
	waiting := r.db.Read(ctx).Model(&postgres.Outgoing{}).Select("1").Limit(maxDepth)
	if err := r.db.Read(ctx).Table("(?) AS waiting", waiting).Count(&s.Depth).Error; err != nil {
		return s, postgres.Failure(err)
	}
	if s.Depth == 0 {
		return s, nil
	}
	// Each shard's first row by its index: there is none of created_at, which would cost every commit. By the database's
	// clock, which also wrote the time.
	first := r.db.Read(ctx).Model(&postgres.Outgoing{}).Select("created_at").
		Where("outbox.shard = s.shard").Order("outbox.id").Limit(1)
	var ages []float64
	err := r.db.Read(ctx).Table("outbox_shards AS s").Joins("CROSS JOIN LATERAL (?) AS o", first).
		Order("o.created_at").Limit(1).Pluck("EXTRACT(EPOCH FROM clock_timestamp() - o.created_at)::float8", &ages).Error
	if err == nil && len(ages) > 0 {
		s.Oldest = max(time.Duration(ages[0]*float64(time.Second)), 0)
	}
	return s, postgres.Failure(err)
}

// observe refreshes the gauges, so that a scrape costs the database nothing.
func (r *Relay) observe(ctx context.Context) {
	if r.o.Metrics == nil {
		return
	}
	tick := time.NewTicker(observeEvery)
	defer tick.Stop()
	for {
		if s, err := r.Stats(ctx); err == nil {
			r.metrics.depth.Set(float64(s.Depth))
			r.metrics.oldest.Set(s.Oldest.Seconds())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

type metrics struct {
	published *prometheus.CounterVec
	failures  *prometheus.CounterVec
	latency   prometheus.Histogram
	depth     prometheus.Gauge
	oldest    prometheus.Gauge
}

// newMetrics makes all the metrics; without a registerer nobody sees them.
func newMetrics(r prometheus.Registerer) metrics {
	m := metrics{
		published: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taskflow_outbox_published_total", Help: "Events published by this replica, repetitions included.",
		}, []string{"topic"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taskflow_outbox_failures_total", Help: "Attempts of this replica to publish that failed, by the bus's reason.",
		}, []string{"reason"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "taskflow_outbox_publish_seconds", Help: "How long the bus took for one batch of the outbox.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15),
		}),
		depth: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "taskflow_outbox_depth", Help: "Events that wait in the outbox, of all services, counted up to 100000.",
		}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "taskflow_outbox_oldest_seconds", Help: "How long the oldest event of the outbox has been waiting, by the database's clock; 0 if none waits.",
		}),
	}
	for _, t := range contract.Topics() {
		m.published.WithLabelValues(string(t.Name))
	}
	if r != nil {
		r.MustRegister(m.published, m.failures, m.latency, m.depth, m.oldest)
	}
	return m
}
