package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/taskflow/internal/app"
)

// laggard is a broker with three records for the scheduler and one replica of notifier, which has read one of them;
// another replica is gone.
func laggard(t *testing.T) *testkit.Broker {
	t.Helper()
	broker := testkit.StartBrokerWithTopics(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := func(opts ...kgo.Opt) *kgo.Client {
		t.Helper()
		c, err := kgo.NewClient(append(opts, kgo.SeedBrokers(broker.Addr))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	publisher := client()
	for range 3 {
		r := &kgo.Record{Topic: string(proto.Tasks), Key: []byte("ada"), Value: []byte("{}"), Timestamp: time.Now().Add(-time.Hour)}
		if err := publisher.ProduceSync(ctx, r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for _, gone := range []bool{true, false} {
		c := client(kgo.ConsumerGroup(proto.Notifier+"-"+uuid.NewString()), kgo.ConsumeTopics(string(proto.Tasks)),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
		records := c.PollRecords(ctx, 1).Records()
		if len(records) != 1 {
			t.Fatal("the replica reads nothing")
		}
		if err := c.CommitRecords(ctx, records...); err != nil {
			t.Fatal(err)
		}
		if gone {
			c.Close()
		}
	}
	return broker
}

func TestLagIsShownAsTableAndAsJSON(t *testing.T) {
	t.Parallel()
	broker := laggard(t)
	table, err := run(t, "lag", "--kafka-brokers", broker.Addr)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]string{
		{"scheduler", "tasks.events", "3", "nobody reads"},
		{"mcp-tools", "mcp.requests", "0", "-", "nobody reads"},
		{"notifier-", "tasks.events", "2", "1"},
		{"groups of replicas of notifier that are gone, left out: 1"},
	} {
		if !hasLine(table, want) {
			t.Errorf("no line has %q:\n%s", want, table)
		}
	}
	raw, err := run(t, "lag", "--kafka-brokers", broker.Addr, "--json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Groups []struct {
			Group, Topic, App string
			Each              bool
			Behind            int64
			Oldest            float64 `json:"oldest_seconds"`
		}
		Left map[string]int
	}
	if err := json.Unmarshal([]byte(raw), &all); err != nil || strings.Count(raw, "\n") != 1 {
		t.Fatalf("%v: %s", err, raw)
	}
	seen := 0
	for _, g := range all.Groups {
		if g.Topic != string(proto.Tasks) {
			continue
		}
		seen++
		if want := map[string]int64{proto.Scheduler: 3, proto.Notifier: 2}[g.App]; g.Behind != want || g.Oldest < 3600 || g.Each != (g.App == proto.Notifier) {
			t.Errorf("it has %+v", g)
		}
	}
	if seen != 2 || all.Left[proto.Notifier] != 1 {
		t.Errorf("it has %s", raw)
	}
}

// hasLine reports whether one line has all the words.
func hasLine(text string, words []string) bool {
	for line := range strings.Lines(text) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			return true
		}
	}
	return false
}

func TestLagMistakesAreExplained(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"two ways to show it":          {[]string{"--serve", ":0", "--json"}, "--serve stands alone"},
		"an interval that is too fast": {[]string{"--interval", "10ms"}, "below 1s"},
		"a broker that is not there":   {[]string{"--kafka-brokers", testkit.Address(t)}, "KAFKA_BROKERS"},
	} {
		if _, err := run(t, append([]string{"lag"}, c.args...)...); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, should mention %q", name, err, c.says)
		}
	}
}

// TestServedLagIsWhatTheBrokerHasAndNothingWhileItIsAway is not parallel: it serves the metrics of the whole process.
func TestServedLagIsWhatTheBrokerHasAndNothingWhileItIsAway(t *testing.T) {
	broker, addr := laggard(t), testkit.Address(t)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		cmd := app.Command()
		cmd.SetOut(&bytes.Buffer{})
		cmd.SetErr(&bytes.Buffer{})
		cmd.SetArgs([]string{"lag", "--kafka-brokers", broker.Addr, "--serve", addr, "--interval", "1s"})
		served <- cmd.ExecuteContext(ctx)
	}()
	defer func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	metrics := func(ctx context.Context, path string) string {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err.Error()
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return err.Error()
		}
		return string(body)
	}
	defer http.DefaultClient.CloseIdleConnections()
	testkit.Eventually(t, "the lag", func(ctx context.Context) (bool, any) {
		got := metrics(ctx, "/metrics")
		for _, want := range []string{
			`taskflow_consumer_lag{group="scheduler",topic="tasks.events"} 3`, `taskflow_consumer_lag{group="notifier-*",topic="tasks.events"} 2`,
			`taskflow_consumer_lag_oldest_seconds{group="scheduler",topic="tasks.events"} 36`, `taskflow_consumer_members{group="scheduler"} 0`,
			`taskflow_consumer_members{group="notifier-*"} 1`, `taskflow_consumer_groups_left{group="notifier-*"} 1`,
		} {
			if !strings.Contains(got, want) {
				return false, "there is no " + want + " in " + got
			}
		}
		return true, nil
	})
	broker.Kill()
	testkit.Eventually(t, "no lag", func(ctx context.Context) (bool, any) {
		got := metrics(ctx, "/metrics")
		failed := `taskflow_consumer_lag_reads_total{result="failed"}`
		return strings.Contains(got, failed) && !strings.Contains(got, failed+" 0") && !strings.Contains(got, "taskflow_consumer_lag{"), got
	})
	if got := metrics(t.Context(), "/readyz"); !strings.Contains(got, `"status":"ready"`) || !strings.Contains(got, `"degraded":true`) {
		t.Errorf("/readyz: %s", got)
	}
}
