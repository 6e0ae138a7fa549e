package taskstore_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/inbox"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

// BenchmarkCreate is the path of every new task but for the door: profile, task, sequence, event, outbox, commit. Many
// users from sixteen clients. The test server does not flush to disk.
func BenchmarkCreate(b *testing.B) {
	benchmarkCreate(b, taskstore.New(testkit.OpenPostgres(b)))
}

// BenchmarkCreateWhileOthersClaim is BenchmarkCreate by users of whom 500 series a second are claimed in one transaction,
// which holds their sequences of triggers meanwhile.
func BenchmarkCreateWhileOthersClaim(b *testing.B) {
	store := taskstore.New(testkit.OpenPostgres(b))
	repeating(b, store, 20, 25)
	stop := make(chan struct{})
	var claimer sync.WaitGroup
	claimer.Go(func() {
		every := time.NewTicker(time.Second)
		defer every.Stop()
		for now := tomorrow; ; now = now.Add(task.ClaimLease) {
			select {
			case <-stop:
				return
			case <-every.C:
			}
			if n, err := store.ClaimSeries(b.Context(), now, 500); err != nil || n != 500 {
				b.Errorf("%d are claimed: %v", n, err)
			}
		}
	})
	b.ResetTimer()
	benchmarkCreate(b, store)
	close(stop)
	claimer.Wait()
}

func benchmarkCreate(b *testing.B, store *taskstore.Store) {
	b.Helper()
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

// repeating makes users with series that repeat daily from the start on, and returns them by user.
func repeating(b *testing.B, store *taskstore.Store, users, each int) map[string][]string {
	b.Helper()
	made := map[string][]string{}
	for u := range users {
		user := fmt.Sprint("user ", u)
		for len(made[user]) < each {
			var tasks []task.Task
			for range min(each-len(made[user]), task.MaxBatch) {
				t := daily(user)
				tasks = append(tasks, t)
				made[user] = append(made[user], t.Occurrence.SeriesID)
			}
			if err := store.Create(b.Context(), user, task.Idempotency{}, tasks...); err != nil {
				b.Fatal(err)
			}
		}
	}
	return made
}

// BenchmarkSpawn is what the handler of a trigger does, from sixteen clients for 200 users: the transaction with the note in
// the inbox, and the occurrence of the next day.
func BenchmarkSpawn(b *testing.B) {
	for name, reminders := range map[string][]int{"plain": nil, "with two reminders": {0, 10}} {
		b.Run(name, func(b *testing.B) {
			store := taskstore.New(testkit.OpenPostgres(b))
			made := repeating(b, store, 200, 4)
			if reminders != nil {
				for user, all := range made {
					for _, id := range all {
						_, err := store.Advance(b.Context(), user, id, func(s *task.Series, _ task.Profile) ([]task.Task, error) {
							s.Reminders = reminders
							s.Made++ // so that it is saved
							return nil, nil
						})
						if err != nil {
							b.Fatal(err)
						}
					}
				}
			}
			var next atomic.Int64
			b.SetParallelism(8)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := int(next.Add(1)) - 1
					user, day := fmt.Sprint("user ", n%200), start.AddDate(0, 0, 1+n/800)
					err := store.WithinKnown(b.Context(), user, func(tx *postgres.Tx, own *taskstore.Store) error {
						if _, err := inbox.Once(tx, "scheduler", event.NewID()); err != nil {
							return err
						}
						did, err := task.NewService(own, func() time.Time { return day }).Spawn(b.Context(), user, made[user][n/200%4], task.Cause{At: day})
						if err == nil && len(did.Made) != 1 {
							return fmt.Errorf("%d were made on %s", len(did.Made), day)
						}
						return err
					})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()*60, "spawns/min")
		})
	}
}

// BenchmarkClaim claims and announces 500 series that are due, when they are all there is and when there are a million that
// are not.
func BenchmarkClaim(b *testing.B) {
	for _, others := range []int{0, 1_000_000} {
		b.Run(fmt.Sprintf("%d others", others), func(b *testing.B) {
			url := testkit.Postgres(b)
			store := taskstore.New(testkit.OpenPostgresAt(b, url))
			repeating(b, store, 100, 5)
			conn, err := pgx.Connect(b.Context(), url)
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close(context.Background())
			for _, statement := range []string{
				`INSERT INTO series (id, user_id, title, description, priority, tags, reminders, recurrence_rule, recurrence_anchor, catch_up, start, whole_day,
				   version, created_at, updated_at, zone, cursor, made, newest, next, next_at, claim_at, claims)
				 SELECT gen_random_uuid(), 'user ' || n % 100, 'Series ' || n, '', 0, '{}', '{}', 'FREQ=DAILY', 'schedule', 'latest', now(), false,
				   1, now(), now(), 'UTC', now(), 1, gen_random_uuid(), '2036-01-01', timestamptz '2036-01-01' + n * interval '1 second', timestamptz '2036-01-01' + n * interval '1 second', 0
				 FROM generate_series(1, $1::int) n`,
			} {
				if _, err := conn.Exec(b.Context(), statement, others); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := conn.Exec(b.Context(), "VACUUM ANALYZE series"); err != nil {
				b.Fatal(err)
			}
			now := tomorrow
			b.ResetTimer()
			for range b.N {
				n, err := store.ClaimSeries(b.Context(), now, 500)
				if err != nil || n != 500 {
					b.Fatal(n, err)
				}
				now = now.Add(task.ClaimLease)
			}
			b.ReportMetric(float64(b.N*500)/b.Elapsed().Seconds(), "claims/s")
			b.StopTimer()
			at := time.Now()
			for range 100 {
				if _, err := store.NextDue(b.Context()); err != nil {
					b.Fatal(err)
				}
				if _, err := store.Backlog(b.Context(), now); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(time.Since(at).Microseconds())/100, "µs/look")
		})
	}
}
