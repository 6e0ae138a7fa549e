package agent

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/model"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

const (
	// catalogueLives is how long a list of tools is used without asking again.
	catalogueLives = time.Minute
	// maxTools bounds what a server may have.
	maxTools = 100
)

// tool is a tool the model may call.
type tool struct {
	model.Tool
	// changes says that it is not read-only.
	changes bool
}

// catalogue is the list of tools, the same for every user.
type catalogue struct {
	mu    sync.Mutex
	tools []tool
	at    time.Time
}

// list is what the model may call. An old list is used on if the server does not answer.
func (c *catalogue) list(ctx context.Context, session *mcp.ClientSession, now time.Time) ([]tool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tools != nil && now.Sub(c.at) < catalogueLives {
		return c.tools, nil
	}
	var tools []tool
	for t, err := range session.Tools(ctx, nil) {
		if err != nil {
			if c.tools != nil {
				return c.tools, nil
			}
			return nil, err
		}
		if t.Name == agenttools.LoadConversation || t.Name == agenttools.AppendMessages || len(tools) == maxTools {
			continue
		}
		tools = append(tools, forModel(t))
	}
	c.tools, c.at = tools, now
	return tools, nil
}

// forModel is a tool as the model sees it: without the confirmation of delete_tasks, which is the user's to give.
func forModel(t *mcp.Tool) tool {
	schema, _ := t.InputSchema.(map[string]any)
	if t.Name == agenttools.DeleteTasks {
		schema = without(schema, "confirmation")
	}
	return tool{
		Tool:    model.Tool{Name: t.Name, Description: t.Description, Parameters: schema},
		changes: t.Annotations == nil || !t.Annotations.ReadOnlyHint || agenttools.IntentOf(t.Name) != agenttools.Read,
	}
}

// without is an object's schema without one of its properties.
func without(schema map[string]any, property string) map[string]any {
	schema = maps.Clone(schema)
	if properties, ok := schema["properties"].(map[string]any); ok {
		properties = maps.Clone(properties)
		delete(properties, property)
		schema["properties"] = properties
	}
	if required, ok := schema["required"].([]any); ok {
		schema["required"] = slices.DeleteFunc(slices.Clone(required), func(name any) bool { return name == property })
	}
	return schema
}

// outcome is how a call ended, in the words of receipts.
type outcome string

const (
	done    outcome = "done"
	failed  outcome = "failed"
	unknown outcome = "unknown"
	waiting outcome = "waiting"
)

// result is what a tool answered.
type result struct {
	outcome outcome
	// output is the structured result, nil if there is none.
	output json.RawMessage
	// text is an error's text, or what the tool said if it gave no structure.
	text string
}

// call calls a tool. Only an error of ctx comes back as one; what else goes wrong is a result, which is unknown if it
// cannot be told whether the tool was executed.
func call(ctx context.Context, session *mcp.ClientSession, limit time.Duration, meta mcp.Meta, name string, arguments any) (result, error) {
	calling, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answer, err := session.CallTool(calling, &mcp.CallToolParams{Meta: meta, Name: name, Arguments: arguments})
	if err == nil {
		return read(answer), nil
	}
	if ctx.Err() != nil {
		return result{}, context.Cause(ctx)
	}
	if refusal, ok := errors.AsType[*jsonrpc.Error](err); ok && (refusal.Code == jsonrpc.CodeInvalidParams || refusal.Code == jsonrpc.CodeMethodNotFound) {
		return result{outcome: failed, text: refusal.Message}, nil
	}
	return result{outcome: unknown, text: "no answer came, and nobody knows whether it was done"}, nil
}

func read(answer *mcp.CallToolResult) result {
	r := result{outcome: done}
	var texts []string
	for _, c := range answer.Content {
		if t, ok := c.(*mcp.TextContent); ok {
			texts = append(texts, t.Text)
		}
	}
	r.text = strings.Join(texts, "\n")
	if answer.StructuredContent != nil {
		if data, err := json.Marshal(answer.StructuredContent); err == nil {
			r.output = data
		}
	} else if len(texts) > 0 {
		r.output = firstJSON(texts[0])
	}
	if answer.IsError {
		r.outcome = failed
		if r.text == "" {
			r.text = "the tool failed without saying why"
		}
	}
	return r
}

// firstJSON is the JSON object that a text begins with, nil if it begins with none or has only a part of it.
func firstJSON(text string) json.RawMessage {
	var object json.RawMessage
	if json.NewDecoder(strings.NewReader(text)).Decode(&object) != nil || len(object) == 0 || object[0] != '{' {
		return nil
	}
	return object
}
