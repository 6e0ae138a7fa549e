package due

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/task"
)

const (
	// behind is how long something may be due before the schedule counts as degraded.
	behind = time.Minute
	// observeEvery is how often the gauges are refreshed, so that a scrape costs the database nothing.
	observeEvery = 5 * time.Second
)

// Check is what /readyz shows of the schedule. It fails only with the database: a schedule that is behind is degraded, and
// taking its replica out of rotation would not make it faster.
func (l *Loop) Check(ctx context.Context) (map[string]any, error) {
	now := l.o.Clock.Now()
	b, err := l.agenda.Backlog(ctx, now)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	last, waits := l.last, l.held
	l.mu.Unlock()
	oldest := age(b, now)
	detail := map[string]any{
		"degraded": oldest > behind || last != "" || waits,
		"backlog":  map[string]any{"series": b.Series, "alarms": b.Alarms, "oldest_seconds": oldest.Seconds()},
	}
	if last != "" {
		detail["last_error"] = last
	}
	if waits {
		detail["reason"] = held
	}
	return detail, nil
}

// age is how long the oldest has been due, 0 if nothing is.
func age(b task.Backlog, now time.Time) time.Duration {
	if b.Oldest.IsZero() {
		return 0
	}
	return max(now.Sub(b.Oldest), 0)
}

// observe refreshes the gauges until ctx ends.
func (l *Loop) observe(ctx context.Context) {
	if l.o.Metrics == nil {
		return
	}
	tick := time.NewTicker(observeEvery)
	defer tick.Stop()
	for {
		l.measure(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (l *Loop) measure(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, observeEvery)
	defer cancel()
	now := l.o.Clock.Now()
	if b, err := l.agenda.Backlog(ctx, now); err == nil { // what fails, the loop tells of
		l.metrics.due.WithLabelValues(Recurrence).Set(float64(b.Series))
		l.metrics.due.WithLabelValues(Reminder).Set(float64(b.Alarms))
		l.metrics.oldest.Set(age(b, now).Seconds())
	}
}

// The values of the label kind in every metric of the scheduler.
const (
	Recurrence = "recurrence"
	Reminder   = "reminder"
)

type metrics struct {
	claims *prometheus.CounterVec
	due    *prometheus.GaugeVec
	oldest prometheus.Gauge
}

// newMetrics makes all the metrics; without a registerer nobody sees them.
func newMetrics(r prometheus.Registerer) metrics {
	m := metrics{
		claims: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taskflow_scheduler_claimed_total", Help: "What was found due and announced, repetitions included.",
		}, []string{"kind"}),
		due: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "taskflow_scheduler_due", Help: "What is due and has not been acted on, on all replicas, counted up to 10000.",
		}, []string{"kind"}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "taskflow_scheduler_due_oldest_seconds", Help: "How long the oldest of what is due has been so.",
		}),
	}
	for _, kind := range []string{Recurrence, Reminder} {
		m.claims.WithLabelValues(kind)
		m.due.WithLabelValues(kind)
	}
	if r != nil {
		r.MustRegister(m.claims, m.due, m.oldest)
	}
	return m
}

func (m metrics) claimed(n claimed) {
	m.claims.WithLabelValues(Recurrence).Add(float64(n.series))
	m.claims.WithLabelValues(Reminder).Add(float64(n.alarms))
}
