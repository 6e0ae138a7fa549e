package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// Said is what a user says to the agent. Empty ids begin a conversation and a message.
type Said struct {
	ConversationID string `json:"conversation_id,omitempty"`
	MessageID      string `json:"message_id,omitempty"`
	Message        string `json:"message"`
}

// Answer is what tests and measurements read of the agent's answer.
type Answer struct {
	ConversationID string                `json:"conversation_id"`
	MessageID      string                `json:"message_id"`
	AnswerID       string                `json:"answer_id"`
	Response       string                `json:"response"`
	ToolCalls      []agenttools.Receipt  `json:"tool_calls"`
	Approvals      []agenttools.Approval `json:"approvals"`
	TaskIDs        []string              `json:"task_ids"`
	Model          struct {
		Name    string `json:"name"`
		Offline bool   `json:"offline"`
	} `json:"model"`
	Usage struct {
		InputTokens  int `json:"input_tokens"`
		OutputTokens int `json:"output_tokens"`
		Steps        int `json:"steps"`
	} `json:"usage"`
}

// Say asks the agent and waits for its whole answer.
func (c *Client) Say(ctx context.Context, s Said) (Answer, error) {
	var a Answer
	err := c.Do(ctx, http.MethodPost, "/chat", "", s, &a)
	return a, err
}

// Decide answers what the agent asked the user to agree to.
func (c *Client) Decide(ctx context.Context, approvalID string, approve bool) (Answer, error) {
	var a Answer
	err := c.Do(ctx, http.MethodPost, "/chat/approvals/"+approvalID, "", map[string]bool{"approve": approve}, &a)
	return a, err
}

// Conversations are a page of a user's conversations, the last used first.
type Conversations struct {
	Items []agenttools.Conversation `json:"items"`
}

// Messages are a page of a conversation, in the order they were said.
type Messages struct {
	Items []agenttools.Message `json:"items"`
	More  bool                 `json:"more"`
}

// Conversations lists a user's conversations, or those in which words occur.
func (c *Client) Conversations(ctx context.Context, query string) (Conversations, error) {
	var found Conversations
	path := "/conversations"
	if query != "" {
		path += "?q=" + url.QueryEscape(query)
	}
	err := c.Do(ctx, http.MethodGet, path, "", nil, &found)
	return found, err
}

// Messages reads the newest messages of a conversation.
func (c *Client) Messages(ctx context.Context, conversationID string) (Messages, error) {
	var loaded Messages
	err := c.Do(ctx, http.MethodGet, "/conversations/"+conversationID+"/messages", "", nil, &loaded)
	return loaded, err
}

// Stream asks the agent and calls see with every part of the answer's stream (AI SDK UI message stream, version 1) as it
// comes, up to the end. *Status for an answer that is no stream.
func (c *Client) Stream(ctx context.Context, s Said, see func(kind string, part json.RawMessage)) error {
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.API+"/api/"+c.UserID+"/chat", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	res, err := c.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return &Status{Code: res.StatusCode, Body: res.Status}
	}
	if v := res.Header.Get("X-Vercel-Ai-Ui-Message-Stream"); v != "v1" {
		return fmt.Errorf("the stream is of version %q", v)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		switch {
		case !ok:
		case data == "[DONE]":
			return nil
		default:
			var part struct {
				Type string `json:"type"`
			}
			if err := json.Unmarshal([]byte(data), &part); err != nil {
				return fmt.Errorf("a part is no JSON: %w", err)
			}
			see(part.Type, json.RawMessage(data))
		}
	}
	return errors.Join(errors.New("the stream stopped before its end"), lines.Err())
}
