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
	Close()
}

func carry(f first) (carrier, error) {
	if f.Bus.Direct() {
		bus, err := kafka.NewBus(f.Bus.Brokers, proto.TaskAPI)
		return carrier{way: bus}, err
	}
	client, err := sidecar.Dial(f.Dapr)
	return carrier{client, client}, err
}

// name is what /readyz calls it.
func (c carrier) name() string {
	if c.sidecar == nil {
		return "broker"
	}
	return "sidecar"
}
