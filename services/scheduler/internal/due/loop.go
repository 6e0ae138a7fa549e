// Package due is when: it finds the series and the reminders whose time has come and has each of them announced.
//
// It owns the loop that looks, how long it rests, and what tells of the backlog. It refuses to make a task or to ring:
// that is for whoever gets the announcement (package topics), on whichever replica. What keeps two replicas from
// announcing the same, and an announcement that got lost from being the last, is the agenda's.
package due

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
)

const (
	// Longest is the longest rest: nobody tells the loop of a series or a reminder that was set meanwhile.
	Longest = time.Second
	// again is the first rest when something is due that cannot be claimed now, because another replica is at it or the
	// announcements wait. Each further one is twice as long.
	again = 10 * time.Millisecond
	// firstBackoff and lastBackoff bound the rest after a failure.
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 5 * time.Second
	// deadline bounds one call of the agenda, the wait for a connection included.
	deadline = 15 * time.Second
)

// Options tune a Loop; zero values mean their defaults.
type Options struct {
	// Portion is how many series, and how many reminders, are claimed in one transaction. Default 500.
	Portion int
	// Room reports whether more may be announced now; backlog says that there was more than one portion when the loop
	// looked last. While it says no, what is due stays where it is: announcements on which nobody acts would be repeated
	// whenever a claim ends, and grow without bound. nil is always.
	Room func(ctx context.Context, backlog bool) (bool, error)
	// Clock is the machine's by default.
	Clock Clock
	// Metrics takes the loop's metrics; nil for none.
	Metrics prometheus.Registerer
}

// Loop announces what is due. Any number of them may work on one agenda. Make one with New.
type Loop struct {
	agenda  task.Agenda
	o       Options
	metrics metrics
	// backlog is Run's own: whether the last portion was full.
	backlog bool

	mu   sync.Mutex
	last Trouble
	held bool
}

// New makes a Loop; nothing happens before Run.
func New(agenda task.Agenda, o Options) *Loop {
	if o.Portion <= 0 {
		o.Portion = 500
	}
	if o.Room == nil {
		o.Room = func(context.Context, bool) (bool, error) { return true, nil }
	}
	if o.Clock == nil {
		o.Clock = machine{}
	}
	return &Loop{agenda: agenda, o: o, metrics: newMetrics(o.Metrics)}
}

// Run announces until ctx ends, then returns nil. No failure of the database ends it.
func (l *Loop) Run(ctx context.Context) error {
	var observer sync.WaitGroup
	observer.Go(func() { l.observe(ctx) })
	defer observer.Wait()
	backoff, look := firstBackoff, again
	for ctx.Err() == nil {
		n, err := l.round(ctx)
		if n.any() {
			look = again
		}
		var pause time.Duration
		if err == nil {
			pause, err = l.untilNext(ctx, look)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			l.failed(ctx, err)
			pause = jittered(backoff)
			backoff = min(2*backoff, lastBackoff)
		default:
			l.succeeded(ctx)
			backoff = firstBackoff
			look = min(2*look, Longest)
		}
		l.o.Clock.Sleep(ctx, pause)
	}
	return nil
}

// claimed counts what was announced.
type claimed struct{ series, alarms int }

func (n claimed) any() bool { return n.series+n.alarms > 0 }

// round claims portion after portion until there is less than one left of either kind, or no room.
func (l *Loop) round(ctx context.Context) (total claimed, err error) {
	began, catchingUp := l.o.Clock.Now(), false
	for ctx.Err() == nil {
		var room bool
		if room, err = l.room(ctx); err != nil || !room {
			break
		}
		var n claimed
		n, err = l.portion(ctx)
		total.series += n.series
		total.alarms += n.alarms
		if err != nil {
			break
		}
		if l.backlog = n.series == l.o.Portion || n.alarms == l.o.Portion; !l.backlog {
			break
		}
		if !catchingUp {
			catchingUp = true
			slog.InfoContext(ctx, "catching up: more is due than one portion", "portion", l.o.Portion)
		}
	}
	level := slog.LevelDebug
	if catchingUp {
		level = slog.LevelInfo
	}
	if total.any() {
		slog.Log(ctx, level, "announced what is due", "recurrences", total.series, "reminders", total.alarms,
			"took_ms", l.o.Clock.Now().Sub(began).Milliseconds())
	}
	return total, err
}

// held is why nothing more is announced for now.
const held = "nothing more is announced: too much of what was announced has not been acted on"

// room asks Options.Room and remembers the answer for Check.
func (l *Loop) room(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	room, err := l.o.Room(ctx, l.backlog)
	if err != nil {
		return false, err
	}
	l.mu.Lock()
	news := l.held == room
	l.held = !room
	l.mu.Unlock()
	if news && !room {
		slog.WarnContext(ctx, held)
	}
	return room, nil
}

// portion claims once of either kind: many missed recurrences keep no reminder waiting, nor does a failure of the one
// keep the other.
func (l *Loop) portion(ctx context.Context) (n claimed, err error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	now := l.o.Clock.Now()
	var ofSeries, ofAlarms error
	n.series, ofSeries = l.agenda.ClaimSeries(ctx, now, l.o.Portion)
	n.alarms, ofAlarms = l.agenda.ClaimAlarms(ctx, now, l.o.Portion)
	l.metrics.claimed(n)
	return n, errors.Join(ofSeries, ofAlarms)
}

// untilNext is how long nothing is to be done; look if something is due already.
func (l *Loop) untilNext(ctx context.Context, look time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	next, err := l.agenda.NextDue(ctx)
	if err != nil {
		return 0, err
	}
	if next.IsZero() {
		return Longest, nil
	}
	if rest := next.Sub(l.o.Clock.Now()); rest > 0 {
		return min(rest, Longest), nil
	}
	return look, nil
}

// jittered is d give or take a fifth: replicas do not come all at once.
func jittered(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5+1) //nolint:gosec // G404: nobody gains by guessing it
}

// Trouble is what a loop can fail of, in constant words.
type Trouble string

// The troubles.
const (
	NoDatabase Trouble = "the database does not answer"
	Unknown    Trouble = "internal error"
)

// failed logs when a trouble begins and when it changes, not with every attempt.
func (l *Loop) failed(ctx context.Context, err error) {
	trouble := troubleOf(err)
	l.mu.Lock()
	news := l.last != trouble
	l.last = trouble
	l.mu.Unlock()
	if news {
		slog.ErrorContext(ctx, "what is due is not announced", "status", string(trouble), "error", err.Error())
	}
}

func (l *Loop) succeeded(ctx context.Context) {
	l.mu.Lock()
	news := l.last != ""
	l.last = ""
	l.mu.Unlock()
	if news {
		slog.InfoContext(ctx, "what is due is announced again")
	}
}

func troubleOf(err error) Trouble {
	if errs.Is(err, errs.Unavailable) {
		return NoDatabase
	}
	return Unknown
}
