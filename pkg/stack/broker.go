package stack

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/kafka"
)

// Broker is a broker that the stack runs, as its part "broker", in place of the embedded one.
type Broker struct {
	// Command runs it until SIGTERM. Its first element is an absolute path. Started again, it has what it had.
	Command []string
	// Access is how who runs the stack comes in.
	Access kafka.Access
}

// SidecarLogin has the sidecars of an app log in at the broker with this access, once they are started again; meanwhile they go on
// as they came in. It is an error if no sidecar of the app is run here, or if the others came in without a login or TLS and it does
// not, or the other way around: the components' files say which, for all of them.
func (s *Stack) SidecarLogin(app string, access kafka.Access) error {
	if err := s.sameMeans(app, access); err != nil {
		return err
	}
	found := false
	for _, u := range s.units {
		if u.App != app || u.NoSidecar || u.Elsewhere {
			continue
		}
		p, err := s.part(u.sidecarName())
		if err != nil {
			return err
		}
		p.proc.replaceEnv(brokerEnv(access))
		found = true
	}
	if !found {
		return fmt.Errorf("this stack runs no sidecar of %q", app)
	}
	return nil
}

// BrokerAccess is how who runs the stack comes in at its brokers.
func (s *Stack) BrokerAccess() kafka.Access { return s.brokerAccess }

// access is how the sidecars of an app come in.
func (s *Stack) access(app string) kafka.Access {
	if own, ok := s.o.BrokerLogins[app]; ok {
		return own
	}
	return s.brokerAccess
}

// sameMeans refuses an access that the files of the components, which all sidecars share, do not fit.
func (s *Stack) sameMeans(app string, access kafka.Access) error {
	if have, want := shape(access), shape(s.brokerAccess); have != want {
		return fmt.Errorf("%s would come in at the broker with %s, the others with %s: all need the same", app, have, want)
	}
	return nil
}

// pingBroker asks a broker for its versions: an open port alone says little.
func (s *Stack) pingBroker(ctx context.Context) error {
	options, err := kafka.Options(s.brokerAccess)
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(strings.Split(s.brokers, ",")...))...)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	return kafka.Failure(s.brokerAccess, client.Ping(ctx))
}

// brokerCommand is what runs the broker of this stack.
func (s *Stack) brokerCommand(ctx context.Context, embedded string) ([]string, error) {
	data := filepath.Join(s.dir, "broker")
	if s.o.Broker == nil {
		return append([]string{embedded, "--listen", loopback(s.ports.Broker), "--data", data}, s.o.BrokerArgs...), nil
	}
	s.out.say("making the broker ready")
	b, err := s.o.Broker(ctx, data, s.ports.Broker)
	if err != nil {
		return nil, fmt.Errorf("prepare the broker: %w", err)
	}
	s.brokerAccess = b.Access
	return b.Command, nil
}

// What sidecars come in with, as variables in their environment. Services may not ask for them (configuration.yaml).
const (
	brokerUser      = "BROKER_USERNAME"
	brokerPassword  = "BROKER_PASSWORD"
	brokerAuthority = "BROKER_CA_CERT"
)

func brokerEnv(access kafka.Access) []string {
	return []string{
		brokerUser + "=" + access.User, brokerPassword + "=" + access.Password.Reveal(), brokerAuthority + "=" + access.CACert,
	}
}

// shape is what the files of the components say of an access: everything but whose it is.
func shape(access kafka.Access) string {
	login, encryption := "no login", "plain text"
	if access.User != "" {
		login = strings.TrimPrefix(strings.ToUpper(access.Mechanism), "SCRAM-")
		if login == "" {
			login = "SHA-256"
		}
	}
	if access.TLS {
		encryption = "TLS"
		if access.CACert != "" {
			encryption += " of an authority of its own"
		}
	}
	return login + ", " + encryption
}

// withoutLogin is what the files in dapr/local say of how a sidecar comes in. The files stay plain YAML that Dapr's own
// tools can read.
const withoutLogin = "  - {name: authType, value: none}\n"

// letIn has a component come in with an access, whose secrets are those of its sidecar (brokerEnv).
func letIn(component []byte, access kafka.Access) ([]byte, error) {
	if access.User == "" && !access.TLS || !bytes.Contains(component, []byte(brokerInFiles)) {
		return component, nil
	}
	if !bytes.Contains(component, []byte(withoutLogin)) || bytes.Contains(component, []byte("\nauth:")) {
		return nil, fmt.Errorf("there must be a line %q, and no secret store, to be replaced by a login", strings.TrimSpace(withoutLogin))
	}
	secret := func(field, variable string) string {
		return fmt.Sprintf("  - {name: %s, secretKeyRef: {name: %s, key: %s}}\n", field, variable, variable)
	}
	means := withoutLogin
	if access.User != "" {
		mechanism, _, _ := strings.Cut(shape(access), ",")
		means = "  - {name: authType, value: password}\n  - {name: saslMechanism, value: " + mechanism + "}\n" +
			secret("saslUsername", brokerUser) + secret("saslPassword", brokerPassword)
	}
	means += fmt.Sprintf("  - {name: disableTls, value: %q}\n", strconv.FormatBool(!access.TLS))
	if access.CACert != "" {
		means += secret("caCert", brokerAuthority)
	}
	component = bytes.Replace(component, []byte(withoutLogin), []byte(means), 1)
	return slices.Concat(bytes.TrimRight(component, "\n"), []byte("\nauth: {secretStore: secrets}\n")), nil
}
