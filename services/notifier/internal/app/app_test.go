package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/outbox"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
	userv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/user/v1"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/ws"
)

const (
	secret   = "a secret for tests that is long enough"
	apiToken = "token of the sidecar"
	appToken = "token of the app"
)

// replica is a notifier as it runs in production, with its own daprd.
type replica struct {
	addr  string
	daprd *testkit.Sidecar
	stop  func()
}

func start(t *testing.T, broker *testkit.Broker, database string) *replica {
	t.Helper()
	r := &replica{addr: testkit.Address(t)}
	callback := testkit.Address(t)
	r.daprd = testkit.StartSidecar(t, testkit.SidecarOptions{
		App: proto.Notifier, AppAddr: callback, Broker: broker, Token: apiToken, AppToken: appToken,
	})
	env := map[string]string{
		"HTTP_ADDR": r.addr, "APP_ADDR": callback, "APP_API_TOKEN": appToken,
		"DAPR_GRPC_ENDPOINT": r.daprd.GRPC, "DAPR_API_TOKEN": apiToken,
		"DATABASE_URL": database, "JWT_SECRET": secret, "LOG_LEVEL": "error", "SHUTDOWN_SPREAD": "500ms", "CHECK_INTERVAL": "1s",
	}
	r.stop = testkit.Background(t, func(ctx context.Context) error {
		return run(ctx, testkit.Environment(env), prometheus.NewRegistry())
	})
	return r
}

// ready waits until /readyz is green.
func (r *replica) ready(t *testing.T) {
	t.Helper()
	r.status(t, http.StatusOK)
}

// status waits until /readyz answers with it.
func (r *replica) status(t *testing.T, want int) {
	t.Helper()
	testkit.Answers(t, "http://"+r.addr+"/readyz", want)
}

type follower struct {
	t    *testing.T
	conn *websocket.Conn
	last int64
}

func (r *replica) follow(t *testing.T, user string, since int64) *follower {
	t.Helper()
	token, err := auth.Mint(secret, user, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return r.followWith(t, token, user, since)
}

func (r *replica) followWith(t *testing.T, token, user string, since int64) *follower {
	t.Helper()
	url := fmt.Sprintf("ws://%s/ws/user/%s/tasks?since=%d", r.addr, user, since)
	conn, res, err := websocket.DefaultDialer.DialContext(t.Context(), url, http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		t.Fatalf("%v %v", res, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	f := &follower{t, conn, since}
	if kind, _, err := f.read(); err != nil || kind != "hello" {
		t.Fatalf("%s %v instead of hello", kind, err)
	}
	return f
}

func (f *follower) read() (kind string, sequence int64, err error) {
	f.t.Helper()
	if err := f.conn.SetReadDeadline(time.Now().Add(testkit.Patience)); err != nil {
		f.t.Fatal(err)
	}
	_, raw, err := f.conn.ReadMessage()
	if err != nil {
		return "", 0, err
	}
	var frame struct {
		Type     string `json:"type"`
		Sequence int64  `json:"sequence"`
	}
	if err := json.Unmarshal(raw, &frame); err != nil {
		f.t.Fatal(err)
	}
	return frame.Type, frame.Sequence, nil
}

// until reads events, one after the other, up to a sequence. Hints of the user's own changes may come between.
func (f *follower) until(last int64) {
	f.t.Helper()
	for f.last < last {
		kind, sequence, err := f.read()
		if kind == proto.UserUpdated.Name {
			continue
		}
		if err != nil || kind != "task.created" || sequence != f.last+1 {
			f.t.Fatalf("%s %d, %v after %d", kind, sequence, err, f.last)
		}
		f.last = sequence
	}
}

// ends reads hints up to the end.
func (f *follower) ends(code ws.Code) {
	f.t.Helper()
	for {
		kind, sequence, err := f.read()
		if kind == proto.UserUpdated.Name {
			continue
		}
		if closed, ok := errors.AsType[*websocket.CloseError](err); !ok || closed.Code != code.Number {
			f.t.Errorf("%s %d, %v instead of %d", kind, sequence, err, code.Number)
		}
		return
	}
}

// From a transaction in Postgres through outbox, sidecar, broker and another sidecar to the frame, with every part real.
func TestEveryClientOfEveryReplicaIsToldEveryEventOnce(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBrokerWithTopics(t)
	database := testkit.Postgres(t)
	db := testkit.OpenPostgresAt(t, database)
	first, second := start(t, broker, database), start(t, broker, database)

	publisher := testkit.StartSidecar(t, testkit.SidecarOptions{App: proto.TaskAPI, Broker: broker, Token: apiToken})
	bus, err := sidecar.Dial(sidecar.Dapr{Endpoint: publisher.GRPC, Token: config.NewSecret(apiToken), PubSub: "pubsub"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bus.Close)
	testkit.Background(t, outbox.New(db, bus, outbox.Options{}).Run)
	first.ready(t)
	second.ready(t)

	write(t, db, "ann", 3)
	here, there, eve := first.follow(t, "ann", 0), second.follow(t, "ann", 0), second.follow(t, "eve", 0)
	write(t, db, "ann", 50)
	here.until(53)
	there.until(53)

	// Without its sidecar a replica still tells its clients, from the log.
	first.daprd.Kill()
	write(t, db, "ann", 5)
	there.until(58)
	here.until(58)

	// A replica stops: its clients go on at another.
	first.stop()
	here.ends(ws.GoingAway)
	write(t, db, "ann", 5)
	back := second.follow(t, "ann", here.last)
	back.until(63)
	there.until(63)

	// A deleted account's windows are closed, nobody else's are.
	err = db.Transaction(t.Context(), func(tx *postgres.Tx) error {
		return tx.Append(event.New(proto.UserDeleted, time.Now(), "ann", "ann", 1, &userv1.UserDeleted{}))
	})
	if err != nil {
		t.Fatal(err)
	}
	back.ends(ws.Deleted)
	there.ends(ws.Deleted)
	write(t, db, "eve", 1)
	eve.until(1)
}
