package deadletter

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// kinds are what the column and the label of that name may hold.
var kinds = []string{
	errs.Internal.String(), errs.Invalid.String(), errs.NotFound.String(), errs.Conflict.String(), errs.Stale.String(),
	errs.Denied.String(), errs.Unavailable.String(), sidecar.KindPanic, sidecar.KindTimeout, KindUnread, KindUnknown,
}

// Kinds lists them all.
func Kinds() []string { return slices.Clone(kinds) }

func known(kind string) string {
	if slices.Contains(kinds, kind) {
		return kind
	}
	return KindUnknown
}

type metrics struct {
	total *prometheus.CounterVec
	open  prometheus.Gauge
}

func newMetrics(o Options) metrics {
	m := metrics{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taskflow_dead_letters_total", Help: "Records that came over the dead-letter topics, by the topic they were for and why they could not be handled.",
			ConstLabels: prometheus.Labels{"consumer": o.Consumer},
		}, []string{"topic", "kind"}),
		open: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "taskflow_dead_letters", Help: "Dead letters that were neither handled nor discarded; the same from every replica.",
			ConstLabels: prometheus.Labels{"consumer": o.Consumer},
		}),
	}
	// Series that begin with the first dead letter hide it from increase().
	for _, topic := range o.Topics {
		for _, kind := range kinds {
			m.total.WithLabelValues(string(topic), kind)
		}
	}
	if o.Metrics != nil {
		o.Metrics.MustRegister(m.total, m.open)
	}
	return m
}

func (m metrics) dead(topic contract.Topic, kind string) {
	m.total.WithLabelValues(string(topic), known(kind)).Inc()
}
