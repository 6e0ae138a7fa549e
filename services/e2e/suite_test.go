package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/stack"
	"github.com/taskflow-suite/taskflow/pkg/topics"

	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// suite is a running suite with the people who use it.
type suite struct {
	*stack.Stack
	t *testing.T
}

// spine is the part of the product that tasks and windows need.
func spine() []stack.Service {
	return slices.DeleteFunc(stack.Default(), func(s stack.Service) bool { return s.App != "task-api" && s.App != "notifier" })
}

// start runs a suite of its own for the test, services built with the race detector. It leaves nothing behind.
func start(t *testing.T, services ...stack.Service) *suite {
	t.Helper()
	return startWith(t, nil, services...)
}

// startWith is start with a language model: its settings, or none for the offline one if it is among the services.
func startWith(t *testing.T, model []string, services ...stack.Service) *suite {
	t.Helper()
	return startAs(t, func(o *stack.Options) { o.Model = model }, services...)
}

// startAs is start with other options.
func startAs(t *testing.T, change func(*stack.Options), services ...stack.Service) *suite {
	t.Helper()
	for i := range services {
		services[i].Env = append(services[i].Env, "RATE_LIMIT=100000", "RATE_BURST=100000", "MAX_CONNECTIONS_PER_USER=1000",
			"CHAT_RATE=100000", "CHAT_BURST=100000", "CHATKIT=true")
	}
	dir, err := os.MkdirTemp("", "taskflow-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // Postgres runs as another user when the tests run as root
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute) // the first start ever builds daprd
	defer cancel()
	var said bytes.Buffer
	o := stack.Options{
		Dir: dir, Ports: stack.Ports{Random: true}, Services: services, BuildFlags: []string{"-race"},
		Output: &said, LogLevel: "info", ReadyTimeout: 3 * time.Minute,
		Migrate: func(ctx context.Context, url string) error {
			_, err := postgres.Migrate(ctx, url)
			return err
		},
		Topics: func(ctx context.Context, brokers string) error {
			return topics.Apply(ctx, strings.Split(brokers, ","), topics.Access{}, io.Discard)
		},
	}
	change(&o)
	s, err := stack.Start(ctx, o)
	if err != nil {
		t.Fatalf("the suite did not start: %v", err)
	}
	t.Cleanup(func() {
		stopping, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Stop(stopping); err != nil {
			t.Errorf("stop: %v", err)
		}
		if bytes.Contains(said.Bytes(), []byte("DATA RACE")) {
			t.Error("a service has a data race; see its log above")
		}
		if bytes.Contains(said.Bytes(), []byte("PermissionDenied")) {
			t.Error("a sidecar refused what its service may do, by the scopes in dapr/")
		}
		if t.Failed() {
			t.Logf("what the suite said last:\n%s", tail(said.Bytes(), 16<<10))
		}
	})
	return &suite{s, t}
}

func tail(b []byte, n int) []byte {
	if len(b) > n {
		return b[len(b)-n:]
	}
	return b
}

// user makes a client of one user that talks to a task-api and a notifier of the suite.
func (s *suite) user(id, taskAPI, notifier string) *client.Client {
	s.t.Helper()
	token, err := auth.Mint(s.JWTSecret(), id, time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	return &client.Client{
		API: s.URL(taskAPI), WS: "ws" + strings.TrimPrefix(s.URL(notifier), "http"), UserID: id, Token: token,
		HTTP: client.NewHTTP(8, 10*time.Second),
	}
}

// person is one user with windows open, and every task the user was told exists.
type person struct {
	*client.Client
	windows []*window

	mu    sync.Mutex
	tasks map[string]bool
}

// window is one open window: the tasks it was told of, in order.
type window struct {
	*client.Follower
	mu      sync.Mutex
	created map[string]int
	frames  int
}

func (w *window) see(f client.Frame) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frames++
	if f.Type == "task.created" {
		w.created[f.Data.TaskID]++
	}
}

func (w *window) has(id string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.created[id]
}

// open makes a person with a window on each of the notifiers, and returns once all are live.
func (s *suite) open(id, taskAPI string, notifiers ...string) *person {
	s.t.Helper()
	p := &person{Client: s.user(id, taskAPI, notifiers[0]), tasks: map[string]bool{}}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	s.t.Cleanup(func() { cancel(); running.Wait() })
	for _, n := range notifiers {
		w := &window{created: map[string]int{}}
		w.Follower = s.user(id, taskAPI, n).Follow(0, w.see)
		p.windows = append(p.windows, w)
		running.Go(func() { _ = w.Run(ctx) })
	}
	for _, w := range p.windows {
		select {
		case <-w.Live():
		case <-time.After(30 * time.Second):
			s.t.Fatalf("a window of %s did not open within 30 s", id)
		}
	}
	return p
}

// create makes a task, trying again with the same Idempotency-Key as long as the suite is partly down.
func (p *person) create(ctx context.Context, title string) error {
	key := p.UserID + " " + title
	for {
		task, err := p.Create(ctx, title, key)
		if err == nil {
			p.mu.Lock()
			p.tasks[task.ID] = true
			p.mu.Unlock()
			return nil
		}
		var status *client.Status
		if errors.As(err, &status) && status.Code != http.StatusServiceUnavailable && status.Code != http.StatusBadGateway {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// load has all people create tasks, perSecond in all, until stop is called; stop returns the first error.
func load(people []*person, perSecond int) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	var n atomic.Int64
	var mu sync.Mutex
	var failed error
	var running sync.WaitGroup
	began := time.Now()
	for range 64 { // as many as may wait for a part that is down
		running.Go(func() {
			for {
				i := n.Add(1) - 1
				due := began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
				select {
				case <-ended:
					return
				case <-time.After(time.Until(due)):
				}
				p := people[int(i)%len(people)]
				if err := p.create(ctx, fmt.Sprintf("task %d", i)); err != nil {
					mu.Lock()
					failed = errors.Join(failed, fmt.Errorf("%s, task %d: %w", p.UserID, i, err))
					mu.Unlock()
					return
				}
			}
		})
	}
	return func() error {
		close(ended)
		timeout := time.AfterFunc(time.Minute, cancel)
		running.Wait()
		timeout.Stop()
		cancel()
		mu.Lock()
		defer mu.Unlock()
		return failed
	}
}

// check proves the promise: every task a person was told exists reached each of that person's windows exactly once,
// sequences went up by one, and no window was told of anybody else's task.
func (s *suite) check(people []*person, within time.Duration) {
	s.t.Helper()
	owner := map[string]string{}
	for _, p := range people {
		for id := range p.tasks {
			owner[id] = p.UserID
		}
	}
	if len(owner) == 0 {
		s.t.Fatal("nobody created a task: the test shows nothing")
	}
	s.eventually(within, func() error {
		for _, p := range people {
			for i, w := range p.windows {
				missing := 0
				for id := range p.tasks {
					if w.has(id) == 0 {
						missing++
					}
				}
				if missing > 0 {
					return fmt.Errorf("window %d of %s misses %d of %d tasks, is at sequence %d", i, p.UserID, missing, len(p.tasks), w.Last())
				}
			}
		}
		return nil
	})
	for _, p := range people {
		for i, w := range p.windows {
			for _, broken := range w.Broken() {
				s.t.Errorf("window %d: %s", i, broken)
			}
			w.mu.Lock()
			for id, n := range w.created {
				if n != 1 {
					s.t.Errorf("window %d of %s was told %d times of task %s", i, p.UserID, n, id)
				}
				if o, known := owner[id]; known && o != p.UserID {
					s.t.Errorf("window %d of %s was told of a task of %s", i, p.UserID, o)
				}
			}
			if len(w.created) != len(p.tasks) {
				s.t.Errorf("window %d of %s was told of %d tasks, there are %d", i, p.UserID, len(w.created), len(p.tasks))
			}
			w.mu.Unlock()
		}
	}
	s.drained(within)
	s.rebuilt()
}

// drained waits until the outbox is empty, as readiness reports it.
func (s *suite) drained(within time.Duration) {
	s.t.Helper()
	s.eventually(within, func() error {
		depth, err := s.outbox()
		if err == nil && depth > 0 {
			err = fmt.Errorf("%d events wait in the outbox", depth)
		}
		return err
	})
}

// outbox reads the depth of the outbox off task-api's readiness.
func (s *suite) outbox() (int, error) {
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.URL("task-api")+"/readyz", nil)
	if err != nil {
		return 0, err
	}
	res, err := client.NewHTTP(1, 5*time.Second).Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	var ready struct {
		Checks struct {
			Outbox struct {
				Detail struct {
					Depth *int `json:"depth"`
				} `json:"detail"`
			} `json:"outbox"`
		} `json:"checks"`
	}
	if err := json.NewDecoder(res.Body).Decode(&ready); err != nil {
		return 0, err
	}
	if ready.Checks.Outbox.Detail.Depth == nil {
		return 0, errors.New("readiness does not tell the depth of the outbox")
	}
	return *ready.Checks.Outbox.Detail.Depth, nil
}

// rebuilt proves that the events alone give the tables.
func (s *suite) rebuilt() {
	s.t.Helper()
	result, err := taskstore.Verify(s.t.Context(), s.DatabaseURL())
	if err != nil {
		s.t.Fatalf("rebuild: %v", err)
	}
	for _, d := range result.Differences {
		s.t.Errorf("rebuild: %s", d)
	}
	s.t.Logf("rebuilt %d tasks from %d events: %d differences", result.Tasks, result.Events, len(result.Differences))
}

// eventually tries until there is no error, and fails with the last one.
func (s *suite) eventually(within time.Duration, try func() error) {
	s.t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			s.t.Fatalf("after %s: %v", within, err)
		case <-tick.C:
		}
	}
}
