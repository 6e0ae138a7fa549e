package sidecar_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	common "github.com/dapr/dapr/pkg/proto/common/v1"
	"github.com/dapr/dapr/pkg/proto/runtime/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

// door is a server as a sidecar sees it.
type door struct {
	runtime.AppCallbackClient
	health runtime.AppCallbackHealthCheckClient
	stop   func() error
}

func open(t testing.TB, o sidecar.ServerOptions) door {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, err := sidecar.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	stop := background(t, func(ctx context.Context) error { return server.Serve(ctx, l) })
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return door{runtime.NewAppCallbackClient(conn), runtime.NewAppCallbackHealthCheckClient(conn), stop}
}

func subscribed(topic proto.Topic, handle sidecar.Handler) []sidecar.Subscription {
	return []sidecar.Subscription{{PubSub: "pubsub", Topic: topic, Handle: handle}}
}

func request(m event.Message) *runtime.TopicEventRequest {
	return &runtime.TopicEventRequest{
		Id: m.ID, Type: m.Type, Topic: string(proto.Tasks), PubsubName: "pubsub", Data: m.Data,
	}
}

func TestWithoutTheRightTokenNothingIsDelivered(t *testing.T) {
	t.Parallel()
	d := open(t, sidecar.ServerOptions{
		Token: config.NewSecret(appToken),
		Subscriptions: subscribed(proto.Tasks, func(context.Context, sidecar.Delivery) error {
			t.Error("handled")
			return nil
		}),
	})
	for name, shown := range map[string][]string{
		"none":      nil,
		"wrong":     {"dapr-api-token", "wrong"},
		"empty":     {"dapr-api-token", ""},
		"prefix":    {"dapr-api-token", appToken[:5]},
		"the twice": {"dapr-api-token", appToken, "dapr-api-token", appToken},
	} {
		ctx := metadata.AppendToOutgoingContext(within(t, patience), shown...)
		calls := map[string]error{}
		_, calls["event"] = d.OnTopicEvent(ctx, request(message("u1", 1)))
		_, calls["batch"] = d.OnBulkTopicEvent(ctx, &runtime.TopicEventBulkRequest{})
		_, calls["binding"] = d.OnBindingEvent(ctx, &runtime.BindingEventRequest{})
		_, calls["invocation"] = d.OnInvoke(ctx, &common.InvokeRequest{})
		for call, err := range calls {
			if status.Code(err) != codes.Unauthenticated {
				t.Errorf("%s with %s token: %v", call, name, err)
			}
		}
	}
	if _, err := d.health.HealthCheck(within(t, patience), &emptypb.Empty{}); err != nil {
		t.Errorf("daprd asks for the health without a token and is told %v", err)
	}
}

func TestAServerWithoutATokenMustSayThatItIsOpen(t *testing.T) {
	t.Parallel()
	if _, err := sidecar.NewServer(sidecar.ServerOptions{}); !errs.Is(err, errs.Invalid) {
		t.Errorf("NewServer says %v", err)
	}
	if _, err := sidecar.NewServer(sidecar.ServerOptions{Open: true}); err != nil {
		t.Error(err)
	}
}

func TestTheVerdictFollowsFromTheError(t *testing.T) {
	t.Parallel()
	outcomes := map[string]struct {
		handle sidecar.Handler
		want   runtime.TopicEventResponse_TopicEventResponseStatus
		kind   string // as which the failure is counted
	}{
		"nothing":     {func(context.Context, sidecar.Delivery) error { return nil }, runtime.TopicEventResponse_SUCCESS, ""},
		"invalid":     {func(context.Context, sidecar.Delivery) error { return errs.New(errs.Invalid, "x") }, runtime.TopicEventResponse_DROP, "invalid"},
		"unavailable": {func(context.Context, sidecar.Delivery) error { return errs.New(errs.Unavailable, "x") }, runtime.TopicEventResponse_RETRY, "unavailable"},
		"unknown":     {func(context.Context, sidecar.Delivery) error { return errors.New("x") }, runtime.TopicEventResponse_RETRY, "internal"},
		"a panic":     {func(context.Context, sidecar.Delivery) error { panic("x") }, runtime.TopicEventResponse_RETRY, "panic"},
		"no event":    {sidecar.Routed(event.NewRouter()), runtime.TopicEventResponse_DROP, "invalid"},
	}
	for name, o := range outcomes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, sidecar.ServerOptions{Open: true, Subscriptions: subscribed(proto.Tasks, o.handle)})
			before := telemetry.Counted()
			answer, err := d.OnTopicEvent(within(t, patience), request(event.Message{ID: "1", Data: []byte(`{"not":"an event"}`)}))
			if err != nil || answer.GetStatus() != o.want {
				t.Errorf("%v, %v, want %v", answer.GetStatus(), err, o.want)
			}
			after := telemetry.Counted()
			if o.kind != "" && after.Failures[telemetry.Events][o.kind] <= before.Failures[telemetry.Events][o.kind] {
				t.Errorf("it is not counted as %s: %v", o.kind, after.Failures)
			}
			if o.kind == "" && after.Topics[string(proto.Tasks)].Handled <= before.Topics[string(proto.Tasks)].Handled {
				t.Errorf("it is not counted as handled: %v", after.Topics)
			}
		})
	}
}

func TestATopicNobodyHandlesHereIsTriedAgainAndNotAcknowledged(t *testing.T) {
	t.Parallel()
	d := open(t, sidecar.ServerOptions{Open: true})
	answer, err := d.OnTopicEvent(within(t, patience), request(message("u1", 1)))
	if err != nil || answer.GetStatus() != runtime.TopicEventResponse_RETRY {
		t.Errorf("%v, %v", answer.GetStatus(), err)
	}
	batch, err := d.OnBulkTopicEvent(within(t, patience), &runtime.TopicEventBulkRequest{
		Topic: string(proto.Tasks), PubsubName: "pubsub", Entries: []*runtime.TopicEventBulkRequestEntry{{EntryId: "0"}},
	})
	if err != nil || len(batch.GetStatuses()) != 1 || batch.GetStatuses()[0].GetStatus() != runtime.TopicEventResponse_RETRY {
		t.Errorf("%v, %v", batch, err)
	}
}

func TestABatchStopsAtTheFirstEventThatMustBeTriedAgain(t *testing.T) {
	t.Parallel()
	var handled []string
	d := open(t, sidecar.ServerOptions{
		Open: true, Subscriptions: subscribed(proto.Tasks, func(_ context.Context, d sidecar.Delivery) error {
			handled = append(handled, d.ID)
			switch d.ID {
			case "b":
				return errs.New(errs.Invalid, "never")
			case "c":
				return errs.New(errs.Unavailable, "not now")
			}
			return nil
		}),
	})
	batch := &runtime.TopicEventBulkRequest{Topic: string(proto.Tasks), PubsubName: "pubsub"}
	for _, id := range []string{"a", "b", "c", "d"} {
		batch.Entries = append(batch.Entries, &runtime.TopicEventBulkRequestEntry{
			EntryId: "entry " + id,
			Event:   &runtime.TopicEventBulkRequestEntry_CloudEvent{CloudEvent: &runtime.TopicEventCERequest{Id: id}},
		})
	}
	answer, err := d.OnBulkTopicEvent(within(t, patience), batch)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range answer.GetStatuses() {
		got = append(got, s.GetEntryId()+" "+s.GetStatus().String())
	}
	if want := []string{"entry a SUCCESS", "entry b DROP", "entry c RETRY", "entry d RETRY"}; !slices.Equal(got, want) {
		t.Errorf("answered %v, want %v", got, want)
	}
	if want := []string{"a", "b", "c"}; !slices.Equal(handled, want) {
		t.Errorf("handled %v, want %v", handled, want)
	}
}

func TestTheSidecarIsToldTheSubscriptionsInTheirOrder(t *testing.T) {
	t.Parallel()
	settings := sidecar.Dapr{PubSub: "pubsub", PubSubFanOut: "pubsub-fanout"}
	nothing := func(context.Context, sidecar.Delivery) error { return nil }
	fanOut := settings.FanOut(proto.Users, nothing)
	fanOut.Bulk = &sidecar.Bulk{Messages: 100, Wait: 3 * time.Millisecond}
	d := open(t, sidecar.ServerOptions{Open: true, Subscriptions: []sidecar.Subscription{
		settings.Work("scheduler", proto.Tasks, nothing), fanOut, settings.DeadLetters("scheduler", proto.Tasks, nothing),
	}})
	answer, err := d.ListTopicSubscriptions(within(t, patience), &emptypb.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range answer.GetSubscriptions() {
		got = append(got, fmt.Sprint(s.GetPubsubName(), " ", s.GetTopic(), " ", s.GetDeadLetterTopic(), " ",
			s.GetBulkSubscribe().GetMaxMessagesCount(), " ", s.GetBulkSubscribe().GetMaxAwaitDurationMs(), " ", s.GetMetadata()))
	}
	want := []string{
		"pubsub tasks.events tasks.events.scheduler.dlq 0 0 map[]",
		"pubsub-fanout users.events  100 3 map[]",
		"pubsub tasks.events.scheduler.dlq  0 0 map[rawPayload:true]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAServerThatStopsSaysSoAndHandlesWhatStillComes(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	d := open(t, sidecar.ServerOptions{
		Open: true, Quiet: 50 * time.Millisecond,
		Subscriptions: subscribed(proto.Tasks, func(_ context.Context, d sidecar.Delivery) error {
			if d.ID == "slow" {
				close(begun)
				<-finish
			}
			return nil
		}),
	})
	ctx := within(t, patience)
	slow := make(chan error, 1)
	go func() {
		_, err := d.OnTopicEvent(ctx, request(event.Message{ID: "slow"}))
		slow <- err
	}()
	next(t, begun, "the slow event")
	stopped := make(chan error, 1)
	go func() { stopped <- d.stop() }()
	eventually(t, "the health to fail", func(ctx context.Context) error {
		if _, err := d.health.HealthCheck(ctx, &emptypb.Empty{}); status.Code(err) != codes.Unavailable {
			return fmt.Errorf("it says %w", err)
		}
		return nil
	})
	if _, err := d.OnTopicEvent(ctx, request(event.Message{ID: "late"})); err != nil {
		t.Errorf("an event that came while stopping: %v", err)
	}
	close(finish)
	if err := next(t, slow, "the slow event's end"); err != nil {
		t.Errorf("the event in hand: %v", err)
	}
	if err := next(t, stopped, "the end"); err != nil {
		t.Error(err)
	}
}

func TestAServerThatStopsStaysUntilItsSidecarHasNoticed(t *testing.T) {
	t.Parallel()
	const probes = 3
	for name, o := range map[string]struct {
		deadLetter proto.Topic
		probed     bool
		want       int // probes that it waits for
	}{
		"where there are dead letters":                      {proto.DeadLetter(proto.Tasks, proto.Scheduler), true, probes},
		"not where nothing becomes a dead letter":           {"", true, 0},
		"not where the sidecar does not ask for its health": {proto.DeadLetter(proto.Tasks, proto.Scheduler), false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			handled := make(chan string, 10)
			d := open(t, sidecar.ServerOptions{
				Open: true, Probes: probes, Quiet: 20 * time.Millisecond, Drain: patience,
				Subscriptions: []sidecar.Subscription{{
					PubSub: "pubsub", Topic: proto.Tasks, DeadLetter: o.deadLetter,
					Handle: func(_ context.Context, d sidecar.Delivery) error {
						handled <- d.ID
						return nil
					},
				}},
			})
			ctx := within(t, patience)
			if o.probed {
				if _, err := d.health.HealthCheck(ctx, &emptypb.Empty{}); err != nil {
					t.Fatal(err)
				}
			}
			stopped := make(chan error, 1)
			go func() { stopped <- d.stop() }()
			for refused := 0; refused < o.want; {
				select {
				case <-stopped:
					t.Fatalf("it ended when the sidecar had been refused %d times", refused)
				default:
				}
				if _, err := d.OnTopicEvent(ctx, request(event.Message{ID: "late"})); err != nil {
					t.Fatalf("an event after %d refused probes: %v", refused, err)
				}
				next(t, handled, "the late event")
				if _, err := d.health.HealthCheck(ctx, &emptypb.Empty{}); status.Code(err) == codes.Unavailable {
					refused++
				}
			}
			if err := next(t, stopped, "the end"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhoWantsToKnowIsToldWhyADeliveryWasNotHandledAndNotWhatItSays(t *testing.T) {
	t.Parallel()
	type telling struct {
		sidecar.Delivery
		sidecar.Failure
	}
	told := make(chan telling, 10)
	work := func(deadLetter proto.Topic, handle sidecar.Handler) door {
		return open(t, sidecar.ServerOptions{
			Open: true, Subscriptions: []sidecar.Subscription{{PubSub: "pubsub", Topic: proto.Tasks, DeadLetter: deadLetter, Handle: handle}},
			NotHandled: func(_ context.Context, d sidecar.Delivery, f sidecar.Failure) { told <- telling{d, f} },
		})
	}
	dlq := proto.DeadLetter(proto.Tasks, proto.Scheduler)
	for name, c := range map[string]struct {
		handle sidecar.Handler
		want   sidecar.Failure
	}{
		"refused": {
			func(context.Context, sidecar.Delivery) error {
				return errs.Because(errors.New("private"), errs.Invalid, "no")
			},
			sidecar.Failure{Verdict: event.Drop, Kind: "invalid", Reason: "no"},
		},
		"unavailable": {
			func(context.Context, sidecar.Delivery) error { return errs.New(errs.Unavailable, "not now") },
			sidecar.Failure{Verdict: event.Retry, Kind: "unavailable", Reason: "not now"},
		},
		"internal": {
			func(context.Context, sidecar.Delivery) error { return errors.New("private") },
			sidecar.Failure{Verdict: event.Retry, Kind: "internal", Reason: "an internal failure; the log has its cause"},
		},
		"a panic": {
			func(context.Context, sidecar.Delivery) error { panic("private") },
			sidecar.Failure{Verdict: event.Retry, Kind: sidecar.KindPanic, Reason: "the handler panicked; the log has the stack"},
		},
		"too slow": {
			func(ctx context.Context, _ sidecar.Delivery) error {
				<-ctx.Done()
				return ctx.Err()
			},
			sidecar.Failure{Verdict: event.Retry, Kind: sidecar.KindTimeout, Reason: "the handler took longer than 4s"},
		},
	} {
		m := message("u1", 1)
		if _, err := work(dlq, c.handle).OnTopicEvent(within(t, patience), request(m)); err != nil {
			t.Fatal(err)
		}
		got := next(t, told, "the failure")
		if got.Failure != c.want || got.Delivery.ID != m.ID {
			t.Errorf("%s: told %+v of %s, want %+v", name, got.Failure, got.Delivery.ID, c.want)
		}
	}
	// Nobody is told of what was handled, or of what is delivered again without end.
	for _, quiet := range []door{
		work(dlq, func(context.Context, sidecar.Delivery) error { return nil }),
		work("", func(context.Context, sidecar.Delivery) error { return errs.New(errs.Invalid, "no") }),
	} {
		if _, err := quiet.OnTopicEvent(within(t, patience), request(message("u1", 1))); err != nil {
			t.Fatal(err)
		}
	}
	if len(told) > 0 {
		t.Errorf("told %+v", <-told)
	}
}

func TestWhoWantsToKnowHoldsADeliveryUpForAMomentOnly(t *testing.T) {
	t.Parallel()
	d := open(t, sidecar.ServerOptions{
		Open: true, Subscriptions: []sidecar.Subscription{{
			PubSub: "pubsub", Topic: proto.Tasks, DeadLetter: proto.DeadLetter(proto.Tasks, proto.Scheduler),
			Handle: func(context.Context, sidecar.Delivery) error { return errs.New(errs.Invalid, "no") },
		}},
		NotHandled: func(ctx context.Context, _ sidecar.Delivery, _ sidecar.Failure) { <-ctx.Done() },
	})
	began := time.Now()
	answer, err := d.OnTopicEvent(within(t, patience), request(message("u1", 1)))
	if took := time.Since(began); err != nil || answer.GetStatus() != runtime.TopicEventResponse_DROP || took > sidecar.HandlerDeadline {
		t.Errorf("after %v: %v, %v", took, answer.GetStatus(), err)
	}
}

// Not parallel: it watches the default logger.
func TestAnEventThatWasNotHandledIsLoggedOnceAndNeverWithItsContent(t *testing.T) {
	var out lockedBuffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&out, nil)))
	defer slog.SetDefault(before)
	router := event.NewRouter()
	event.On(router, proto.TaskCreated, func(context.Context, event.Meta, *taskv1.TaskCreated) error { return nil })
	d := open(t, sidecar.ServerOptions{Open: true, Subscriptions: subscribed(proto.Tasks, sidecar.Routed(router))})
	m := message("u1", 1)
	m.Data = bytes.Replace(m.Data, []byte(`"x"`), []byte(`{"private text":1}`), 1)
	answer, err := d.OnTopicEvent(within(t, patience), request(m))
	if err != nil || answer.GetStatus() != runtime.TopicEventResponse_DROP {
		t.Fatalf("%v, %v", answer.GetStatus(), err)
	}
	log := out.String()
	if strings.Count(log, "\n") != 1 || !strings.Contains(log, m.ID) || !strings.Contains(log, `"status":"drop"`) ||
		!strings.Contains(log, `"event_type":"task.created"`) || strings.Contains(log, "private") {
		t.Errorf("logged %s", log)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func FuzzWhateverIsDeliveredIsHandledOrDroppedAndNeverBlocksItsPartition(f *testing.F) {
	router := event.NewRouter()
	event.On(router, proto.TaskCreated, func(context.Context, event.Meta, *taskv1.TaskCreated) error { return nil })
	d := open(f, sidecar.ServerOptions{Open: true, Subscriptions: subscribed(proto.Tasks, sidecar.Routed(router))})
	f.Add([]byte(nil))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"timestamp":1}`))
	f.Add(message("u1", 1).Data)
	f.Fuzz(func(t *testing.T, data []byte) {
		answer, err := d.OnTopicEvent(within(t, patience), request(event.Message{ID: "1", Type: proto.TaskCreated.Name, Data: data}))
		if err != nil || answer.GetStatus() == runtime.TopicEventResponse_RETRY {
			t.Errorf("%v, %v", answer.GetStatus(), err)
		}
	})
}
