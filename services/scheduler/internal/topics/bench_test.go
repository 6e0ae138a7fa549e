package topics_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/scheduler/internal/topics"
)

// BenchmarkRecurrenceDue makes one occurrence of each of b.N series of a hundred users, as many at once as the topic has
// partitions; claiming them is part of it.
func BenchmarkRecurrenceDue(b *testing.B) {
	const users, partitions = 100, 12
	store := taskstore.New(testkit.OpenPostgres(b))
	now := monday
	clock := func() time.Time { return now }
	tasks := task.NewService(store, clock)
	for n := 0; n < b.N; n += task.MaxBatch {
		var all []task.Fields
		for i := range min(task.MaxBatch, b.N-n) {
			all = append(all, daily(fmt.Sprint("task ", n+i), monday))
		}
		if _, _, err := tasks.Create(b.Context(), fmt.Sprint("user", n/task.MaxBatch%users), task.Idempotency{}, nil, all...); err != nil {
			b.Fatal(err)
		}
	}
	now = monday.AddDate(0, 0, 1)
	r := event.NewRouter()
	topics.Register(r, topics.Options{Store: store, Now: clock})
	b.ResetTimer()
	for claimed := 0; claimed < b.N; {
		n, err := store.ClaimSeries(b.Context(), now, 1000)
		if err != nil || n == 0 {
			b.Fatal(n, err)
		}
		claimed += n
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
	waiting := make([][]event.Envelope, partitions)
	for u := range users {
		for since := int64(0); ; {
			events, _, err := store.Events(b.Context(), task.EventQuery{UserID: fmt.Sprint("user", u), Topic: proto.Scheduling, Since: since, Limit: 1000})
			if err != nil {
				b.Fatal(err)
			}
			if len(events) == 0 {
				break
			}
			since = events[len(events)-1].Sequence
			waiting[u%partitions] = append(waiting[u%partitions], events...)
		}
	}
	began := time.Now()
	var all sync.WaitGroup
	for _, events := range waiting {
		all.Go(func() {
			for _, e := range events {
				if err := r.Handle(b.Context(), event.Meta{Envelope: e, Topic: proto.Scheduling}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "occurrences/s")
}
