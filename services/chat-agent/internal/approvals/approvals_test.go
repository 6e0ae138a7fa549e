package approvals_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/approvals"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 60 * time.Second

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	return ctx
}

// state is the state store of a real sidecar of chat-agent, on a real Postgres.
func state(t *testing.T) *sidecar.State {
	t.Helper()
	b := testkit.StartBroker(t)
	if err := topics.Apply(within(t), []string{b.Addr}, topics.Access{}, io.Discard); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const token, appToken = "token of the sidecar", "token of the app"
	daprd := testkit.StartSidecar(t, testkit.SidecarOptions{
		App: proto.ChatAgent, AppAddr: l.Addr().String(), Broker: b, Database: testkit.EmptyPostgres(t), Token: token, AppToken: appToken,
	})
	d := sidecar.Dapr{
		Endpoint: daprd.GRPC, Token: config.NewSecret(token), AppToken: config.NewSecret(appToken),
		PubSub: "pubsub", PubSubFanOut: "pubsub-fanout", SecretStore: "secrets", StateStore: "statestore",
	}
	client, err := sidecar.Dial(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	server, err := sidecar.NewServer(sidecar.ServerOptions{Addr: l.Addr().String(), Token: d.AppToken, Quiet: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	eventually(t, client.Ready)
	return client.State()
}

func eventually(t *testing.T, ask func(context.Context) error) {
	t.Helper()
	ctx := within(t)
	for {
		err := ask(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("still %v after %v", err, patience)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func approval(now time.Time) approvals.Approval {
	return approvals.Approval{
		ID: uuid.NewString(), UserID: "u1", ConversationID: uuid.NewString(), Run: uuid.NewString(), Tool: "delete_tasks",
		Arguments: json.RawMessage(`{"ids":["<a>"]}`), Confirmation: "token", Summary: "Delete 1 task", Tasks: []string{"Buy milk"},
		ExpiresAt: now.Add(approvals.Lives),
	}
}

// TestApprovals shares one sidecar, because one takes seconds to start.
func TestApprovals(t *testing.T) {
	t.Parallel()
	store := state(t)
	book := approvals.New(store, time.Now)
	ask := func(t *testing.T) approvals.Approval {
		t.Helper()
		a, err := book.Ask(within(t), approval(time.Now()))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	t.Run("are kept as they were asked", func(t *testing.T) {
		t.Parallel()
		a := ask(t)
		got, err := book.Get(within(t), "u1", a.ID)
		if err != nil || got.Status != approvals.Pending || !strings.Contains(string(got.Arguments), "ids") ||
			got.Confirmation != "token" || got.Summary != a.Summary || !got.ExpiresAt.Equal(a.ExpiresAt) {
			t.Errorf("kept %+v, %v", got, err)
		}
	})
	t.Run("are the same when they are asked again", func(t *testing.T) {
		t.Parallel()
		a := ask(t)
		if _, err := book.Decide(within(t), "u1", a.ID, true, "m1"); err != nil {
			t.Fatal(err)
		}
		again, err := book.Ask(within(t), a)
		if err != nil || again.Status != approvals.Approved || again.DecidedBy != "m1" {
			t.Errorf("asked again they are %+v, %v", again, err)
		}
	})
	t.Run("are nobody else's", func(t *testing.T) {
		t.Parallel()
		a := ask(t)
		for _, err := range []error{
			func() error { _, err := book.Get(within(t), "u2", a.ID); return err }(),
			func() error { _, err := book.Decide(within(t), "u2", a.ID, true, "m"); return err }(),
			func() error { _, err := book.Get(within(t), "u1", uuid.NewString()); return err }(),
		} {
			if !errs.Is(err, errs.NotFound) || errs.Text(err) == "" {
				t.Errorf("it says %v", err)
			}
		}
		// Somebody else's run may not take the place of one either.
		other := a
		other.UserID = "u2"
		if _, err := book.Ask(within(t), other); !errs.Is(err, errs.NotFound) {
			t.Errorf("asking under the same id says %v", err)
		}
	})
	t.Run("are decided once, by the first of many", func(t *testing.T) {
		t.Parallel()
		a := ask(t)
		var wait sync.WaitGroup
		var mu sync.Mutex
		by := map[string]int{}
		for i := range 16 {
			wait.Go(func() {
				decided, err := book.Decide(within(t), "u1", a.ID, i%2 == 0, fmt.Sprint("m", i))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					by[string(decided.Status)+" by "+decided.DecidedBy]++
				case !errs.Is(err, errs.Conflict):
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if len(by) != 1 {
			t.Errorf("decided %v", by)
		}
		for _, n := range by {
			if n != 8 {
				t.Errorf("decided %v, want all 8 of the same mind to see it", by)
			}
		}
	})
	t.Run("run out", func(t *testing.T) {
		t.Parallel()
		a := ask(t)
		late := approvals.New(store, func() time.Time { return time.Now().Add(approvals.Lives + time.Second) })
		if _, err := late.Decide(within(t), "u1", a.ID, true, "m"); !errs.Is(err, errs.Conflict) || !strings.Contains(errs.Text(err), "run out") {
			t.Errorf("it says %v", err)
		}
		if decided, err := book.Decide(within(t), "u1", a.ID, true, "m"); err != nil || decided.Status != approvals.Approved {
			t.Errorf("in time: %+v, %v", decided, err)
		}
		if _, err := late.Decide(within(t), "u1", a.ID, true, "n"); err != nil {
			t.Errorf("deciding the same again later says %v", err)
		}
	})
	t.Run("are gone from the store some time after", func(t *testing.T) {
		t.Parallel()
		a := approval(time.Now())
		past := approvals.New(store, func() time.Time { return a.ExpiresAt.Add(time.Hour - time.Second) })
		if _, err := past.Ask(within(t), a); err != nil {
			t.Fatal(err)
		}
		eventually(t, func(ctx context.Context) error {
			if _, err := book.Get(ctx, "u1", a.ID); !errs.Is(err, errs.NotFound) {
				return fmt.Errorf("it is still there: %w", err)
			}
			return nil
		})
	})
	t.Run("are not for other arguments than those that were shown", func(t *testing.T) {
		t.Parallel()
		a := ask(t)
		kept, err := store.Get(within(t), "approval-"+a.ID)
		if err != nil {
			t.Fatal(err)
		}
		forged := strings.Replace(string(kept.Data), "delete_tasks", "purge_tasks", 1)
		if err := store.Replace(within(t), "approval-"+a.ID, []byte(forged), kept.ETag, time.Hour); err != nil {
			t.Fatal(err)
		}
		if got, err := book.Decide(within(t), "u1", a.ID, true, "m"); err == nil {
			t.Errorf("decided %+v", got)
		}
	})
}
