package daprd_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	runtimev1 "github.com/dapr/dapr/pkg/proto/runtime/v1"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/taskflow-suite/taskflow/dapr/runtime/internal/binaries"
	"github.com/taskflow-suite/taskflow/dapr/runtime/internal/proctest"
)

const (
	topic      = "tasks.events"
	partitions = 12
)

func TestDaprdSaysItsVersion(t *testing.T) {
	t.Parallel()
	p := proctest.Start(t, nil, proctest.Binary(t, "daprd"), "--version")
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(p.Output()); got != binaries.DaprdVersion {
		t.Fatalf("daprd --version answers %q, want %q", got, binaries.DaprdVersion)
	}
}

func TestPublishedEventArrivesUnderItsPartitionKey(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, user := range []string{"u1", "u2"} {
		s.publish(t, user, "hello "+user)
	}
	partition := map[string]string{}
	for range 2 {
		e := s.next(t)
		if want := "hello " + e.key; e.data != want {
			t.Fatalf("under key %q came %q, want %q", e.key, e.data, want)
		}
		partition[e.key] = e.partition
	}
	// The same key again, in the same place.
	s.publish(t, "u1", "again")
	if e := s.next(t); e.key != "u1" || e.partition != partition["u1"] {
		t.Fatalf("key u1 went to partition %s and then %s to %s", partition["u1"], e.key, e.partition)
	}
}

func TestBulkPublishKeepsOrderAndIdentityPerKey(t *testing.T) {
	t.Parallel()
	s := start(t)
	const users, each = 5, 100
	var entries []*runtimev1.BulkPublishRequestEntry
	for i := range users * each {
		user := fmt.Sprintf("user-%d", i%users)
		entries = append(entries, &runtimev1.BulkPublishRequestEntry{
			EntryId:     strconv.Itoa(i),
			Event:       []byte(strconv.Quote(strconv.Itoa(i))),
			ContentType: "application/json",
			Metadata:    map[string]string{"partitionKey": user, "cloudevent.id": fmt.Sprintf("event-%d", i)},
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), proctest.Deadline)
	defer cancel()
	res, err := s.dapr.BulkPublishEvent(ctx, &runtimev1.BulkPublishRequest{
		PubsubName: "pubsub", Topic: topic, Entries: entries,
	})
	if err != nil || len(res.GetFailedEntries()) > 0 {
		t.Fatalf("bulk publish: %v, failed %v", err, res.GetFailedEntries())
	}

	order := map[string][]int{}
	for range entries {
		e := s.next(t)
		i, err := strconv.Atoi(e.data)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("event-%d", i); e.id != want {
			t.Fatalf("event %d has id %q, want %q", i, e.id, want)
		}
		if want := fmt.Sprintf("user-%d", i%users); e.key != want {
			t.Fatalf("event %d has key %q, want %q", i, e.key, want)
		}
		order[e.key] = append(order[e.key], i)
	}
	for user, got := range order {
		if len(got) != each || !slices.IsSorted(got) {
			t.Errorf("%s received %d events in the order %v", user, len(got), got)
		}
	}
}

func TestSidecarRecoversByItselfFromAKilledBroker(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(t, "u1", "before")
	if e := s.next(t); e.data != "before" {
		t.Fatalf("received %q first", e.data)
	}

	s.broker.Kill()
	if err := s.try(t.Context(), "u1", "meanwhile"); err == nil {
		t.Fatal("publishing succeeds without a broker")
	}
	proctest.StartBroker(t, s.dir, s.broker.Addr, nil)
	proctest.Eventually(t, "publishing recovers", func(ctx context.Context) error { return s.try(ctx, "u1", "after") })
	// At least once: what was delivered just before the kill may come again.
	for e := s.next(t); e.data != "after"; e = s.next(t) {
		if e.data != "before" && e.data != "meanwhile" {
			t.Fatalf("received %q", e.data)
		}
	}
}

func TestDaprdEndsWhenTheBrokerIsMissingAtItsStart(t *testing.T) {
	t.Parallel()
	p := startDaprd(t, "127.0.0.1:"+proctest.FreePort(t), proctest.FreePort(t), proctest.FreePort(t))
	if err := p.Wait(); err == nil {
		t.Fatal("daprd ended as if all were well; whoever started it would not start it again")
	}
	if !strings.Contains(p.Output(), "pubsub.kafka") {
		t.Fatalf("daprd does not say which component failed:\n%s", p.Output())
	}
}

// setup is a broker, a sidecar and an application.
type setup struct {
	dir    string
	broker *proctest.Broker
	dapr   runtimev1.DaprClient
	events chan event
}

// event is one delivery as the application sees it.
type event struct{ id, data, key, partition string }

func start(t *testing.T) *setup {
	t.Helper()
	s := &setup{dir: t.TempDir(), events: make(chan event, 1024)}
	s.broker = proctest.StartBroker(t, s.dir, "", nil)
	kafka, err := kgo.NewClient(kgo.SeedBrokers(s.broker.Addr))
	if err != nil {
		t.Fatal(err)
	}
	defer kafka.Close()
	if _, err := kadm.NewClient(kafka).CreateTopic(t.Context(), partitions, 1, nil, topic); err != nil {
		t.Fatal(err)
	}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	runtimev1.RegisterAppCallbackServer(server, &app{events: s.events})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	_, appPort, _ := net.SplitHostPort(listener.Addr().String())

	port := proctest.FreePort(t)
	startDaprd(t, s.broker.Addr, appPort, port)
	conn, err := grpc.NewClient("127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	s.dapr = runtimev1.NewDaprClient(conn)
	return s
}

func startDaprd(t *testing.T, broker, appPort, grpcPort string) *proctest.Process {
	t.Helper()
	resources := t.TempDir()
	component := fmt.Sprintf(`apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: pubsub}
spec:
  type: pubsub.kafka
  version: v1
  metadata:
  - {name: brokers, value: %q}
  - {name: authType, value: none}
  - {name: consumerGroup, value: "{appID}"}
  - {name: version, value: "2.6.0"}
  - {name: initialOffset, value: oldest}
  - {name: dialTimeout, value: 5s}
`, broker)
	if err := os.WriteFile(filepath.Join(resources, "pubsub.yaml"), []byte(component), 0o600); err != nil {
		t.Fatal(err)
	}
	return proctest.Start(t, nil, proctest.Binary(t, "daprd"),
		"--app-id", "app", "--app-port", appPort, "--app-protocol", "grpc",
		"--dapr-grpc-port", grpcPort, "--dapr-http-port", proctest.FreePort(t),
		"--dapr-internal-grpc-port", proctest.FreePort(t), "--dapr-listen-addresses", "127.0.0.1",
		"--enable-metrics=false", "--resources-path", resources,
		"--placement-host-address", "", "--scheduler-host-address", "")
}

func (s *setup) publish(t *testing.T, user, data string) {
	t.Helper()
	if err := s.try(t.Context(), user, data); err != nil {
		t.Fatal(err)
	}
}

func (s *setup) try(ctx context.Context, user, data string) error {
	ctx, cancel := context.WithTimeout(ctx, proctest.Deadline)
	defer cancel()
	_, err := s.dapr.PublishEvent(ctx, &runtimev1.PublishEventRequest{
		PubsubName: "pubsub", Topic: topic, DataContentType: "application/json",
		Data: []byte(strconv.Quote(data)), Metadata: map[string]string{"partitionKey": user},
	})
	return err
}

func (s *setup) next(t *testing.T) event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), proctest.Deadline)
	defer cancel()
	select {
	case e := <-s.events:
		return e
	case <-ctx.Done():
		t.Fatal("no event came")
		return event{}
	}
}

// app is an application that subscribes to the topic and reports what it gets.
type app struct {
	runtimev1.UnimplementedAppCallbackServer
	events chan<- event
}

func (a *app) ListTopicSubscriptions(context.Context, *emptypb.Empty) (*runtimev1.ListTopicSubscriptionsResponse, error) {
	return &runtimev1.ListTopicSubscriptionsResponse{
		Subscriptions: []*runtimev1.TopicSubscription{{PubsubName: "pubsub", Topic: topic}},
	}, nil
}

func (a *app) ListInputBindings(context.Context, *emptypb.Empty) (*runtimev1.ListInputBindingsResponse, error) {
	return &runtimev1.ListInputBindingsResponse{}, nil
}

func (a *app) OnTopicEvent(ctx context.Context, in *runtimev1.TopicEventRequest) (*runtimev1.TopicEventResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	first := func(name string) string { return strings.Join(md.Get(name), ",") }
	data, err := strconv.Unquote(string(in.GetData()))
	if err != nil {
		return nil, errors.New("the data is not the JSON string that was published")
	}
	e := event{id: in.GetId(), data: data, key: first("__key"), partition: first("__partition")}
	select {
	case a.events <- e:
		return &runtimev1.TopicEventResponse{}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
