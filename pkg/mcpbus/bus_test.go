package mcpbus_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var settings = mcpbus.Config{Secret: config.NewSecret(strings.Repeat("k", 32)), Timeout: 25 * time.Second}

// wire is the bus between clients and servers of one process: each request goes to one of the servers, each reply to all
// clients, as the topics do it. What it does to a message on its way is the test's choice.
type wire struct {
	mu sync.Mutex
	// fate decides about a message; nil delivers every one once.
	fate    func(m event.Message) fate
	servers []*mcpbus.Server
	clients []*mcpbus.Client
	seen    map[proto.Topic][]event.Message
	// verdicts are what Deliver said, if it was an error.
	verdicts []error
	flying   int
}

// fate is what becomes of a message.
type fate struct {
	// copies is how often it is delivered; fails is what Publish says.
	copies int
	fails  error
	delay  time.Duration
	// instead replaces the data.
	instead []byte
}

var delivered = fate{copies: 1}

// lost is a message that was acknowledged and does not arrive.
var lost = fate{}

func (w *wire) Publish(ctx context.Context, topic proto.Topic, messages []event.Message) error {
	for _, m := range messages {
		if err := ctx.Err(); err != nil {
			return errs.Because(err, errs.Unavailable, "the bus did not answer")
		}
		w.mu.Lock()
		if w.seen == nil {
			w.seen = map[proto.Topic][]event.Message{}
		}
		n := len(w.seen[topic])
		w.seen[topic] = append(w.seen[topic], m)
		servers, clients, decide := slices.Clone(w.servers), slices.Clone(w.clients), w.fate
		w.mu.Unlock()
		f := delivered
		if decide != nil {
			f = decide(m)
		}
		data := m.Data
		if f.instead != nil {
			data = f.instead
		}
		for i := range f.copies {
			w.fly(1)
			go func() {
				defer w.fly(-1)
				if f.delay > 0 {
					<-time.After(f.delay)
				}
				if topic == proto.MCPRequests {
					w.hand(m, func(ctx context.Context) error { return servers[(n+i)%len(servers)].Deliver(ctx, data) })
					return
				}
				for _, c := range clients {
					w.hand(m, func(ctx context.Context) error { return c.Deliver(ctx, data) })
				}
			}()
		}
		if f.fails != nil {
			return f.fails
		}
	}
	return nil
}

// hand delivers once, and again later while the answer is that it may succeed then, as the sidecar does.
func (w *wire) hand(m event.Message, deliver func(context.Context) error) {
	for range 8 {
		ctx, cancel := context.WithTimeout(telemetry.WithTraceparent(context.Background(), m.Trace), 4*time.Second)
		err := deliver(ctx)
		cancel()
		if err == nil {
			return
		}
		w.mu.Lock()
		w.verdicts = append(w.verdicts, err)
		w.mu.Unlock()
		if event.VerdictOf(err) != event.Retry {
			return
		}
		<-time.After(1500 * time.Millisecond)
	}
}

func (w *wire) fly(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flying += n
}

// settle waits until nothing is on its way.
func (w *wire) settle() {
	for flying := 1; flying > 0; {
		// In a synctest bubble that is when everybody else waits.
		<-time.After(time.Millisecond)
		w.mu.Lock()
		flying = w.flying
		w.mu.Unlock()
	}
}

// deal changes what becomes of messages from now on.
func (w *wire) deal(decide func(m event.Message) fate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fate = decide
}

// every gives all messages the same fate.
func every(f fate) func(event.Message) fate { return func(event.Message) fate { return f } }

// first gives the first message of a sort its fate, and all others arrive.
func first(sort func(event.Message) bool, f fate) func(event.Message) fate {
	var once sync.Once
	return func(m event.Message) fate {
		its := delivered
		if sort(m) {
			once.Do(func() { its = f })
		}
		return its
	}
}

// sent are the messages that were published to a topic.
func (w *wire) sent(topic proto.Topic) []event.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seen[topic])
}

// requests are the envelopes of all calls that were published, without server/discover.
func (w *wire) requests(t testing.TB) []envelope {
	t.Helper()
	var all []envelope
	for _, m := range w.sent(proto.MCPRequests) {
		if e := open(t, m); !strings.Contains(e.Message, "server/discover") {
			all = append(all, e)
		}
	}
	return all
}

func (w *wire) said() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.verdicts)
}

// envelope is what the topics carry, by its published names.
type envelope struct {
	ClientID      string `json:"client_id"`
	RequestID     string `json:"request_id"`
	UserID        string `json:"user_id"`
	ReplyTo       string `json:"reply_to"`
	ExpiresAt     string `json:"expires_at,omitempty"`
	CorrelationID string `json:"correlation_id"`
	MAC           string `json:"mac"`
	Message       string `json:"message"`
}

func open(t testing.TB, m event.Message) envelope {
	t.Helper()
	var e envelope
	d := json.NewDecoder(bytes.NewReader(m.Data))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		t.Fatal(err)
	}
	return e
}

// callOf reports whether a message is a call of a tool, and not discovery or a cancellation.
func callOf(m event.Message) bool { return bytes.Contains(m.Data, []byte("tools/call")) }

// answerOf reports whether a message is the answer to a call of a tool, which has content.
func answerOf(m event.Message) bool { return bytes.Contains(m.Data, []byte(`\"content\"`)) }

// end is one client or server with its metrics.
type end struct {
	*prometheus.Registry
}

// count is a counter's value by its outcome.
func (e end) count(t testing.TB, metric, outcome string) int {
	t.Helper()
	families, err := e.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != metric {
			continue
		}
		for _, m := range f.GetMetric() {
			if outcome == "" || m.GetLabel()[0].GetValue() == outcome {
				if m.GetHistogram() != nil {
					return int(m.GetHistogram().GetSampleCount())
				}
				return int(m.GetCounter().GetValue())
			}
		}
	}
	t.Fatalf("no %s of %q", metric, outcome)
	return 0
}

type client struct {
	*mcpbus.Client
	end
}

type server struct {
	*mcpbus.Server
	end
}

// join adds a client to the wire.
func (w *wire) join(app string) client {
	r := prometheus.NewRegistry()
	c := client{mcpbus.NewClient(w, settings, app, mcpbus.WithMetrics(r)), end{r}}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clients = append(w.clients, c.Client)
	return c
}

// serve adds a server to the wire.
func (w *wire) serve(o mcpbus.ServerOptions) server {
	r := prometheus.NewRegistry()
	o.Bus, o.Config, o.Registry = w, settings, r
	s := server{mcpbus.NewServer(o), end{r}}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.servers = append(w.servers, s.Server)
	return s
}

// tools is a server of MCP with tools that tests control.
type tools struct {
	mu       sync.Mutex
	executed map[string]int
	// act, if set, is what the tool "act" does.
	act func(ctx context.Context, text string) (string, error)
}

type textIn struct {
	Text string `json:"text"`
}

func (t *tools) times(text string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.executed[text]
}

func (t *tools) server() *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "tools", Version: "1"}, &mcp.ServerOptions{
		Instructions: "Act.", Capabilities: &mcp.ServerCapabilities{},
	})
	t.executed = map[string]int{}
	mcp.AddTool(s, &mcp.Tool{Name: "act", Description: "acts"},
		func(ctx context.Context, _ *mcp.CallToolRequest, in textIn) (*mcp.CallToolResult, any, error) {
			t.mu.Lock()
			t.executed[in.Text]++
			t.mu.Unlock()
			text, err := "did "+in.Text, error(nil)
			if t.act != nil {
				text, err = t.act(ctx, in.Text)
			}
			if err != nil {
				return nil, nil, err
			}
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
		})
	return s
}

// connect begins a session that ends with the test.
func connect(t testing.TB, c *mcpbus.Client, user string) *mcp.ClientSession {
	t.Helper()
	s, err := c.Connect(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// act calls the tool and returns the text of its result.
func act(ctx context.Context, s *mcp.ClientSession, text, requestID string) (string, error) {
	p := &mcp.CallToolParams{Name: "act", Arguments: textIn{text}}
	if requestID != "" {
		p.Meta = mcp.Meta{mcpbus.RequestIDMeta: requestID}
	}
	r, err := s.CallTool(ctx, p)
	if err != nil {
		return "", err
	}
	return r.Content[0].(*mcp.TextContent).Text, nil
}

// direct is a bus of one client and one server that remembers nothing.
type direct struct {
	client *mcpbus.Client
	server *mcpbus.Server
}

func (d *direct) Publish(ctx context.Context, topic proto.Topic, messages []event.Message) error {
	for _, m := range messages {
		if topic == proto.MCPRequests {
			if err := d.server.Deliver(context.WithoutCancel(ctx), m.Data); err != nil {
				return err
			}
		} else if err := d.client.Deliver(ctx, m.Data); err != nil {
			return err
		}
	}
	return nil
}
