package app

import (
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/stack"
	"github.com/taskflow-suite/taskflow/proto"
)

func TestBrokersOfYoursAreUsedWithTheLoginsOfTheEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"KAFKA_BROKERS": "one.test:9093,two.test:9093", "KAFKA_TLS": "true", "KAFKA_SASL_USERNAME": "me", "KAFKA_SASL_PASSWORD": "my own",
		"KAFKA_PASSWORD_NOTIFIER": "of the notifier", "KAFKA_PASSWORD_TASK_API": "of the task-api", "KAFKA_USERNAME_TASK_API": "tasks-b",
	} {
		t.Setenv(name, value)
	}
	var o stack.Options
	if err := (&places{}).ownBrokers(&o); err != nil {
		t.Fatal(err)
	}
	if o.KafkaBrokers != "one.test:9093,two.test:9093" || o.BrokerAccess.User != "me" || !o.BrokerAccess.TLS {
		t.Errorf("%s as %s", o.KafkaBrokers, o.BrokerAccess.User)
	}
	for app, want := range map[string]string{proto.Notifier: "notifier", proto.TaskAPI: "tasks-b"} {
		if login := o.BrokerLogins[app]; login.User != want || !login.TLS || login.Password.Reveal() != "of the "+app {
			t.Errorf("%s comes in as %q, TLS %t", app, login.User, login.TLS)
		}
	}
	if len(o.BrokerLogins) != 2 {
		t.Errorf("%d services have logins of their own", len(o.BrokerLogins))
	}
}

func TestWithoutBrokersOfYoursNothingIsSaidOfThem(t *testing.T) {
	t.Setenv("KAFKA_BROKERS", "")
	t.Setenv("KAFKA_PASSWORD_NOTIFIER", "short")
	var o stack.Options
	if err := (&places{}).ownBrokers(&o); err != nil || o.KafkaBrokers != "" || o.BrokerLogins != nil {
		t.Errorf("%v, %q", err, o.KafkaBrokers)
	}
}
