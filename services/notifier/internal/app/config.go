package app

import (
	"errors"
	"fmt"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/service"
)

// Config is everything notifier is told by its environment.
type Config struct {
	HTTP        rest.Config
	Connections Connections
	Auth        auth.Config
	Database    postgres.Config
	Base        service.Base
}

// Connections bound the WebSockets of one replica.
type Connections struct {
	Max        int           `env:"MAX_CONNECTIONS" default:"12000" doc:"connections at most; beyond it is 503. Each needs one open file and about 20 KB of memory"`
	PerUser    int           `env:"MAX_CONNECTIONS_PER_USER" default:"100" doc:"connections of one user at most; beyond it the close code is 4029"`
	Spread     time.Duration `env:"SHUTDOWN_SPREAD" default:"5s" doc:"time over which connections are closed at shutdown, at most 15s"`
	CheckEvery time.Duration `env:"CHECK_INTERVAL" default:"10s" doc:"about how often each connection's place is compared with the event log, which bounds the delay of an event that the broker lost"`
}

// maxSpread leaves the rest of the time a process has to stop (25 s) to those who do not read.
const maxSpread = 15 * time.Second

// Check says what is wrong with the settings.
func (c Connections) Check() error {
	var wrong []error
	if c.Max < 1 {
		wrong = append(wrong, fmt.Errorf("MAX_CONNECTIONS is %d: expected at least 1", c.Max))
	}
	if c.PerUser < 1 {
		wrong = append(wrong, fmt.Errorf("MAX_CONNECTIONS_PER_USER is %d: expected at least 1", c.PerUser))
	}
	if c.Spread < time.Millisecond || c.Spread > maxSpread {
		wrong = append(wrong, fmt.Errorf("SHUTDOWN_SPREAD is %v: expected 1ms to %v", c.Spread, maxSpread))
	}
	if c.CheckEvery < time.Second {
		wrong = append(wrong, fmt.Errorf("CHECK_INTERVAL is %v: expected at least 1s", c.CheckEvery))
	}
	return errors.Join(wrong...)
}
