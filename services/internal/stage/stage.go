// Package stage starts a whole suite that is one test's alone, and watches how its doors answer. The tests that break the
// suite or abuse it stand on it; what they do to it is theirs.
package stage

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/roles"
	"github.com/taskflow-suite/taskflow/pkg/stack"
	"github.com/taskflow-suite/taskflow/pkg/testkit/apache"
	"github.com/taskflow-suite/taskflow/pkg/topics"

	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// Suite is a running suite.
type Suite struct {
	*stack.Stack
	t testing.TB
}

// Start runs services until the test ends, built with the race detector unless change says otherwise.
func Start(t testing.TB, change func(*stack.Options), services ...stack.Service) *Suite {
	t.Helper()
	dir, err := os.MkdirTemp("", "taskflow-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // G302: Postgres runs as another user when the tests run as root
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute) // the first start ever builds daprd
	defer cancel()
	said := &output{}
	o := stack.Options{
		Dir: dir, Ports: stack.Ports{Random: true}, Services: services, BuildFlags: []string{"-race"},
		Output: said, LogLevel: "info", ReadyTimeout: 3 * time.Minute,
		Migrate: func(ctx context.Context, url string) error {
			_, err := postgres.Migrate(ctx, url)
			return err
		},
		Roles: roles.Logins,
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
		for _, f := range flaws {
			if line := said.flaw(f.says); line != "" {
				t.Errorf("%s: %s", f.means, line)
			}
		}
		if t.Failed() {
			t.Logf("what the suite said last:\n%s", said.tail())
		}
	})
	return &Suite{s, t}
}

// User makes a client of one user that talks to services of the suite, or to the origin.
func (s *Suite) User(id, api, notifier string, watch *Watch) *client.Client {
	s.t.Helper()
	token, err := auth.Mint(s.JWTSecret(), id, time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	c := &client.Client{
		API: s.URL(api), WS: "ws" + strings.TrimPrefix(s.URL(notifier), "http"), UserID: id, Token: token,
		HTTP: client.NewHTTP(32, 40*time.Second),
	}
	if watch != nil {
		c.HTTP.Transport = watch.Over(c.HTTP.Transport)
	}
	return c
}

// flaws are what no part may ever say, whatever a test does to the suite.
var flaws = []struct{ says, means string }{
	{"DATA RACE", "a service has a data race; see its log above"},
	{"panic:", "a service panicked"},
	{"fatal error:", "a service died of itself"},
	{"prepared statement \"", "a statement was prepared in one session and used in another"},
	{"permission denied for", "the database refused a service what it does: pkg/postgres/roles says what its role may do"},
	{"PermissionDenied", "a sidecar refused what its service may do, by the scopes in dapr/"},
	{apache.Refused, "the broker refused somebody something"},
}

// pardoned is said by the broker of a group's coordinator that is not there yet, as in a cluster's first second: the sidecar's
// library then wants to know more than it must.
const pardoned = "Topic:LITERAL:__consumer_offsets"

// output keeps the end of what the parts say, and the first line with each of the flaws.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	flaws map[string]string // by what it says
}

// Write takes whole lines, as a stack writes them.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for line := range bytes.Lines(p) {
		for _, f := range flaws {
			if f.says == apache.Refused && bytes.Contains(line, []byte(pardoned)) {
				continue
			}
			if o.flaws[f.says] == "" && bytes.Contains(line, []byte(f.says)) {
				if o.flaws == nil {
					o.flaws = map[string]string{}
				}
				o.flaws[f.says] = strings.TrimSpace(string(line))
			}
		}
	}
	if o.text.Len() > 256<<10 {
		o.text.Next(128 << 10)
	}
	return o.text.Write(p)
}

func (o *output) flaw(says string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.flaws[says]
}

func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.text.Bytes()
	return string(b[max(0, len(b)-16<<10):])
}
