package tools

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/ledger"
)

// What became of a call.
const (
	callDone     = "done"
	callRefused  = "refused"  // with what the caller should do instead
	callRepeated = "repeated" // answered from the ledger
	callLost     = "lost"     // it has no result: the ledger does not answer, or the call contradicts an earlier one
)

// metrics has the tools' own names as labels: a client cannot invent any.
type metrics struct {
	calls   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

// newMetrics makes all the metrics; without a registerer nobody sees them.
func newMetrics() metrics {
	m := metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taskflow_tool_calls_total", Help: "Calls of MCP tools over either door, by what became of them: done, refused, repeated or lost.",
		}, []string{"tool", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "taskflow_tool_call_seconds", Help: "Time of a call of an MCP tool, its transaction included.",
			Buckets: []float64{.002, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"tool"}),
	}
	for _, one := range table {
		for _, outcome := range []string{callDone, callRefused, callRepeated, callLost} {
			m.calls.WithLabelValues(one.name, outcome)
		}
	}
	return m
}

func (m metrics) register(r prometheus.Registerer) { r.MustRegister(m.calls, m.seconds) }

func (m metrics) ended(one *tool, outcome string, began time.Time) {
	m.calls.WithLabelValues(one.name, outcome).Inc()
	m.seconds.WithLabelValues(one.name).Observe(time.Since(began).Seconds())
}

func outcomeOf(r ledger.Result, repeated bool) string {
	switch {
	case repeated:
		return callRepeated
	case r.Outcome == ledger.Done:
		return callDone
	default:
		return callRefused
	}
}
