package writer

import (
	"context"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
)

// events is what takes events from the outbox to the broker: the sidecar, or the way straight there.
type events struct {
	event.Bus
	// ready is errs.Unavailable if nothing can be published now.
	ready func(ctx context.Context) error
	// name is what /readyz calls it.
	name string
}

// carry chooses what carries the events. release gives back what it opened.
func carry(o Options) (e events, release func(), err error) {
	if o.Sidecar != nil {
		return events{o.Sidecar, o.Sidecar.Ready, "sidecar"}, func() {}, nil
	}
	direct, err := kafka.NewBus(o.Bus, o.Service)
	if err != nil {
		return events{}, nil, err
	}
	return events{direct, direct.Ready, "broker"}, direct.Close, nil
}
