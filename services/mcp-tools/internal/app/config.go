package app

import (
	"errors"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
	"github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/service"
	"github.com/taskflow-suite/taskflow/pkg/service/writer"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/web"
)

// Config is everything mcp-tools is told by its environment.
type Config struct {
	HTTP  rest.Config
	Web   web.Config
	Auth  auth.Config
	Agent mcpbus.Config
	Store writer.Config
	Base  service.Base
}

// Check says what is wrong with the settings together. Without a sidecar there is no subscription whose work replicas
// share (package kafka has none), and so no way for the agent's requests.
func (c Config) Check() error {
	if c.Base.Bus.Direct() {
		return errors.New("BUS is kafka: mcp-tools needs a sidecar for now, expected dapr")
	}
	return nil
}
