package tools_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/caller"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/tools"
)

func TestTheAgentRemembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client("ada", "Asia/Karachi", tools.Agent)
	conversation, question, reply := uuid.NewString(), uuid.NewString(), uuid.NewString()
	r := c.send(agenttools.AppendMessages, args(`{"conversation_id":%q,"messages":[{"id":%q,"role":"user","text":"buy saffron"},
		{"id":%q,"role":"assistant","text":"Done.","in_reply_to":%q,"model":"m","task_ids":[],"receipts":[{"tool":"add_tasks","arguments":{"tasks":[{"title":"saffron"}]},"outcome":"done"}]}]}`,
		conversation, question, reply, question), nil)
	if r.IsError {
		t.Fatal(words(r))
	}
	var loaded agenttools.LoadedConversation
	remarshal(t, c.send(agenttools.LoadConversation, args(`{"conversation_id":%q,"run":%q}`, conversation, question), nil).StructuredContent, &loaded)
	if len(loaded.Messages) != 2 || loaded.Answer == nil || loaded.Answer.ID != reply || loaded.TimeZone != "Asia/Karachi" || loaded.Now != "2026-11-22T22:00:00+05:00" {
		t.Errorf("loaded %+v", loaded)
	}
	if got := loaded.Messages[1].Receipts; len(got) != 1 || got[0].Tool != agenttools.AddTasks || len(got[0].Arguments) != 1 {
		t.Errorf("the receipts are %+v", got)
	}
	remarshal(t, c.send(agenttools.LoadConversation, args(`{"conversation_id":%q}`, uuid.NewString()), nil).StructuredContent, &loaded)
	if len(loaded.Messages) != 0 {
		t.Errorf("of an unknown conversation %+v is loaded", loaded.Messages)
	}
	var found agenttools.FoundConversations
	remarshal(t, c.send(agenttools.SearchConversations, args(`{"query":"saffron"}`), nil).StructuredContent, &found)
	if len(found.Conversations) != 1 || found.Conversations[0].ID != conversation || found.TimeZone != "Asia/Karachi" ||
		!strings.HasSuffix(found.Conversations[0].UpdatedAt, "+05:00") {
		t.Errorf("found %+v", found)
	}

	eve := w.client("eve", "UTC", tools.Agent)
	remarshal(t, eve.send(agenttools.LoadConversation, args(`{"conversation_id":%q}`, conversation), nil).StructuredContent, &loaded)
	remarshal(t, eve.send(agenttools.SearchConversations, args(`{}`), nil).StructuredContent, &found)
	if len(loaded.Messages)+len(found.Conversations) != 0 {
		t.Errorf("eve reads %+v and %+v", loaded, found)
	}
}

func TestTheAgentsMistakesAreExplained(t *testing.T) {
	t.Parallel()
	c := newWorld(t).client("ada", "UTC", tools.Agent)
	conversation, id := uuid.NewString(), uuid.NewString()
	said := func(text string) []byte {
		return args(`{"conversation_id":%q,"messages":[{"id":%q,"role":"user","text":%q}]}`, conversation, id, text)
	}
	c.send(agenttools.AppendMessages, said("one"), nil)
	for name, one := range map[string]struct {
		tool  string
		input []byte
		code  string
	}{
		"another text under an id":     {agenttools.AppendMessages, said("two"), "conflict"},
		"a role there is not":          {agenttools.AppendMessages, args(`{"conversation_id":%q,"messages":[{"id":%q,"role":"system","text":"x"}]}`, conversation, id), "invalid"},
		"no messages":                  {agenttools.AppendMessages, args(`{"conversation_id":%q,"messages":[]}`, conversation), "invalid"},
		"an id that is none":           {agenttools.LoadConversation, args(`{"conversation_id":"x"}`), "invalid"},
		"too many":                     {agenttools.LoadConversation, args(`{"conversation_id":%q,"limit":101}`, conversation), "invalid"},
		"a cursor that nobody gave":    {agenttools.SearchConversations, args(`{"cursor":"x"}`), "invalid"},
		"an unknown field of a search": {agenttools.SearchConversations, args(`{"q":"x"}`), "invalid"},
	} {
		if f := c.fail(one.tool, one.input); f[0].Code != one.code || strings.Contains(f[0].TryNext, "restore") {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestTheMemoryIsTheAgentsAloneBehindAnyDoor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// A door that serves the agent's tools by mistake to a client that is not the agent.
	c := connect(t, tools.NewServer(w.tools, tools.Agent), func() caller.Caller {
		return caller.Caller{UserID: "ada", ClientID: "other", RequestID: uuid.NewString()}
	})
	for _, tool := range []string{agenttools.LoadConversation, agenttools.AppendMessages} {
		input := args(`{"conversation_id":%q,"messages":[{"id":%q,"role":"user","text":"x"}]}`, uuid.NewString(), uuid.NewString())
		if tool == agenttools.LoadConversation {
			input = args(`{"conversation_id":%q}`, uuid.NewString())
		}
		if f := c.fail(tool, input); f[0].Code != "denied" {
			t.Errorf("%s: %+v", tool, f)
		}
	}
}
