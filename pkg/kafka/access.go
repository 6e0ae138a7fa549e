package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// Access is how brokers let somebody in: what a sidecar reads of the secret taskflow-broker, for who has no sidecar. The
// zero value is without TLS and without a login.
type Access struct {
	User      string        `env:"KAFKA_SASL_USERNAME" doc:"logs in at the brokers as this user, with BUS=kafka; empty: without a login"`
	Password  config.Secret `env:"KAFKA_SASL_PASSWORD" secret:"true" doc:"the user's password"`
	Mechanism string        `env:"KAFKA_SASL_MECHANISM" default:"SCRAM-SHA-256" doc:"how the password is proven: SCRAM-SHA-256 or SCRAM-SHA-512"`
	TLS       bool          `env:"KAFKA_TLS" default:"false" doc:"speak TLS with the brokers, with BUS=kafka"`
	CACert    string        `env:"KAFKA_CA_CERT" doc:"whom to trust for the brokers' certificates, PEM; empty: those whom the system trusts"`
}

// Check says what is wrong with the settings. It is the only method, and knows no client: the settings of every service hold an
// Access, and with its methods a program would carry all that they need, also one that never speaks to brokers.
func (a Access) Check() error {
	if _, err := a.encryption(); err != nil {
		return err
	}
	if (a.User == "") != a.Password.IsZero() {
		return errs.New(errs.Invalid, "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD belong together: one of them is not set")
	}
	if _, ok := a.bits(); a.User != "" && !ok {
		return errs.New(errs.Invalid, "KAFKA_SASL_MECHANISM is %q: expected SCRAM-SHA-256 or SCRAM-SHA-512", a.Mechanism)
	}
	return nil
}

// encryption is how TLS is spoken with the brokers; nil for plain text.
func (a Access) encryption() (*tls.Config, error) {
	if !a.TLS {
		if a.CACert != "" {
			return nil, errs.New(errs.Invalid, "KAFKA_CA_CERT is set, but KAFKA_TLS is not true: without TLS nobody looks at it")
		}
		return nil, nil //nolint:nilnil // there is none
	}
	encrypted := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.CACert != "" {
		encrypted.RootCAs = x509.NewCertPool()
		if !encrypted.RootCAs.AppendCertsFromPEM([]byte(a.CACert)) {
			return nil, errs.New(errs.Invalid, "KAFKA_CA_CERT holds no certificate: expected PEM text (-----BEGIN CERTIFICATE-----)")
		}
	}
	return encrypted, nil
}

// bits are those of the mechanism's hash. A sidecar's saslMechanism leaves SCRAM out.
func (a Access) bits() (n int, known bool) {
	switch strings.TrimPrefix(strings.ToUpper(a.Mechanism), "SCRAM-") {
	case "", "SHA-256":
		return 256, true
	case "SHA-512":
		return 512, true
	default:
		return 0, false
	}
}

// Options are what a client of the brokers is made with. errs.Invalid names the setting that cannot be.
func Options(a Access) ([]kgo.Opt, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	// Brokers may ask clients for figures about themselves (KIP-714). Each client that ends then sends its last ones, and the
	// encoders made to press them took four times the memory of `taskflow lag`, which makes a client for each look.
	options := []kgo.Opt{kgo.DisableClientMetrics()}
	if encrypted, _ := a.encryption(); encrypted != nil {
		options = append(options, kgo.DialTLSConfig(encrypted))
	}
	if a.User == "" {
		return options, nil
	}
	login := scram.Auth{User: a.User, Pass: a.Password.Reveal()}
	if bits, _ := a.bits(); bits == 512 {
		return append(options, kgo.SASL(login.AsSha512Mechanism())), nil
	}
	return append(options, kgo.SASL(login.AsSha256Mechanism())), nil
}

// Failure says in words what keeps a client from the brokers, and what to look at: errs.Denied if they refuse who asks,
// errs.Unavailable otherwise. An error that has a kind comes back as it is.
func Failure(a Access, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*errs.Error](err); ok {
		return err
	}
	kind, words := reason(a, err)
	return errs.Because(err, kind, "%s", words)
}

func reason(a Access, err error) (errs.Kind, string) {
	is := func(known ...error) bool {
		for _, k := range known {
			if errors.Is(err, k) {
				return true
			}
		}
		return false
	}
	switch {
	case is(kerr.SaslAuthenticationFailed):
		return errs.Denied, fmt.Sprintf("the broker refuses the login of the user %q: check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD", a.User)
	case is(kerr.UnsupportedSaslMechanism):
		return errs.Denied, "the broker does not know the mechanism: check KAFKA_SASL_MECHANISM"
	case is(kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.GroupAuthorizationFailed):
		return errs.Denied, fmt.Sprintf("the broker does not allow this to the user %q: give it the rights (ACLs) to create, describe, alter, read and write the topics", a.User)
	}
	if _, ok := errors.AsType[*kgo.ErrFirstReadEOF](err); ok || is(io.EOF, syscall.ECONNRESET) {
		// Some brokers hang up instead of saying that a password is wrong.
		return errs.Unavailable, fmt.Sprintf("the broker hangs up at once: it may expect the other of TLS and plain text (KAFKA_TLS is %t), or another login (KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD, KAFKA_SASL_MECHANISM)", a.TLS)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return errs.Unavailable, "the broker does not speak TLS at this port: check KAFKA_TLS and the port"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return errs.Unavailable, "the broker's certificate is not one to trust, or of another name: check KAFKA_CA_CERT and the host"
	}
	if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound {
		return errs.Unavailable, fmt.Sprintf("there is no host %s: check KAFKA_BROKERS", unknown.Name)
	}
	if is(context.DeadlineExceeded, os.ErrDeadlineExceeded, syscall.ECONNREFUSED) {
		return errs.Unavailable, "no broker answers: check KAFKA_BROKERS and KAFKA_TLS, and that the way there is open"
	}
	return errs.Unavailable, "the broker does not answer"
}
