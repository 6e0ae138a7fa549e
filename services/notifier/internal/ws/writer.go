package ws

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/gorilla/websocket"

	"github.com/taskflow-suite/taskflow/services/notifier/internal/hub"
)

// writer is what the writing goroutine alone knows.
type writer struct {
	*conn
	follower *hub.Follower[*Frame]
	batch    hub.Batch[*Frame]
	pace     pace

	authBy, pingAt time.Time
	leaveAt        time.Time // when to close because the server stops, zero before
	retryAt        time.Time // when to ask the log again, zero if it has not failed
}

// write tells the client everything until something ends the connection, and returns what. One timer serves all the
// dates there are: ten thousand silent connections are ten thousand timers.
func (c *conn) write() ending {
	start := time.Now()
	w := &writer{
		conn: c, authBy: start.Add(authWait),
		// The first ping is drawn, so that clients that came together are not pinged together.
		pingAt: start.Add(pingEvery/2 + rand.N(pingEvery/2)), //nolint:gosec // G404: no secret
	}
	defer func() {
		if w.follower != nil {
			w.follower.Leave()
		}
	}()
	closing := c.server.closing
	timer := time.NewTimer(pingEvery)
	defer timer.Stop()
	for {
		due, end := w.due(time.Now())
		if end != nil {
			return *end
		}
		again, end := w.step()
		if end != nil {
			return *end
		}
		if again {
			continue
		}
		if !w.retryAt.IsZero() && w.retryAt.Before(due) {
			due = w.retryAt
		}
		timer.Reset(time.Until(due))
		select {
		case <-c.wake:
		case <-timer.C:
		case <-closing:
			closing = nil
			w.leaveAt = time.Now().Add(rand.N(c.server.spread)) //nolint:gosec // G404: no secret
		}
	}
}

// due does what its time has come for. It returns the next date, or how the connection ends.
func (w *writer) due(now time.Time) (time.Time, *ending) {
	w.mu.Lock()
	end, expires := w.ending, w.expires
	w.mu.Unlock()
	if end != nil {
		return now, end
	}
	next := w.server.started.Add(time.Duration(w.said.Load()) + idleAfter)
	code := Idle
	sooner := func(at time.Time, c Code) {
		if at.Before(next) {
			next, code = at, c
		}
	}
	if expires.IsZero() {
		sooner(w.authBy, BadToken)
	} else {
		sooner(expires, TokenExpired)
	}
	if !w.leaveAt.IsZero() {
		sooner(w.leaveAt, GoingAway)
	}
	if !now.Before(next) {
		return now, &ending{Code: code}
	}
	if !now.Before(w.pingAt) {
		if err := w.socket.WriteControl(websocket.PingMessage, nil, now.Add(writeWait)); err != nil {
			end := endOf(err)
			return now, &end
		}
		w.pingAt = now.Add(pingEvery)
	}
	sooner(w.pingAt, code)
	return next, nil
}

// step writes what there is to write. It reports whether there may be more at once, or how the connection ends.
func (w *writer) step() (again bool, end *ending) {
	w.mu.Lock()
	replies, admitted := w.replies, !w.expires.IsZero()
	w.replies = nil
	w.mu.Unlock()
	for _, r := range replies {
		if end := w.send(r.kind, r.text, nil); end != nil {
			return false, end
		}
	}
	if !admitted {
		return false, nil
	}
	if w.follower == nil {
		follower, err := w.server.hub.Follow(w.userID, w.since, w.wake)
		if err != nil {
			return false, &ending{Code: TooManyConns, cause: err}
		}
		w.follower = follower
	}
	if err := w.follower.Take(w.server.ctx, &w.batch); err != nil {
		if errors.Is(err, hub.ErrForgotten) {
			return false, &ending{Code: Deleted}
		}
		return false, &ending{Code: GoingAway, cause: err}
	}
	w.retryAt = w.batch.Retry
	if end := w.tell(&w.batch); end != nil {
		return false, end
	}
	// After events there is another look even if nothing more is known, which also lets go of their frames.
	return w.batch.More || len(w.batch.Events) > 0, nil
}

// tell writes a batch.
func (w *writer) tell(b *hub.Batch[*Frame]) *ending {
	if b.Hello {
		if end := w.send(typeHello, at(typeHello, b.Sequence), nil); end != nil {
			return end
		}
	}
	if b.Resync {
		if end := w.send(typeResync, at(typeResync, b.Sequence), nil); end != nil {
			return end
		}
	}
	start := time.Now()
	for _, e := range b.Events {
		if end := w.frame(e.Frame); end != nil {
			return end
		}
		if b.Live {
			w.server.metrics.delivered(e.Frame.at)
		}
		if time.Since(start) > paceOver {
			return &ending{Code: Slow}
		}
	}
	for _, n := range b.Notes {
		if end := w.frame(n); end != nil {
			return end
		}
	}
	if len(b.Events) > 0 {
		wrote := time.Now()
		if w.pace.slow(wrote, w.follower.Backlog(), wrote.Sub(start)) {
			return &ending{Code: Slow}
		}
	}
	return nil
}

// frame writes an event's frame.
func (w *writer) frame(f *Frame) *ending {
	if f.origin == nil {
		return w.send(f.kind, f.text, f.shared)
	}
	began := time.Now()
	end := w.send(f.kind, f.text, f.shared)
	if end == nil {
		w.server.traces.took(f.origin, began)
	}
	return end
}

// send writes one frame, as prepared for several connections if it was.
func (w *writer) send(kind string, text []byte, shared *websocket.PreparedMessage) *ending {
	_ = w.socket.SetWriteDeadline(time.Now().Add(writeWait))
	var err error
	if shared != nil {
		err = w.socket.WritePreparedMessage(shared)
	} else {
		err = w.socket.WriteMessage(websocket.TextMessage, text)
	}
	if err != nil {
		end := endOf(err)
		return &end
	}
	w.said.Store(int64(w.clock()))
	w.server.metrics.wrote(kind)
	return nil
}
