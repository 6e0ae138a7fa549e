package uistream

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/uistream/uistreamtest"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

var update = flag.Bool("update", false, "write the goldens anew")

var (
	began = agent.Began{
		ConversationID: "0192f0c1-0000-7000-8000-000000000001", MessageID: "0192f0c1-0000-7000-8000-000000000002",
		AnswerID: "0192f0c1-0000-7000-8000-000000000003", Model: agent.Model{Name: "taskflow-offline", Offline: true},
	}
	approval = agenttools.Approval{
		ID: "0192f0c1-0000-7000-8000-000000000009", Tool: agenttools.DeleteTasks, Summary: "Delete 1 task.",
		Tasks: []string{"Buy milk"}, ExpiresAt: "2026-11-22T09:10:00Z",
	}
)

func answer(text string) agent.Answer {
	return agent.Answer{
		ConversationID: began.ConversationID, MessageID: began.MessageID, AnswerID: began.AnswerID, Response: text, Model: began.Model,
		Usage: agent.Usage{InputTokens: 120, OutputTokens: 12, Steps: 2},
	}
}

// streams are runs as the agent tells them, each with its end.
var streams = map[string]struct {
	events []agent.Event
	end    func(*Writer) error
}{
	"words": {
		[]agent.Event{
			began,
			agent.StepBegan{},
			agent.TextDelta{ID: "t1", Text: "Hello"},
			agent.TextDelta{ID: "t1", Text: ""},
			agent.TextDelta{ID: "t1", Text: ",\nAnn. "},
			agent.TextDelta{ID: "t2", Text: "A \"second\" part\u2028\xff\n\ndata: [DONE]\n\n<b>"},
			agent.StepEnded{},
		},
		func(w *Writer) error { return w.Finish(answer("Hello,\nAnn. A second part")) },
	},
	"tools": {
		[]agent.Event{
			began,
			agent.StepBegan{},
			agent.TextDelta{ID: "t1", Text: "Let me see."},
			agent.ToolCalled{CallID: "c1", Tool: agenttools.FindTasks, Arguments: json.RawMessage(`{"query":"milk"}`)},
			agent.ToolCalled{CallID: "c2", Tool: "burn_tasks", Arguments: json.RawMessage(`{"ids":[`)},
			agent.ToolCalled{CallID: "c3", Tool: agenttools.GetOverview},
			agent.ToolAnswered{CallID: "c1", Output: json.RawMessage(`{"time_zone":"UTC","tasks":[{"id":"a","title":"Buy milk"}]}`)},
			agent.ToolAnswered{CallID: "c2", Error: "there is no tool burn_tasks"},
			agent.ToolAnswered{CallID: "c3"},
			agent.StepEnded{},
			agent.StepBegan{},
			agent.TextDelta{ID: "t2", Text: "You need milk."},
			agent.StepEnded{},
		},
		func(w *Writer) error {
			a := answer("You need milk.")
			a.ToolCalls = []agenttools.Receipt{{Tool: agenttools.FindTasks, Arguments: map[string]any{"query": "milk"}, Outcome: "done", Summary: "1 task found"}}
			a.TaskIDs = []string{"a"}
			return w.Finish(a)
		},
	},
	"approval": {
		[]agent.Event{
			began,
			agent.StepBegan{},
			agent.ToolCalled{CallID: "c1", Tool: agenttools.DeleteTasks, Arguments: json.RawMessage(`{"ids":["a"]}`)},
			agent.ApprovalAsked{CallID: "c1", Approval: approval},
			agent.StepEnded{},
			agent.StepBegan{},
			agent.TextDelta{ID: "t1", Text: "Shall I?"},
			agent.StepEnded{},
		},
		func(w *Writer) error {
			a := answer("Shall I?")
			a.Approvals = []agenttools.Approval{approval}
			return w.Finish(a)
		},
	},
	"approval of a call nobody told of": {
		[]agent.Event{began, agent.ApprovalAsked{CallID: "c7", Approval: approval}, agent.ToolAnswered{CallID: "c8", Error: "of which nobody told either"}},
		func(w *Writer) error { return w.Finish(answer("Shall I?")) },
	},
	"an answer given before": {nil, func(w *Writer) error { return w.Finish(answer("As I said.")) }},
	"an error in the middle": {
		[]agent.Event{
			began, agent.StepBegan{}, agent.ToolCalled{CallID: "c1", Tool: agenttools.FindTasks, Arguments: json.RawMessage(`{}`)}, agent.TextDelta{ID: "t1", Text: "I was ab"},
		},
		func(w *Writer) error { return w.Fail("The model does not answer.") },
	},
	"a step that was never ended": {
		[]agent.Event{began, agent.StepBegan{}, agent.TextDelta{ID: "t", Text: "one"}, agent.StepBegan{}, agent.TextDelta{ID: "t", Text: "two"}},
		func(w *Writer) error { return w.Finish(answer("onetwo")) },
	},
}

func written(t *testing.T, events []agent.Event, end func(*Writer) error) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRecorder()
	w := New(r, time.Second)
	for _, e := range events {
		if err := errors.Join(w.Event(e), w.Beat()); err != nil {
			t.Fatal(err)
		}
	}
	if err := end(w); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestStreamsAreReadAsTheyWereMeant holds every stream against its golden, and what the npm package ai makes of it against
// the golden of that.
func TestStreamsAreReadAsTheyWereMeant(t *testing.T) {
	t.Parallel()
	recorded := map[string]string{}
	for name, s := range streams {
		r := written(t, s.events, s.end)
		recorded[name] = r.Body.String()
		for header, want := range map[string]string{
			"Content-Type": "text/event-stream; charset=utf-8", "X-Vercel-Ai-Ui-Message-Stream": "v1",
			"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no",
		} {
			if got := r.Header().Get(header); got != want {
				t.Errorf("%s: %s is %q", name, header, got)
			}
		}
		golden(t, name+".sse", recorded[name])
	}
	for name, read := range uistreamtest.Recorded(t, recorded) {
		raw, err := json.Marshal(read)
		if err != nil {
			t.Fatal(err)
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, raw, "", "  "); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".json", pretty.String()+"\n")
	}
}

// TestTheReaderRefusesWhatIsWrong shows that the check can fail.
func TestTheReaderRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, read := range uistreamtest.Recorded(t, map[string]string{
		"a part without what it needs": "data: {\"type\":\"text-delta\",\"id\":\"t\"}\n\n",
		"text that was never begun":    "data: {\"type\":\"start\"}\n\ndata: {\"type\":\"text-delta\",\"id\":\"t\",\"delta\":\"a\"}\n\n",
		"a result without its call":    "data: {\"type\":\"tool-output-available\",\"toolCallId\":\"c\",\"output\":1}\n\n",
		"an unknown part":              "data: {\"type\":\"text\",\"text\":\"a\"}\n\n",
		"no JSON":                      "data: {\n\n",
	}) {
		if len(read.Errors) == 0 {
			t.Errorf("%s is taken: %+v", name, read)
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", strings.ReplaceAll(name, " ", "_"))
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is now:\n%s\nRun go test -update if that is meant.", path, got)
	}
}

// lines remembers what was written and when it was flushed.
type lines struct {
	http.ResponseWriter
	flushed []string
	part    strings.Builder
	broken  error
}

func (l *lines) Write(p []byte) (int, error) {
	if l.broken != nil {
		return 0, l.broken
	}
	return l.part.Write(p)
}

func (l *lines) FlushError() error {
	l.flushed = append(l.flushed, l.part.String())
	l.part.Reset()
	return nil
}

func TestEveryEventIsOnItsWayWhenItsCallReturns(t *testing.T) {
	t.Parallel()
	l := &lines{ResponseWriter: httptest.NewRecorder()}
	w := New(l, time.Second)
	if w.Begun() {
		t.Error("it has begun by being made")
	}
	for _, e := range []agent.Event{began, agent.StepBegan{}, agent.TextDelta{ID: "t", Text: "a"}, agent.TextDelta{ID: "t", Text: "b"}} {
		if err := w.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Beat(); err != nil {
		t.Fatal(err)
	}
	if !w.Begun() || len(l.flushed) != 5 || !strings.Contains(l.flushed[3], `"delta":"b"`) || !strings.HasPrefix(l.flushed[4], ":") || l.part.Len() > 0 {
		t.Errorf("flushed %q, then %q", l.flushed, l.part.String())
	}
	// What ends nothing and says nothing writes nothing.
	if err := w.Event(agent.ToolAnswered{CallID: "unknown"}); err != nil || len(l.flushed) != 5 {
		t.Errorf("%v, %q", err, l.flushed[5:])
	}
}

func TestAReaderThatIsGoneIsAnError(t *testing.T) {
	t.Parallel()
	w := New(&lines{ResponseWriter: httptest.NewRecorder(), broken: io.ErrClosedPipe}, time.Second)
	for what, err := range map[string]error{"event": w.Event(began), "beat": w.Beat(), "finish": w.Finish(answer("a")), "fail": w.Fail("a")} {
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// FuzzWriter: whatever a model or a tool says, every line is a comment or a part in JSON, and the last one is [DONE].
func FuzzWriter(f *testing.F) {
	f.Add("Hello\n\ndata: x", `{"a":1}`, `{"b":`, "no such tool")
	f.Add("\xff\u2028\r\n", "", "null", "")
	f.Fuzz(func(t *testing.T, text, arguments, output, wrong string) {
		r := httptest.NewRecorder()
		w := New(r, time.Second)
		for _, e := range []agent.Event{
			began,
			agent.StepBegan{},
			agent.TextDelta{ID: text, Text: text},
			agent.ToolCalled{CallID: text, Tool: text, Arguments: json.RawMessage(arguments)},
			agent.ToolAnswered{CallID: text, Output: json.RawMessage(output), Error: wrong},
			agent.StepEnded{},
		} {
			if err := w.Event(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Finish(answer(text)); err != nil {
			t.Fatal(err)
		}
		events := strings.Split(strings.TrimSuffix(r.Body.String(), "\n\n"), "\n\n")
		for _, e := range slices.Backward(events) {
			data, ok := strings.CutPrefix(e, "data: ")
			if !ok || strings.ContainsAny(data, "\r\n") {
				t.Fatalf("%q", e)
			}
			if data == "[DONE]" {
				continue
			}
			if !json.Valid([]byte(data)) {
				t.Fatalf("%q is no JSON", data)
			}
		}
		if events[len(events)-1] != "data: [DONE]" {
			t.Errorf("it ends with %q", events[len(events)-1])
		}
	})
}
