package sidecar

import (
	"sync"
	"time"
)

const (
	// unhealthyAfter is how many probes in a row fail until the sidecar pauses its subscriptions (app-health-threshold).
	unhealthyAfter = 3
	// missed is how long no probe must have come for some of them to have failed on their way: they come every second or two.
	missed = 5 * time.Second
	// settle is above the pause of the sidecar between two attempts (dapr/resiliency, 1.5 s).
	settle = 3 * time.Second
	// patience is above what the sidecar waits for deliveries in flight when it pauses (dapr pkg/runtime/subscription,
	// drainMaxDuration, 30 s).
	patience = 35 * time.Second
)

// recovery keeps a service unhealthy, after it was, until the sidecar must have paused its subscriptions. A sidecar that is
// asked to resume while it still waits for deliveries in flight takes the new subscription down instead of the old one, and
// reads the topic never again (components-contrib common/component/kafka/subscriber.go, 1.18.4: the goroutine that ends the
// old one removes its topic by name).
type recovery struct {
	mu      sync.Mutex
	asked   time.Time // by the last probe
	refused int       // probes in a row
	since   time.Time // when the sidecar was last told, or may have been led to believe, to pause; zero if it has resumed
}

// ill notes a probe that was refused.
func (r *recovery) ill(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard(now)
	if r.refused++; r.refused >= unhealthyAfter || !r.since.IsZero() {
		r.since = now
	}
}

// heard notes that a probe came, and whether those before it did.
func (r *recovery) heard(now time.Time) {
	if !r.asked.IsZero() && now.Sub(r.asked) >= missed {
		r.since = now
	}
	r.asked = now
}

// well reports whether a probe may be answered. active is when a delivery began or ended last, or now if one is in flight.
func (r *recovery) well(now, active time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard(now)
	r.refused = 0
	if r.since.IsZero() {
		return true
	}
	quiet := now.Sub(r.since)
	if active.After(r.since) {
		quiet = now.Sub(active)
	}
	if quiet < settle && now.Sub(r.since) < patience {
		return false
	}
	r.since = time.Time{}
	return true
}
