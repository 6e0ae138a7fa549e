package topics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/scheduler/internal/due"
)

type metrics struct {
	lateness  *prometheus.HistogramVec
	made      prometheus.Counter
	prevented prometheus.Counter
	missed    prometheus.Counter
	reminders *prometheus.CounterVec
}

// newMetrics makes all the metrics; without a registerer nobody sees them.
func newMetrics(r prometheus.Registerer) metrics {
	m := metrics{
		lateness: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "taskflow_scheduler_lateness_seconds", Help: "From when something was due to when it was done, by the scheduler's clock.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2, 5, 10, 30, 60, 300, 3600, 86400},
		}, []string{"kind"}),
		made: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "taskflow_scheduler_spawned_total", Help: "Occurrences of recurring tasks made.",
		}),
		prevented: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "taskflow_scheduler_duplicates_prevented_total", Help: "Occurrences that were there already when they were to be made.",
		}),
		missed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "taskflow_scheduler_missed_total", Help: "Occurrences passed over because nobody made them in time.",
		}),
		reminders: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taskflow_scheduler_reminders_total", Help: "Reminders fired, by whether they were late.",
		}, []string{"late"}),
	}
	for _, kind := range []string{due.Recurrence, due.Reminder} {
		m.lateness.WithLabelValues(kind)
	}
	for _, late := range []bool{false, true} {
		m.reminders.WithLabelValues(strconv.FormatBool(late))
	}
	if r != nil {
		r.MustRegister(m.lateness, m.made, m.prevented, m.missed, m.reminders)
	}
	return m
}

func (m metrics) spawned(done task.Spawned, now time.Time) {
	m.made.Add(float64(len(done.Made)))
	m.prevented.Add(float64(done.Prevented))
	m.missed.Add(float64(done.Missed))
	if len(done.Made) > 0 && !done.Due.IsZero() {
		m.lateness.WithLabelValues(due.Recurrence).Observe(max(now.Sub(done.Due), 0).Seconds())
	}
}

func (m metrics) rang(late time.Duration) {
	m.reminders.WithLabelValues(strconv.FormatBool(late > task.LateAfter)).Inc()
	m.lateness.WithLabelValues(due.Reminder).Observe(max(late, 0).Seconds())
}
