// Package kafka is the bus without a sidecar: publishing (bus.go) and a fan-out subscription (fanout.go) straight over
// the Kafka protocol, for hosts that cannot run a sidecar and as the yardstick for what the sidecar costs.
//
// Records are the CloudEvents a sidecar writes, with the same keys on the same partitions, so that both kinds of
// service can share topics. It owns no topics (pkg/topics makes them) and no state, and it has no subscription whose
// work replicas share: that needs dead letters, which are the sidecar's. How brokers are reached (access.go) is said once
// for it and for pkg/topics.
package kafka

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// What BUS may be.
const (
	busDapr  = "dapr"
	busKafka = "kafka"
)

// askTimeout bounds a question to the brokers about themselves.
const askTimeout = 2 * time.Second

// Config chooses what carries a service's events. Embed it in the settings of a service that can do without a sidecar.
type Config struct {
	Bus     string   `env:"BUS" default:"dapr" doc:"what carries events: dapr (the sidecar), or kafka (straight to the brokers, where no sidecar can run; secrets then come from the environment)"`
	Brokers []string `env:"KAFKA_BROKERS" doc:"brokers, host:port, with BUS=kafka"`
	Access  Access
}

// Direct reports whether events go straight to the brokers, so that there is no sidecar.
func (c Config) Direct() bool { return c.Bus == busKafka }

// Check says what is wrong with the settings.
func (c Config) Check() error {
	if c.Bus != busDapr && c.Bus != busKafka {
		return fmt.Errorf("BUS is %q: expected %s or %s", c.Bus, busDapr, busKafka)
	}
	if c.Direct() && len(c.Brokers) == 0 {
		return errors.New("KAFKA_BROKERS is not set: expected a list of host:port with BUS=kafka")
	}
	return nil
}

// client makes a client of the brokers that is known to them by a service's name. It does not wait for them.
func client(c Config, name string, more ...kgo.Opt) (*kgo.Client, error) {
	options, err := Options(c.Access)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(slices.Concat(options, []kgo.Opt{kgo.SeedBrokers(c.Brokers...), kgo.ClientID(name)}, more)...)
	if err != nil {
		return nil, errs.Because(err, errs.Invalid, "the brokers %v cannot be used", c.Brokers)
	}
	return client, nil
}
