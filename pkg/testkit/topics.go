package testkit

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
)

// StartBrokerWithTopics is StartBroker with the product's topics.
func StartBrokerWithTopics(t testing.TB) *Broker {
	t.Helper()
	b := StartBroker(t)
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	if err := topics.Apply(ctx, []string{b.Addr}, topics.Access{}, io.Discard); err != nil {
		t.Fatal(err)
	}
	return b
}

// Told waits until n events that are wanted are on a topic; one that was published twice counts once.
func (b *Broker) Told(topic proto.Topic, n int, what string, wanted func(topics.Record) bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), Patience)
	defer cancel()
	errAll := errors.New("all have come")
	ids := map[string]bool{}
	filter := topics.Filter{Topics: []proto.Topic{topic}, Since: time.Unix(1, 0)}
	err := topics.Tail(ctx, []string{b.Addr}, topics.Access{}, filter, func(r topics.Record) error {
		if wanted(r) {
			ids[r.Event.ID] = true
		}
		if len(ids) == n {
			return errAll
		}
		return nil
	})
	if !errors.Is(err, errAll) {
		b.t.Fatalf("%d of %d %s came: %v", len(ids), n, what, err)
	}
}
