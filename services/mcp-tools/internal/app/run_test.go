package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// everybody are the tools of every client, memory those of the agent alone.
var (
	everybody = []string{
		agenttools.AddTasks, agenttools.FindTasks, agenttools.GetTasks, agenttools.UpdateTasks, agenttools.CompleteTasks,
		agenttools.ReopenTasks, agenttools.RescheduleTasks, agenttools.DeleteTasks, agenttools.RestoreTasks,
		agenttools.PreviewRecurrence, agenttools.GetOverview, agenttools.GetProfile,
	}
	memory = []string{agenttools.LoadConversation, agenttools.AppendMessages, agenttools.SearchConversations}
)

func sorted(lists ...[]string) []string { return slices.Sorted(slices.Values(slices.Concat(lists...))) }

func titled(title string) map[string]any {
	return map[string]any{"tasks": []any{map[string]any{"title": title}}}
}

// Through sidecars and broker there and back, with every part real.
func TestTheAgentHasAllToolsAndEachUserTheirOwnTasks(t *testing.T) {
	t.Parallel()
	broker, database := testkit.StartBrokerWithTopics(t), testkit.Postgres(t)
	r := start(t, broker, database, nil)
	bus := agent(t, broker)
	ann, bob := overBus(t, bus, "ann"), overBus(t, bus, "bob")

	if got := names(t, ann); !slices.Equal(sorted(got), sorted(everybody, memory)) {
		t.Errorf("the tools are %v", got)
	}
	call(t, ann, agenttools.AddTasks, titled("Buy milk"))
	if said := call(t, ann, agenttools.FindTasks, nil); !strings.Contains(said, "Buy milk") {
		t.Errorf("ann finds %s", said)
	}
	if said := call(t, bob, agenttools.FindTasks, nil); strings.Contains(said, "Buy milk") {
		t.Errorf("bob finds %s", said)
	}
	conversation := uuid.NewString()
	call(t, ann, agenttools.AppendMessages, map[string]any{"conversation_id": conversation, "messages": []any{
		map[string]any{"id": uuid.NewString(), "role": "user", "text": "remember the giraffe"},
	}})
	find := map[string]any{"query": "giraffe"}
	if said := call(t, ann, agenttools.SearchConversations, find); !strings.Contains(said, conversation) {
		t.Errorf("ann remembers %s", said)
	}
	if said := call(t, bob, agenttools.SearchConversations, find); strings.Contains(said, conversation) {
		t.Errorf("bob remembers %s", said)
	}

	// The same tasks stand behind the other door, without the agent's memory.
	outside := overHTTP(t, "http://"+r.addr, "ann")
	if got := names(t, outside); !slices.Equal(sorted(got), sorted(everybody)) {
		t.Errorf("outside, the tools are %v", got)
	}
	if said := call(t, outside, agenttools.FindTasks, nil); !strings.Contains(said, "Buy milk") {
		t.Errorf("outside, ann finds %s", said)
	}
	if said := call(t, overHTTP(t, "http://"+r.addr, "bob"), agenttools.FindTasks, nil); strings.Contains(said, "Buy milk") {
		t.Errorf("outside, bob finds %s", said)
	}
	if _, err := outside.CallTool(t.Context(), &mcp.CallToolParams{Name: agenttools.SearchConversations, Arguments: find}); err == nil {
		t.Error("outside, ann has the agent's memory")
	}

	// What was done was announced.
	for name, topic := range map[string]proto.Topic{
		proto.TaskCreated.Name: proto.Tasks, proto.ToolInvoked.Name: proto.Conversations, proto.MessageAdded.Name: proto.Conversations,
	} {
		broker.Told(topic, 1, name+" of ann", func(r topics.Record) bool {
			return r.Event.Type == name && r.Key == "ann" && r.Source == proto.MCPTools
		})
	}
}

func TestAUserWhoseAgentCallsTooOftenIsToldSoAndNothingIsDone(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBrokerWithTopics(t)
	start(t, broker, testkit.Postgres(t), map[string]string{"RATE_LIMIT": "1", "RATE_BURST": "3"})
	bus := agent(t, broker)
	ann := overBus(t, bus, "ann")
	refused, done := "", 0
	for i := range 20 { // a round trip takes milliseconds, a new turn a second
		said, failed := attempt(t, ann, agenttools.AddTasks, titled(fmt.Sprint("task ", i)))
		if failed {
			refused = said
			break
		}
		done++
	}
	var why struct {
		Code, Error string
		TryNext     string `json:"try_next"`
	}
	if err := json.Unmarshal([]byte(refused), &why); err != nil || why.Code != "rate_limited" || why.Error == "" || !strings.Contains(why.TryNext, "Wait ") {
		t.Fatalf("it says %q: %v", refused, err)
	}
	if said := call(t, overBus(t, bus, "bob"), agenttools.GetProfile, nil); said == "" {
		t.Error("nothing for somebody else")
	}
	testkit.Eventually(t, "ann's next turn", func(context.Context) (bool, any) {
		said, failed := attempt(t, ann, agenttools.FindTasks, nil)
		if failed {
			return false, said
		}
		var found agenttools.Tasks
		if err := json.Unmarshal([]byte(said), &found); err != nil || len(found.Tasks) != done {
			t.Errorf("%d tasks were added, and there are %s, %v", done, said, err)
		}
		return true, nil
	})
}

func TestRequestsThatMayNotComeInOverHTTPDoNot(t *testing.T) {
	t.Parallel()
	database := testkit.Postgres(t)
	r := start(t, nil, database, map[string]string{"HTTP_BODY_LIMIT": "5000", "RATE_LIMIT": "1", "RATE_BURST": "5", "PUBLIC_URL": "https://tasks.example"})
	const list = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	for name, c := range map[string]struct {
		method, body  string
		user          string
		header, value string
		status        int
	}{
		"with a token, and without a sidecar": {"POST", list, "ann", "X-None", "", 200},
		"to the public address":               {"POST", list, "bea", "Host", "tasks.example", 200},
		"from a page of the public address":   {"POST", list, "cid", "Origin", "https://tasks.example", 200},
		"without a token":                     {"POST", list, "", "X-None", "", 401},
		"by the cookie":                       {"POST", list, "", "Cookie", "taskflow_token=" + token(t, "ann"), 401},
		"to another host":                     {"POST", list, "dan", "Host", "evil.example", 403},
		"from a page of another origin":       {"POST", list, "eva", "Origin", "https://evil.example", 403},
		"to listen":                           {"GET", "", "fay", "Accept", "text/event-stream", 405},
		"with more than is taken":             {"POST", list + strings.Repeat(" ", 5000), "gus", "X-None", "", 413},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}}
			header.Set(c.header, c.value)
			if c.user != "" {
				header.Set("Authorization", "Bearer "+token(t, c.user))
			}
			if status, body := ask(t, c.method, "http://"+r.addr+"/mcp", bytes.NewReader([]byte(c.body)), header); status != c.status {
				t.Errorf("got %d %s", status, body)
			}
		})
	}
	t.Run("too often", func(t *testing.T) {
		t.Parallel()
		header := http.Header{
			"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, "Authorization": {"Bearer " + token(t, "zoe")},
		}
		for range 40 {
			if status, _ := ask(t, "POST", "http://"+r.addr+"/mcp", strings.NewReader(list), header); status == 429 {
				return
			}
		}
		t.Error("nobody is stopped")
	})
	t.Run("and the rest is shown", func(t *testing.T) {
		t.Parallel()
		_, body := testkit.Get(t.Context(), t, "http://"+r.addr+"/readyz")
		for _, check := range []string{`"database"`, `"tokens"`, `"outbox"`, `"sidecar"`, `"degraded":true`} {
			if !strings.Contains(body, check) {
				t.Errorf("%s is not in %s", check, body)
			}
		}
		status, body := testkit.Get(t.Context(), t, "http://"+r.addr+"/.well-known/oauth-protected-resource/mcp")
		if status != 200 || !strings.Contains(body, `"https://tasks.example/mcp"`) {
			t.Errorf("the metadata is %d %s", status, body)
		}
	})
}

// No request needs the replica that answered the one before.
func TestTwoReplicasAnswerOneClientByTurns(t *testing.T) {
	t.Parallel()
	database := testkit.Postgres(t)
	replicas := []*replica{start(t, nil, database, nil), start(t, nil, database, nil)}
	var requests atomic.Int64
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: replicas[requests.Add(1)%2].addr})
		r.SetXForwarded()
	}})
	t.Cleanup(proxy.Close)
	session := overHTTP(t, proxy.URL, "ann")
	for i := range 6 {
		call(t, session, agenttools.AddTasks, titled(fmt.Sprint("task ", i)))
		var found agenttools.Tasks
		if err := json.Unmarshal([]byte(call(t, session, agenttools.FindTasks, nil)), &found); err != nil || len(found.Tasks) != i+1 {
			t.Errorf("after %d there are %+v, %v", i+1, found, err)
		}
		requests.Add(1) // so that either does both
	}
	if requests.Load() < 12 {
		t.Errorf("only %d requests came through", requests.Load())
	}
}
