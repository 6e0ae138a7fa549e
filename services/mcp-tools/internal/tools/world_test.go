package tools_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/caller"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/ledger"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/tools"
)

// start is a Sunday noon in New York, in standard time.
var start = time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC)

const secret = "0123456789abcdef0123456789abcdef"

// world is the tools on a database of their own, with a clock that the test moves.
type world struct {
	t     *testing.T
	url   string
	db    *postgres.DB
	clock atomic.Pointer[time.Time]
	tools *tools.Tools
	tasks *task.Service
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, url: testkit.Postgres(t)}
	w.db = testkit.OpenPostgresAt(t, w.url)
	at := start
	w.clock.Store(&at)
	w.tools = tools.New(ledger.New(w.db, w.now), w.now, tools.Confirmations{Secret: config.NewSecret(secret)})
	w.tasks = task.NewService(taskstore.New(w.db), w.now)
	return w
}

func (w *world) now() time.Time { return *w.clock.Load() }

func (w *world) advance(d time.Duration) {
	at := w.now().Add(d)
	w.clock.Store(&at)
}

// client is a user's client of the tools, which has the user's answers checked against the schemas.
type client struct {
	t       *testing.T
	session *mcp.ClientSession
	outputs map[string]*jsonschema.Resolved
}

// as is a client of a user whose zone is set to one, over the SDK's own client and server.
func (w *world) as(user, zone string) *client { return w.client(user, zone, tools.Public) }

func (w *world) client(user, zone string, a tools.Audience) *client {
	w.t.Helper()
	if _, err := w.tasks.SetTimeZone(w.t.Context(), user, 0, zone); err != nil {
		w.t.Fatal(err)
	}
	return connect(w.t, tools.NewServer(w.tools, a), func() caller.Caller {
		return caller.Caller{UserID: user, ClientID: "test", RequestID: uuid.NewString(), Agent: a == tools.Agent}
	})
}

// connect lets a client talk to a server, with what who says as the caller of each request; who is nil for none.
func connect(t *testing.T, server *mcp.Server, who func() caller.Caller) *client {
	t.Helper()
	server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, r mcp.Request) (mcp.Result, error) {
			if who == nil {
				return next(ctx, method, r)
			}
			c := who()
			if p, ok := r.GetParams().(*mcp.CallToolParamsRaw); ok {
				if id, ok := p.Meta[agenttools.MetaRequest].(string); ok {
					c.RequestID = id
				}
			}
			return next(caller.With(ctx, c), method, r)
		}
	})
	there, here := mcp.NewInMemoryTransports()
	serving, err := server.Connect(t.Context(), there, nil)
	if err != nil {
		t.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), here, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = session.Close()
		_ = serving.Wait()
	})
	c := &client{t: t, session: session, outputs: map[string]*jsonschema.Resolved{}}
	for listed, err := range session.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		var s jsonschema.Schema
		remarshal(t, listed.OutputSchema, &s)
		if c.outputs[listed.Name], err = s.Resolve(nil); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func remarshal(t testing.TB, from, to any) {
	t.Helper()
	raw, err := json.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, to); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
}

// args are a call's arguments, written as JSON with %q and the like for what is known later only.
func args(format string, values ...any) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(format, values...))
}

// send calls a tool, and checks what holds of every result.
func (c *client) send(tool string, arguments json.RawMessage, meta mcp.Meta) *mcp.CallToolResult {
	c.t.Helper()
	r, err := c.session.CallTool(c.t.Context(), &mcp.CallToolParams{Name: tool, Arguments: arguments, Meta: meta})
	if err != nil {
		c.t.Fatalf("%s %s: %v", tool, arguments, err)
	}
	if len(r.Content) != 1 {
		c.t.Fatalf("%s has %d contents", tool, len(r.Content))
	}
	if r.StructuredContent == nil {
		if !r.IsError {
			c.t.Fatalf("%s has no structured content", tool)
		}
		return r
	}
	raw, err := json.Marshal(r.StructuredContent)
	if err != nil {
		c.t.Fatal(err)
	}
	if bytes.Contains(raw, []byte(":null")) {
		c.t.Errorf("%s answers with a null: %s", tool, raw)
	}
	if err := c.outputs[tool].Validate(r.StructuredContent); err != nil {
		c.t.Errorf("%s answers %s, which its schema does not allow: %v", tool, raw, err)
	}
	if said := words(r); tool != agenttools.LoadConversation && tool != agenttools.AppendMessages {
		var again any
		if err := json.Unmarshal([]byte(said), &again); err != nil {
			c.t.Errorf("%s says %s: %v", tool, said, err)
		}
		if text, _ := json.Marshal(again); !bytes.Equal(text, raw) {
			c.t.Errorf("%s says\n%s\nbut its structured content is\n%s", tool, text, raw)
		}
	}
	return r
}

func words(r *mcp.CallToolResult) string { return r.Content[0].(*mcp.TextContent).Text }

// answered is a result of any tool.
type answered struct {
	agenttools.DeletePlan
	Tasks      []agenttools.Task `json:"tasks"`
	NextCursor string            `json:"next_cursor"`
}

// do calls a tool that must not fail as a whole.
func (c *client) do(tool string, arguments json.RawMessage) answered {
	c.t.Helper()
	r := c.send(tool, arguments, nil)
	if r.IsError {
		c.t.Fatalf("%s %s: %s", tool, arguments, words(r))
	}
	var a answered
	remarshal(c.t, r.StructuredContent, &a)
	return a
}

// fail calls a tool of which nothing may be done. It returns the failures of the items, if there are any, or else the
// refusal of the whole.
func (c *client) fail(tool string, arguments json.RawMessage) []agenttools.Failure {
	c.t.Helper()
	r := c.send(tool, arguments, nil)
	if !r.IsError {
		c.t.Fatalf("%s %s was done: %s", tool, arguments, words(r))
	}
	var said struct {
		agenttools.Failure
		Failures []agenttools.Failure `json:"failures"`
		Tasks    []agenttools.Task    `json:"tasks"`
	}
	if err := json.Unmarshal([]byte(words(r)), &said); err != nil {
		c.t.Fatalf("%s says %s: %v", tool, words(r), err)
	}
	if len(said.Tasks) > 0 {
		c.t.Errorf("%s is an error and was done: %s", tool, words(r))
	}
	failures := said.Failures
	if len(failures) == 0 {
		failures = []agenttools.Failure{said.Failure}
	}
	for _, f := range failures {
		if f.Code == "" || f.Error == "" || f.TryNext == "" || len([]rune(f.Error)) > 301 {
			c.t.Errorf("%s fails without saying enough, or with too much: %+v", tool, f)
		}
	}
	return failures
}

// add makes a task from the fields of one item.
func (c *client) add(item string) agenttools.Task {
	c.t.Helper()
	made := c.do(agenttools.AddTasks, args(`{"tasks":[%s]}`, item))
	if len(made.Tasks) != 1 {
		c.t.Fatalf("%s made %d tasks", item, len(made.Tasks))
	}
	return made.Tasks[0]
}

func (c *client) get(id string) agenttools.Task {
	c.t.Helper()
	return c.do(agenttools.GetTasks, args(`{"ids":[%q]}`, id)).Tasks[0]
}

func titles(tasks []agenttools.Task) []string {
	all := []string{}
	for _, t := range tasks {
		all = append(all, t.Title)
	}
	return all
}
