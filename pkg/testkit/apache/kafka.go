package apache

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
)

// Kafka is one that is ready to be run.
type Kafka struct {
	// Command runs it until SIGTERM. Run again, also after SIGKILL, it has what it had.
	Command []string
	// Addr is where it listens, host:port.
	Addr string
	// Admin may do everything.
	Admin kafka.Access

	authority string
}

// Login is how a user with this password reaches it.
func (k *Kafka) Login(user, password string) kafka.Access {
	return kafka.Access{User: user, Password: config.NewSecret(password), Mechanism: "SCRAM-SHA-256", TLS: true, CACert: k.authority}
}

const admin = "admin"

// Prepare makes a Kafka without users but Admin and without topics in an empty directory, to listen on two ports of the
// loopback, the second for itself. The first time on a machine it fetches 44 MB.
func Prepare(ctx context.Context, dir string, port, controllerPort int) (*Kafka, error) {
	java, err := findJava()
	if err != nil {
		return nil, err
	}
	libraries, err := fetched(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	authority, err := certify(dir)
	if err != nil {
		return nil, err
	}
	password := rand.Text()
	files := map[string]string{"server.properties": properties(dir, port, controllerPort, password), "log4j2.yaml": logging}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	run := func(main string, args ...string) []string {
		return append([]string{
			java, "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
			"-Dlog4j2.configurationFile=" + filepath.Join(dir, "log4j2.yaml"), "-cp", filepath.Join(libraries, "*"), main,
		}, args...)
	}
	settings := filepath.Join(dir, "server.properties")
	format := run("kafka.tools.StorageTool", "format", "--cluster-id", clusterID(), "--config", settings,
		"--add-scram", fmt.Sprintf("SCRAM-SHA-256=[name=%s,password=%s]", admin, password))
	command := exec.CommandContext(ctx, format[0], format[1:]...)
	if said, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("format Kafka's storage: %w\n%s", err, bytes.TrimSpace(said))
	}
	k := &Kafka{Command: run("kafka.Kafka", settings), Addr: address(port), authority: authority}
	k.Admin = k.Login(admin, password)
	return k, nil
}

// findJava is the program of JAVA_HOME, or that on PATH. Which version it is Kafka says itself.
func findJava() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java := filepath.Join(home, "bin", "java")
		if _, err := os.Stat(java); err != nil {
			return "", fmt.Errorf("JAVA_HOME is %s, but there is no bin/java below it", home)
		}
		return java, nil
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return "", errors.New("Apache Kafka needs Java 17 or newer, and there is no java on PATH and no JAVA_HOME: apt-get install openjdk-17-jre-headless (Debian), or brew install openjdk") //nolint:staticcheck // ST1005: a name begins it
	}
	return java, nil
}

// clusterID is 16 random bytes as Kafka writes them.
func clusterID() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails
	return base64.RawURLEncoding.EncodeToString(raw)
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// properties is the broker's configuration. What is not in it is Kafka's default, so that tests meet what people run.
func properties(dir string, port, controllerPort int, password string) string {
	settings := [][2]string{
		{"process.roles", "broker,controller"},
		{"node.id", "1"},
		{"controller.quorum.voters", "1@" + address(controllerPort)},
		{"log.dirs", filepath.Join(dir, "data")},
		{"listeners", "CLIENT://" + address(port) + ",CONTROLLER://" + address(controllerPort)},
		{"listener.security.protocol.map", "CLIENT:SASL_SSL,CONTROLLER:SSL"},
		{"inter.broker.listener.name", "CLIENT"},
		{"controller.listener.names", "CONTROLLER"},
		{"ssl.keystore.type", "PEM"},
		{"ssl.keystore.location", filepath.Join(dir, keyStoreFile)},
		{"ssl.truststore.type", "PEM"},
		{"ssl.truststore.location", filepath.Join(dir, authorityFile)},
		{"sasl.enabled.mechanisms", "SCRAM-SHA-256,SCRAM-SHA-512"},
		{"sasl.mechanism.inter.broker.protocol", "SCRAM-SHA-256"},
		{"listener.name.client.scram-sha-256.sasl.jaas.config", login(password)},
		{"listener.name.client.scram-sha-512.sasl.jaas.config", login(password)},
		// The users are in the controller's log, so it cannot ask them itself; the broker shows its certificate.
		{"listener.name.controller.ssl.client.auth", "required"},
		{"authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"},
		{"allow.everyone.if.no.acl.found", "false"},
		{"super.users", "User:" + admin + ";User:CN=" + commonName},
		{"auto.create.topics.enable", "false"},
		// There is one broker.
		{"default.replication.factor", "1"},
		{"offsets.topic.replication.factor", "1"},
		{"transaction.state.log.replication.factor", "1"},
		{"transaction.state.log.min.isr", "1"},
		{"share.coordinator.state.topic.replication.factor", "1"},
		{"share.coordinator.state.topic.min.isr", "1"},
		// A tenth of the default: each of its partitions is a file to open at every start.
		{"offsets.topic.num.partitions", "5"},
	}
	var text strings.Builder
	for _, s := range settings {
		fmt.Fprintf(&text, "%s=%s\n", s[0], s[1])
	}
	return text.String()
}

func login(password string) string {
	return fmt.Sprintf(`org.apache.kafka.common.security.scram.ScramLoginModule required username="%s" password="%s";`, admin, password)
}

// logging has the broker say what went wrong, who was refused what, and that it is ready (see Ready).
const logging = `Configuration:
  Properties:
    Property: {name: pattern, value: "[%d] %p %m (%c)%n"}
  Appenders:
    Console: {name: STDOUT, PatternLayout: {pattern: "${pattern}"}}
  Loggers:
    Root: {level: WARN, AppenderRef: {ref: STDOUT}}
    Logger:
    - {name: kafka.server.KafkaRaftServer, level: INFO}
    - {name: kafka.authorizer.logger, level: INFO}
`

// Ready is in the line that the broker writes when it serves.
const Ready = "Kafka Server started"

// Refused is in the line that the broker writes when somebody wants what no ACL allows.
const Refused = "is Denied operation"
