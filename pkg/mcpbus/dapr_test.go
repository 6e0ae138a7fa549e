package mcpbus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
)

// book stands for the ledger behind the tools, which all replicas of the server share: it executes a request once and
// answers each repetition from what it wrote down. The real one does it in a transaction of Postgres.
type book struct {
	mu       sync.Mutex
	written  map[string]string
	executed map[string]int
	asked    int
}

func (b *book) do(request, text string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	if answer, ok := b.written[request]; ok {
		return answer
	}
	b.executed[text]++
	b.written[request] = "did " + text
	return b.written[request]
}

func newBook() *book { return &book{written: map[string]string{}, executed: map[string]int{}} }

// process is one replica of a service with its sidecar.
type process struct {
	*sidecar.Client
	daprd *testkit.Sidecar
	// stops end what runs in it, the last first.
	stops []func() error
}

// stop ends the replica as Kubernetes does: the service first.
func (p *process) stop(t testing.TB) {
	t.Helper()
	p.end(t)
	p.daprd.Stop()
}

// kill ends the sidecar without warning, and what is left with it.
func (p *process) kill(t testing.TB) {
	t.Helper()
	p.daprd.Kill()
	p.end(t)
}

func (p *process) end(t testing.TB) {
	t.Helper()
	for _, stop := range slices.Backward(p.stops) {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
	p.stops = nil
	p.Close()
}

// begin runs a replica of app whose subscription is made by wire.
func begin(t testing.TB, b *testkit.Broker, app string, wire func(p *process, d sidecar.Dapr) sidecar.Subscription) *process {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	token, appToken := "token of the sidecar", "token of the app"
	p := &process{daprd: testkit.StartSidecar(t, testkit.SidecarOptions{
		App: app, AppAddr: l.Addr().String(), Broker: b, Token: token, AppToken: appToken,
	})}
	d := sidecar.Dapr{
		Endpoint: p.daprd.GRPC, Token: config.NewSecret(token), AppToken: config.NewSecret(appToken),
		PubSub: "pubsub", PubSubFanOut: "pubsub-fanout",
	}
	if p.Client, err = sidecar.Dial(d); err != nil {
		t.Fatal(err)
	}
	server, err := sidecar.NewServer(sidecar.ServerOptions{
		Addr: l.Addr().String(), Token: d.AppToken, Subscriptions: []sidecar.Subscription{wire(p, d)}, Quiet: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.run(func(ctx context.Context) error { return server.Serve(ctx, l) })
	t.Cleanup(func() { p.end(t) })
	return p
}

// run runs f until the replica ends.
func (p *process) run(f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	p.stops = append(p.stops, func() error {
		cancel()
		return <-done
	})
}

func toolsReplica(t testing.TB, b *testkit.Broker, ledger *book) *process {
	t.Helper()
	var server *mcpbus.Server
	type asked struct{}
	p := begin(t, b, proto.MCPTools, func(p *process, d sidecar.Dapr) sidecar.Subscription {
		tools := &tools{act: func(ctx context.Context, text string) (string, error) {
			return ledger.do(ctx.Value(asked{}).(mcpbus.Request).RequestID, text), nil
		}}
		server = mcpbus.NewServer(mcpbus.ServerOptions{
			Bus: p.Client, Config: settings, MCP: tools.server(),
			Enter: func(ctx context.Context, r mcpbus.Request) context.Context { return context.WithValue(ctx, asked{}, r) },
		})
		return d.Work(proto.MCPTools, proto.MCPRequests, func(ctx context.Context, m sidecar.Delivery) error {
			return server.Deliver(ctx, m.Data)
		})
	})
	p.run(server.Run)
	return p
}

// agent is a replica of the client.
type agent struct {
	*process
	end
	mcp *mcpbus.Client
	// alive ends when the replica does, and all its calls with it.
	alive context.Context
	dies  context.CancelFunc
}

func agentReplica(t testing.TB, b *testkit.Broker) *agent {
	t.Helper()
	a := &agent{end: end{prometheus.NewRegistry()}}
	a.alive, a.dies = context.WithCancel(context.Background())
	t.Cleanup(a.dies)
	patient := settings
	patient.Timeout = patience
	a.process = begin(t, b, proto.ChatAgent, func(p *process, d sidecar.Dapr) sidecar.Subscription {
		a.mcp = mcpbus.NewClient(p.Client, patient, proto.ChatAgent, mcpbus.WithMetrics(a.Registry))
		return d.FanOut(proto.MCPReplies, func(ctx context.Context, m sidecar.Delivery) error { return a.mcp.Deliver(ctx, m.Data) })
	})
	a.run(a.mcp.Run)
	eventually(t, "an answer from the tools", a.mcp.Ready)
	return a
}

// eventually waits until ask gives no error.
func eventually(t testing.TB, what string, ask func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: still %v after %v", what, err, patience)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func broker(t testing.TB) *testkit.Broker {
	t.Helper()
	b := testkit.StartBroker(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := topics.Apply(ctx, []string{b.Addr}, topics.Access{}, io.Discard); err != nil {
		t.Fatal(err)
	}
	return b
}

// fleet is the agents that are there.
type fleet struct {
	mu     sync.Mutex
	agents []*agent
}

func (f *fleet) pick(n int) *agent {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.agents[n%len(f.agents)]
}

func (f *fleet) join(a *agent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.agents = append(f.agents, a)
}

func (f *fleet) leave(a *agent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.agents = slices.DeleteFunc(f.agents, func(other *agent) bool { return other == a })
}

// call makes a call for as long as the replica lives, and the test.
func (a *agent) call(t testing.TB, user, text, id string) (string, error) {
	ctx, cancel := context.WithCancel(a.alive)
	defer cancel()
	defer context.AfterFunc(t.Context(), cancel)()
	s, err := a.mcp.Connect(ctx, user)
	if err != nil {
		return "", err
	}
	defer s.Close()
	return act(ctx, s, text, id)
}

// insist makes a call until it is answered, on another replica with the same id when one dies, as a run that is repeated
// does.
func (f *fleet) insist(t testing.TB, user, text string, n int) (string, error) {
	id := uuid.NewString()
	end := time.Now().Add(2 * patience)
	for try := 0; ; try++ {
		a := f.pick(n + try)
		got, err := a.call(t, user, text, id)
		if err == nil || time.Now().After(end) || t.Context().Err() != nil || a.alive.Err() == nil && !errors.Is(err, mcpbus.ErrNoAnswer) {
			return got, err
		}
		t.Logf("call %s goes to another replica: %v", text, err)
	}
}

// settled waits until the two replicas of the tools share the work, one of them new since before, and returns who they are.
// The embedded broker takes 20 s to expel a member that dies in the moment in which it joins, nearly as long as a call waits;
// so nobody here dies before the group has settled.
func settled(t *testing.T, b *testkit.Broker, before []string) (members []string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	eventually(t, "two replicas share the work", func(ctx context.Context) error {
		groups, err := kadm.NewClient(client).DescribeGroups(ctx, proto.MCPTools)
		if err != nil {
			return err
		}
		group := groups[proto.MCPTools]
		members = nil
		joined := before == nil
		for _, m := range group.Members {
			members = append(members, m.MemberID)
			joined = joined || !slices.Contains(before, m.MemberID)
		}
		if group.State != "Stable" || len(members) != 2 || !joined {
			return fmt.Errorf("the group is %s with %d members", group.State, len(members))
		}
		return nil
	})
	return members
}

func TestReplicasComeAndGoWithoutALostOrDoubledCall(t *testing.T) {
	t.Parallel()
	const callers, calls = 12, 1800
	b, ledger := broker(t), newBook()
	first, second := toolsReplica(t, b, ledger), toolsReplica(t, b, ledger)
	fleet := &fleet{}
	leaves := agentReplica(t, b)
	fleet.join(leaves)
	fleet.join(agentReplica(t, b))

	var next, answered atomic.Int64
	var load sync.WaitGroup
	t.Cleanup(load.Wait)
	for range callers {
		load.Go(func() {
			for {
				n := int(next.Add(1))
				if n > calls || t.Context().Err() != nil {
					return
				}
				text := fmt.Sprint("call ", n)
				got, err := fleet.insist(t, fmt.Sprint("user ", n%40), text, n)
				if err != nil || got != "did "+text {
					t.Errorf("%s was answered with %q, %v", text, got, err)
				}
				answered.Add(1)
			}
		})
	}
	after := func(n int64) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d answers", n), func(context.Context) error {
			if got := answered.Load(); got < n {
				return fmt.Errorf("%d answers", got)
			}
			return nil
		})
	}
	members := settled(t, b, nil)
	after(100)
	first.kill(t)
	toolsReplica(t, b, ledger)
	members = settled(t, b, members)
	after(300)
	fleet.leave(leaves)
	leaves.dies()
	leaves.kill(t)
	fleet.join(agentReplica(t, b))
	after(500)
	second.stop(t)
	toolsReplica(t, b, ledger)
	settled(t, b, members)
	after(calls)
	load.Wait()

	ledger.mu.Lock()
	defer ledger.mu.Unlock()
	for n := 1; n <= calls; n++ {
		if times := ledger.executed[fmt.Sprint("call ", n)]; times != 1 {
			t.Errorf("call %d was executed %d times", n, times)
		}
	}
	t.Logf("%d calls reached the ledger %d times", calls, ledger.asked)
}

func TestCallsOutliveABrokerThatGoesAwayForSeconds(t *testing.T) {
	t.Parallel()
	b, ledger := broker(t), newBook()
	toolsReplica(t, b, ledger)
	a := agentReplica(t, b)
	s := connect(t, a.mcp, "u1")

	var took []time.Duration
	for i := range 200 {
		began := time.Now()
		if _, err := act(t.Context(), s, fmt.Sprint("before ", i), ""); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	t.Logf("200 calls one after the other: p50 %v, p99 %v", took[100].Round(10*time.Microsecond), took[198].Round(10*time.Microsecond))

	b.Kill()
	answers := make(chan error, 5)
	for i := range 5 {
		go func() {
			got, err := act(t.Context(), s, fmt.Sprint("meanwhile ", i), uuid.NewString())
			if err == nil && got != fmt.Sprint("did meanwhile ", i) {
				err = fmt.Errorf("answered %q", got)
			}
			answers <- err
		}()
	}
	eventually(t, "a second attempt of every call", func(context.Context) error {
		if n := a.count(t, "taskflow_mcp_requests_resent_total", ""); n < 5 {
			return fmt.Errorf("%d", n)
		}
		return nil
	})
	b.Start()
	for range 5 {
		if err := next(t, answers, "an answer"); err != nil {
			t.Error(err)
		}
	}
	ledger.mu.Lock()
	defer ledger.mu.Unlock()
	for i := range 5 {
		if n := ledger.executed[fmt.Sprint("meanwhile ", i)]; n != 1 {
			t.Errorf("call %d was executed %d times", i, n)
		}
	}
}

func TestAnyTextSurvivesTheSidecars(t *testing.T) {
	t.Parallel()
	b := broker(t)
	toolsReplica(t, b, newBook())
	s := connect(t, agentReplica(t, b).mcp, "zoé+1@example.org")
	for _, text := range []string{
		"", "<b>&\u2028 \"quoted\" \\ \x00 ümläüt 🥛 日本", "9007199254740993 1.0 1e400", "\xff no UTF-8",
	} {
		r, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "act", Arguments: map[string]any{"text": text}})
		if err != nil {
			t.Errorf("%q says %v", text, err)
			continue
		}
		if got := r.Content[0].(*mcp.TextContent).Text; got != "did "+string([]rune(text)) {
			t.Errorf("%q was answered with %q", text, got)
		}
	}
	// Numbers beyond a float64, which the sidecars would round if they could see them.
	_, err := s.CallTool(t.Context(), &mcp.CallToolParams{
		Name: "act", Arguments: textIn{"x"}, Meta: mcp.Meta{"n": 9007199254740993, "f": 1.0},
	})
	if err != nil {
		t.Errorf("large numbers say %v", err)
	}
}
