package mcpbus_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/proto"
)

// pair is a client, a server and its tools on a wire, in time that synctest makes.
type pair struct {
	*wire
	client client
	server server
	tools  *tools
}

func isolated(t *testing.T, check func(t *testing.T, p *pair)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &pair{wire: &wire{}, tools: &tools{}}
		p.server = p.serve(mcpbus.ServerOptions{MCP: p.tools.server(), Concurrency: 4})
		p.client = p.join("chat-agent")
		check(t, p)
		p.settle()
	})
}

const requestID = "0192f7a0-0000-7000-8000-000000000001"

func TestWhatIsLostOnTheWayIsSentAgainWithTheSameID(t *testing.T) {
	t.Parallel()
	unavailable := errs.New(errs.Unavailable, "no broker")
	for name, c := range map[string]struct {
		sort     func(event.Message) bool
		fate     fate
		executed int
	}{
		"the request": {callOf, lost, 1},
		// The second execution is what the ledger answers.
		"the reply":                         {answerOf, lost, 2},
		"a request the bus does not take":   {callOf, fate{fails: unavailable}, 1},
		"a request the bus took after all":  {callOf, fate{copies: 1, fails: unavailable}, 1},
		"a reply the bus does not take":     {answerOf, fate{fails: unavailable}, 1},
		"a reply that is no JSON":           {answerOf, fate{copies: 1, instead: []byte("{")}, 2},
		"a request that comes much later":   {callOf, fate{copies: 1, delay: 3 * time.Second}, 2},
		"a request that comes twice":        {callOf, fate{copies: 2}, 1},
		"a reply that comes twice":          {answerOf, fate{copies: 2}, 1},
		"a reply that comes after the next": {answerOf, fate{copies: 1, delay: 10 * time.Second}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			isolated(t, func(t *testing.T, p *pair) {
				p.deal(first(c.sort, c.fate))
				p.tools.act = func(ctx context.Context, text string) (string, error) {
					select { // so that a repetition comes while it runs
					case <-time.After(10 * time.Millisecond):
					case <-ctx.Done():
					}
					return "did " + text, nil
				}
				s := connect(t, p.client.Client, "u1")
				if got, err := act(t.Context(), s, "x", requestID); err != nil || got != "did x" {
					t.Fatalf("answered %q, %v", got, err)
				}
				p.settle()
				if n := p.tools.times("x"); n != c.executed {
					t.Errorf("executed %d times, want %d", n, c.executed)
				}
				for _, e := range p.requests(t) {
					if e.RequestID != requestID {
						t.Errorf("sent as %s", e.RequestID)
					}
				}
				if got, err := act(t.Context(), s, "y", ""); err != nil || got != "did y" {
					t.Errorf("the next call is answered with %q, %v", got, err)
				}
			})
		})
	}
}

func TestARepetitionOfARequestThatRunsIsDroppedAndAfterwardsGoesThrough(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		release := make(chan struct{})
		p.tools.act = func(context.Context, string) (string, error) {
			<-release
			return "done", nil
		}
		s := connect(t, p.client.Client, "u1")
		answers := make(chan error, 1)
		go func() {
			_, err := act(t.Context(), s, "x", requestID)
			answers <- err
		}()
		<-time.After(12 * time.Second)
		if n, repeated := p.tools.times("x"), p.server.count(t, "taskflow_mcp_requests_total", "repeated"); n != 1 || repeated < 2 {
			t.Errorf("executed %d times, %d repetitions", n, repeated)
		}
		close(release)
		if err := <-answers; err != nil {
			t.Error(err)
		}
		if _, err := act(t.Context(), s, "x", requestID); err != nil || p.tools.times("x") != 2 {
			t.Errorf("used again, the id is executed %d times: %v", p.tools.times("x"), err)
		}
	})
}

func TestACallThatIsNeverAnsweredEndsWithItsDeadline(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		deadline, want time.Duration
		fate           fate
	}{
		"the caller's":                   {3 * time.Second, 3 * time.Second, lost},
		"the caller's, longer than ours": {time.Minute, time.Minute, lost},
		"ours":                           {0, 25 * time.Second, lost},
		"ours, without a broker":         {0, 25 * time.Second, fate{fails: errs.New(errs.Unavailable, "no broker")}},
		"ours, when the caller's is far": {time.Hour, 5 * time.Minute, lost},
	} {
		t.Run(name, func(t *testing.T) {
			isolated(t, func(t *testing.T, p *pair) {
				s := connect(t, p.client.Client, "u1")
				p.deal(every(c.fate))
				ctx := t.Context()
				if c.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.deadline)
					defer cancel()
				}
				began := time.Now()
				_, err := act(ctx, s, "x", "")
				if !errors.Is(err, mcpbus.ErrNoAnswer) || !errs.Is(err, errs.Unavailable) {
					t.Errorf("the caller is told %v", err)
				}
				if took := time.Since(began); took != c.want {
					t.Errorf("told after %v, want %v", took, c.want)
				}
				p.deal(nil)
				if _, err := act(t.Context(), s, "y", ""); err != nil {
					t.Errorf("the next call says %v", err)
				}
				if n := p.client.count(t, "taskflow_mcp_call_seconds", "no_answer"); n != 1 {
					t.Errorf("%d calls are counted without answer", n)
				}
			})
		})
	}
}

func TestAServerThatCannotBeDiscoveredIsOneDeadlineAndNotTwo(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		p.deal(every(lost))
		began := time.Now()
		if _, err := p.client.Connect(t.Context(), "u1"); !errors.Is(err, mcpbus.ErrNoAnswer) || !errs.Is(err, errs.Unavailable) {
			t.Errorf("the caller is told %v", err)
		}
		if took := time.Since(began); took != 25*time.Second {
			t.Errorf("told after %v", took)
		}
		if _, err := p.client.Connect(t.Context(), ""); !errs.Is(err, errs.Invalid) {
			t.Errorf("a session of nobody says %v", err)
		}
	})
}

func TestTheServerIsDiscoveredOnceForAllSessions(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		for i := range 20 {
			s := connect(t, p.client.Client, fmt.Sprint("u", i))
			if got := s.InitializeResult().ServerInfo.Name; got != "tools" {
				t.Fatalf("connected to %q", got)
			}
		}
		if n := len(p.sent(proto.MCPRequests)); n != 1 {
			t.Errorf("%d requests were sent", n)
		}
	})
}

func TestWhatHasExpiredIsNotExecuted(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		s := connect(t, p.client.Client, "u1")
		p.deal(every(fate{copies: 1, delay: 4 * time.Second}))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if _, err := act(ctx, s, "x", ""); !errors.Is(err, mcpbus.ErrNoAnswer) {
			t.Errorf("the caller is told %v", err)
		}
		p.settle()
		if n := p.tools.times("x"); n != 0 {
			t.Errorf("executed %d times", n)
		}
		if n := p.server.count(t, "taskflow_mcp_requests_total", "expired"); n != 2 {
			t.Errorf("%d requests are counted as expired, want the first and its repetition", n)
		}
	})
}

func TestTheToolsTimeIsTheRequestsAndNotTheDeliverys(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		s := connect(t, p.client.Client, "u1")
		ended := make(chan time.Duration, 1)
		p.tools.act = func(ctx context.Context, _ string) (string, error) {
			began := time.Now()
			if at, ok := ctx.Deadline(); !ok || at.Sub(began) != 7*time.Second {
				t.Errorf("the tool's deadline is %v, %v", at, ok)
			}
			<-ctx.Done()
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				t.Errorf("the tool is told %v", ctx.Err())
			}
			ended <- time.Since(began)
			<-time.After(time.Millisecond)
			return "late", nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		if _, err := act(ctx, s, "x", ""); !errors.Is(err, mcpbus.ErrNoAnswer) {
			t.Errorf("the caller is told %v", err)
		}
		if took := <-ended; took != 7*time.Second {
			t.Errorf("the tool ended after %v", took)
		}
	})
}

func TestACallerThatGoesAwayEndsTheTool(t *testing.T) {
	t.Parallel()
	for name, closes := range map[string]bool{"and keeps its session": false, "and closes its session at once": true} {
		t.Run(name, func(t *testing.T) {
			isolated(t, func(t *testing.T, p *pair) {
				s, err := p.client.Connect(t.Context(), "u1")
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				p.tools.act = func(ctx context.Context, _ string) (string, error) {
					cancel()
					<-ctx.Done()
					ended <- ctx.Err()
					return "", ctx.Err()
				}
				if _, err := act(ctx, s, "x", requestID); !errors.Is(err, context.Canceled) {
					t.Errorf("the caller is told %v", err)
				}
				if closes {
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				}
				if err := <-ended; !errors.Is(err, context.Canceled) {
					t.Errorf("the tool is told %v", err)
				}
				synctest.Wait()
				if n := p.server.count(t, "taskflow_mcp_requests_total", "cancelled"); n != 1 {
					t.Errorf("%d requests are counted as cancelled", n)
				}
				if n := p.client.count(t, "taskflow_mcp_call_seconds", "cancelled"); n != 1 {
					t.Errorf("%d calls are counted as cancelled", n)
				}
				if n := len(p.sent(proto.MCPReplies)); n != 1 {
					t.Errorf("%d replies were sent, want that of the discovery", n)
				}
				_ = s.Close()
			})
		})
	}
}

func TestACancellationThatOvertakesItsRequestKeepsItFromRunning(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		s := connect(t, p.client.Client, "u1")
		p.deal(first(callOf, fate{copies: 1, delay: time.Second}))
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		if _, err := act(ctx, s, "x", requestID); !errors.Is(err, context.Canceled) {
			t.Errorf("the caller is told %v", err)
		}
		p.settle()
		if n := p.tools.times("x"); n != 0 {
			t.Errorf("executed %d times", n)
		}
		// Whoever asks for the same again means it.
		if _, err := act(t.Context(), s, "x", requestID); err != nil || p.tools.times("x") != 1 {
			t.Errorf("asked for again, executed %d times: %v", p.tools.times("x"), err)
		}
	})
}

func TestAnAnswerThatMustNotLeaveIsAskedForAgain(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		s := connect(t, p.client.Client, "u1")
		p.tools.act = func(ctx context.Context, text string) (string, error) {
			if p.tools.times(text) > 2 {
				return "did " + text, nil
			}
			if !mcpbus.Unanswered(ctx) {
				t.Error("a request over pub/sub is not known as one")
			}
			return "", errs.New(errs.Unavailable, "the database is away")
		}
		if got, err := act(t.Context(), s, "x", ""); err != nil || got != "did x" {
			t.Errorf("answered %q, %v", got, err)
		}
		if n := p.server.count(t, "taskflow_mcp_requests_total", "unanswered"); n != 2 {
			t.Errorf("%d requests are counted as unanswered", n)
		}
		if mcpbus.Unanswered(t.Context()) {
			t.Error("what is no request over pub/sub is known as one")
		}
	})
}

func TestToolsLearnWhoAsks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type caller struct{}
		w, tools := &wire{}, &tools{}
		w.serve(mcpbus.ServerOptions{MCP: tools.server(), Enter: func(ctx context.Context, r mcpbus.Request) context.Context {
			return context.WithValue(ctx, caller{}, r)
		}})
		const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		tools.act = func(ctx context.Context, _ string) (string, error) {
			r := ctx.Value(caller{}).(mcpbus.Request)
			if r.UserID != "u1" || r.ClientID != "chat-agent" || r.RequestID != requestID || !r.ExpiresAt.Equal(time.Now().Add(25*time.Second)) ||
				uuid.Validate(r.ReplyTo) != nil || r.CorrelationID != "work" || r.Meta["io.taskflow/run"] != "a run" {
				t.Errorf("asked by %+v", r)
			}
			if telemetry.Correlation(ctx) != "work" || telemetry.User(ctx) != "u1" || telemetry.Traceparent(ctx) != trace {
				t.Errorf("asked in work %q of %q in trace %q", telemetry.Correlation(ctx), telemetry.User(ctx), telemetry.Traceparent(ctx))
			}
			return "", nil
		}
		s := connect(t, w.join("chat-agent").Client, "u1")
		ctx := telemetry.WithTraceparent(telemetry.WithCorrelation(t.Context(), "work"), trace)
		if _, err := s.CallTool(ctx, &mcp.CallToolParams{
			Name: "act", Arguments: textIn{"x"}, Meta: mcp.Meta{mcpbus.RequestIDMeta: requestID, "io.taskflow/run": "a run"},
		}); err != nil {
			t.Fatal(err)
		}
		w.settle()
		for _, topic := range []proto.Topic{proto.MCPRequests, proto.MCPReplies} {
			messages := w.sent(topic)
			last := messages[len(messages)-1]
			if e := open(t, last); e.CorrelationID != "work" || last.Trace != trace || last.Key != "u1" || uuid.Validate(last.ID) != nil {
				t.Errorf("on %s travels %+v with key %q and trace %q", topic, e, last.Key, last.Trace)
			}
		}
	})
}

func TestClientsDoNotMix(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		p.tools.act = func(_ context.Context, text string) (string, error) {
			<-time.After(time.Second) // all are under way
			return "did " + text, nil
		}
		replicas := []client{p.client, p.join("chat-agent")}
		var calls sync.WaitGroup
		for i, r := range replicas {
			for user := range 2 {
				// Every session counts its calls from 1.
				s := connect(t, r.Client, fmt.Sprint("u", user))
				text := fmt.Sprint("replica ", i, " user ", user)
				calls.Go(func() {
					if got, err := act(t.Context(), s, text, requestID); err != nil || !strings.Contains(got, fmt.Sprint("user ", user)) {
						t.Errorf("%s was answered with %q, %v", text, got, err)
					}
				})
			}
		}
		calls.Wait()
		p.settle()
		for _, r := range replicas {
			if n := r.count(t, "taskflow_mcp_replies_total", "foreign"); n < 1 {
				t.Error("a replica has not seen the other's replies")
			}
		}
	})
}

func TestCallersOfOneRequestShareItsAnswer(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		p.tools.act = func(_ context.Context, text string) (string, error) {
			<-time.After(time.Second)
			return "did " + text, nil
		}
		s := connect(t, p.client.Client, "u1")
		var calls sync.WaitGroup
		for range 5 {
			calls.Go(func() {
				if got, err := act(t.Context(), s, "x", requestID); err != nil || got != "did x" {
					t.Errorf("answered %q, %v", got, err)
				}
			})
		}
		calls.Wait()
		if n := p.tools.times("x"); n != 1 {
			t.Errorf("executed %d times", n)
		}
	})
}

func TestABusyServerTakesNoMoreThanItCanAndLosesNothing(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		var mu sync.Mutex
		running, most := 0, 0
		p.tools.act = func(_ context.Context, text string) (string, error) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			<-time.After(4 * time.Second)
			mu.Lock()
			running--
			mu.Unlock()
			return "did " + text, nil
		}
		s := connect(t, p.client.Client, "u1")
		var calls sync.WaitGroup
		for i := range 16 {
			calls.Go(func() {
				if _, err := act(t.Context(), s, fmt.Sprint(i), ""); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		if most != 4 {
			t.Errorf("%d ran at once, want 4", most)
		}
		if n := p.server.count(t, "taskflow_mcp_requests_total", "busy"); n == 0 {
			t.Error("nobody was told to come again")
		}
		for _, err := range p.said() {
			if !errs.Is(err, errs.Unavailable) {
				t.Errorf("a delivery was told %v", err)
			}
		}
	})
}

func TestAServerThatStopsTakesWhatStillComesAndFinishesWhatRuns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		takes, ends time.Duration
		answered    bool
	}{
		"what ends in time is answered":                  {5 * time.Second, 5 * time.Second, true},
		"what does not is cancelled, and answered later": {time.Minute, 8 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			isolated(t, func(t *testing.T, p *pair) {
				ctx, stop := context.WithCancel(t.Context())
				stopped := make(chan error, 1)
				go func() { stopped <- p.server.Run(ctx) }()
				p.tools.act = func(ctx context.Context, text string) (string, error) {
					if text == "long" && p.tools.times(text) == 1 {
						stop()
						select {
						case <-time.After(c.takes):
						case <-ctx.Done():
							return "", ctx.Err()
						}
					}
					return "did " + text, nil
				}
				s := connect(t, p.client.Client, "u1")
				answer := make(chan error, 1)
				began := time.Now()
				go func() {
					got, err := act(t.Context(), s, "long", "")
					if got != "did long" {
						t.Errorf("answered %q, %v", got, err)
					}
					answer <- err
				}()
				<-ctx.Done()
				<-time.After(500 * time.Millisecond)
				if _, err := act(t.Context(), s, "late", ""); err != nil {
					t.Errorf("what comes half a second later is told %v", err)
				}
				<-time.After(2 * time.Second)
				if err := p.server.Deliver(t.Context(), p.sent(proto.MCPRequests)[0].Data); !errs.Is(err, errs.Unavailable) {
					t.Errorf("what comes after a second of quiet is told %v", err)
				}
				if err := <-stopped; err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took != c.ends {
					t.Errorf("stopped after %v, want %v", took, c.ends)
				}
				if !c.answered {
					another := &tools{}
					p.mu.Lock()
					p.servers = nil
					p.mu.Unlock()
					p.serve(mcpbus.ServerOptions{MCP: another.server()})
				}
				if err := <-answer; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestAResultThatIsTooLargeIsSaidToBe(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		s := connect(t, p.client.Client, "u1")
		tooLarge := fate{fails: errs.New(errs.Invalid, "too large")}
		p.deal(first(answerOf, tooLarge))
		if _, err := act(t.Context(), s, "x", ""); err == nil || !strings.Contains(err.Error(), "too large to be sent") {
			t.Errorf("the caller is told %v", err)
		}
		if n := p.tools.times("x"); n != 1 {
			t.Errorf("executed %d times", n)
		}
		p.deal(first(callOf, tooLarge))
		began := time.Now()
		if _, err := act(t.Context(), s, "y", ""); !errs.Is(err, errs.Invalid) || time.Since(began) > 0 {
			t.Errorf("after %v the caller is told %v", time.Since(began), err)
		}
		if _, err := act(t.Context(), s, "z", "no UUID"); !errs.Is(err, errs.Invalid) {
			t.Errorf("the caller is told %v", err)
		}
	})
}

func TestAToolThatPanicsIsOneCallThatFailed(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		p.tools.act = func(_ context.Context, text string) (string, error) {
			if text == "x" {
				panic("a bug")
			}
			return "did " + text, nil
		}
		s := connect(t, p.client.Client, "u1")
		if _, err := act(t.Context(), s, "x", ""); err == nil || !strings.Contains(err.Error(), "internal error") {
			t.Errorf("the caller is told %v", err)
		}
		if _, err := act(t.Context(), s, "y", ""); err != nil {
			t.Error(err)
		}
	})
}

func TestNoMoreCallsWaitThanAReplicaCanBear(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		s := connect(t, p.client.Client, "u1")
		p.deal(every(lost))
		ctx, cancel := context.WithCancel(t.Context())
		var calls sync.WaitGroup
		for range 1024 {
			calls.Go(func() { _, _ = act(ctx, s, "x", "") })
		}
		synctest.Wait()
		if _, err := act(t.Context(), s, "one more", ""); !errs.Is(err, errs.Unavailable) || errors.Is(err, mcpbus.ErrNoAnswer) {
			t.Errorf("the call beyond the bound says %v", err)
		}
		cancel()
		calls.Wait()
		p.deal(nil)
		synctest.Wait()
		if _, err := act(t.Context(), s, "y", ""); err != nil {
			t.Errorf("afterwards a call says %v", err)
		}
	})
}

func TestReadyIsWhoIsAnswered(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		p.deal(every(lost))
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- p.client.Run(ctx) }()
		<-time.After(30 * time.Second)
		if err := p.client.Ready(ctx); !errs.Is(err, errs.Unavailable) {
			t.Errorf("before the first answer it says %v", err)
		}
		p.deal(nil)
		<-time.After(5 * time.Second)
		if err := p.client.Ready(ctx); err != nil {
			t.Errorf("after the first answer it says %v", err)
		}
		p.deal(every(lost))
		<-time.After(time.Minute)
		if err := p.client.Ready(ctx); !errs.Is(err, errs.Unavailable) {
			t.Errorf("a minute after the last answer it says %v", err)
		}
		p.deal(nil)
		<-time.After(15 * time.Second)
		if err := p.client.Ready(ctx); err != nil {
			t.Errorf("answered again it says %v", err)
		}
		stop()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		if n := p.tools.times(""); n != 0 {
			t.Error("readiness calls tools")
		}
	})
}

func TestTheEnvelopeReadsAsTheContractSays(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		s := connect(t, p.client.Client, "u1")
		began := time.Now()
		if _, err := act(t.Context(), s, "x", requestID); err != nil {
			t.Fatal(err)
		}
		p.settle()
		asked, answered := p.sent(proto.MCPRequests)[1], p.sent(proto.MCPReplies)[1]
		q, a := open(t, asked), open(t, answered)
		if asked.Type != "mcp.request" || answered.Type != "mcp.reply" || asked.Key != "u1" || answered.Key != "u1" {
			t.Errorf("travels as %s of %q and %s of %q", asked.Type, asked.Key, answered.Type, answered.Key)
		}
		if q.ClientID != "chat-agent" || q.RequestID != requestID || q.UserID != "u1" || q.CorrelationID != requestID || !json.Valid([]byte(q.Message)) {
			t.Errorf("asked with %+v", q)
		}
		if at, err := time.Parse(time.RFC3339Nano, q.ExpiresAt); err != nil || at.Location() != time.UTC || at.Sub(began) != 25*time.Second {
			t.Errorf("expires at %s", q.ExpiresAt)
		}
		q.ExpiresAt, q.MAC, q.Message = "", a.MAC, a.Message
		if a != q {
			t.Errorf("answered with %+v", a)
		}
	})
}

func TestAKeyThatIsTooShortIsRefused(t *testing.T) {
	t.Parallel()
	short := mcpbus.Config{Secret: config.NewSecret(strings.Repeat("k", 31)), Timeout: time.Second}
	if err := short.Check(); err == nil {
		t.Error("the settings accept it")
	}
	for name, make := range map[string]func(){
		"the client": func() { mcpbus.NewClient(&wire{}, short, "chat-agent") },
		"the server": func() { mcpbus.NewServer(mcpbus.ServerOptions{Config: short, MCP: (&tools{}).server()}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s accepts it", name)
				}
			}()
			make()
		}()
	}
}
