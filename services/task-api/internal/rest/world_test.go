package rest_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/postgres/tokenstore"
	house "github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/services/internal/contract/contracttest"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/rest"
)

const secret = "a secret of more than thirty-two bytes, for tests"

// world is the door on a real database behind a real listener.
type world struct {
	db     *postgres.DB
	server *httptest.Server
	// cut takes the database away.
	cut func()
}

type settings struct {
	house.Config
	cuttable bool
}

func open(t testing.TB, s settings) *world {
	t.Helper()
	w := &world{}
	databaseURL := testkit.Postgres(t)
	if s.cuttable {
		databaseURL, w.cut = cuttable(t, databaseURL)
	}
	w.db = testkit.OpenPostgresAt(t, databaseURL)
	tokens := tokenstore.New(w.db, time.Now)
	verifier, err := auth.New(auth.Config{Secret: config.NewSecret(secret)}, auth.WithAPITokens(tokens))
	if err != nil {
		t.Fatal(err)
	}
	if s.Rate == 0 {
		s.Rate, s.Burst = 1_000_000, 1_000_000
	}
	e := house.New(house.Options{Config: s.Config, Untimed: rest.Untimed(), Large: rest.Large(), Registry: prometheus.NewRegistry()})
	err = rest.Register(e, rest.Options{
		Tasks: task.NewService(taskstore.New(w.db), time.Now), Tokens: tokens, ForgetTokens: verifier.ForgetAPITokens, Now: time.Now,
	}, house.RequireUser(verifier), house.RateLimit(s.Rate, s.Burst))
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(e)
	t.Cleanup(w.server.Close)
	return w
}

// cuttable puts a wire between the test and its database that can be cut.
func cuttable(t testing.TB, databaseURL string) (through string, cut func()) {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	target := u.Host
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var (
		mu    sync.Mutex
		conns []net.Conn
		done  sync.WaitGroup
	)
	done.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", target)
			if err != nil {
				in.Close()
				return
			}
			mu.Lock()
			conns = append(conns, in, out)
			mu.Unlock()
			done.Go(func() { io.Copy(in, out); in.Close() })  //nolint:errcheck // a wire
			done.Go(func() { io.Copy(out, in); out.Close() }) //nolint:errcheck // a wire
		}
	})
	cut = sync.OnceFunc(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		done.Wait()
	})
	t.Cleanup(cut)
	u.Host = l.Addr().String()
	return u.String(), cut
}

// user is somebody with a token.
type user struct {
	*world
	t     testing.TB
	id    string
	token string
}

func (w *world) user(t testing.TB) user {
	t.Helper()
	return w.named(t, "user-"+uuid.NewString())
}

func (w *world) named(t testing.TB, id string) user {
	t.Helper()
	token, err := auth.Mint(secret, id, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return user{w, t, id, token}
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

// send sends a request to the user's own path. Headers are name, value pairs; an empty value takes the header away.
func (u user) send(method, path, body string, headers ...string) answer {
	u.t.Helper()
	return u.sendTo("/api/"+u.id+path, method, body, headers...)
}

func (u user) sendTo(path, method, body string, headers ...string) answer {
	u.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(u.t.Context(), method, u.server.URL+path, content)
	if err != nil {
		u.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+u.token)
	switch {
	case strings.Contains(path, "format=ical"):
		r.Header.Set("Content-Type", "text/calendar")
	case strings.Contains(path, "format=todoist"):
		r.Header.Set("Content-Type", "text/csv; charset=utf-8")
	case body != "":
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := u.server.Client().Do(r)
	if err != nil {
		u.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		u.t.Fatal(err)
	}
	record.See(u.t, r, response, raw)
	return answer{response.StatusCode, response.Header, raw}
}

// want ends the test unless the answer has the status.
func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

func decode[T any](t testing.TB, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	return v
}

func (u user) create(body string) rest.Task {
	u.t.Helper()
	return decode[rest.Task](u.t, u.send("POST", "/tasks", body).want(u.t, 201))
}

// problem is what a problem says in one line: its detail, or its wrong fields.
func problem(t testing.TB, a answer) string {
	t.Helper()
	p := decode[rest.Problem](t, a)
	if a.header.Get("Content-Type") != "application/problem+json" || p.Status != a.status || p.Detail == "" || p.CorrelationID == nil {
		t.Errorf("not a whole problem: %s %s", a.header.Get("Content-Type"), a.body)
	}
	if p.Errors == nil {
		return p.Detail
	}
	var fields []string
	for _, f := range *p.Errors {
		fields = append(fields, f.Field+" "+f.Message)
	}
	return strings.Join(fields, "; ")
}

// record holds every answer against the specification and remembers which statuses were shown.
var record = contracttest.NewRecorder(rest.GetSwagger)

// TestMain fails if a documented status was shown by no test, provided that all tests ran.
func TestMain(m *testing.M) { record.Main(m) }
