package rest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

// serve runs a server on a port of its own and returns its address, what ends it and what it returned.
func serve(t *testing.T, h http.Handler, opts ...ServeOption) (string, context.CancelFunc, <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- ServeOn(ctx, l, h, opts...) }()
	t.Cleanup(stop)
	return l.Addr().String(), stop, ended
}

func get(t *testing.T, url string) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return client.Do(r)
}

func TestServe(t *testing.T) {
	t.Parallel()
	t.Run("lets requests under way finish", func(t *testing.T) {
		t.Parallel()
		entered, release := make(chan struct{}), make(chan struct{})
		addr, stop, ended := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(entered)
			<-release
			if r.Context().Err() != nil {
				t.Error("its context ended with the server's")
			}
			_, _ = io.WriteString(w, "done")
		}))
		type result struct {
			body string
			err  error
		}
		got := make(chan result, 1)
		go func() {
			response, err := get(t, "http://"+addr)
			if err != nil {
				got <- result{err: err}
				return
			}
			body, err := io.ReadAll(response.Body)
			got <- result{string(body), errors.Join(err, response.Body.Close())}
		}()
		<-entered
		stop()
		close(release)
		if r := <-got; r.err != nil || r.body != "done" {
			t.Errorf("got %q, %v", r.body, r.err)
		}
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if _, err := get(t, "http://"+addr); err == nil {
			t.Error("it still listens")
		}
	})
	t.Run("tells streams to stop", func(t *testing.T) {
		t.Parallel()
		addr, stop, ended := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "first\n")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			_, _ = io.WriteString(w, "last\n")
		}), Streams())
		response, err := get(t, "http://"+addr)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(response.Body)
		if !lines.Scan() || lines.Text() != "first" {
			t.Fatalf("got %q, %v", lines.Text(), lines.Err())
		}
		stop()
		if !lines.Scan() || lines.Text() != "last" {
			t.Errorf("got %q, %v", lines.Text(), lines.Err())
		}
		if err := errors.Join(<-ended, response.Body.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Run("refuses headers of more than 32 KiB", func(t *testing.T) {
		t.Parallel()
		addr, stop, ended := serve(t, http.NotFoundHandler())
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Long", strings.Repeat("x", 40<<10))
		response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
		if err != nil || response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Fatalf("got %v, %v", response, err)
		}
		_ = response.Body.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Run("names the address it cannot have", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		if err := Serve(t.Context(), l.Addr().String(), http.NotFoundHandler()); err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("says so when its listener breaks", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		if err := ServeOn(t.Context(), l, http.NotFoundHandler()); err == nil {
			t.Error("no error")
		}
	})
}

// A WebSocket's connection is taken over from the server: the house must let that happen and count it as what it is.
func TestTakenOverConnectionsAreCountedAs101(t *testing.T) {
	t.Parallel()
	e := newHouse(t, Options{Untimed: []string{"/ws"}})
	e.GET("/ws", func(c echo.Context) error {
		conn, _, err := http.NewResponseController(c.Response()).Hijack()
		if err != nil {
			return err
		}
		_, err = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
		return errors.Join(err, conn.Close())
	})
	id, observed := newID(), make(chan struct{})
	addr, stop, ended := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.ServeHTTP(w, r)
		close(observed)
	}), Streams())
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Correlation-ID: "+id+"\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(all), "HTTP/1.1 101") {
		t.Errorf("got %q, %v", all, err)
	}
	<-observed
	if lines := linesOf(t, id); len(lines) != 1 || lines[0]["status"] != 101.0 {
		t.Errorf("logged %v", lines)
	}
	stop()
	if err := errors.Join(<-ended, conn.Close()); err != nil {
		t.Error(err)
	}
}
