package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	contract "github.com/taskflow-suite/taskflow/proto"

	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// notifier puts events on the broker as fast as it takes them and counts the frames that come out of the one notifier:
// what the way from the topic to the browser can carry, without the way from REST to the topic.
func (b *session) notifier(ctx context.Context) error {
	const users, each = 50, 1200
	clients, err := b.users("stream", users, 1)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	var frames atomic.Int64
	all := make(chan struct{})
	var followers []*client.Follower
	for _, c := range clients {
		f := c.Follow(0, func(client.Frame) {
			if frames.Add(1) == users*each {
				close(all)
			}
		})
		followers = append(followers, f)
		running.Go(func() { _ = f.Run(ctx) })
	}
	for _, f := range followers {
		select {
		case <-f.Live():
		case <-time.After(30 * time.Second):
			return errors.New("a window did not open within 30 s")
		}
	}
	events, err := b.history(ctx, clients, each)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := produce(ctx, strings.Split(b.stack.Brokers(), ","), events); err != nil {
		return err
	}
	produced := time.Since(began)
	select {
	case <-all:
	case <-time.After(2 * time.Minute):
		return fmt.Errorf("%d of %d frames within 2 minutes", frames.Load(), users*each)
	}
	b.report.add("events through one notifier", float64(users*each)/time.Since(began).Seconds(), "events/s")
	b.report.add("  of which the broker took within", produced.Seconds(), "s")
	for _, f := range followers {
		if broken := f.Broken(); len(broken) > 0 {
			return fmt.Errorf("%d broken promises, the first: %s", len(broken), broken[0])
		}
	}
	return nil
}

// history puts each user's events 1 to n into the log, as if a service had, and returns them round robin over the users.
// A window that is told of an event may look for it, or for the one before it, there.
func (b *session) history(ctx context.Context, users []*client.Client, n int) ([]event.Envelope, error) {
	conn, err := pgx.Connect(ctx, b.stack.DatabaseURL())
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	now := event.Time{Time: time.Now().UTC().Truncate(time.Microsecond)}
	events := make([]event.Envelope, 0, n*len(users))
	rows := make([][]any, 0, cap(events))
	hashes := map[string][]byte{}
	for sequence := range int64(n) {
		for _, u := range users {
			id := event.NewID()
			e := event.Envelope{
				ID: id, Type: contract.TaskCreated.Name, UserID: u.UserID, AggregateID: id, Version: 1, Timestamp: now,
				Sequence: sequence + 1, Data: json.RawMessage(`{"fields":{"title":"One of many","priority":"none"}}`),
			}
			events = append(events, e)
			hashes[u.UserID] = postgres.Stored{Envelope: e, Topic: contract.Tasks}.Link(hashes[u.UserID])
			rows = append(rows, []any{
				e.ID, e.UserID, string(contract.Tasks), e.Type, e.AggregateID, e.Version, e.Sequence, "", "", "", now.Time, string(e.Data), hashes[u.UserID],
			})
		}
	}
	columns := []string{
		"id", "user_id", "topic", "type", "aggregate_id", "version", "sequence", "correlation_id", "causation_id",
		"traceparent", "occurred_at", "data", "hash",
	}
	// Without triggers: they would number the events once more and have the relay publish them.
	if _, err := conn.Exec(ctx, "SET session_replication_role = replica"); err != nil {
		return nil, err
	}
	if _, err := conn.CopyFrom(ctx, pgx.Identifier{"events"}, columns, pgx.CopyFromRows(rows)); err != nil {
		return nil, err
	}
	var heads [][]any
	for _, u := range users {
		heads = append(heads, []any{u.UserID, string(contract.Tasks), n, hashes[u.UserID]})
	}
	_, err = conn.CopyFrom(ctx, pgx.Identifier{"sequences"}, []string{"user_id", "topic", "value", "hash"}, pgx.CopyFromRows(heads))
	return events, err
}

// produce writes events to the topic as fast as the broker takes them.
func produce(ctx context.Context, brokers []string, events []event.Envelope) error {
	kc, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.MaxBufferedRecords(100_000))
	if err != nil {
		return err
	}
	defer kc.Close()
	var failed atomic.Pointer[error]
	for _, e := range events {
		data, err := json.Marshal(e)
		if err != nil {
			return err
		}
		r, err := kafka.Record("bench", contract.Tasks, event.Message{ID: e.ID, Type: e.Type, Key: e.UserID, Data: data})
		if err != nil {
			return err
		}
		kc.Produce(ctx, r, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.Store(&err)
			}
		})
	}
	if err := kc.Flush(ctx); err != nil {
		return err
	}
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}
