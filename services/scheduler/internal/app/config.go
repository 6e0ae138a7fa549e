package app

import (
	"errors"
	"fmt"

	"github.com/taskflow-suite/taskflow/pkg/service"
	"github.com/taskflow-suite/taskflow/pkg/service/writer"
)

// Config is everything scheduler is told by its environment.
type Config struct {
	Door  Door
	Due   Due
	Store writer.Config
	Base  service.Base
}

// Door is where operators look in. Nobody else does, so that none of the limits of the other services' doors is needed.
type Door struct {
	Addr string `env:"HTTP_ADDR" default:":8080" doc:"where HTTP is served: /healthz, /readyz and /metrics"`
}

// Due is how what is due is found.
type Due struct {
	Portion int `env:"DUE_PORTION" default:"500" doc:"how many due series, and how many due reminders, are claimed in one transaction, 1 to 1000"`
}

const maxPortion = 1000

// Check says what is wrong with the settings.
func (d Due) Check() error {
	if d.Portion < 1 || d.Portion > maxPortion {
		return fmt.Errorf("DUE_PORTION is %d: expected 1 to %d", d.Portion, maxPortion)
	}
	return nil
}

// Check says what is wrong with the settings together. Without a sidecar there is no subscription whose work replicas
// share (package kafka has none), and so nobody who acts on what is due.
func (c Config) Check() error {
	if c.Base.Bus.Direct() {
		return errors.New("BUS is kafka: scheduler needs a sidecar for now, expected dapr")
	}
	return nil
}
