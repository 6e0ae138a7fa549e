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

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
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
	began := time.Now()
	if err := produce(ctx, strings.Split(b.stack.Brokers(), ","), clients, each); err != nil {
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

// produce writes each user's events 1 to n, round robin over the users.
func produce(ctx context.Context, brokers []string, users []*client.Client, n int) error {
	kc, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.MaxBufferedRecords(100_000))
	if err != nil {
		return err
	}
	defer kc.Close()
	var failed atomic.Pointer[error]
	for sequence := range n {
		for _, u := range users {
			id := event.NewID()
			data, err := json.Marshal(event.Envelope{
				ID: id, Type: contract.TaskCreated.Name, UserID: u.UserID, AggregateID: id, Version: 1,
				Timestamp: event.Time{Time: time.Now()}, Sequence: int64(sequence) + 1,
				Data: json.RawMessage(`{"fields":{"title":"One of many","priority":"none"}}`),
			})
			if err != nil {
				return err
			}
			r, err := kafka.Record("bench", contract.Tasks, event.Message{ID: id, Type: contract.TaskCreated.Name, Key: u.UserID, Data: data})
			if err != nil {
				return err
			}
			kc.Produce(ctx, r, func(_ *kgo.Record, err error) {
				if err != nil {
					failed.Store(&err)
				}
			})
		}
	}
	if err := kc.Flush(ctx); err != nil {
		return err
	}
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}
