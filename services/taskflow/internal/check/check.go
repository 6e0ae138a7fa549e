// Package check proves an installation of TaskFlow from a user's side: somebody new signs up, makes a task, sees it arrive,
// asks the agent about it, and is gone again. It knows the doors of the suite, and nothing of how they are run.
package check

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"

	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// Options say where the doors are.
type Options struct {
	// API, WS, Web and Chat are base URLs of task-api, notifier, web and chat-agent, one and the same behind an origin. Chat
	// may be empty: then nobody asks the agent. WS may begin with http or ws.
	API, WS, Web, Chat string
	// Origin is the address people use, which web knows as its PUBLIC_URL.
	Origin string
	// Out gets a line for each step.
	Out io.Writer
}

const (
	// cleanup bounds the leaving, which has its own time: who signed up must go, whatever else went wrong.
	cleanup = 20 * time.Second
	// answer bounds one request; the agent's takes the longest.
	answer = 60 * time.Second
)

// door is one of the suite's, with what to look at when it fails.
type door struct{ name, look string }

var (
	web  = door{"web", "its log, and that --origin is its PUBLIC_URL"}
	api  = door{"task-api", "its log; if it refuses the token, its JWT settings are not those of web"}
	ws   = door{"notifier", "its log; if it refuses the token, its JWT settings are not those of web"}
	flow = door{"the way of events", "the outbox in the readiness of task-api, the sidecars of task-api and notifier, and the broker"}
	chat = door{"chat-agent", "its log, the log of mcp-tools, and the language model's address and key"}
)

// person is the one who tries everything, and what the steps learn on the way.
type person struct {
	Options
	account *client.Account
	client  *client.Client
	frames  *frames
	task    client.Task
}

// Run tries every door once, until ctx ends. The error is one sentence that names the door that failed and what to look
// at. The account is deleted in any case, if there came to be one.
func Run(ctx context.Context, o Options) error {
	p := &person{Options: o}
	err := p.visit(ctx)
	if p.frames != nil {
		p.frames.close()
	}
	if p.account == nil {
		return err
	}
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer cancel()
	return errors.Join(err, p.leave(leaving))
}

func (p *person) visit(ctx context.Context) error {
	for _, s := range []struct {
		door door
		what string
		try  func(context.Context) error
	}{
		{web, "sign up", p.signUp},
		{ws, "open the WebSocket", p.connect},
		{api, "create a task", p.create},
		{api, "create it again with the same Idempotency-Key", p.again},
		{flow, "see the task's frame", p.see},
		{chat, "have the agent list the tasks", p.ask},
		{api, "complete the task", p.complete},
		{api, "delete the task", p.remove},
	} {
		if s.door == chat && p.Chat == "" {
			continue
		}
		if err := p.step(ctx, s.door, s.what, s.try); err != nil {
			return err
		}
	}
	return nil
}

// leave deletes the account in the three steps of the page. It stops at the first that fails: an account whose owner is not
// forgotten by task-api stays, so that somebody can see that there is something left to delete.
func (p *person) leave(ctx context.Context) error {
	if err := p.step(ctx, web, "check the password", p.account.CheckPassword); err != nil {
		return err
	}
	forget := func(ctx context.Context) error {
		err := p.client.Do(ctx, http.MethodDelete, "", "", nil, nil)
		if status, ok := errors.AsType[*client.Status](err); ok && status.Code == http.StatusNotFound {
			return nil // it never heard of the person: an earlier door was closed
		}
		return err
	}
	if err := p.step(ctx, api, "forget the person", forget); err != nil {
		return err
	}
	return p.step(ctx, web, "delete the account", p.account.Remove)
}

// step tries one thing, and tells what and how long it took.
func (p *person) step(ctx context.Context, d door, what string, try func(context.Context) error) error {
	began := time.Now()
	err := try(ctx)
	outcome := fmt.Sprintf("%5d ms", time.Since(began).Milliseconds())
	if err != nil {
		outcome += "  failed"
	}
	if _, told := fmt.Fprintf(p.Out, "%-18s %-46s %s\n", d.name, what, outcome); err == nil {
		err = told
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s failed (%s): %w; look at %s", d.name, what, reason(err), d.look)
}

// reason words what people would otherwise have to look up.
func reason(err error) error {
	status, ok := errors.AsType[*client.Status](err)
	switch {
	case ok && status.Code == http.StatusTooManyRequests:
		return errors.New("too many requests of this address: try again in some seconds")
	case ok:
		// A page of HTML says no more than its first words.
		const most = 300
		body := strings.Join(strings.Fields(status.Body), " ")
		if len(body) > most {
			body = strings.ToValidUTF8(body[:most], "") + "…"
		}
		return fmt.Errorf("status %d: %s", status.Code, body)
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer in time")
	}
	return err
}

func (p *person) signUp(ctx context.Context) error {
	server := client.Web{URL: p.Web, Origin: p.Origin, HTTP: client.NewHTTP(1, answer)}
	email := "check-" + event.NewID() + "@example.com"
	var err error
	if p.account, err = server.SignUp(ctx, "taskflow check", email, rand.Text()); err != nil {
		return err
	}
	p.client = p.at(p.API)
	return nil
}

// at is the person's client of another base URL.
func (p *person) at(base string) *client.Client {
	socket := p.WS
	if rest, ok := strings.CutPrefix(socket, "http"); ok {
		socket = "ws" + rest
	}
	return &client.Client{
		API: base, WS: socket, UserID: p.account.UserID, Token: p.account.Token, HTTP: client.NewHTTP(1, answer),
	}
}

func (p *person) connect(ctx context.Context) error {
	socket, err := p.client.Connect(ctx, 0)
	if err != nil {
		return err
	}
	p.frames = read(socket)
	return p.frames.until(ctx, func(f client.Frame) bool { return f.Type == "hello" })
}

// title is of the task that comes and goes.
const title = "made by taskflow check"

// create makes a task whose Idempotency-Key is the account's id, which is nobody else's.
func (p *person) create(ctx context.Context) (err error) {
	p.task, err = p.client.Create(ctx, title, p.account.UserID)
	return err
}

func (p *person) again(ctx context.Context) error {
	same, err := p.client.Create(ctx, title, p.account.UserID)
	if err == nil && same.ID != p.task.ID {
		err = fmt.Errorf("it made a second task, %s beside %s", same.ID, p.task.ID)
	}
	return err
}

func (p *person) see(ctx context.Context) error {
	return p.frames.until(ctx, func(f client.Frame) bool { return f.Type == "task.created" && f.Data.TaskID == p.task.ID })
}

func (p *person) ask(ctx context.Context) error {
	said, err := p.at(p.Chat).Say(ctx, client.Said{Message: "list my tasks"})
	if err != nil {
		return err
	}
	for _, call := range said.ToolCalls {
		if call.Outcome == "done" {
			return nil
		}
	}
	return fmt.Errorf("the agent called no tool with success and said %q", said.Response)
}

func (p *person) complete(ctx context.Context) error {
	var done client.Task
	err := p.client.Do(ctx, http.MethodPatch, "/tasks/"+p.task.ID+"/complete", "", map[string]bool{"completed": true}, &done)
	if err == nil && !done.Completed {
		err = errors.New("the task is still open")
	}
	return err
}

func (p *person) remove(ctx context.Context) error {
	return p.client.Do(ctx, http.MethodDelete, "/tasks/"+p.task.ID, "", nil, nil)
}

// frames are what came over a socket.
type frames struct {
	socket *client.Socket
	came   chan client.Frame
	ended  chan struct{}
	err    error // why it ended
	stop   chan struct{}
}

// read reads a socket until it ends or close is called.
func read(socket *client.Socket) *frames {
	f := &frames{socket: socket, came: make(chan client.Frame), ended: make(chan struct{}), stop: make(chan struct{})}
	go func() {
		defer close(f.ended)
		for {
			var frame client.Frame
			raw, err := socket.Read()
			if err == nil {
				err = json.Unmarshal(raw, &frame)
			}
			if err != nil {
				f.err = err
				return
			}
			select {
			case f.came <- frame:
			case <-f.stop:
				return
			}
		}
	}()
	return f
}

// until returns when a frame that is wanted has come.
func (f *frames) until(ctx context.Context, wanted func(client.Frame) bool) error {
	for {
		select {
		case frame := <-f.came:
			if wanted(frame) {
				return nil
			}
		case <-f.ended:
			return fmt.Errorf("the WebSocket ended: %w", f.err)
		case <-ctx.Done():
			return fmt.Errorf("no frame came: %w", ctx.Err())
		}
	}
}

func (f *frames) close() {
	close(f.stop)
	_ = f.socket.Close()
	<-f.ended
}
