package sidecar

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
)

const (
	firstProbe    = 100 * time.Millisecond
	probeInterval = 2 * time.Second
	// probeTimeout bounds the sending of one, so that the next is sent soon after the way is whole again.
	probeTimeout = 3 * time.Second
	// silence is how long no probe must have come for the way to have been cut.
	silence = 5 * time.Second
	// probeLimit is how old the last probe seen may be before the way is called broken: a group that is joined by another
	// member, or has lost one, is quiet for some seconds.
	probeLimit = 45 * time.Second
)

// Probe shows that events come back to this replica: it publishes messages to itself and sees them arrive through the
// fan-out subscription. The sidecar has no signal of its own for that: a subscription is made long before the broker
// assigns it partitions, and one that silently stopped looks like one with nothing to deliver.
//
// A replica that joins may still miss an event of another partition in the moment its probe arrives, so a subscriber
// of sequences fills holes from the log all the same.
type Probe struct {
	bus     event.Bus
	pubsub  string
	replica string

	mu       sync.Mutex
	last     time.Time
	first    chan struct{} // closed when the first came back
	onReturn func()
}

// NewProbe makes the probe of this replica: it publishes to bus and comes back through the fan-out component.
func (d Dapr) NewProbe(bus event.Bus) *Probe {
	return &Probe{bus: bus, pubsub: d.PubSubFanOut, replica: event.NewID(), first: make(chan struct{})}
}

// OnReturn has f called when a probe comes back after the way was cut for a while: what was published meanwhile may have
// passed by this replica. f must not wait. Call OnReturn before Run.
func (p *Probe) OnReturn(f func()) { p.onReturn = f }

type probeMessage struct {
	Replica string `json:"replica"`
}

// Subscription takes the probes. List it after all other fan-out subscriptions: the sidecar subscribes in order, so
// that a probe that came back came through a group that has them all.
func (p *Probe) Subscription() Subscription {
	return Subscription{PubSub: p.pubsub, Topic: contract.Probes, Handle: p.seen}
}

// seen is the handler. Probes of other replicas, and whatever else comes, are passed over.
func (p *Probe) seen(_ context.Context, d Delivery) error {
	var m probeMessage
	if json.Unmarshal(d.Data, &m) != nil || m.Replica != p.replica {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	switch {
	case p.last.IsZero():
		close(p.first)
	case now.Sub(p.last) > silence && p.onReturn != nil:
		p.onReturn()
	}
	p.last = now
	return nil
}

// Run sends probes until ctx ends: quickly at first, then every two seconds.
func (p *Probe) Run(ctx context.Context) error {
	wait := firstProbe
	first := p.first
	for {
		if err := p.send(ctx); err != nil && ctx.Err() == nil {
			slog.DebugContext(ctx, "probe not published", "error", err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-first:
			timer.Stop()
			first, wait = nil, probeInterval
		case <-timer.C:
			if first != nil {
				wait = min(2*wait, probeInterval)
			}
		}
	}
}

func (p *Probe) send(ctx context.Context) error {
	data, err := json.Marshal(probeMessage{p.replica})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return p.bus.Publish(ctx, contract.Probes, []event.Message{{ID: event.NewID(), Type: "probe", Key: p.replica, Data: data}})
}

// Wait returns when the first probe has come back, or with errs.Unavailable when ctx ends before. Run must be running.
func (p *Probe) Wait(ctx context.Context) error {
	select {
	case <-p.first:
		return nil
	case <-ctx.Done():
		return errs.Because(ctx.Err(), errs.Unavailable, "no event has come back through the sidecar yet")
	}
}

// Check is the readiness: errs.Unavailable until the first probe came back, and when none has for long.
func (p *Probe) Check(context.Context) error {
	p.mu.Lock()
	last := p.last
	p.mu.Unlock()
	switch {
	case last.IsZero():
		return errs.New(errs.Unavailable, "no event has come back through the sidecar yet")
	case time.Since(last) > probeLimit:
		return errs.New(errs.Unavailable, "no event has come back through the sidecar for %v", time.Since(last).Round(time.Second))
	}
	return nil
}
