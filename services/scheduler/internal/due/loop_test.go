package due_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/scheduler/internal/due"
)

// plan is an agenda in memory. What it cannot tell, that nothing is claimed twice, is told with the real one.
type plan struct {
	mu             sync.Mutex
	series, alarms []time.Time
	// busy are claimed by another replica.
	busy []time.Time
	// calls are the claims, in order: what was claimed and how many.
	calls                []string
	failSeries, failNext error
	// blocked, if there is one, is closed when a claim has begun, which then ends with its context.
	blocked chan struct{}
}

func (p *plan) claim(kind string, all *[]time.Time, now time.Time, limit int) int {
	n := 0
	*all = slices.DeleteFunc(*all, func(at time.Time) bool {
		if n == limit || at.After(now) {
			return false
		}
		n++
		return true
	})
	if n > 0 {
		p.calls = append(p.calls, fmt.Sprint(kind, " ", n))
	}
	return n
}

func (p *plan) ClaimSeries(ctx context.Context, now time.Time, limit int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.blocked != nil {
		close(p.blocked)
		<-ctx.Done()
		return 0, ctx.Err()
	}
	if p.failSeries != nil {
		return 0, p.failSeries
	}
	return p.claim("series", &p.series, now, limit), nil
}

func (p *plan) ClaimAlarms(_ context.Context, now time.Time, limit int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.claim("alarms", &p.alarms, now, limit), nil
}

func (p *plan) NextDue(context.Context) (time.Time, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.first(), p.failNext
}

func (p *plan) first() time.Time {
	all := slices.Concat(p.series, p.alarms, p.busy)
	if len(all) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(all, time.Time.Compare)
}

func (p *plan) Backlog(_ context.Context, now time.Time) (task.Backlog, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := task.Backlog{Series: len(p.series), Alarms: len(p.alarms), Oldest: p.first()}
	if b.Oldest.After(now) {
		b.Oldest = time.Time{}
	}
	return b, p.failNext
}

// change changes the plan while the loop works on it.
func (p *plan) change(f func(*plan)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

func (p *plan) done() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.calls, ", ")
}

func times(n int, at time.Time) []time.Time { return slices.Repeat([]time.Time{at}, n) }

func TestItRestsNoLongerThanNeededAndNeverLongerThanASecond(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plan *plan
		rest time.Duration
	}{
		"nothing is planned":               {&plan{}, time.Second},
		"the next is due in 300 ms":        {&plan{series: times(1, monday.Add(300*time.Millisecond))}, 300 * time.Millisecond},
		"a reminder comes before it":       {&plan{series: times(1, monday.Add(time.Second)), alarms: times(1, monday.Add(time.Microsecond))}, time.Microsecond},
		"the next is due in a week":        {&plan{series: times(1, monday.AddDate(0, 0, 7))}, time.Second},
		"all that is due has been seen to": {&plan{series: times(3, monday)}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := newClock(monday)
			w := begin(t, clock, due.New(c.plan, due.Options{Clock: clock}))
			if got := w.rests(); got != c.rest {
				t.Errorf("it rests for %v, want %v", got, c.rest)
			}
		})
	}
}

func TestWhatAnotherReplicaIsAtIsLookedAtLessAndLessOften(t *testing.T) {
	t.Parallel()
	clock, p := newClock(monday), &plan{busy: times(1, monday)}
	w := begin(t, clock, due.New(p, due.Options{Clock: clock}))
	var rests []time.Duration
	for range 9 {
		rests = append(rests, w.rests())
		w.wakes(monday)
	}
	const ms = time.Millisecond
	if want := []time.Duration{10 * ms, 20 * ms, 40 * ms, 80 * ms, 160 * ms, 320 * ms, 640 * ms, time.Second, time.Second}; !slices.Equal(rests, want) {
		t.Errorf("it rests for %v, want %v", rests, want)
	}
	w.rests()
	p.change(func(p *plan) { p.alarms = times(1, monday) })
	w.wakes(monday)
	if got := w.rests(); got != 10*ms {
		t.Errorf("after there was something to do it rests for %v", got)
	}
}

func TestAllThatIsDueIsClaimedInPortionsAndNoReminderWaitsForTheSeries(t *testing.T) {
	t.Parallel()
	clock, p := newClock(monday), &plan{series: times(25, monday), alarms: times(12, monday.Add(-time.Hour))}
	p.series = append(p.series, monday.Add(time.Hour))
	metrics := prometheus.NewPedanticRegistry()
	w := begin(t, clock, due.New(p, due.Options{Clock: clock, Portion: 10, Metrics: metrics}))
	if got := w.rests(); got != time.Second {
		t.Errorf("it rests for %v", got)
	}
	if got, want := p.done(), "series 10, alarms 10, series 10, alarms 2, series 5"; got != want {
		t.Errorf("claimed %s, want %s", got, want)
	}
	for kind, want := range map[string]float64{due.Recurrence: 25, due.Reminder: 12} {
		if got := value(t, metrics, "taskflow_scheduler_claimed_total", kind); got != want {
			t.Errorf("it counts %v of %s, want %v", got, kind, want)
		}
	}
}

func TestAFailureIsTriedAgainLessAndLessOftenAndKeepsNothingElseBack(t *testing.T) {
	t.Parallel()
	clock, p := newClock(monday), &plan{alarms: times(1, monday), failSeries: errs.New(errs.Unavailable, "away")}
	loop := due.New(p, due.Options{Clock: clock})
	w := begin(t, clock, loop)
	expected := 100 * time.Millisecond
	for i := range 10 {
		if got := w.rests(); got < expected*4/5 || got > expected*6/5 {
			t.Errorf("failed %d times it rests for %v, want about %v", i+1, got, expected)
		}
		expected = min(2*expected, 5*time.Second)
		if i == 0 && p.done() != "alarms 1" {
			t.Errorf("claimed %s beside the failure", p.done())
		}
		if i == 0 {
			shows(t, loop, true, "last_error", due.NoDatabase)
		}
		if i == 9 {
			p.change(func(p *plan) { p.failSeries, p.series = nil, times(1, monday) })
		}
		w.wakes(monday)
	}
	if got := w.rests(); got != time.Second || p.done() != "alarms 1, series 1" {
		t.Errorf("without a failure it rests for %v, having claimed %s", got, p.done())
	}
	shows(t, loop, false, "last_error", nil)
	p.change(func(p *plan) { p.failNext = errors.New("no idea") })
	w.wakes(monday)
	if got := w.rests(); got < 80*time.Millisecond || got > 120*time.Millisecond {
		t.Errorf("after the first failure of another time it rests for %v", got)
	}
}

// It changes the process's logger, so it is not parallel.
func TestATroubleIsLoggedOnceWhenItBeginsAndOnceWhenItChanges(t *testing.T) {
	var log lines
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	clock, p := newClock(monday), &plan{}
	w := begin(t, clock, due.New(p, due.Options{Clock: clock}))
	for _, failure := range []error{
		nil, errs.New(errs.Unavailable, "away"), errs.New(errs.Unavailable, "still away"), errors.New("a bug"), errors.New("another"), nil, nil,
	} {
		w.rests()
		p.change(func(p *plan) { p.failNext = failure })
		w.wakes(monday)
	}
	w.rests()
	got := log.messages()
	want := []string{"what is due is not announced", "what is due is not announced", "what is due is announced again"}
	if !slices.Equal(got, want) {
		t.Errorf("it logged %q, want %q", got, want)
	}
}

// lines is a log.
type lines struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}

func (l *lines) messages() (all []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.out.String()) {
		_, rest, _ := strings.Cut(line, `msg="`)
		message, _, _ := strings.Cut(rest, `"`)
		all = append(all, message)
	}
	return all
}

func TestWhileAnnouncementsCannotLeaveNoneIsMade(t *testing.T) {
	t.Parallel()
	clock, p := newClock(monday), &plan{series: times(3, monday.Add(-time.Hour))}
	var room answers
	loop := due.New(p, due.Options{Clock: clock, Portion: 2, Room: room.ask})
	w := begin(t, clock, loop)
	if got := w.rests(); got > time.Second || p.done() != "" {
		t.Errorf("it rests for %v, having claimed %s", got, p.done())
	}
	shows(t, loop, true, "backlog", map[string]any{"series": 3, "alarms": 0, "oldest_seconds": 3600.0})
	room.give(true, false) // for one portion
	w.wakes(monday)
	w.rests()
	if got := p.done(); got != "series 2" {
		t.Errorf("claimed %s", got)
	}
	room.give(true, true)
	w.wakes(monday)
	w.rests()
	if got := p.done(); got != "series 2, series 1" {
		t.Errorf("claimed %s", got)
	}
	shows(t, loop, false, "reason", nil)
	// There is a backlog from the first portion, which is full, to the second.
	if want := []bool{false, false, true, true}; !slices.Equal(room.backlogs[:4], want) {
		t.Errorf("it asks with %v, want %v", room.backlogs, want)
	}
}

// answers says whether there is room: what it was given, and then no.
type answers struct {
	mu   sync.Mutex
	next []bool
	// backlogs is what it was asked with.
	backlogs []bool
}

func (a *answers) give(next ...bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next = next
}

func (a *answers) ask(_ context.Context, backlog bool) (bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.backlogs = append(a.backlogs, backlog)
	if len(a.next) == 0 {
		return false, nil
	}
	answer := a.next[0]
	a.next = a.next[1:]
	return answer, nil
}

func TestItEndsInTheMidstOfWhateverItDoes(t *testing.T) {
	t.Parallel()
	claiming := make(chan struct{})
	clock := newClock(monday)
	for name, c := range map[string]struct {
		plan *plan
		is   func()
	}{
		"resting":  {&plan{}, func() { <-clock.rests }},
		"claiming": {&plan{blocked: claiming}, func() { <-claiming }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- due.New(c.plan, due.Options{Clock: clock}).Run(ctx) }()
			c.is()
			stop()
			select {
			case err := <-ended:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(patience):
				t.Error("it does not end")
			}
		})
	}
}

func TestTheBacklogIsShownAndWhatIsDueForLongIsDegraded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plan     *plan
		oldest   float64
		degraded bool
	}{
		"nothing is due":                   {&plan{}, 0, false},
		"the next is to come":              {&plan{series: times(1, monday.Add(time.Hour))}, 0, false},
		"due for a minute":                 {&plan{series: times(1, monday.Add(-time.Minute)), alarms: times(2, monday)}, 60, false},
		"a reminder due for over a minute": {&plan{series: times(1, monday), alarms: times(2, monday.Add(-61*time.Second))}, 61, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			loop := due.New(c.plan, due.Options{Clock: newClock(monday)})
			shows(t, loop, c.degraded, "backlog", map[string]any{
				"series": len(c.plan.series), "alarms": len(c.plan.alarms), "oldest_seconds": c.oldest,
			})
		})
	}
	away := due.New(&plan{failNext: errs.New(errs.Unavailable, "away")}, due.Options{Clock: newClock(monday)})
	if detail, err := away.Check(t.Context()); !errs.Is(err, errs.Unavailable) || detail != nil {
		t.Errorf("without the database it shows %v, %v", detail, err)
	}
}

// shows checks what /readyz shows: whether it is degraded, and one more thing.
func shows(t *testing.T, loop *due.Loop, degraded bool, name string, want any) {
	t.Helper()
	detail, err := loop.Check(t.Context())
	if err != nil || detail["degraded"] != degraded || fmt.Sprint(detail[name]) != fmt.Sprint(want) {
		t.Errorf("it shows %v, %v; want degraded %v and %s %v", detail, err, degraded, name, want)
	}
}

// value is a metric's value, 0 if it is not there.
func value(t *testing.T, metrics prometheus.Gatherer, name, kind string) float64 {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && len(m.GetLabel()) == 1 && m.GetLabel()[0].GetValue() == kind {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	t.Fatalf("%s of %s is not counted", name, kind)
	return 0
}
