package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/caller"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secret   = "a secret for tests that is long enough"
	patience = 30 * time.Second
)

// world is the door with two tools behind it, on a real listener.
type world struct {
	t       *testing.T
	url     string
	metrics *prometheus.Registry
	// entered gets a value when the tool "waits" is entered, left when its context has ended.
	entered, left chan struct{}
}

type identity struct{ UserID, ClientID, RequestID, CorrelationID string }

func open(t *testing.T, change func(*Options)) *world {
	t.Helper()
	verifier, err := auth.New(auth.Config{Secret: config.NewSecret(secret), Issuer: "us"})
	if err != nil {
		t.Fatal(err)
	}
	public, err := url.Parse("https://Tasks.Example:8443/")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, metrics: prometheus.NewRegistry(), entered: make(chan struct{}, 1), left: make(chan struct{}, 1)}
	server := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, &mcp.ServerOptions{Capabilities: &mcp.ServerCapabilities{}})
	mcp.AddTool(server, &mcp.Tool{Name: "whoami"}, func(ctx context.Context, _ *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, identity, error) {
		c, ok := caller.From(ctx)
		if !ok || c.Agent {
			t.Errorf("the caller is %+v, %v", c, ok)
		}
		return nil, identity{c.UserID, c.ClientID, c.RequestID, telemetry.Correlation(ctx)}, nil
	})
	mcp.AddTool(server, &mcp.Tool{Name: "waits"}, func(ctx context.Context, _ *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
		w.entered <- struct{}{}
		<-ctx.Done()
		w.left <- struct{}{}
		return nil, nil, fmt.Errorf("cut off: %w", ctx.Err())
	})
	mcp.AddTool(server, &mcp.Tool{Name: "panics"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
		panic("what a user wrote")
	})
	o := Options{
		Config: Config{Public: public, Hosts: []string{"proxy.internal", "::2"}, AuthServers: []string{"https://login.example"}},
		MCP:    server, Verifier: verifier,
		HTTP: rest.Config{Origins: []string{"https://other.example"}, Timeout: patience, BodyLimit: 10_000, Rate: 1000, Burst: 1000},
	}
	if change != nil {
		change(&o)
	}
	house := rest.New(rest.Options{Config: o.HTTP, Registry: w.metrics})
	Register(house, o)
	listener := httptest.NewServer(house)
	t.Cleanup(listener.Close)
	w.url = listener.URL
	return w
}

// token makes one that the verifier takes unless something is wrong with it.
func token(user, key, issuer string, expires time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	head := encode([]byte(`{"alg":"HS256"}`)) + "." + encode(fmt.Appendf(nil, `{"sub":%q,"iss":%q,"exp":%d}`, user, issuer, expires.Unix()))
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(head))
	return head + "." + encode(mac.Sum(nil))
}

func good(user string) string { return token(user, secret, "us", time.Now().Add(time.Hour)) }

// bearer sends a user's token with every request, and other headers as they are given.
type bearer struct {
	user    string
	headers http.Header
	base    *http.Transport
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+good(b.user))
	for name, values := range b.headers {
		r.Header[name] = values
	}
	return b.base.RoundTrip(r)
}

// connect is the SDK's own client, as it is used by others.
func (w *world) connect(user, version string, headers http.Header) *mcp.ClientSession {
	w.t.Helper()
	base := &http.Transport{}
	w.t.Cleanup(base.CloseIdleConnections)
	client := mcp.NewClient(&mcp.Implementation{Name: "client", Version: "1"}, &mcp.ClientOptions{})
	session, err := client.Connect(w.t.Context(), &mcp.StreamableClientTransport{
		Endpoint: w.url + Path, HTTPClient: &http.Client{Transport: bearer{user, headers, base}}, MaxRetries: -1,
	}, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = session.Close() })
	return session
}

// call is a tool call as it goes over the wire.
const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{}}}`

type answer struct {
	*http.Response
	body string
}

// send posts a body; headers come in pairs. "Host" is the Host.
func (w *world) send(method, path string, body io.Reader, headers ...string) answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	for pair := range slices.Chunk(headers, 2) {
		if pair[0] == "Host" {
			r.Host = pair[1]
		} else {
			r.Header.Add(pair[0], pair[1])
		}
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	return answer{response, string(raw)}
}

func next[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal(what + " never happened")
		panic("unreachable")
	}
}

func TestToolsLearnWhoCallsInEveryVersionOfTheProtocol(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	for _, version := range []string{"2026-07-28", "2025-11-25", "2025-06-18"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			session := w.connect("ann", version, http.Header{"X-Correlation-Id": {"c-" + version}})
			if got := session.InitializeResult().ProtocolVersion; got != version {
				t.Errorf("they speak %s", got)
			}
			seen := map[string]bool{}
			for range 3 {
				result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "whoami"})
				if err != nil || result.IsError {
					t.Fatalf("%+v, %v", result, err)
				}
				raw, err := json.Marshal(result.StructuredContent)
				if err != nil {
					t.Fatal(err)
				}
				var who identity
				if err := json.Unmarshal(raw, &who); err != nil {
					t.Fatal(err)
				}
				if id, err := uuid.Parse(who.RequestID); err != nil || id.Version() != 7 || seen[who.RequestID] {
					t.Errorf("the request's id is %q after %v", who.RequestID, seen)
				}
				seen[who.RequestID] = true
				if who.RequestID = ""; who != (identity{"ann", ClientID, "", "c-" + version}) {
					t.Errorf("it is %+v", who)
				}
			}
		})
	}
}

func TestWhoComesIn(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	later := time.Now().Add(time.Hour)
	with := func(token string, more ...string) []string {
		return append([]string{"Authorization", "Bearer " + token}, more...)
	}
	for name, c := range map[string]struct {
		headers []string
		status  int
	}{
		"a user with a token":                        {with(good("ann")), 200},
		"nobody without one":                         {nil, 401},
		"nobody by the cookie":                       {[]string{"Cookie", "taskflow_token=" + good("ann")}, 401},
		"nobody whose token has expired":             {with(token("ann", secret, "us", time.Now().Add(-time.Hour))), 401},
		"nobody whose token is signed otherwise":     {with(token("ann", "another secret of more than 32 bytes", "us", later)), 401},
		"nobody whose token is from another issuer":  {with(token("ann", secret, "them", later)), 401},
		"nobody whose token has no user":             {with(token("", secret, "us", later)), 401},
		"a client that says localhost":               {with(good("ann"), "Host", "localhost:1234"), 200},
		"a client that says LOCALHOST":               {with(good("ann"), "Host", "LOCALHOST."), 200},
		"a client that says [::1]":                   {with(good("ann"), "Host", "[::1]:80"), 200},
		"a client of the public address":             {with(good("ann"), "Host", "tasks.example:8443"), 200},
		"a client behind a proxy that says its name": {with(good("ann"), "Host", "proxy.internal:8080"), 200},
		"a client of a listed IPv6 address":          {with(good("ann"), "Host", "[::2]:8080"), 200},
		"no other host":                              {with(good("ann"), "Host", "evil.example"), 403},
		"no host that only begins like ours":         {with(good("ann"), "Host", "localhost.evil.example"), 403},
		"no host that only ends like ours":           {with(good("ann"), "Host", "evil-tasks.example"), 403},
		"no host by what a proxy would say":          {with(good("ann"), "Host", "evil.example", "X-Forwarded-Host", "tasks.example"), 403},
		"no rebound page, though it says same-origin": {
			with(good("ann"), "Host", "evil.example", "Origin", "http://evil.example", "Sec-Fetch-Site", "same-origin"), 403,
		},
		"no rebound page where a proxy writes Host anew": {
			with(good("ann"), "Host", "proxy.internal", "Origin", "https://evil.example", "Sec-Fetch-Site", "same-origin"), 403,
		},
		"the public page where a proxy writes Host anew": {
			with(good("ann"), "Host", "proxy.internal", "Origin", "https://tasks.example:8443", "Sec-Fetch-Site", "same-origin"), 200,
		},
		"a listed page":             {with(good("ann"), "Origin", "https://other.example", "Sec-Fetch-Site", "cross-site"), 200},
		"no page that is not":       {with(good("ann"), "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"), 403},
		"no page of no origin":      {with(good("ann"), "Origin", "null"), 403},
		"no page of two origins":    {with(good("ann"), "Origin", "https://other.example", "Origin", "https://other.example"), 403},
		"a page on this very host":  {with(good("ann"), "Host", "localhost:80", "Origin", "http://localhost:80"), 200},
		"no page of our host by ws": {with(good("ann"), "Host", "localhost:80", "Origin", "ws://localhost:80"), 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := w.send("POST", Path, strings.NewReader(call), c.headers...)
			if got.StatusCode != c.status {
				t.Fatalf("got %d %s", got.StatusCode, got.body)
			}
			if c.status == 200 {
				if !strings.Contains(got.body, `"UserID":"ann"`) || got.Header.Get("Content-Type") != "application/json" {
					t.Errorf("got %s %s", got.Header.Get("Content-Type"), got.body)
				}
				return
			}
			if kind := got.Header.Get("Content-Type"); kind != "application/problem+json" || got.Header.Get("X-Correlation-ID") == "" {
				t.Errorf("got %s %s", kind, got.body)
			}
			const where = `resource_metadata="https://tasks.example:8443/.well-known/oauth-protected-resource/mcp"`
			if challenge := got.Header.Get("WWW-Authenticate"); strings.Contains(challenge, where) != (c.status == 401) {
				t.Errorf("the challenge is %q", challenge)
			}
		})
	}
}

func TestWhatIsNoCallIsRefused(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	large := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{"x":"` + strings.Repeat("x", 10_000) + `"}}}`
	for name, c := range map[string]struct {
		method string
		body   io.Reader
		status int
	}{
		"listening is":                  {"GET", nil, 405},
		"ending a session is":           {"DELETE", nil, 405},
		"too much is":                   {"POST", strings.NewReader(large), 413},
		"too much of unknown length is": {"POST", io.MultiReader(strings.NewReader(large)), 413},
		"a batch is":                    {"POST", strings.NewReader(" \n[" + call + "," + call + "]"), 400},
		"what is no JSON is":            {"POST", strings.NewReader("{"), 400},
		"nothing is":                    {"POST", strings.NewReader(""), 400},
		"blank is":                      {"POST", strings.NewReader("  "), 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := w.send(c.method, Path, c.body, "Authorization", "Bearer "+good("ann"))
			if got.StatusCode != c.status {
				t.Errorf("got %d %s", got.StatusCode, got.body)
			}
			if allow := got.Header.Get("Allow"); (c.status == 405) != strings.Contains(allow, "POST") {
				t.Errorf("allowed is %q", allow)
			}
		})
	}
}

func TestTheMetadataNamesTheResourceThatWasAskedFor(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	for path, resource := range map[string]string{
		"/.well-known/oauth-protected-resource":     "https://tasks.example:8443",
		"/.well-known/oauth-protected-resource/mcp": "https://tasks.example:8443/mcp",
	} {
		got := w.send("GET", path, nil, "Host", "anything.example")
		want := `{"resource":"` + resource + `","resource_name":"TaskFlow","authorization_servers":["https://login.example"],"bearer_methods_supported":["header"]}` + "\n"
		if got.StatusCode != 200 || got.body != want {
			t.Errorf("%s is %d %s", path, got.StatusCode, got.body)
		}
	}
	none := open(t, func(o *Options) { o.AuthServers = nil })
	if got := none.send("GET", metadataPath, nil); got.StatusCode != 200 || strings.Contains(got.body, "authorization_servers") {
		t.Errorf("without issuers it is %d %s", got.StatusCode, got.body)
	}
}

func TestAUserWhoCallsTooOftenWaitsAndNobodyElse(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *Options) { o.HTTP.Rate, o.HTTP.Burst = 1, 2 })
	ask := func(user string) answer {
		return w.send("POST", Path, strings.NewReader(call), "Authorization", "Bearer "+good(user))
	}
	var last answer
	for range 10 { // ten requests cannot last eight seconds
		if last = ask("ann"); last.StatusCode == 429 {
			break
		}
	}
	if last.StatusCode != 429 || last.Header.Get("Retry-After") != "1" {
		t.Errorf("got %d, Retry-After %q", last.StatusCode, last.Header.Get("Retry-After"))
	}
	if got := ask("bob"); got.StatusCode != 200 {
		t.Errorf("somebody else got %d", got.StatusCode)
	}
}

func TestAToolIsCutOffInTimeToSaySo(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2026-07-28", "2025-11-25"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			w := open(t, func(o *Options) { o.HTTP.Timeout = 2 * time.Second })
			result, err := w.connect("ann", version, nil).CallTool(t.Context(), &mcp.CallToolParams{Name: "waits"})
			if err != nil || !result.IsError {
				t.Fatalf("%+v, %v", result, err)
			}
			if text, ok := result.Content[0].(*mcp.TextContent); !ok || !strings.Contains(text.Text, "cut off") {
				t.Errorf("it says %+v", result.Content[0])
			}
		})
	}
}

func TestAToolThatPanicsFailsAlone(t *testing.T) {
	t.Parallel()
	session := open(t, nil).connect("ann", "2025-11-25", nil)
	if r, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "panics"}); err == nil || strings.Contains(err.Error(), "wrote") {
		t.Errorf("a tool that panics is answered with %+v, %v", r, err)
	}
	if _, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "whoami"}); err != nil {
		t.Error("the next call:", err)
	}
}

func TestACallEndsWhenItsClientGoesAway(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	ctx, leave := context.WithCancel(t.Context())
	session := w.connect("ann", "2026-07-28", nil)
	ended := make(chan error, 1)
	go func() {
		_, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "waits"})
		ended <- err
	}()
	next(t, w.entered, "the call")
	leave()
	next(t, w.left, "its end")
	if err := next(t, ended, "the client's end"); err == nil {
		t.Error("the client has a result")
	}
}

// Before 2026-07-28 a lost connection ends no call, so that the tool is cut off by its time.
func TestAClientThatWentAwayIsNotCountedAsServed(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *Options) { o.HTTP.Timeout = 2 * time.Second })
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "POST", w.url+Path, strings.NewReader(strings.ReplaceAll(call, "whoami", "waits")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{
		"Authorization": {"Bearer " + good("ann")}, "Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"},
	}
	ended := make(chan error, 1)
	go func() {
		_, err := http.DefaultTransport.RoundTrip(r)
		ended <- err
	}()
	next(t, w.entered, "the call")
	leave()
	if err := next(t, ended, "the client's end"); err == nil {
		t.Error("the client has an answer")
	}
	next(t, w.left, "its end")
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for w.counted()["POST /mcp 499"] != 1 {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("counted are %v", w.counted())
		}
	}
}

func TestRequestsAreCountedByRoute(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	w.send("POST", Path, strings.NewReader(call), "Authorization", "Bearer "+good("ann"))
	w.send("POST", Path, strings.NewReader(call))
	if counted := w.counted(); counted["POST /mcp 200"] != 1 || counted["POST /mcp 401"] != 1 {
		t.Errorf("counted are %v", counted)
	}
}

// counted are the requests by method, route and status.
func (w *world) counted() map[string]float64 {
	w.t.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	counted := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "taskflow_http_requests_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			counted[labels["method"]+" "+labels["route"]+" "+labels["status"]] = m.GetCounter().GetValue()
		}
	}
	return counted
}
