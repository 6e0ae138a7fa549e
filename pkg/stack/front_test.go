package stack

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
)

func TestAFrontServesAProductThatRunsElsewhere(t *testing.T) {
	t.Parallel()
	arrived, leave := make(chan struct{}), make(chan struct{})
	api := behind(t, "task-api", "task-api", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/alice/slow" {
			close(arrived)
			<-leave
		}
		_, _ = io.WriteString(w, "task-api for "+r.Header.Get("X-Forwarded-For"))
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Front{Apps: map[string]string{"task-api": api.addr}, Log: t.Logf}.Serve(ctx, listener)
	}()
	get := func(path string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String()+path, nil)
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		r.Header.Set("X-Forwarded-For", "10.1.2.3")
		answer, body := fetch(t, r)
		return answer.StatusCode, body
	}
	if status, body := get("/api/alice/tasks"); status != http.StatusOK || body != "task-api for 127.0.0.1" {
		t.Errorf("got %d %q", status, body)
	}
	if status, _ := get("/"); status != http.StatusNotFound {
		t.Errorf("the page is not there, and the answer is %d", status)
	}
	slow := make(chan string, 1)
	go func() {
		_, body := get("/api/alice/slow")
		slow <- body
	}()
	<-arrived
	stop()
	close(leave)
	if body := <-slow; body != "task-api for 127.0.0.1" {
		t.Errorf("a request under way when it stopped was answered %q", body)
	}
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestAFrontRefusesAnAppThatNoPathLeadsTo(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := (Front{Apps: map[string]string{"task-spi": "127.0.0.1:1"}, Log: t.Logf}).Serve(t.Context(), listener); err == nil {
		t.Error("it should refuse task-spi")
	}
}
