package app

import (
	"context"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/proto"
)

// carrier is what takes events from the outbox to the broker.
type carrier struct {
	way
	// sidecar is the same as way, or nil where there is none: then secrets come from the environment, and nobody calls
	// back.
	sidecar *sidecar.Client
}

type way interface {
	event.Bus
	// Ready is errs.Unavailable if nothing can be published now.
	Ready(ctx context.Context) error
}

// carry publishes through the sidecar, or, where there is none, straight to the brokers. release gives back what it opened.
func carry(bus kafka.Config, client *sidecar.Client) (c carrier, release func(), err error) {
	if client != nil {
		return carrier{client, client}, func() {}, nil
	}
	direct, err := kafka.NewBus(bus.Brokers, proto.TaskAPI)
	if err != nil {
		return carrier{}, nil, err
	}
	return carrier{way: direct}, direct.Close, nil
}

// name is what /readyz calls it.
func (c carrier) name() string {
	if c.sidecar == nil {
		return "broker"
	}
	return "sidecar"
}
