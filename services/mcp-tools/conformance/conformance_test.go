package conformance

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/process"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/app"
)

// childVariable makes this test binary mcp-tools itself.
const childVariable = "MCP_TOOLS_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		process.Main(app.Run)
	}
	os.Exit(m.Run())
}

const (
	secret   = "a secret for tests that is long enough"
	apiToken = "token of the sidecar"
	appToken = "token of the app"
	patience = 3 * time.Minute
)

func TestConformance(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	suite := install(t)
	server := begin(ctx, t)
	for _, revision := range []string{"2025-11-25", "2026-07-28"} {
		t.Run(revision, func(t *testing.T) {
			// One after the other: the suite says in each scenario how long it waits.
			said, err := suite.run(ctx, server, revision, filepath.Join("baseline", revision+".yml"), t.TempDir())
			if err != nil {
				t.Errorf("%v\n%s", err, said)
			} else {
				t.Log(said)
			}
		})
	}
	// A baseline that nothing is compared with would hide everything.
	for name, c := range map[string]struct{ revision, before, after, heading, entry string }{
		"what fails and is not listed fails the test": {
			"2025-11-25", "- resources-read-text:", "# - resources-read-text:", "Unexpected failures (not in baseline)", "resources-read-text",
		},
		"what is listed and does not fail does, too": {
			"2026-07-28", "server:", "server:\n  - tools-list:tools-list", "Stale baseline entries", "tools-list",
		},
	} {
		t.Run(name, func(t *testing.T) {
			baseline, err := os.ReadFile(filepath.Join("baseline", c.revision+".yml"))
			if err != nil {
				t.Fatal(err)
			}
			changed := filepath.Join(t.TempDir(), "baseline.yml")
			if err := os.WriteFile(changed, []byte(strings.Replace(string(baseline), c.before, c.after, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			said, err := suite.run(ctx, server, c.revision, changed, t.TempDir())
			if _, listed, found := strings.Cut(said, c.heading); err == nil || !found || !strings.Contains(listed, c.entry) {
				t.Errorf("it says %v\n%s", err, said)
			}
		})
	}
}

// begin runs mcp-tools with a database, a broker and a sidecar until the test ends, and returns the address of /mcp
// behind a proxy that adds a token.
func begin(ctx context.Context, t *testing.T) string {
	t.Helper()
	broker := testkit.StartBroker(t)
	if err := topics.Apply(ctx, []string{broker.Addr}, topics.Access{}, io.Discard); err != nil {
		t.Fatal(err)
	}
	door, callback := place(ctx, t), place(ctx, t)
	daprd := testkit.StartSidecar(t, testkit.SidecarOptions{
		App: proto.MCPTools, AppAddr: callback, Broker: broker, Token: apiToken, AppToken: appToken,
	})
	child := exec.CommandContext(ctx, os.Args[0])
	child.Env = append(os.Environ(), childVariable+"=1", "HTTP_ADDR="+door, "APP_ADDR="+callback, "APP_API_TOKEN="+appToken,
		"DAPR_GRPC_ENDPOINT="+daprd.GRPC, "DAPR_API_TOKEN="+apiToken, "DATABASE_URL="+testkit.Postgres(t),
		"JWT_SECRET="+secret, "MCP_SECRET="+secret, "LOG_LEVEL=warn")
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = child.Wait()
	}()
	t.Cleanup(func() {
		_ = child.Process.Signal(os.Interrupt)
		<-ended
	})
	ready(ctx, t, door, ended)
	return withToken(t, door) + "/mcp"
}

// withToken is the address of a proxy to addr that makes every request a user's. Host and Origin stay as the suite says.
func withToken(t *testing.T, addr string) string {
	t.Helper()
	token, err := auth.Mint(secret, "conformance", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: addr})
		r.Out.Host = r.In.Host
		r.Out.Header.Set("Authorization", "Bearer "+token)
	}})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// place is an address nobody listens on.
func place(ctx context.Context, t *testing.T) string {
	t.Helper()
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// ready waits until /readyz is green.
func ready(ctx context.Context, t *testing.T, addr string, ended <-chan struct{}) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := http.DefaultClient.Do(request); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ended:
			t.Fatal("mcp-tools ended")
		case <-ctx.Done():
			t.Fatal("mcp-tools is not ready")
		case <-tick.C:
		}
	}
}
