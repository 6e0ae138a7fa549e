// Package bench measures a running suite as its users meet it: real REST and WebSocket clients against real processes.
//
// It starts a stack of its own with an empty database, so that figures do not depend on what was there before, and
// everything — the clients, the services, the sidecars, the broker and Postgres — shares the one machine. It reports
// what it measured and judges nothing.
package bench

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/stack"

	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// Options says what to measure and for how long.
type Options struct {
	// Stack is how to start the suite; its directory must be the measurement's own.
	Stack stack.Options
	// Only restricts the run to the measurements with these names; all when empty.
	Only []string
	// For is how long each measurement under load lasts.
	For time.Duration
	// Progress is told what is being measured.
	Progress io.Writer
}

// measurement is one part of the run.
type measurement struct {
	name string
	run  func(*session, context.Context) error
}

var measurements = []measurement{
	{"memory", (*session).idleMemory},
	{"latency", (*session).latency},
	{"rate", (*session).rate},
	{"notifier", (*session).notifier},
	{"sockets", (*session).sockets},
	{"lists", (*session).lists},
	{"tools", (*session).tools},
	{"chats", (*session).chats},
	{"schedule", (*session).schedule},
	{"direct", (*session).direct},
}

// Names lists the measurements there are.
func Names() []string {
	var names []string
	for _, m := range measurements {
		names = append(names, m.name)
	}
	return names
}

// session is one run.
type session struct {
	o      Options
	stack  *stack.Stack
	report *Report
	// length is how long the run takes, beyond an hour; tokens are valid as long.
	length time.Duration
	// sustained is what rate found, in tasks per second.
	sustained float64
}

// Run starts the suite, measures, and stops it. What was measured until an error is in the report all the same.
func Run(ctx context.Context, o Options) (*Report, error) {
	r := &Report{Taken: time.Now().UTC(), Machine: machine()}
	s, err := stack.Start(ctx, o.Stack)
	if err != nil {
		return r, err
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_ = s.Stop(stopping)
	}()
	b := &session{o: o, stack: s, report: r}
	for _, m := range measurements {
		if !o.wants(m.name) {
			continue
		}
		fmt.Fprintf(o.Progress, "measuring %s…\n", m.name)
		began := time.Now()
		if err := m.run(b, ctx); err != nil {
			return r, fmt.Errorf("%s: %w", m.name, err)
		}
		fmt.Fprintf(o.Progress, "  took %s\n", time.Since(began).Round(time.Second))
	}
	return r, nil
}

func (o Options) wants(name string) bool {
	if len(o.Only) == 0 {
		return true
	}
	for _, only := range o.Only {
		if only == name {
			return true
		}
	}
	return false
}

// user makes a client for a user that talks to the services directly, as an ingress would.
func (b *session) user(id string, connections int) (*client.Client, error) {
	token, err := auth.Mint(b.stack.JWTSecret(), id, b.length+time.Hour)
	if err != nil {
		return nil, err
	}
	return &client.Client{
		API: b.stack.URL("task-api"), WS: "ws" + b.stack.URL("notifier")[len("http"):],
		UserID: id, Token: token, HTTP: client.NewHTTP(connections, 30*time.Second),
	}, nil
}

// users makes n clients that share their connections.
func (b *session) users(prefix string, n, connections int) ([]*client.Client, error) {
	var all []*client.Client
	for i := range n {
		c, err := b.user(fmt.Sprintf("%s-%d", prefix, i), connections)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			c.HTTP = all[0].HTTP
		}
		all = append(all, c)
	}
	return all, nil
}
