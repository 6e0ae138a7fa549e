package model

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What became of a question.
const (
	questionAnswered = "answered"
	questionFailed   = "failed" // retries and the circuit included
	questionEnded    = "ended"  // whoever asked went away, or had no more time
)

type measured struct {
	Model
	seconds *prometheus.HistogramVec
	tokens  *prometheus.CounterVec
	cost    *prometheus.CounterVec
	// inputPrice and outputPrice are of one token.
	inputPrice, outputPrice float64
}

// million is how many tokens a price is for.
const million = 1e6

// Measured is a model whose questions, their time, their tokens and what these cost by the prices of c are counted in r.
func Measured(m Model, c Config, r prometheus.Registerer) Model {
	n := measured{
		Model: m, inputPrice: c.InputPrice / million, outputPrice: c.OutputPrice / million,
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "taskflow_model_question_seconds", Help: "From a question to the model to its end, by outcome.",
			Buckets: []float64{.05, .125, .25, .5, 1, 2, 4, 8, 15, 30, 60},
		}, []string{"outcome"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taskflow_model_tokens_total", Help: "Tokens as the model's server counted them.",
		}, []string{"direction"}),
		cost: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "taskflow_model_cost_total", Help: "What the tokens cost, in the currency of OPENAI_PRICE_INPUT and OPENAI_PRICE_OUTPUT; 0 while these are.",
		}, []string{"direction"}),
	}
	for _, outcome := range []string{questionAnswered, questionFailed, questionEnded} {
		n.seconds.WithLabelValues(outcome)
	}
	for _, direction := range []string{"in", "out"} {
		n.tokens.WithLabelValues(direction)
		n.cost.WithLabelValues(direction)
	}
	r.MustRegister(n.seconds, n.tokens, n.cost)
	return n
}

// Ask implements Model.
func (m measured) Ask(ctx context.Context, q Question, onText func(string)) (Reply, error) {
	began := time.Now()
	reply, err := m.Model.Ask(ctx, q, onText)
	outcome := questionAnswered
	switch {
	case err != nil && ctx.Err() != nil:
		outcome = questionEnded
	case err != nil:
		outcome = questionFailed
	}
	m.seconds.WithLabelValues(outcome).Observe(time.Since(began).Seconds())
	m.tokens.WithLabelValues("in").Add(float64(reply.InputTokens))
	m.tokens.WithLabelValues("out").Add(float64(reply.OutputTokens))
	m.cost.WithLabelValues("in").Add(float64(reply.InputTokens) * m.inputPrice)
	m.cost.WithLabelValues("out").Add(float64(reply.OutputTokens) * m.outputPrice)
	return reply, err
}
