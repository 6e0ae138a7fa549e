package chatkit

import (
	"net/http"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/sse"
)

// Turn is what a stream answers.
type Turn struct {
	// Said is the user's message; empty when it is known already and answered again.
	Said string
	// Begins says that the message begins a thread.
	Begins bool
}

// Writer writes one run as a stream of thread events. Nothing is written before its first call. Times in it are the
// writer's own; a thread that is read again has those of its store.
type Writer struct {
	*sse.Stream
	turn Turn
	now  func() time.Time

	thread, answer string // ids, once the run has begun
	item           *Item  // the answer's, once it is shown
	part           string // the part of the run's text that came last
	said           strings.Builder
}

// New makes a Writer on a response whose headers have not been sent. A reader that takes nothing for as long as patience
// is gone. now is the clock.
func New(w http.ResponseWriter, patience time.Duration, t Turn, now func() time.Time) *Writer {
	return &Writer{Stream: sse.New(w, patience, nil), turn: t, now: now}
}

// event is any event of the stream. Absent members are not written.
type event struct {
	Type       string         `json:"type"`
	Thread     *Thread        `json:"thread,omitempty"`
	Item       *Item          `json:"item,omitempty"`
	ItemID     string         `json:"item_id,omitempty"`
	Update     *update        `json:"update,omitempty"`
	Options    *streamOptions `json:"stream_options,omitempty"`
	Text       string         `json:"text,omitempty"`
	Code       string         `json:"code,omitempty"`
	Message    string         `json:"message,omitempty"`
	AllowRetry *bool          `json:"allow_retry,omitempty"`
}

type streamOptions struct {
	AllowCancel bool `json:"allow_cancel"`
}

// update is a change of the one part that an assistant's message has here.
type update struct {
	Type    string   `json:"type"`
	Index   int      `json:"content_index"`
	Delta   string   `json:"delta,omitempty"`
	Content *content `json:"content,omitempty"`
}

// Event writes what one event of a run becomes. The error is that of writing: the reader is gone.
func (w *Writer) Event(happened agent.Event) error {
	switch e := happened.(type) {
	case agent.Began:
		w.begin(e.ConversationID, e.MessageID, e.AnswerID)
	case agent.ToolCalled:
		w.Add(event{Type: "progress_update", Text: progress(e.Tool)})
	case agent.TextDelta:
		text := e.Text
		if text != "" && w.part != "" && w.part != e.ID {
			text = "\n\n" + text // the parts of an answer are kept as paragraphs of one text
		}
		w.part = e.ID
		w.delta(text)
	}
	return w.Flush()
}

// Finish ends the stream with the whole answer.
func (w *Writer) Finish(a agent.Answer) error {
	if w.thread == "" {
		w.begin(a.ConversationID, a.MessageID, a.AnswerID)
	}
	text := shown(a.Response, a.Approvals)
	rest, _ := strings.CutPrefix(text, w.said.String())
	if rest == text && w.said.Len() > 0 {
		rest = "" // it was kept otherwise than it was told, which its end puts right
	}
	w.delta(rest)
	w.show()
	whole := outputText(text)
	w.update(update{Type: "assistant_message.content_part.done", Content: &whole})
	done := assistantItem(w.thread, w.answer, w.item.CreatedAt, whole)
	w.Add(event{Type: "thread.item.done", Item: &done})
	return w.Flush()
}

// Fail ends the stream with an error; text is shown to the user. An answer that was begun is taken back: what there is of
// it will be in the conversation. Once the message is kept it can be retried, which does nothing twice.
func (w *Writer) Fail(text string) error {
	if w.item != nil {
		w.Add(event{Type: "thread.item.removed", ItemID: w.item.ID})
	}
	kept := w.thread != ""
	w.Add(event{Type: "error", Code: "custom", Message: text, AllowRetry: &kept})
	return w.Flush()
}

func (w *Writer) begin(thread, message, answer string) {
	w.thread, w.answer = thread, answer
	at := stamp(w.now())
	if w.turn.Begins {
		begun := newThread(thread, "", at, Page[Item]{})
		w.Add(event{Type: "thread.created", Thread: &begun})
	}
	if w.turn.Said != "" {
		said := userItem(thread, message, w.turn.Said, at)
		w.Add(event{Type: "thread.item.done", Item: &said})
	}
	// Who stops reading stops nothing, so nobody is offered to.
	w.Add(event{Type: "stream_options", Options: &streamOptions{}})
}

// show shows the answer's item, empty at first.
func (w *Writer) show() {
	if w.item != nil {
		return
	}
	item, empty := assistantItem(w.thread, w.answer, stamp(w.now())), outputText("")
	w.item = &item
	w.Add(event{Type: "thread.item.added", Item: &item})
	w.update(update{Type: "assistant_message.content_part.added", Content: &empty})
}

func (w *Writer) delta(text string) {
	if text == "" {
		return
	}
	w.show()
	w.said.WriteString(text)
	w.update(update{Type: "assistant_message.content_part.text_delta", Delta: text})
}

func (w *Writer) update(u update) {
	w.Add(event{Type: "thread.item.updated", ItemID: w.answer, Update: &u})
}
