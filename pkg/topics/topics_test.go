package topics_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func apply(t *testing.T, broker string) string {
	t.Helper()
	var report bytes.Buffer
	if err := topics.Apply(within(t, 30*time.Second), []string{broker}, topics.Access{}, &report); err != nil {
		t.Fatal(err)
	}
	return report.String()
}

func list(t *testing.T, broker string) map[string]topics.Topic {
	t.Helper()
	all, err := topics.List(within(t, 30*time.Second), []string{broker}, topics.Access{})
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]topics.Topic{}
	for _, topic := range all {
		byName[topic.Name] = topic
	}
	return byName
}

func admin(t *testing.T, broker string) *kadm.Client {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return kadm.NewClient(client)
}

func TestApplyMakesEveryTopicOfTheContractAndThenHasNothingToDo(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBroker(t)
	if report := apply(t, broker.Addr); strings.Count(report, "created with") != len(proto.AllTopics()) {
		t.Errorf("the first report does not name every topic as created:\n%s", report)
	}
	have := list(t, broker.Addr)
	for _, want := range proto.AllTopics() {
		got := have[string(want.Name)]
		if got.Partitions != want.Partitions || got.Retention != want.Retention {
			t.Errorf("%s has %d partitions and keeps %v, want %d and %v",
				want.Name, got.Partitions, got.Retention, want.Partitions, want.Retention)
		}
	}
	if report := apply(t, broker.Addr); strings.Count(report, "as it should be") != len(proto.AllTopics()) {
		t.Errorf("the second report changes something:\n%s", report)
	}
}

func TestEventsAndDeadLettersAreKeptForLongerIfToldAndNothingElseIs(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBroker(t)
	apply(t, broker.Addr)
	const month, day = 30 * 24 * time.Hour, 24 * time.Hour
	var report bytes.Buffer
	if err := topics.Apply(within(t, 30*time.Second), []string{broker.Addr}, topics.Access{}, &report, topics.Retention(month)); err != nil {
		t.Fatal(err)
	}
	have := list(t, broker.Addr)
	for name, want := range map[proto.Topic]time.Duration{
		proto.Tasks: month, proto.Scheduling: month, proto.DeadLetter(proto.Tasks, proto.Scheduler): month, proto.MCPRequests: time.Hour, proto.Probes: time.Hour,
	} {
		if got := have[string(name)].Retention; got != want {
			t.Errorf("%s keeps for %v, want %v", name, got, want)
		}
	}
	if err := topics.Apply(within(t, 30*time.Second), []string{broker.Addr}, topics.Access{}, &report, topics.Retention(6*day)); !errs.Is(err, errs.Invalid) {
		t.Errorf("six days are taken: %v", err)
	}
}

func TestApplyRaisesPartitionsAndRetentionButTakesNothingAway(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBroker(t)
	a, ctx := admin(t, broker.Addr), within(t, 30*time.Second)
	hour := "3600000"
	for name, partitions := range map[proto.Topic]int32{proto.Tasks: 3, proto.Probes: 5, "somebody.elses": 2} {
		if made, err := a.CreateTopic(ctx, partitions, -1, map[string]*string{"retention.ms": &hour}, string(name)); err != nil || made.Err != nil {
			t.Fatal(err, made.Err)
		}
	}
	report := apply(t, broker.Addr)
	if want := "tasks.events: raised from 3 to 12 partitions, kept for 7 days instead of 1h0m0s"; !strings.Contains(report, want) {
		t.Errorf("the report lacks %q:\n%s", want, report)
	}
	have := list(t, broker.Addr)
	for name, want := range map[proto.Topic]topics.Topic{
		proto.Tasks:      {Partitions: 12, Retention: 7 * 24 * time.Hour},
		proto.Probes:     {Partitions: 5, Retention: time.Hour},
		"somebody.elses": {Partitions: 2, Retention: time.Hour},
	} {
		if got := have[string(name)]; got.Partitions != want.Partitions || got.Retention != want.Retention {
			t.Errorf("%s has %d partitions and keeps %v, want %d and %v", name, got.Partitions, got.Retention, want.Partitions, want.Retention)
		}
	}
}

func TestABrokerThatIsAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBroker(t)
	broker.Kill()
	ctx := within(t, 3*time.Second)
	if err := topics.Apply(ctx, []string{broker.Addr}, topics.Access{}, &bytes.Buffer{}); !errs.Is(err, errs.Unavailable) {
		t.Errorf("Apply says %v", err)
	}
	if _, err := topics.List(ctx, []string{broker.Addr}, topics.Access{}); !errs.Is(err, errs.Unavailable) {
		t.Errorf("List says %v", err)
	}
}

func TestTailShowsWhatPassesTheFilterAndNamesWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBroker(t)
	apply(t, broker.Addr)
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr), kgo.DefaultProduceTopic(string(proto.Tasks)))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx := within(t, 30*time.Second)
	event := func(user, kind, source string) []byte {
		return fmt.Appendf(nil, `{"source":%q,"traceparent":"t","data":{"event_id":"e","event_type":%q,"user_id":%q,
			"timestamp":"2026-01-02T03:04:05.678Z","aggregate_id":"a","version":1,"sequence":1,"data":{}}}`, source, kind, user)
	}
	// One key, so one partition and one order.
	for _, value := range [][]byte{
		event("u1", "task.created", "one"), event("u2", "task.created", "two"), event("u1", "task.deleted", "three"),
		[]byte("no JSON"), event("u1", "task.created", "four"),
	} {
		if err := client.ProduceSync(ctx, &kgo.Record{Key: []byte("k"), Value: value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	filter := topics.Filter{
		Topics: []proto.Topic{proto.Tasks}, User: "u1", Types: []string{"task.created"}, Since: time.Now().Add(-time.Hour),
	}
	var seen []string
	enough := fmt.Errorf("enough")
	err = topics.Tail(ctx, []string{broker.Addr}, topics.Access{}, filter, func(r topics.Record) error {
		seen = append(seen, r.Source+r.Fault)
		if len(seen) == 3 {
			return enough
		}
		return nil
	})
	if got, want := strings.Join(seen, ", "), "one, not a CloudEvent, four"; got != want || !errors.Is(err, enough) {
		t.Errorf("Tail shows %q and says %v, want %q and %v", got, err, want, enough)
	}
}

func TestTailOfATopicThatIsNotThereSaysSo(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBroker(t)
	err := topics.Tail(within(t, 20*time.Second), []string{broker.Addr}, topics.Access{},
		topics.Filter{Topics: []proto.Topic{"no.such"}}, func(topics.Record) error { return nil })
	if !errs.Is(err, errs.NotFound) {
		t.Errorf("Tail says %v", err)
	}
}
