// Package topics makes the broker's topics what proto/topics.go says they are, shows what runs through them, and how far
// their readers are behind. It speaks the Kafka protocol and is used by the taskflow command: services reach topics
// through their sidecars only. Who may log in and do what there follows from the contract too (users.go, acl.go).
//
// It creates and raises, and never deletes or shrinks: a topic that is gone from the contract stays until somebody
// removes it by hand.
package topics

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
)

// Access is how the broker is reached.
type Access = kafka.Access

// dialTimeout bounds one attempt to reach one broker, retryTimeout all attempts of a request.
const (
	dialTimeout  = 5 * time.Second
	retryTimeout = 15 * time.Second
)

func connect(brokers []string, access Access, more ...kgo.Opt) (*kgo.Client, error) {
	opts, err := kafka.Options(access)
	if err != nil {
		return nil, err
	}
	opts = append(opts,
		kgo.SeedBrokers(brokers...), kgo.ClientID("taskflow"),
		kgo.DialTimeout(dialTimeout), kgo.RetryTimeout(retryTimeout),
	)
	client, err := kgo.NewClient(append(opts, more...)...)
	if err != nil {
		return nil, errs.Because(err, errs.Invalid, "the broker's address %v cannot be used", brokers)
	}
	return client, nil
}

// Topic is a topic as the broker has it.
type Topic struct {
	Name       string
	Partitions int
	Replicas   int
	// Retention is 0 if the broker does not tell, and negative if records are kept for ever.
	Retention time.Duration
	// Records is how many the partitions hold together, by their offsets.
	Records int64
}

// List tells what topics the broker has, by name. errs.Unavailable if it does not answer, errs.Denied if it refuses.
func List(ctx context.Context, brokers []string, access Access) ([]Topic, error) {
	client, err := connect(brokers, access)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	have, err := describe(ctx, kadm.NewClient(client))
	if err != nil {
		return nil, kafka.Failure(access, err)
	}
	var list []Topic
	for _, name := range have.names {
		list = append(list, have.topics[name])
	}
	return list, nil
}

type described struct {
	names  []string
	topics map[string]Topic
}

func describe(ctx context.Context, admin *kadm.Client) (described, error) {
	found, err := admin.ListTopics(ctx)
	if err != nil {
		return described{}, err
	}
	d := described{names: found.Names(), topics: map[string]Topic{}}
	if len(d.names) == 0 {
		return d, nil
	}
	configs, err := admin.DescribeTopicConfigs(ctx, d.names...)
	if err != nil {
		return described{}, err
	}
	starts, err := admin.ListStartOffsets(ctx, d.names...)
	if err != nil {
		return described{}, err
	}
	ends, err := admin.ListEndOffsets(ctx, d.names...)
	if err != nil {
		return described{}, err
	}
	for name, detail := range found {
		t := Topic{Name: name, Partitions: len(detail.Partitions), Replicas: detail.Partitions.NumReplicas()}
		if c, err := configs.On(name, nil); err == nil {
			t.Retention = retentionOf(c)
		}
		for _, partition := range detail.Partitions {
			start, _ := starts.Lookup(name, partition.Partition)
			end, _ := ends.Lookup(name, partition.Partition)
			t.Records += max(end.Offset-start.Offset, 0)
		}
		d.topics[name] = t
	}
	return d, nil
}

const retentionKey = "retention.ms"

func retentionOf(c kadm.ResourceConfig) time.Duration {
	for _, entry := range c.Configs {
		if entry.Key != retentionKey || entry.Value == nil {
			continue
		}
		var ms int64
		if _, err := fmt.Sscan(*entry.Value, &ms); err == nil {
			return time.Duration(ms) * time.Millisecond
		}
	}
	return 0
}
