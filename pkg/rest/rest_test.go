package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

const secret = "a secret of at least thirty-two bytes"

// logged is what all tests log; each finds its own lines by its correlation id.
var logged struct {
	sync.Mutex
	bytes.Buffer
}

type logWriter struct{}

func (logWriter) Write(p []byte) (int, error) {
	logged.Lock()
	defer logged.Unlock()
	return logged.Buffer.Write(p)
}

// newID makes a correlation id that no other test and no other run of this one has.
func newID() string { return uuid.NewString() }

func linesOf(t *testing.T, correlation string) []map[string]any {
	t.Helper()
	logged.Lock()
	defer logged.Unlock()
	var all []map[string]any
	for line := range strings.Lines(logged.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		if fields["correlation_id"] == correlation {
			all = append(all, fields)
		}
	}
	return all
}

func TestMain(m *testing.M) {
	handler, err := telemetry.NewHandler(logWriter{}, "test", "info")
	if err != nil {
		panic(err)
	}
	slog.SetDefault(slog.New(handler))
	goleak.VerifyTestMain(m)
}

func newHouse(t testing.TB, o Options) *echo.Echo {
	t.Helper()
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	return New(o)
}

// answer is what came back, with its body read.
type answer struct {
	*http.Response
	body string
}

func (a answer) problem(t *testing.T) Problem {
	t.Helper()
	var p Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("%v: %q", err, a.body)
	}
	if kind := a.Header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("content type %q", kind)
	}
	if p.Type == "" || p.Title == "" || p.Detail == "" || p.Status != a.StatusCode || p.CorrelationID != a.Header.Get("X-Correlation-ID") {
		t.Errorf("status %d with an incomplete problem: %s", a.StatusCode, a.body)
	}
	return p
}

// call asks h; headers come in pairs.
func call(t testing.TB, h http.Handler, method, path, body string, headers ...string) answer {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, reader)
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Result(), w.Body.String()}
}

func token(t testing.TB, subject string) string {
	t.Helper()
	raw, err := auth.Mint(secret, subject, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + raw
}

func verifier(t testing.TB) *auth.Verifier {
	t.Helper()
	v, err := auth.New(auth.Config{Secret: config.NewSecret(secret)})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestErrors(t *testing.T) {
	t.Parallel()
	cause := errors.New("pq: password authentication failed for user postgres")
	fields := errs.InvalidFields(errs.Field{Field: "title", Message: "is empty"}, errs.Field{Field: "tags", Message: "are too many"})
	for name, c := range map[string]struct {
		err    error
		status int
		detail string
		header string
		value  string
		logs   int
	}{
		"an invalid request is 422":             {errs.New(errs.Invalid, "one at a time"), 422, "one at a time", "", "", 0},
		"invalid fields are 422":                {fmt.Errorf("create: %w", fields), 422, "title is empty (and 1 more)", "", "", 0},
		"what is not there is 404":              {errs.New(errs.NotFound, "no task 7"), 404, "no task 7", "", "", 0},
		"a contradiction is 409":                {errs.New(errs.Conflict, "it exists"), 409, "it exists", "", "", 0},
		"an old version is 412":                 {errs.New(errs.Stale, "it is version 3"), 412, "it is version 3", "", "", 0},
		"what is not allowed is 403":            {errs.New(errs.Denied, "not yours"), 403, "not yours", "WWW-Authenticate", "", 0},
		"no token is 401":                       {auth.ErrNoToken, 401, errs.Text(auth.ErrNoToken), "WWW-Authenticate", `Bearer realm="taskflow"`, 0},
		"a bad token is 401":                    {auth.ErrInvalidToken, 401, errs.Text(auth.ErrInvalidToken), "WWW-Authenticate", `Bearer realm="taskflow", error="invalid_token"`, 0},
		"what is down is 503":                   {errs.Because(cause, errs.Unavailable, "the database does not answer"), 503, "the database does not answer", "Retry-After", "2", 1},
		"too many requests are 429":             {TooManyRequests{1100 * time.Millisecond}, 429, "Too many requests. Wait as long as Retry-After says.", "Retry-After", "2", 0},
		"a large body is 413":                   {fmt.Errorf("read: %w", &http.MaxBytesError{Limit: 10}), 413, "The body must be at most 10 bytes.", "", "", 0},
		"anything else is 500 without its text": {cause, 500, internalDetail, "", "", 1},
		"internal with a text is 500 without":   {errs.Because(cause, errs.Internal, "secret plan"), 500, internalDetail, "", "", 1},
		"a handler's own 4xx keeps its text":    {echo.NewHTTPError(418, "short and stout"), 418, "short and stout", "", "", 0},
		"a handler's own 5xx is 500 without":    {echo.NewHTTPError(502, "upstream 10.0.0.7").SetInternal(cause), 500, internalDetail, "", "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newHouse(t, Options{})
			e.GET("/x", func(echo.Context) error { return c.err })
			id := newID()
			got := call(t, e, http.MethodGet, "/x", "", "X-Correlation-ID", id)
			p := got.problem(t)
			if p.Status != c.status || p.Detail != c.detail {
				t.Errorf("got %d %q, want %d %q", p.Status, p.Detail, c.status, c.detail)
			}
			if c.header != "" && got.Header.Get(c.header) != c.value {
				t.Errorf("%s is %q, want %q", c.header, got.Header.Get(c.header), c.value)
			}
			if strings.Contains(got.body, "pq:") || strings.Contains(got.body, "secret plan") || strings.Contains(got.body, "10.0.0.7") {
				t.Errorf("internal text leaks: %s", got.body)
			}
			lines := linesOf(t, id)
			if len(lines) != c.logs+1 {
				t.Errorf("%d lines are logged: %v", len(lines), lines)
			}
			if c.logs > 0 && !strings.Contains(fmt.Sprint(lines[0]["error"]), "pq:") && !strings.Contains(fmt.Sprint(lines[0]["error"]), "upstream") {
				t.Errorf("the cause is not logged: %v", lines[0])
			}
		})
	}
	t.Run("invalid fields are listed", func(t *testing.T) {
		t.Parallel()
		e := newHouse(t, Options{})
		e.GET("/x", func(echo.Context) error { return fields })
		p := call(t, e, http.MethodGet, "/x", "").problem(t)
		if want := []FieldError{{"title", "is empty"}, {"tags", "are too many"}}; !slices.Equal(p.Errors, want) {
			t.Errorf("got %v", p.Errors)
		}
	})
	t.Run("a panic is 500 and its stack is logged once", func(t *testing.T) {
		t.Parallel()
		e := newHouse(t, Options{})
		id := newID()
		e.GET("/x", func(echo.Context) error { panic("kaboom") })
		got := call(t, e, http.MethodGet, "/x", "", "X-Correlation-ID", id)
		if p := got.problem(t); p.Status != 500 || strings.Contains(got.body, "kaboom") {
			t.Errorf("got %s", got.body)
		}
		lines := linesOf(t, id)
		if len(lines) != 2 || lines[0]["level"] != "ERROR" || !strings.Contains(fmt.Sprint(lines[0]["stack"]), "rest_test.go") {
			t.Errorf("logged %v", lines)
		}
	})
	t.Run("a handler that hangs up is let", func(t *testing.T) {
		t.Parallel()
		e := newHouse(t, Options{})
		e.GET("/x", func(echo.Context) error { panic(http.ErrAbortHandler) })
		defer func() {
			if recover() != http.ErrAbortHandler { //nolint:errorlint // the very value is what the server looks for
				t.Error("the panic did not reach the server")
			}
		}()
		call(t, e, http.MethodGet, "/x", "")
	})
	t.Run("an unknown address is 404 and an unknown method 405 with Allow", func(t *testing.T) {
		t.Parallel()
		e := newHouse(t, Options{})
		e.GET("/x", func(c echo.Context) error { return c.NoContent(204) })
		if p := call(t, e, http.MethodGet, "/nothing/here", "").problem(t); p.Status != 404 {
			t.Errorf("got %+v", p)
		}
		got := call(t, e, http.MethodDelete, "/x", "")
		if p := got.problem(t); p.Status != 405 || !strings.Contains(got.Header.Get("Allow"), "GET") {
			t.Errorf("got %+v, Allow %q", p, got.Header.Get("Allow"))
		}
	})
	t.Run("an error after the answer began is only logged", func(t *testing.T) {
		t.Parallel()
		e := newHouse(t, Options{})
		id := newID()
		e.GET("/x", func(c echo.Context) error { return errors.Join(c.String(200, "half"), cause) })
		got := call(t, e, http.MethodGet, "/x", "", "X-Correlation-ID", id)
		if got.StatusCode != 200 || got.body != "half" || len(linesOf(t, id)) != 2 {
			t.Errorf("got %d %q, %v", got.StatusCode, got.body, linesOf(t, id))
		}
	})
}

func TestLimitsOfTime(t *testing.T) {
	t.Parallel()
	wait := func(c echo.Context) error {
		<-c.Request().Context().Done()
		return fmt.Errorf("query: %w", c.Request().Context().Err())
	}
	t.Run("a slow request is 503 with Retry-After", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			e := newHouse(t, Options{})
			e.GET("/x", wait)
			begun := time.Now()
			got := call(t, e, http.MethodGet, "/x", "")
			if p := got.problem(t); p.Status != 503 || p.Detail != timeoutDetail || got.Header.Get("Retry-After") != "2" {
				t.Errorf("got %+v", p)
			}
			if took := time.Since(begun); took != 15*time.Second {
				t.Errorf("after %v", took)
			}
		})
	})
	t.Run("a stream may take longer", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			e := newHouse(t, Options{Untimed: []string{"/stream/:id"}})
			e.GET("/stream/:id", func(c echo.Context) error {
				<-time.After(time.Hour)
				return errors.Join(c.Request().Context().Err(), c.NoContent(204))
			})
			if got := call(t, e, http.MethodGet, "/stream/7", ""); got.StatusCode != 204 {
				t.Errorf("got %d", got.StatusCode)
			}
		})
	})
	t.Run("a client that goes away is no failure of ours", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			e := newHouse(t, Options{})
			e.GET("/x", wait)
			id := newID()
			ctx, leave := context.WithCancel(t.Context())
			go func() { <-time.After(time.Second); leave() }()
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/x", nil)
			r.Header.Set("X-Correlation-ID", id)
			e.ServeHTTP(w, r)
			if lines := linesOf(t, id); len(lines) != 1 || lines[0]["status"] != 499.0 {
				t.Errorf("logged %v", lines)
			}
		})
	})
}

func TestARouteCanTakeLargerBodiesThanOthers(t *testing.T) {
	t.Parallel()
	e := newHouse(t, Options{Config: Config{BodyLimit: 100}, Large: map[string]int{"/large/:id": 200}})
	for _, path := range []string{"/large/:id", "/other"} {
		e.POST(path, func(c echo.Context) error {
			if _, err := io.Copy(io.Discard, c.Request().Body); err != nil {
				return err
			}
			return c.NoContent(http.StatusNoContent)
		})
	}
	for _, c := range []struct {
		path         string
		size, status int
	}{{"/large/1", 200, 204}, {"/large/1", 201, 413}, {"/other", 100, 204}, {"/other", 101, 413}} {
		for _, known := range []bool{true, false} { // whether Content-Length says the size
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.path, strings.NewReader(strings.Repeat("x", c.size)))
			if !known {
				r.ContentLength = -1
			}
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("%d bytes for %s: %d, want %d", c.size, c.path, w.Code, c.status)
			}
		}
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	type sub struct {
		N int `json:"n"`
	}
	type input struct {
		Title string `json:"title"`
		Sub   sub    `json:"sub"`
	}
	e := newHouse(t, Options{Config: Config{BodyLimit: 100}})
	e.POST("/x", func(c echo.Context) error {
		var in input
		if err := JSON(c, &in); err != nil {
			return err
		}
		return c.JSON(http.StatusOK, in)
	})
	for name, c := range map[string]struct {
		kind, body string
		status     int
		field      string
	}{
		"JSON is taken":                        {"application/json; charset=utf-8", `{"title":"x"}`, 200, ""},
		"a merge patch is taken":               {"application/merge-patch+json", `{"title":"x"} ` + "\n", 200, ""},
		"another content type is 415":          {"text/plain", `{}`, 415, ""},
		"no content type is 415":               {"", `{}`, 415, ""},
		"no body is 400":                       {"application/json", "", 400, ""},
		"half a body is 400":                   {"application/json", `{"title":`, 400, ""},
		"no JSON is 400":                       {"application/json", `title=x`, 400, ""},
		"two values are 400":                   {"application/json", `{}{}`, 400, ""},
		"a list instead of an object is 400":   {"application/json", `[]`, 400, ""},
		"an unknown field is 422":              {"application/json", `{"titel":"x"}`, 422, "titel"},
		"a wrong type is 422":                  {"application/json", `{"title":7}`, 422, "title"},
		"a wrong type deeper is 422":           {"application/json", `{"sub":{"n":"x"}}`, 422, "sub.n"},
		"more than the limit is 413":           {"application/json", `{"title":"` + strings.Repeat("x", 100) + `"}`, 413, ""},
		"spaces beyond the limit are 413, too": {"application/json", `{}` + strings.Repeat(" ", 100), 413, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, known := range []bool{true, false} { // whether Content-Length says the size
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/x", strings.NewReader(c.body))
				r.Header.Set("Content-Type", c.kind)
				if !known {
					r.ContentLength = -1
				}
				w := httptest.NewRecorder()
				e.ServeHTTP(w, r)
				if w.Code != c.status {
					t.Fatalf("length known %v: got %d %s", known, w.Code, w.Body)
				}
				if c.status == 200 {
					continue
				}
				p := answer{w.Result(), w.Body.String()}.problem(t)
				if c.field != "" && (len(p.Errors) != 1 || p.Errors[0].Field != c.field) {
					t.Errorf("errors %v, want %s", p.Errors, c.field)
				}
				if strings.Contains(p.Detail, "Go") || strings.Contains(p.Detail, "input") {
					t.Errorf("a type's name leaks: %s", p.Detail)
				}
			}
		})
	}
}

func FuzzJSON(f *testing.F) {
	type input struct {
		Title string         `json:"title"`
		Tags  []string       `json:"tags"`
		Map   map[string]int `json:"map"`
	}
	f.Add("application/json", `{"title":"x","tags":["a"],"map":{"k":1}}`)
	f.Add("application/json", `{"title":1}`)
	f.Add("application/json", `[}`)
	f.Add("", "")
	e := New(Options{Registry: prometheus.NewRegistry()})
	e.POST("/x", func(c echo.Context) error {
		var in input
		if err := JSON(c, &in); err != nil {
			return err
		}
		return c.NoContent(http.StatusNoContent)
	})
	f.Fuzz(func(t *testing.T, kind, body string) {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/x", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if !slices.Contains([]int{204, 400, 413, 415, 422}, w.Code) {
			t.Errorf("%q %q: %d %s", kind, body, w.Code, w.Body)
		}
	})
}

func TestCorrelation(t *testing.T) {
	t.Parallel()
	e := newHouse(t, Options{})
	e.GET("/x", func(c echo.Context) error {
		ctx := c.Request().Context()
		return c.String(200, telemetry.Correlation(ctx)+" "+telemetry.Traceparent(ctx))
	})
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for given, taken := range map[string]bool{
		"abc.DEF_1-2": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "": false, "a b": false, "a\"b": false, "ä": false,
	} {
		got := call(t, e, http.MethodGet, "/x", "", "X-Correlation-ID", given, "Traceparent", trace)
		id := got.Header.Get("X-Correlation-ID")
		if taken != (id == given) || got.body != id+" "+trace || !validCorrelation(id) {
			t.Errorf("%q: id %q, body %q", given, id, got.body)
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	for _, behindTLS := range []bool{true, false} {
		e := newHouse(t, Options{Config: Config{BehindTLS: behindTLS}})
		e.GET("/x", func(c echo.Context) error { return c.NoContent(204) })
		for _, path := range []string{"/x", "/missing"} {
			got := call(t, e, http.MethodGet, path, "", "X-Forwarded-Proto", "https").Header
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
				"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
			} {
				if got.Get(name) != want {
					t.Errorf("%s: %s is %q", path, name, got.Get(name))
				}
			}
			if hsts := got.Get("Strict-Transport-Security"); (hsts != "") != behindTLS {
				t.Errorf("behind TLS %v: %q", behindTLS, hsts)
			}
		}
		if hsts := call(t, e, http.MethodGet, "/x", "").Header.Get("Strict-Transport-Security"); hsts != "" {
			t.Errorf("over plain HTTP: %q", hsts)
		}
	}
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	const ours, evil = "https://app.example.org", "https://evil.example"
	e := newHouse(t, Options{Config: Config{Origins: []string{ours}}})
	e.GET("/x", func(c echo.Context) error { return c.NoContent(204) })
	e.POST("/x", func(c echo.Context) error { return c.NoContent(201) })
	allowed := func(a answer) string {
		return a.Header.Get("Access-Control-Allow-Origin") + "|" + a.Header.Get("Access-Control-Allow-Credentials")
	}
	for name, c := range map[string]struct {
		method  string
		headers []string
		status  int
		allowed string
	}{
		"a listed page may read":                          {"GET", []string{"Origin", ours}, 204, ours + "|true"},
		"a listed page may write":                         {"POST", []string{"Origin", ours, "Sec-Fetch-Site", "cross-site"}, 201, ours + "|true"},
		"a listed page's preflight is answered":           {"OPTIONS", []string{"Origin", ours, "Access-Control-Request-Method", "PATCH"}, 204, ours + "|true"},
		"another page reads without permission":           {"GET", []string{"Origin", evil}, 204, "|"},
		"another page may not write, even with a cookie":  {"POST", []string{"Origin", evil, "Sec-Fetch-Site", "cross-site"}, 403, "|"},
		"an old browser's other page may not write":       {"POST", []string{"Origin", evil}, 403, "|"},
		"another page's preflight is not allowed":         {"OPTIONS", []string{"Origin", evil, "Access-Control-Request-Method", "PATCH"}, 204, "|"},
		"an origin that only begins like ours is another": {"GET", []string{"Origin", ours + ".evil.example"}, 204, "|"},
		"the null origin is another":                      {"GET", []string{"Origin", "null"}, 204, "|"},
		"a program without an origin may write":           {"POST", nil, 201, "|"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := call(t, e, c.method, "/x", "", c.headers...)
			if got.StatusCode != c.status || allowed(got) != c.allowed || got.Header.Get("Vary") != "Origin" {
				t.Errorf("got %d, %q, Vary %q", got.StatusCode, allowed(got), got.Header.Get("Vary"))
			}
			if got.StatusCode == 403 {
				got.problem(t)
			}
			// A preflight asks for permission; only the answer itself has headers to show (Fetch standard, 4.9).
			if shown := got.Header.Get("Access-Control-Expose-Headers"); (shown != "") != (c.allowed != "|" && c.method != "OPTIONS") {
				t.Errorf("the page may read %q", shown)
			}
		})
	}
	shown := strings.Split(call(t, e, "GET", "/x", "", "Origin", ours).Header.Get("Access-Control-Expose-Headers"), ", ")
	for _, name := range []string{"ETag", "Location", "Retry-After", "X-Correlation-ID", "Idempotency-Replayed", "WWW-Authenticate"} {
		if !slices.Contains(shown, name) {
			t.Errorf("a listed page may not read %s, only %v", name, shown)
		}
	}
	for _, bad := range []string{"*", "https://a.example/", "a.example", "https://a.example/x", "null"} {
		c := Config{Origins: []string{bad}, BodyLimit: 1, Rate: 1, Burst: 1, Timeout: time.Second}
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), "CORS_ORIGINS") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestRequireUser(t *testing.T) {
	t.Parallel()
	e := newHouse(t, Options{})
	g := e.Group("/api", RequireUser(verifier(t)))
	who := func(c echo.Context) error {
		claims, _ := auth.FromContext(c.Request().Context())
		return c.String(200, c.Param("user_id")+" "+claims.Subject+" "+telemetry.User(c.Request().Context()))
	}
	g.GET("/:user_id/tasks", who)
	g.GET("/me", who)
	for name, c := range map[string]struct {
		path, token string
		status      int
		body        string
	}{
		"a user reaches their own path":               {"/api/alice/tasks", token(t, "alice"), 200, "alice alice alice"},
		"a path without a user needs only a token":    {"/api/me", token(t, "alice"), 200, " alice alice"},
		"a user whose id is escaped reaches theirs":   {"/api/a%40b%7Cc/tasks", token(t, "a@b|c"), 200, "a@b|c a@b|c a@b|c"},
		"a user whose id is not escaped, too":         {"/api/a@b/tasks", token(t, "a@b"), 200, "a@b a@b a@b"},
		"another's path is 403":                       {"/api/bob/tasks", token(t, "alice"), 403, ""},
		"another's path with an escaped slash is 403": {"/api/alice%2f..%2fbob/tasks", token(t, "alice"), 403, ""},
		"no token is 401":                             {"/api/alice/tasks", "", 401, ""},
		"a bad token is 401":                          {"/api/alice/tasks", "Bearer x.y.z", 401, ""},
		"what is not there is 404 for users":          {"/api/x/y/z", token(t, "alice"), 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := newID()
			headers := []string{"X-Correlation-ID", id}
			if c.token != "" {
				headers = append(headers, "Authorization", c.token)
			}
			got := call(t, e, http.MethodGet, c.path, "", headers...)
			if got.StatusCode != c.status || (c.status == 200 && got.body != c.body) {
				t.Errorf("got %d %q", got.StatusCode, got.body)
			}
			if c.status != 200 {
				got.problem(t)
			}
			lines := linesOf(t, id)
			if _, named := lines[0]["user_id"]; len(lines) != 1 || named != (c.status != 401) {
				t.Errorf("logged %v", lines)
			}
		})
	}
}

func TestRequireBearer(t *testing.T) {
	t.Parallel()
	const metadata = "https://tasks.example/.well-known/oauth-protected-resource/x"
	e := newHouse(t, Options{})
	e.POST("/x", func(c echo.Context) error {
		claims, _ := auth.FromContext(c.Request().Context())
		return c.String(200, claims.Subject)
	}, RequireBearer(verifier(t), metadata))
	challenge := func(before string) string {
		return `Bearer realm="taskflow"` + before + `, resource_metadata="` + metadata + `"`
	}
	good := strings.TrimPrefix(token(t, "alice"), "Bearer ")
	for name, c := range map[string]struct {
		header, value string
		status        int
		challenge     string
	}{
		"the header lets in":                        {"Authorization", "Bearer " + good, 200, ""},
		"the cookie does not, for it comes unasked": {"Cookie", "taskflow_token=" + good, 401, challenge("")},
		"nor does another scheme":                   {"Authorization", "Basic " + good, 401, challenge("")},
		"nor a bad token, which is said":            {"Authorization", "Bearer x.y.z", 401, challenge(`, error="invalid_token"`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := call(t, e, http.MethodPost, "/x", "", c.header, c.value)
			if got.StatusCode != c.status || got.Header.Get("WWW-Authenticate") != c.challenge {
				t.Errorf("got %d, %q", got.StatusCode, got.Header.Get("WWW-Authenticate"))
			}
			if c.status != 200 {
				if p := got.problem(t); strings.Contains(p.Detail, "cookie") {
					t.Errorf("it speaks of a cookie: %q", p.Detail)
				}
			} else if got.body != "alice" {
				t.Errorf("got %q", got.body)
			}
		})
	}
}

func TestALimiterIsForWhateverIsDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(1, 2)
		for i, want := range []time.Duration{0, 0, time.Second, time.Second} {
			wait := time.Duration(0)
			if e, ok := errors.AsType[TooManyRequests](l.Take("alice")); ok {
				wait = e.Wait
			}
			if wait != want {
				t.Errorf("time %d: wait %v instead of %v", i, wait, want)
			}
		}
		if err := l.Take("bob"); err != nil {
			t.Errorf("somebody else: %v", err)
		}
	})
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newHouse(t, Options{})
		e.GET("/open", func(c echo.Context) error { return c.NoContent(204) }, RateLimit(1, 1))
		e.GET("/x", func(c echo.Context) error { return c.NoContent(204) }, RequireUser(verifier(t)), RateLimit(2, 5))
		ask := func(user string) answer {
			return call(t, e, http.MethodGet, "/x", "", "Authorization", token(t, user))
		}
		for range 5 {
			if got := ask("alice"); got.StatusCode != 204 {
				t.Fatalf("within the burst: %d", got.StatusCode)
			}
		}
		for range 3 {
			got := ask("alice")
			if p := got.problem(t); p.Status != 429 || got.Header.Get("Retry-After") != "1" {
				t.Errorf("beyond it: %+v, Retry-After %q", p, got.Header.Get("Retry-After"))
			}
		}
		if got := ask("bob"); got.StatusCode != 204 {
			t.Errorf("somebody else: %d", got.StatusCode)
		}
		<-time.After(time.Second)
		for i, want := range []int{204, 204, 429} {
			if got := ask("alice"); got.StatusCode != want {
				t.Errorf("a second later, request %d: %d", i, got.StatusCode)
			}
		}
		for i, want := range []int{204, 429} {
			if got := call(t, e, http.MethodGet, "/open", "", "X-Forwarded-For", fmt.Sprint("10.0.0.", i)); got.StatusCode != want {
				t.Errorf("without a token, request %d: %d", i, got.StatusCode)
			}
		}
	})
}

func TestObservation(t *testing.T) {
	t.Parallel()
	registry, observed, quiet := prometheus.NewRegistry(), newID(), newID()
	e := newHouse(t, Options{Registry: registry})
	newHouse(t, Options{Registry: registry}) // a second house in one process shares the metrics
	Health(e, nil)
	e.GET("/api/:user_id/tasks", func(c echo.Context) error { return c.String(200, "hello") })
	call(t, e, http.MethodGet, "/api/alice/tasks", "", "X-Correlation-ID", observed)
	call(t, e, http.MethodGet, "/api/bob/tasks", "")
	call(t, e, http.MethodGet, "/no/such", "")
	call(t, e, "BREW", "/no/such", "")
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if got := call(t, e, http.MethodGet, path, "", "X-Correlation-ID", quiet); got.StatusCode != 200 {
			t.Errorf("%s: %d", path, got.StatusCode)
		}
	}
	if err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP taskflow_http_requests_total Answered requests by method, route template and status.
# TYPE taskflow_http_requests_total counter
taskflow_http_requests_total{method="GET",route="/api/:user_id/tasks",status="200"} 2
taskflow_http_requests_total{method="GET",route="unmatched",status="404"} 1
taskflow_http_requests_total{method="other",route="unmatched",status="404"} 1
`), "taskflow_http_requests_total"); err != nil {
		t.Error(err)
	}
	if n := testutil.CollectAndCount(registry, "taskflow_http_request_seconds"); n != 3 {
		t.Errorf("%d histograms", n)
	}
	if lines := linesOf(t, quiet); len(lines) != 0 {
		t.Errorf("probes are logged: %v", lines)
	}
	lines := linesOf(t, observed)
	if len(lines) != 1 {
		t.Fatalf("logged %v", lines)
	}
	for name, want := range map[string]any{
		"msg": "request", "level": "INFO", "method": "GET", "route": "/api/:user_id/tasks", "status": 200.0, "bytes": 5.0,
	} {
		if lines[0][name] != want {
			t.Errorf("%s is %v, want %v", name, lines[0][name], want)
		}
	}
	if _, ok := lines[0]["duration_ms"].(float64); !ok {
		t.Errorf("duration %v", lines[0]["duration_ms"])
	}
}

func TestConfigReportsEverything(t *testing.T) {
	t.Parallel()
	defaults, err := config.Load[Config](func(string) (string, bool) { return "", false })
	if err != nil || defaults.Addr != ":8080" {
		t.Errorf("%+v, %v", defaults, err)
	}
	err = Config{Origins: []string{"*"}}.Check()
	for _, name := range []string{"CORS_ORIGINS", "HTTP_BODY_LIMIT", "HTTP_TIMEOUT", "RATE_LIMIT", "RATE_BURST"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not in: %v", name, err)
		}
	}
}

func TestStatusesCoverEveryKind(t *testing.T) {
	t.Parallel()
	kinds := slices.Sorted(maps.Keys(statuses))
	if len(kinds) != int(errs.Unavailable)+1 || kinds[0] != errs.Internal {
		t.Errorf("kinds with a status: %v", kinds)
	}
}

func BenchmarkRequest(b *testing.B) {
	handler, err := telemetry.NewHandler(io.Discard, "bench", "info")
	if err != nil {
		b.Fatal(err)
	}
	before := slog.Default()
	slog.SetDefault(slog.New(handler))
	b.Cleanup(func() { slog.SetDefault(before) })

	noop := func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }
	house := newHouse(b, Options{})
	house.GET("/api/:user_id/tasks", noop, RequireUser(verifier(b)), RateLimit(1_000_000_000, 1_000_000_000))
	bare := echo.New()
	bare.GET("/api/:user_id/tasks", noop)
	authorization := token(b, "alice")
	for name, e := range map[string]*echo.Echo{"house": house, "bare echo": bare} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/api/alice/tasks", nil)
			r.Header.Set("Authorization", authorization)
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				if e.ServeHTTP(w, r); w.Code != http.StatusNoContent {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
