package tools_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/ledger"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/tools"
)

func TestCallsAreCountedByToolAndByWhatBecameOfThem(t *testing.T) {
	t.Parallel()
	w, registry := newWorld(t), prometheus.NewPedanticRegistry()
	w.tools = tools.New(ledger.New(w.db, w.now), w.now, tools.Confirmations{Secret: config.NewSecret(secret)}, tools.WithMetrics(registry))
	c := w.as("ada", "UTC")
	same := mcp.Meta{agenttools.MetaRequest: uuid.NewString()}
	c.send(agenttools.AddTasks, args(`{"tasks":[{"title":"a"}]}`), same)
	c.send(agenttools.AddTasks, args(`{"tasks":[{"title":"a"}]}`), same)
	c.send(agenttools.AddTasks, args(`{"tasks":[{"title":"b"}]}`), same) // another call under the same id
	c.send(agenttools.AddTasks, args(`{"tasks":[{"title":""}]}`), nil)

	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got, timed := map[string]float64{}, uint64(0)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["tool"] != agenttools.AddTasks {
				if n := m.GetCounter().GetValue(); n != 0 {
					t.Errorf("%v is counted %v times", labels, n)
				}
				continue
			}
			got[labels["outcome"]] += m.GetCounter().GetValue()
			timed += m.GetHistogram().GetSampleCount()
		}
	}
	for _, outcome := range []string{"done", "repeated", "lost", "refused"} {
		if got[outcome] != 1 {
			t.Errorf("%s: counted %v, want 1", outcome, got[outcome])
		}
	}
	if timed != 4 {
		t.Errorf("%d calls are timed", timed)
	}
}
