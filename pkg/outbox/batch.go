package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// batch publishes the oldest events of the shards it gets hold of and returns how many. It is three round trips to the
// database: begin, take, commit.
func (r *Relay) batch(ctx context.Context, db *postgres.DB) (sent int, err error) {
	var (
		refused error
		done    []postgres.Taken
	)
	err = db.Transaction(ctx, func(tx *postgres.Tx) error {
		taken, err := tx.Take((postgres.Shards+r.o.Workers-1)/r.o.Workers, r.o.Batch)
		if err != nil {
			return err
		}
		for _, group := range byTopic(taken) {
			// One topic that cannot be published does not have the others published again and again.
			if err := r.publish(ctx, group); err != nil {
				refused = errors.Join(refused, err)
				continue
			}
			done = append(done, group...)
		}
		return refused
	})
	switch {
	case refused != nil:
		// All of it is back in the outbox, but must not stay there.
		if err := db.Drop(ctx, done); err != nil {
			return 0, err
		}
	case err != nil:
		return 0, err
	}
	r.published.Add(int64(len(done)))
	return len(done), refused
}

// byTopic groups events, keeping their order.
func byTopic(taken []postgres.Taken) [][]postgres.Taken {
	var groups [][]postgres.Taken
	at := map[contract.Topic]int{}
	for _, t := range taken {
		i, ok := at[t.Topic]
		if !ok {
			i = len(groups)
			at[t.Topic] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], t)
	}
	return groups
}

// publish sends events of one topic.
func (r *Relay) publish(ctx context.Context, group []postgres.Taken) error {
	ctx, cancel := context.WithTimeoutCause(ctx, r.o.Deadline, errDeadline)
	defer cancel()
	messages := make([]event.Message, len(group))
	for i, t := range group {
		data, err := json.Marshal(t.Envelope)
		if err != nil {
			return err
		}
		messages[i] = event.Message{ID: t.Envelope.ID, Type: t.Type, Key: t.UserID, Trace: t.Trace, Data: data}
	}
	topic := group[0].Topic
	began := time.Now()
	sending, sent := traced(ctx, group, messages)
	err := r.bus.Publish(sending, topic, messages)
	sent(err)
	if err != nil {
		return publishError{cause: err, deadline: errors.Is(context.Cause(ctx), errDeadline)}
	}
	r.metrics.latency.Observe(time.Since(began).Seconds())
	r.metrics.published.WithLabelValues(string(topic)).Add(float64(len(group)))
	return nil
}

var errDeadline = errors.New("the publish deadline is over")

// publishError tells a failure of the bus from one of the database.
type publishError struct {
	cause    error
	deadline bool
}

func (e publishError) Error() string { return "publish: " + e.cause.Error() }
func (e publishError) Unwrap() error { return e.cause }
