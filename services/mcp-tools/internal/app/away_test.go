package app

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// gate stands before the database's server and can be shut.
type gate struct {
	url string

	mu    sync.Mutex
	shut  bool
	conns map[net.Conn]bool
}

func newGate(t *testing.T, database string) *gate {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	behind := u.Host
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u.Host = l.Addr().String()
	g := &gate{url: u.String(), conns: map[net.Conn]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", behind)
			if err != nil || !g.enter(in, out) {
				_ = in.Close()
				if err == nil {
					_ = out.Close()
				}
				continue
			}
			all.Go(func() { g.pass(out, in) })
			all.Go(func() { g.pass(in, out) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		g.set(true)
		all.Wait()
	})
	return g
}

func (g *gate) enter(conns ...net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range conns {
		g.conns[c] = !g.shut
	}
	return !g.shut
}

func (g *gate) pass(to, from net.Conn) {
	_, _ = io.Copy(to, from) // it ends with either side
	_ = to.Close()
	_ = from.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, to)
	delete(g.conns, from)
}

// set shuts the gate, which cuts every connection, or opens it.
func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut = shut; shut {
		for c := range g.conns {
			_ = c.Close()
		}
	}
}

func TestWithoutTheDatabaseOneClientIsToldSoAndTheOtherWaits(t *testing.T) {
	t.Parallel()
	broker := startBroker(t)
	database := newGate(t, testkit.Postgres(t))
	r := start(t, broker, database.url, nil)
	metrics := prometheus.NewRegistry()
	inside, outside := overBus(t, agent(t, broker, mcpbus.WithMetrics(metrics)), "ann"), overHTTP(t, "http://"+r.addr, "ann")
	call(t, outside, agenttools.AddTasks, titled("before"))

	database.set(true)
	said, failed := attempt(t, outside, agenttools.AddTasks, titled("outside, in between"))
	if !failed || !strings.Contains(said, "nobody knows") || !strings.Contains(said, agenttools.FindTasks) {
		t.Errorf("it says %s", said)
	}
	eventually(t, "/readyz", func(ctx context.Context) (bool, any) {
		status, body := ask(ctx, t, http.MethodGet, "http://"+r.addr+"/readyz", nil, nil)
		return status == http.StatusServiceUnavailable && strings.Contains(body, `"database":{"status":"failed"`), body
	})
	type outcome struct {
		result *mcp.CallToolResult
		err    error
	}
	answered, before := make(chan outcome, 1), resent(t, metrics)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		result, err := inside.CallTool(ctx, &mcp.CallToolParams{Name: agenttools.AddTasks, Arguments: titled("inside, in between")})
		answered <- outcome{result, err}
	}()
	eventually(t, "sending again", func(context.Context) (bool, any) {
		again := resent(t, metrics)
		return again > before, again
	})
	select {
	case got := <-answered:
		t.Fatalf("answered without a database: %+v, %v", got.result, got.err)
	default:
	}
	database.set(false)
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
