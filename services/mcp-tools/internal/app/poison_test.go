package app

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/deadletter"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

func TestPoisonInEveryPartitionHoldsNoRequestUpAndIsRecordedWithoutWhatItSays(t *testing.T) {
	t.Parallel()
	broker, database := testkit.StartBrokerWithTopics(t), testkit.Postgres(t)
	writer, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	const partitions = 12
	var records []*kgo.Record
	for partition := range int32(partitions) {
		forged := fmt.Sprintf(`{"client_id":"chat-agent","request_id":%q,"user_id":"eve","reply_to":%q,"expires_at":"2099-01-01T00:00:00Z",`+
			`"correlation_id":"of eve","mac":"AAAA","message":"{\"a private text\":1}"}`, uuid.NewString(), uuid.NewString())
		for i, value := range []string{
			fmt.Sprint("a private text, no JSON, ", partition),
			fmt.Sprintf(`{"id":"none-%d","data":{"a private text":1},"datacontenttype":"application/json"}`, partition),
			fmt.Sprintf(`{"id":"forged-%d","type":"mcp.request","data":%s,"datacontenttype":"application/json"}`, partition, forged),
		} {
			records = append(records, &kgo.Record{
				Topic: string(proto.MCPRequests), Partition: partition, Key: fmt.Append(nil, "user ", i), Value: []byte(value),
			})
		}
	}
	if err := writer.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	r := start(t, broker, database, nil)
	bus := agent(t, broker)
	for i := range partitions { // of users in many partitions
		user := overBus(t, bus, fmt.Sprint("user ", i))
		call(t, user, agenttools.AddTasks, titled("Buy milk"))
	}

	db := testkit.OpenPostgresAt(t, database)
	store := deadletter.NewStore(db)
	for what, filter := range map[string]deadletter.Filter{
		"unread": {Kind: deadletter.KindUnread}, "no request": {Kind: "invalid"}, "forged": {Kind: "denied", UserID: "eve", CorrelationID: "of eve"},
	} {
		filter.Consumer, filter.Topic, filter.States = proto.MCPTools, proto.MCPRequests, []deadletter.State{deadletter.Dead}
		testkit.Eventually(t, "the dead letters that are "+what, func(ctx context.Context) (bool, any) {
			all, _, err := store.List(ctx, filter, deadletter.MaxList)
			for _, l := range all {
				if !strings.Contains(l.CannotRetry(), "expires") {
					t.Errorf("%s can be sent again: %+v", what, l)
				}
			}
			return len(all) == partitions, fmt.Sprintf("%d (%v) of %+v", len(all), err, all)
		})
	}
	var told int64
	if err := db.Read(t.Context()).Table("dead_letters").Where("record IS NOT NULL OR reason LIKE '%private%'").Count(&told).Error; err != nil || told > 0 {
		t.Errorf("%d rows tell what people wrote (%v)", told, err)
	}
	sent, err := store.Retry(t.Context(), deadletter.Filter{}, false, func(int) {})
	if err != nil || sent != (deadletter.Sent{Left: len(records)}) {
		t.Errorf("sent again: %+v, %v", sent, err)
	}
	if got := counted(t, r.metrics, "taskflow_dead_letters_total"); got != float64(len(records)) {
		t.Errorf("%v are counted, want %d", got, len(records))
	}
	testkit.Eventually(t, "the gauge", func(context.Context) (bool, any) {
		got := counted(t, r.metrics, "taskflow_dead_letters")
		return got == float64(len(records)), got
	})
}
