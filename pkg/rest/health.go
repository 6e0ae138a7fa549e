package rest

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// Check asks whether one thing the service needs is there. The detail is shown to whoever asks, with or without an
// error; of the error only its errs.Text is.
type Check func(ctx context.Context) (detail map[string]any, err error)

const (
	// checkTimeout is how long all checks may take together, as they run at once.
	checkTimeout = 2 * time.Second
	// checkAge is how long an answer serves: probing must not be a way to load the database.
	checkAge = 200 * time.Millisecond
)

// Health adds /healthz (200 for as long as the process answers, whatever it depends on), /readyz (200 if every check
// passes within 2 s, else 503, with each check's state in JSON) and /metrics. Beside the checks /readyz has what the
// process has counted anyway: failures by door and kind, and of each topic how old the last event was when it was handled.
func Health(e *echo.Echo, checks map[string]Check) {
	e.GET("/healthz", func(c echo.Context) error { return c.JSON(http.StatusOK, map[string]string{"status": "ok"}) })
	p := newProbe(checks)
	e.GET("/readyz", func(c echo.Context) error {
		got := p.ask(c.Request().Context())
		got.Tally = telemetry.Counted()
		if got.Status != ready {
			return c.JSON(http.StatusServiceUnavailable, got)
		}
		return c.JSON(http.StatusOK, got)
	})
	e.GET("/metrics", echo.WrapHandler(telemetry.MetricsHandler()))
}

const (
	ready    = "ready"
	notReady = "not ready"
)

type readiness struct {
	Status string           `json:"status"`
	Checks map[string]state `json:"checks"`
	// Tally is read from memory with each answer.
	telemetry.Tally
}

type state struct {
	Status string         `json:"status"`
	Reason string         `json:"reason,omitempty"`
	Detail map[string]any `json:"detail,omitempty"`
}

var errSlow = errs.New(errs.Unavailable, "did not answer in time")

// probe runs the checks for whoever asks first and gives the answer to all who ask meanwhile and soon after.
type probe struct {
	checks map[string]Check
	turn   chan struct{} // holds one element while the checks run

	mu      sync.Mutex
	last    readiness
	at      time.Time
	running map[string]bool // a check that ignores its context is not started a second time
}

func newProbe(checks map[string]Check) *probe {
	return &probe{checks: maps.Clone(checks), turn: make(chan struct{}, 1), running: map[string]bool{}}
}

func (p *probe) ask(ctx context.Context) readiness {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return readiness{Status: notReady}
	}
	p.mu.Lock()
	last, fresh := p.last, p.last.Status != "" && time.Since(p.at) < checkAge
	p.mu.Unlock()
	if fresh {
		return last
	}
	// The answer is for all who wait, so one who leaves does not end the checks.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()

	type outcome struct {
		name string
		state
	}
	outcomes := make(chan outcome, len(p.checks))
	for name, check := range p.checks {
		go func() { outcomes <- outcome{name, p.run(ctx, name, check)} }()
	}
	next := readiness{Status: ready, Checks: map[string]state{}}
	for range p.checks {
		o := <-outcomes
		if next.Checks[o.name] = o.state; o.Status != "ok" {
			next.Status = notReady
		}
	}
	p.mu.Lock()
	p.last, p.at = next, time.Now()
	p.mu.Unlock()
	return next
}

// run is the state of one check when it answers or when ctx ends, whichever is first.
func (p *probe) run(ctx context.Context, name string, check Check) state {
	p.mu.Lock()
	stuck, before := p.running[name], p.last.Checks[name].Status
	p.running[name] = true
	p.mu.Unlock()
	type result struct {
		detail map[string]any
		err    error
	}
	got := result{err: errSlow}
	if !stuck {
		done := make(chan result, 1)
		go func() {
			var r result
			defer func() {
				if v := recover(); v != nil {
					r.err = errors.New("the check panicked")
				}
				p.mu.Lock()
				delete(p.running, name)
				p.mu.Unlock()
				done <- r
			}()
			r.detail, r.err = check(ctx)
		}()
		select {
		case got = <-done:
		case <-ctx.Done():
		}
	}
	s := state{Status: "ok", Detail: got.detail}
	if got.err != nil {
		if s.Status, s.Reason = "failed", errs.Text(got.err); s.Reason == "" {
			s.Reason = "the check failed"
		}
	}
	p.tell(ctx, name, before, s, got.err)
	return s
}

// tell logs a check's changes, not its every answer.
func (p *probe) tell(ctx context.Context, name, before string, now state, err error) {
	switch {
	case now.Status == before || (now.Status == "ok" && before == ""):
	case err != nil:
		slog.WarnContext(ctx, "not ready", "check", name, "error", err.Error())
	default:
		slog.InfoContext(ctx, "ready again", "check", name)
	}
}
