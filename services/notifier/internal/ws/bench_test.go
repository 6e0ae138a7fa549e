package ws_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/hub"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/topics"
)

// crowd opens connections that call read for every frame behind their hello.
func (w *world) crowd(users, each int, read func()) {
	w.t.Helper()
	for i := range users {
		user := fmt.Sprint("user-", i)
		header := bearer(mint(w.t, user, time.Hour))
		for range each {
			conn := w.socket(path(user, ""), header)
			if _, _, err := conn.ReadMessage(); err != nil {
				w.t.Fatal(err)
			}
			go func() {
				for {
					if kind, _, err := conn.NextReader(); err != nil || kind != websocket.TextMessage {
						return
					}
					read()
				}
			}()
		}
	}
}

// BenchmarkBroadcast is one event to 1,000 connections of one user, from the hub until the last client has read it. The
// clients share the processors.
func BenchmarkBroadcast(b *testing.B) {
	const n = 1000
	w := outside(b, settings{hub: hub.Options{PerUser: n}})
	var all sync.WaitGroup
	w.crowd(1, n, func() { all.Done() })
	for b.Loop() {
		all.Add(n)
		w.publish("user-0", 1)
		all.Wait()
	}
}

// BenchmarkDelivery is events of 50 connected users, from the delivered JSON until the clients have read the frames. The
// clients share the processors.
func BenchmarkDelivery(b *testing.B) {
	const users = 50
	w := outside(b, settings{hub: hub.Options{Queue: 64}})
	router := event.NewRouter()
	topics.Register(router, w.hub)
	var all sync.WaitGroup
	w.crowd(users, 1, func() { all.Done() })
	for b.Loop() {
		// In rounds, so that a client that lags reads the log only if its queue overflows.
		const round = 20
		all.Add(users * round)
		for range round {
			for i := range users {
				data, err := json.Marshal(w.log.Add(fmt.Sprint("user-", i), 1)[0])
				if err != nil {
					b.Fatal(err)
				}
				if err := router.Deliver(b.Context(), proto.Tasks, data); err != nil {
					b.Fatal(err)
				}
			}
		}
		all.Wait()
	}
	b.ReportMetric(float64(b.N)*users*20/b.Elapsed().Seconds(), "events/s")
}
