package app

import (
	"errors"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
	house "github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/pkg/service"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/model"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/rest"
)

// Config is everything chat-agent is told by its environment.
type Config struct {
	HTTP house.Config
	Chat rest.Limits
	// ChatKit needs a page that loads OpenAI's program from OpenAI, so it is asked for.
	ChatKit bool `env:"CHATKIT" default:"false" doc:"answer OpenAI's ChatKit at /api/{user_id}/chatkit; otherwise it is 404"`
	Agent   agent.Limits
	Model   model.Config
	Tools   mcpbus.Config
	Auth    auth.Config
	Base    service.Base
}

// Check says what is wrong with the settings together. What waits for a user's approval, and who answers in a conversation,
// is kept in the sidecar's state store.
func (c Config) Check() error {
	if c.Base.Bus.Direct() {
		return errors.New("BUS is kafka: chat-agent needs a sidecar, for its state store; expected dapr")
	}
	return nil
}
