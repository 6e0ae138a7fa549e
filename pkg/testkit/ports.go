package testkit

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// Ports for tests lie between those of services of a developer's stack and those that outgoing connections take, so that
// a port of a killed process is still free when it is started again. Each test binary starts at a random place, because
// several run at once.
const (
	firstPort = 10000
	lastPort  = 19999
)

var (
	portsMutex sync.Mutex
	nextPort   = firstPort + rand.IntN(lastPort-firstPort) //nolint:gosec // G404: only to keep test processes apart
)

// Address is one on this machine, host:port, where nobody listens and which no other test of this binary gets.
func Address(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", freePorts(t, 1)[0])
}

// freePorts are ports nobody listens on, which no other test of this binary gets.
func freePorts(t testing.TB, n int) []string {
	t.Helper()
	portsMutex.Lock()
	defer portsMutex.Unlock()
	var ports []string
	for range lastPort - firstPort {
		if len(ports) == n {
			return ports
		}
		port := strconv.Itoa(nextPort)
		if nextPort++; nextPort > lastPort {
			nextPort = firstPort
		}
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			continue
		}
		_ = l.Close()
		ports = append(ports, port)
	}
	t.Fatal("no free ports between 10000 and 19999")
	return nil
}
