package chatkit

import (
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/chatkit/chatkittest"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

var rewrite = flag.Bool("update", false, "write the goldens anew")

const (
	thread   = "0192f0c1-0000-7000-8000-000000000001"
	message  = "0192f0c1-0000-7000-8000-000000000002"
	answerID = "0192f0c1-0000-7000-8000-000000000003"
)

var (
	began   = agent.Began{ConversationID: thread, MessageID: message, AnswerID: answerID}
	toMilk  = agenttools.Approval{Tool: agenttools.DeleteTasks, Summary: "Delete 2 tasks", Tasks: []string{"Buy *milk*", "![x](http://evil)"}, ExpiresAt: "2026-11-22T09:20:00Z"}
	toBread = agenttools.Approval{Tool: agenttools.AddTasks, Summary: "Add 1 task", ExpiresAt: "2026-11-22T09:10:00Z"}
)

func answered(text string, asked ...agenttools.Approval) agent.Answer {
	return agent.Answer{ConversationID: thread, MessageID: message, AnswerID: answerID, Response: text, Approvals: asked}
}

func finish(a agent.Answer) func(*Writer) error { return func(w *Writer) error { return w.Finish(a) } }

// streams are runs as the agent tells them, each with its end.
var streams = map[string]struct {
	turn   Turn
	events []agent.Event
	end    func(*Writer) error
}{
	"a thread begins": {
		Turn{Said: "hello", Begins: true},
		[]agent.Event{
			began,
			agent.StepBegan{},
			agent.TextDelta{ID: "t1", Text: "Hello"},
			agent.TextDelta{ID: "t1", Text: ""},
			agent.TextDelta{ID: "t1", Text: ",\n\ndata: \"Ann\"\u2028<b>."},
			agent.StepEnded{},
		},
		finish(answered("Hello,\n\ndata: \"Ann\"\u2028<b>.")),
	},
	"tools work between two texts": {
		Turn{Said: "what is there?"},
		[]agent.Event{
			began,
			agent.TextDelta{ID: "t1", Text: "Let me see."},
			agent.ToolCalled{CallID: "c1", Tool: agenttools.FindTasks, Arguments: json.RawMessage(`{"query":"milk"}`)},
			agent.ToolAnswered{CallID: "c1", Output: json.RawMessage(`{"tasks":[]}`)},
			agent.ToolCalled{CallID: "c2", Tool: "burn <b>everything</b>"},
			agent.ToolAnswered{CallID: "c2", Error: "there is no such tool"},
			agent.TextDelta{ID: "t2", Text: "Nothing."},
		},
		finish(answered("Let me see.\n\nNothing.")),
	},
	"approvals are asked for": {
		Turn{Said: "delete milk"},
		[]agent.Event{
			began,
			agent.ToolCalled{CallID: "c1", Tool: agenttools.DeleteTasks, Arguments: json.RawMessage(`{"ids":["a"]}`)},
			agent.ApprovalAsked{CallID: "c1", Approval: toMilk},
			agent.TextDelta{ID: "t1", Text: "Shall I?"},
		},
		finish(answered("Shall I?", toMilk, toBread)),
	},
	"a message is answered again":           {Turn{}, []agent.Event{began, agent.TextDelta{ID: "t1", Text: "As I said."}}, finish(answered("As I said."))},
	"an answer of which no event told":      {Turn{Said: "hello", Begins: true}, nil, finish(answered("As I said."))},
	"what is kept is not what was told":     {Turn{Said: "hello"}, []agent.Event{began, agent.TextDelta{ID: "t1", Text: " \n"}, agent.TextDelta{ID: "t2", Text: "Hi."}}, finish(answered("Hi."))},
	"an answer without words":               {Turn{Said: "hello"}, []agent.Event{began}, finish(answered(""))},
	"an error in the middle of an answer":   {Turn{Said: "hello"}, []agent.Event{began, agent.TextDelta{ID: "t1", Text: "I was ab"}}, func(w *Writer) error { return w.Fail("The model does not answer.") }},
	"an error before there is an answer":    {Turn{Said: "hello", Begins: true}, []agent.Event{began}, func(w *Writer) error { return w.Fail("The model does not answer.") }},
	"an error before the message was taken": {Turn{Said: "hello", Begins: true}, nil, func(w *Writer) error { return w.Fail("Another message is being answered.") }},
}

var noon = time.Date(2026, 11, 22, 9, 0, 0, 0, time.FixedZone("", 3600))

func TestStreamsAreOpenAIs(t *testing.T) {
	t.Parallel()
	for name, s := range streams {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRecorder()
			w := New(r, time.Second, s.turn, func() time.Time { return noon })
			for _, e := range s.events {
				if err := w.Event(e); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.end(w); err != nil {
				t.Fatal(err)
			}
			got := r.Body.String()
			chatkittest.Stream(t, got)
			for header, want := range map[string]string{"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"} {
				if is := r.Header().Get(header); is != want {
					t.Errorf("%s is %q", header, is)
				}
			}
			golden(t, filepath.Join("testdata", strings.ReplaceAll(name, " ", "_")+".sse"), got)
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *rewrite {
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

// gone is a response whose reader is gone.
type gone struct{ http.ResponseWriter }

func (gone) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestAReaderThatIsGoneIsNoticed(t *testing.T) {
	t.Parallel()
	w := New(gone{httptest.NewRecorder()}, time.Second, Turn{Said: "hello"}, time.Now)
	if err := w.Event(agent.StepBegan{}); err != nil || w.Begun() {
		t.Errorf("nothing was to be written: %v", err)
	}
	if w.Event(began) == nil || w.Beat() == nil || w.Finish(answered("hello")) == nil || w.Fail("no") == nil {
		t.Error("a write failed and nobody was told")
	}
}

// TestOpenAIsDefinitionsRefuse shows that the check can fail: by what is missing, misspelt, or no text.
func TestOpenAIsDefinitionsRefuse(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"an unknown event":    `{"type":"thread.item.finished"}`,
		"a missing member":    `{"type":"error","message":"no"}`,
		"an unknown member":   `{"type":"error","code":"custom","message":"no","allow_retry":true,"status":500}`,
		"another update":      `{"type":"thread.item.updated","item_id":"a","update":{"type":"assistant_message.text_delta","content_index":0,"delta":"a"}}`,
		"a widget":            `{"type":"thread.item.done","item":{"type":"widget","id":"a","thread_id":"b","created_at":"2026-11-22T09:00:00Z","widget":{"type":"Card","children":[]}}}`,
		"a message of no one": `{"type":"thread.item.done","item":{"type":"system_message","id":"a","thread_id":"b","created_at":"2026-11-22T09:00:00Z","content":[]}}`,
	} {
		if chatkittest.Wrong(t, chatkittest.Event, raw) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
