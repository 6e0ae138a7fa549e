package outbox_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/outbox"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	contract "github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

// BenchmarkRelay is how fast events are committed by sixteen clients and published, to a bus that takes them at once.
func BenchmarkRelay(b *testing.B) {
	url, to := testkit.Postgres(b), newBus()
	db := testkit.OpenPostgresAt(b, url)
	run(b, outbox.New(db, to, outbox.Options{}))
	var client atomic.Int64
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		user := fmt.Sprintf("user %d", client.Add(1))
		for pb.Next() {
			err := db.Transaction(b.Context(), func(tx *postgres.Tx) error {
				return tx.Append(event.New(contract.TaskCreated, time.Now(), user, event.NewID(), 1, &taskv1.TaskCreated{}))
			})
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
	to.until(b, "all events", func() bool { return to.count(contract.Tasks) >= b.N })
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(b.N)/float64(len(to.sizes)), "events/publish")
}
