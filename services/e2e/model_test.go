package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// A script is a language model of which the test decides every word: it stands for one that obeys, lies or is cut off.
type script func(asked question) reply

// question is what the model is asked.
type question struct {
	Stream   bool      `json:"stream"`
	Messages []message `json:"messages"`
}

type message struct {
	Role      string     `json:"role"`
	Content   string     `json:"content"`
	ToolCalls []toolCall `json:"tool_calls"`
}

type toolCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// reply is what the model says: a text, or the tools it wants to call.
type reply struct {
	text  string
	calls []wanted
}

type wanted struct {
	tool      string
	arguments any
}

// said is the last thing the user said.
func (q question) said() string {
	for i := len(q.Messages) - 1; i >= 0; i-- {
		if q.Messages[i].Role == "user" {
			return q.Messages[i].Content
		}
	}
	return ""
}

// results are the tools' answers since the user spoke.
func (q question) results() []string {
	var all []string
	for _, m := range q.Messages {
		switch m.Role {
		case "user":
			all = nil
		case "tool":
			all = append(all, m.Content)
		}
	}
	return all
}

// model serves a script as an OpenAI-compatible endpoint and returns its settings for the stack. The question for the
// user's intent, which sees the user's words alone, is answered by intent.
func model(t *testing.T, intent func(said string) agenttools.Intent, play script) []string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q question
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 8<<20)).Decode(&q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if len(q.Messages) > 0 && q.Messages[0].Content == agenttools.IntentPrompt {
			write(w, q.Stream, reply{text: string(intent(q.said()))})
			return
		}
		write(w, q.Stream, play(q))
	}))
	t.Cleanup(server.Close)
	return []string{"OPENAI_API_KEY=scripted", "OPENAI_BASE_URL=" + server.URL + "/v1", "OPENAI_MODEL=scripted"}
}

// write answers a Chat Completions request, streamed or not.
func write(w http.ResponseWriter, stream bool, r reply) {
	finish := "stop"
	var calls []map[string]any
	for i, c := range r.calls {
		finish = "tool_calls"
		arguments, ok := c.arguments.(string)
		if !ok {
			raw, _ := json.Marshal(c.arguments)
			arguments = string(raw)
		}
		calls = append(calls, map[string]any{
			"index": i, "id": fmt.Sprintf("call_%d", i), "type": "function",
			"function": map[string]string{"name": c.tool, "arguments": arguments},
		})
	}
	message := map[string]any{"role": "assistant", "content": r.text}
	if len(calls) > 0 {
		message["tool_calls"] = calls
	}
	whole := map[string]any{"id": "c", "created": 1, "model": "scripted", "object": "chat.completion"}
	if !stream {
		whole["choices"] = []any{map[string]any{"index": 0, "message": message, "finish_reason": finish}}
		whole["usage"] = map[string]int{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(whole)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	whole["object"] = "chat.completion.chunk"
	for _, choice := range []map[string]any{
		{"index": 0, "delta": message},
		{"index": 0, "delta": map[string]any{}, "finish_reason": finish},
	} {
		whole["choices"] = []any{choice}
		raw, _ := json.Marshal(whole)
		fmt.Fprintf(w, "data: %s\n\n", raw)
	}
	fmt.Fprint(w, "data: [DONE]\n\n")
}

// ids finds the ids of all tasks in the tools' answers, whatever their shape.
func ids(results []string) []string {
	var all []string
	for _, r := range results {
		for rest := r; ; {
			_, after, found := strings.Cut(rest, `"id":"`)
			if !found {
				break
			}
			id, tail, _ := strings.Cut(after, `"`)
			all, rest = append(all, id), tail
		}
	}
	return all
}
