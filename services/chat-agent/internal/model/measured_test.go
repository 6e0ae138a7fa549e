package model_test

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/model"
)

// canned answers as it is told to.
type canned struct {
	reply model.Reply
	err   error
}

func (c canned) Ask(context.Context, model.Question, func(string)) (model.Reply, error) {
	return c.reply, c.err
}
func (canned) Name() string { return "canned" }

func TestQuestionsAreCountedByWhatBecameOfThem(t *testing.T) {
	t.Parallel()
	gone, leave := context.WithCancel(t.Context())
	leave()
	cases := map[string]struct {
		ctx context.Context
		canned
		want    string
		in, out float64
	}{
		"an answer has its tokens":       {t.Context(), canned{reply: model.Reply{InputTokens: 7, OutputTokens: 3}}, "answered", 7, 3},
		"no answer is a failure":         {t.Context(), canned{err: errs.New(errs.Unavailable, "down")}, "failed", 0, 0},
		"who went away waits for nobody": {gone, canned{err: context.Canceled}, "ended", 0, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			registry := prometheus.NewPedanticRegistry()
			m := model.Measured(c.canned, model.Config{InputPrice: 2_000_000, OutputPrice: 5_000_000}, registry)
			if _, err := m.Ask(c.ctx, model.Question{}, nil); (err != nil) != (c.err != nil) {
				t.Errorf("the error is %v, want %v", err, c.err)
			}
			got, cost := map[string]float64{}, map[string]float64{}
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range families {
				for _, metric := range f.GetMetric() {
					if f.GetName() == "taskflow_model_cost_total" {
						cost[metric.GetLabel()[0].GetValue()] = metric.GetCounter().GetValue()
						continue
					}
					got[metric.GetLabel()[0].GetValue()] = metric.GetCounter().GetValue() + float64(metric.GetHistogram().GetSampleCount())
				}
			}
			if got[c.want] != 1 || got["in"] != c.in || got["out"] != c.out || got["answered"]+got["failed"]+got["ended"] != 1 {
				t.Errorf("counted %v, want one %s with %v and %v tokens", got, c.want, c.in, c.out)
			}
			if cost["in"] != 2*c.in || cost["out"] != 5*c.out {
				t.Errorf("cost %v", cost)
			}
		})
	}
}
