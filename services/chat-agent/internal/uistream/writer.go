// Package uistream writes an agent's run as the UI message stream of the AI SDK, version 1: server-sent events, each a
// JSON part, ended by [DONE]. https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
//
// It owns the protocol: which parts there are, in which order, and that a reader is never left with one half open. It
// refuses to wait for a reader without a deadline, and to know where events come from.
package uistream

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/sse"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// Metadata is what the message carries besides its parts. The first part has the ids and the model, the last one all.
type Metadata struct {
	ConversationID string      `json:"conversation_id"`
	MessageID      string      `json:"message_id"`
	Model          agent.Model `json:"model"`
	*Ended
}

// Ended is the part of the Metadata that is known at the end.
type Ended struct {
	Usage     agent.Usage           `json:"usage"`
	ToolCalls []agenttools.Receipt  `json:"tool_calls"`
	Approvals []agenttools.Approval `json:"approvals"`
	TaskIDs   []string              `json:"task_ids"`
}

// Writer writes one stream. Nothing is written before its first call.
type Writer struct {
	*sse.Stream
	started bool            // the start part is out
	step    bool            // a step is open
	text    string          // the text part that is open, "" for none
	said    bool            // text was written
	called  map[string]bool // the calls the reader knows
}

// New makes a Writer on a response whose headers have not been sent. A reader that takes nothing for as long as patience
// is gone.
func New(w http.ResponseWriter, patience time.Duration) *Writer {
	return &Writer{Stream: sse.New(w, patience, map[string]string{"X-Vercel-Ai-Ui-Message-Stream": "v1"}), called: map[string]bool{}}
}

// part is one part of the stream. Absent members are not written; Input and Output are never empty where they are meant.
type part struct {
	Type         string          `json:"type"`
	ID           string          `json:"id,omitempty"`
	Delta        string          `json:"delta,omitempty"`
	MessageID    string          `json:"messageId,omitempty"`
	Metadata     *Metadata       `json:"messageMetadata,omitempty"`
	ToolCallID   string          `json:"toolCallId,omitempty"`
	ToolName     string          `json:"toolName,omitempty"`
	Dynamic      bool            `json:"dynamic,omitempty"`
	Input        json.RawMessage `json:"input,omitempty"`
	Output       json.RawMessage `json:"output,omitempty"`
	ApprovalID   string          `json:"approvalId,omitempty"`
	ErrorText    string          `json:"errorText,omitempty"`
	FinishReason string          `json:"finishReason,omitempty"`
}

// Event writes what one event of a run becomes. The error is that of writing: the reader is gone.
func (w *Writer) Event(event agent.Event) error {
	switch e := event.(type) {
	case agent.Began:
		w.start(e.AnswerID, Metadata{ConversationID: e.ConversationID, MessageID: e.MessageID, Model: e.Model})
	case agent.StepBegan:
		w.endStep()
		w.step = true
		w.Add(part{Type: "start-step"})
	case agent.StepEnded:
		w.endStep()
	case agent.TextDelta:
		w.delta(e.ID, e.Text)
	case agent.ToolCalled:
		w.call(e.CallID, e.Tool, e.Arguments)
	case agent.ToolAnswered:
		w.answer(e)
	case agent.ApprovalAsked:
		// The reader refuses to ask about a call that it does not know.
		if !w.called[e.CallID] {
			w.call(e.CallID, e.Approval.Tool, nil)
		}
		w.Add(part{Type: "tool-approval-request", ApprovalID: e.Approval.ID, ToolCallID: e.CallID})
	}
	return w.Flush()
}

// Finish ends the stream with what the answer is. An answer of which no event told, because it was given before, is told
// whole.
func (w *Writer) Finish(a agent.Answer) error {
	known := Metadata{ConversationID: a.ConversationID, MessageID: a.MessageID, Model: a.Model}
	if !w.started {
		w.start(a.AnswerID, known)
	}
	if !w.said && a.Response != "" {
		w.delta("answer", a.Response)
	}
	w.endStep()
	known.Ended = &Ended{Usage: a.Usage, ToolCalls: list(a.ToolCalls), Approvals: list(a.Approvals), TaskIDs: list(a.TaskIDs)}
	w.Add(part{Type: "finish", FinishReason: "stop", Metadata: &known})
	return w.done()
}

// Fail ends the stream with an error. text is shown to the user.
func (w *Writer) Fail(text string) error {
	w.endStep()
	w.Add(part{Type: "error", ErrorText: text})
	w.Add(part{Type: "finish", FinishReason: "error"})
	return w.done()
}

func (w *Writer) done() error {
	w.AddText("[DONE]")
	return w.Flush()
}

func (w *Writer) start(id string, m Metadata) {
	w.started = true
	w.Add(part{Type: "start", MessageID: id, Metadata: &m})
}

func (w *Writer) delta(id, text string) {
	if text == "" {
		return
	}
	if w.text != id {
		w.endText()
		w.text = id
		w.Add(part{Type: "text-start", ID: id})
	}
	w.said = true
	w.Add(part{Type: "text-delta", ID: id, Delta: text})
}

func (w *Writer) endText() {
	if w.text != "" {
		w.Add(part{Type: "text-end", ID: w.text})
		w.text = ""
	}
}

// endStep ends what is open. A step's end closes its texts for the reader, too.
func (w *Writer) endStep() {
	w.endText()
	if w.step {
		w.Add(part{Type: "finish-step"})
		w.step = false
	}
}

// call tells of a tool's call. Tools are dynamic: readers do not know them ahead.
func (w *Writer) call(id, tool string, arguments json.RawMessage) {
	w.endText()
	w.called[id] = true
	w.Add(part{Type: "tool-input-available", ToolCallID: id, ToolName: tool, Dynamic: true, Input: value(arguments, "{}")})
}

// answer tells how a call ended. The reader refuses to hear of a call that it does not know.
func (w *Writer) answer(e agent.ToolAnswered) {
	switch {
	case !w.called[e.CallID]:
	case e.Error != "":
		w.Add(part{Type: "tool-output-error", ToolCallID: e.CallID, Dynamic: true, ErrorText: e.Error})
	default:
		w.Add(part{Type: "tool-output-available", ToolCallID: e.CallID, Dynamic: true, Output: value(e.Output, "null")})
	}
}

// value is JSON as it is; what a model wrote may be none, and is shown as the text it is.
func value(raw json.RawMessage, absent string) json.RawMessage {
	switch {
	case len(raw) == 0:
		return json.RawMessage(absent)
	case json.Valid(raw):
		return raw
	default:
		text, _ := json.Marshal(string(raw)) //nolint:errchkjson // a string always has a JSON form
		return text
	}
}

func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}
