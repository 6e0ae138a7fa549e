package model_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/model"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	// The SDK's encoder learns types behind a WaitGroup. If the first to learn is in a synctest bubble, a test outside of
	// it that waits for the same type crashes in the runtime (Go 1.26.8). So all types are learnt before.
	client, _ := through(func(int, *http.Request) (*http.Response, error) { return response(http.StatusOK, fine), nil }).client(patient("http://x"))
	if _, err := client.Ask(context.Background(), question(), nil); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

const key = "sk-very-secret"

// patient are settings with which a test does not wait.
func patient(base string) model.Config {
	u, err := url.Parse(base)
	if err != nil {
		panic(err)
	}
	return model.Config{
		Key: config.NewSecret(key), BaseURL: u, Model: "m", Silence: 10 * time.Second, Timeout: 30 * time.Second,
		MaxTokens: 100, Failures: 100, Pause: time.Minute, RetryAfter: 10 * time.Second,
	}
}

func ask(t *testing.T, c model.Config, h http.HandlerFunc, stream bool) (model.Reply, string, error) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c.BaseURL, _ = url.Parse(server.URL + "/v1")
	client := model.New(c)
	t.Cleanup(client.Close)
	var told strings.Builder
	onText := func(piece string) { told.WriteString(piece) }
	if !stream {
		onText = nil
	}
	reply, err := client.Ask(t.Context(), question(), onText)
	return reply, told.String(), err
}

func question() model.Question {
	return model.Question{
		System: "be good",
		Turns: []model.Turn{
			{Text: "list my tasks"},
			{Role: model.Assistant, Calls: []model.Call{{ID: "c1", Name: "find_tasks", Arguments: `{}`}}},
			{Role: model.ToolResult, CallID: "c1", Text: "none"},
		},
		Tools: []model.Tool{{Name: "find_tasks", Description: "finds", Parameters: map[string]any{"type": "object"}}},
	}
}

func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
	}
}

func events(chunks ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, c := range chunks {
			_, _ = fmt.Fprintf(w, "data: %s\n\n", c)
			w.(http.Flusher).Flush()
		}
	}
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, `{"error":{"message":"the raw body with `+key+`","type":"x"}}`)
	}
}

const (
	fine      = `{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"No tasks."}}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`
	delta     = `{"choices":[{"index":0,"delta":{"content":%q}}]}`
	finish    = `{"choices":[{"index":0,"delta":{},"finish_reason":%q}]}`
	callDelta = `{"choices":[{"index":0,"delta":{"tool_calls":[{"index":%d,"id":%q,"function":{"name":%q,"arguments":%q}}]}}]}`
)

func TestAnAnswerIsReadWholeOrInPieces(t *testing.T) {
	t.Parallel()
	type want struct {
		text, told string
		calls      []model.Call
		end        model.End
		in, out    int
	}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		stream  bool
		want    want
	}{
		"a text": {body(fine), false, want{text: "No tasks.", in: 7, out: 3}},
		"calls, one with arguments that are no JSON": {
			body(`{"choices":[{"finish_reason":"tool_calls","message":{"content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"x","arguments":"{\"q\":1}"}},{"id":"b","type":"function","function":{"name":"y","arguments":"{\"q\":"}}]}}]}`), false,
			want{calls: []model.Call{{ID: "a", Name: "x", Arguments: `{"q":1}`}, {ID: "b", Name: "y", Arguments: `{"q":`}}},
		},
		"a refusal":               {body(`{"choices":[{"finish_reason":"stop","message":{"refusal":"I will not."}}]}`), false, want{text: "I will not."}},
		"cut at the token limit":  {body(`{"choices":[{"finish_reason":"length","message":{"content":"No ta","tool_calls":[{"id":"a","type":"function","function":{"name":"x","arguments":"{"}}]}}]}`), false, want{text: "No ta", end: model.Cut}},
		"ended by the filter":     {body(`{"choices":[{"finish_reason":"content_filter","message":{"content":""}}]}`), false, want{end: model.Filtered}},
		"a text without an end":   {body(`{"choices":[{"message":{"content":"Hi"}}]}`), false, want{text: "Hi"}},
		"a text with NUL":         {body(`{"choices":[{"message":{"content":"H\u0000i"}}]}`), false, want{text: "Hi"}},
		"a streamed text":         {events(fmt.Sprintf(delta, "No "), fmt.Sprintf(delta, "tasks."), fmt.Sprintf(finish, "stop"), `{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`, "[DONE]"), true, want{text: "No tasks.", told: "No tasks.", in: 7, out: 3}},
		"a stream without [DONE]": {events(fmt.Sprintf(delta, "Hi"), fmt.Sprintf(finish, "stop")), true, want{text: "Hi", told: "Hi"}},
		"streamed calls in pieces": {
			events(fmt.Sprintf(callDelta, 0, "a", "x", ""), fmt.Sprintf(callDelta, 0, "", "", `{"q"`), fmt.Sprintf(callDelta, 1, "b", "y", `{}`), fmt.Sprintf(callDelta, 0, "", "", `:1}`), fmt.Sprintf(finish, "tool_calls"), "[DONE]"), true,
			want{calls: []model.Call{{ID: "a", Name: "x", Arguments: `{"q":1}`}, {ID: "b", Name: "y", Arguments: `{}`}}},
		},
		"streamed calls that are all numbered 0": {
			events(fmt.Sprintf(callDelta, 0, "a", "x", `{}`), fmt.Sprintf(callDelta, 0, "b", "y", `{}`), fmt.Sprintf(finish, "tool_calls")), true,
			want{calls: []model.Call{{ID: "a", Name: "x", Arguments: `{}`}, {ID: "b", Name: "y", Arguments: `{}`}}},
		},
		"a stream cut at the token limit": {events(fmt.Sprintf(delta, "No ta"), fmt.Sprintf(finish, "length"), "[DONE]"), true, want{text: "No ta", told: "No ta", end: model.Cut}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reply, told, err := ask(t, patient("http://x"), c.handler, c.stream)
			if err != nil {
				t.Fatal(err)
			}
			got := want{reply.Text, told, reply.Calls, reply.End, reply.InputTokens, reply.OutputTokens}
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", c.want) {
				t.Errorf("read %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestWhatIsNoAnswerIsAFaultThatTellsNothing(t *testing.T) {
	t.Parallel()
	broken := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprintf(w, "data: "+delta+"\n\n", "I deleted ")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	silent := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not see the client go
		<-r.Context().Done()
	}
	many := strings.Repeat(`{"id":"a","type":"function","function":{"name":"x","arguments":"{}"}},`, 65)
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		stream  bool
		kind    model.Kind
		told    string
	}{
		"no JSON":                   {body("<html>"), false, model.Garbage, ""},
		"another type":              {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }, false, model.Garbage, ""},
		"JSON of another shape":     {body(`[1,2]`), false, model.Garbage, ""},
		"no choices":                {body(`{"choices":[]}`), false, model.Garbage, ""},
		"choices of a wrong type":   {body(`{"choices":"none"}`), false, model.Garbage, ""},
		"a message of a wrong type": {body(`{"choices":[{"finish_reason":"stop","message":7}]}`), false, model.Garbage, ""},
		"an empty answer":           {body(`{"choices":[{"finish_reason":"stop","message":{"content":" "}}]}`), false, model.Garbage, ""},
		"too many calls":            {body(`{"choices":[{"message":{"tool_calls":[` + many[:len(many)-1] + `]}}]}`), false, model.Garbage, ""},
		"too long a text":           {body(`{"choices":[{"message":{"content":"` + strings.Repeat("x", 300<<10) + `"}}]}`), false, model.Garbage, ""},
		"too long a body":           {body(`{"x":"` + strings.Repeat("x", 9<<20) + `"}`), false, model.Garbage, ""},
		"a wrong key":               {status(401), false, model.Refused, ""},
		"a question refused":        {status(400), false, model.Refused, ""},
		"busy":                      {status(429), false, model.Busy, ""},
		"failing":                   {status(500), false, model.Failing, ""},
		"failing with a page": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>"+key, http.StatusServiceUnavailable)
		}, true, model.Failing, ""},
		"no stream but JSON":          {body(fine), true, model.Garbage, ""},
		"a stream of no JSON":         {events("<html>"), true, model.Garbage, ""},
		"an empty stream":             {events(), true, model.Garbage, ""},
		"a stream with an error":      {events(fmt.Sprintf(delta, "I deleted "), `{"error":{"message":"`+key+`"}}`), true, model.Broken, "I deleted "},
		"a stream that turns garbage": {events(fmt.Sprintf(delta, "I deleted "), `{"choices":`), true, model.Broken, "I deleted "},
		"a stream that just ends":     {events(fmt.Sprintf(delta, "I deleted ")), true, model.Broken, "I deleted "},
		"a connection that breaks":    {broken, true, model.Broken, "I deleted "},
		"silence":                     {silent, false, model.Silent, ""},
		"silence where a stream was":  {silent, true, model.Silent, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := patient("http://x")
			if c.kind == model.Silent {
				settings.Silence = 50 * time.Millisecond
			}
			reply, told, err := ask(t, settings, c.handler, c.stream)
			fault, ok := errors.AsType[*model.Fault](err)
			if !ok || fault.Kind != c.kind {
				t.Fatalf("answered %+v, %v; want a fault that is %s", reply, err, c.kind)
			}
			if !errs.Is(err, errs.Unavailable) || errs.Text(err) != model.Unavailable {
				t.Errorf("the user is told %q (%v)", errs.Text(err), errs.KindOf(err))
			}
			if text := fmt.Sprintf("%v %+v", err, fault); strings.Contains(text, key) || strings.Contains(text, "html") || strings.Contains(text, "raw") {
				t.Errorf("the error shows what it must not: %s", text)
			}
			if told != c.told {
				t.Errorf("told %q, want %q", told, c.told)
			}
		})
	}
}

func TestAModelThatCannotBeReachedIsNamedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	client := model.New(patient("http://user:password@" + addr))
	defer client.Close()
	_, err = client.Ask(t.Context(), question(), nil)
	fault, ok := errors.AsType[*model.Fault](err)
	if !ok || fault.Kind != model.Unreachable || !strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), "password") {
		t.Errorf("it says %v", err)
	}
}

func TestAQuestionIsSentAsChatCompletionsWantsIt(t *testing.T) {
	t.Parallel()
	var sent struct {
		Model    string
		Messages []struct {
			Role       string
			Content    any
			ToolCallID string `json:"tool_call_id"`
			ToolCalls  []struct {
				ID       string
				Function struct{ Name, Arguments string }
			} `json:"tool_calls"`
		}
		Tools               []struct{ Function struct{ Name string } }
		MaxCompletionTokens int `json:"max_completion_tokens"`
		Stream              bool
	}
	var authorization, path string
	_, _, err := ask(t, patient("http://x"), func(w http.ResponseWriter, r *http.Request) {
		authorization, path = r.Header.Get("Authorization"), r.URL.Path
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		body(fine)(w, r)
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "Bearer "+key || path != "/v1/chat/completions" || sent.Model != "m" || sent.MaxCompletionTokens != 100 || sent.Stream {
		t.Errorf("sent %+v to %s with %q", sent, path, authorization)
	}
	if m := sent.Messages; len(m) != 4 || m[0].Role != "system" || m[1].Role != "user" || m[2].Role != "assistant" || len(m[2].ToolCalls) != 1 ||
		m[2].ToolCalls[0].ID != "c1" || m[2].ToolCalls[0].Function.Name != "find_tasks" || m[3].Role != "tool" || m[3].ToolCallID != "c1" {
		t.Errorf("sent the messages %+v", sent.Messages)
	}
	if len(sent.Tools) != 1 || sent.Tools[0].Function.Name != "find_tasks" {
		t.Errorf("sent the tools %+v", sent.Tools)
	}
}

// through answers requests without a network, so that time can be made in a bubble.
type through func(n int, r *http.Request) (*http.Response, error)

func (f through) client(c model.Config) (*model.Client, *atomic.Int64) {
	var asked atomic.Int64
	return model.NewThrough(c, roundTripper(func(r *http.Request) (*http.Response, error) {
		return f(int(asked.Add(1)), r)
	})), &asked
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func response(code int, text string, header ...string) *http.Response {
	r := httptest.NewRecorder()
	r.Header().Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header().Set(header[i], header[i+1])
	}
	r.WriteHeader(code)
	_, _ = r.WriteString(text)
	return r.Result()
}

func TestWhatMayPassIsTriedAgainAfterAPause(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first   func() (*http.Response, error)
		asked   int64
		atLeast time.Duration
		atMost  time.Duration
		fails   bool
	}{
		"busy":                       {func() (*http.Response, error) { return response(429, "{}"), nil }, 2, 250 * time.Millisecond, 500 * time.Millisecond, false},
		"busy for a while":           {func() (*http.Response, error) { return response(429, "{}", "Retry-After", "7"), nil }, 2, 7 * time.Second, 8 * time.Second, false},
		"busy for too long":          {func() (*http.Response, error) { return response(429, "{}", "Retry-After", "3600"), nil }, 1, 0, 0, true},
		"failing":                    {func() (*http.Response, error) { return response(502, "<html>"), nil }, 2, 250 * time.Millisecond, 500 * time.Millisecond, false},
		"unreachable":                {func() (*http.Response, error) { return nil, errors.New("reset") }, 2, 250 * time.Millisecond, 500 * time.Millisecond, false},
		"garbage":                    {func() (*http.Response, error) { return response(200, "{}"), nil }, 2, 250 * time.Millisecond, 500 * time.Millisecond, false},
		"refused":                    {func() (*http.Response, error) { return response(401, "{}"), nil }, 1, 0, 0, true},
		"busy with a senseless wait": {func() (*http.Response, error) { return response(429, "{}", "Retry-After", "soon"), nil }, 2, 250 * time.Millisecond, 500 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				settings := patient("http://x")
				settings.Retries = 2
				client, asked := through(func(n int, _ *http.Request) (*http.Response, error) {
					if n == 1 {
						return c.first()
					}
					return response(200, fine), nil
				}).client(settings)
				began := time.Now()
				_, err := client.Ask(t.Context(), question(), nil)
				if (err != nil) != c.fails {
					t.Errorf("it says %v", err)
				}
				if took := time.Since(began); took < c.atLeast || took > c.atMost || asked.Load() != c.asked {
					t.Errorf("asked %d times in %v", asked.Load(), took)
				}
			})
		})
	}
}

func TestTriesEndWithTheTimeOfTheQuestion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		settings := patient("http://x")
		settings.Retries, settings.Silence, settings.Timeout = 10, 10*time.Second, 25*time.Second
		client, asked := through(func(_ int, r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}).client(settings)
		began := time.Now()
		_, err := client.Ask(t.Context(), question(), nil)
		if fault, ok := errors.AsType[*model.Fault](err); !ok || fault.Kind != model.Silent {
			t.Errorf("it says %v", err)
		}
		if took := time.Since(began); took != 25*time.Second || asked.Load() != 3 {
			t.Errorf("asked %d times in %v", asked.Load(), took)
		}
	})
}

func TestASlowStreamIsAliveAsLongAsSomethingComes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _ := through(func(_ int, r *http.Request) (*http.Response, error) {
			read, write := io.Pipe()
			go func() {
				for range 5 {
					<-time.After(8 * time.Second)
					_, _ = fmt.Fprintf(write, "data: "+delta+"\n\n", "word ")
				}
				_, _ = fmt.Fprintf(write, "data: "+finish+"\n\ndata: [DONE]\n\n", "stop")
				_ = write.Close()
			}()
			context.AfterFunc(r.Context(), func() { _ = write.CloseWithError(r.Context().Err()) })
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: read, Request: r}, nil
		}).client(func() model.Config { c := patient("http://x"); c.Timeout = time.Minute; return c }())
		reply, err := client.Ask(t.Context(), question(), func(string) {})
		if err != nil || reply.Text != strings.Repeat("word ", 5) {
			t.Errorf("read %q, %v", reply.Text, err)
		}
	})
}

func TestAModelThatIsDownIsLeftAloneAndThenTriedByOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		settings := patient("http://x")
		settings.Failures, settings.Pause = 3, 15*time.Second
		var up atomic.Bool
		probing := make(chan struct{})
		client, asked := through(func(n int, _ *http.Request) (*http.Response, error) {
			if !up.Load() {
				return response(500, "{}"), nil
			}
			if n == 5 {
				<-probing
			}
			return response(200, fine), nil
		}).client(settings)
		kind := func() model.Kind {
			_, err := client.Ask(t.Context(), question(), nil)
			if fault, ok := errors.AsType[*model.Fault](err); ok {
				return fault.Kind
			}
			return ""
		}
		for range 3 {
			if k := kind(); k != model.Failing {
				t.Errorf("while it fails it is %q", k)
			}
		}
		if k := kind(); k != model.Down || asked.Load() != 3 {
			t.Errorf("after 3 failures it is %q and was asked %d times", k, asked.Load())
		}
		<-time.After(15*time.Second + 1)
		if k := kind(); k != model.Failing || asked.Load() != 4 {
			t.Errorf("the probe is %q, it was asked %d times", k, asked.Load())
		}
		if k := kind(); k != model.Down {
			t.Errorf("after the probe failed it is %q", k)
		}
		up.Store(true)
		<-time.After(15*time.Second + 1)
		probe := make(chan model.Kind, 1)
		go func() { probe <- kind() }()
		synctest.Wait()
		if k := kind(); k != model.Down || asked.Load() != 5 {
			t.Errorf("beside the probe it is %q, it was asked %d times", k, asked.Load())
		}
		close(probing)
		if k := <-probe; k != "" {
			t.Errorf("the probe is %q", k)
		}
		if k := kind(); k != "" || asked.Load() != 6 {
			t.Errorf("afterwards it is %q", k)
		}
	})
}

func TestTheCircuitDoesNotBlameTheModelForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		settings := patient("http://x")
		settings.Failures = 1
		client, asked := through(func(n int, r *http.Request) (*http.Response, error) {
			switch n {
			case 1:
				return response(400, "{}"), nil
			case 2:
				<-r.Context().Done()
				return nil, r.Context().Err()
			default:
				return response(200, fine), nil
			}
		}).client(settings)
		if _, err := client.Ask(t.Context(), question(), nil); err == nil {
			t.Error("a refused question was answered")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := client.Ask(ctx, question(), nil); !errors.Is(err, context.DeadlineExceeded) || errs.Is(err, errs.Unavailable) {
			t.Errorf("a caller that went is told %v", err)
		}
		if _, err := client.Ask(t.Context(), question(), nil); err != nil || asked.Load() != 3 {
			t.Errorf("the third question is told %v", err)
		}
	})
}

func TestSettings(t *testing.T) {
	t.Parallel()
	lookup := func(with map[string]string) func(string) (string, bool) {
		return func(name string) (string, bool) { v, ok := with[name]; return v, ok }
	}
	c, err := config.Load[model.Config](lookup(nil))
	if err != nil || c.Model != "gpt-6-luna" || c.BaseURL.String() != "https://api.openai.com/v1" {
		t.Errorf("the defaults are %+v, %v", c, err)
	}
	for name, value := range map[string]string{
		"OPENAI_BASE_URL": "ftp://x/", "OPENAI_TRY_TIMEOUT": "0s", "OPENAI_TIMEOUT": "1s", "OPENAI_RETRIES": "-1",
		"OPENAI_MAX_TOKENS": "0", "OPENAI_CIRCUIT_FAILURES": "0", "OPENAI_CIRCUIT_PAUSE": "0s",
	} {
		if _, err := config.Load[model.Config](lookup(map[string]string{name: value})); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s says %v", name, value, err)
		}
	}
}

// FuzzAnswer: whatever a server sends, Ask neither panics nor passes off what is cut as whole.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(fine), false)
	f.Add([]byte("data: "+fmt.Sprintf(callDelta, 0, "a", "x", `{"q":`)+"\n\ndata: "+fmt.Sprintf(finish, "tool_calls")+"\n\ndata: [DONE]\n\n"), true)
	f.Add([]byte(`{"choices":[{"finish_reason":"length","message":{"content":1,"tool_calls":[{"function":{"name":null,"arguments":{}}}]}}]}`), false)
	f.Add([]byte("data: {\"choices\":[{\"index\":-1,\"delta\":{\"tool_calls\":[{\"index\":-9223372036854775808}]}}]}\n\n"), true)
	f.Fuzz(func(t *testing.T, data []byte, stream bool) {
		kind := "application/json"
		if stream {
			kind = "text/event-stream"
		}
		client, _ := through(func(int, *http.Request) (*http.Response, error) {
			return response(200, string(data), "Content-Type", kind), nil
		}).client(patient("http://x"))
		var told strings.Builder
		onText := func(piece string) { told.WriteString(piece) }
		if !stream {
			onText = nil
		}
		reply, err := client.Ask(t.Context(), question(), onText)
		if err != nil {
			if !errs.Is(err, errs.Unavailable) {
				t.Errorf("it says %v", err)
			}
			return
		}
		if reply.End == model.Whole && strings.TrimSpace(reply.Text) == "" && len(reply.Calls) == 0 || reply.End != model.Whole && len(reply.Calls) > 0 {
			t.Errorf("an answer that is none: %+v", reply)
		}
		if stream && told.String() != reply.Text {
			t.Errorf("told %q of %q", told.String(), reply.Text)
		}
	})
}
