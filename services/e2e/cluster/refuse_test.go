//go:build cluster

package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dapr/dapr/pkg/proto/runtime/v1"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Where things listen in a pod; all on the loopback address, which only the pod itself and a port-forward reach.
const (
	callbackPort = 6001
	daprGRPC     = 50001
	daprHTTP     = 3500
)

func TestCallersWithoutTheTokenAreRefused(t *testing.T) {
	r := installed(t)
	for _, service := range []string{"chat-agent", "mcp-tools", "notifier", "scheduler"} {
		pod := "pod/" + r.onePod(t, service).Metadata.Name
		t.Run("events for "+service, func(t *testing.T) {
			conn := dial(t, r.forward(t, pod, callbackPort))
			if _, err := runtime.NewAppCallbackHealthCheckClient(conn).HealthCheck(bounded(t), &emptypb.Empty{}); err != nil {
				t.Fatalf("this is not where the service takes events: %v", err)
			}
			listener := runtime.NewAppCallbackClient(conn)
			for who, ctx := range map[string]context.Context{
				"nobody": bounded(t), "somebody with a wrong token": as(bounded(t), "wrong"),
				"somebody with the token of the other direction": as(bounded(t), r.secret(t, service+"-dapr-api", "token")),
			} {
				if _, err := listener.OnTopicEvent(ctx, &runtime.TopicEventRequest{Id: "1", PubsubName: "pubsub", Topic: "tasks.events"}); status.Code(err) != codes.Unauthenticated {
					t.Errorf("%s sends an event: %v, want Unauthenticated", who, err)
				}
			}
		})
		t.Run("the sidecar of "+service, func(t *testing.T) {
			sidecar := runtime.NewDaprClient(dial(t, r.forward(t, pod, daprGRPC)))
			for who, ctx := range map[string]context.Context{"nobody": bounded(t), "somebody with a wrong token": as(bounded(t), "wrong")} {
				if _, err := sidecar.GetMetadata(ctx, &runtime.GetMetadataRequest{}); status.Code(err) != codes.Unauthenticated {
					t.Errorf("%s asks with gRPC: %v, want Unauthenticated", who, err)
				}
			}
			if _, err := sidecar.GetMetadata(r.trusted(t, service), &runtime.GetMetadataRequest{}); err != nil {
				t.Errorf("the service itself: %v", err)
			}
			req, err := http.NewRequestWithContext(bounded(t), http.MethodGet, "http://"+r.forward(t, pod, daprHTTP)+"/v1.0/metadata", nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != http.StatusUnauthorized {
				t.Errorf("nobody asks with HTTP: %s, want 401", res.Status)
			}
		})
	}
}

func TestAServiceStaysWithinItsScopes(t *testing.T) {
	r := installed(t)
	type attempt struct {
		as   string
		what string
		do   func(ctx context.Context, d runtime.DaprClient) error
		want []codes.Code
	}
	publish := func(topic string) func(context.Context, runtime.DaprClient) error {
		return func(ctx context.Context, d runtime.DaprClient) error {
			_, err := d.PublishEvent(ctx, &runtime.PublishEventRequest{PubsubName: "pubsub", Topic: topic, Data: []byte("{}"), DataContentType: "application/json"})
			return err
		}
	}
	subscribe := func(topic string) func(context.Context, runtime.DaprClient) error {
		return func(ctx context.Context, d runtime.DaprClient) error {
			stream, err := d.SubscribeTopicEventsAlpha1(ctx)
			if err != nil {
				return err
			}
			if err := stream.Send(&runtime.SubscribeTopicEventsRequestAlpha1{SubscribeTopicEventsRequestType: &runtime.SubscribeTopicEventsRequestAlpha1_InitialRequest{
				InitialRequest: &runtime.SubscribeTopicEventsRequestInitialAlpha1{PubsubName: "pubsub", Topic: topic},
			}}); err != nil {
				return err
			}
			_, err = stream.Recv()
			return err
		}
	}
	secret := func(store, name string) func(context.Context, runtime.DaprClient) error {
		return func(ctx context.Context, d runtime.DaprClient) error {
			_, err := d.GetSecret(ctx, &runtime.GetSecretRequest{StoreName: store, Key: name})
			return err
		}
	}
	denied := []codes.Code{codes.PermissionDenied}
	for _, a := range []attempt{
		{"notifier", "publishes tasks.events", publish("tasks.events"), denied},
		{"chat-agent", "publishes tasks.events", publish("tasks.events"), denied},
		{"mcp-tools", "publishes mcp.requests", publish("mcp.requests"), denied},
		{"task-api", "publishes mcp.requests", publish("mcp.requests"), denied},
		{"scheduler", "publishes a topic that nobody knows", publish("made-up"), denied},
		// The API is closed to all; scopes would refuse it next.
		{"chat-agent", "subscribes to tasks.events", subscribe("tasks.events"), []codes.Code{codes.Unimplemented, codes.PermissionDenied}},
		{"task-api", "subscribes to mcp.requests", subscribe("mcp.requests"), []codes.Code{codes.Unimplemented, codes.PermissionDenied}},
		{"task-api", "reads its own secret", secret("secrets", "task-api"), []codes.Code{codes.OK}},
		{"task-api", "reads the broker's secret", secret("secrets", "taskflow-broker"), denied},
		{"chat-agent", "reads the state store's secret", secret("secrets", "taskflow-state"), denied},
		{"task-api", "reads the jobs' secret", secret("secrets", "taskflow-jobs"), denied},
		// A store that is there with broker.logins only.
		{"notifier", "reads its sidecar's login at the broker", secret("environment", "BROKER_SASL_PASSWORD"), []codes.Code{codes.PermissionDenied, codes.InvalidArgument}},
		// What the sidecar would let through is refused by the cluster.
		{"task-api", "reads the notifier's secret", secret("secrets", "notifier"), []codes.Code{codes.Internal, codes.PermissionDenied}},
		{"scheduler", "reads the secret of mcp-tools", secret("secrets", "mcp-tools"), []codes.Code{codes.Internal, codes.PermissionDenied}},
		{"notifier", "reads a secret from Dapr's built-in store", secret("kubernetes", "task-api"), []codes.Code{codes.InvalidArgument, codes.Internal, codes.PermissionDenied, codes.FailedPrecondition}},
	} {
		t.Run(a.as+" "+a.what, func(t *testing.T) {
			pod := "pod/" + r.onePod(t, a.as).Metadata.Name
			err := a.do(r.trusted(t, a.as), runtime.NewDaprClient(dial(t, r.forward(t, pod, daprGRPC))))
			for _, want := range a.want {
				if status.Code(err) == want {
					t.Logf("%v", err)
					return
				}
			}
			t.Errorf("%v, want %v", err, a.want)
		})
	}
}

func TestAServiceAccountReadsItsOwnSecretsOnly(t *testing.T) {
	r := installed(t)
	// With broker.logins the kubelet has the sidecars' logins, and no account may read them.
	logins := r.kubectl(t, "get", "component.dapr.io", "environment", "--ignore-not-found", "-o", "name") != ""
	may := map[string][]string{
		"task-api": {"task-api", "taskflow-broker"}, "notifier": {"notifier", "taskflow-broker"}, "scheduler": {"scheduler", "taskflow-broker"},
		"mcp-tools": {"mcp-tools", "taskflow-broker"}, "chat-agent": {"chat-agent", "taskflow-broker", "taskflow-state"},
		"web": nil, "default": nil, "offline-model": nil, "postgres": nil, "redpanda": nil,
	}
	secrets := []string{"task-api", "notifier", "scheduler", "mcp-tools", "chat-agent", "web", "taskflow-broker", "taskflow-broker-notifier", "taskflow-state", "taskflow-jobs", "postgres", "task-api-dapr-api"}
	for account, own := range may {
		for _, secret := range secrets {
			want := "no"
			for _, o := range own {
				if o == secret && (!logins || o != "taskflow-broker") {
					want = "yes"
				}
			}
			if got := r.mayI(t, account, "get", "secret/"+secret); got != want {
				t.Errorf("may %s get the Secret %s: %s, want %s", account, secret, got, want)
			}
		}
		for _, more := range [][]string{{"list", "secrets"}, {"watch", "secrets"}, {"create", "pods"}, {"get", "pods"}, {"get", "configmaps"}, {"create", "secrets"}} {
			if got := r.mayI(t, account, more...); got != "no" {
				t.Errorf("may %s %s: %s", account, strings.Join(more, " "), got)
			}
		}
	}
}

// The database holds a service to what it does, whatever the service was made to ask.
func TestAServiceIsItselfAtTheDatabase(t *testing.T) {
	r := installed(t)
	server, err := url.Parse(r.database(t))
	if err != nil {
		t.Fatal(err)
	}
	for service, refused := range map[string][]string{
		"notifier":  {"INSERT INTO idempotency DEFAULT VALUES", "DELETE FROM tasks", "UPDATE events SET type = ''"},
		"scheduler": {"DELETE FROM tasks", "UPDATE events SET type = ''", "SELECT * FROM api_tokens"},
		"task-api":  {"UPDATE events SET type = ''", "DELETE FROM events"},
		"mcp-tools": {"UPDATE events SET type = ''", "DELETE FROM tool_invocations"},
	} {
		own, err := url.Parse(r.secret(t, service, "DATABASE_URL"))
		if err != nil {
			t.Fatal("the URL of " + service + " is none") // the error has the password
		}
		// The way that the test takes, as who the service is.
		at := *server
		at.User = own.User
		conn, err := pgx.Connect(t.Context(), at.String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
		for _, statement := range refused {
			_, err := conn.Exec(t.Context(), statement)
			if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != "42501" {
				t.Errorf("%s may %s: %v", service, statement, err)
			}
		}
		if _, err := conn.Exec(t.Context(), "SELECT 1 FROM events LIMIT 1"); err != nil {
			t.Errorf("%s may not read the log: %v", service, err)
		}
	}
}

func (r *release) mayI(t testing.TB, account string, what ...string) string {
	t.Helper()
	// It ends with status 1 for a no.
	out, err := r.tryKubectl(t, "", append([]string{"auth", "can-i", "--as=system:serviceaccount:" + r.namespace + ":" + account}, what...)...)
	out = strings.TrimSpace(out)
	if out != "yes" && out != "no" {
		t.Fatal(err)
	}
	return out
}

func dial(t testing.TB, addr string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func bounded(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func as(ctx context.Context, token string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "dapr-api-token", token)
}

// trusted is a call as the service itself makes it.
func (r *release) trusted(t testing.TB, service string) context.Context {
	t.Helper()
	return as(bounded(t), r.secret(t, fmt.Sprintf("%s-dapr-api", service), "token"))
}
