package app

import (
	"context"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secret    = "a secret of more than thirty-two bytes, for tests"
	busSecret = "another secret of more than thirty-two bytes, for tests"
	apiToken  = "token of the sidecar"
	appToken  = "token of the app"
)

// replica is one mcp-tools as it runs in production.
type replica struct {
	addr    string
	metrics *prometheus.Registry
	stop    func()
}

// start runs mcp-tools until the test ends and returns when it is ready. Without a broker it has no sidecar either.
func start(t *testing.T, broker *testkit.Broker, database string, settings map[string]string) *replica {
	t.Helper()
	r := &replica{addr: testkit.Address(t), metrics: prometheus.NewRegistry()}
	callback, grpc := testkit.Address(t), testkit.Address(t)
	if broker != nil {
		grpc = testkit.StartSidecar(t, testkit.SidecarOptions{
			App: proto.MCPTools, AppAddr: callback, Broker: broker, Token: apiToken, AppToken: appToken,
		}).GRPC
	}
	values := map[string]string{
		"HTTP_ADDR": r.addr, "APP_ADDR": callback, "APP_API_TOKEN": appToken, "DAPR_GRPC_ENDPOINT": grpc, "DAPR_API_TOKEN": apiToken,
		"DATABASE_URL": database, "JWT_SECRET": secret, "MCP_SECRET": busSecret, "LOG_LEVEL": "error",
		// All secrets are here: the sidecar's store need not be waited for.
		"SECRET_STORE": "none",
	}
	maps.Copy(values, settings)
	r.stop = testkit.Background(t, func(ctx context.Context) error {
		return run(ctx, testkit.Environment(values), r.metrics)
	})
	testkit.Answers(t, "http://"+r.addr+"/readyz", http.StatusOK)
	return r
}

// counted sums a metric over its labels.
func counted(t *testing.T, registry *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// ask returns the status and the body of an answer, 0 and the error if there is none.
func ask(t *testing.T, method, url string, body io.Reader, header http.Header) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header, r.Host = header, header.Get("Host")
	return testkit.Ask(r)
}

func token(t *testing.T, user string) string {
	t.Helper()
	raw, err := auth.Mint(secret, user, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// bearer sends a user's token with every request.
type bearer struct {
	token string
	base  *http.Transport
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.base.RoundTrip(r)
}

// overHTTP is a session of the SDK's own client with /mcp at an origin.
func overHTTP(t *testing.T, origin, user string) *mcp.ClientSession {
	t.Helper()
	return withToken(t, origin, token(t, user))
}

// withToken is overHTTP with a token as it is.
func withToken(t *testing.T, origin, raw string) *mcp.ClientSession {
	t.Helper()
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, &mcp.ClientOptions{})
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: origin + "/mcp", HTTPClient: &http.Client{Transport: bearer{raw, base}}, MaxRetries: -1,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// agent is the chat agent's end of the bus, with a sidecar of its own, until the test ends. It returns when it is ready.
func agent(t *testing.T, broker *testkit.Broker, options ...mcpbus.ClientOption) *mcpbus.Client {
	t.Helper()
	callback := testkit.Address(t)
	daprd := testkit.StartSidecar(t, testkit.SidecarOptions{
		App: proto.ChatAgent, AppAddr: callback, Broker: broker, Token: apiToken, AppToken: appToken,
	})
	dapr := sidecar.Dapr{
		Endpoint: daprd.GRPC, Token: config.NewSecret(apiToken), AppToken: config.NewSecret(appToken),
		PubSub: "pubsub", PubSubFanOut: "pubsub-fanout",
	}
	bus, err := sidecar.Dial(dapr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bus.Close)
	client := mcpbus.NewClient(bus, mcpbus.Config{Secret: config.NewSecret(busSecret), Timeout: testkit.Patience}, proto.ChatAgent, options...)
	server, err := sidecar.NewServer(sidecar.ServerOptions{
		Addr: callback, Token: dapr.AppToken, Quiet: 100 * time.Millisecond,
		Subscriptions: []sidecar.Subscription{dapr.FanOut(proto.MCPReplies, func(ctx context.Context, d sidecar.Delivery) error {
			return client.Deliver(ctx, d.Data)
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	testkit.Background(t, server.Run)
	testkit.Background(t, client.Run)
	testkit.Eventually(t, "the agent", func(ctx context.Context) (bool, any) {
		err := client.Ready(ctx)
		return err == nil, err
	})
	return client
}

// overBus is a session of the agent for one user.
func overBus(t *testing.T, agent *mcpbus.Client, user string) *mcp.ClientSession {
	t.Helper()
	session, err := agent.Connect(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// call makes a call that must be done and returns what it says.
func call(t *testing.T, session *mcp.ClientSession, tool string, arguments map[string]any) string {
	t.Helper()
	said, failed := attempt(t, session, tool, arguments)
	if failed {
		t.Fatalf("%s says %s", tool, said)
	}
	return said
}

// attempt makes a call and returns what it says, and whether that is an error.
func attempt(t *testing.T, session *mcp.ClientSession, tool string, arguments map[string]any) (said string, failed bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	if arguments == nil {
		arguments = map[string]any{}
	}
	result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	var all strings.Builder
	for _, c := range result.Content {
		if text, ok := c.(*mcp.TextContent); ok {
			all.WriteString(text.Text)
		}
	}
	return all.String(), result.IsError
}

func names(t *testing.T, session *mcp.ClientSession) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	var all []string
	for tool, err := range session.Tools(ctx, nil) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, tool.Name)
	}
	return all
}
