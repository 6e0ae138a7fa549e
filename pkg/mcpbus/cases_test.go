package mcpbus_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
)

func TestTheSDKsClientSeesTheSameServerOverPubSubAndOverHTTP(t *testing.T) {
	t.Parallel()
	t.Run("pub/sub", func(t *testing.T) {
		t.Parallel()
		cases(t, func(t *testing.T, tools *tools) *mcp.ClientSession {
			w := &wire{}
			w.serve(mcpbus.ServerOptions{MCP: tools.server()})
			t.Cleanup(w.settle)
			return connect(t, w.join("chat-agent").Client, "u1")
		})
	})
	t.Run("Streamable HTTP", func(t *testing.T) {
		t.Parallel()
		cases(t, func(t *testing.T, tools *tools) *mcp.ClientSession {
			s := tools.server()
			h := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s },
				&mcp.StreamableHTTPOptions{Stateless: true, PropagateRequestCancellation: true}))
			t.Cleanup(h.Close)
			own := &http.Client{Transport: &http.Transport{}}
			t.Cleanup(own.CloseIdleConnections)
			c := mcp.NewClient(&mcp.Implementation{Name: "any", Version: "1"}, &mcp.ClientOptions{Capabilities: &mcp.ClientCapabilities{}})
			session, err := c.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: h.URL, HTTPClient: own, DisableStandaloneSSE: true}, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = session.Close() })
			return session
		})
	})
}

// cases are what an agent may expect of a server, whichever way leads to it.
func cases(t *testing.T, session func(t *testing.T, tools *tools) *mcp.ClientSession) {
	for name, check := range map[string]func(t *testing.T, tools *tools){
		"the server introduces itself": func(t *testing.T, tools *tools) {
			got := session(t, tools).InitializeResult()
			if got.ProtocolVersion != "2026-07-28" || got.ServerInfo.Name != "tools" || got.Instructions != "Act." {
				t.Errorf("introduced as %+v", got)
			}
		},
		"it lists its tools": func(t *testing.T, tools *tools) {
			got, err := session(t, tools).ListTools(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Tools) != 1 || got.Tools[0].Name != "act" || got.Tools[0].InputSchema == nil {
				t.Errorf("listed %+v", got.Tools)
			}
		},
		"a call has its result, whatever is in it": func(t *testing.T, tools *tools) {
			s := session(t, tools)
			for _, text := range []string{
				"plain", "", "<b>&\u2028 \"quoted\" \\ \x00 ümläüt 🥛 日本", strings.Repeat("long ", 20_000), "9007199254740993 1.0 1e400",
			} {
				if got, err := act(t.Context(), s, text, ""); err != nil || got != "did "+text {
					t.Errorf("%.40q was answered with %.40q, %v", text, got, err)
				}
			}
		},
		"a tool that fails says so in its result": func(t *testing.T, tools *tools) {
			tools.act = func(context.Context, string) (string, error) { return "", errors.New("no milk left") }
			got, err := session(t, tools).CallTool(t.Context(), &mcp.CallToolParams{Name: "act", Arguments: textIn{"x"}})
			if err != nil {
				t.Fatal(err)
			}
			if !got.IsError || got.Content[0].(*mcp.TextContent).Text != "no milk left" {
				t.Errorf("answered %+v", got)
			}
		},
		"arguments that do not fit are the call's failure": func(t *testing.T, tools *tools) {
			got, err := session(t, tools).CallTool(t.Context(), &mcp.CallToolParams{Name: "act", Arguments: map[string]any{"text": 7}})
			if err != nil || !got.IsError {
				t.Errorf("answered %+v, %v", got, err)
			}
		},
		"an unknown tool is an error of the protocol": func(t *testing.T, tools *tools) {
			s := session(t, tools)
			_, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "nothing"})
			if wire, ok := errors.AsType[*jsonrpc.Error](err); !ok || wire.Code != jsonrpc.CodeInvalidParams {
				t.Errorf("answered %v", err)
			}
			if _, err := act(t.Context(), s, "next", ""); err != nil {
				t.Errorf("the next call says %v", err)
			}
		},
		"many calls at once have each their own result": func(t *testing.T, tools *tools) {
			s := session(t, tools)
			var calls sync.WaitGroup
			for i := range 50 {
				calls.Go(func() {
					text := fmt.Sprint("call ", i)
					if got, err := act(t.Context(), s, text, ""); err != nil || got != "did "+text {
						t.Errorf("%s was answered with %q, %v", text, got, err)
					}
				})
			}
			calls.Wait()
		},
		"a call that is cancelled ends at both ends": func(t *testing.T, tools *tools) {
			began, ended := make(chan struct{}), make(chan error, 1)
			tools.act = func(ctx context.Context, text string) (string, error) {
				if text != "wait" {
					return text, nil
				}
				close(began)
				select {
				case <-ctx.Done():
				case <-time.After(patience):
				}
				ended <- ctx.Err()
				return "", ctx.Err()
			}
			s := session(t, tools)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-began
				cancel()
			}()
			if _, err := act(ctx, s, "wait", ""); !errors.Is(err, context.Canceled) {
				t.Errorf("the caller is told %v", err)
			}
			if err := next(t, ended, "the end of the tool"); !errors.Is(err, context.Canceled) {
				t.Errorf("the tool is told %v", err)
			}
			if _, err := act(t.Context(), s, "next", ""); err != nil {
				t.Errorf("the next call says %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, &tools{})
		})
	}
}

// patience is for what takes milliseconds on an idle machine.
const patience = 60 * time.Second

// next waits for a value.
func next[T any](t testing.TB, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not come within %v", what, patience)
		panic("unreachable")
	}
}
