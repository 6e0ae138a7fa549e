package abuse_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/stack"

	"github.com/taskflow-suite/taskflow/services/internal/client"
	"github.com/taskflow-suite/taskflow/services/internal/stage"
	"github.com/taskflow-suite/taskflow/services/internal/storm"
)

// world is the suite, the issuer of its tokens, and what the doors' answers were.
type world struct {
	*stage.Suite
	issuer *issuer
	watch  *stage.Watch
}

// shared is the replica of task-api that checks tokens with a shared secret; all else checks those of the issuer.
const shared = "task-api-2"

// doors are the services that people reach, by name; the origin is in front of them.
var doors = []string{"task-api", "chat-agent", "notifier", "mcp-tools"}

func TestAbuse(t *testing.T) {
	w := open(t)
	bystander := storm.Open(t, w.user("bystander", "task-api"), w.user("bystander", "task-api"))
	w.warm(t)
	before := w.figures(t)
	slow := w.sendSlowly(t) // all the while
	steps := []struct {
		name string
		run  func(*testing.T)
	}{
		{"forged tokens are refused at every door", w.forgedTokens},
		{"what is too large is refused", w.tooLarge},
		{"random requests are answered as the specification says", w.randomRequests},
		{"ten thousand bad sockets trouble nobody", w.badSockets},
		{"clients that send slowly are hung up on", slow.check},
		{"load beyond what there is room for is shed", w.overload},
	}
	for _, step := range steps {
		began := time.Now()
		t.Run(step.name, step.run)
		t.Logf("%s: %s", step.name, time.Since(began).Round(100*time.Millisecond))
		bystander.Again(t, 10*time.Second)
	}
	w.watch.Check(t)
	storm.Check(t, []*storm.Person{bystander}, 30*time.Second)
	w.same(t, before)
}

// open starts the suite and its issuer.
func open(t *testing.T) *world {
	i := newIssuer(t)
	services := slices.DeleteFunc(stack.Default(), func(s stack.Service) bool { return s.App == "scheduler" })
	for n := range services {
		services[n].Env = append(services[n].Env, "JWT_JWKS_URL="+i.url, "JWT_ISSUER="+issuerName, "JWT_AUDIENCE="+audience,
			"RATE_LIMIT=100000", "RATE_BURST=100000", "CHAT_RATE=100000", "CHAT_BURST=100000", "CHATKIT=true")
	}
	second := stack.Default()[0]
	second.Env = append(second.Env, "JWT_JWKS_URL=", "JWT_SECRET="+i.secret, "RATE_LIMIT=100000", "RATE_BURST=100000")
	s := stage.Start(t, func(o *stack.Options) {
		o.JWKS = true
		o.BuildFlags = nil // what is measured is the program people run
		o.LogLevel = "warn"
	}, append(services, second)...)
	return &world{s, i, &stage.Watch{}}
}

// user is a client with a good token, who is watched.
func (w *world) user(id, api string) *client.Client {
	c := w.User(id, api, "notifier", w.watch)
	c.Token = w.issuer.token(id)
	return c
}

// warm has every service do once what it keeps something for.
func (w *world) warm(t *testing.T) {
	t.Helper()
	c := w.user("warm", "task-api")
	if _, err := c.Create(t.Context(), "warm", ""); err != nil {
		t.Fatal(err)
	}
	agent := w.user("warm", "chat-agent")
	if _, err := agent.Say(t.Context(), client.Said{Message: "add milk"}); err != nil {
		t.Fatal(err)
	}
}

// ask sends one request to a part and returns the answer's status and the start of its body; 0 if there was none.
func (w *world) ask(t *testing.T, c *http.Client, method, url string, header http.Header, body io.Reader) (status int, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err != nil {
		return 0, err.Error()
	}
	if res.StatusCode >= 500 && (res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "") {
		t.Errorf("%s %.100s is answered with %d: %.300s", method, url, res.StatusCode, raw)
	}
	return res.StatusCode, string(raw)
}

// plain is a client without a memory of connections, so that no test spoils those of another.
func plain() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
}

func bearer(token string) http.Header {
	return http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}
}

func userPath(id, rest string) string { return fmt.Sprintf("/api/%s%s", id, rest) }
