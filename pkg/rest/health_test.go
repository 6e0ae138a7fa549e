package rest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

func ok(context.Context) (map[string]any, error) { return map[string]any{"rows": 3}, nil }

func TestReadiness(t *testing.T) {
	t.Parallel()
	ask := func(t *testing.T, checks map[string]Check) (int, readiness, string) {
		t.Helper()
		e := newHouse(t, Options{})
		Health(e, checks)
		got := call(t, e, http.MethodGet, "/readyz", "")
		var r readiness
		if err := json.Unmarshal([]byte(got.body), &r); err != nil {
			t.Fatalf("%v: %s", err, got.body)
		}
		if alive := call(t, e, http.MethodGet, "/healthz", ""); alive.StatusCode != 200 {
			t.Errorf("/healthz: %d", alive.StatusCode)
		}
		return got.StatusCode, r, got.body
	}
	t.Run("is 200 with every check's detail when all pass", func(t *testing.T) {
		t.Parallel()
		status, r, body := ask(t, map[string]Check{"database": ok, "sidecar": ok})
		if status != 200 || r.Status != "ready" || len(r.Checks) != 2 || r.Checks["database"].Status != "ok" || r.Checks["database"].Detail["rows"] != 3.0 {
			t.Errorf("got %d %s", status, body)
		}
	})
	t.Run("is 503 with a reason, but no internal text, when one fails or panics", func(t *testing.T) {
		t.Parallel()
		cause := errors.New("dial tcp 10.0.0.7:5432")
		status, r, body := ask(t, map[string]Check{
			"a": ok,
			"b": func(context.Context) (map[string]any, error) { return map[string]any{"age_s": 9}, cause },
			"c": func(context.Context) (map[string]any, error) {
				return nil, errs.Because(cause, errs.Unavailable, "the broker does not answer")
			},
			"d": func(context.Context) (map[string]any, error) { panic(cause) },
		})
		if status != 503 || r.Status != "not ready" || r.Checks["a"].Status != "ok" || r.Checks["b"].Reason != "the check failed" ||
			r.Checks["b"].Detail["age_s"] != 9.0 || r.Checks["c"].Reason != "the broker does not answer" || r.Checks["d"].Status != "failed" {
			t.Errorf("got %d %s", status, body)
		}
		if strings.Contains(body, "10.0.0.7") {
			t.Errorf("internal text leaks: %s", body)
		}
	})
	t.Run("does not wait for a check longer than 2 s, nor start it twice", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var started atomic.Int32
			p := newProbe(map[string]Check{"quick": ok, "stuck": func(context.Context) (map[string]any, error) {
				started.Add(1)
				<-time.After(time.Minute)
				return nil, nil
			}})
			begun := time.Now()
			got := p.ask(t.Context())
			if took := time.Since(begun); took != 2*time.Second || got.Checks["stuck"].Reason != "did not answer in time" || got.Checks["quick"].Status != "ok" {
				t.Errorf("after %v: %+v", took, got)
			}
			<-time.After(time.Second)
			if got := p.ask(t.Context()); got.Status != notReady || started.Load() != 1 {
				t.Errorf("again: %+v, started %d times", got, started.Load())
			}
			<-time.After(2 * time.Minute)
		})
	})
	t.Run("asks once for all who ask at the same time or soon after", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var asked atomic.Int32
			p := newProbe(map[string]Check{"database": func(context.Context) (map[string]any, error) {
				asked.Add(1)
				<-time.After(time.Second)
				return nil, nil
			}})
			var all sync.WaitGroup
			for range 100 {
				all.Go(func() {
					if got := p.ask(t.Context()); got.Status != ready {
						t.Errorf("got %+v", got)
					}
				})
			}
			all.Wait()
			<-time.After(checkAge - 1)
			p.ask(t.Context())
			if n := asked.Load(); n != 1 {
				t.Errorf("asked %d times", n)
			}
			<-time.After(1)
			p.ask(t.Context())
			if n := asked.Load(); n != 2 {
				t.Errorf("afterwards asked %d times", n)
			}
		})
	})
}

func TestReadinessTellsWhatTheProcessHasCounted(t *testing.T) {
	t.Parallel()
	e := newHouse(t, Options{})
	Health(e, nil)
	e.GET("/broken", func(echo.Context) error { return errs.New(errs.Stale, "the secret text of %s", "ada") })
	ask := func() (r readiness, body string) {
		t.Helper()
		body = call(t, e, http.MethodGet, "/readyz", "").body
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		return r, body
	}
	before, _ := ask()
	telemetry.Handled("a.topic", time.Now().Add(-time.Minute))
	call(t, e, http.MethodGet, "/broken", "")
	// At once, although the checks' answer still serves.
	after, body := ask()
	if after.Failures[telemetry.HTTP]["stale"] <= before.Failures[telemetry.HTTP]["stale"] {
		t.Errorf("the failure is not counted: %s", body)
	}
	if topic := after.Topics["a.topic"]; topic.Handled != 1 || topic.Age < 60 {
		t.Errorf("the event is not counted: %s", body)
	}
	if strings.Contains(body, "secret") || strings.Contains(body, "ada") {
		t.Errorf("it tells more than counts: %s", body)
	}
}

func TestEveryStatusOfAFailureHasItsKind(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		400: "invalid", 401: "denied", 403: "denied", 404: "not found", 405: "not found", 409: "conflict", 412: "stale", 413: "invalid",
		415: "invalid", 422: "invalid", 429: "limited", 499: "", 500: "internal", 503: "unavailable",
	} {
		if got := kindOf(status); got != want {
			t.Errorf("%d counts as %q, want %q", status, got, want)
		}
	}
}
