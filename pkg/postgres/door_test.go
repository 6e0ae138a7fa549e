package postgres_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// door stands before a server and turns its first callers away.
type door struct{ url string }

func newDoor(t *testing.T, server string, away int) *door {
	t.Helper()
	u, err := url.Parse(server)
	must(t, err)
	behind := u.Host
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	u.Host = l.Addr().String()
	var all sync.WaitGroup
	all.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			if away > 0 {
				away--
				in.Close()
				continue
			}
			out, err := net.Dial("tcp", behind)
			if err != nil {
				in.Close()
				continue
			}
			all.Go(func() { defer out.Close(); io.Copy(out, in) }) //nolint:errcheck // it ends with either side
			all.Go(func() { defer in.Close(); io.Copy(in, out) })  //nolint:errcheck // it ends with either side
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return &door{u.String()}
}
