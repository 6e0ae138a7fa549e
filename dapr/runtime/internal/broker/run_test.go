package broker_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/dapr/runtime/internal/broker"
	"github.com/taskflow-suite/taskflow/dapr/runtime/internal/proctest"
)

// The other tests run the program; here the race detector sees inside.
func TestRunServesUntilItsContextEndsAndCanBeRunAgain(t *testing.T) {
	t.Parallel()
	cfg := broker.Config{
		Listen:         "127.0.0.1:0",
		Data:           t.TempDir(),
		RetentionCheck: 5 * time.Millisecond,
		Users:          []broker.User{{Name: "admin", Password: "a-secret"}},
		Log:            slog.New(slog.DiscardHandler),
	}
	// Without authentication first: users are of the start, not of the directory.
	users := cfg.Users
	for _, cfg.Users = range [][]broker.User{nil, nil, users} {
		ctx, cancel := context.WithTimeout(t.Context(), proctest.Deadline)
		ready, done := make(chan string, 1), make(chan error, 1)
		go func() { done <- broker.Run(ctx, cfg, func(addr string) { ready <- addr }) }()
		select {
		case addr := <-ready:
			if cfg.Users == nil {
				exchange(t, addr)
			}
		case err := <-done:
			t.Fatalf("Run ended at once: %v", err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatalf("Run: %v", err)
		}
	}
}

// exchange writes one record and reads the topic.
func exchange(t *testing.T, addr string) {
	t.Helper()
	c := client(t, addr, kgo.UnknownTopicRetries(0))
	if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr(); err != nil {
		createTopic(t, addr, nil)
		if err := client(t, addr).ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if log := readAll(t, addr); len(log) == 0 {
		t.Fatal("the topic is empty")
	}
}
