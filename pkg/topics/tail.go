package topics

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// Filter says what Tail shows. Empty fields let everything through.
type Filter struct {
	Topics []contract.Topic
	User   string
	Types  []string
	// Since starts at the first record from that time on; the zero time starts at the end: only what comes from now on.
	Since time.Time
}

// Record is a record that Tail read.
type Record struct {
	Topic     contract.Topic
	Partition int32
	Offset    int64
	Key       string
	At        time.Time
	// Source is the app that published it, Trace its W3C traceparent.
	Source, Trace string
	Event         event.Envelope
	// Fault says why the record is no event; Event is then empty. Such records pass every filter but the topics.
	Fault string
}

// Tail reads topics without a consumer group, so that nobody else's reading is disturbed, and shows each record that
// passes the filter. It ends when ctx does, with nil, or with show's error. errs.NotFound if there is no such topic.
func Tail(ctx context.Context, brokers []string, access Access, filter Filter, show func(Record) error) error {
	names := make([]string, len(filter.Topics))
	for i, t := range filter.Topics {
		names[i] = string(t)
	}
	from := kgo.NewOffset().AtEnd()
	if !filter.Since.IsZero() {
		from = kgo.NewOffset().AfterMilli(filter.Since.UnixMilli())
	}
	client, err := connect(brokers, access, kgo.ConsumeTopics(names...), kgo.ConsumeResetOffset(from))
	if err != nil {
		return err
	}
	defer client.Close()
	// A consumer waits without a word for topics that are not there.
	found, err := kadm.NewClient(client).ListTopics(ctx, names...)
	if err != nil {
		return kafka.Failure(access, err)
	}
	for _, name := range names {
		if !found.Has(name) {
			return errs.New(errs.NotFound, "there is no topic %s", name)
		}
	}
	for {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if faults := fetches.Errors(); len(faults) > 0 {
			return errs.Because(faults[0].Err, errs.Unavailable, "the topic %s cannot be read", faults[0].Topic)
		}
		for records := fetches.RecordIter(); !records.Done(); {
			r := read(records.Next())
			if !filter.passes(r) {
				continue
			}
			if err := show(r); err != nil {
				return err
			}
		}
	}
}

// cloudEvent is what the sidecar wraps an event into.
type cloudEvent struct {
	Source string          `json:"source"`
	Trace  string          `json:"traceparent"`
	Data   json.RawMessage `json:"data"`
}

func read(k *kgo.Record) Record {
	r := Record{
		Topic: contract.Topic(k.Topic), Partition: k.Partition, Offset: k.Offset, Key: string(k.Key), At: k.Timestamp,
	}
	var wrapped cloudEvent
	if err := json.Unmarshal(k.Value, &wrapped); err != nil {
		r.Fault = "not a CloudEvent"
		return r
	}
	r.Source, r.Trace = wrapped.Source, wrapped.Trace
	e, err := event.Decode(wrapped.Data)
	if err != nil {
		r.Fault = errs.Text(err)
		return r
	}
	r.Event = e
	return r
}

func (f Filter) passes(r Record) bool {
	if r.Fault != "" {
		return true
	}
	if f.User != "" && r.Event.UserID != f.User {
		return false
	}
	return len(f.Types) == 0 || slices.Contains(f.Types, r.Event.Type)
}
