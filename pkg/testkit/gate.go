package testkit

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Gate stands before a server that tests share, and can be shut for one test alone: what has come through is cut, and
// what comes is turned away.
type Gate struct {
	// URL is the server's with the gate's address in place of its own.
	URL string

	mu    sync.Mutex
	shut  bool
	conns map[net.Conn]bool
}

// NewGate is open, and stands until the test ends.
func NewGate(t testing.TB, server string) *Gate {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	behind := u.Host
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u.Host = l.Addr().String()
	g := &Gate{URL: u.String(), conns: map[net.Conn]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			var dial net.Dialer
			out, err := dial.DialContext(t.Context(), "tcp", behind)
			if err != nil {
				_ = in.Close()
				continue
			}
			g.enter(in, out)
			all.Go(func() { g.pass(out, in) })
			all.Go(func() { g.pass(in, out) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		g.Shut()
		all.Wait()
	})
	return g
}

// Shut cuts every connection, and those to come.
func (g *Gate) Shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	for c := range g.conns {
		_ = c.Close()
	}
}

// Open lets connections through again.
func (g *Gate) Open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = false
}

// enter cuts connections that come while the gate is shut.
func (g *Gate) enter(conns ...net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range conns {
		if g.conns[c] = true; g.shut {
			_ = c.Close()
		}
	}
}

func (g *Gate) pass(to, from net.Conn) {
	_, _ = io.Copy(to, from) // it ends with either side
	_ = to.Close()
	_ = from.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, to)
	delete(g.conns, from)
}
