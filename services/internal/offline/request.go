package offline

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// request is the part of a chat completion's request that rules can make something of. What else is in it is ignored, as a
// server does that is older than its client.
type request struct {
	Model         string          `json:"model"`
	Messages      []message       `json:"messages"`
	Tools         []tool          `json:"tools"`
	ToolChoice    json.RawMessage `json:"tool_choice"`
	Stream        bool            `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	N *int `json:"n"`

	size int // bytes of the body
}

type message struct {
	Role       string     `json:"role"`
	Content    content    `json:"content"`
	ToolCalls  []toolCall `json:"tool_calls"`
	ToolCallID string     `json:"tool_call_id"`
}

// content is a text, or the texts of a list of parts.
type content string

// UnmarshalJSON reads a string, null or a list of parts.
func (c *content) UnmarshalJSON(data []byte) error {
	var text *string
	if json.Unmarshal(data, &text) == nil {
		if text != nil {
			*c = content(*text)
		}
		return nil
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(data, &parts); err != nil {
		return invalid("messages", "A message's content must be a string or a list of parts.")
	}
	var all []string
	for _, part := range parts {
		if part.Type != "text" {
			return invalid("messages", "This model reads text only, not %q.", cut(part.Type, 40))
		}
		all = append(all, part.Text)
	}
	*c = content(strings.Join(all, "\n"))
	return nil
}

type toolCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

type tool struct {
	Type     string `json:"type"`
	Function struct {
		Name string `json:"name"`
	} `json:"function"`
}

// Bounds of a request, beside its size.
const (
	maxMessages = 2000
	maxTools    = 200
)

// decode reads and checks a request.
func decode(body io.Reader) (request, error) {
	var req request
	data, err := io.ReadAll(body)
	if err != nil {
		return req, err
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		return req, io.EOF
	}
	if err := json.Unmarshal(data, &req); err != nil {
		return req, err
	}
	req.size = len(data)
	return req, req.check()
}

func (req *request) check() error {
	switch {
	case req.Model == "":
		return invalid("model", "You must provide a model parameter.")
	case req.Model != Model:
		return noModel(req.Model)
	case len(req.Messages) == 0:
		return invalid("messages", "messages must have at least one message.")
	case len(req.Messages) > maxMessages:
		return invalid("messages", "messages must have at most %d.", maxMessages)
	case len(req.Tools) > maxTools:
		return invalid("tools", "tools must have at most %d.", maxTools)
	case req.N != nil && *req.N != 1:
		return invalid("n", "This model gives one choice.")
	}
	for i, t := range req.Tools {
		if t.Type != "function" || t.Function.Name == "" {
			return invalid("tools", "tools[%d] must be a function with a name.", i)
		}
	}
	return req.checkMessages()
}

// checkMessages holds what OpenAI's server insists on: each call of a tool is answered, and nothing else is.
func (req *request) checkMessages() error {
	open := map[string]bool{}
	user := false
	for i, m := range req.Messages {
		if len(open) > 0 && m.Role != "tool" {
			return invalid("messages", "messages[%d]: the tool calls before it must be answered first.", i)
		}
		switch m.Role {
		case "system", "developer":
		case "user":
			user = true
		case "assistant":
			for _, call := range m.ToolCalls {
				if call.ID == "" || call.Function.Name == "" {
					return invalid("messages", "messages[%d]: a tool call must have an id and a function's name.", i)
				}
				open[call.ID] = true
			}
		case "tool":
			if !open[m.ToolCallID] {
				return invalid("messages", "messages[%d]: there is no open tool call %q.", i, cut(m.ToolCallID, 100))
			}
			delete(open, m.ToolCallID)
		default:
			return invalid("messages", "messages[%d]: %q is no role.", i, cut(m.Role, 40))
		}
	}
	switch {
	case len(open) > 0:
		return invalid("messages", "The last tool calls are not answered.")
	case !user:
		return invalid("messages", "messages must have a message of the user.")
	default:
		return req.checkChoice()
	}
}

var errNoChoice = errors.New("no choice")

func (req *request) checkChoice() error {
	_, err := req.choice()
	if err != nil {
		return invalid("tool_choice", "tool_choice must be none, auto, required or a function.")
	}
	return nil
}

// choice is none, auto, required or function.
func (req *request) choice() (string, error) {
	if len(req.ToolChoice) == 0 || string(req.ToolChoice) == "null" {
		return "auto", nil
	}
	var name string
	if json.Unmarshal(req.ToolChoice, &name) == nil {
		switch name {
		case "none", "auto", "required":
			return name, nil
		}
		return "", errNoChoice
	}
	var object struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(req.ToolChoice, &object) != nil || object.Type == "" {
		return "", errNoChoice
	}
	return "function", nil
}

// offered are the names of the tools that may be called. To be forced to a tool is nothing rules can follow; they call the one
// that fits, or none.
func (req *request) offered() []string {
	if choice, _ := req.choice(); choice == "none" {
		return nil
	}
	var names []string
	for _, t := range req.Tools {
		names = append(names, t.Function.Name)
	}
	return names
}
