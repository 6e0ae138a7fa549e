package ws

import "time"

// perSecond is how many messages a client may send within any second.
const perSecond = 10

// window counts what may happen perSecond times a second. It is exact, where a token bucket would let twice as many
// through in the first second. The zero value has seen nothing.
type window struct {
	times [perSecond]time.Duration
	seen  int
}

// allow counts one more at a time on some monotonic clock, and reports whether there were not too many in the second
// that ends then.
func (w *window) allow(now time.Duration) bool {
	slot := &w.times[w.seen%perSecond]
	full := w.seen >= perSecond && now-*slot < time.Second
	*slot = now
	w.seen++
	return !full
}

// pace tells a client that reads too slowly from one that has much to read. One that catches up may take as long as it
// needs; one that keeps the writer waiting while its backlog does not shrink would never catch up.
type pace struct {
	since   time.Time
	backlog int64
	waited  time.Duration
}

// paceOver is how long a client is watched before it is judged, and also how long one batch may take to write.
const paceOver = 30 * time.Second

// slow takes note of a batch that took writing to write and left a backlog, and reports whether the client is too slow.
func (p *pace) slow(now time.Time, backlog int64, writing time.Duration) bool {
	if writing > paceOver {
		return true
	}
	if backlog == 0 {
		*p = pace{}
		return false
	}
	if p.since.IsZero() {
		*p = pace{since: now, backlog: backlog}
		return false
	}
	p.waited += writing
	if now.Sub(p.since) < paceOver {
		return false
	}
	judged := backlog >= p.backlog && p.waited > paceOver/2
	*p = pace{since: now, backlog: backlog}
	return judged
}
