package phrases_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/internal/offline"
	"github.com/taskflow-suite/taskflow/services/internal/phrases"
)

func TestTheOfflineModelKnowsEveryPhrase(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(offline.New(offline.Options{}))
	t.Cleanup(server.Close)
	client := openai.NewClient(option.WithBaseURL(server.URL+"/v1"), option.WithAPIKey("none"), option.WithHTTPClient(server.Client()))
	for place, now := range map[string]string{
		"Asia/Karachi": "2026-11-22T15:00:00", "America/New_York": "2026-10-30T09:30:00", "Pacific/Auckland": "2027-04-02T23:30:00", "UTC": "2028-02-29T00:00:00",
	} {
		zone, err := time.LoadLocation(place)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.ParseInLocation("2006-01-02T15:04:05", now, zone)
		if err != nil {
			t.Fatal(err)
		}
		all := phrases.All(at)
		if len(all) < 50 {
			t.Errorf("%d phrases only", len(all))
		}
		for _, p := range all {
			t.Run(place+"/"+p.Say, func(t *testing.T) {
				t.Parallel()
				c := chat{client: &client, now: at, player: newPlayer(p.Given)}
				for _, said := range p.Before {
					c.say(t, said)
				}
				c.receipts = nil
				answer := c.say(t, p.Say)
				if err := p.Check(c.receipts, c.player.id); err != nil {
					t.Errorf("%v\nanswer: %s", err, answer)
				}
			})
		}
	}
}

// chat is the smallest loop around a model.
type chat struct {
	client   *openai.Client
	now      time.Time
	player   *player
	turns    []openai.ChatCompletionMessageParamUnion
	receipts []agenttools.Receipt
}

// tools are those the agent shows a model.
var tools = []string{
	agenttools.AddTasks, agenttools.FindTasks, agenttools.GetTasks, agenttools.UpdateTasks, agenttools.CompleteTasks, agenttools.ReopenTasks,
	agenttools.RescheduleTasks, agenttools.DeleteTasks, agenttools.RestoreTasks, agenttools.PreviewRecurrence, agenttools.GetOverview,
	agenttools.GetProfile, agenttools.SearchConversations,
}

func (c *chat) say(t *testing.T, text string) string {
	t.Helper()
	c.turns = append(c.turns, openai.UserMessage(text))
	params := openai.ChatCompletionNewParams{Model: offline.Model}
	for _, name := range tools {
		params.Tools = append(params.Tools, openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: name}))
	}
	messages := append([]openai.ChatCompletionMessageParamUnion{openai.SystemMessage("Be helpful.\n" + agenttools.NowLine(c.now))}, c.turns...)
	for range 10 {
		params.Messages = messages
		done, err := c.client.Chat.Completions.New(context.WithoutCancel(t.Context()), params)
		if err != nil {
			t.Fatal(err)
		}
		message := done.Choices[0].Message
		if len(message.ToolCalls) == 0 {
			if strings.TrimSpace(message.Content) == "" {
				t.Error("the answer is empty")
			}
			c.turns = append(c.turns, openai.AssistantMessage(message.Content))
			return message.Content
		}
		messages = append(messages, message.ToParam())
		for _, call := range message.ToolCalls {
			receipt, result := c.player.play(t, call.Function.Name, call.Function.Arguments)
			c.receipts = append(c.receipts, receipt)
			messages = append(messages, openai.ToolMessage("<data>\n"+result+"\n</data>", call.ID))
		}
	}
	t.Fatal("the model calls tools for ever")
	return ""
}

// player answers tools from the given tasks.
type player struct{ tasks []agenttools.Task }

func newPlayer(given []phrases.Given) *player {
	p := &player{}
	for i, g := range given {
		status := g.Status
		if status == "" {
			status = "open"
		}
		p.tasks = append(p.tasks, agenttools.Task{
			ID: fmt.Sprintf("00000000-0000-7000-8000-%012d", i+1), Title: g.Title, Status: status, Priority: g.Priority, Tags: g.Tags, Due: g.Due,
			Repeats: g.Repeats, RemindAt: g.RemindAt, Reminders: g.Reminders, Version: 1,
		})
	}
	return p
}

func (p *player) id(title string) string {
	i := slices.IndexFunc(p.tasks, func(t agenttools.Task) bool { return t.Title == title })
	if i < 0 {
		return "no such task"
	}
	return p.tasks[i].ID
}

func (p *player) play(t *testing.T, tool, arguments string) (agenttools.Receipt, string) {
	t.Helper()
	r := agenttools.Receipt{Tool: tool, Outcome: "done"}
	if err := json.Unmarshal([]byte(arguments), &r.Arguments); err != nil {
		t.Fatalf("%s was called with %s: %v", tool, arguments, err)
	}
	var in struct {
		Query  string            `json:"query"`
		Status string            `json:"status"`
		IDs    []string          `json:"ids"`
		Tasks  []agenttools.Task `json:"tasks"`
	}
	if err := json.Unmarshal([]byte(arguments), &in); err != nil {
		t.Fatalf("%s was called with %s: %v", tool, arguments, err)
	}
	answer := map[string]any{"time_zone": "UTC"}
	switch tool {
	case agenttools.DeleteTasks:
		r.Outcome = "waiting"
		return r, `{"tasks":["x"],"waiting":"Delete 1 task"}`
	case agenttools.FindTasks:
		found := slices.DeleteFunc(slices.Clone(p.tasks), func(t agenttools.Task) bool {
			return in.Status != "" && in.Status != "all" && t.Status != in.Status || slices.ContainsFunc(strings.Fields(strings.ToLower(in.Query)), func(word string) bool {
				return !strings.Contains(strings.ToLower(t.Title), word)
			})
		})
		answer["tasks"] = found
	case agenttools.AddTasks:
		answer["tasks"] = in.Tasks
	case agenttools.PreviewRecurrence:
		answer["occurrences"] = []string{"2026-11-23"}
	case agenttools.SearchConversations:
		answer["conversations"] = []agenttools.Conversation{}
	case agenttools.GetOverview, agenttools.GetProfile:
	default:
		changed := in.Tasks
		for _, id := range in.IDs {
			changed = append(changed, agenttools.Task{ID: id})
		}
		for _, c := range changed {
			i := slices.IndexFunc(p.tasks, func(t agenttools.Task) bool { return t.ID == c.ID })
			if i < 0 {
				t.Fatalf("%s was called for a task that does not exist: %s", tool, arguments)
			}
			answer["tasks"] = append(answerTasks(answer), p.tasks[i])
		}
	}
	text, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	return r, string(text)
}

func answerTasks(answer map[string]any) []agenttools.Task {
	tasks, _ := answer["tasks"].([]agenttools.Task)
	return tasks
}
