package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/hub"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/hub/hubtest"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/ws"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}

const (
	secret = "a secret for tests that is long enough"
	page   = "https://app.example.org"
)

// world is a notifier's door with its hub, on a log in memory.
type world struct {
	t        testing.TB
	log      *hubtest.Log
	hub      *hub.Hub[*ws.Frame]
	server   *ws.Server
	registry *prometheus.Registry
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)
	addr     string
	// stop begins the shutdown; ended is closed when it is complete.
	stop  context.CancelFunc
	ended chan struct{}
}

// settings are what tests change of a world.
type settings struct {
	hub      hub.Options
	door     ws.Options
	listener net.Listener
}

// inside runs a test with fake time: connections are pipes, so five minutes of silence take none.
func inside(t *testing.T, s settings, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s.listener = newPipes()
		test(t, open(t, s))
	})
}

// outside runs a test on loopback TCP, where the kernel has buffers, resets and half-closed connections.
func outside(t testing.TB, s settings) *world {
	t.Helper()
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.listener = l
	return open(t, s)
}

func open(t testing.TB, s settings) *world {
	t.Helper()
	w := &world{t: t, log: hubtest.NewLog(), registry: prometheus.NewRegistry(), ended: make(chan struct{}), addr: s.listener.Addr().String()}
	w.dial = (&net.Dialer{}).DialContext
	if p, ok := s.listener.(*pipes); ok {
		w.dial, w.addr = p.dial, "notifier"
	}
	w.hub = hub.New(w.log, ws.Encode, s.hub)
	verifier, err := auth.New(auth.Config{Secret: config.NewSecret(secret)})
	if err != nil {
		t.Fatal(err)
	}
	s.door.Hub = w.hub
	if s.door.Verifier == nil {
		s.door.Verifier = verifier
	}
	if s.door.Origins == nil {
		s.door.Origins = []string{page}
	}
	w.server = ws.New(s.door)
	w.registry.MustRegister(w.server.Metrics())
	house := rest.New(rest.Options{Registry: w.registry, Untimed: []string{ws.Path}})
	w.server.Routes(house)

	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	w.stop = stop
	var running sync.WaitGroup
	running.Go(func() { _ = w.server.Run(ctx) })
	serving, unserve := context.WithCancel(context.WithoutCancel(t.Context()))
	running.Go(func() {
		if err := rest.ServeOn(serving, s.listener, house, rest.Streams()); err != nil {
			t.Error(err)
		}
	})
	go func() {
		<-ctx.Done()
		unserve()
		running.Wait()
		close(w.ended)
	}()
	t.Cleanup(func() {
		stop()
		<-w.ended
	})
	return w
}

func mint(t testing.TB, user string, ttl time.Duration) string {
	t.Helper()
	token, err := auth.Mint(secret, user, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// try sends an upgrade request.
func (w *world) try(path string, header http.Header) (*websocket.Conn, *http.Response, error) {
	d := websocket.Dialer{NetDialContext: w.dial, HandshakeTimeout: 10 * time.Second}
	return d.DialContext(w.t.Context(), "ws://"+w.addr+path, header)
}

// socket opens a connection; what it does is up to the test.
func (w *world) socket(path string, header http.Header) *websocket.Conn {
	w.t.Helper()
	conn, res, err := w.try(path, header)
	if err != nil {
		if res != nil {
			body, _ := io.ReadAll(res.Body)
			w.t.Fatalf("%s: %d %s", path, res.StatusCode, body)
		}
		w.t.Fatalf("%s: %v", path, err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

func path(user, query string) string { return "/ws/user/" + user + "/tasks" + query }

// frame is what a client reads.
type frame struct {
	Type string `json:"type"`
	Data struct {
		EventID  string   `json:"event_id"`
		TaskID   string   `json:"task_id"`
		Version  int      `json:"version"`
		Changed  []string `json:"changed"`
		Sequence int64    `json:"sequence"`
		Detail   string   `json:"detail"`
	} `json:"data"`
	Timestamp time.Time `json:"timestamp"`
	Sequence  int64     `json:"sequence"`
	raw       string
}

// client reads all the time, as a browser does.
type client struct {
	t      testing.TB
	conn   *websocket.Conn
	frames chan frame
	end    chan error
}

func (w *world) client(path string, header http.Header) *client {
	w.t.Helper()
	return reading(w.t, w.socket(path, header))
}

func reading(t testing.TB, conn *websocket.Conn) *client {
	c := &client{t: t, conn: conn, frames: make(chan frame, 20_000), end: make(chan error, 1)}
	go func() {
		defer close(c.frames)
		for {
			_, raw, err := conn.ReadMessage()
			if err != nil {
				c.end <- err
				return
			}
			f := frame{raw: string(raw)}
			if err := json.Unmarshal(raw, &f); err != nil {
				c.end <- err
				return
			}
			c.frames <- f
		}
	}()
	return c
}

// patience bounds every wait. In fake time it passes at once.
const patience = 30 * time.Second

func (c *client) next() frame {
	c.t.Helper()
	select {
	case f, ok := <-c.frames:
		if !ok {
			c.t.Fatalf("the connection ended: %v", <-c.end)
		}
		return f
	case <-time.After(patience):
		c.t.Fatal("no frame in time")
	}
	panic("unreachable")
}

func (c *client) wants(kind string) frame {
	c.t.Helper()
	f := c.next()
	if f.Type != kind {
		c.t.Fatalf("%s, want %s", f.raw, kind)
	}
	return f
}

// events reads events with the sequences first to last.
func (c *client) events(first, last int64) {
	c.t.Helper()
	for sequence := first; sequence <= last; sequence++ {
		if f := c.next(); f.Sequence != sequence {
			c.t.Fatalf("%s, want sequence %d", f.raw, sequence)
		}
	}
}

// code reads on until the end and returns the close code, 1006 if there was none.
func (c *client) code() int {
	c.t.Helper()
	for range c.frames {
	}
	return codeOf(<-c.end)
}

func codeOf(err error) int {
	if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
		return closed.Code
	}
	return websocket.CloseAbnormalClosure
}

func (c *client) say(text string) {
	c.t.Helper()
	if err := c.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// publish adds events to the log and delivers them.
func (w *world) publish(user string, n int) {
	for _, e := range w.log.Add(user, n) {
		w.hub.Publish(e)
	}
}

// metric is a figure's value, given its name and, if it has one, its label's value.
func (w *world) metric(name, label string) float64 {
	w.t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() != name || label != "" && (len(m.GetLabel()) != 1 || m.GetLabel()[0].GetValue() != label) {
				continue
			}
			switch {
			case m.GetCounter() != nil:
				return m.GetCounter().GetValue()
			case m.GetGauge() != nil:
				return m.GetGauge().GetValue()
			default:
				return float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	w.t.Fatalf("no metric %s %s", name, label)
	return 0
}

// pipes is a network without a kernel: what it carries is inside the bubble of fake time.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s\nlacks %s", text, part)
		}
	}
}
