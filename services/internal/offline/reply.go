package offline

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// reply is what the model says: a text, or a call.
type reply struct {
	text string
	call *call
}

// answer is the reply to a request.
func answer(req request) reply {
	r, message := recount(req)
	if r.now.IsZero() {
		r.now = time.Now().UTC()
	}
	for _, m := range req.Messages {
		if (m.Role == "system" || m.Role == "developer") && strings.Contains(string(m.Content), agenttools.IntentPrompt) {
			return reply{text: intents(message, r.now)}
		}
	}
	text, err := r.answer(message)
	if err != nil && r.next != nil {
		return reply{call: r.next}
	}
	return reply{text: text}
}

// recount sorts a request's messages into what was wanted last, what was said before and what tools answered since.
func recount(req request) (*run, string) {
	r := &run{offered: req.offered()}
	last := 0
	for i, m := range req.Messages {
		if m.Role == "user" {
			last = i
		}
		if m.Role == "system" || m.Role == "developer" {
			if now, ok := agenttools.ParseNowLine(string(m.Content)); ok {
				r.now = now
			}
		}
	}
	for _, m := range req.Messages[:last] {
		if (m.Role == "user" || m.Role == "assistant") && m.Content != "" {
			r.history = append(r.history, turn{m.Role == "user", string(m.Content)})
		}
	}
	results := map[string]string{}
	for _, m := range req.Messages[last:] {
		if m.Role == "tool" {
			results[m.ToolCallID] = string(m.Content)
		}
	}
	for _, m := range req.Messages[last:] {
		for _, c := range m.ToolCalls {
			r.executed = append(r.executed, executed{tool: c.Function.Name, result: results[c.ID]})
		}
	}
	return r, string(req.Messages[last].Content)
}

// usage counts a token for each four bytes.
type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

const bytesPerToken = 4

func usageOf(req request, r reply) usage {
	size := len(r.text)
	if r.call != nil {
		size = len(r.call.Tool) + len(r.call.Arguments)
	}
	u := usage{PromptTokens: (req.size + bytesPerToken - 1) / bytesPerToken, CompletionTokens: (size + bytesPerToken - 1) / bytesPerToken}
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	return u
}

// completion is a reply on its way out.
type completion struct {
	id      string
	created int64
	reply   reply
	usage   usage
}

func (c completion) finish() string {
	if c.reply.call != nil {
		return "tool_calls"
	}
	return "stop"
}

type callBody struct {
	Index    *int   `json:"index,omitempty"`
	ID       string `json:"id,omitempty"`
	Type     string `json:"type,omitempty"`
	Function struct {
		Name      string `json:"name,omitempty"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

func (c completion) calls() []callBody {
	if c.reply.call == nil {
		return nil
	}
	body := callBody{ID: "call_" + strings.ReplaceAll(uuid.NewString(), "-", ""), Type: "function"}
	body.Function.Name, body.Function.Arguments = c.reply.call.Tool, string(c.reply.call.Arguments)
	return []callBody{body}
}

// whole is the completion in one piece.
func (c completion) whole() any {
	type messageBody struct {
		Role      string     `json:"role"`
		Content   *string    `json:"content"`
		Refusal   *string    `json:"refusal"`
		ToolCalls []callBody `json:"tool_calls,omitempty"`
	}
	type choice struct {
		Index        int         `json:"index"`
		Message      messageBody `json:"message"`
		Logprobs     *struct{}   `json:"logprobs"`
		FinishReason string      `json:"finish_reason"`
	}
	m := messageBody{Role: "assistant", ToolCalls: c.calls()}
	if c.reply.call == nil {
		m.Content = &c.reply.text
	}
	return struct {
		ID      string   `json:"id"`
		Object  string   `json:"object"`
		Created int64    `json:"created"`
		Model   string   `json:"model"`
		Choices []choice `json:"choices"`
		Usage   usage    `json:"usage"`
	}{c.id, "chat.completion", c.created, Model, []choice{{Message: m, FinishReason: c.finish()}}, c.usage}
}

type delta struct {
	Role      string     `json:"role,omitempty"`
	Content   *string    `json:"content,omitempty"`
	ToolCalls []callBody `json:"tool_calls,omitempty"`
}

type chunkChoice struct {
	Index        int     `json:"index"`
	Delta        delta   `json:"delta"`
	FinishReason *string `json:"finish_reason"`
}

type chunk struct {
	ID      string        `json:"id"`
	Object  string        `json:"object"`
	Created int64         `json:"created"`
	Model   string        `json:"model"`
	Choices []chunkChoice `json:"choices"`
	Usage   *usage        `json:"usage,omitempty"`
}

// pieceSize is about how many bytes of a text or of arguments one chunk has.
const pieceSize = 24

// stream writes the completion as server-sent events. It stops when the client is gone.
func (c completion) stream(ctx context.Context, w http.ResponseWriter, includeUsage bool) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(w)
	send := func(v any) bool {
		data, err := json.Marshal(v)
		if err != nil {
			panic(err) // strings and numbers only
		}
		if ctx.Err() != nil {
			return false
		}
		_, err = w.Write(append(append([]byte("data: "), data...), '\n', '\n'))
		_ = flush.Flush() // a writer that cannot is flushed at the end
		return err == nil
	}
	head := chunk{ID: c.id, Object: "chat.completion.chunk", Created: c.created, Model: Model}
	for _, d := range c.deltas() {
		head.Choices = []chunkChoice{{Delta: d}}
		if !send(head) {
			return
		}
	}
	reason := c.finish()
	head.Choices = []chunkChoice{{FinishReason: &reason}}
	if !send(head) {
		return
	}
	if includeUsage {
		head.Choices, head.Usage = []chunkChoice{}, &c.usage
		if !send(head) {
			return
		}
	}
	_, _ = w.Write([]byte("data: [DONE]\n\n"))
	_ = flush.Flush()
}

// deltas are the pieces of a completion.
func (c completion) deltas() []delta {
	empty := ""
	all := []delta{{Role: "assistant", Content: &empty}}
	if c.reply.call == nil {
		for _, piece := range pieces(c.reply.text) {
			all = append(all, delta{Content: &piece})
		}
		return all
	}
	zero := 0
	head := c.calls()[0]
	arguments := head.Function.Arguments
	head.Index, head.Function.Arguments = &zero, ""
	all[0] = delta{Role: "assistant", ToolCalls: []callBody{head}}
	for _, piece := range pieces(arguments) {
		more := callBody{Index: &zero}
		more.Function.Arguments = piece
		all = append(all, delta{ToolCalls: []callBody{more}})
	}
	return all
}

// pieces cuts a text between characters.
func pieces(text string) []string {
	var all []string
	for len(text) > pieceSize {
		n := pieceSize
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n++
		}
		all = append(all, text[:n])
		text = text[n:]
	}
	if text != "" {
		all = append(all, text)
	}
	return all
}
