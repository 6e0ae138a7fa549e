package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/model"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}

const (
	patience = 60 * time.Second
	user     = "u1"
	// confirmation must never reach the model, the events or an answer.
	confirmation = "CONFIRMATION-TOKEN"
)

// tools stands for the other service: an MCP server with tools that keep state and execute each request id once.
type tools struct {
	mu       sync.Mutex
	tasks    []agenttools.Task
	messages map[string][]agenttools.Message // by conversation
	calls    map[string][]agenttools.Call    // by run
	answers  map[string]*mcp.CallToolResult  // by request id
	// executed are the request ids and tools in the order of their execution; each id once.
	executed []executed
	// before, if set, is asked before a call is executed, and after before its answer leaves. Both run without the lock.
	before, after func(ctx context.Context, tool string) error
	server        *mcp.Server
}

type executed struct {
	id, tool, run string
	arguments     string
}

type newTask struct {
	Title string   `json:"title"`
	Due   string   `json:"due,omitempty"`
	Tags  []string `json:"tags,omitempty"`
}

type addInput struct {
	Tasks []newTask `json:"tasks"`
}

type idsInput struct {
	IDs []string `json:"ids"`
}

type completeInput struct {
	IDs  []string `json:"ids"`
	Skip bool     `json:"skip,omitempty"`
}

type findInput struct {
	Query string `json:"query,omitempty"`
}

type change struct {
	ID    string `json:"id"`
	Title string `json:"title,omitempty"`
}

type updateInput struct {
	Tasks []change `json:"tasks"`
}

func newTools(titles ...string) *tools {
	s := &tools{messages: map[string][]agenttools.Message{}, calls: map[string][]agenttools.Call{}, answers: map[string]*mcp.CallToolResult{}}
	for _, title := range titles {
		s.tasks = append(s.tasks, agenttools.Task{ID: uuid.NewString(), Title: title, Status: "open", Version: 1})
	}
	s.server = mcp.NewServer(&mcp.Implementation{Name: "tools", Version: "1"}, &mcp.ServerOptions{Capabilities: &mcp.ServerCapabilities{}})
	register(s, agenttools.FindTasks, true, func(_ mcp.Meta, in findInput) (agenttools.Tasks, error) {
		out := agenttools.Tasks{TimeZone: "UTC", Tasks: []agenttools.Task{}}
		for _, t := range s.tasks {
			if t.Status != "deleted" && strings.Contains(strings.ToLower(t.Title), strings.ToLower(in.Query)) {
				out.Tasks = append(out.Tasks, t)
			}
		}
		return out, nil
	})
	register(s, agenttools.GetTasks, true, func(_ mcp.Meta, in idsInput) (agenttools.Tasks, error) { return s.each(in.IDs, nil) })
	register(s, agenttools.AddTasks, false, func(_ mcp.Meta, in addInput) (agenttools.Tasks, error) {
		out := agenttools.Tasks{TimeZone: "UTC", Tasks: []agenttools.Task{}}
		for i, t := range in.Tasks {
			if t.Title == "" {
				out.Failures = append(out.Failures, agenttools.Failure{Item: strconv.Itoa(i), Code: "invalid", Error: "the title is empty", TryNext: "give a title"})
				continue
			}
			task := agenttools.Task{ID: uuid.NewString(), Title: t.Title, Due: t.Due, Status: "open", Version: 1}
			s.tasks = append(s.tasks, task)
			out.Tasks = append(out.Tasks, task)
		}
		return out, nil
	})
	register(s, agenttools.UpdateTasks, false, func(_ mcp.Meta, in updateInput) (agenttools.Tasks, error) {
		titles := map[string]string{}
		var ids []string
		for _, c := range in.Tasks {
			titles[c.ID] = c.Title
			ids = append(ids, c.ID)
		}
		return s.each(ids, func(t *agenttools.Task) { t.Title = titles[t.ID] })
	})
	register(s, agenttools.CompleteTasks, false, func(_ mcp.Meta, in completeInput) (agenttools.Tasks, error) {
		status := "completed"
		if in.Skip {
			status = "skipped"
		}
		return s.each(in.IDs, func(t *agenttools.Task) { t.Status = status })
	})
	register(s, agenttools.RestoreTasks, false, func(_ mcp.Meta, in idsInput) (agenttools.Tasks, error) {
		return s.each(in.IDs, func(t *agenttools.Task) { t.Status = "open" })
	})
	register(s, agenttools.DeleteTasks, false, func(_ mcp.Meta, in agenttools.DeleteInput) (map[string]any, error) {
		if in.Confirmation == "" {
			plan, _ := s.each(in.IDs, nil)
			var ends []string
			for _, t := range plan.Tasks {
				if t.SeriesID != "" {
					ends = append(ends, t.ID)
				}
			}
			return object(agenttools.DeletePlan{TimeZone: "UTC", Plan: plan.Tasks, EndsSeries: ends, Failures: plan.Failures, Confirmation: confirmation + "|" + strings.Join(in.IDs, ","), ExpiresAt: time.Now().Add(time.Hour).Format(time.RFC3339)}), nil
		}
		if in.Confirmation != confirmation+"|"+strings.Join(in.IDs, ",") {
			return nil, errors.New("the confirmation is not for these tasks")
		}
		deleted, err := s.each(in.IDs, func(t *agenttools.Task) { t.Status = "deleted" })
		return object(deleted), err
	})
	register(s, "wipe_everything", false, func(mcp.Meta, struct{}) (agenttools.Tasks, error) {
		s.tasks = nil
		return agenttools.Tasks{Tasks: []agenttools.Task{}}, nil
	})
	register(s, agenttools.SearchConversations, true, func(_ mcp.Meta, in agenttools.SearchConversationsInput) (agenttools.FoundConversations, error) {
		out := agenttools.FoundConversations{TimeZone: "UTC", Conversations: []agenttools.Conversation{}}
		for id, all := range s.messages {
			for _, m := range all {
				if strings.Contains(m.Text, in.Query) {
					out.Conversations = append(out.Conversations, agenttools.Conversation{ID: id, Title: all[0].Text, Messages: len(all), Snippet: m.Text, MessageID: m.ID})
					break
				}
			}
		}
		return out, nil
	})
	register(s, agenttools.LoadConversation, true, func(_ mcp.Meta, in agenttools.LoadConversationInput) (agenttools.LoadedConversation, error) {
		all := s.messages[in.ConversationID]
		out := agenttools.LoadedConversation{
			ConversationID: in.ConversationID, Messages: slices.Clone(all[max(0, len(all)-max(1, in.Limit)):]), TimeZone: "Asia/Karachi",
			Now: time.Date(2026, 12, 1, 9, 0, 0, 0, time.FixedZone("", 5*3600)).Format(time.RFC3339),
		}
		if out.Messages == nil {
			out.Messages = []agenttools.Message{}
		}
		for _, m := range all {
			if m.InReplyTo == in.Run && in.Run != "" {
				out.Answer = &m
			}
		}
		out.Calls = slices.Clone(s.calls[in.Run])
		return out, nil
	})
	register(s, agenttools.AppendMessages, false, func(_ mcp.Meta, in agenttools.AppendMessagesInput) (agenttools.AppendedMessages, error) {
		out := agenttools.AppendedMessages{ConversationID: in.ConversationID, Messages: []agenttools.Message{}}
		for _, m := range in.Messages {
			at := slices.IndexFunc(s.messages[in.ConversationID], func(k agenttools.Message) bool { return k.ID == m.ID })
			if at < 0 {
				at = len(s.messages[in.ConversationID])
				s.messages[in.ConversationID] = append(s.messages[in.ConversationID], m)
			} else if s.messages[in.ConversationID][at].Text != m.Text {
				return out, errs.New(errs.Conflict, "there is another message of this id")
			}
			out.Messages = append(out.Messages, s.messages[in.ConversationID][at])
		}
		return out, nil
	})
	return s
}

func codeOf(err error) string {
	if errs.Is(err, errs.Conflict) {
		return "conflict"
	}
	return "not_found"
}

func object(v any) map[string]any {
	var o map[string]any
	data, _ := json.Marshal(v)
	_ = json.Unmarshal(data, &o)
	return o
}

// each finds tasks and changes them. The lock is held.
func (s *tools) each(ids []string, change func(*agenttools.Task)) (agenttools.Tasks, error) {
	out := agenttools.Tasks{TimeZone: "UTC", Tasks: []agenttools.Task{}}
	for _, id := range ids {
		at := slices.IndexFunc(s.tasks, func(t agenttools.Task) bool { return t.ID == id })
		if at < 0 {
			out.Failures = append(out.Failures, agenttools.Failure{Item: id, Code: "not_found", Error: "there is no such task", TryNext: "find_tasks"})
			continue
		}
		if change != nil {
			change(&s.tasks[at])
			s.tasks[at].Version++
		}
		out.Tasks = append(out.Tasks, s.tasks[at])
	}
	if len(out.Tasks) == 0 && len(ids) > 0 {
		return out, errors.New("there is no such task; look with find_tasks")
	}
	return out, nil
}

// register adds a tool that executes each request id once, as the ledger does.
func register[In, Out any](s *tools, name string, readOnly bool, fn func(mcp.Meta, In) (Out, error)) {
	t := &mcp.Tool{Name: name, Description: name, Annotations: &mcp.ToolAnnotations{ReadOnlyHint: readOnly}}
	mcp.AddTool(s.server, t, func(ctx context.Context, req *mcp.CallToolRequest, in In) (*mcp.CallToolResult, any, error) {
		meta := req.Params.Meta
		id, _ := meta[agenttools.MetaRequest].(string)
		if id == "" {
			id = uuid.NewString()
		}
		if s.before != nil {
			if err := s.before(ctx, name); err != nil {
				return nil, nil, err
			}
		}
		answer := s.once(id, name, meta, req.Params.Arguments, func() (any, error) { return fn(meta, in) })
		if s.after != nil {
			if err := s.after(ctx, name); err != nil {
				return nil, nil, err
			}
		}
		return answer, nil, nil
	})
}

func (s *tools) once(id, name string, meta mcp.Meta, arguments json.RawMessage, fn func() (any, error)) *mcp.CallToolResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	if answer, there := s.answers[id]; there {
		return answer
	}
	out, err := fn()
	answer := &mcp.CallToolResult{}
	var text string
	outcome := "done"
	if err != nil {
		refusal, _ := json.Marshal(map[string]string{"code": codeOf(err), "error": err.Error(), "try_next": "find_tasks"})
		text, outcome = string(refusal), "failed"
		answer.IsError = true
	} else {
		data, _ := json.Marshal(out)
		text = string(data)
		answer.StructuredContent = out
	}
	answer.Content = []mcp.Content{&mcp.TextContent{Text: text}}
	s.answers[id] = answer
	run, _ := meta[agenttools.MetaRun].(string)
	var input map[string]any
	_ = json.Unmarshal(arguments, &input)
	delete(input, "confirmation")
	if run != "" {
		s.calls[run] = append(s.calls[run], agenttools.Call{RequestID: id, Tool: name, Arguments: input, Outcome: outcome, Result: text[:min(len(text), 8<<10)]})
	}
	data, _ := json.Marshal(input)
	s.executed = append(s.executed, executed{id, name, run, string(data)})
	return answer
}

// changes are the calls that were executed and change tasks, by name. A deletion's plan is none.
func (s *tools) changes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, e := range s.executed {
		switch e.tool {
		case agenttools.FindTasks, agenttools.GetTasks, agenttools.SearchConversations, agenttools.LoadConversation, agenttools.AppendMessages:
		default:
			names = append(names, e.tool)
		}
	}
	return names
}

// state is the tasks as one comparable text.
func (s *tools) state() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, t := range s.tasks {
		all = append(all, t.Title+":"+t.Status)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func (s *tools) id(title string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tasks {
		if t.Title == title {
			return t.ID
		}
	}
	return "none"
}

func (s *tools) history(conversation string) []agenttools.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages[conversation])
}

// connect begins a session, as mcpbus does.
func (s *tools) connect(ctx context.Context, _ string) (*mcp.ClientSession, error) {
	ours, theirs := mcp.NewInMemoryTransports()
	if _, err := s.server.Connect(ctx, theirs, nil); err != nil {
		return nil, err
	}
	return mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, nil).Connect(ctx, ours, nil)
}

// asked is what the model was asked.
type asked struct {
	Messages []struct {
		Role, Content string
		ToolCalls     []struct {
			ID       string
			Function struct{ Name, Arguments string }
		} `json:"tool_calls"`
		ToolCallID string `json:"tool_call_id"`
	}
	Tools []struct {
		Function struct {
			Name       string
			Parameters map[string]any
		}
	}
	Stream bool
}

// step counts the questions since the last message of the user, from 0.
func (a asked) step() int {
	n := 0
	for _, m := range slices.Backward(a.Messages) {
		if m.Role == "user" {
			break
		}
		if m.Role == "assistant" {
			n++
		}
	}
	return n
}

func (a asked) said() string {
	for _, m := range slices.Backward(a.Messages) {
		if m.Role == "user" {
			return m.Content
		}
	}
	return ""
}

// results are what the tools of this run answered.
func (a asked) results() string {
	text := ""
	for _, m := range a.Messages {
		if m.Role == "tool" {
			text += m.Content + "\n"
		}
	}
	return text
}

// says is what the model answers: a text, calls, or something else altogether.
type says struct {
	text  string
	calls []call
	end   string
	raw   http.HandlerFunc
}

type call struct{ name, arguments string }

func calls(name string, arguments any) says {
	data, err := json.Marshal(arguments)
	if err != nil {
		panic(err)
	}
	return says{calls: []call{{name, string(data)}}}
}

func text(t string) says { return says{text: t} }

func ids(all ...string) map[string]any { return map[string]any{"ids": all} }

func (s says) write(w http.ResponseWriter, r *http.Request, stream bool) {
	if s.raw != nil {
		s.raw(w, r)
		return
	}
	end := s.end
	if end == "" {
		end = "stop"
		if len(s.calls) > 0 {
			end = "tool_calls"
		}
	}
	var toolCalls []map[string]any
	for i, c := range s.calls {
		toolCalls = append(toolCalls, map[string]any{"index": i, "id": "same-id", "type": "function", "function": map[string]any{"name": c.name, "arguments": c.arguments}})
		if stream {
			toolCalls[i]["id"] = fmt.Sprint("id-", i)
		}
	}
	usage := map[string]any{"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
	if !stream {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"usage": usage, "choices": []any{map[string]any{
			"finish_reason": end, "message": map[string]any{"role": "assistant", "content": s.text, "tool_calls": toolCalls},
		}}})
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(v any) {
		data, _ := json.Marshal(v)
		_, _ = fmt.Fprintf(w, "data: %s\n\n", data)
		w.(http.Flusher).Flush()
	}
	piece := func(delta map[string]any, end any) map[string]any {
		return map[string]any{"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": end}}}
	}
	for word := range strings.SplitAfterSeq(s.text, " ") {
		send(piece(map[string]any{"content": word}, nil))
	}
	for _, c := range toolCalls {
		send(piece(map[string]any{"tool_calls": []any{c}}, nil))
	}
	send(piece(map[string]any{}, end))
	send(map[string]any{"choices": []any{}, "usage": usage})
	_, _ = io.WriteString(w, "data: [DONE]\n\n")
}

// intentOf answers the question about the intent as an honest model does, by the user's own words.
func intentOf(message string) string {
	message = strings.ToLower(message)
	wants := "talk"
	for _, known := range []struct{ word, intent string }{
		{"add", "create"}, {"delete", "delete"}, {"complete", "toggle"}, {"rename", "update"}, {"restore", "delete"}, {"list", "read"}, {"what", "read"},
	} {
		if strings.Contains(message, known.word) {
			wants += ", " + known.intent
		}
	}
	return wants
}

// world is an agent with a model that follows a script, tools and a state store.
type world struct {
	*agent.Agent
	t      *testing.T
	tools  *tools
	state  *memory
	model  *model.Client
	limits agent.Limits

	mu    sync.Mutex
	asked []asked
}

type setup struct {
	titles []string
	tools  *tools
	script func(a asked) says
	intent func(message string) says
	edit   func(*model.Config, *agent.Limits)
}

func begin(t *testing.T, s setup) *world {
	t.Helper()
	w := &world{t: t, tools: s.tools, state: &memory{values: map[string]stored{}}}
	if w.tools == nil {
		w.tools = newTools(s.titles...)
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var a asked
		// The whole of it, because a server that has more to read does not see its client go.
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return // who asked has gone
		}
		if err := json.Unmarshal(data, &a); err != nil {
			t.Errorf("the model cannot read the question: %v", err)
			return
		}
		if a.Messages[0].Content == agenttools.IntentPrompt {
			if len(a.Messages) != 2 || len(a.Tools) != 0 {
				t.Errorf("the question about the intent has more than the message: %+v", a)
			}
			answer := text(intentOf(a.Messages[1].Content))
			if s.intent != nil {
				answer = s.intent(a.Messages[1].Content)
			}
			answer.write(rw, r, a.Stream)
			return
		}
		w.check(a)
		w.mu.Lock()
		w.asked = append(w.asked, a)
		w.mu.Unlock()
		s.script(a).write(rw, r, a.Stream)
	}))
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL + "/v1")
	if err != nil {
		t.Fatal(err)
	}
	settings := model.Config{
		BaseURL: base, Model: "scripted", Silence: 20 * time.Second, Timeout: 40 * time.Second, MaxTokens: 1000, Failures: 1000,
		Pause: time.Minute, RetryAfter: time.Second,
	}
	w.limits = agent.Limits{Steps: 8, Calls: 20, Tokens: 100_000, Time: 50 * time.Second, Call: 30 * time.Second, Wait: 30 * time.Second}
	if s.edit != nil {
		s.edit(&settings, &w.limits)
	}
	w.model = model.New(settings)
	t.Cleanup(w.model.Close)
	w.Agent = w.another()
	return w
}

// another is another replica of the agent.
func (w *world) another() *agent.Agent {
	return agent.New(agent.Options{Connect: w.tools.connect, Model: w.model, State: w.state, Limits: w.limits})
}

// check holds what must be true of every question.
func (w *world) check(a asked) {
	open := map[string]bool{}
	for i, m := range a.Messages {
		if i == 0 {
			if m.Role != "system" || !strings.Contains(m.Content, "\nCurrent time: 2026-12-01T09:00:00+05:00, Tuesday, time zone Asia/Karachi") {
				w.t.Errorf("the prompt does not say what time it is: %s", m.Content)
			}
			if _, ok := agenttools.ParseNowLine(m.Content); !ok {
				w.t.Error("the time in the prompt cannot be parsed")
			}
		}
		if strings.Contains(m.Content, confirmation) {
			w.t.Errorf("the model is shown the confirmation: %s", m.Content)
		}
		if m.Role == "tool" {
			if !open[m.ToolCallID] {
				w.t.Errorf("a result answers no call: %+v", m)
			}
			delete(open, m.ToolCallID)
			continue
		}
		if len(open) > 0 {
			w.t.Errorf("calls are not answered: %v", open)
		}
		for _, c := range m.ToolCalls {
			if open[c.ID] {
				w.t.Errorf("two calls have the id %s", c.ID)
			}
			open[c.ID] = true
			if !json.Valid([]byte(c.Function.Arguments)) {
				w.t.Errorf("the history has broken arguments: %s", c.Function.Arguments)
			}
		}
	}
	for _, t := range a.Tools {
		if t.Function.Name == agenttools.LoadConversation || t.Function.Name == agenttools.AppendMessages {
			w.t.Errorf("the model may call %s", t.Function.Name)
		}
		if t.Function.Name == agenttools.DeleteTasks {
			properties, _ := t.Function.Parameters["properties"].(map[string]any)
			if properties["confirmation"] != nil || properties["ids"] == nil {
				w.t.Errorf("the schema of delete_tasks is %v", t.Function.Parameters)
			}
		}
	}
}

func (w *world) context() context.Context {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	w.t.Cleanup(cancel)
	return ctx
}

// conversation is a new one.
func conversation() string { return uuid.NewString() }

// say says something and checks what must be true of every answer.
func (w *world) say(conversation, what string) agent.Answer {
	w.t.Helper()
	answer, err := w.Say(w.context(), agent.Request{UserID: user, ConversationID: conversation, Text: what}, nil)
	if err != nil {
		w.t.Fatalf("%q: %v", what, err)
	}
	w.whole(conversation)
	if strings.Contains(fmt.Sprintf("%+v", answer), confirmation) {
		w.t.Errorf("the answer shows the confirmation: %+v", answer)
	}
	return answer
}

// whole checks a history: every message of the user has at most one answer, every answer its message.
func (w *world) whole(conversation string) {
	w.t.Helper()
	answers := map[string]int{}
	said := map[string]bool{}
	for _, m := range w.tools.history(conversation) {
		switch {
		case m.Role == "user":
			said[m.ID] = true
		case !said[m.InReplyTo]:
			w.t.Errorf("an answer without a question: %+v", m)
		default:
			answers[m.InReplyTo]++
		}
		if m.Text == "" {
			w.t.Errorf("an empty message: %+v", m)
		}
	}
	for id, n := range answers {
		if n > 1 {
			w.t.Errorf("message %s has %d answers", id, n)
		}
	}
}

func outcomes(a agent.Answer) string {
	var all []string
	for _, r := range a.ToolCalls {
		all = append(all, r.Tool+" "+r.Outcome)
	}
	return strings.Join(all, ", ")
}

// memory is a state store in memory with the contract of sidecar.State. The tests in package approvals run on the real one.
type memory struct {
	mu     sync.Mutex
	values map[string]stored
	tags   int
	down   bool
}

type stored struct {
	data []byte
	tag  string
	ends time.Time
}

func (m *memory) lock(key string) (stored, bool, func(), error) {
	m.mu.Lock()
	if m.down {
		m.mu.Unlock()
		return stored{}, false, nil, errs.New(errs.Unavailable, "the state store does not answer")
	}
	v, there := m.values[key]
	return v, there && time.Now().Before(v.ends), m.mu.Unlock, nil
}

func (m *memory) Get(_ context.Context, key string) (sidecar.Value, error) {
	v, there, unlock, err := m.lock(key)
	if err != nil {
		return sidecar.Value{}, err
	}
	defer unlock()
	if !there {
		return sidecar.Value{}, errs.New(errs.NotFound, "nothing is stored")
	}
	return sidecar.Value{Data: v.data, ETag: v.tag}, nil
}

func (m *memory) Create(_ context.Context, key string, data []byte, ttl time.Duration) error {
	_, there, unlock, err := m.lock(key)
	if err != nil {
		return err
	}
	defer unlock()
	if there {
		return errs.New(errs.Stale, "something is stored")
	}
	m.tags++
	m.values[key] = stored{data, strconv.Itoa(m.tags), time.Now().Add(ttl)}
	return nil
}

func (m *memory) Replace(_ context.Context, key string, data []byte, etag string, ttl time.Duration) error {
	v, there, unlock, err := m.lock(key)
	if err != nil {
		return err
	}
	defer unlock()
	if !there || v.tag != etag {
		return errs.New(errs.Stale, "it has been changed")
	}
	m.tags++
	m.values[key] = stored{data, strconv.Itoa(m.tags), time.Now().Add(ttl)}
	return nil
}

func (m *memory) Delete(_ context.Context, key, etag string) error {
	v, there, unlock, err := m.lock(key)
	if err != nil {
		return err
	}
	defer unlock()
	if !there || v.tag != etag {
		return errs.New(errs.Stale, "it has been changed")
	}
	delete(m.values, key)
	return nil
}
