package agent_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

func TestAMessageIsAnsweredWithReceipts(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{script: func(a asked) says {
		if a.step() == 0 {
			return calls(agenttools.AddTasks, map[string]any{"tasks": []any{map[string]any{"title": "Buy milk"}}})
		}
		return text(`Added "Buy milk".`)
	}})
	c := conversation()
	answer := w.say(c, "add buy milk")
	if answer.Response != `Added "Buy milk".` || outcomes(answer) != "add_tasks done" || answer.ToolCalls[0].Summary != "1 task added: Buy milk" {
		t.Errorf("answered %+v", answer)
	}
	if len(answer.TaskIDs) != 1 || answer.TaskIDs[0] != w.tools.id("Buy milk") || answer.ConversationID != c || answer.Model.Name != "scripted" || answer.Model.Offline {
		t.Errorf("answered %+v", answer)
	}
	if answer.Usage.Steps != 2 || answer.Usage.InputTokens != 300 {
		t.Errorf("used %+v, want 2 steps and the question about the intent", answer.Usage)
	}
	kept := w.tools.history(c)
	if len(kept) != 2 || kept[0].Text != "add buy milk" || kept[1].ID != answer.AnswerID || kept[1].InReplyTo != kept[0].ID ||
		len(kept[1].Receipts) != 1 || kept[1].Model != "scripted" || len(kept[1].TaskIDs) != 1 {
		t.Errorf("kept %+v", kept)
	}
}

func TestTheModelSeesTheConversationAndWhatItWasAbout(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{titles: []string{"Buy milk"}, script: func(a asked) says {
		if a.said() == "list" && a.step() == 0 {
			return calls(agenttools.FindTasks, map[string]any{})
		}
		return text("You have Buy milk to do.")
	}})
	c := conversation()
	w.say(c, "list")
	w.say(c, "what was it?")
	last := w.asked[len(w.asked)-1]
	if len(last.Messages) != 4 || last.Messages[1].Content != "list" || last.Messages[2].Content != "You have Buy milk to do." || last.said() != "what was it?" {
		t.Errorf("the model was shown %+v", last.Messages)
	}
	if !strings.Contains(last.Messages[0].Content, w.tools.id("Buy milk")) {
		t.Errorf("the prompt does not name the task: %s", last.Messages[0].Content)
	}
}

func TestEventsComeInOrderAndAreTheAnswer(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{titles: []string{"Buy milk"}, script: func(a asked) says {
		switch a.step() {
		case 0:
			s := calls(agenttools.FindTasks, map[string]any{})
			s.text = "Let me look."
			return s
		case 1:
			return calls(agenttools.DeleteTasks, ids(w1(a)))
		default:
			return text("I have deleted it.")
		}
	}})
	var kinds []string
	parts := map[string]string{}
	var order []string
	var asks agenttools.Approval
	answer, err := w.Say(w.context(), agent.Request{UserID: user, Text: "delete milk"}, func(e agent.Event) {
		kind := strings.TrimPrefix(fmt.Sprintf("%T", e), "agent.")
		switch e := e.(type) {
		case agent.TextDelta:
			if parts[e.ID] == "" {
				order = append(order, e.ID)
			}
			parts[e.ID] += e.Text
			if len(kinds) > 0 && kinds[len(kinds)-1] == kind {
				return
			}
		case agent.ToolCalled:
			if !json.Valid(e.Arguments) {
				t.Errorf("called with %s", e.Arguments)
			}
		case agent.ToolAnswered:
			if strings.Contains(string(e.Output), confirmation) {
				t.Error("the events show the confirmation")
			}
		case agent.ApprovalAsked:
			asks = e.Approval
		}
		kinds = append(kinds, kind)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "Began StepBegan TextDelta ToolCalled ToolAnswered StepEnded StepBegan ToolCalled ApprovalAsked StepEnded StepBegan TextDelta StepEnded"
	if got := strings.Join(kinds, " "); got != want {
		t.Errorf("events came as\n%s, want\n%s", got, want)
	}
	var shown []string
	for _, id := range order {
		shown = append(shown, parts[id])
	}
	if strings.Join(shown, "\n\n") != answer.Response {
		t.Errorf("shown %q, answered %q", shown, answer.Response)
	}
	if !strings.Contains(answer.Response, "Nothing was changed: no tool confirmed it.") || !strings.Contains(answer.Response, "Waiting for your approval: Delete 1 task.") {
		t.Errorf("answered %q", answer.Response)
	}
	if len(answer.Approvals) != 1 || answer.Approvals[0].ID != asks.ID || len(asks.Tasks) != 1 || asks.Tasks[0] != "Buy milk" {
		t.Errorf("asks %+v, told %+v", answer.Approvals, asks)
	}
}

// w1 is the first id in what the tools answered.
func w1(a asked) string {
	_, rest, _ := strings.Cut(a.results(), `"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

func TestAMessageSentAgainHasTheSameAnswer(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{script: func(a asked) says {
		if a.step() == 0 {
			return calls(agenttools.AddTasks, map[string]any{"tasks": []any{map[string]any{"title": "Buy milk"}}})
		}
		return text("Added.")
	}})
	// Without the conversation's id, which whoever lost the answer does not know.
	q := agent.Request{UserID: user, MessageID: uuid.NewString(), Text: "add buy milk"}
	first, err := w.Say(w.context(), q, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.another().Say(w.context(), q, func(agent.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	first.Usage = agent.Usage{}
	if fmt.Sprintf("%+v", first) != fmt.Sprintf("%+v", again) {
		t.Errorf("first %+v, then %+v", first, again)
	}
	if got := w.tools.state(); got != "Buy milk:open" {
		t.Errorf("tasks are %s", got)
	}
	q.Text = "add buy bread"
	if _, err := w.Say(w.context(), q, nil); !errs.Is(err, errs.Conflict) {
		t.Errorf("another text under the same id says %v", err)
	}
}

func TestWhatIsNoMessageIsRefused(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{script: func(asked) says { return text("hi") }})
	for name, q := range map[string]agent.Request{
		"empty":                     {Text: " \n"},
		"too long":                  {Text: strings.Repeat("ä", 8001)},
		"with NUL":                  {Text: "a\x00b"},
		"no UTF-8":                  {Text: "\xff"},
		"a conversation without id": {Text: "hi", ConversationID: "x"},
		"a message without id":      {Text: "hi", MessageID: "1"},
	} {
		q.UserID = user
		if _, err := w.Say(w.context(), q, nil); !errs.Is(err, errs.Invalid) || len(errs.Fields(err)) == 0 {
			t.Errorf("%s says %v", name, err)
		}
	}
	if len(w.asked) != 0 {
		t.Error("the model was asked")
	}
}

func TestConversationsAreListedAndRead(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{script: func(asked) says { return text("Hello.") }})
	c := conversation()
	w.say(c, "good morning")
	found, err := w.Conversations(w.context(), user, agenttools.SearchConversationsInput{Query: "morning"})
	if err != nil || len(found.Conversations) != 1 || found.Conversations[0].ID != c {
		t.Errorf("found %+v, %v", found, err)
	}
	read, err := w.Messages(w.context(), user, agenttools.LoadConversationInput{ConversationID: c, Limit: 10})
	if err != nil || len(read.Messages) != 2 {
		t.Errorf("read %+v, %v", read, err)
	}
	for _, id := range []string{conversation(), "x"} {
		if _, err := w.Messages(w.context(), user, agenttools.LoadConversationInput{ConversationID: id}); !errs.Is(err, errs.NotFound) {
			t.Errorf("an unknown conversation says %v", err)
		}
	}
	if _, err := w.Messages(w.context(), user, agenttools.LoadConversationInput{ConversationID: c, Before: "x"}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a wrong place says %v", err)
	}
	if _, err := w.Conversations(w.context(), user, agenttools.SearchConversationsInput{Query: strings.Repeat("x", 501)}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a long query says %v", err)
	}
}
