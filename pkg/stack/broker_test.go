package stack

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
)

const secretOfTest = "never in a file"

func loginOf(user string) kafka.Access {
	return kafka.Access{User: user, Password: config.NewSecret(secretOfTest), Mechanism: "SCRAM-SHA-256", TLS: true, CACert: "-----BEGIN"}
}

// connection is what a component says of the way to its broker.
func connection(t *testing.T, path string) (fields []string, text, store string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Spec struct {
			Metadata []struct{ Name string }
		}
		Auth struct {
			SecretStore string `yaml:"secretStore"`
		}
	}
	if err := yaml.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	for _, m := range c.Spec.Metadata {
		fields = append(fields, m.Name)
	}
	slices.Sort(fields)
	return fields, string(raw), c.Auth.SecretStore
}

// The component of the cluster is the one that people run against brokers with logins; with a login that of one machine says the
// same.
func TestWithALoginTheComponentsOfOneMachineSayAllThatThoseOfTheClusterSay(t *testing.T) {
	t.Parallel()
	root, err := FindRoot(".")
	if err != nil {
		t.Fatal(err)
	}
	resources, _, err := renderDapr(filepath.Join(root, "dapr", "local"), filepath.Join(t.TempDir(), "dapr"), "broker.test:1", loginOf("admin"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pubsub.yaml", "pubsub-fanout.yaml"} {
		want, _, _ := connection(t, filepath.Join(root, "dapr", "components", name))
		have, text, store := connection(t, filepath.Join(resources, "components-"+name))
		if !slices.Equal(have, want) || store != "secrets" {
			t.Errorf("%s says %v out of the store %q, want %v", name, have, store, want)
		}
		for _, wanted := range []string{
			`{name: brokers, value: "broker.test:1"}`, `{name: authType, value: password}`, `{name: saslMechanism, value: SHA-256}`,
			`{name: disableTls, value: "false"}`, `{name: saslPassword, secretKeyRef: {name: BROKER_PASSWORD, key: BROKER_PASSWORD}}`,
		} {
			if !strings.Contains(text, wanted) {
				t.Errorf("%s does not say %s:\n%s", name, wanted, text)
			}
		}
		if strings.Contains(text, secretOfTest) {
			t.Errorf("%s holds a password", name)
		}
	}
}

func TestASidecarHasTheLoginOfItsOwnServiceAndTheServiceHasNone(t *testing.T) {
	t.Setenv("KAFKA_PASSWORD_NOTIFIER", secretOfTest) // ours, as of a shell that has them all
	t.Setenv("KAFKA_SASL_PASSWORD", secretOfTest)
	s := &Stack{brokerAccess: loginOf("admin"), o: Options{BrokerLogins: map[string]kafka.Access{"notifier": loginOf("its own")}}}
	for app, user := range map[string]string{"notifier": "its own", "task-api": "admin"} {
		u := unit{Service: Service{App: app, Database: true}, name: app}
		env := strings.Join(append(u.sidecarEnv(world{}), brokerEnv(s.access(app))...), "\n")
		if !strings.Contains(env, "BROKER_USERNAME="+user+"\n") || strings.Count(env, secretOfTest) != 1 {
			t.Errorf("the sidecar of %s is told:\n%s", app, env)
		}
		if env := strings.Join(u.serviceEnv(world{}), "\n"); strings.Contains(env, secretOfTest) {
			t.Errorf("%s itself is told a password of the broker:\n%s", app, env)
		}
	}
}

func TestALoginThatTheComponentsDoNotFitIsRefused(t *testing.T) {
	t.Parallel()
	s := &Stack{brokerAccess: loginOf("admin")}
	for what, access := range map[string]kafka.Access{
		"no login":      {TLS: true, CACert: "-----BEGIN"},
		"plain text":    {User: "u", Mechanism: "SCRAM-SHA-256"},
		"another proof": {User: "u", Mechanism: "SCRAM-SHA-512", TLS: true, CACert: "-----BEGIN"},
	} {
		if s.SidecarLogin("notifier", access) == nil {
			t.Errorf("%s is taken", what)
		}
	}
	if err := s.SidecarLogin("notifier", loginOf("b")); err == nil || !strings.Contains(err.Error(), "no sidecar") {
		t.Errorf("an app that is not run: %v", err)
	}
}

func TestAComponentThatALoginCannotBePutIntoIsNotRunWithoutOne(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"  - {name: brokers, value: \"localhost:9092\"}\n",
		"  - {name: brokers, value: \"localhost:9092\"}\n" + withoutLogin + "auth: {secretStore: mine}\n",
	} {
		if out, err := letIn([]byte(text), loginOf("u")); err == nil {
			t.Errorf("it became\n%s", out)
		}
	}
}
