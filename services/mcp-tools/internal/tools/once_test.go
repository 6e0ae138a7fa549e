package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/caller"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/ledger"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/tools"
)

func TestARepeatedRequestAnswersTheSameAndDoesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client("ada", "UTC", tools.Agent)
	one := c.add(`{"title":"a"}`)
	for tool, input := range map[string]json.RawMessage{
		agenttools.AddTasks:        args(`{"tasks":[{"title":"new"},{"title":""}]}`),
		agenttools.UpdateTasks:     args(`{"tasks":[{"id":%q,"add_tags":["x"]}]}`, one.ID),
		agenttools.CompleteTasks:   args(`{"ids":[%q]}`, one.ID),
		agenttools.RescheduleTasks: args(`{"tasks":[{"id":%q,"due":"2026-12-01"}]}`, one.ID),
		agenttools.GetTasks:        args(`{"ids":["nonsense"]}`),
		agenttools.FindTasks:       args(`{"unknown":1}`),
		agenttools.DeleteTasks:     args(`{"ids":[%q]}`, one.ID),
		agenttools.AppendMessages:  args(`{"conversation_id":%q,"messages":[{"id":%q,"role":"user","text":"hello"}]}`, uuid.NewString(), uuid.NewString()),
	} {
		meta := mcp.Meta{agenttools.MetaRequest: uuid.NewString()}
		first := c.send(tool, input, meta)
		before := c.do(agenttools.FindTasks, args(`{"status":"all","limit":100}`))
		w.advance(1000)
		again := c.send(tool, input, meta)
		a, _ := json.Marshal(first)
		if b, _ := json.Marshal(again); string(a) != string(b) {
			t.Errorf("%s first answers\n%s\nand then\n%s", tool, a, b)
		}
		var old, now any
		remarshal(t, before, &old)
		remarshal(t, c.do(agenttools.FindTasks, args(`{"status":"all","limit":100}`)), &now)
		x, _ := json.Marshal(old)
		if y, _ := json.Marshal(now); string(x) != string(y) {
			t.Errorf("%s was done twice: %s and then %s", tool, x, y)
		}
	}
}

func TestARequestIDIsForOneCall(t *testing.T) {
	t.Parallel()
	c := newWorld(t).as("ada", "UTC")
	meta := mcp.Meta{agenttools.MetaRequest: uuid.NewString()}
	c.send(agenttools.AddTasks, args(`{"tasks":[{"title":"a"}]}`), meta)
	r := c.send(agenttools.AddTasks, args(`{"tasks":[{"title":"b"}]}`), meta)
	if !r.IsError || !strings.Contains(words(r), `"code":"conflict"`) || !strings.Contains(words(r), "another request id") {
		t.Errorf("another call under the same id: %s", words(r))
	}
}

func TestAnIdempotencyKeyIsForOneRequest(t *testing.T) {
	t.Parallel()
	c := newWorld(t).as("ada", "UTC")
	input := args(`{"idempotency_key":"k","tasks":[{"title":"a"},{"title":"b","due":"soon"}]}`)
	first, again := c.send(agenttools.AddTasks, input, nil), c.send(agenttools.AddTasks, input, nil)
	if first.IsError || words(first) != words(again) {
		t.Errorf("first %s\nthen %s", words(first), words(again))
	}
	f := c.fail(agenttools.AddTasks, args(`{"idempotency_key":"k","tasks":[{"title":"c"}]}`))
	if f[0].Code != "invalid" || !strings.Contains(f[0].Error, "idempotency_key was used") || !strings.Contains(f[0].TryNext, "another") {
		t.Errorf("other tasks under the same key: %+v", f)
	}
	if all := c.do(agenttools.FindTasks, args(`{}`)); len(all.Tasks) != 1 {
		t.Errorf("there are %v", titles(all.Tasks))
	}
	// What made nothing used no key.
	c.fail(agenttools.AddTasks, args(`{"idempotency_key":"l","tasks":[{"title":""}]}`))
	c.do(agenttools.AddTasks, args(`{"idempotency_key":"l","tasks":[{"title":"d"}]}`))
}

// ailing is a ledger that cannot do anything, for a reason.
type ailing struct{ err error }

func (a ailing) Do(context.Context, ledger.Call, func(context.Context, ledger.Work) (ledger.Result, error)) (ledger.Result, bool, error) {
	return ledger.Result{}, false, a.err
}

func TestWhatNobodyKnowsIsSaid(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		err  error
		says []string
	}{
		"the database is away": {errs.Because(errors.New("password=hunter2"), errs.Unavailable, "the database does not answer"), []string{"unavailable", "nobody knows whether it was done", "find_tasks"}},
		"we are at fault":      {errors.New("nil map, password=hunter2"), []string{"internal", "our side", "find_tasks"}},
		"the id was used":      {errs.New(errs.Conflict, "request 7 was used for another call"), []string{"conflict", "another request id"}},
		"what cannot be kept":  {errs.New(errs.Invalid, "request_id must be a UUID"), []string{"invalid", "request_id"}},
	} {
		server := tools.NewServer(tools.New(ailing{one.err}, nil, tools.Confirmations{Secret: config.NewSecret(secret)}), tools.Public)
		c := connect(t, server, func() caller.Caller { return caller.Caller{UserID: "ada"} })
		r := c.send(agenttools.AddTasks, args(`{"tasks":[{"title":"a"}]}`), nil)
		if !r.IsError || strings.Contains(words(r), "hunter2") {
			t.Errorf("%s: %s", name, words(r))
		}
		for _, part := range one.says {
			if !strings.Contains(words(r), part) {
				t.Errorf("%s: %s does not say %q", name, words(r), part)
			}
		}
	}
}

func TestNobodyIsRefused(t *testing.T) {
	t.Parallel()
	server := tools.NewServer(tools.New(ailing{}, nil, tools.Confirmations{Secret: config.NewSecret(secret)}), tools.Public)
	c := connect(t, server, nil)
	_, err := c.session.CallTool(t.Context(), &mcp.CallToolParams{Name: agenttools.GetProfile})
	if err == nil || !strings.Contains(err.Error(), "internal error") {
		t.Errorf("a call without a caller: %v", err)
	}
	if _, err := c.session.CallTool(t.Context(), &mcp.CallToolParams{Name: agenttools.LoadConversation}); err == nil {
		t.Error("a public client has the agent's memory")
	}
}

// loop is a bus with one server and one client on it.
type loop struct {
	server  *mcpbus.Server
	client  *mcpbus.Client
	replies atomic.Int32
}

func (l *loop) Publish(ctx context.Context, topic proto.Topic, messages []event.Message) error {
	for _, m := range messages {
		deliver := l.server.Deliver
		if topic == proto.MCPReplies {
			l.replies.Add(1)
			deliver = l.client.Deliver
		}
		if err := deliver(ctx, m.Data); err != nil {
			return err
		}
	}
	return nil
}

// recovering is a ledger that cannot tell at first, and has the answer when it is asked again.
type recovering struct{ asked atomic.Int32 }

func (r *recovering) Do(context.Context, ledger.Call, func(context.Context, ledger.Work) (ledger.Result, error)) (ledger.Result, bool, error) {
	if r.asked.Add(1) == 1 {
		return ledger.Result{}, false, errs.New(errs.Unavailable, "the database does not answer")
	}
	return ledger.Result{Outcome: ledger.Done, Answer: json.RawMessage(`{"content":[{"type":"text","text":"done"}]}`)}, true, nil
}

func TestOnTheBusNobodyIsToldThatNobodyKnows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var book recovering
		l := &loop{}
		settings := mcpbus.Config{Secret: config.NewSecret(secret)}
		l.client = mcpbus.NewClient(l, settings, "chat-agent")
		l.server = mcpbus.NewServer(mcpbus.ServerOptions{
			Bus: l, Config: settings,
			MCP: tools.NewServer(tools.New(&book, nil, tools.Confirmations{Secret: settings.Secret}), tools.Agent),
			Enter: func(ctx context.Context, r mcpbus.Request) context.Context {
				return caller.With(ctx, caller.Caller{UserID: r.UserID, ClientID: r.ClientID, RequestID: r.RequestID, Agent: true})
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.server.Run(ctx) }()
		session, err := l.client.Connect(ctx, "ada")
		if err != nil {
			t.Fatal(err)
		}
		before := l.replies.Load()
		r, err := session.CallTool(ctx, &mcp.CallToolParams{Name: agenttools.GetProfile})
		if err != nil || r.IsError || words(r) != "done" {
			t.Errorf("answered %+v, %v", r, err)
		}
		if asked, replies := book.asked.Load(), l.replies.Load()-before; asked != 2 || replies != 1 {
			t.Errorf("asked %d times, %d replies", asked, replies)
		}
		_ = session.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
