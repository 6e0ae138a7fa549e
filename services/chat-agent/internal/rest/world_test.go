package rest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/config"
	house "github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/rest"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/internal/contract/contracttest"
)

const (
	secret = "a secret of more than thirty-two bytes, for tests"
	// patience is for what takes milliseconds on an idle machine.
	patience = 30 * time.Second
)

// record holds every answer against the specification and remembers which statuses were shown.
var record = contracttest.NewRecorder(rest.GetSwagger)

// TestMain fails if a documented status was shown by no test, provided that all tests ran.
func TestMain(m *testing.M) { record.Main(m) }

// script is an agent.Chat that does what a test says: the agent is another room, and what the door promises must hold
// whatever an agent does.
type script struct {
	say           func(context.Context, agent.Request, func(agent.Event)) (agent.Answer, error)
	decide        func(ctx context.Context, userID, id string, approve bool, see func(agent.Event)) (agent.Answer, error)
	conversations func(userID string, in agenttools.SearchConversationsInput) (agenttools.FoundConversations, error)
	messages      func(userID string, in agenttools.LoadConversationInput) (agenttools.LoadedConversation, error)
}

func (s script) Say(ctx context.Context, r agent.Request, see func(agent.Event)) (agent.Answer, error) {
	if s.say == nil {
		return answerTo(r), nil
	}
	return s.say(ctx, r, see)
}

func (s script) Decide(ctx context.Context, userID, id string, approve bool, see func(agent.Event)) (agent.Answer, error) {
	if s.decide == nil {
		return answerTo(agent.Request{MessageID: id}), nil
	}
	return s.decide(ctx, userID, id, approve, see)
}

func (s script) Conversations(_ context.Context, userID string, in agenttools.SearchConversationsInput) (agenttools.FoundConversations, error) {
	if s.conversations == nil {
		return agenttools.FoundConversations{TimeZone: "UTC"}, nil
	}
	return s.conversations(userID, in)
}

func (s script) Messages(_ context.Context, userID string, in agenttools.LoadConversationInput) (agenttools.LoadedConversation, error) {
	if s.messages == nil {
		return agenttools.LoadedConversation{ConversationID: in.ConversationID, TimeZone: "UTC"}, nil
	}
	return s.messages(userID, in)
}

// failing fails every call.
func failing(err error) script {
	return script{
		say: func(context.Context, agent.Request, func(agent.Event)) (agent.Answer, error) {
			return agent.Answer{}, err
		},
		decide: func(context.Context, string, string, bool, func(agent.Event)) (agent.Answer, error) {
			return agent.Answer{}, err
		},
		conversations: func(string, agenttools.SearchConversationsInput) (agenttools.FoundConversations, error) {
			return agenttools.FoundConversations{}, err
		},
		messages: func(string, agenttools.LoadConversationInput) (agenttools.LoadedConversation, error) {
			return agenttools.LoadedConversation{}, err
		},
	}
}

const (
	someID       = "0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e"
	conversation = "0192f0c1-7b3e-7c2a-9d3e-000000000001"
	answered     = "0192f0c1-7b3e-7c2a-9d3e-000000000003"
)

var model = agent.Model{Name: "taskflow-offline", Offline: true}

func answerTo(r agent.Request) agent.Answer {
	return agent.Answer{ConversationID: conversation, MessageID: r.MessageID, AnswerID: answered, Response: "You said: " + r.Text, Model: model}
}

func beginning(r agent.Request) agent.Began {
	return agent.Began{ConversationID: conversation, MessageID: r.MessageID, AnswerID: answered, Model: model}
}

// world is the door behind a real listener.
type world struct {
	server   *rest.Server
	http     *httptest.Server
	registry *prometheus.Registry
	// stop ends the door's Run; stopped has what it returned.
	stop    context.CancelFunc
	stopped chan error
}

type settings struct {
	house house.Config
	// withoutChatKit leaves ChatKit's door closed.
	withoutChatKit bool
	rest.Options
}

func open(t testing.TB, s settings) *world {
	t.Helper()
	verifier, err := auth.New(auth.Config{Secret: config.NewSecret(secret)})
	if err != nil {
		t.Fatal(err)
	}
	if s.house.Rate == 0 {
		s.house.Rate, s.house.Burst = 1_000_000, 1_000_000
	}
	if s.Limits.Rate == 0 {
		s.Limits.Rate, s.Limits.Burst = 1_000_000, 1_000_000
	}
	if s.Limits.Runs == 0 {
		s.Limits.Runs = 100
	}
	if s.Chat == nil {
		s.Chat = script{}
	}
	s.house.BodyLimit, s.ChatKit = rest.MaxBody, !s.withoutChatKit
	w := &world{server: rest.New(s.Options), registry: prometheus.NewRegistry(), stopped: make(chan error, 1)}
	w.registry.MustRegister(w.server.Collectors()...)
	e := house.New(house.Options{Config: s.house, Untimed: rest.Untimed(), Registry: w.registry})
	if err := w.server.Register(e, house.RequireUser(verifier), house.RateLimit(s.house.Rate, s.house.Burst)); err != nil {
		t.Fatal(err)
	}
	w.http = httptest.NewServer(e)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	go func() { w.stopped <- w.server.Run(ctx) }()
	w.stop = stop
	t.Cleanup(func() {
		w.http.Close()
		stop()
	})
	return w
}

// user is somebody with a token.
type user struct {
	*world
	t     testing.TB
	id    string
	token string
}

func (w *world) user(t testing.TB) user {
	t.Helper()
	return w.named(t, "user-"+uuid.NewString())
}

func (w *world) named(t testing.TB, id string) user {
	t.Helper()
	token, err := auth.Mint(secret, id, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return user{w, t, id, token}
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

// request makes a request to the user's own path. Headers are name, value pairs; an empty value takes the header away.
func (u user) request(ctx context.Context, method, path, body string, headers ...string) *http.Request {
	u.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, u.http.URL+path, content)
	if err != nil {
		u.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+u.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return r
}

func (u user) send(method, path, body string, headers ...string) answer {
	u.t.Helper()
	return u.sendTo("/api/"+u.id+path, method, body, headers...)
}

func (u user) sendTo(path, method, body string, headers ...string) answer {
	u.t.Helper()
	r := u.request(u.t.Context(), method, path, body, headers...)
	response, err := u.http.Client().Do(r)
	if err != nil {
		u.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		u.t.Fatal(err)
	}
	record.See(u.t, r, response, raw)
	return answer{response.StatusCode, response.Header, raw}
}

// say says something and returns the whole answer, however it comes.
func (u user) say(text string, headers ...string) answer {
	u.t.Helper()
	return u.send("POST", "/chat", `{"message":"`+text+`"}`, headers...)
}

// stream says something and returns what comes while it comes, and the client's way out.
func (u user) stream(text string) (*http.Response, context.CancelFunc) {
	u.t.Helper()
	ctx, leave := context.WithTimeout(u.t.Context(), patience)
	u.t.Cleanup(leave)
	response, err := u.http.Client().Do(u.request(ctx, "POST", "/api/"+u.id+"/chat", `{"message":"`+text+`"}`, "Accept", "text/event-stream"))
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() { response.Body.Close() })
	return response, leave
}

// want ends the test unless the answer has the status.
func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

func decode[T any](t testing.TB, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	return v
}

// problem is what a problem says in one line: its detail, or its wrong fields.
func problem(t testing.TB, a answer) string {
	t.Helper()
	p := decode[rest.Problem](t, a)
	if a.header.Get("Content-Type") != "application/problem+json" || p.Status != a.status || p.Detail == "" || p.CorrelationID == nil {
		t.Errorf("not a whole problem: %s %s", a.header.Get("Content-Type"), a.body)
	}
	if p.Errors == nil {
		return p.Detail
	}
	var fields []string
	for _, f := range *p.Errors {
		fields = append(fields, f.Field+" "+f.Message)
	}
	return strings.Join(fields, "; ")
}

// signal is something that happens once and is waited for.
type signal struct {
	once sync.Once
	c    chan struct{}
}

func newSignal() *signal { return &signal{c: make(chan struct{})} }

func (s *signal) give() { s.once.Do(func() { close(s.c) }) }

func (s *signal) wait(t testing.TB, what string) {
	t.Helper()
	select {
	case <-s.c:
	case <-time.After(patience):
		t.Fatalf("%s: never", what)
	}
}
