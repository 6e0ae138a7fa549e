package kafka_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
)

const (
	user     = "ann"
	password = "hunter2"
)

// secured is a broker that asks for a login, behind TLS, as hosted ones are; and what it takes to get in.
func secured(t *testing.T) (brokers []string, access kafka.Access) {
	t.Helper()
	door := encrypted(t)
	testkit.StartBrokerWith(t, testkit.BrokerOptions{
		User: user, Password: password, Listen: door.behind, Advertise: door.addr,
	})
	return []string{door.addr}, kafka.Access{User: user, Password: config.NewSecret(password), TLS: true, CACert: door.ca}
}

func TestWithTLSAndALoginTopicsAreMadeAndEventsPass(t *testing.T) {
	t.Parallel()
	brokers, access := secured(t)
	if err := topics.Apply(within(t), brokers, access, io.Discard); err != nil {
		t.Fatal(err)
	}
	if missing, err := topics.Missing(within(t), brokers, access); err != nil || len(missing) > 0 {
		t.Errorf("missing are %v, %v", missing, err)
	}
	settings := kafka.Config{Brokers: brokers, Access: access}
	r := readAt(t, settings)
	wait(t, r.fanOut.Started(), "start")
	carrier, err := kafka.NewBus(settings, proto.TaskAPI)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(carrier.Close)
	sent := message("ann", 1)
	if err := carrier.Publish(within(t), proto.Tasks, []event.Message{sent}); err != nil {
		t.Fatal(err)
	}
	if got := r.next(t); got.ID != sent.ID {
		t.Errorf("delivered %+v", got)
	}
}

func TestWhoIsNotLetInIsToldWhatToLookAt(t *testing.T) {
	t.Parallel()
	brokers, right := secured(t)
	plain := testkit.StartBroker(t)
	for name, c := range map[string]struct {
		brokers []string
		access  func(*kafka.Access)
		says    string
		kind    errs.Kind
	}{
		"a wrong password":                    {brokers, func(a *kafka.Access) { a.Password = config.NewSecret("hunter3") }, "KAFKA_SASL_PASSWORD", errs.Unavailable},
		"no login":                            {brokers, func(a *kafka.Access) { a.User, a.Password = "", config.Secret{} }, "KAFKA_SASL_USERNAME", errs.Unavailable},
		"a mechanism the user has none for":   {brokers, func(a *kafka.Access) { a.Mechanism = "SCRAM-SHA-512" }, "KAFKA_SASL_MECHANISM", errs.Unavailable},
		"plain text where TLS is spoken":      {brokers, func(a *kafka.Access) { a.TLS, a.CACert = false, "" }, "KAFKA_TLS", errs.Unavailable},
		"TLS where plain text is spoken":      {[]string{plain.Addr}, func(*kafka.Access) {}, "KAFKA_TLS", errs.Unavailable},
		"a certificate of somebody untrusted": {brokers, func(a *kafka.Access) { a.CACert = "" }, "KAFKA_CA_CERT", errs.Unavailable},
		"a port where nobody listens":         {[]string{"127.0.0.1:1"}, func(*kafka.Access) {}, "KAFKA_BROKERS", errs.Unavailable},
		"a host that does not exist":          {[]string{"nowhere.invalid:9092"}, func(*kafka.Access) {}, "KAFKA_BROKERS", errs.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			access := right
			c.access(&access)
			_, err := topics.List(within(t), c.brokers, access)
			if !errs.Is(err, c.kind) || !strings.Contains(errs.Text(err), c.says) || strings.Contains(err.Error(), "hunter") {
				t.Errorf("says %v, should be %v and mention %s", err, c.kind, c.says)
			}
			carrier, err := kafka.NewBus(kafka.Config{Brokers: c.brokers, Access: access}, proto.TaskAPI)
			if err != nil {
				t.Fatal(err)
			}
			defer carrier.Close()
			if err := carrier.Ready(within(t)); !errs.Is(err, errs.Unavailable) || strings.Contains(err.Error(), "hunter") {
				t.Errorf("readiness says %v", err)
			}
		})
	}
}

func TestWhatABrokerAnswersIsSaidInWords(t *testing.T) {
	t.Parallel()
	access := kafka.Access{User: user, Password: config.NewSecret(password)}
	for name, c := range map[string]struct {
		answer error
		says   string
		kind   errs.Kind
	}{
		"the login is refused":            {kerr.SaslAuthenticationFailed, "KAFKA_SASL_PASSWORD", errs.Denied},
		"the mechanism is unknown":        {kerr.UnsupportedSaslMechanism, "KAFKA_SASL_MECHANISM", errs.Denied},
		"topics may not be made":          {kerr.ClusterAuthorizationFailed, "ACLs", errs.Denied},
		"a topic may not be seen":         {kerr.TopicAuthorizationFailed, "ACLs", errs.Denied},
		"what it was is known already":    {errs.New(errs.Conflict, "a conflict"), "a conflict", errs.Conflict},
		"nobody knows what went wrong":    {kerr.UnknownServerError, "does not answer", errs.Unavailable},
		"it takes longer than one waits":  {context.DeadlineExceeded, "KAFKA_BROKERS", errs.Unavailable},
		"it speaks, but nothing of TLS's": {tls.RecordHeaderError{Msg: "no TLS"}, "KAFKA_TLS", errs.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := kafka.Failure(access, fmt.Errorf("dial: %w", c.answer))
			if !errs.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), password) {
				t.Errorf("says %v, should be %v and mention %s", err, c.kind, c.says)
			}
		})
	}
	if err := kafka.Failure(access, nil); err != nil {
		t.Error(err)
	}
}

func TestSettingsOfTheWayInThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	login := kafka.Access{User: user, Password: config.NewSecret(password)}
	for name, c := range map[string]struct {
		change func(*kafka.Access)
		says   string
	}{
		"a login":                    {func(*kafka.Access) {}, ""},
		"a sidecar's mechanism":      {func(a *kafka.Access) { a.Mechanism = "SHA-512" }, ""},
		"a user without a password":  {func(a *kafka.Access) { a.Password = config.Secret{} }, "KAFKA_SASL_PASSWORD"},
		"a password without a user":  {func(a *kafka.Access) { a.User = "" }, "KAFKA_SASL_USERNAME"},
		"a mechanism nobody knows":   {func(a *kafka.Access) { a.Mechanism = "PLAIN" }, "KAFKA_SASL_MECHANISM"},
		"a certificate that is none": {func(a *kafka.Access) { a.TLS, a.CACert = true, "/etc/ca.pem" }, "KAFKA_CA_CERT"},
		"a certificate without TLS":  {func(a *kafka.Access) { a.CACert = "/etc/ca.pem" }, "KAFKA_TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			access := login
			c.change(&access)
			err := access.Check()
			if (err == nil) != (c.says == "") || err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), password)) {
				t.Errorf("got %v, want it to name %q", err, c.says)
			}
		})
	}
}

// door is an address where TLS is spoken, and the one behind it to which everything goes in plain text.
type door struct{ addr, behind, ca string }

func encrypted(t *testing.T) door {
	t.Helper()
	certificate, ca := selfSigned(t)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	d := door{addr: listener.Addr().String(), behind: testkit.Address(t), ca: ca}
	ctx, stop := context.WithCancel(context.Background())
	var passing sync.WaitGroup
	t.Cleanup(func() {
		stop()
		_ = listener.Close()
		passing.Wait()
	})
	passing.Go(func() {
		for {
			outside, err := listener.Accept()
			if err != nil {
				return
			}
			passing.Go(func() { d.pass(ctx, outside) })
		}
	})
	return d
}

// pass carries one connection until one of its ends or the test's has come.
func (d door) pass(ctx context.Context, outside net.Conn) {
	defer outside.Close()
	var dialer net.Dialer
	inside, err := dialer.DialContext(ctx, "tcp", d.behind)
	if err != nil {
		return
	}
	defer inside.Close()
	hangUp := func() { _, _ = outside.Close(), inside.Close() }
	defer context.AfterFunc(ctx, hangUp)()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(inside, outside); hangUp() })
	both.Go(func() { _, _ = io.Copy(outside, inside); hangUp() })
	both.Wait()
}

func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key},
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
}
