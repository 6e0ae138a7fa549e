package taskstore_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

// BenchmarkCreate is the path of every new task but for the door: profile, task, sequence, event, outbox, commit. Many
// users from sixteen clients. The test server does not flush to disk.
func BenchmarkCreate(b *testing.B) {
	store := taskstore.New(testkit.OpenPostgres(b))
	var client atomic.Int64
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		user := fmt.Sprintf("user %d", client.Add(1))
		for pb.Next() {
			if _, err := store.EnsureProfile(b.Context(), user, "UTC", time.Now()); err != nil {
				b.Fatal(err)
			}
			t := task.New(event.NewID(), user, task.Fields{Title: "Buy milk", Priority: task.None}, time.Now())
			if err := store.Create(b.Context(), user, task.Idempotency{}, t); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
}

// BenchmarkList reads the first page of 50 of a user with 1,000 tasks, from sixteen clients, when that is all there is and
// when there are a million of other users'.
func BenchmarkList(b *testing.B) {
	for _, others := range []int{0, 1_000_000} {
		url := testkit.Postgres(b)
		fill(b, url, "ada", 1, 1_000)
		if others > 0 {
			fill(b, url, "user", others/1_000, 1_000)
		}
		store := taskstore.New(testkit.OpenPostgresAt(b, url))
		no := false
		for name, q := range map[string]task.Query{
			"newest":    {Descending: true},
			"due":       {Order: task.ByDue},
			"due last":  {Order: task.ByDue, Descending: true},
			"priority":  {Order: task.ByPriority, Descending: true},
			"title":     {Order: task.ByTitle},
			"open":      {Completed: &no},
			"text":      {Text: "number 7"},
			"overdue":   {OverdueAt: time.Now().Add(100 * time.Hour)},
			"the trash": {Deleted: true},
		} {
			b.Run(fmt.Sprintf("%d others/%s", others, name), func(b *testing.B) {
				q.Limit = 50
				b.SetParallelism(8)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, err := store.List(b.Context(), "ada", q); err != nil {
							b.Fatal(err)
						}
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lists/s")
			})
		}
	}
}

// fill makes users with tasks each, a tenth of them completed, a tenth in the trash, half of them due.
func fill(b *testing.B, url, user string, users, each int) {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, statement := range []string{
		`INSERT INTO profiles SELECT $1 || CASE $2::int WHEN 1 THEN '' ELSE u::text END, 'UTC', 1, now(), now()
		 FROM generate_series(1, $2::int) u WHERE $3::int > 0`,
		`INSERT INTO tasks (id, user_id, title, description, priority, tags, due_at, deadline, reminders, version, created_at, updated_at, completed_at, deleted_at)
		 SELECT gen_random_uuid(), $1 || CASE $2::int WHEN 1 THEN '' ELSE u::text END, 'Task number ' || n, 'about ' || u, n % 5, '{}',
		   CASE WHEN n % 2 = 0 THEN now() + n * interval '1 hour' END, CASE WHEN n % 2 = 0 THEN now() + n * interval '1 hour' END,
		   '{}', 1, now() - n * interval '1 minute', now(), CASE WHEN n % 10 = 1 THEN now() END, CASE WHEN n % 10 = 2 THEN now() END
		 FROM generate_series(1, $2::int) u, generate_series(1, $3::int) n`,
	} {
		if _, err := conn.Exec(b.Context(), statement, user, users, each); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := conn.Exec(b.Context(), "VACUUM ANALYZE tasks"); err != nil {
		b.Fatal(err)
	}
}
