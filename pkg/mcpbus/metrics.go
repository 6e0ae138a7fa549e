package mcpbus

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What became of a call at the client.
const (
	callAnswered  = "answered"
	callNoAnswer  = "no_answer"
	callCancelled = "cancelled"
	callFailed    = "failed"
)

// What became of a reply at the client.
const (
	replyTaken   = "taken"
	replyForeign = "foreign" // of another replica
	replyLate    = "late"    // nobody waits for it, also because it came before
	replyRefused = "refused" // not signed with the key, or not readable
)

// What became of a request at the server.
const (
	requestExecuted   = "executed"
	requestRepeated   = "repeated"
	requestExpired    = "expired"
	requestRefused    = "refused"
	requestCancelled  = "cancelled"
	requestUnanswered = "unanswered"
	requestBusy       = "busy"
)

// What became of a reply at the server.
const (
	replySent = "sent"
	replyLost = "lost"
)

type clientMetrics struct {
	calls   *prometheus.HistogramVec
	resent  prometheus.Counter
	replies *prometheus.CounterVec
}

// newClientMetrics makes all the metrics; without a registerer nobody sees them.
func newClientMetrics(r prometheus.Registerer) clientMetrics {
	m := clientMetrics{
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "taskflow_mcp_call_seconds", Help: "From a call over pub/sub to its end, by outcome.",
			Buckets: []float64{.001, .002, .004, .008, .015, .03, .06, .125, .25, .5, 1, 2, 4, 8, 15, 30},
		}, []string{"outcome"}),
		resent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "taskflow_mcp_requests_resent_total", Help: "Requests sent again because no answer came or the bus did not take them.",
		}),
		replies: withOutcomes(prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taskflow_mcp_replies_total", Help: "Replies of tools that came to a replica of chat-agent, by what became of them.",
		}, []string{"outcome"}), replyTaken, replyForeign, replyLate, replyRefused),
	}
	for _, outcome := range []string{callAnswered, callNoAnswer, callCancelled, callFailed} {
		m.calls.WithLabelValues(outcome)
	}
	if r != nil {
		r.MustRegister(m.calls, m.resent, m.replies)
	}
	return m
}

func (m clientMetrics) called(outcome string, began time.Time) {
	m.calls.WithLabelValues(outcome).Observe(time.Since(began).Seconds())
}

type serverMetrics struct {
	requests *prometheus.CounterVec
	replies  *prometheus.CounterVec
}

func newServerMetrics(r prometheus.Registerer) serverMetrics {
	m := serverMetrics{
		requests: withOutcomes(prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taskflow_mcp_requests_total", Help: "Requests for tools that came to mcp-tools over pub/sub, by what became of them.",
		}, []string{"outcome"}), requestExecuted, requestRepeated, requestExpired, requestRefused, requestCancelled, requestUnanswered, requestBusy),
		replies: withOutcomes(prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taskflow_mcp_replies_published_total", Help: "Replies of tools that mcp-tools published, by whether the bus took them.",
		}, []string{"outcome"}), replySent, replyLost),
	}
	if r != nil {
		r.MustRegister(m.requests, m.replies)
	}
	return m
}

// withOutcomes begins a counter's outcomes at zero.
func withOutcomes(vec *prometheus.CounterVec, outcomes ...string) *prometheus.CounterVec {
	for _, outcome := range outcomes {
		vec.WithLabelValues(outcome)
	}
	return vec
}
