//go:build kafka

package app_test

import (
	"strings"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
)

// TestAnOperatorSecuresAKafkaAndRotatesALogin is docs/brokers.md, command by command.
func TestAnOperatorSecuresAKafkaAndRotatesALogin(t *testing.T) {
	k := testkit.StartKafka(t)
	const password, next = "a password for tests", "another one for tests"
	t.Setenv("KAFKA_BROKERS", k.Addr)
	t.Setenv("KAFKA_TLS", "true")
	t.Setenv("KAFKA_CA_CERT", k.Admin.CACert)
	as := func(user, password string) {
		t.Setenv("KAFKA_SASL_USERNAME", user)
		t.Setenv("KAFKA_SASL_PASSWORD", password)
	}
	must := func(want, line string) {
		t.Helper()
		out, err := run(t, strings.Fields(line)...)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("taskflow %s: %v\n%s\nwant %q", line, err, out, want)
		}
		if strings.Contains(out, password) || strings.Contains(out, next) {
			t.Errorf("taskflow %s shows a password", line)
		}
	}
	mustFail := func(want, line string) {
		t.Helper()
		if out, err := run(t, strings.Fields(line)...); err == nil || !strings.Contains(out+err.Error(), want) {
			t.Errorf("taskflow %s: %v\n%s\nwant a failure and %q", line, err, out, want)
		}
	}

	as(k.Admin.User, k.Admin.Password.Reveal())
	mustFail("KAFKA_PASSWORD_TASK_API", "topics users apply")
	for _, role := range topics.Roles() {
		t.Setenv(topics.Variable("PASSWORD", role), password)
	}
	must("task-api may write topic tasks.events", "topics acls list")
	mustFail("missing: task-api may write topic tasks.events", "topics acls check")
	must("notifier: may log in, as notifier", "topics users apply")
	must("given: task-api may write topic tasks.events", "topics acls apply")
	must("as they should be", "topics acls apply")
	must("as they should be", "topics acls check")

	as(topics.Operator, password)
	must(string(proto.Tasks)+": created", "topics apply")
	must(string(proto.Tasks), "topics list")
	mustFail("does not allow", "topics acls check")

	as(k.Admin.User, k.Admin.Password.Reveal())
	t.Setenv("KAFKA_USERNAME_NOTIFIER", "notifier-b")
	t.Setenv("KAFKA_PASSWORD_NOTIFIER", next)
	mustFail("--only nobody", "topics users apply --only nobody")
	must("notifier-b: may log in, as notifier", "topics users apply --only notifier")
	must("given: notifier-b may read group notifier-*", "topics acls apply")
	mustFail("nobody of ours: notifier may read topic tasks.events", "topics acls check")
	must("notifier: may not log in any more", "topics users remove notifier")
	mustFail(`no user "notifier"`, "topics users remove notifier")
	must("as they should be", "topics acls check")
	must("notifier-b", "topics users list")
}
