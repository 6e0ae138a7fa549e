package stack

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	runtimev1 "github.com/dapr/dapr/pkg/proto/runtime/v1"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// The smallest Dapr configuration with a topic, in the places where the product's is.
var daprFiles = map[string]string{
	"go.work": "go 1.26.0\n",
	"dapr/local/components/pubsub.yaml": `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: pubsub}
spec:
  type: pubsub.kafka
  version: v1
  initTimeout: 60s
  metadata:
  - {name: brokers, value: "localhost:9092"}
  - {name: authType, value: none}
  - {name: consumerGroup, value: "{appID}"}
  - {name: version, value: "2.6.0"}
  - {name: initialOffset, value: oldest}
`,
	"dapr/local/subscriptions/tasks.yaml": `apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: {name: tasks}
spec:
  topic: tasks.test
  pubsubname: pubsub
  routes: {default: /tasks}
scopes: [notifier]
`,
	"dapr/local/configuration.yaml": `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: {name: taskflow}
spec:
  tracing: {samplingRate: "0.01"}
`,
}

func TestAnEventTravelsThroughTwoSidecarsAndSurvivesTheDeathOfEachPart(t *testing.T) {
	t.Parallel()
	ctx, root := within(t, 15*time.Minute), stateDir(t)
	write(t, root, daprFiles)
	checkout, err := FindRoot(".")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(checkout, "dapr", "runtime"), filepath.Join(root, "dapr", "runtime")); err != nil {
		t.Fatal(err)
	}
	o := Options{
		Root: root, Ports: Ports{Random: true},
		Topics: func(ctx context.Context, brokers string) error {
			client, err := kgo.NewClient(kgo.SeedBrokers(brokers))
			if err != nil {
				return err
			}
			defer client.Close()
			_, err = kadm.NewClient(client).CreateTopic(ctx, 3, 1, nil, "tasks.test")
			return err
		},
	}
	for _, app := range []string{"task-api", "notifier"} {
		service := testService(app, false)
		service.NoSidecar = false
		o.Services = append(o.Services, service)
	}
	// What comes to the notifier can be asked for through the origin.
	o.Routes = []Route{{"/api/next-event", "notifier"}}
	s := running(ctx, t, o)

	// The file daprd read names this stack's broker, and nobody else may read it.
	rendered := filepath.Join(s.Dir(), "dapr", "resources", "components-pubsub.yaml")
	if text, err := os.ReadFile(rendered); err != nil || !strings.Contains(string(text), s.Brokers()) {
		t.Errorf("%s: %s (%v)", rendered, text, err)
	}
	if info, err := os.Stat(rendered); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %v", rendered, info.Mode())
	}

	conn, err := grpc.NewClient(s.SidecarAddr("task-api"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	dapr := runtimev1.NewDaprClient(conn)
	with := metadata.AppendToOutgoingContext(ctx, "dapr-api-token", s.SidecarToken())
	publish := func(ctx context.Context, text string) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		_, err := dapr.PublishEvent(ctx, &runtimev1.PublishEventRequest{
			PubsubName: "pubsub", Topic: "tasks.test", Data: []byte(`"` + text + `"`), DataContentType: "application/json",
			Metadata: map[string]string{"partitionKey": "u1"},
		})
		return err
	}
	if publish(ctx, "no token") == nil {
		t.Error("the sidecar takes events without its token")
	}

	// travels has an event arrive; it may be sent and arrive more than once.
	travels := func(text string) {
		t.Helper()
		var last error
		if !waitFor(ctx, 90*time.Second, func() bool { last = publish(with, text); return last == nil }) {
			t.Fatalf("%s cannot be published: %v", text, last)
		}
		arrived := func() bool {
			var body []byte
			_, body, last = get(ctx, s.probes, s.URL("origin")+"/api/next-event")
			return strings.Contains(string(body), text)
		}
		if !waitFor(ctx, 90*time.Second, arrived) {
			t.Fatalf("%s does not arrive: %v", text, last)
		}
	}
	travels("first")
	for _, part := range []string{"broker", "notifier-dapr", "task-api-dapr", "notifier"} {
		if err := s.Kill(part); err != nil {
			t.Fatal(err)
		}
		if err := s.Start(part); err != nil {
			t.Fatal(err)
		}
		if err := s.Ready(ctx); err != nil {
			t.Fatal(err)
		}
		travels("after-" + part)
	}
}
