package stack

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestPathsGoToTheAppsTheIngressSendsThemTo(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/":                                "web",
		"/tasks":                           "web",
		"/apiary":                          "web",
		"/api":                             "task-api",
		"/api/u1":                          "task-api",
		"/api/u1/tasks":                    "task-api",
		"/api/u1/tasks/chat":               "task-api",
		"/api/chat":                        "task-api",
		"/api/u1/chatter":                  "task-api",
		"/api/u1/chat":                     "chat-agent",
		"/api/u1/chat/approvals/7":         "chat-agent",
		"/api/u1/conversations":            "chat-agent",
		"/api/u1/conversations/1/messages": "chat-agent",
		"/api/a%2Fb/chat":                  "chat-agent",
		"/api/u1/chatkit":                  "chat-agent",
		"/api/auth":                        "web",
		"/api/auth/sign-in/email":          "web",
		"/api/authors/tasks":               "task-api",
		"/api//chat":                       "task-api",
		"/openapi.yaml":                    "task-api",
		"/docs/":                           "task-api",
		"/ws/user/u1/tasks":                "notifier",
		"/mcp":                             "mcp-tools",
	} {
		if got := appFor(Routes(), path); got != want {
			t.Errorf("%s goes to %s, want %s", path, got, want)
		}
	}
}

// front is an origin over test servers.
func front(t *testing.T, backends ...backend) *httptest.Server {
	t.Helper()
	o := newOrigin(Routes(), backends, t.Logf)
	server := httptest.NewServer(o)
	t.Cleanup(func() {
		server.Close()
		o.close(t.Context(), time.Second)
	})
	return server
}

func behind(t *testing.T, name, app string, handler http.HandlerFunc) backend {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return backend{name, app, server.Listener.Addr().String()}
}

func nobodyAt(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func fetch(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantProblem(t *testing.T, answer *http.Response, body string, status int, detail string) {
	t.Helper()
	var p struct {
		Status int
		Detail string
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil || answer.StatusCode != status || p.Status != status ||
		answer.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(p.Detail, detail) {
		t.Errorf("got %d %s %s, want a problem %d with %q", answer.StatusCode, answer.Header.Get("Content-Type"), body, status, detail)
	}
}

func TestAPathOfAnAppThatDoesNotRunIsAProblem404AndOneThatIsDownA502(t *testing.T) {
	t.Parallel()
	server := front(t, backend{"task-api", "task-api", nobodyAt(t)})
	answer, body := fetch(t, request(t, "GET", server.URL+"/api/u1/chat", ""))
	wantProblem(t, answer, body, 404, "chat-agent")
	answer, body = fetch(t, request(t, "POST", server.URL+"/api/u1/tasks", "{}"))
	wantProblem(t, answer, body, 502, "task-api")
}

func TestReplicasTakeTurnsAndOneThatIsDownIsPassedOverWithTheBodyWhole(t *testing.T) {
	t.Parallel()
	say := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %d %s", name, r.ContentLength, body)
		}
	}
	server := front(t,
		behind(t, "task-api", "task-api", say("one")),
		backend{"task-api-2", "task-api", nobodyAt(t)},
		behind(t, "task-api-3", "task-api", say("three")))
	seen := map[string]int{}
	for range 9 {
		answer, body := fetch(t, request(t, "POST", server.URL+"/api/u1/tasks", "hello"))
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", answer.StatusCode, body)
		}
		seen[body]++
	}
	if len(seen) != 2 || seen["one 5 hello"] < 3 || seen["three 5 hello"] < 3 {
		t.Errorf("answers: %v", seen)
	}
}

func TestAClientThatDoesNotSendItsBodyIsToldSoAndHungUpOn(t *testing.T) {
	t.Parallel()
	o := newOrigin(Routes(), []backend{behind(t, "task-api", "task-api", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	})}, t.Logf)
	server := httptest.NewUnstartedServer(o)
	server.Config.ReadTimeout = 100 * time.Millisecond
	server.Start()
	t.Cleanup(func() {
		server.Close()
		o.close(t.Context(), time.Second)
	})
	body, write := io.Pipe()
	defer write.Close()
	r := request(t, http.MethodPost, server.URL+"/api/u1/tasks", "")
	r.Body, r.ContentLength = body, 100
	answer, text := fetch(t, r)
	wantProblem(t, answer, text, http.StatusRequestTimeout, "body")
}

func TestWhatAClientClaimsOfItsAddressIsReplacedAndTheHostIsKept(t *testing.T) {
	t.Parallel()
	server := front(t, behind(t, "task-api", "task-api", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s", r.Host, r.Header.Get("X-Forwarded-For"), r.URL.RequestURI())
	}))
	r := request(t, "GET", server.URL+"/api/u1/tasks?q=a%20b", "")
	r.Header.Set("X-Forwarded-For", "6.6.6.6")
	r.Host = "tasks.example"
	if _, body := fetch(t, r); body != "tasks.example 127.0.0.1 /api/u1/tasks?q=a%20b" {
		t.Errorf("the service saw %q", body)
	}
}

func TestAWebSocketWorksThroughTheOrigin(t *testing.T) {
	t.Parallel()
	var up websocket.Upgrader
	server := front(t, behind(t, "notifier", "notifier", func(w http.ResponseWriter, r *http.Request) {
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		_, text, _ := conn.ReadMessage()
		_ = conn.WriteMessage(websocket.TextMessage, append([]byte("echo "), text...))
		_ = conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4001, "bad token"))
	}))
	// The Origin header is compared with the Host, which therefore has to come through.
	header := http.Header{"Origin": {server.URL}}
	conn, answer, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http")+"/ws/user/u1/tasks", header)
	if err != nil {
		t.Fatal(err, answer)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if err := conn.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, text, err := conn.ReadMessage(); err != nil || string(text) != "echo hello" {
		t.Errorf("got %q, %v", text, err)
	}
	if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, 4001) {
		t.Errorf("the close code did not come through: %v", err)
	}
}

func TestAStreamedAnswerArrivesAsItIsWritten(t *testing.T) {
	t.Parallel()
	read := make(chan struct{})
	server := front(t, behind(t, "chat-agent", "chat-agent", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: one\n\n")
		w.(http.Flusher).Flush()
		select { // the second part is written only when the first was read
		case <-read:
		case <-r.Context().Done():
		}
		fmt.Fprint(w, "data: two\n\n")
	}))
	answer, err := server.Client().Do(request(t, "POST", server.URL+"/api/u1/chat", "{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	first := make([]byte, len("data: one\n\n"))
	if _, err := io.ReadFull(answer.Body, first); err != nil || string(first) != "data: one\n\n" {
		t.Fatalf("got %q, %v", first, err)
	}
	close(read)
	if rest, err := io.ReadAll(answer.Body); err != nil || string(rest) != "data: two\n\n" {
		t.Errorf("got %q, %v", rest, err)
	}
}

func TestTheOriginIsReadyWhenEveryServiceIs(t *testing.T) {
	t.Parallel()
	good := behind(t, "task-api", "task-api", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"outbox":0}`) })
	bad := behind(t, "notifier", "notifier", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"sidecar":"away"}`, http.StatusServiceUnavailable)
	})
	gone := backend{"notifier-2", "notifier", nobodyAt(t)}

	answer, body := fetch(t, request(t, "GET", front(t, good).URL+"/readyz", ""))
	if answer.StatusCode != http.StatusOK || !strings.Contains(body, `"outbox":0`) {
		t.Errorf("all ready: %d %s", answer.StatusCode, body)
	}
	all := front(t, good, bad, gone)
	answer, body = fetch(t, request(t, "GET", all.URL+"/readyz", ""))
	var state struct {
		Services map[string]struct {
			Ready  bool
			Status int
		}
	}
	if err := json.Unmarshal([]byte(body), &state); err != nil || answer.StatusCode != http.StatusServiceUnavailable ||
		!state.Services["task-api"].Ready || state.Services["notifier"].Ready || state.Services["notifier"].Status != 503 || state.Services["notifier-2"].Ready {
		t.Errorf("two not ready: %d %s", answer.StatusCode, body)
	}
	if answer, _ := fetch(t, request(t, "GET", all.URL+"/healthz", "")); answer.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %d", answer.StatusCode)
	}
}
