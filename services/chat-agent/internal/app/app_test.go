package app

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
	"github.com/taskflow-suite/taskflow/pkg/process"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
)

const (
	secret   = "a secret of more than thirty-two bytes, for tests"
	apiToken = "token of the sidecar"
	appToken = "token of the app"
)

func TestAllMistakesInTheSettingsAreReportedTogether(t *testing.T) {
	t.Parallel()
	wrong := map[string]string{
		"LOG_LEVEL": "loud", "HTTP_TIMEOUT": "soon", "CHAT_RATE": "0", "CHAT_BURST": "-1", "CHAT_RUNS": "0", "AGENT_MAX_STEPS": "0",
		"OPENAI_BASE_URL": "ftp://example.org", "JWT_SECRET": "short", "MCP_SECRET": "short",
	}
	err := run(t.Context(), testkit.Environment(wrong), prometheus.NewRegistry())
	if err == nil {
		t.Fatal("it runs")
	}
	for name := range wrong {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in:\n%v", name, err)
		}
	}
}

func TestItDoesNotRunWithoutASidecar(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), testkit.Environment(map[string]string{
		"BUS": "kafka", "KAFKA_BROKERS": "localhost:9092", "JWT_SECRET": secret, "MCP_SECRET": secret,
	}), prometheus.NewRegistry())
	if err == nil || !strings.Contains(err.Error(), "chat-agent needs a sidecar") {
		t.Errorf("it says %v", err)
	}
}

// replica is a chat-agent as it runs in production, with its own daprd.
type replica struct {
	addr  string
	token string
	daprd *testkit.Sidecar
	stop  func()
}

func start(t *testing.T, broker *testkit.Broker, settings map[string]string) *replica {
	t.Helper()
	token, err := auth.Mint(secret, "ann", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	r, callback := &replica{addr: testkit.Address(t), token: token}, testkit.Address(t)
	r.daprd = testkit.StartSidecar(t, testkit.SidecarOptions{
		App: proto.ChatAgent, AppAddr: callback, Broker: broker, Database: testkit.Postgres(t), Token: apiToken, AppToken: appToken,
	})
	env := map[string]string{
		"HTTP_ADDR": r.addr, "APP_ADDR": callback, "APP_API_TOKEN": appToken, "DAPR_GRPC_ENDPOINT": r.daprd.GRPC, "DAPR_API_TOKEN": apiToken,
		"JWT_SECRET": secret, "MCP_SECRET": secret, "LOG_LEVEL": "error", "AGENT_TOOL_TIMEOUT": "1s",
		"OPENAI_BASE_URL": "http://" + testkit.Address(t) + "/v1", // nobody is there
	}
	maps.Copy(env, settings)
	r.stop = testkit.Background(t, func(ctx context.Context) error { return run(ctx, testkit.Environment(env), prometheus.NewRegistry()) })
	return r
}

// send returns the status and the body of an answer, 0 and the error if there is none.
func (r *replica) send(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	request.Header.Set("Content-Type", "application/json")
	return testkit.Ask(request)
}

// checks waits until /readyz has these checks in these states.
func (r *replica) checks(t *testing.T, want map[string]string) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprint("/readyz has ", want), func(context.Context) (bool, any) {
		_, body := r.send(t, "GET", "/readyz", "")
		var ready struct {
			Checks map[string]struct{ Status string }
		}
		if err := json.Unmarshal([]byte(body), &ready); err != nil {
			return false, body
		}
		got := map[string]string{}
		for name := range want {
			got[name] = ready.Checks[name].Status
		}
		return maps.Equal(got, want), body
	})
}

// otherEnd answers on the topics as mcp-tools does, with a server that has no tools: how the ways lie can be seen without
// mcp-tools, which is not for this package to run. What the two do together is tested where all services are.
func otherEnd(t *testing.T, broker *testkit.Broker) {
	t.Helper()
	addr := testkit.Address(t)
	daprd := testkit.StartSidecar(t, testkit.SidecarOptions{App: proto.MCPTools, AppAddr: addr, Broker: broker, Token: apiToken, AppToken: appToken})
	d := sidecar.Dapr{Endpoint: daprd.GRPC, Token: config.NewSecret(apiToken), PubSub: "pubsub", PubSubFanOut: "pubsub-fanout"}
	client, err := sidecar.Dial(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	server := mcpbus.NewServer(mcpbus.ServerOptions{
		Bus: client, Config: mcpbus.Config{Secret: config.NewSecret(secret)},
		MCP: mcp.NewServer(&mcp.Implementation{Name: "nothing", Version: "1"}, nil),
	})
	callback, err := sidecar.NewServer(sidecar.ServerOptions{
		Addr: addr, Token: config.NewSecret(appToken), Quiet: 50 * time.Millisecond,
		Subscriptions: []sidecar.Subscription{d.Work(proto.MCPTools, proto.MCPRequests,
			func(ctx context.Context, m sidecar.Delivery) error { return server.Deliver(ctx, m.Data) })},
	})
	if err != nil {
		t.Fatal(err)
	}
	testkit.Background(t, func(ctx context.Context) error { return process.Together(ctx, callback.Run, server.Run) })
}

// TestItIsReadyWhenTheToolsAnswerAndSaysWhatIsAway runs the whole service with a real broker and a real sidecar.
func TestItIsReadyWhenTheToolsAnswerAndSaysWhatIsAway(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBrokerWithTopics(t)
	r := start(t, broker, map[string]string{"CHATKIT": "true"})
	r.checks(t, map[string]string{"tokens": "ok", "sidecar": "ok", "tools": "failed", "model": "ok", "runs": "ok"})
	status, body := r.send(t, "POST", "/api/ann/chat", `{"message":"hello"}`)
	if status != 503 || !strings.Contains(body, "Your tasks cannot be reached right now.") {
		t.Errorf("without tools a message is answered with %d %s", status, body)
	}
	status, body = r.send(t, "POST", "/api/ann/chatkit", `{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"hello"}]}}}`)
	if status != 503 || !strings.Contains(body, "Your tasks cannot be reached right now.") {
		t.Errorf("ChatKit is answered with %d %s", status, body)
	}
	for path, want := range map[string]int{"/api/eve/chat": 403, "/docs": 200, "/openapi.yaml": 200, "/metrics": 200} {
		method := "GET"
		if want == 403 {
			method = "POST"
		}
		if status, _ := r.send(t, method, path, `{"message":"hello"}`); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, body := r.send(t, "POST", "/api/ann/chat", `"`+strings.Repeat("a", 64<<10)+`"`); status != 413 {
		t.Errorf("a body of 64 KiB and more: %d %s", status, body)
	}

	otherEnd(t, broker)
	r.checks(t, map[string]string{"tokens": "ok", "sidecar": "ok", "tools": "ok", "model": "ok", "runs": "ok"})
	if status, body := r.send(t, "GET", "/readyz", ""); status != 200 || !strings.Contains(body, `"circuit":"closed"`) {
		t.Errorf("%d %s", status, body)
	}

	r.daprd.Kill()
	r.checks(t, map[string]string{"tokens": "ok", "sidecar": "failed", "model": "ok"})
	r.stop()
}
