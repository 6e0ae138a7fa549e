//go:build pooled

package pooled_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/stack"
	"github.com/taskflow-suite/taskflow/pkg/testkit"

	"github.com/taskflow-suite/taskflow/services/internal/stage"
	"github.com/taskflow-suite/taskflow/services/internal/storm"
)

// recovery is within what time after the database is back a task can be made again: "within seconds", on a busy machine.
const recovery = 10 * time.Second

// suite is a suite whose database lies behind a pooler, unless pooler is nil.
type suite struct {
	*stage.Suite
	pooler *testkit.PgBouncer
}

// start runs the suite behind a pooler.
func start(t *testing.T, services ...stack.Service) *suite {
	t.Helper()
	var pooler *testkit.PgBouncer
	s := stage.Start(t, func(o *stack.Options) {
		o.Pooler = func(_ context.Context, url string) (string, error) {
			pooler = testkit.StartPgBouncer(t, url, nil)
			return pooler.Address, nil
		}
		o.Migrate = func(ctx context.Context, url string) error {
			c := postgres.At(url)
			c.Pooler = true
			_, err := postgres.MigrateWith(ctx, c)
			return err
		}
	}, unlimited(services)...)
	return &suite{s, pooler}
}

// unlimited lifts the limits that are for one user: here a few do the work of many.
func unlimited(services []stack.Service) []stack.Service {
	for i := range services {
		services[i].Env = append(services[i].Env, "RATE_LIMIT=100000", "RATE_BURST=100000", "MAX_CONNECTIONS_PER_USER=1000",
			"CHAT_RATE=100000", "CHAT_BURST=100000")
	}
	return services
}

// pause is a wait that is part of the experiment.
func pause(d time.Duration) { <-time.After(d) }

// storm has people with windows make tasks while something happens to the database, which is well again when it returns.
// It proves that nothing acknowledged was lost, that doors answered as promised, and that they work again within recovery.
func (s *suite) storm(t *testing.T, perSecond int, happens func()) {
	t.Helper()
	watch := &stage.Watch{}
	var people []*storm.Person
	for i := range 6 {
		c := s.User(fmt.Sprintf("%d-%d", time.Now().UnixNano(), i), "task-api", "notifier", watch)
		people = append(people, storm.Open(t, c, c, c))
	}
	load := storm.Create(people, perSecond)
	pause(time.Second)
	happens()
	back := time.Now()
	people[0].Again(t, recovery)
	t.Logf("a task could be made %s after the database was back", time.Since(back).Round(time.Millisecond))
	pause(2 * time.Second)
	if err := load.Stop(); err != nil {
		t.Error(err)
	}
	t.Log(load)
	watch.Check(t)
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	storm.Check(t, people, time.Minute)
	result, err := taskstore.Verify(t.Context(), s.DatabaseURL())
	if err != nil {
		t.Fatalf("rebuild: %v", err)
	}
	for _, d := range result.Differences {
		t.Errorf("rebuild: %s", d)
	}
}

// set changes settings of the server for new sessions until the test ends.
func (s *suite) set(t *testing.T, name, value string) {
	t.Helper()
	s.alter(t, fmt.Sprintf("ALTER SYSTEM SET %s = '%s'", name, value))
	t.Cleanup(func() { s.alter(t, "ALTER SYSTEM RESET "+name) })
}

func (s *suite) alter(t *testing.T, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.DatabaseURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, statement := range []string{statement, "SELECT pg_reload_conf()"} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
