package abuse_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"
)

// slowly is clients that send a byte a second, or none, to keep connections of a server for themselves.
type slowly struct {
	all   sync.WaitGroup
	mu    sync.Mutex
	wrong map[string]int
	n     int
}

const (
	// slowEach is how many there are of each kind at each door.
	slowEach = 40
	// A door may keep one for 5 s until its head is there, the origin for 10 s, and for 30 s until its body is.
	headPatience = 20 * time.Second
	bodyPatience = 50 * time.Second
)

// sendSlowly begins at all doors at once, and goes on beside whatever else is done.
func (w *world) sendSlowly(t *testing.T) *slowly {
	t.Helper()
	s := &slowly{wrong: map[string]int{}}
	token := w.issuer.token("ada")
	for _, part := range append([]string{"origin"}, doors...) {
		path := map[string]string{"chat-agent": "/api/ada/chat", "mcp-tools": "/mcp"}[part]
		if path == "" {
			path = "/api/ada/tasks"
		}
		body := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
			"Accept: application/json, text/event-stream\r\nContent-Length: 5000\r\n\r\n{", path, token)
		for name, kind := range map[string]struct {
			begin string
			more  string
			limit time.Duration
		}{
			"says nothing":                {"", "", headPatience},
			"sends its head slowly":       {"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", "a", headPatience},
			"sends head after head":       {"GET / HTTP/1.1\r\nHost: x\r\n", "X-A: b\r\n", headPatience},
			"sends its body slowly":       {body, " ", bodyPatience},
			"never sends its body":        {body, "", bodyPatience},
			"sends a chunk that is slow":  {"POST " + path + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFF\r\n", "a", bodyPatience},
			"does not say what it speaks": {"\x16\x03\x01", "\x00", headPatience},
		} {
			for range slowEach {
				s.all.Go(func() {
					if err := w.slow(part, kind.begin, kind.more, kind.limit); err != nil {
						s.mu.Lock()
						s.wrong[fmt.Sprintf("%s: who %s: %v", part, name, err)]++
						s.mu.Unlock()
					}
				})
				s.n++
			}
		}
	}
	return s
}

// slow sends something and then a little more each second, until the server hangs up.
func (w *world) slow(part, begin, more string, limit time.Duration) error {
	c, err := w.dial(part)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if _, err := io.WriteString(c, begin); err != nil {
		return err
	}
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for more != "" {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			if _, err := io.WriteString(c, more); err != nil {
				return
			}
		}
	}()
	res, err := http.ReadResponse(c.read, nil)
	if err == nil {
		_ = res.Body.Close()
		if res.StatusCode >= 500 && res.StatusCode != http.StatusServiceUnavailable {
			return fmt.Errorf("is answered with %d", res.StatusCode)
		}
	}
	for err == nil {
		_, err = c.read.ReadByte()
	}
	if gone(err) || errors.Is(err, io.EOF) {
		return nil
	}
	if timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && timeout.Timeout() {
		return fmt.Errorf("still has its connection after %s", limit)
	}
	return nil
}

func (s *slowly) check(t *testing.T) {
	s.all.Wait()
	for what, times := range s.wrong {
		t.Errorf("%d times: %s", times, what)
	}
	t.Logf("%d slow connections", s.n)
}
