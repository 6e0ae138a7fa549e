package mcpbus

import (
	"errors"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// Config is what both ends must know. Embed it in a service's settings.
type Config struct {
	Secret  config.Secret `env:"MCP_SECRET" required:"true" secret:"true" doc:"key with which the chat agent and the MCP server sign what they send each other, at least 32 bytes, the same for both"`
	Timeout time.Duration `env:"MCP_TIMEOUT" default:"25s" doc:"how long a tool call over pub/sub waits for its answer, re-sending included, when its caller sets no deadline"`
}

// minSecret is the size of SHA-256's output: a shorter key would be the weakest part (RFC 2104 section 3).
const minSecret = 32

// Check implements the rules that package config cannot know.
func (c Config) Check() error {
	if len(c.Secret.Reveal()) < minSecret {
		return errors.New("MCP_SECRET is too short: expected at least 32 bytes")
	}
	if c.Timeout <= 0 {
		return errors.New("MCP_TIMEOUT is 0: expected a duration above 0")
	}
	return nil
}

// RequestIDMeta is the key of a call's _meta that chooses the request's id, a UUID: the same id is the same call, however
// often and from whichever replica it is sent. Without it each call has an id of its own.
const RequestIDMeta = "io.taskflow/request-id"

// ErrNoAnswer is why a call failed whose deadline passed without an answer (errors.Is). It is errs.Unavailable, and the
// same request id may be used again.
var ErrNoAnswer = errs.New(errs.Unavailable, "no answer came in time, and nobody knows whether the call was executed")
