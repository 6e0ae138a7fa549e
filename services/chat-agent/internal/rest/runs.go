package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
)

// cutTime is what runs that are cut are given to keep what they have.
const cutTime = 3 * time.Second

// Why a run ends before its own end.
var (
	errStopping = errs.New(errs.Unavailable, "The chat is being restarted. Send the same message again: nothing is done twice.")
	errFull     = errs.New(errs.Unavailable, "Too many messages are being answered right now. Send the same message again in a moment.")
	errTooLong  = errs.New(errs.Unavailable, "The answer took too long. Send the same message again: what was done is not done twice.")
)

// runs are the answers that are being made. A run belongs to the replica and not to the request: it goes on when its reader
// leaves.
type runs struct {
	limit   time.Duration
	finish  time.Duration
	slots   chan struct{}
	metrics *metrics

	mu       sync.Mutex
	stopping bool
	cuts     map[*run]context.CancelCauseFunc
	// idle is closed when, after the stop began, the last run has ended.
	idle chan struct{}
}

func newRuns(o Options, m *metrics) *runs {
	return &runs{
		limit: o.RunTime, finish: o.Finish, slots: make(chan struct{}, o.Limits.Runs), metrics: m,
		cuts: map[*run]context.CancelCauseFunc{}, idle: make(chan struct{}),
	}
}

// run is one answer being made.
type run struct {
	events *mailbox
	// done is closed when answer and err are set.
	done   chan struct{}
	answer agent.Answer
	err    error
	// alone says that nobody waits for the answer any more.
	alone atomic.Bool
}

// leave tells a run that its reader is gone. It goes on: its answer belongs into the conversation.
func (n *run) leave() {
	n.alone.Store(true)
	n.events.close()
}

type work = func(ctx context.Context, see func(agent.Event)) (agent.Answer, error)

// start begins a run; ctx is its request's, of which it keeps the values and not the end. errs.Unavailable if there are too
// many, or the replica stops.
func (r *runs) start(ctx context.Context, do work) (*run, error) {
	select {
	case r.slots <- struct{}{}:
	default:
		r.metrics.refused.Inc()
		return nil, errFull
	}
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), r.limit, errTooLong)
	ctx, cut := context.WithCancelCause(ctx)
	next := &run{events: newMailbox(), done: make(chan struct{})}
	r.mu.Lock()
	if r.stopping {
		r.mu.Unlock()
		cut(nil)
		cancel()
		<-r.slots
		return nil, errStopping
	}
	r.cuts[next] = cut
	r.mu.Unlock()
	r.metrics.running.Inc()
	go func() {
		defer cancel()
		defer r.end(next, cut)
		next.work(ctx, do, r.metrics)
	}()
	return next, nil
}

func (r *runs) end(ended *run, cut context.CancelCauseFunc) {
	cut(nil)
	r.metrics.running.Dec()
	<-r.slots
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.cuts, ended)
	if r.stopping && len(r.cuts) == 0 {
		close(r.idle)
	}
}

// work makes the answer.
func (n *run) work(ctx context.Context, do work, m *metrics) {
	begun := time.Now()
	defer func() {
		if p := recover(); p != nil {
			n.err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		n.err = because(ctx, n.err)
		m.observe(time.Since(begun), n.err)
		if n.err != nil && n.alone.Load() {
			// Where somebody waits for the answer, its door tells the log.
			slog.WarnContext(ctx, "a run failed after its reader left", "error", n.err.Error())
		}
		close(n.done)
	}()
	n.answer, n.err = do(ctx, n.events.put)
}

// because gives an error that only says that the context ended the reason why it did.
func because(ctx context.Context, err error) error {
	ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if err == nil || ctx.Err() == nil || errs.KindOf(err) != errs.Internal || !ended {
		return err
	}
	return errs.Because(err, errs.Unavailable, "%s", errs.Text(context.Cause(ctx)))
}

// Run waits for the end of ctx. Then nothing new begins, what runs may come to its end for a while, and is cut after that;
// it returns when no run is left, at the latest 3 s later.
func (r *runs) Run(ctx context.Context) error {
	<-ctx.Done()
	r.mu.Lock()
	r.stopping = true
	left := len(r.cuts)
	r.mu.Unlock()
	if left == 0 {
		return nil
	}
	finish := time.NewTimer(r.finish)
	defer finish.Stop()
	select {
	case <-r.idle:
		return nil
	case <-finish.C:
	}
	r.mu.Lock()
	cut := len(r.cuts)
	for _, end := range r.cuts {
		end(errStopping)
	}
	r.mu.Unlock()
	slog.WarnContext(ctx, "runs are cut: they did not end in time", "runs", cut)
	last := time.NewTimer(cutTime)
	defer last.Stop()
	select {
	case <-r.idle:
		return nil
	case <-last.C:
		return errors.New("runs were left behind: they did not end when they were cut")
	}
}

// metrics are the door's.
type metrics struct {
	running prometheus.Gauge
	refused prometheus.Counter
	seconds *prometheus.HistogramVec
}

func newMetrics() *metrics {
	return &metrics{
		running: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "taskflow_chat_runs", Help: "Answers of the chat being made.",
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "taskflow_chat_runs_refused_total", Help: "Messages refused because too many were being answered.",
		}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "taskflow_chat_run_seconds", Help: "Time to make an answer of the chat, by outcome: done, or the kind of the error.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 20, 40, 90},
		}, []string{"outcome"}),
	}
}

func (m *metrics) observe(took time.Duration, err error) {
	outcome := "done"
	if err != nil {
		outcome = errs.KindOf(err).String()
	}
	m.seconds.WithLabelValues(outcome).Observe(took.Seconds())
}
