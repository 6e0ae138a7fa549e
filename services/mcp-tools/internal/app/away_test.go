package app

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

func TestWithoutTheDatabaseOneClientIsToldSoAndTheOtherWaits(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBrokerWithTopics(t)
	database := testkit.NewGate(t, testkit.Postgres(t))
	r := start(t, broker, database.URL, nil)
	metrics := prometheus.NewRegistry()
	inside, outside := overBus(t, agent(t, broker, mcpbus.WithMetrics(metrics)), "ann"), overHTTP(t, "http://"+r.addr, "ann")
	call(t, outside, agenttools.AddTasks, titled("before"))

	database.Shut()
	said, failed := attempt(t, outside, agenttools.AddTasks, titled("outside, in between"))
	if !failed || !strings.Contains(said, "nobody knows") || !strings.Contains(said, agenttools.FindTasks) {
		t.Errorf("it says %s", said)
	}
	testkit.Eventually(t, "/readyz", func(ctx context.Context) (bool, any) {
		status, body := testkit.Get(ctx, t, "http://"+r.addr+"/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(body, `"database":{"status":"failed"`), body
	})
	type outcome struct {
		result *mcp.CallToolResult
		err    error
	}
	answered, before := make(chan outcome, 1), resent(t, metrics)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
		defer cancel()
		result, err := inside.CallTool(ctx, &mcp.CallToolParams{Name: agenttools.AddTasks, Arguments: titled("inside, in between")})
		answered <- outcome{result, err}
	}()
	testkit.Eventually(t, "sending again", func(context.Context) (bool, any) {
		again := resent(t, metrics)
		return again > before, again
	})
	select {
	case got := <-answered:
		t.Fatalf("answered without a database: %+v, %v", got.result, got.err)
	default:
	}
	database.Open()
	if got := <-answered; got.err != nil || got.result.IsError {
		t.Errorf("it says %+v, %v", got.result, got.err)
	}
	var found agenttools.Tasks
	if err := json.Unmarshal([]byte(call(t, inside, agenttools.FindTasks, nil)), &found); err != nil {
		t.Fatal(err)
	}
	titles := map[string]int{}
	for _, task := range found.Tasks {
		titles[task.Title]++
	}
	if len(titles) != 2 || titles["before"] != 1 || titles["inside, in between"] != 1 {
		t.Errorf("the tasks are %v", titles)
	}
}

// resent counts the requests that the agent sent again because no answer came.
func resent(t *testing.T, metrics prometheus.Gatherer) float64 {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "taskflow_mcp_requests_resent_total" {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatal("the agent does not count what it sends again")
	return 0
}
