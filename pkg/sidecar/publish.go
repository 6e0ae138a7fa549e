package sidecar

import (
	"context"
	"strconv"
	"time"

	dapr "github.com/dapr/go-sdk/client"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// One call carries at most this much, so that it stays below the broker's limit for a batch (1 MiB) and the sidecar's
// for a request (4 MiB).
const (
	maxCallMessages = 500
	maxCallBytes    = 900 << 10
)

var _ event.Bus = (*Client)(nil)

// Publish implements event.Bus. Messages go in as few bulk calls as the limits allow, one after the other; the first
// that fails ends it. errs.Unavailable if the sidecar, the broker or a scope did not let them through; errs.Invalid,
// before anything is sent, if one message alone is larger than a call may be.
func (c *Client) Publish(ctx context.Context, topic contract.Topic, messages []event.Message) error {
	for _, m := range messages {
		if size(m) > maxCallBytes {
			return errs.New(errs.Invalid, "the event %s (%s) has %d bytes, more than the %d that can be published",
				m.ID, m.Type, size(m), maxCallBytes)
		}
	}
	for len(messages) > 0 {
		n := fitting(messages)
		if err := c.publish(ctx, topic, messages[:n]); err != nil {
			return err
		}
		messages = messages[n:]
	}
	return nil
}

// fitting is how many of the first messages go into one call, at least one.
func fitting(messages []event.Message) int {
	bytes := 0
	for i, m := range messages {
		bytes += size(m)
		if i > 0 && bytes > maxCallBytes || i == maxCallMessages {
			return i
		}
	}
	return len(messages)
}

func size(m event.Message) int {
	return len(m.Data) + len(m.ID) + len(m.Type) + len(m.Key) + len(m.Trace)
}

func (c *Client) publish(ctx context.Context, topic contract.Topic, messages []event.Message) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	began := time.Now()
	entries := make([]any, len(messages))
	for i, m := range messages {
		// All of it belongs to the entry: what stands on the request overrides every entry in Dapr's Kafka component.
		// The CloudEvent's source is not set, because the sidecar writes its app id.
		meta := map[string]string{"partitionKey": m.Key, "cloudevent.id": m.ID, "cloudevent.type": m.Type}
		if m.Trace != "" {
			meta["cloudevent.traceparent"] = m.Trace
		}
		entries[i] = dapr.PublishEventsEvent{
			// Not the event's id: a replay may hold one event twice, and entry ids must differ.
			EntryID: strconv.Itoa(i), ContentType: "application/json", Data: m.Data, Metadata: meta,
		}
	}
	result := c.dapr.PublishEvents(ctx, c.config.PubSub, string(topic), entries)
	observePublish(topic, len(messages), time.Since(began), result.Error)
	if result.Error != nil {
		return errs.Because(result.Error, errs.Unavailable, "the events could not be published")
	}
	return nil
}
