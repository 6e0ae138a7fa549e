package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/taskflow-suite/taskflow/pkg/recurrence"
)

const (
	// burst is how many series come due at one moment.
	burst = 10_000
	// manySeries is how many are in the table when the scheduler's memory is looked at.
	manySeries = 1_000_000
	// spawnLimit bounds the wait for what is due.
	spawnLimit = 3 * time.Minute
)

// schedule measures how soon the next occurrence is there when its time comes, how many are made in a minute, and what the
// scheduler needs to keep many.
func (b *session) schedule(ctx context.Context) error {
	if err := b.nextCost(); err != nil {
		return err
	}
	for _, perMinute := range []int{100, 5_000} {
		n := max(1, int(float64(perMinute)*b.o.For.Minutes()))
		from := time.Now().Add(ahead(n))
		name := fmt.Sprintf("occurrences at %d due per minute", perMinute)
		if err := b.spawned(ctx, fmt.Sprintf("due-%d", perMinute), name, n, from, b.o.For); err != nil {
			return err
		}
	}
	began := time.Now().Add(ahead(burst))
	name := fmt.Sprintf("%d occurrences due at one moment", burst)
	if err := b.spawned(ctx, "burst", name, burst, began, 0); err != nil {
		return err
	}
	return b.manySeries(ctx)
}

// ahead is how long before their time n series are begun: they must exist by then.
func ahead(n int) time.Duration { return 5*time.Second + time.Duration(n)*4*time.Millisecond }

// nextCost measures the next occurrence of rules, simple and hard.
func (b *session) nextCost() error {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		return err
	}
	start := time.Date(2020, 2, 29, 2, 30, 0, 0, time.UTC)
	for _, one := range []struct{ name, rule string }{
		{"daily", "FREQ=DAILY"},
		{"every second week on two days", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH"},
		{"the last working day of the month", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"},
		{"29 February on a Sunday", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU"},
	} {
		const times = 2_000
		rule, err := recurrence.Parse(one.rule)
		if err != nil {
			return err
		}
		after, began := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), time.Now()
		for n := range times {
			if _, ok := rule.Next(start, zone, after.AddDate(0, 0, n%1000)); !ok {
				return fmt.Errorf("%s has no next occurrence", one.rule)
			}
		}
		b.report.add("one next: "+one.name, float64(time.Since(began).Microseconds())/times, "µs")
	}
	return nil
}

// spawned makes n daily series through the API whose next occurrences come due from a moment on, spread over a time, and
// reports how late they are there, as the tasks themselves say, and how many there were in a minute.
func (b *session) spawned(ctx context.Context, prefix, name string, n int, from time.Time, over time.Duration) error {
	const each = 100                        // series of a user
	from = from.UTC().Truncate(time.Second) // as the clock of a rule has it
	users, err := b.users(prefix, (n+each-1)/each, 8)
	if err != nil {
		return err
	}
	const makers = 8
	failed := make([]error, makers)
	var making sync.WaitGroup
	for worker := range makers {
		making.Go(func() {
			for i := worker; i < len(users) && failed[worker] == nil; i += makers {
				var operations []map[string]any
				for j := i; j < n; j += len(users) { // neighbours in time are different people's
					due := from.Add(time.Duration(float64(over)*float64(j)/float64(n))).AddDate(0, 0, -1)
					operations = append(operations, map[string]any{"op": "create", "task": map[string]any{
						"title": fmt.Sprintf("Task %d of the measurement", j), "due_date": due.Format(time.RFC3339Nano),
						"recurrence": map[string]string{"rule": "daily", "time_zone": "UTC"},
					}})
				}
				failed[worker] = users[i].Do(ctx, http.MethodPost, "/tasks/batch", "", map[string]any{"operations": operations}, nil)
			}
		})
	}
	making.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	if time.Now().After(from) {
		return fmt.Errorf("%s: making the series took until after the first was due", name)
	}

	conn, err := pgx.Connect(ctx, b.stack.DatabaseURL())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	ctx, cancel := context.WithTimeout(ctx, time.Until(from)+over+spawnLimit)
	defer cancel()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for made := 0; made < n; {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %d of %d were made", name, made, n)
		case <-tick.C:
		}
		err := conn.QueryRow(ctx, "SELECT count(*) FROM tasks WHERE user_id LIKE $1 AND due_at >= $2", prefix+"-%", from).Scan(&made)
		if err != nil {
			return err
		}
	}
	var count int
	var p50, p99, slowest, took float64
	err = conn.QueryRow(ctx, `
		SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY late), percentile_cont(0.99) WITHIN GROUP (ORDER BY late), max(late),
		       extract(epoch FROM max(created_at) - $2)
		FROM (SELECT extract(epoch FROM created_at - due_at) AS late, created_at FROM tasks WHERE user_id LIKE $1 AND due_at >= $2) made`,
		prefix+"-%", from).Scan(&count, &p50, &p99, &slowest, &took)
	if err != nil {
		return err
	}
	if count != n {
		return fmt.Errorf("%s: there are %d, want %d", name, count, n)
	}
	if over == 0 {
		b.report.add(name+", made", float64(n)/took*60, "per minute")
		b.report.time(name+", the last after", time.Duration(took*float64(time.Second)))
		return nil
	}
	b.report.time(name+", late by p50", time.Duration(p50*float64(time.Second)))
	b.report.time(name+", late by p99", time.Duration(p99*float64(time.Second)))
	b.report.time(name+", late by at most", time.Duration(slowest*float64(time.Second)))
	return nil
}

// manySeries copies series of other people into the table, past the service, because a million requests would measure
// something else, and looks at the scheduler after some rounds.
func (b *session) manySeries(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, b.stack.DatabaseURL())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range []string{
		`INSERT INTO profiles (user_id, time_zone, version, created_at, updated_at)
		 SELECT 'series-' || i, 'UTC', 1, now(), now() FROM generate_series(1, 1000) i ON CONFLICT DO NOTHING`,
		fmt.Sprintf(`INSERT INTO series (id, user_id, title, description, priority, tags, reminders, recurrence_rule, recurrence_anchor, catch_up,
		   start, whole_day, version, created_at, updated_at, zone, cursor, made, newest, next, next_at, claim_at, claims)
		 SELECT gen_random_uuid(), 'series-' || (1 + i %% 1000), 'Series ' || i, '', 0, '{}', '{}', 'FREQ=DAILY', 'schedule', 'latest',
		   t, false, 1, now(), now(), 'UTC', t, 1, gen_random_uuid(), t + interval '1 day', (t + interval '1 day') AT TIME ZONE 'UTC', (t + interval '1 day') AT TIME ZONE 'UTC', 0
		 FROM (SELECT i, (now() AT TIME ZONE 'UTC') + i * interval '1 minute' AS t FROM generate_series(1, %d) i) moments`, manySeries),
		`ANALYZE series`,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	when := fmt.Sprintf("with %d series", manySeries)
	used := cpu(b.stack.Pid("scheduler"))
	began := time.Now()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(b.o.For):
	}
	b.report.add("cores used by scheduler, "+when, (cpu(b.stack.Pid("scheduler"))-used)/time.Since(began).Seconds(), "")
	b.memory(when, "scheduler")
	b.report.add("peak memory of scheduler", peak(b.stack.Pid("scheduler")), "MiB")
	return nil
}
