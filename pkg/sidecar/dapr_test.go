package sidecar_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
)

// The scheduler is the app of most tests because it may publish to and take from the same topics.
func scheduler(b *testkit.Broker, subscribe func(d sidecar.Dapr, bus event.Bus) []sidecar.Subscription) replicaOptions {
	return replicaOptions{
		SidecarOptions: testkit.SidecarOptions{App: proto.Scheduler, Broker: b}, subscribe: subscribe,
	}
}

func TestAnEventArrivesAsItWasPublished(t *testing.T) {
	t.Parallel()
	type arrival struct {
		sidecar.Delivery
		correlation, user, trace string
	}
	arrived := make(chan arrival, 10)
	b := broker(t)
	r := start(t, scheduler(b, func(d sidecar.Dapr, _ event.Bus) []sidecar.Subscription {
		return []sidecar.Subscription{d.Work(proto.Scheduler, proto.Tasks, func(ctx context.Context, d sidecar.Delivery) error {
			arrived <- arrival{d, telemetry.Correlation(ctx), telemetry.User(ctx), telemetry.Traceparent(ctx)}
			return nil
		})}
	}))
	const trace = "0af7651916cd43dd8448eb211c80319c"
	sent := map[string]event.Message{}
	for _, user := range []string{"u1", "zoé+1@example.org"} {
		m := message(user, 1)
		m.Trace = "00-" + trace + "-b7ad6b7169203331-01"
		sent[m.ID] = m
	}
	publish(t, r, proto.Tasks, slices.Collect(maps.Values(sent))...)
	for range sent {
		got := next(t, arrived, "an event")
		want := sent[got.ID]
		if got.Key != want.Key || got.Type != want.Type || got.Source != proto.Scheduler || got.Topic != proto.Tasks || got.Trace != want.Trace {
			t.Errorf("arrived as %+v, published as %+v", got.Delivery, want)
		}
		if !sameJSON(t, got.Data, want.Data) {
			t.Errorf("arrived with %s, published with %s", got.Data, want.Data)
		}
		if got.correlation != "c-"+want.Key || got.user != want.Key || !strings.Contains(got.trace, trace) {
			t.Errorf("handled as work %q of user %q in trace %q", got.correlation, got.user, got.trace)
		}
	}
	for _, record := range records(t, b, proto.Tasks, len(sent)) {
		var wrapped struct{ ID string }
		if err := json.Unmarshal(record.Value, &wrapped); err != nil {
			t.Fatal(err)
		}
		if key := string(record.Key); key != sent[wrapped.ID].Key {
			t.Errorf("the record's key is %q, want %q", key, sent[wrapped.ID].Key)
		}
		if len(record.Headers) > 0 {
			t.Errorf("the record repeats its envelope in %d headers", len(record.Headers))
		}
	}
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal(a, &x); err != nil {
		t.Fatalf("%s: %v", a, err)
	}
	if err := json.Unmarshal(b, &y); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return fmt.Sprint(x) == fmt.Sprint(y)
}

func TestOneUsersEventsStayInOrderAndRetriesDoNotOvertake(t *testing.T) {
	t.Parallel()
	const events = 600 // more than one call carries
	var failures atomic.Int64
	arrived := make(chan sidecar.Delivery, events)
	b := broker(t)
	r := start(t, scheduler(b, func(d sidecar.Dapr, _ event.Bus) []sidecar.Subscription {
		return []sidecar.Subscription{d.Work(proto.Scheduler, proto.Tasks, func(ctx context.Context, d sidecar.Delivery) error {
			if e, err := event.Decode(d.Data); err == nil && e.Sequence == 100 && failures.Add(1) <= 2 {
				return errs.New(errs.Unavailable, "not now")
			}
			return into(arrived)(ctx, d)
		})}
	}))
	var messages []event.Message
	for i := range events {
		messages = append(messages, message("u1", i+1))
	}
	publish(t, r, proto.Tasks, messages...)
	for i := range events {
		if got := next(t, arrived, "event"); got.ID != messages[i].ID {
			t.Fatalf("event %d came in the place of event %d", slices.IndexFunc(messages, func(m event.Message) bool { return m.ID == got.ID }), i)
		}
	}
}

func TestWhatCannotBeHandledGoesToTheDeadLettersWithItsKey(t *testing.T) {
	t.Parallel()
	b := broker(t)
	handled, dead := make(chan sidecar.Delivery, 10), make(chan sidecar.Delivery, 10)
	var attempts atomic.Int64
	o := scheduler(b, func(d sidecar.Dapr, _ event.Bus) []sidecar.Subscription {
		return []sidecar.Subscription{
			d.Work(proto.Scheduler, proto.Tasks, func(ctx context.Context, d sidecar.Delivery) error {
				switch d.Key {
				case "dropped":
					return errs.New(errs.Invalid, "never")
				case "panics":
					attempts.Add(1)
					panic("a bug")
				}
				return into(handled)(ctx, d)
			}),
			d.DeadLetters(proto.Scheduler, proto.Tasks, into(dead)),
		}
	})
	// The pauses between attempts are not what is tested here.
	o.Edit = func(name string, text []byte) []byte {
		return bytes.ReplaceAll(text, []byte("duration: 1500ms"), []byte("duration: 50ms"))
	}
	r := start(t, o)

	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr), kgo.DefaultProduceTopic(string(proto.Tasks)))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	garbage := &kgo.Record{Key: []byte("garbage"), Value: []byte("no JSON at all")}
	if err := client.ProduceSync(within(t, patience), garbage).FirstErr(); err != nil {
		t.Fatal(err)
	}
	publish(t, r, proto.Tasks, message("dropped", 1), message("panics", 1), message("fine", 1))

	if got := next(t, handled, "the good event"); got.Key != "fine" {
		t.Errorf("handled %q", got.Key)
	}
	originals := map[string]string{}
	for _, record := range records(t, b, proto.Tasks, 4) {
		originals[string(record.Key)] = string(record.Value)
	}
	for _, record := range records(t, b, proto.DeadLetter(proto.Tasks, proto.Scheduler), 3) {
		key := string(record.Key)
		if key == "fine" || originals[key] != string(record.Value) {
			t.Errorf("the dead letter of %q is %s, the record was %s", key, record.Value, originals[key])
		}
	}
	seen := map[string]bool{}
	for range 3 {
		d := next(t, dead, "a dead letter")
		seen[d.Key] = true
		if string(d.Data) != originals[d.Key] {
			t.Errorf("the dead letter of %q is delivered as %s", d.Key, d.Data)
		}
	}
	if !seen["dropped"] || !seen["panics"] || !seen["garbage"] {
		t.Errorf("delivered dead letters: %v", seen)
	}
	if n := attempts.Load(); n != 8 {
		t.Errorf("the handler that panics was asked %d times, want the first and 7 retries", n)
	}
}

func TestEveryReplicaSeesEveryEventThroughTheFanOut(t *testing.T) {
	t.Parallel()
	for name, bulk := range map[string]*sidecar.Bulk{"one by one": nil, "in batches": {Messages: 100, Wait: 3 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const events, users = 300, 10
			b := broker(t)
			publisher := start(t, replicaOptions{SidecarOptions: testkit.SidecarOptions{App: proto.TaskAPI, Broker: b}})
			var seen [2]chan sidecar.Delivery
			for i := range seen {
				seen[i] = make(chan sidecar.Delivery, events)
				var probe *sidecar.Probe
				start(t, replicaOptions{
					SidecarOptions: testkit.SidecarOptions{App: proto.Notifier, Broker: b},
					subscribe: func(d sidecar.Dapr, bus event.Bus) []sidecar.Subscription {
						probe = d.NewProbe(bus)
						tasks := d.FanOut(proto.Tasks, into(seen[i]))
						tasks.Bulk = bulk
						return []sidecar.Subscription{tasks, d.FanOut(proto.Users, into(seen[i])), probe.Subscription()}
					},
				})
				background(t, probe.Run)
				if err := probe.Wait(within(t, patience)); err != nil {
					t.Fatal(err)
				}
				if err := probe.Check(t.Context()); err != nil {
					t.Error(err)
				}
			}
			var messages []event.Message
			for i := range events {
				messages = append(messages, message(fmt.Sprint("u", i%users), i/users+1))
			}
			publish(t, publisher, proto.Tasks, messages...)
			for i := range seen {
				last := map[string]int64{}
				for range events {
					d := next(t, seen[i], "an event")
					e, err := event.Decode(d.Data)
					if err != nil {
						t.Fatal(err)
					}
					if e.Sequence != last[e.UserID]+1 || d.Key != e.UserID {
						t.Fatalf("replica %d saw event %d of %s (key %q) after %d", i, e.Sequence, e.UserID, d.Key, last[e.UserID])
					}
					last[e.UserID] = e.Sequence
				}
			}
		})
	}
}

func TestAnAppMayUseTheTopicsOfTheContractOnly(t *testing.T) {
	t.Parallel()
	b := broker(t)
	r := start(t, replicaOptions{SidecarOptions: testkit.SidecarOptions{App: proto.Notifier, Broker: b}})
	publish(t, r, proto.Probes, message("u1", 1))
	for name, topic := range map[string]proto.Topic{"another app's": proto.Tasks, "an unknown": "unheard.of"} {
		err := r.Publish(within(t, patience), topic, []event.Message{message("u1", 1)})
		if !errs.Is(err, errs.Unavailable) || !strings.Contains(err.Error(), "not allowed") {
			t.Errorf("publishing to %s topic says %v", name, err)
		}
	}
	// Over HTTP there is nothing to use at all.
	ask, err := http.NewRequestWithContext(within(t, patience), http.MethodPost,
		"http://"+r.daprd.HTTP+"/v1.0/publish/pubsub/"+string(proto.Probes), strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	ask.Header.Set("dapr-api-token", apiToken)
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(ask)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNotFound {
		t.Errorf("publishing over HTTP is answered with %s", answer.Status)
	}
	// The fan-out component is for taking events only.
	fanOut := r.Dapr
	fanOut.PubSub = fanOut.PubSubFanOut
	other, err := sidecar.Dial(fanOut)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Publish(within(t, patience), proto.Probes, []event.Message{message("u1", 1)}); !errs.Is(err, errs.Unavailable) {
		t.Errorf("publishing through the fan-out says %v", err)
	}
}

func TestOnlyTheTypesThatAreWantedArrive(t *testing.T) {
	t.Parallel()
	b := broker(t)
	arrived := make(chan sidecar.Delivery, 10)
	r := start(t, scheduler(b, func(d sidecar.Dapr, _ event.Bus) []sidecar.Subscription {
		work := d.Work(proto.Scheduler, proto.Tasks, into(arrived))
		work.Types = []string{proto.TaskCompleted.Name, proto.TaskSkipped.Name}
		return []sidecar.Subscription{work}
	}))
	types := []string{
		proto.TaskCreated.Name, proto.TaskSkipped.Name, "task.completed.too", proto.TaskCompleted.Name, proto.TaskUpdated.Name, proto.TaskSkipped.Name,
	}
	var messages []event.Message
	for i, kind := range types {
		m := message("u1", i+1) // of one user: in order
		m.Type = kind
		messages = append(messages, m)
	}
	publish(t, r, proto.Tasks, messages...)
	for _, want := range []int{1, 3, 5} {
		if got := next(t, arrived, types[want]); got.ID != messages[want].ID {
			t.Errorf("%s came, want %s", got.Type, types[want])
		}
	}
	have, err := topics.List(within(t, patience), []string{b.Addr}, topics.Access{})
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range have {
		if topic.Name == string(proto.DeadLetter(proto.Tasks, proto.Scheduler)) && topic.Records > 0 {
			t.Errorf("%d events that are not wanted are dead letters", topic.Records)
		}
	}
}

func TestPublishingFailsInTimeWhileTheBrokerIsAwayAndWorksAgainAfterwards(t *testing.T) {
	t.Parallel()
	b := broker(t)
	arrived := make(chan sidecar.Delivery, 10)
	r := start(t, scheduler(b, func(d sidecar.Dapr, _ event.Bus) []sidecar.Subscription {
		return []sidecar.Subscription{d.Work(proto.Scheduler, proto.Tasks, into(arrived))}
	}))
	first, second := message("u1", 1), message("u1", 2)
	publish(t, r, proto.Tasks, first)
	if got := next(t, arrived, "the first event"); got.ID != first.ID {
		t.Errorf("%s came before the first", got.ID)
	}
	b.Kill()
	began := time.Now()
	err := r.Publish(within(t, patience), proto.Tasks, []event.Message{second})
	if took := time.Since(began); !errs.Is(err, errs.Unavailable) || took > 12*time.Second {
		t.Errorf("publishing without a broker took %v and says %v", took, err)
	}
	b.Start()
	eventually(t, "publishing again", func(ctx context.Context) error {
		return r.Publish(ctx, proto.Tasks, []event.Message{second})
	})
	if got := next(t, arrived, "the second event"); got.ID != second.ID {
		t.Errorf("%s came before the second", got.ID)
	}
}

func TestASidecarThatIsAwayOrOfAnotherTokenIsUnavailableAtOnce(t *testing.T) {
	t.Parallel()
	b := broker(t)
	r := start(t, replicaOptions{SidecarOptions: testkit.SidecarOptions{App: proto.TaskAPI, Broker: b}})
	stranger := r.Dapr
	stranger.Token = config.NewSecret("another")
	other, err := sidecar.Dial(stranger)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Ready(within(t, patience)); !errs.Is(err, errs.Unavailable) {
		t.Errorf("with a wrong token Ready says %v", err)
	}
	r.daprd.Kill()
	began := time.Now()
	if err := r.Publish(within(t, patience), proto.Tasks, []event.Message{message("u1", 1)}); !errs.Is(err, errs.Unavailable) {
		t.Errorf("without a sidecar Publish says %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it said so after %v", took)
	}
}

func TestAServiceThatIsUnhealthyIsLeftAloneUntilItIsWellAgain(t *testing.T) {
	t.Parallel()
	b := broker(t)
	var ill atomic.Bool
	asked, arrived := make(chan struct{}, 100), make(chan sidecar.Delivery, 10)
	o := scheduler(b, func(d sidecar.Dapr, _ event.Bus) []sidecar.Subscription {
		return []sidecar.Subscription{d.Work(proto.Scheduler, proto.Tasks, func(ctx context.Context, d sidecar.Delivery) error {
			if ill.Load() {
				return errs.New(errs.Unavailable, "ill")
			}
			return into(arrived)(ctx, d)
		})}
	})
	o.health = func(context.Context) error {
		if !ill.Load() {
			return nil
		}
		select {
		case asked <- struct{}{}:
		default:
		}
		return errs.New(errs.Unavailable, "ill")
	}
	r := start(t, o)
	publish(t, r, proto.Tasks, message("u1", 1))
	next(t, arrived, "the first event")
	ill.Store(true)
	for range 4 {
		next(t, asked, "a health check")
	}
	late := message("u1", 2)
	publish(t, r, proto.Tasks, late)
	ill.Store(false)
	if got := next(t, arrived, "the event of the meantime"); got.ID != late.ID {
		t.Errorf("%s came instead of it", got.ID)
	}
}

func TestAServiceThatIsWellAgainWhileEventsWaitForItGetsThemAllEachTime(t *testing.T) {
	t.Parallel()
	b := broker(t)
	var ill atomic.Bool
	asked, arrived := make(chan struct{}, 100), make(chan sidecar.Delivery, 100)
	o := scheduler(b, func(d sidecar.Dapr, _ event.Bus) []sidecar.Subscription {
		handle := func(ctx context.Context, d sidecar.Delivery) error {
			if ill.Load() {
				return errs.New(errs.Unavailable, "ill")
			}
			return into(arrived)(ctx, d)
		}
		return []sidecar.Subscription{
			d.Work(proto.Scheduler, proto.Tasks, handle), d.Work(proto.Scheduler, proto.Users, handle), d.Work(proto.Scheduler, proto.Scheduling, handle),
			d.DeadLetters(proto.Scheduler, proto.Tasks, handle), d.DeadLetters(proto.Scheduler, proto.Users, handle),
		}
	})
	o.health = func(context.Context) error {
		if !ill.Load() {
			return nil
		}
		select {
		case asked <- struct{}{}:
		default:
		}
		return errs.New(errs.Unavailable, "ill")
	}
	r := start(t, o)
	const users = 20
	wanted := []proto.Topic{proto.Tasks, proto.Users, proto.Scheduling}
	for round := range 3 {
		for user := range users {
			// From the middle on, events wait at the sidecar, which tries again, while the service becomes well.
			ill.Store(user >= users/2)
			for _, topic := range wanted {
				publish(t, r, topic, message(fmt.Sprintf("u%d-%d", round, user), 1))
			}
		}
		for range 4 + round {
			next(t, asked, "a health check")
		}
		ill.Store(false)
		for n := range users * len(wanted) {
			next(t, arrived, fmt.Sprintf("event %d of round %d", n, round))
		}
	}
}

func TestSecretsComeFromTheStoreAndOtherwiseFromTheEnvironment(t *testing.T) {
	t.Parallel()
	b := broker(t)
	r := start(t, replicaOptions{SidecarOptions: testkit.SidecarOptions{
		App: proto.TaskAPI, Broker: b, Env: []string{"JWT_SECRET=of the store"},
	}})
	env := map[string]string{"JWT_SECRET": "of the environment", "DATABASE_URL": "of the environment", "PATH": "own"}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	ctx := within(t, patience)
	secrets := r.Secrets(lookup)
	overlaid := secrets.Lookup(ctx, "JWT_SECRET", "DATABASE_URL", "PATH")
	for name, want := range map[string]string{
		"JWT_SECRET":   "of the store",
		"DATABASE_URL": "of the environment",
		"PATH":         "own", // the sidecar's is none of our business, and the configuration denies it
	} {
		got, err := secrets.Get(ctx, name)
		if err != nil || got.Reveal() != want {
			t.Errorf("%s is %q (%v), want %q", name, got.Reveal(), err, want)
		}
		if got, ok := overlaid(name); got != want || !ok {
			t.Errorf("%s is looked up as %q, want %q", name, got, want)
		}
		if shown := fmt.Sprintf("%v %+v %#v %s", got, got, got, got); strings.Contains(shown, want) {
			t.Errorf("%s prints itself", name)
		}
	}
	if _, err := secrets.Get(ctx, "NOWHERE"); !errs.Is(err, errs.NotFound) {
		t.Errorf("a secret that is nowhere says %v", err)
	}
}

func TestSecretsOfASidecarThatNeverComesAreReadFromTheEnvironment(t *testing.T) {
	t.Parallel()
	client, err := sidecar.Dial(sidecar.Dapr{Endpoint: "127.0.0.1:1", SecretStore: "secrets"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	secrets := client.Secrets(func(string) (string, bool) { return "of the environment", true })
	secrets.Patience = 100 * time.Millisecond
	if got, _ := secrets.Lookup(within(t, patience), "JWT_SECRET")("JWT_SECRET"); got != "of the environment" {
		t.Errorf("looked up %q", got)
	}
}

func TestWithoutASecretStoreTheSidecarIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]string{"as a setting": "none", "in code": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := sidecar.Dial(sidecar.Dapr{Endpoint: "127.0.0.1:1", SecretStore: set})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			secrets := client.Secrets(func(string) (string, bool) { return "of the environment", true })
			secrets.Patience = time.Hour
			if got, _ := secrets.Lookup(within(t, patience), "JWT_SECRET")("JWT_SECRET"); got != "of the environment" {
				t.Errorf("looked up %q", got)
			}
		})
	}
}

func TestStateIsReplacedByWhoKnowsItsVersionOnly(t *testing.T) {
	t.Parallel()
	b := broker(t)
	r := start(t, replicaOptions{SidecarOptions: testkit.SidecarOptions{
		App: proto.ChatAgent, Broker: b, Database: testkit.EmptyPostgres(t),
	}})
	ctx, state := within(t, patience), r.State()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := state.Get(ctx, "k"); !errs.Is(err, errs.NotFound) {
		t.Errorf("an absent key says %v", err)
	}
	must(state.Create(ctx, "k", []byte(`{"n":1}`), time.Hour))
	if err := state.Create(ctx, "k", []byte("2"), 0); !errs.Is(err, errs.Stale) {
		t.Errorf("creating what is there says %v", err)
	}
	first, err := state.Get(ctx, "k")
	must(err)
	if string(first.Data) != `{"n":1}` || first.ETag == "" {
		t.Errorf("read %q with tag %q", first.Data, first.ETag)
	}
	must(state.Replace(ctx, "k", []byte("2"), first.ETag, 0))
	if err := state.Replace(ctx, "k", []byte("3"), first.ETag, 0); !errs.Is(err, errs.Stale) {
		t.Errorf("replacing an old version says %v", err)
	}
	if err := state.Delete(ctx, "k", first.ETag); !errs.Is(err, errs.Stale) {
		t.Errorf("deleting an old version says %v", err)
	}
	must(state.Put(ctx, "k", []byte("4"), 0))
	second, err := state.Get(ctx, "k")
	must(err)
	must(state.Delete(ctx, "k", second.ETag))
	must(state.Delete(ctx, "k", ""))
	if _, err := state.Get(ctx, "k"); !errs.Is(err, errs.NotFound) {
		t.Errorf("a deleted key says %v", err)
	}
	must(state.Create(ctx, "short", []byte("1"), time.Second))
	eventually(t, "the value's end", func(ctx context.Context) error {
		if _, err := state.Get(ctx, "short"); !errs.Is(err, errs.NotFound) {
			return fmt.Errorf("it is still there: %w", err)
		}
		return nil
	})
}
