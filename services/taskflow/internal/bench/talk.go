package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/internal/client"
)

const (
	// ModelDelay is how long the offline model takes for each answer during measurements.
	ModelDelay = 500 * time.Millisecond

	toolRate  = 100 // calls per second
	toolUsers = 20
	chatters  = 200
)

// tools measures calls of a tool: over pub/sub, as the agent calls them, and over HTTP, as any MCP client does. The agent
// is asked for a list of conversations, which is one call of a tool and nothing else.
func (b *session) tools(ctx context.Context) error {
	users, err := b.talkers("tools", toolUsers)
	if err != nil {
		return err
	}
	list := func(ctx context.Context, n int) error {
		_, err := users[n%len(users)].Conversations(ctx, "")
		return err
	}
	if err := b.calls(ctx, "tool call over pub/sub, behind one REST request", list); err != nil {
		return err
	}

	var sessions []*mcp.ClientSession
	defer func() {
		for _, s := range sessions {
			_ = s.Close()
		}
	}()
	for _, u := range users {
		s, err := u.MCP(ctx, b.stack.URL("mcp-tools"))
		if err != nil {
			return err
		}
		sessions = append(sessions, s)
	}
	listed, err := sessions[0].ListTools(ctx, nil)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(listed)
	if err != nil {
		return err
	}
	b.report.add(fmt.Sprintf("tools/list for MCP clients, %d tools", len(listed.Tools)), float64(len(raw))/4, "tokens (bytes/4)")
	return b.calls(ctx, "tool call over HTTP (/mcp)", func(ctx context.Context, n int) error {
		res, err := sessions[n%len(sessions)].CallTool(ctx, &mcp.CallToolParams{Name: agenttools.FindTasks})
		if err == nil && res.IsError {
			err = errors.New("the tool failed")
		}
		return err
	})
}

// calls makes toolRate calls per second and reports how long they took.
func (b *session) calls(ctx context.Context, name string, call func(context.Context, int) error) error {
	for n := range toolUsers { // warm up
		if err := call(ctx, n); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, b.o.For+30*time.Second)
	defer cancel()
	began := time.Now()
	var next atomic.Int64
	var mu sync.Mutex
	var took []time.Duration
	var failed error
	var running sync.WaitGroup
	for range clients {
		running.Go(func() {
			for {
				n := next.Add(1) - 1
				due := began.Add(time.Duration(n) * time.Second / toolRate)
				if due.Sub(began) >= b.o.For {
					return
				}
				select {
				case <-ctx.Done():
				case <-time.After(time.Until(due)):
				}
				sent := time.Now()
				err := call(ctx, int(n))
				mu.Lock()
				took, failed = append(took, time.Since(sent)), errors.Join(failed, err)
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	running.Wait()
	if failed != nil {
		return failed
	}
	slices.Sort(took)
	b.report.add(name+", reached", float64(len(took))/time.Since(began).Seconds(), "calls/s")
	b.report.time(name+", p50", quantile(took, 0.50))
	b.report.time(name+", p99", quantile(took, 0.99))
	return nil
}

// chats has many people say something at once to a model that takes its time.
func (b *session) chats(ctx context.Context) error {
	users, err := b.talkers("chats", chatters)
	if err != nil {
		return err
	}
	if _, err := users[0].Say(ctx, client.Said{Message: "hello"}); err != nil {
		return err
	}
	var mu sync.Mutex
	var took []time.Duration
	var failed []error
	var running sync.WaitGroup
	began := time.Now()
	for _, u := range users {
		running.Go(func() {
			sent := time.Now()
			answer, err := u.Say(ctx, client.Said{Message: "add buy milk tomorrow at 5pm"})
			if err == nil && (len(answer.ToolCalls) != 1 || answer.ToolCalls[0].Outcome != "done") {
				err = fmt.Errorf("%s was answered %q with %v", u.UserID, answer.Response, answer.ToolCalls)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(sent))
			if err != nil {
				failed = append(failed, err)
			}
		})
	}
	running.Wait()
	all := time.Since(began)
	slices.Sort(took)
	name := fmt.Sprintf("%d chats at once, a model of %s", chatters, ModelDelay)
	b.report.add(name+", failed", float64(len(failed)), "")
	b.report.time(name+", p50", quantile(took, 0.50))
	b.report.time(name+", slowest", took[len(took)-1])
	b.report.time(name+", all answered after", all)
	b.report.add("  peak memory of chat-agent", peak(b.stack.Pid("chat-agent")), "MiB")
	b.report.add("  peak memory of mcp-tools", peak(b.stack.Pid("mcp-tools")), "MiB")
	return errors.Join(failed...)
}

// talkers are users whose requests go to the agent directly, as an ingress would send them.
func (b *session) talkers(prefix string, n int) ([]*client.Client, error) {
	all, err := b.users(prefix, n, n)
	shared := client.NewHTTP(n, 2*time.Minute)
	for _, c := range all {
		c.API, c.HTTP = b.stack.URL("chat-agent"), shared
	}
	return all, err
}
