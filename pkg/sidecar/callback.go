package sidecar

import (
	"context"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dapr/dapr/pkg/proto/runtime/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	contract "github.com/taskflow-suite/taskflow/proto"
)

const (
	keyMetadata       = "__key"
	partitionMetadata = "__partition"
	offsetMetadata    = "__offset"
	traceMetadata     = "traceparent"
)

// callback is Dapr's AppCallback. Methods that are not here answer Unimplemented, which is right for calls nobody may
// make (service invocation) and would lose events if it were the answer to a delivery: daprd acknowledges on it.
type callback struct {
	runtime.UnimplementedAppCallbackServer
	runtime.UnimplementedAppCallbackHealthCheckServer
	server *Server
}

// ListTopicSubscriptions tells the sidecar what to subscribe to, in the order given to NewServer.
func (c *callback) ListTopicSubscriptions(context.Context, *emptypb.Empty) (*runtime.ListTopicSubscriptionsResponse, error) {
	answer := &runtime.ListTopicSubscriptionsResponse{}
	for _, sub := range c.server.options.Subscriptions {
		t := &runtime.TopicSubscription{
			PubsubName: sub.PubSub, Topic: string(sub.Topic), DeadLetterTopic: string(sub.DeadLetter),
		}
		if sub.Raw {
			t.Metadata = map[string]string{"rawPayload": "true"}
		}
		if len(sub.Types) > 0 {
			t.Routes = &runtime.TopicRoutes{Rules: []*runtime.TopicRule{{Match: typeIn(sub.Types)}}, Default: unwanted}
		}
		if b := sub.Bulk; b != nil {
			t.BulkSubscribe = &runtime.BulkSubscribeConfig{
				Enabled:            true,
				MaxMessagesCount:   int32(b.Messages),            //nolint:gosec // G115: at most some hundreds
				MaxAwaitDurationMs: int32(b.Wait.Milliseconds()), //nolint:gosec // G115: some milliseconds
			}
		}
		answer.Subscriptions = append(answer.Subscriptions, t)
	}
	return answer, nil
}

// unwanted is the path of what no rule matches. Without a path for it the sidecar sends all of that to the dead letters
// (dapr pkg/runtime/subscription: !shouldProcess).
const unwanted = "unwanted"

// typeIn is a routing rule in CEL.
func typeIn(types []string) string {
	var match []string
	for _, t := range types {
		match = append(match, "event.type == "+strconv.Quote(t))
	}
	return strings.Join(match, " || ")
}

// ListInputBindings says that there are none.
func (c *callback) ListInputBindings(context.Context, *emptypb.Empty) (*runtime.ListInputBindingsResponse, error) {
	return &runtime.ListInputBindingsResponse{}, nil
}

// HealthCheck fails when this service cannot handle events, so that the sidecar pauses its subscriptions.
func (c *callback) HealthCheck(ctx context.Context, _ *emptypb.Empty) (*runtime.HealthCheckResponse, error) {
	c.server.probed.Store(true)
	if c.server.stopping.Load() {
		if c.server.waiting.Add(-1) == 0 {
			c.server.active.Store(time.Now().UnixNano()) // what it had in hand may still come
		}
		return nil, status.Error(codes.Unavailable, "stopping")
	}
	if check := c.server.options.Health; check != nil {
		if err := check(ctx); err != nil {
			c.server.recovery.ill(time.Now())
			slog.WarnContext(ctx, "unhealthy: the sidecar pauses the subscriptions", "error", err)
			return nil, status.Error(codes.Unavailable, "not able to handle events")
		}
	}
	if !c.server.recovery.well(time.Now(), c.server.lastActive()) {
		return nil, status.Error(codes.Unavailable, "not able to handle events until just now")
	}
	return &runtime.HealthCheckResponse{}, nil
}

// OnTopicEvent handles one delivery.
func (c *callback) OnTopicEvent(ctx context.Context, r *runtime.TopicEventRequest) (*runtime.TopicEventResponse, error) {
	if r.GetPath() == unwanted {
		return &runtime.TopicEventResponse{Status: statusOf(event.Done)}, nil
	}
	d := Delivery{
		Topic: contract.Topic(r.GetTopic()), ID: r.GetId(), Type: r.GetType(), Source: r.GetSource(),
		Trace: extension(r.GetExtensions(), traceMetadata), Data: r.GetData(),
	}
	headers, _ := metadata.FromIncomingContext(ctx)
	if keys := headers.Get(keyMetadata); len(keys) > 0 {
		d.Key = unescape(keys[0])
	}
	if partition, offset := headers.Get(partitionMetadata), headers.Get(offsetMetadata); len(partition) > 0 && len(offset) > 0 {
		d.Place = partition[0] + "/" + offset[0]
	}
	// The sidecar's own span, if it traces, or else what the event itself says. A span that the gRPC handler has made of
	// the former already is kept.
	parent := d.Trace
	if spans := headers.Get(traceMetadata); len(spans) > 0 {
		parent = spans[0]
		if telemetry.Traceparent(ctx) != "" {
			parent = ""
		}
	}
	sub, ok := c.server.byTopic[source{r.GetPubsubName(), d.Topic}]
	if !ok {
		return &runtime.TopicEventResponse{Status: statusOf(c.server.unknown(ctx, d))}, nil
	}
	return &runtime.TopicEventResponse{Status: statusOf(c.server.one(telemetry.WithTraceparent(ctx, parent), sub, d))}, nil
}

// OnBulkTopicEvent handles the entries of a batch one after the other. They come from one partition, so after one that
// must be tried again none is handled: it could be of the same user.
func (c *callback) OnBulkTopicEvent(ctx context.Context, r *runtime.TopicEventBulkRequest) (*runtime.TopicEventBulkResponse, error) {
	topic := contract.Topic(r.GetTopic())
	deliveries := make([]Delivery, len(r.GetEntries()))
	for i, entry := range r.GetEntries() {
		e := entry.GetCloudEvent()
		deliveries[i] = Delivery{
			Topic: topic, ID: e.GetId(), Type: e.GetType(), Source: e.GetSource(), Data: e.GetData(),
			Key: unescape(entry.GetMetadata()[keyMetadata]), Trace: extension(e.GetExtensions(), traceMetadata),
		}
		if e == nil {
			deliveries[i].Data = entry.GetBytes()
		}
	}
	sub, ok := c.server.byTopic[source{r.GetPubsubName(), topic}]
	if !ok {
		return bulkAnswer(r, nil), nil
	}
	return bulkAnswer(r, c.server.many(ctx, sub, deliveries)), nil
}

// bulkAnswer gives every entry its verdict; those without one are to be delivered again.
func bulkAnswer(r *runtime.TopicEventBulkRequest, verdicts []event.Verdict) *runtime.TopicEventBulkResponse {
	answer := &runtime.TopicEventBulkResponse{}
	for i, entry := range r.GetEntries() {
		v := event.Retry
		if i < len(verdicts) {
			v = verdicts[i]
		}
		answer.Statuses = append(answer.Statuses, &runtime.TopicEventBulkResponseEntry{
			EntryId: entry.GetEntryId(), Status: statusOf(v),
		})
	}
	return answer
}

// alphaCallback is the name under which sidecars before 1.16 deliver batches.
type alphaCallback struct {
	runtime.UnimplementedAppCallbackAlphaServer
	callback *callback
}

// OnBulkTopicEventAlpha1 is OnBulkTopicEvent.
func (a alphaCallback) OnBulkTopicEventAlpha1(ctx context.Context, r *runtime.TopicEventBulkRequest) (*runtime.TopicEventBulkResponse, error) {
	return a.callback.OnBulkTopicEvent(ctx, r)
}

func statusOf(v event.Verdict) runtime.TopicEventResponse_TopicEventResponseStatus {
	switch v {
	case event.Done:
		return runtime.TopicEventResponse_SUCCESS
	case event.Drop:
		return runtime.TopicEventResponse_DROP
	default:
		return runtime.TopicEventResponse_RETRY
	}
}

func extension(extensions *structpb.Struct, name string) string {
	return extensions.GetFields()[name].GetStringValue()
}

// unescape undoes escapeHeaders of the components, which keeps values that gRPC would refuse from blocking a partition.
func unescape(value string) string {
	if !strings.ContainsAny(value, "%+") {
		return value
	}
	plain, err := url.QueryUnescape(value)
	if err != nil {
		return value
	}
	return plain
}
