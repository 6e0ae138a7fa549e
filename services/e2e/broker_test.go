package e2e_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	"github.com/taskflow-suite/taskflow/pkg/stack"
	"github.com/taskflow-suite/taskflow/pkg/testkit/apache"
	"github.com/taskflow-suite/taskflow/pkg/topics"
)

// brokerVariable chooses the broker: E2E_BROKER=kafka is an Apache Kafka of each suite's own, over TLS, with a login for
// each service, and rights that follow from the contract. Without it, it is the embedded one.
const brokerVariable = "E2E_BROKER"

// withBroker has a suite run on the broker that was chosen.
func withBroker(t *testing.T, o *stack.Options) {
	t.Helper()
	switch chosen := os.Getenv(brokerVariable); chosen {
	case "":
	case "kafka":
		withKafka(o, &realKafka{users: newUsers()})
	default:
		t.Fatalf("%s is %q: expected kafka, or nothing for the embedded broker", brokerVariable, chosen)
	}
}

// realKafka is the Apache Kafka of a suite.
type realKafka struct {
	*apache.Kafka // once the stack has it made
	users         []topics.User
}

// newUsers is a user for each role, with a password of its own.
func newUsers() []topics.User {
	var users []topics.User
	for _, role := range topics.Roles() {
		users = append(users, topics.User{Name: role, Role: role, Password: config.NewSecret(rand.Text())})
	}
	return users
}

func withKafka(o *stack.Options, k *realKafka) {
	o.BrokerLogins = map[string]kafka.Access{}
	o.Broker = func(ctx context.Context, dir string, port int) (stack.Broker, error) {
		made, err := apache.Prepare(ctx, filepath.Join(dir, "kafka"), port, port+1)
		if err != nil {
			return stack.Broker{}, err
		}
		k.Kafka = made
		for _, u := range k.users {
			o.BrokerLogins[u.Role] = made.Login(u.Name, u.Password.Reveal())
		}
		return stack.Broker{Command: made.Command, Access: made.Admin}, nil
	}
	o.Topics = func(ctx context.Context, brokers string) error {
		list := strings.Split(brokers, ",")
		err := errors.Join(
			topics.ApplyUsers(ctx, list, k.Admin, k.users, io.Discard),
			topics.ApplyACLs(ctx, list, k.Admin, k.users, io.Discard),
		)
		if err != nil {
			return err
		}
		// Not as the administrator: the operator's rights are enough.
		operator := o.BrokerLogins[topics.Operator]
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		return topics.Apply(ctx, list, operator, io.Discard)
	}
}
