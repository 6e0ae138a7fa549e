package event

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// Meta is everything about a delivered event but its payload.
type Meta struct {
	Envelope
	Topic contract.Topic
}

// Verdict is what becomes of a delivery.
type Verdict int

const (
	// Done: handled, or nothing to do.
	Done Verdict = iota
	// Retry: deliver it again later, in order.
	Retry
	// Drop: it can never be handled; to the dead-letter topic with it.
	Drop
)

func (v Verdict) String() string {
	switch v {
	case Done:
		return "done"
	case Retry:
		return "retry"
	default:
		return "drop"
	}
}

// VerdictOf translates a handler's error: what may succeed later is retried, what cannot is dropped.
func VerdictOf(err error) Verdict {
	if err == nil {
		return Done
	}
	switch errs.KindOf(err) {
	case errs.Unavailable, errs.Internal:
		return Retry
	default:
		return Drop
	}
}

type route struct {
	topic  contract.Topic
	handle func(context.Context, Meta) error
}

// Router hands each delivered event to the function registered for its type. Register everything with On and OnAny
// before the first Deliver or Handle; afterwards it is safe for concurrent use.
type Router struct {
	routes map[string]route
	any    map[contract.Topic]func(context.Context, Meta) error
}

// NewRouter makes a Router without routes.
func NewRouter() *Router {
	return &Router{routes: map[string]route{}, any: map[contract.Topic]func(context.Context, Meta) error{}}
}

// On registers the function for one type of event. It panics on a second registration: that is a wiring mistake.
func On[P proto.Message](r *Router, t contract.Type[P], handle func(context.Context, Meta, P) error) {
	if _, taken := r.routes[t.Name]; taken {
		panic(fmt.Sprintf("event: %s has two handlers", t.Name))
	}
	r.routes[t.Name] = route{t.Topic, func(ctx context.Context, m Meta) error {
		payload := t.Kind().New().(P)
		if err := Unmarshal(m.Data, payload); err != nil {
			return err
		}
		return handle(ctx, m, payload)
	}}
}

// OnAny registers a function for every event of a topic, whatever its type; the payload stays encoded.
func OnAny(r *Router, topic contract.Topic, handle func(context.Context, Meta) error) {
	r.any[topic] = handle
}

// Topics lists the topics something is registered for.
func (r *Router) Topics() []contract.Topic {
	seen := map[contract.Topic]bool{}
	var topics []contract.Topic
	add := func(t contract.Topic) {
		if !seen[t] {
			seen[t] = true
			topics = append(topics, t)
		}
	}
	for t := range r.any {
		add(t)
	}
	for _, route := range r.routes {
		add(route.topic)
	}
	return topics
}

// Types lists, in order, the types of event of a topic that something is registered for; none if everything is (OnAny).
func (r *Router) Types(topic contract.Topic) []string {
	if _, all := r.any[topic]; all {
		return nil
	}
	var types []string
	for name, route := range r.routes {
		if route.topic == topic {
			types = append(types, name)
		}
	}
	slices.Sort(types)
	return types
}

// Decode reads an envelope. errs.Invalid if it is not one or lacks what every event must say.
func Decode(data []byte) (Envelope, error) {
	var e Envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return Envelope{}, errs.Because(err, errs.Invalid, "not an event")
	}
	if e.ID == "" || e.Type == "" || e.UserID == "" || e.AggregateID == "" || e.Sequence < 1 || e.Version < 1 {
		return Envelope{}, errs.New(errs.Invalid, "an event lacks its id, type, user, aggregate, sequence or version")
	}
	return e, nil
}

// Deliver decodes one event's data and hands it to its handler: Decode and Handle. errs.Invalid if it is no event.
func (r *Router) Deliver(ctx context.Context, topic contract.Topic, data []byte) error {
	e, err := Decode(data)
	if err != nil {
		return err
	}
	return r.Handle(ctx, Meta{Envelope: e, Topic: topic})
}

// Handle hands an event that Decode accepted to its handler and returns the handler's error, or errs.Invalid if the
// event came on another topic than its own. A type nobody registered for is nil: newer publishers may send it.
func (r *Router) Handle(ctx context.Context, m Meta) error {
	if route, ok := r.routes[m.Type]; ok {
		if route.topic != m.Topic {
			return errs.New(errs.Invalid, "%s came on %s", m.Type, m.Topic)
		}
		return route.handle(ctx, m)
	}
	if handle, ok := r.any[m.Topic]; ok {
		return handle(ctx, m)
	}
	return nil
}
