package topics_test

import (
	"strings"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
)

func users(roles ...string) []topics.User {
	var all []topics.User
	for _, r := range roles {
		all = append(all, topics.User{Name: r, Role: r})
	}
	return all
}

func sentences(acls []topics.ACL) string {
	var all []string
	for _, a := range acls {
		all = append(all, a.String())
	}
	return strings.Join(all, "\n")
}

func TestAServiceMayWhatTheContractSaysOfItAndNothingElse(t *testing.T) {
	t.Parallel()
	for role, want := range map[string]string{
		proto.TaskAPI: `task-api may write topic conversations.events
task-api may write topic tasks.events
task-api may write topic tasks.scheduling
task-api may write topic users.events`,
		proto.ChatAgent: `chat-agent may read topic mcp.replies
chat-agent may write topic mcp.requests
chat-agent may read group chat-agent-*`,
		proto.Notifier: `notifier may read topic notifier.probes
notifier may write topic notifier.probes
notifier may read topic tasks.events
notifier may read topic users.events
notifier may read group notifier-*`,
		"somebody": "",
	} {
		if have := sentences(topics.ACLs(users(role))); have != want {
			t.Errorf("%s:\n%s\nwant\n%s", role, have, want)
		}
	}
}

// A hosted broker may take few: Redpanda Serverless takes 120. While all passwords change there are two users of each
// service.
func TestTheRightsOfTwoUsersOfEachServiceFitIntoASmallTariff(t *testing.T) {
	t.Parallel()
	all := users(topics.Roles()...)
	for _, role := range topics.Roles() {
		if role != topics.Operator {
			all = append(all, topics.User{Name: role + "-b", Role: role})
		}
	}
	const tariff = 120
	if n := len(topics.ACLs(all)); n > tariff {
		t.Errorf("%d users need %d ACLs, more than %d", len(all), n, tariff)
	}
}

// The names of a fan-out subscriber's groups begin with its own; no other service's group may begin so.
func TestNoServiceMayReadAsTheGroupsOfAnother(t *testing.T) {
	t.Parallel()
	for _, one := range topics.Roles() {
		for _, other := range topics.Roles() {
			if one != other && (strings.HasPrefix(other, topics.FanOutGroups(one)) || strings.HasPrefix(topics.FanOutGroups(other), topics.FanOutGroups(one))) {
				t.Errorf("the groups of %s include those of %s", one, other)
			}
		}
	}
}

func TestUsersAreNamedLikeTheirRolesUnlessTheEnvironmentSaysOtherwise(t *testing.T) {
	t.Parallel()
	read := func(settings map[string]string) ([]topics.User, error) {
		return topics.UsersFromEnv(func(name string) (string, bool) { v, ok := settings[name]; return v, ok })
	}
	found, err := read(map[string]string{"KAFKA_USERNAME_MCP_TOOLS": "tools-2", "KAFKA_PASSWORD_MCP_TOOLS": "long enough, this one"})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range found {
		name, password := u.Role, ""
		if u.Role == proto.MCPTools {
			name, password = "tools-2", "long enough, this one"
		}
		if u.Name != name || u.Password.Reveal() != password {
			t.Errorf("%s is the user %q", u.Role, u.Name)
		}
	}
	if len(found) != len(topics.Roles()) {
		t.Errorf("%d users for %d roles", len(found), len(topics.Roles()))
	}
	one, err := read(map[string]string{"KAFKA_USERNAME_NOTIFIER": "us", "KAFKA_USERNAME_TASK_API": "us", "KAFKA_PASSWORD_TASK_API": "long enough, this one"})
	if err != nil || !strings.Contains(sentences(topics.ACLs(one)), "us may read topic users.events\nus may write topic users.events") {
		t.Errorf("one user for two services: %v, %v", err, sentences(topics.ACLs(one)))
	}
	for what, settings := range map[string]map[string]string{
		"a short password": {"KAFKA_PASSWORD_NOTIFIER": "short"},
		"two passwords of one user": {
			"KAFKA_USERNAME_NOTIFIER": "task-api", "KAFKA_PASSWORD_NOTIFIER": "long enough, this one", "KAFKA_PASSWORD_TASK_API": "and that one, too",
		},
	} {
		if _, err := read(settings); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s is taken: %v", what, err)
		}
	}
}
