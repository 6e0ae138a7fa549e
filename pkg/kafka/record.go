package kafka

import (
	"encoding/json"
	"hash/fnv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// cloudEvent is the part of CloudEvents 1.0 (JSON format) that the suite uses.
type cloudEvent struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	DataContentType string          `json:"datacontenttype"`
	Topic           contract.Topic  `json:"topic"`
	Trace           string          `json:"traceparent,omitempty"`
	Data            json.RawMessage `json:"data"`
}

// Record is a message that source published, as it lies on a topic. errs.Invalid if its data is not JSON.
func Record(source string, topic contract.Topic, m event.Message) (*kgo.Record, error) {
	value, err := json.Marshal(cloudEvent{
		SpecVersion: "1.0", ID: m.ID, Source: source, Type: m.Type, DataContentType: "application/json",
		Topic: topic, Trace: m.Trace, Data: m.Data,
	})
	if err != nil {
		return nil, errs.Because(err, errs.Invalid, "the event is not JSON")
	}
	return &kgo.Record{Topic: string(topic), Key: []byte(m.Key), Value: value}, nil
}

// decode is the event that lies on a topic, with the traceparent it was published with. errs.Invalid if it is none.
func decode(value []byte) (e event.Envelope, trace string, err error) {
	var ce cloudEvent
	if err := json.Unmarshal(value, &ce); err != nil {
		return event.Envelope{}, "", errs.Because(err, errs.Invalid, "not a CloudEvent")
	}
	e, err = event.Decode(ce.Data)
	return e, ce.Trace, err
}

// partitioner puts a key where the sidecar does, whose Kafka library takes FNV-1a of it (sarama's hash partitioner).
func partitioner() kgo.Partitioner {
	return kgo.StickyKeyPartitioner(kgo.SaramaCompatHasher(func(key []byte) uint32 {
		h := fnv.New32a()
		_, _ = h.Write(key)
		return h.Sum32()
	}))
}
