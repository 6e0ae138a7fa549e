package offline_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/internal/offline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t testing.TB, o offline.Options) (*httptest.Server, openai.Client) {
	t.Helper()
	server := httptest.NewServer(offline.New(o))
	t.Cleanup(server.Close)
	return server, openai.NewClient(option.WithBaseURL(server.URL+"/v1"), option.WithAPIKey("any"), option.WithHTTPClient(server.Client()), option.WithMaxRetries(0))
}

func params(say string, tools ...string) openai.ChatCompletionNewParams {
	zone := time.FixedZone("UTC", 0)
	p := openai.ChatCompletionNewParams{
		Model: offline.Model,
		Messages: []openai.ChatCompletionMessageParamUnion{
			openai.SystemMessage("You help.\n" + agenttools.NowLine(time.Date(2026, 11, 22, 15, 0, 0, 0, zone))), openai.UserMessage(say),
		},
	}
	for _, name := range tools {
		p.Tools = append(p.Tools, openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: name}))
	}
	return p
}

const addMilk = `{"tasks":[{"title":"buy milk","due":"2026-11-23T17:00:00Z","repeats":"FREQ=WEEKLY;BYDAY=MO"}]}`

func TestAnOpenAIClientGetsTextCallsAndUsage(t *testing.T) {
	t.Parallel()
	_, client := start(t, offline.Options{})
	said, err := client.Chat.Completions.New(t.Context(), params("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if c := said.Choices[0]; !strings.Contains(c.Message.Content, "offline model") || c.FinishReason != "stop" || said.Model != offline.Model || len(said.Choices) != 1 {
		t.Errorf("%s", said.RawJSON())
	}
	if u := said.Usage; u.PromptTokens < 20 || u.CompletionTokens != int64(len(said.Choices[0].Message.Content)+3)/4 || u.TotalTokens != u.PromptTokens+u.CompletionTokens {
		t.Errorf("usage is %s", u.RawJSON())
	}
	called, err := client.Chat.Completions.New(t.Context(), params("add buy milk tomorrow at 5pm, every Monday", agenttools.AddTasks))
	if err != nil {
		t.Fatal(err)
	}
	c := called.Choices[0]
	if c.FinishReason != "tool_calls" || len(c.Message.ToolCalls) != 1 || c.Message.ToolCalls[0].ID == "" || c.Message.ToolCalls[0].Function.Name != agenttools.AddTasks || c.Message.ToolCalls[0].Function.Arguments != addMilk {
		t.Errorf("%s", called.RawJSON())
	}
}

func TestAnOpenAIClientCanStream(t *testing.T) {
	t.Parallel()
	_, client := start(t, offline.Options{})
	for say, tools := range map[string][]string{"who are you?": nil, "add buy milk tomorrow at 5pm, every Monday": {agenttools.AddTasks}} {
		p := params(say, tools...)
		p.StreamOptions.IncludeUsage = openai.Bool(true)
		stream := client.Chat.Completions.NewStreaming(t.Context(), p)
		var acc openai.ChatCompletionAccumulator
		chunks, finishedCalls := 0, 0
		for stream.Next() {
			if !acc.AddChunk(stream.Current()) {
				t.Fatalf("chunk %s does not fit", stream.Current().RawJSON())
			}
			if call, ok := acc.JustFinishedToolCall(); ok {
				finishedCalls++
				if call.Name != agenttools.AddTasks || call.Arguments != addMilk {
					t.Errorf("call is %+v", call)
				}
			}
			chunks++
		}
		if err := stream.Err(); err != nil {
			t.Fatal(err)
		}
		whole, err := client.Chat.Completions.New(t.Context(), params(say, tools...))
		if err != nil {
			t.Fatal(err)
		}
		if acc.Choices[0].Message.Content != whole.Choices[0].Message.Content || acc.Choices[0].FinishReason != whole.Choices[0].FinishReason ||
			finishedCalls != len(tools) || chunks < 5 || acc.Usage.CompletionTokens != whole.Usage.CompletionTokens {
			t.Errorf("%s: %d chunks, %+v, usage %+v", say, chunks, acc.Choices[0], acc.Usage)
		}
	}
}

func TestUsageIsStreamedOnlyIfAskedFor(t *testing.T) {
	t.Parallel()
	server, _ := start(t, offline.Options{})
	for options, want := range map[string]int{``: 0, `"stream_options":{"include_usage":true},`: 1} {
		body := `{"model":"taskflow-offline","stream":true,` + options + `"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}`
		status, answer := post(t, server, body)
		if status != http.StatusOK || strings.Count(answer, `"usage"`) != want || !strings.HasSuffix(answer, "\n\ndata: [DONE]\n\n") {
			t.Errorf("%d %s", status, answer)
		}
	}
}

func TestModelsAreListed(t *testing.T) {
	t.Parallel()
	_, client := start(t, offline.Options{})
	page, err := client.Models.List(t.Context())
	if err != nil || len(page.Data) != 1 || page.Data[0].ID != offline.Model {
		t.Errorf("%+v %v", page, err)
	}
	if _, err := client.Models.Get(t.Context(), offline.Model); err != nil {
		t.Error(err)
	}
	_, err = client.Models.Get(t.Context(), "gpt-6-luna")
	if e, ok := errors.AsType[*openai.Error](err); !ok || e.StatusCode != http.StatusNotFound || e.Code != "model_not_found" {
		t.Errorf("%v", err)
	}
}

func post(t testing.TB, server *httptest.Server, body string) (int, string) {
	t.Helper()
	res, err := server.Client().Post(server.URL+"/v1/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(answer)
}

func TestWhatIsNotRightIsRefusedInOpenAIsShape(t *testing.T) {
	t.Parallel()
	server, _ := start(t, offline.Options{BodyLimit: 2000})
	const model = `"model":"taskflow-offline",`
	for name, c := range map[string]struct {
		body   string
		status int
		param  string
		code   string
	}{
		"nothing":                        {``, 400, "", "invalid_json"},
		"no JSON":                        {`{`, 400, "", "invalid_json"},
		"a list":                         {`[]`, 400, "", "invalid_type"},
		"no model":                       {`{"messages":[{"role":"user","content":"hi"}]}`, 400, "model", "invalid_value"},
		"another model":                  {`{"model":"gpt-6-luna","messages":[{"role":"user","content":"hi"}]}`, 404, "model", "model_not_found"},
		"no messages":                    {`{` + model + `"messages":[]}`, 400, "messages", "invalid_value"},
		"messages of another type":       {`{` + model + `"messages":"hi"}`, 400, "messages", "invalid_type"},
		"no user":                        {`{` + model + `"messages":[{"role":"system","content":"hi"}]}`, 400, "messages", "invalid_value"},
		"a role that is none":            {`{` + model + `"messages":[{"role":"boss","content":"hi"}]}`, 400, "messages", "invalid_value"},
		"an image":                       {`{` + model + `"messages":[{"role":"user","content":[{"type":"image_url"}]}]}`, 400, "messages", "invalid_value"},
		"a number as content":            {`{` + model + `"messages":[{"role":"user","content":5}]}`, 400, "messages", "invalid_value"},
		"a result of no call":            {`{` + model + `"messages":[{"role":"user","content":"hi"},{"role":"tool","tool_call_id":"x","content":"{}"}]}`, 400, "messages", "invalid_value"},
		"a call without a result":        {`{` + model + `"messages":[{"role":"user","content":"hi"},{"role":"assistant","tool_calls":[{"id":"x","type":"function","function":{"name":"add_tasks","arguments":"{}"}}]}]}`, 400, "messages", "invalid_value"},
		"a tool without a name":          {`{` + model + `"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{}}]}`, 400, "tools", "invalid_value"},
		"several choices":                {`{` + model + `"n":2,"messages":[{"role":"user","content":"hi"}]}`, 400, "n", "invalid_value"},
		"a choice of tools that is none": {`{` + model + `"tool_choice":"often","messages":[{"role":"user","content":"hi"}]}`, 400, "tool_choice", "invalid_value"},
		"too much":                       {`{` + model + `"messages":[{"role":"user","content":"` + strings.Repeat("x", 2000) + `"}]}`, 413, "", "request_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, answer := post(t, server, c.body)
			var got struct {
				Error struct{ Message, Type, Param, Code string }
			}
			if err := json.Unmarshal([]byte(answer), &got); err != nil || status != c.status || got.Error.Param != c.param || got.Error.Code != c.code ||
				got.Error.Type != "invalid_request_error" || got.Error.Message == "" {
				t.Errorf("%d %s", status, answer)
			}
		})
	}
	res, err := server.Client().Get(server.URL + "/v1/chat/completions")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("GET is answered with %d", res.StatusCode)
	}
}

func TestADelayIsKeptAndEndsWithTheClient(t *testing.T) {
	t.Parallel()
	_, client := start(t, offline.Options{Delay: 30 * time.Millisecond})
	begun := time.Now()
	if _, err := client.Chat.Completions.New(t.Context(), params("hi")); err != nil || time.Since(begun) < 30*time.Millisecond {
		t.Errorf("answered after %v: %v", time.Since(begun), err)
	}
	// A handler that did not notice would hold the server's Close back for an hour.
	_, slow := start(t, offline.Options{Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := slow.Chat.Completions.New(ctx, params("hi")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestAToolThatIsNotOfferedIsNotCalled(t *testing.T) {
	t.Parallel()
	_, client := start(t, offline.Options{})
	for _, say := range []string{"add buy milk", "complete buy milk", "what's due today", "delete buy milk", "how am I doing", "what did we say about milk?"} {
		said, err := client.Chat.Completions.New(t.Context(), params(say, agenttools.GetProfile))
		if err != nil {
			t.Fatal(err)
		}
		if m := said.Choices[0].Message; len(m.ToolCalls) > 0 || !strings.Contains(m.Content, "not available") {
			t.Errorf("%s: %s", say, m.RawJSON())
		}
	}
	none := params("add buy milk", agenttools.AddTasks)
	none.ToolChoice.OfAuto = openai.String("none")
	said, err := client.Chat.Completions.New(t.Context(), none)
	if err != nil || len(said.Choices[0].Message.ToolCalls) > 0 {
		t.Errorf("%v %v", said, err)
	}
}

func TestTheIntentQuestionIsAnsweredWithWords(t *testing.T) {
	t.Parallel()
	_, client := start(t, offline.Options{})
	for say, want := range map[string]string{
		"add buy milk tomorrow at 5pm, every Monday": "create", "remind me to pay rent tomorrow": "create", "what's due today?": "read",
		"how am I doing": "read", "what did we say about milk?": "read", "complete buy milk": "toggle", "reopen buy milk": "toggle",
		"move buy milk to friday": "update", "make buy milk urgent": "update", "delete buy milk": "delete", "restore buy milk": "delete", "undo": "talk, toggle, delete",
		"hi": "talk", "yes": "talk", "what is the meaning of life": "talk", "complete buy milk and then delete call mom": "toggle, delete",
	} {
		p := params(say)
		p.Messages[0] = openai.SystemMessage(agenttools.IntentPrompt)
		said, err := client.Chat.Completions.New(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		got := said.Choices[0].Message.Content
		if got != want {
			t.Errorf("%s is %q, want %q", say, got, want)
		}
		for word := range strings.SplitSeq(got, ", ") {
			if !slices.Contains(agenttools.Intents(), agenttools.Intent(word)) {
				t.Errorf("%q is no intent", word)
			}
		}
	}
}
