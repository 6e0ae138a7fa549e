package app

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/deadletter"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
)

// poison is what can be no event, for a topic that the scheduler takes an event of: one of each kind, all different.
func poison(topic proto.Topic, kind, foreign string, partition int32) [][]byte {
	cloudEvent := func(event string) []byte {
		return fmt.Appendf(nil, `{"specversion":"1.0","id":"%s-%d-%d","source":"eve","type":%q,"datacontenttype":"application/json","data":%s}`,
			topic, partition, len(event), kind, event)
	}
	envelope := func(kind, payload string) []byte {
		return cloudEvent(fmt.Sprintf(`{"event_id":%q,"event_type":%q,"user_id":"eve","timestamp":"2026-11-23T00:00:00Z","aggregate_id":"a","version":1,`+
			`"sequence":1,"correlation_id":"of eve","data":%s}`, event.NewID(), kind, payload))
	}
	return [][]byte{
		fmt.Appendf(nil, "no JSON at all, %d", partition), cloudEvent(`[1]`), envelope(kind, `{"series_id":{},"changed":7}`), envelope(foreign, `{}`),
	}
}

func TestPoisonInEveryPartitionOfEveryTopicHoldsNothingUpAndIsRecorded(t *testing.T) {
	t.Parallel()
	broker, database := testkit.StartBrokerWithTopics(t), testkit.Postgres(t)
	writer, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	foreign := map[proto.Topic][2]string{
		proto.Tasks:      {proto.TaskCompleted.Name, proto.RecurrenceDue.Name},
		proto.Users:      {proto.UserUpdated.Name, proto.TaskCompleted.Name},
		proto.Scheduling: {proto.RecurrenceDue.Name, proto.UserUpdated.Name},
	}
	const partitions = 12
	var records []*kgo.Record
	for topic, types := range foreign {
		for partition := range int32(partitions) {
			for _, record := range poison(topic, types[0], types[1], partition) {
				records = append(records, &kgo.Record{Topic: string(topic), Partition: partition, Key: []byte("eve"), Value: record})
			}
		}
	}
	if err := writer.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}

	r := start(t, broker, database, nil)
	u := publishing(t, broker, database)
	// tasks.scheduling: what is due comes; tasks.events: what follows on what is done comes; users.events: who moves is seen.
	long, tomorrow := now().Add(-3*day-time.Hour), now().Add(day)
	u.add("ann", daily("Buy milk", long))
	u.comes("ann", long, long.Add(3*day))
	milk := u.add("dan", daily("Buy milk", tomorrow))
	if _, err := u.tasks.SetCompleted(t.Context(), "dan", milk.ID, 0, true); err != nil {
		t.Fatal(err)
	}
	u.comes("dan", tomorrow, tomorrow.Add(day))
	u.add("eve", task.Fields{Title: "Tea"})
	if _, err := u.tasks.SetTimeZone(t.Context(), "eve", 0, "Asia/Tokyo"); err != nil {
		t.Fatal(err)
	}
	db := testkit.OpenPostgresAt(t, database)
	testkit.Eventually(t, "who moved", func(ctx context.Context) (bool, any) {
		var n int64
		err := db.Read(ctx).Table("inbox").Where("consumer = ? AND event_id IN (SELECT id FROM events WHERE type = ?)",
			proto.Scheduler, proto.UserUpdated.Name).Count(&n).Error
		return n == 1, err
	})

	store := deadletter.NewStore(db)
	testkit.Eventually(t, "the dead letters", func(ctx context.Context) (bool, any) {
		all, _, err := store.List(ctx, deadletter.Filter{States: []deadletter.State{deadletter.Dead}}, deadletter.MaxList)
		return len(all) == len(records), fmt.Sprint(len(all), err)
	})
	for topic := range foreign {
		for what, want := range map[string]deadletter.Filter{
			"unread":   {Topic: topic, Kind: deadletter.KindUnread},
			"no event": {Topic: topic, Reason: "not an event"},
			"payload":  {Topic: topic, Reason: "does not match its type", UserID: "eve", CorrelationID: "of eve"},
			"foreign":  {Topic: topic, Reason: " came on " + string(topic), UserID: "eve", CorrelationID: "of eve"},
		} {
			// A reason may come after the dead letter, when a busy database is ready for it.
			testkit.Eventually(t, what+" on "+string(topic), func(ctx context.Context) (bool, any) {
				all, _, err := store.List(ctx, want, deadletter.MaxList)
				return len(all) == partitions, fmt.Sprint(len(all), err)
			})
		}
	}
	if got := value(t, "taskflow_dead_letters_total", r.metrics); got != float64(len(records)) {
		t.Errorf("%v are counted, want %d", got, len(records))
	}
	testkit.Eventually(t, "the gauge", func(context.Context) (bool, any) {
		got := value(t, "taskflow_dead_letters", r.metrics)
		return got == float64(len(records)), got
	})
}
