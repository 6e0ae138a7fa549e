package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/approvals"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/model"
)

// OfflineModel is the name of the repository's own rule-based model.
const OfflineModel = "taskflow-offline"

// Limits bound one answer. Embed them in the service's settings.
type Limits struct {
	Steps  int           `env:"AGENT_MAX_STEPS" default:"8" doc:"questions to the model for one answer at most"`
	Calls  int           `env:"AGENT_MAX_TOOL_CALLS" default:"20" doc:"tool calls for one answer at most"`
	Tokens int           `env:"AGENT_MAX_TOKENS" default:"150000" doc:"tokens for one answer after which the model is not asked again"`
	Time   time.Duration `env:"AGENT_MAX_TIME" default:"90s" doc:"how long one answer may take"`
	Call   time.Duration `env:"AGENT_TOOL_TIMEOUT" default:"25s" doc:"how long one tool call may take, re-sending included"`
	Wait   time.Duration `env:"AGENT_MAX_WAIT" default:"20s" doc:"how long a message waits for the one before it in the same conversation to be answered"`
}

// maxCalls is how many receipts an answer can be kept with.
const maxCalls = 100

// Check says what is wrong with the limits.
func (l Limits) Check() error {
	var wrong []error
	for name, n := range map[string]int{"AGENT_MAX_STEPS": l.Steps, "AGENT_MAX_TOOL_CALLS": l.Calls, "AGENT_MAX_TOKENS": l.Tokens} {
		if n < 1 {
			wrong = append(wrong, fmt.Errorf("%s is %d: expected at least 1", name, n))
		}
	}
	if l.Calls > maxCalls {
		wrong = append(wrong, fmt.Errorf("AGENT_MAX_TOOL_CALLS is %d: expected at most %d", l.Calls, maxCalls))
	}
	for name, d := range map[string]time.Duration{"AGENT_MAX_TIME": l.Time, "AGENT_TOOL_TIMEOUT": l.Call, "AGENT_MAX_WAIT": l.Wait} {
		if d <= 0 {
			wrong = append(wrong, fmt.Errorf("%s is %v: expected a duration above 0", name, d))
		}
	}
	return errors.Join(wrong...)
}

// Options are what an Agent needs.
type Options struct {
	// Connect begins an MCP session for one user, as mcpbus.Client does.
	Connect func(ctx context.Context, userID string) (*mcp.ClientSession, error)
	Model   model.Model
	// State is where approvals wait and conversations are held, as sidecar.State.
	State  approvals.State
	Limits Limits
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// Agent implements Chat. It is safe for concurrent use and holds nothing of any user.
type Agent struct {
	connect   func(ctx context.Context, userID string) (*mcp.ClientSession, error)
	model     model.Model
	state     approvals.State
	approvals *approvals.Book
	limits    Limits
	now       func() time.Time
	catalogue catalogue
}

var _ Chat = (*Agent)(nil)

// New makes an Agent.
func New(o Options) *Agent {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Agent{
		connect: o.Connect, model: o.Model, state: o.State, approvals: approvals.New(o.State, o.Now),
		limits: o.Limits, now: o.Now,
	}
}

func (a *Agent) modelInfo() Model {
	return Model{Name: a.model.Name(), Offline: a.model.Name() == OfflineModel}
}
