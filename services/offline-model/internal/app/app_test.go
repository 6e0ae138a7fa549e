package app

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func load(t *testing.T, env map[string]string) (Config, error) {
	t.Helper()
	return config.Load[Config](func(name string) (string, bool) { v, ok := env[name]; return v, ok })
}

func TestItStartsWithNothingButAnAddressAndStops(t *testing.T) {
	t.Parallel()
	settings, err := load(t, map[string]string{"HTTP_ADDR": "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", settings.Addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serveOn(ctx, l, settings, prometheus.NewRegistry()) }()
	client := &http.Client{Transport: &http.Transport{}}
	get := func(path string, want int, contains string) {
		t.Helper()
		res, err := client.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != want || !strings.Contains(string(body), contains) {
			t.Errorf("%s: %d %s %v", path, res.StatusCode, body, err)
		}
	}
	get("/healthz", http.StatusOK, "ok")
	get("/readyz", http.StatusOK, "ready")
	get("/metrics", http.StatusOK, "go_goroutines")
	get("/v1/models", http.StatusOK, "taskflow-offline")
	get("/v1/embeddings", http.StatusNotFound, "unknown_url")
	get("/elsewhere", http.StatusNotFound, "about:blank")

	say := func(body string, want int, contains string) {
		t.Helper()
		res, err := client.Post("http://"+l.Addr().String()+"/v1/chat/completions", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		answer, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != want || !strings.Contains(string(answer), contains) {
			t.Errorf("%.100s: %d %s %v", body, res.StatusCode, answer, err)
		}
	}
	say(`{"model":"taskflow-offline","messages":[{"role":"user","content":"who are you?"}]}`, http.StatusOK, "offline model of TaskFlow")
	say(`{"model":"taskflow-offline","stream":true,"messages":[{"role":"user","content":"hi"}]}`, http.StatusOK, "data: [DONE]")
	say(`"`+strings.Repeat("x", settings.BodyLimit)+`"`, http.StatusRequestEntityTooLarge, `"type":"invalid_request_error"`)

	client.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAnAddressThatIsTakenIsAnError(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	settings, err := load(t, map[string]string{"HTTP_ADDR": l.Addr().String()})
	if err == nil {
		err = serve(t.Context(), settings, prometheus.NewRegistry())
	}
	if e, ok := errors.AsType[*net.OpError](err); !ok {
		t.Errorf("%v (%v)", err, e)
	}
}

func TestEveryWrongSettingIsNamed(t *testing.T) {
	t.Parallel()
	for _, env := range []map[string]string{
		{"HTTP_BODY_LIMIT": "0", "OFFLINE_DELAY": "1h"}, {"HTTP_BODY_LIMIT": "much", "OFFLINE_DELAY": "-1s", "LOG_LEVEL": "loud"},
	} {
		_, err := load(t, env)
		for name := range env {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s is not named in: %v", name, err)
			}
		}
	}
}
