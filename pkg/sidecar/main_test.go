package sidecar_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	apiToken = "token of the sidecar"
	appToken = "token of the app"
)

// patience is for what takes milliseconds on an idle machine.
const patience = 60 * time.Second

func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), d)
	t.Cleanup(cancel)
	return ctx
}

// next waits for a value.
func next[T any](t testing.TB, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not come within %v", what, patience)
		panic("unreachable")
	}
}

// eventually waits until ask gives no error.
func eventually(t testing.TB, what string, ask func(context.Context) error) {
	t.Helper()
	ctx := within(t, patience)
	for {
		err := ask(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: still %v after %v", what, err, patience)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// broker is a broker with the topics of the contract.
func broker(t testing.TB) *testkit.Broker {
	t.Helper()
	b := testkit.StartBroker(t)
	if err := topics.Apply(within(t, patience), []string{b.Addr}, topics.Access{}, io.Discard); err != nil {
		t.Fatal(err)
	}
	return b
}

// replica is one replica of a service: a callback server and a client with a real sidecar between them and the broker.
type replica struct {
	*sidecar.Client
	sidecar.Dapr
	daprd *testkit.Sidecar
	// stop ends the server and returns what it said.
	stop func() error
}

type replicaOptions struct {
	testkit.SidecarOptions
	subscribe func(d sidecar.Dapr, bus event.Bus) []sidecar.Subscription
	health    func(context.Context) error
	settings  func(*sidecar.Dapr)
}

// start runs a replica until the test ends and returns when its sidecar answers.
func start(t testing.TB, o replicaOptions) *replica {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.AppAddr, o.Token, o.AppToken = l.Addr().String(), apiToken, appToken
	r := &replica{daprd: testkit.StartSidecar(t, o.SidecarOptions)}
	r.Dapr = sidecar.Dapr{
		Endpoint: r.daprd.GRPC, Token: config.NewSecret(apiToken), AppToken: config.NewSecret(appToken),
		PubSub: "pubsub", PubSubFanOut: "pubsub-fanout", SecretStore: "secrets", StateStore: "statestore",
	}
	if o.settings != nil {
		o.settings(&r.Dapr)
	}
	if r.Client, err = sidecar.Dial(r.Dapr); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	options := sidecar.ServerOptions{Addr: o.AppAddr, Token: r.AppToken, Health: o.health, Quiet: 100 * time.Millisecond}
	if o.subscribe != nil {
		options.Subscriptions = o.subscribe(r.Dapr, r.Client)
	}
	server, err := sidecar.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	r.stop = background(t, func(ctx context.Context) error { return server.Serve(ctx, l) })
	eventually(t, "the sidecar of "+o.App, r.Ready)
	return r
}

// background runs f until stop is called or the test ends; f must end without an error.
func background(t testing.TB, f func(context.Context) error) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return stop
}

// message is an event of a user with the envelope that consumers ask for.
func message(user string, sequence int) event.Message {
	id := event.NewID()
	return event.Message{
		ID: id, Type: proto.TaskCreated.Name, Key: user,
		Data: fmt.Appendf(nil, `{"event_id":%q,"event_type":%q,"user_id":%q,"timestamp":%q,"aggregate_id":"a","version":1,`+
			`"sequence":%d,"correlation_id":"c-%s","data":{"fields":{"title":"x"}}}`,
			id, proto.TaskCreated.Name, user, time.Now().UTC().Format(time.RFC3339Nano), sequence, user),
	}
}

func publish(t testing.TB, bus event.Bus, topic proto.Topic, messages ...event.Message) {
	t.Helper()
	if err := bus.Publish(within(t, patience), topic, messages); err != nil {
		t.Fatal(err)
	}
}

// into is a handler that hands what comes to a channel.
func into(c chan<- sidecar.Delivery) sidecar.Handler {
	return func(ctx context.Context, d sidecar.Delivery) error {
		select {
		case c <- d:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// records reads a topic from its beginning, past the sidecar.
func records(t testing.TB, b *testkit.Broker, topic proto.Topic, n int) []*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr), kgo.ConsumeTopics(string(topic)))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx := within(t, patience)
	var all []*kgo.Record
	for len(all) < n {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("%d of %d records of %s were there: %v", len(all), n, topic, err)
		}
		all = append(all, fetches.Records()...)
	}
	return all
}
