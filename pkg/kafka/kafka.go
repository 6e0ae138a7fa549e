// Package kafka is the bus without a sidecar: event.Bus and a fan-out subscription straight over the Kafka protocol,
// for hosts that cannot run one and as the yardstick for what the sidecar costs.
//
// Records are the CloudEvents a sidecar writes, with the same keys on the same partitions, so that both kinds of
// service can share topics. It owns no topics (pkg/topics makes them) and no state.
package kafka

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// publishTimeout is how long a publication waits for the broker before it is given up as unavailable.
const publishTimeout = 10 * time.Second

// Bus publishes to brokers. It is an event.Bus; Close it at the end.
type Bus struct {
	client *kgo.Client
	source string
}

// NewBus makes a Bus that publishes as source, a service's name. It does not wait for the brokers.
func NewBus(brokers []string, source string) (*Bus, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...),
		kgo.ClientID(source),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(kgo.SaramaCompatHasher(fnv32a))),
		kgo.RecordDeliveryTimeout(publishTimeout),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
	)
	if err != nil {
		return nil, err
	}
	return &Bus{client, source}, nil
}

// fnv32a is how the sidecar's Kafka library chooses a key's partition.
func fnv32a(key []byte) uint32 {
	h := fnv.New32a()
	_, _ = h.Write(key)
	return h.Sum32()
}

// cloudEvent is the part of CloudEvents 1.0 (JSON format) that the suite uses.
type cloudEvent struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	DataContentType string          `json:"datacontenttype"`
	Topic           contract.Topic  `json:"topic"`
	TraceParent     string          `json:"traceparent,omitempty"`
	Data            json.RawMessage `json:"data"`
}

// Record is a message as it lies on a topic.
func Record(source string, topic contract.Topic, m event.Message) (*kgo.Record, error) {
	value, err := json.Marshal(cloudEvent{
		SpecVersion: "1.0", ID: m.ID, Source: source, Type: m.Type, DataContentType: "application/json",
		Topic: topic, TraceParent: m.Trace, Data: m.Data,
	})
	if err != nil {
		return nil, errs.Because(err, errs.Invalid, "the event is not JSON")
	}
	return &kgo.Record{Topic: string(topic), Key: []byte(m.Key), Value: value}, nil
}

// Publish is event.Bus.
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
	if err := b.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return errs.Because(err, errs.Unavailable, "the broker did not take the events")
	}
	return nil
}

// Close ends the connections.
func (b *Bus) Close() { b.client.Close() }

// FanOut delivers every event of the router's topics from now on to the router, as one consumer of its own that leaves
// nothing behind on the broker, until ctx ends. started is called once it will miss nothing more. A handler's error is
// logged and passed over: a fan-out subscriber fills what it missed from the event log.
func FanOut(ctx context.Context, brokers []string, name string, router *event.Router, started func()) error {
	topics := make([]string, 0, len(router.Topics()))
	for _, t := range router.Topics() {
		topics = append(topics, string(t))
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...),
		kgo.ClientID(name),
		kgo.ConsumeTopics(topics...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()),
		kgo.FetchMaxWait(500*time.Millisecond),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	for first := true; ; first = false {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if first {
			started()
		}
		fetches.EachError(func(topic string, _ int32, err error) {
			slog.WarnContext(ctx, "reading a topic failed; it is tried again", "topic", topic, "error", err)
		})
		fetches.EachRecord(func(r *kgo.Record) { deliver(ctx, router, r) })
	}
}

func deliver(ctx context.Context, router *event.Router, r *kgo.Record) {
	var ce cloudEvent
	err := json.Unmarshal(r.Value, &ce)
	if err == nil {
		err = router.Deliver(ctx, contract.Topic(r.Topic), ce.Data)
	}
	if err != nil {
		slog.WarnContext(ctx, "an event was not handled", "topic", r.Topic, "event_type", ce.Type, "error", err)
	}
}
