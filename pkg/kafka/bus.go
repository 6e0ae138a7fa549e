package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// publishTimeout is how long a publication waits for the brokers before it is given up as unavailable.
const publishTimeout = 10 * time.Second

// Bus publishes to brokers. It is an event.Bus; Close it at the end.
type Bus struct {
	client *kgo.Client
	source string
	access Access
}

// NewBus makes a Bus that publishes as source, a service's name. It does not wait for the brokers. errs.Invalid if the
// settings cannot be.
func NewBus(c Config, source string) (*Bus, error) {
	client, err := client(c, source,
		kgo.RecordPartitioner(partitioner()),
		kgo.RecordDeliveryTimeout(publishTimeout),
		// Without it the client waits for ever for the outcome of what it has sent to a broker that then went away. The
		// caller, who holds a transaction, sends all of it again; subscribers recognise what came twice.
		kgo.AllowIdempotentProduceCancellation(),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
	)
	if err != nil {
		return nil, err
	}
	return &Bus{client, source, c.Access}, nil
}

// Publish is event.Bus. It gives up after ten seconds, or when ctx ends.
func (b *Bus) Publish(ctx context.Context, topic contract.Topic, messages []event.Message) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	records := make([]*kgo.Record, len(messages))
	for i, m := range messages {
		r, err := Record(b.source, topic, m)
		if err != nil {
			return err
		}
		records[i] = r
	}
	// Room for all, because nobody takes the outcomes that come after ctx has ended.
	outcomes := make(chan error, len(records))
	for _, r := range records {
		b.client.Produce(ctx, r, func(_ *kgo.Record, err error) { outcomes <- err })
	}
	var failed error
	for range records {
		select {
		case err := <-outcomes:
			failed = errors.Join(failed, err)
		case <-ctx.Done():
			// The client gives up some seconds after its context has ended, when it next looks at the connection.
			return errs.Because(ctx.Err(), errs.Unavailable, "the brokers did not take the events in time")
		}
	}
	if failed != nil {
		return errs.Because(failed, errs.Unavailable, "the brokers did not take the events")
	}
	return nil
}

// Ready reports whether a broker answers, errs.Unavailable if not.
func (b *Bus) Ready(ctx context.Context) error { return ping(ctx, b.client, b.access) }

// Close ends the connections.
func (b *Bus) Close() { b.client.Close() }

func ping(ctx context.Context, client *kgo.Client, access Access) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if err := client.Ping(ctx); err != nil {
		// A login that is refused today may be right tomorrow: what waits for the brokers goes on waiting.
		_, words := reason(access, err)
		return errs.Because(err, errs.Unavailable, "%s", words)
	}
	return nil
}
