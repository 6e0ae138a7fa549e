//go:build kafka

package testkit_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
)

func TestAKafkaThatWasKilledHasWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*testkit.Patience)
	defer cancel()
	began := time.Now()
	k := testkit.StartKafka(t)
	t.Logf("prepared and started in %s", time.Since(began).Round(time.Millisecond))
	options, err := kafka.Options(k.Admin)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(k.Addr))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreateTopic(ctx, 12, -1, nil, "kept"); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(ctx, kgo.StringRecord("said before"), kgo.StringRecord("and this")).FirstErr(); err == nil {
		t.Fatal("a record without a topic was taken")
	}
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: "kept", Value: []byte("said before")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	k.Kill()
	began = time.Now()
	k.Start()
	t.Logf("started again in %s", time.Since(began).Round(time.Millisecond))
	testkit.Eventually(t, "the topic after the restart", func(ctx context.Context) (bool, any) {
		have, err := topics.List(ctx, k.Brokers(), k.Admin)
		return err == nil && len(have) == 1 && have[0].Records == 1, []any{have, err}
	})
}

func TestAKafkaLetsNobodyInWithoutALogin(t *testing.T) {
	t.Parallel()
	k := testkit.StartKafka(t)
	nobody, plain := k.Login("nobody", "nothing"), topics.Access{}
	_, err := topics.List(t.Context(), k.Brokers(), nobody)
	if errs.KindOf(err) != errs.Denied {
		t.Errorf("who is not known is told: %v", err)
	}
	if _, err := topics.List(t.Context(), k.Brokers(), plain); err == nil {
		t.Error("somebody came in without TLS and without a login")
	}
}
