package rest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// shelf keeps API tokens in memory.
type shelf struct {
	mu     sync.Mutex
	tokens map[auth.Hash]auth.APIToken
	away   bool
}

func (s *shelf) FindAPIToken(_ context.Context, hash auth.Hash) (auth.APIToken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return auth.APIToken{}, errs.Because(errors.New("pq: no connection"), errs.Unavailable, "the database does not answer")
	}
	token, ok := s.tokens[hash]
	if !ok {
		return token, errs.New(errs.NotFound, "no such token")
	}
	return token, nil
}

func (s *shelf) give(t *testing.T, user string, scope auth.Scope) string {
	t.Helper()
	token, raw, err := auth.NewAPIToken(user, "a script", scope, 1, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token.Hash] = token
	return raw.Reveal()
}

func (s *shelf) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = true
}

func newShelf(t *testing.T) (*shelf, *auth.Verifier) {
	t.Helper()
	s := &shelf{tokens: map[auth.Hash]auth.APIToken{}}
	v, err := auth.New(auth.Config{Secret: config.NewSecret(secret)}, auth.WithAPITokens(s))
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

func TestAnAPITokenMayDoWhatItsScopeSays(t *testing.T) {
	t.Parallel()
	tokens, v := newShelf(t)
	e := newHouse(t, Options{})
	done := func(c echo.Context) error { return c.NoContent(204) }
	users := e.Group("/api/:user_id", RequireUser(v))
	users.Any("/tasks", done)
	users.Any("/tokens", done, RequireSession)
	e.POST("/mcp", done, RequireBearer(v, "https://tasks.example/metadata"))
	e.GET("/open", done, RequireSession)

	read, write := "Bearer "+tokens.give(t, "alice", auth.Read), "Bearer "+tokens.give(t, "alice", auth.Write)
	const readOnly, sessionOnly = "this API token may only read", "sign in and do it"
	for name, c := range map[string]struct {
		method, path, authorization, cookie string
		status                              int
		detail                              string
	}{
		"a reading one reads":                                    {"GET", "/api/alice/tasks", read, "", 204, ""},
		"a reading one asks for headers":                         {"HEAD", "/api/alice/tasks", read, "", 204, ""},
		"a reading one may not create":                           {"POST", "/api/alice/tasks", read, "", 403, readOnly},
		"nor replace":                                            {"PUT", "/api/alice/tasks", read, "", 403, readOnly},
		"nor change":                                             {"PATCH", "/api/alice/tasks", read, "", 403, readOnly},
		"nor delete":                                             {"DELETE", "/api/alice/tasks", read, "", 403, readOnly},
		"nor use a method of its own":                            {"PROPFIND", "/api/alice/tasks", read, "", 403, readOnly},
		"a writing one reads":                                    {"GET", "/api/alice/tasks", write, "", 204, ""},
		"a writing one changes":                                  {"PATCH", "/api/alice/tasks", write, "", 204, ""},
		"a writing one may not make tokens":                      {"POST", "/api/alice/tokens", write, "", 403, sessionOnly},
		"a reading one may not even list them":                   {"GET", "/api/alice/tokens", read, "", 403, sessionOnly},
		"a session may":                                          {"POST", "/api/alice/tokens", token(t, "alice"), "", 204, ""},
		"an API token is its user's":                             {"GET", "/api/bob/tasks", write, "", 403, "another user"},
		"programs come in with any, for the handler to look at":  {"POST", "/mcp", read, "", 204, ""},
		"a cookie with an API token is no token":                 {"GET", "/api/alice/tasks", "", "taskflow_token=" + strings.TrimPrefix(read, "Bearer "), 401, "send it as Authorization: Bearer"},
		"one that nobody knows is none":                          {"GET", "/api/alice/tasks", "Bearer tfk_" + strings.Repeat("A", 43), "", 401, "make a new one"},
		"without anybody verified before nobody is signed in":    {"GET", "/open", "", "", 403, sessionOnly},
		"a session in the cookie does not help a reading header": {"POST", "/api/alice/tasks", read, "taskflow_token=" + strings.TrimPrefix(token(t, "alice"), "Bearer "), 403, readOnly},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := newID()
			headers := []string{"X-Correlation-ID", id}
			if c.authorization != "" {
				headers = append(headers, "Authorization", c.authorization)
			}
			if c.cookie != "" {
				headers = append(headers, "Cookie", c.cookie)
			}
			got := call(t, e, c.method, c.path, "", headers...)
			if got.StatusCode != c.status {
				t.Fatalf("got %d %s", got.StatusCode, got.body)
			}
			if c.status >= 400 {
				if p := got.problem(t); !strings.Contains(p.Detail, c.detail) || strings.Contains(got.body, "tfk_") {
					t.Errorf("it says %q", p.Detail)
				}
			}
			for _, line := range linesOf(t, id) {
				for field, value := range line {
					if text, _ := value.(string); strings.Contains(text, "tfk_") {
						t.Errorf("the token is logged as %s", field)
					}
				}
			}
		})
	}
}

func TestAnAPITokenThatNobodyCanLookUpIsNotCalledBad(t *testing.T) {
	t.Parallel()
	tokens, v := newShelf(t)
	raw := tokens.give(t, "alice", auth.Read)
	tokens.leave()
	e := newHouse(t, Options{})
	e.GET("/api/:user_id/tasks", func(c echo.Context) error { return c.NoContent(204) }, RequireUser(v))
	got := call(t, e, http.MethodGet, "/api/alice/tasks", "", "Authorization", "Bearer "+raw)
	if p := got.problem(t); p.Status != 503 || got.Header.Get("Retry-After") == "" || strings.Contains(got.body, "pq:") {
		t.Errorf("got %s", got.body)
	}
}

func TestWhereAPITokensDoNotCountTheAnswerSaysSo(t *testing.T) {
	t.Parallel()
	tokens, _ := newShelf(t)
	e := newHouse(t, Options{})
	e.POST("/api/:user_id/chat", func(c echo.Context) error { return c.NoContent(204) }, RequireUser(verifier(t)))
	got := call(t, e, http.MethodPost, "/api/alice/chat", "", "Authorization", "Bearer "+tokens.give(t, "alice", auth.Write))
	if p := got.problem(t); p.Status != 401 || !strings.Contains(p.Detail, "signed-in session, as the chat does") {
		t.Errorf("got %s", got.body)
	}
}

// A browser sends the cookie with whatever a page asks for, within the bounds of SameSite, which is about sites and not
// about origins.
func TestAPageOfAnotherOriginCannotUseTheCookie(t *testing.T) {
	t.Parallel()
	const ours, evil = "https://app.example.org", "https://evil.example"
	e := newHouse(t, Options{Config: Config{Origins: []string{ours}}})
	e.Any("/api/:user_id/tasks", func(c echo.Context) error { return c.NoContent(204) }, RequireUser(verifier(t)))
	bearer := token(t, "alice")
	cookie := "taskflow_token=" + strings.TrimPrefix(bearer, "Bearer ")
	for name, c := range map[string]struct {
		method  string
		headers []string
		status  int
	}{
		"a form of a foreign page":                        {"POST", []string{"Cookie", cookie, "Origin", evil, "Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain"}, 403},
		"a page of a neighbour within the site":           {"POST", []string{"Cookie", cookie, "Origin", "https://blog.example.org", "Sec-Fetch-Site", "same-site"}, 403},
		"a sandboxed page":                                {"POST", []string{"Cookie", cookie, "Origin", "null", "Sec-Fetch-Site", "cross-site"}, 403},
		"a foreign page in an old browser":                {"PUT", []string{"Cookie", cookie, "Origin", evil}, 403},
		"a sandboxed page in an old browser":              {"DELETE", []string{"Cookie", cookie, "Origin", "null"}, 403},
		"our page, in one origin with us":                 {"POST", []string{"Cookie", cookie, "Origin", "https://example.com", "Sec-Fetch-Site", "same-origin"}, 204},
		"our page in an old browser":                      {"POST", []string{"Cookie", cookie, "Origin", "http://example.com"}, 204},
		"a listed page":                                   {"PATCH", []string{"Cookie", cookie, "Origin", ours, "Sec-Fetch-Site", "cross-site"}, 204},
		"a program with a cookie":                         {"POST", []string{"Cookie", cookie}, 204},
		"a foreign page that has a token of its own":      {"POST", []string{"Authorization", bearer, "Origin", evil, "Sec-Fetch-Site", "cross-site"}, 204},
		"a foreign page with a bad token beside a cookie": {"POST", []string{"Authorization", "Bearer x", "Cookie", cookie, "Origin", evil, "Sec-Fetch-Site", "cross-site"}, 401},
		"a foreign page with another scheme and a cookie": {"POST", []string{"Authorization", "Basic eDp5", "Cookie", cookie, "Origin", evil, "Sec-Fetch-Site", "cross-site"}, 403},
		"a link on a foreign page":                        {"GET", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site"}, 204},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := call(t, e, c.method, "/api/alice/tasks", "", c.headers...)
			if got.StatusCode != c.status {
				t.Fatalf("got %d %s", got.StatusCode, got.body)
			}
			if c.status == 403 && !strings.Contains(got.problem(t).Detail, "another origin") {
				t.Errorf("it says %s", got.body)
			}
		})
	}
}
