package app

import (
	"errors"
	"fmt"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// Config is everything offline-model is told by its environment.
type Config struct {
	Addr      string        `env:"HTTP_ADDR" default:":8080" doc:"where HTTP is served: the API, /healthz, /readyz and /metrics"`
	BodyLimit int           `env:"HTTP_BODY_LIMIT" default:"4194304" doc:"largest request body in bytes; beyond it is 413"`
	Delay     time.Duration `env:"OFFLINE_DELAY" default:"0s" doc:"how long each answer takes, as a language model's would; for benches, at most 30s"`
	Log       telemetry.Config
}

// maxDelay leaves time to write the answer in.
const maxDelay = 30 * time.Second

// Check says what is wrong with the settings.
func (c Config) Check() error {
	var wrong []error
	if c.BodyLimit < 1 {
		wrong = append(wrong, fmt.Errorf("HTTP_BODY_LIMIT is %d: expected at least 1", c.BodyLimit))
	}
	if c.Delay > maxDelay {
		wrong = append(wrong, fmt.Errorf("OFFLINE_DELAY is %v: expected at most %v", c.Delay, maxDelay))
	}
	return errors.Join(wrong...)
}
