package topics

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/taskflow-suite/taskflow/pkg/kafka"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// Missing names what the contract has and the broker has not, one text each: a topic, or that it has too few partitions.
// It is empty if all is there. It only asks, and only for names and partitions, so that a user who may merely read can
// call it. errs.Unavailable if the broker does not answer, errs.Denied if it refuses who asks.
func Missing(ctx context.Context, brokers []string, access Access) ([]string, error) {
	client, err := connect(brokers, access)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var names []string
	for _, want := range contract.AllTopics() {
		names = append(names, string(want.Name))
	}
	found, err := kadm.NewClient(client).ListTopics(ctx, names...)
	if err != nil {
		return nil, kafka.Failure(access, err)
	}
	var missing []string
	for _, want := range contract.AllTopics() {
		name := string(want.Name)
		if err := found[name].Err; errors.Is(err, kerr.TopicAuthorizationFailed) {
			return nil, kafka.Failure(access, err)
		}
		switch has := len(found[name].Partitions); {
		case !found.Has(name):
			missing = append(missing, name)
		case has < want.Partitions:
			missing = append(missing, fmt.Sprintf("%s (%d of %d partitions)", name, has, want.Partitions))
		}
	}
	return missing, nil
}
