package rest_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/rest"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/uistream/uistreamtest"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// heard is an agent that tells what it was asked.
func heard(requests chan agent.Request) script {
	return script{say: func(_ context.Context, r agent.Request, _ func(agent.Event)) (agent.Answer, error) {
		requests <- r
		return answerTo(r), nil
	}}
}

func TestAMessageReachesTheAgentAndItsAnswerTheUser(t *testing.T) {
	t.Parallel()
	requests := make(chan agent.Request, 1)
	u := open(t, settings{Options: rest.Options{Chat: heard(requests)}}).user(t)
	a := u.send("POST", "/chat", `{"message":"add milk 🥛","conversation_id":"`+strings.ToUpper(conversation)+`","message_id":"`+strings.ToUpper(someID)+`"}`).want(t, 200)
	if r := <-requests; r != (agent.Request{UserID: u.id, ConversationID: conversation, MessageID: someID, Text: "add milk 🥛"}) {
		t.Errorf("the agent was asked %+v", r)
	}
	want := `{"conversation_id":"` + conversation + `","message_id":"` + someID + `","answer_id":"` + answered + `","response":"You said: add milk 🥛",` +
		`"tool_calls":[],"approvals":[],"task_ids":[],"model":{"name":"taskflow-offline","offline":true},"usage":{"input_tokens":0,"output_tokens":0,"steps":0}}`
	if string(a.body) != want {
		t.Errorf("got  %s\nwant %s", a.body, want)
	}
	if got := a.header.Get("Cache-Control"); got != "private, no-cache" {
		t.Errorf("Cache-Control is %q", got)
	}
}

func TestAMessageIsNamedByItsIDOrItsKey(t *testing.T) {
	t.Parallel()
	requests := make(chan agent.Request, 1)
	w := open(t, settings{Options: rest.Options{Chat: heard(requests)}})
	ann, eve := w.user(t), w.user(t)
	named := func(u user, body string, headers ...string) string {
		t.Helper()
		u.send("POST", "/chat", body, headers...).want(t, 200)
		id := (<-requests).MessageID
		if uuid.Validate(id) != nil {
			t.Errorf("%q is no id", id)
		}
		return id
	}
	const plain, withID = `{"message":"a"}`, `{"message":"a","message_id":"` + someID + `"}`
	first := named(ann, plain, "Idempotency-Key", "my key")
	if again := named(ann, plain, "Idempotency-Key", "my key"); again != first {
		t.Errorf("the same key names %s and %s", first, again)
	}
	for why, other := range map[string]string{
		"another key": named(ann, plain, "Idempotency-Key", "my other key"), "another user": named(eve, plain, "Idempotency-Key", "my key"),
		"no key": named(ann, plain),
	} {
		if other == first {
			t.Errorf("%s names the same message", why)
		}
	}
	if one, other := named(ann, plain), named(ann, plain); one == other {
		t.Error("two messages without a name have one")
	}
	for _, id := range []string{
		named(ann, withID), named(ann, plain, "Idempotency-Key", someID), named(ann, withID, "Idempotency-Key", strings.ToUpper(someID)),
	} {
		if id != someID {
			t.Errorf("%s instead of the id that was sent", id)
		}
	}
	if got := problem(t, ann.send("POST", "/chat", withID, "Idempotency-Key", "my key").want(t, 422)); !strings.HasPrefix(got, "message_id must be the Idempotency-Key") {
		t.Error(got)
	}
	problem(t, ann.send("POST", "/chat", plain, "Idempotency-Key", strings.Repeat("k", 201)).want(t, 422))
}

func TestADecisionReachesTheAgent(t *testing.T) {
	t.Parallel()
	type decision struct {
		userID, id string
		approve    bool
	}
	decisions := make(chan decision, 1)
	u := open(t, settings{Options: rest.Options{Chat: script{
		decide: func(_ context.Context, userID, id string, approve bool, see func(agent.Event)) (agent.Answer, error) {
			decisions <- decision{userID, id, approve}
			see(beginning(agent.Request{MessageID: id}))
			return answerTo(agent.Request{MessageID: id}), nil
		},
	}}}).user(t)
	for body, approve := range map[string]bool{`{"approve":true}`: true, `{"approve":false}`: false} {
		for _, accept := range []string{"application/json", "text/event-stream"} {
			a := u.send("POST", "/chat/approvals/"+strings.ToUpper(someID), body, "Accept", accept).want(t, 200)
			if got := <-decisions; got != (decision{u.id, someID, approve}) {
				t.Errorf("decided %+v", got)
			}
			if stream := strings.HasSuffix(string(a.body), "data: [DONE]\n\n"); stream != (accept == "text/event-stream") {
				t.Errorf("%s: %s", accept, a.body)
			}
		}
	}
}

func TestHistoryIsReadInPages(t *testing.T) {
	t.Parallel()
	const at = "2026-11-22T09:00:00Z"
	searched, loaded := make(chan agenttools.SearchConversationsInput, 1), make(chan agenttools.LoadConversationInput, 1)
	u := open(t, settings{Options: rest.Options{Chat: script{
		conversations: func(_ string, in agenttools.SearchConversationsInput) (agenttools.FoundConversations, error) {
			searched <- in
			return agenttools.FoundConversations{TimeZone: "Europe/Oslo", NextCursor: "next", Conversations: []agenttools.Conversation{
				{ID: conversation, Title: "Milk", Messages: 2, StartedAt: at, UpdatedAt: at, Snippet: "buy milk", MessageID: someID},
			}}, nil
		},
		messages: func(_ string, in agenttools.LoadConversationInput) (agenttools.LoadedConversation, error) {
			loaded <- in
			return agenttools.LoadedConversation{ConversationID: in.ConversationID, Title: "Milk", More: true, TimeZone: "Europe/Oslo", Now: at, Messages: []agenttools.Message{
				{ID: someID, Role: "user", Text: "buy milk", CreatedAt: at},
				{
					ID: answered, Role: "assistant", Text: "Done.", CreatedAt: at, InReplyTo: someID, TaskIDs: []string{someID}, Model: model.Name,
					Receipts:  []agenttools.Receipt{{Tool: agenttools.AddTasks, Arguments: map[string]any{"tasks": []any{}}, Outcome: "done", Summary: "1 task added"}},
					Approvals: []agenttools.Approval{{ID: someID, Tool: agenttools.DeleteTasks, Summary: "Delete 1 task.", Tasks: []string{"Milk"}, ExpiresAt: at}},
				},
			}}, nil
		},
	}}}).user(t)
	page := decode[rest.ConversationPage](t, u.send("GET", "/conversations?q=milk&limit=5&cursor=c", "").want(t, 200))
	if in := <-searched; in != (agenttools.SearchConversationsInput{Query: "milk", Limit: 5, Cursor: "c"}) {
		t.Errorf("searched %+v", in)
	}
	if next, err := page.NextCursor.Get(); err != nil || next != "next" || len(page.Items) != 1 || page.Items[0].ID != conversation || page.TimeZone != "Europe/Oslo" {
		t.Errorf("got %+v", page)
	}
	messages := decode[rest.MessagePage](t, u.send("GET", "/conversations/"+conversation+"/messages?limit=2&before="+strings.ToUpper(someID), "").want(t, 200))
	if in := <-loaded; in != (agenttools.LoadConversationInput{ConversationID: conversation, Limit: 2, Before: someID}) {
		t.Errorf("loaded %+v", in)
	}
	if len(messages.Items) != 2 || !messages.More || messages.Title != "Milk" || (*messages.Items[1].Receipts)[0].Tool != agenttools.AddTasks {
		t.Errorf("got %+v", messages)
	}
	for _, query := range []string{"?limit=0", "?limit=51", "?q=", "?limit=1&limit=2"} {
		problem(t, u.send("GET", "/conversations"+query, "").want(t, 422))
	}
	for _, query := range []string{"?limit=101", "?before=x"} {
		problem(t, u.send("GET", "/conversations/"+conversation+"/messages"+query, "").want(t, 422))
	}
}

// telling is an agent whose run has every kind of event.
func telling(_ context.Context, r agent.Request, see func(agent.Event)) (agent.Answer, error) {
	approval := agenttools.Approval{ID: someID, Tool: agenttools.DeleteTasks, Summary: "Delete 1 task.", Tasks: []string{"Milk"}, ExpiresAt: "2026-11-22T09:10:00Z"}
	for _, e := range []agent.Event{
		beginning(r),
		agent.StepBegan{},
		agent.ToolCalled{CallID: "c1", Tool: agenttools.FindTasks, Arguments: json.RawMessage(`{"query":"milk"}`)},
		agent.ToolAnswered{CallID: "c1", Output: json.RawMessage(`{"tasks":[]}`)},
		agent.ToolCalled{CallID: "c2", Tool: agenttools.DeleteTasks, Arguments: json.RawMessage(`{"ids":["a"]}`)},
		agent.ApprovalAsked{CallID: "c2", Approval: approval},
		agent.StepEnded{},
		agent.StepBegan{},
		agent.TextDelta{ID: "t", Text: "Shall "},
		agent.TextDelta{ID: "t", Text: "I?"},
		agent.StepEnded{},
	} {
		see(e)
	}
	a := answerTo(r)
	a.Response, a.Approvals = "Shall I?", []agenttools.Approval{approval}
	return a, nil
}

// TestAPageReadsTheStreamOverHTTP has the npm package ai ask the door, as a page with useChat does.
func TestAPageReadsTheStreamOverHTTP(t *testing.T) {
	t.Parallel()
	u := open(t, settings{Options: rest.Options{Chat: script{say: telling}}}).user(t)
	headers := map[string]string{"Authorization": "Bearer " + u.token, "Accept": "text/event-stream"}
	read := uistreamtest.Fetch(t, u.http.URL+"/api/"+u.id+"/chat", headers, map[string]string{"message": "delete milk"})
	var message struct {
		ID       string
		Metadata struct {
			ConversationID string                `json:"conversation_id"`
			Model          agent.Model           `json:"model"`
			Approvals      []agenttools.Approval `json:"approvals"`
		}
		Parts []struct {
			Type, State, Text, ToolName string
			Approval                    struct{ ID string }
		}
	}
	if err := json.Unmarshal(read.Message, &message); err != nil {
		t.Fatalf("%v: %+v", err, read)
	}
	if len(read.Errors) > 0 || message.ID != answered || message.Metadata.ConversationID != conversation || !message.Metadata.Model.Offline ||
		len(message.Metadata.Approvals) != 1 || len(message.Parts) != 5 {
		t.Fatalf("errors %q, message %s", read.Errors, read.Message)
	}
	found, asked, text := message.Parts[1], message.Parts[2], message.Parts[4]
	if found.Type != "dynamic-tool" || found.State != "output-available" || found.ToolName != agenttools.FindTasks {
		t.Errorf("the tool's part is %+v", found)
	}
	if asked.State != "approval-requested" || asked.Approval.ID != someID {
		t.Errorf("the approval's part is %+v", asked)
	}
	if text.Text != "Shall I?" || text.State != "done" {
		t.Errorf("the text's part is %+v", text)
	}
	// A door that refuses is an error for the page, too.
	if refused := uistreamtest.Fetch(t, u.http.URL+"/api/"+u.id+"/chat", headers, map[string]string{"message": ""}); len(refused.Errors) != 1 || !strings.Contains(refused.Errors[0], "422") {
		t.Errorf("refused with %q", refused.Errors)
	}
}
