//go:build kafka

package kafka_test

import (
	"io"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
)

func TestOnARealKafkaTheRightsOfASidecarAreEnoughForAServiceWithoutOne(t *testing.T) {
	t.Parallel()
	k := testkit.StartKafka(t)
	const password = "a password for tests"
	var users []topics.User
	for _, role := range topics.Roles() {
		users = append(users, topics.User{Name: role, Role: role, Password: config.NewSecret(password)})
	}
	if err := topics.ApplyUsers(within(t), k.Brokers(), k.Admin, users, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := topics.ApplyACLs(within(t), k.Brokers(), k.Admin, users, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := topics.Apply(within(t), k.Brokers(), k.Login(topics.Operator, password), io.Discard); err != nil {
		t.Fatal(err)
	}
	as := func(service string) kafka.Config {
		return kafka.Config{Brokers: k.Brokers(), Access: k.Login(service, password)}
	}
	publish := func(service string, topic proto.Topic, m event.Message) error {
		bus, err := kafka.NewBus(as(service), service)
		if err != nil {
			t.Fatal(err)
		}
		defer bus.Close()
		return bus.Publish(within(t), topic, []event.Message{m})
	}
	r := readAt(t, as(proto.Notifier))
	wait(t, r.fanOut.Started(), "start")
	sent := message("ann", 1)
	if err := publish(proto.TaskAPI, proto.Tasks, sent); err != nil {
		t.Fatal(err)
	}
	if got := r.next(t); got.ID != sent.ID {
		t.Errorf("delivered %+v", got)
	}
	if err := publish(proto.Notifier, proto.Tasks, message("ann", 2)); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("the notifier publishes tasks: %v", err)
	}
}
