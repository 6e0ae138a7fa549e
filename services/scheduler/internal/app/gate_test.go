package app

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// gate stands before the database's server and can be shut.
type gate struct {
	url string

	mu    sync.Mutex
	shut  bool
	conns map[net.Conn]bool
}

func newGate(t *testing.T, database string) *gate {
	t.Helper()
	u, err := url.Parse(database)
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
	g := &gate{url: u.String(), conns: map[net.Conn]bool{}}
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
		g.set(true)
		all.Wait()
	})
	return g
}

// enter cuts connections that come while the gate is shut.
func (g *gate) enter(conns ...net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range conns {
		if g.conns[c] = true; g.shut {
			_ = c.Close()
		}
	}
}

func (g *gate) pass(to, from net.Conn) {
	_, _ = io.Copy(to, from) // it ends with either side
	_ = to.Close()
	_ = from.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, to)
	delete(g.conns, from)
}

// set shuts the gate, which cuts every connection, or opens it.
func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut = shut; shut {
		for c := range g.conns {
			_ = c.Close()
		}
	}
}
