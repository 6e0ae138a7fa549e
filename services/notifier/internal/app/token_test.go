package app

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/postgres/tokenstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/ws"
)

// On a real database, of which each replica is told by nobody that a token was revoked.
func TestAScriptFollowsWithItsTokenUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBrokerWithTopics(t)
	database := testkit.Postgres(t)
	db := testkit.OpenPostgresAt(t, database)
	r := &replica{addr: testkit.Address(t)}
	env := map[string]string{
		"BUS": "kafka", "KAFKA_BROKERS": broker.Addr, "CHECK_INTERVAL": "1s",
		"HTTP_ADDR": r.addr, "DATABASE_URL": database, "JWT_SECRET": secret, "LOG_LEVEL": "error", "SHUTDOWN_SPREAD": "100ms",
	}
	testkit.Background(t, func(ctx context.Context) error {
		return run(ctx, testkit.Environment(env), prometheus.NewRegistry())
	})
	r.ready(t)
	if _, err := task.NewService(taskstore.New(db), time.Now).Profile(t.Context(), "ann"); err != nil {
		t.Fatal(err)
	}
	store := tokenstore.New(db, time.Now)
	made := func() (auth.APIToken, string) {
		token, raw, err := auth.NewAPIToken("ann", "a script", auth.Read, 1, time.Now())
		if err == nil {
			err = store.Add(t.Context(), token)
		}
		if err != nil {
			t.Fatal(err)
		}
		return token, raw.Reveal()
	}
	doomed, first := made()
	_, second := made()
	script, other := r.followWith(t, first, "ann", 0), r.followWith(t, second, "ann", 0)
	write(t, db, "ann", 3)
	script.until(3)
	other.until(3)
	if err := store.Revoke(t.Context(), "ann", doomed.ID); err != nil {
		t.Fatal(err)
	}
	script.ends(ws.TokenExpired)
	write(t, db, "ann", 1)
	other.until(4)
}
