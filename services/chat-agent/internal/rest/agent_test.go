package rest_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	models "github.com/taskflow-suite/taskflow/services/chat-agent/internal/model"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/internal/offline"
)

// sunday is when recorded conversations take place.
var sunday = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// speaking is the agent itself with the offline model, for conversations to be recorded. Its tools and its state store are
// in memory: those of mcp-tools are another service's, and what all do together is tested where all services are.
func speaking(t *testing.T) (*agent.Agent, *gate) {
	t.Helper()
	g := &gate{to: offline.New(offline.Options{})}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL + "/v1")
	if err != nil {
		t.Fatal(err)
	}
	asked := models.New(models.Config{
		BaseURL: base, Model: offline.Model, Silence: patience, Timeout: patience, MaxTokens: 1000, Failures: 1000, Pause: time.Minute, RetryAfter: time.Second,
	})
	t.Cleanup(asked.Close)
	return agent.New(agent.Options{
		Connect: newKept().connect, Model: asked, State: &state{values: map[string]sidecar.Value{}}, Now: func() time.Time { return sunday },
		Limits: agent.Limits{Steps: 8, Calls: 20, Tokens: 100_000, Time: patience, Call: patience, Wait: patience},
	}), g
}

// gate is a model's server that can be shut.
type gate struct {
	to   http.Handler
	mu   sync.Mutex
	shut bool
}

func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	shut := g.shut
	g.mu.Unlock()
	if shut {
		http.Error(w, `{"error":{"message":"down"}}`, http.StatusInternalServerError)
		return
	}
	g.to.ServeHTTP(w, r)
}

// kept is an MCP server with tasks and conversations, each message a second after the one before.
type kept struct {
	mu       sync.Mutex
	tasks    []agenttools.Task
	messages map[string][]agenttools.Message
	// order has the conversations' ids, the last used last.
	order  []string
	now    time.Time
	server *mcp.Server
}

func newKept() *kept {
	k := &kept{messages: map[string][]agenttools.Message{}, now: sunday}
	k.server = mcp.NewServer(&mcp.Implementation{Name: "kept", Version: "1"}, nil)
	provide(k, agenttools.LoadConversation, k.load)
	provide(k, agenttools.AppendMessages, k.append)
	provide(k, agenttools.SearchConversations, k.search)
	provide(k, agenttools.AddTasks, k.add)
	provide(k, agenttools.FindTasks, k.find)
	provide(k, agenttools.DeleteTasks, k.delete)
	return k
}

func provide[In, Out any](k *kept, name string, do func(In) (Out, error)) {
	tool := &mcp.Tool{Name: name, Description: name, Annotations: &mcp.ToolAnnotations{ReadOnlyHint: name == agenttools.FindTasks}}
	mcp.AddTool(k.server, tool, func(_ context.Context, _ *mcp.CallToolRequest, in In) (*mcp.CallToolResult, any, error) {
		k.mu.Lock()
		defer k.mu.Unlock()
		out, err := do(in)
		return nil, out, err
	})
}

func (k *kept) connect(ctx context.Context, _ string) (*mcp.ClientSession, error) {
	ours, theirs := mcp.NewInMemoryTransports()
	if _, err := k.server.Connect(ctx, theirs, nil); err != nil {
		return nil, err
	}
	return mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, nil).Connect(ctx, ours, nil)
}

func (k *kept) load(in agenttools.LoadConversationInput) (agenttools.LoadedConversation, error) {
	all := k.messages[in.ConversationID]
	out := agenttools.LoadedConversation{ConversationID: in.ConversationID, TimeZone: "UTC", Now: k.now.Format(time.RFC3339)}
	for _, m := range all {
		if in.Run != "" && m.InReplyTo == in.Run {
			out.Answer = &m
		}
	}
	if len(all) > 0 {
		out.Title = all[0].Text
	}
	if in.Before != "" {
		at := slices.IndexFunc(all, func(m agenttools.Message) bool { return m.ID == in.Before })
		if at < 0 {
			return out, errs.New(errs.Invalid, "before must be a message of this conversation")
		}
		all = all[:at]
	}
	from := max(0, len(all)-cmp.Or(in.Limit, 30))
	out.Messages, out.More = append([]agenttools.Message{}, all[from:]...), from > 0
	return out, nil
}

func (k *kept) append(in agenttools.AppendMessagesInput) (agenttools.AppendedMessages, error) {
	id := in.ConversationID
	for _, m := range in.Messages {
		if slices.ContainsFunc(k.messages[id], func(o agenttools.Message) bool { return o.ID == m.ID }) {
			continue
		}
		k.now = k.now.Add(time.Second)
		m.CreatedAt = k.now.Format(time.RFC3339)
		k.messages[id] = append(k.messages[id], m)
		k.order = append(slices.DeleteFunc(k.order, func(o string) bool { return o == id }), id)
	}
	return agenttools.AppendedMessages{ConversationID: id, Messages: k.messages[id]}, nil
}

func (k *kept) search(in agenttools.SearchConversationsInput) (agenttools.FoundConversations, error) {
	out := agenttools.FoundConversations{TimeZone: "UTC", Conversations: []agenttools.Conversation{}}
	from, _ := strconv.Atoi(in.Cursor) // none is the first
	newest := slices.Clone(k.order)
	slices.Reverse(newest)
	for i, id := range newest[min(from, len(newest)):] {
		if i == cmp.Or(in.Limit, 10) {
			out.NextCursor = strconv.Itoa(from + i)
			break
		}
		all := k.messages[id]
		out.Conversations = append(out.Conversations, agenttools.Conversation{
			ID: id, Title: all[0].Text, Messages: len(all), StartedAt: all[0].CreatedAt, UpdatedAt: all[len(all)-1].CreatedAt,
		})
	}
	return out, nil
}

type addInput struct {
	Tasks []struct {
		Title string `json:"title"`
		Due   string `json:"due,omitempty"`
	} `json:"tasks"`
}

func (k *kept) add(in addInput) (agenttools.Tasks, error) {
	out := agenttools.Tasks{TimeZone: "UTC", Tasks: []agenttools.Task{}}
	for _, added := range in.Tasks {
		k.tasks = append(k.tasks, agenttools.Task{
			ID: fmt.Sprintf("0192f0c1-7b3e-7c2a-9d3e-%012d", 100+len(k.tasks)), Title: added.Title, Due: added.Due, Status: "open", Version: 1,
		})
		out.Tasks = append(out.Tasks, k.tasks[len(k.tasks)-1])
	}
	return out, nil
}

type findInput struct {
	Query  string `json:"query,omitempty"`
	Status string `json:"status,omitempty"`
	Limit  int    `json:"limit,omitempty"`
}

func (k *kept) find(in findInput) (agenttools.Tasks, error) {
	out := agenttools.Tasks{TimeZone: "UTC", Tasks: []agenttools.Task{}}
	for _, task := range k.tasks {
		if task.Status == "open" && strings.Contains(strings.ToLower(task.Title), strings.ToLower(in.Query)) {
			out.Tasks = append(out.Tasks, task)
		}
	}
	return out, nil
}

func (k *kept) delete(in agenttools.DeleteInput) (any, error) {
	var meant []agenttools.Task
	for i := range k.tasks {
		if slices.Contains(in.IDs, k.tasks[i].ID) {
			if in.Confirmation != "" {
				k.tasks[i].Status = "deleted"
			}
			meant = append(meant, k.tasks[i])
		}
	}
	switch in.Confirmation {
	case "":
		return agenttools.DeletePlan{TimeZone: "UTC", Plan: meant, Confirmation: "word", ExpiresAt: sunday.Add(time.Hour).Format(time.RFC3339)}, nil
	case "word":
		return agenttools.Tasks{TimeZone: "UTC", Tasks: meant}, nil
	default:
		return nil, errors.New("the confirmation is another one")
	}
}

// state is a state store in memory, where nothing runs out. The tests in package approvals run on the real one.
type state struct {
	mu     sync.Mutex
	values map[string]sidecar.Value
	tags   int
}

func (s *state) Get(_ context.Context, key string) (sidecar.Value, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, there := s.values[key]
	if !there {
		return v, errs.New(errs.NotFound, "nothing is stored")
	}
	return v, nil
}

// write stores data, nil for none, if what is stored has the tag; "" for nothing.
func (s *state) write(key, tag string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values[key].ETag != tag {
		return errs.New(errs.Stale, "something else is stored")
	}
	if s.tags++; data == nil {
		delete(s.values, key)
	} else {
		s.values[key] = sidecar.Value{Data: data, ETag: strconv.Itoa(s.tags)}
	}
	return nil
}

func (s *state) Create(_ context.Context, key string, data []byte, _ time.Duration) error {
	return s.write(key, "", data)
}

func (s *state) Replace(_ context.Context, key string, data []byte, etag string, _ time.Duration) error {
	return s.write(key, etag, data)
}

func (s *state) Delete(_ context.Context, key, etag string) error { return s.write(key, etag, nil) }
