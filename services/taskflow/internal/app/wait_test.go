package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

func TestWaitingEndsWhenDatabaseAndTopicsAreThere(t *testing.T) {
	t.Parallel()
	url, broker := testkit.EmptyPostgres(t), testkit.StartBroker(t)
	said := newWatched()
	ended := make(chan error, 1)
	go func() {
		ended <- runTo(t, said, "wait", "--database", "--topics", "--database-url", url, "--kafka-brokers", broker.Addr)
	}()
	said.await(t, "waiting for the database: it is at migration 0 of ")
	if out, err := run(t, "migrate", "--database-url", url); err != nil || !strings.Contains(out, "is up to date") {
		t.Fatalf("%v: %s", err, out)
	}
	said.await(t, "waiting for the topics: tasks.events, ")
	if out, err := run(t, "topics", "apply", "--kafka-brokers", broker.Addr); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	said.await(t, "the topics: all there\n")
	if err := <-ended; err != nil {
		t.Errorf("%v after:\n%s", err, said)
	}
}

func TestTopicsAreMadeOnceTheBrokerAnswers(t *testing.T) {
	t.Parallel()
	broker := testkit.StartBroker(t)
	broker.Kill()
	said := newWatched()
	ended := make(chan error, 1)
	go func() { ended <- runTo(t, said, "topics", "apply", "--wait", "1m", "--kafka-brokers", broker.Addr) }()
	said.await(t, "waiting for the broker: ")
	broker.Start()
	said.await(t, "the broker: it answers\n")
	if err := <-ended; err != nil {
		t.Errorf("%v after:\n%s", err, said)
	}
	if out, err := run(t, "wait", "--topics", "--timeout", "5s", "--kafka-brokers", broker.Addr); err != nil {
		t.Errorf("the topics are not there: %v: %s", err, out)
	}
}

func TestWaitingInVainSaysWhatToDo(t *testing.T) {
	t.Parallel()
	empty, broker := testkit.EmptyPostgres(t), testkit.StartBroker(t)
	const away = "postgres://ann:hunter2@127.0.0.1:1/tasks"
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"nothing to wait for":         {nil, "--database"},
		"a database that is away":     {[]string{"--database", "--database-url", away}, "check DATABASE_URL"},
		"a database that is no URL":   {[]string{"--database", "--database-url", "ann:hunter2"}, "not a Postgres URL"},
		"a database without tables":   {[]string{"--database", "--database-url", empty}, "taskflow migrate"},
		"a broker that is away":       {[]string{"--topics", "--kafka-brokers", "127.0.0.1:1"}, "check KAFKA_BROKERS"},
		"a broker without topics":     {[]string{"--topics", "--kafka-brokers", broker.Addr}, "taskflow topics apply"},
		"what comes first is told":    {[]string{"--topics", "--database", "--database-url", empty, "--kafka-brokers", "127.0.0.1:1"}, "in vain: it is at migration 0"},
		"more than a command can say": {[]string{"--database", "now"}, "unknown command"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := run(t, append([]string{"wait", "--timeout", "5s"}, c.args...)...)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("says %v, should mention %q", err, c.says)
			}
			if err != nil && strings.Contains(err.Error()+out, "hunter2") {
				t.Errorf("the password is shown: %v\n%s", err, out)
			}
		})
	}
}

func TestAReleaseThatIsRolledBackWorksOnTheNewerDatabase(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	schema, err := postgres.SchemaOf(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	db := testkit.OpenPostgresAt(t, url)
	for _, statement := range []string{
		"ALTER TABLE tasks ADD COLUMN of_a_newer_release text NOT NULL DEFAULT 'x'",
		"CREATE INDEX tasks_of_a_newer_release ON tasks (of_a_newer_release)",
	} {
		if err := db.Read(t.Context()).Exec(statement).Error; err != nil {
			t.Fatal(err)
		}
	}
	err = db.Read(t.Context()).Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, true)", schema.Expected+1).Error
	if err != nil {
		t.Fatal(err)
	}

	if out, err := run(t, "migrate", "--database-url", url); err != nil || !strings.Contains(out, "0 migrations applied; the database is newer than this version") {
		t.Errorf("migrate: %v: %s", err, out)
	}
	if out, err := run(t, "wait", "--database", "--timeout", "5s", "--database-url", url); err != nil || !strings.Contains(out, "newer than") {
		t.Errorf("wait: %v: %s", err, out)
	}
	history(t, url)
	if out, err := run(t, "rebuild", "--verify", "--database-url", url); err != nil || !strings.Contains(out, "no difference") {
		t.Errorf("rebuild: %v: %s", err, out)
	}
}

func TestTheBrokerIsReachedWithTheLoginOfTheEnvironment(t *testing.T) {
	broker := testkit.StartBrokerWith(t, testkit.BrokerOptions{User: "ann", Password: "hunter2"})
	t.Setenv("KAFKA_BROKERS", broker.Addr)
	t.Setenv("KAFKA_SASL_USERNAME", "ann")
	t.Setenv("KAFKA_SASL_PASSWORD", "hunter3")
	for _, args := range [][]string{{"topics", "apply"}, {"topics", "list"}, {"events", "tail"}, {"wait", "--topics", "--timeout", "10s"}} {
		if _, err := run(t, args...); err == nil || !strings.Contains(err.Error(), "KAFKA_SASL_PASSWORD") || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%v with a wrong password says %v", args, err)
		}
	}
	t.Setenv("KAFKA_SASL_PASSWORD", "hunter2")
	t.Setenv("KAFKA_SASL_MECHANISM", "SHA-256")
	for _, args := range [][]string{{"topics", "apply"}, {"topics", "list"}, {"wait", "--topics", "--timeout", "20s"}} {
		if out, err := run(t, args...); err != nil {
			t.Errorf("%v: %v: %s", args, err, out)
		}
	}
	t.Setenv("KAFKA_TLS", "perhaps")
	if _, err := run(t, "topics", "list"); err == nil || !strings.Contains(err.Error(), "KAFKA_TLS") {
		t.Errorf("a setting that cannot be: %v", err)
	}
}

func TestACheckOfWhatIsNotThereNamesTheDoor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no origin":              {nil, `"origin" not set`},
		"an origin without http": {[]string{"--origin", "localhost:8080"}, "--origin: expected an address"},
		"an address of nothing":  {[]string{"--origin", "http://localhost:8080", "--ws", "ftp://x"}, "--ws: expected an address"},
		"nobody listens at the page": {
			[]string{"--origin", "http://127.0.0.1:1", "--timeout", "5s"},
			"web failed (sign up): ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := run(t, append([]string{"check"}, c.args...)...); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("says %v, should mention %q", err, c.says)
			}
		})
	}
}

// patience bounds what a test waits for.
const patience = 30 * time.Second
