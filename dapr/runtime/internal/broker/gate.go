package broker

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// gate is the listener the broker serves. The port is bound from the beginning,
// so that a busy one is noticed and early clients wait instead of failing; but
// until open is called, only connections made by dialInside are accepted.
type gate struct {
	outside net.Listener
	addr    net.Addr
	conns   chan net.Conn
	closed  chan struct{}
	once    sync.Once
	pumping sync.WaitGroup
}

// newGate guards outside. advertise, if not empty, is what Addr answers.
func newGate(outside net.Listener, advertise string) (*gate, error) {
	addr := outside.Addr()
	if advertise != "" {
		if _, _, err := net.SplitHostPort(advertise); err != nil {
			return nil, fmt.Errorf("advertised address %q: %w", advertise, err)
		}
		addr = advertised(advertise)
	}
	return &gate{outside: outside, addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}, nil
}

type advertised string

func (advertised) Network() string  { return "tcp" }
func (a advertised) String() string { return string(a) }

// open lets everybody in. The goroutine it starts ends with Close.
func (g *gate) open() {
	g.pumping.Go(func() {
		for {
			conn, err := g.outside.Accept()
			if err != nil {
				return
			}
			if g.hand(context.Background(), conn) != nil {
				return
			}
		}
	})
}

// dialInside connects to the broker within the process, open or not. It has the
// shape of kgo.Dialer; the address is ignored, there is only one broker.
func (g *gate) dialInside(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	if err := g.hand(ctx, theirs); err != nil {
		_ = ours.Close()
		return nil, err
	}
	return ours, nil
}

// hand gives conn to Accept, or closes it if nobody will ask for it any more.
func (g *gate) hand(ctx context.Context, conn net.Conn) error {
	select {
	case g.conns <- conn:
		return nil
	case <-g.closed:
		_ = conn.Close()
		return net.ErrClosed
	case <-ctx.Done():
		_ = conn.Close()
		return ctx.Err()
	}
}

func (g *gate) Accept() (net.Conn, error) {
	select {
	case conn := <-g.conns:
		return conn, nil
	case <-g.closed:
		return nil, net.ErrClosed
	}
}

func (g *gate) Close() error {
	var err error
	g.once.Do(func() {
		close(g.closed)
		err = g.outside.Close()
		g.pumping.Wait()
	})
	return err
}

func (g *gate) Addr() net.Addr { return g.addr }
