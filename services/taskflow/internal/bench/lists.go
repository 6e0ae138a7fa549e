package bench

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// lists measures one page of a user who has 1,000 tasks while the table holds more and more of other people's.
func (b *session) lists(ctx context.Context) error {
	c, err := b.user("reader", 16)
	if err != nil {
		return err
	}
	const mine = 1000
	for done := 0; done < mine; done += 50 {
		var operations []map[string]any
		for i := range 50 {
			operations = append(operations, map[string]any{
				"op": "create", "task": map[string]any{"title": fmt.Sprintf("Task %d", done+i), "priority": "low"},
			})
		}
		if err := c.Do(ctx, http.MethodPost, "/tasks/batch", "", map[string]any{"operations": operations}, nil); err != nil {
			return err
		}
	}
	for _, rows := range []int{1_000, 100_000, 1_000_000} {
		if err := b.fill(ctx, rows); err != nil {
			return err
		}
		rate, took, err := listLoad(ctx, c, 16, b.o.For)
		if err != nil {
			return err
		}
		about := fmt.Sprintf("list 50 of a user's tasks, 16 clients, %d tasks in the table", rows)
		b.report.add(about, rate, "lists/s")
		b.report.time(about+", p50", quantile(took, 0.50))
		b.report.time(about+", p99", quantile(took, 0.99))
	}
	return nil
}

// fill copies other people's tasks into the table until it holds about n. It goes past the service, because a million
// requests would measure something else; the reader's own tasks came through it.
func (b *session) fill(ctx context.Context, n int) error {
	conn, err := pgx.Connect(ctx, b.stack.DatabaseURL())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range []string{
		`INSERT INTO profiles (user_id, time_zone, version, created_at, updated_at)
		 SELECT 'other-' || i, 'UTC', 1, now(), now() FROM generate_series(1, 1000) i ON CONFLICT DO NOTHING`,
		fmt.Sprintf(`INSERT INTO tasks (id, user_id, title, description, priority, tags, reminders, version, created_at, updated_at)
		 SELECT gen_random_uuid(), 'other-' || (1 + i %% 1000), 'Task ' || i, 'Something to do', i %% 5, '{}', '{}', 1,
		        now() - i * interval '1 second', now()
		 FROM generate_series(1, greatest(0, %d - (SELECT count(*) FROM tasks))) i`, n),
		`ANALYZE tasks`,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// listLoad reads the first page from n clients at once.
func listLoad(ctx context.Context, c *client.Client, n int, lasting time.Duration) (float64, []time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, lasting+30*time.Second)
	defer cancel()
	var mu sync.Mutex
	var all []time.Duration
	var failed atomic.Pointer[error]
	began := time.Now()
	var running sync.WaitGroup
	for range n {
		running.Go(func() {
			var mine []time.Duration
			for time.Since(began) < lasting && failed.Load() == nil {
				sent := time.Now()
				if err := c.Do(ctx, http.MethodGet, "/tasks?limit=50", "", nil, nil); err != nil {
					failed.Store(&err)
					return
				}
				mine = append(mine, time.Since(sent))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
		})
	}
	running.Wait()
	took := time.Since(began)
	if err := failed.Load(); err != nil {
		return 0, nil, *err
	}
	slices.Sort(all)
	return float64(len(all)) / took.Seconds(), all, nil
}
