package rest

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/internal/contract/contracttest"
)

// bodies is one decoder after the other as the fuzzer and the tests reach them.
func bodies(t testing.TB) contracttest.Bodies {
	t.Helper()
	spec, err := GetSwagger()
	if err != nil {
		t.Fatal(err)
	}
	return contracttest.Bodies{Spec: spec, Types: map[string]func() any{
		"NewMessage":     func() any { return new(NewMessage) },
		"Decision":       func() any { return new(Decision) },
		"ChatKitRequest": func() any { return new(ChatKitRequest) },
	}}
}

func TestEveryBodyHasADecoder(t *testing.T) {
	t.Parallel()
	bodies(t).Complete(t)
}

func FuzzRequestBody(f *testing.F) {
	bodies(f).Fuzz(f,
		`{"message":"hello","conversation_id":"0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e","message_id":"0192F0C1-7B3E-7C2A-9D3E-2F6A5B4C3D2E"}`,
		`{"message":" \t\n"}`, `{"message":"\u0000"}`, `{"message":"\ud83d\ude00"}`, `{"approve":true}`, `{"approve":"yes"}`, `{"approve":null}`, `[]`, `{}`,
		`{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"hello"}],"attachments":[],"quoted_text":null,"inference_options":{"model":null,"tool_choice":null}}},"metadata":{"a":[1.5]}}`,
		`{"type":"threads.add_user_message","params":{"thread_id":"0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e","input":{"content":[{"type":"input_tag","text":"milk","data":{},"id":"7"}],"inference_options":{"tool_choice":{"id":"x"}}}}}`,
		`{"type":"items.list","params":{"thread_id":"0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e","limit":null,"after":null,"order":"asc"}}`,
		`8E858`, `{"type":"items.list","params":{"thread_id":"0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e"},"metadata":{"a":8E858}}`,
	)
}

func TestWrongFieldsAreNamed(t *testing.T) {
	t.Parallel()
	const message = "message must be 1 to 8000 characters and not only spaces"
	for name, c := range map[string]struct{ schema, body, want string }{
		"nothing said":              {"NewMessage", `{"message":""}`, message},
		"only spaces":               {"NewMessage", `{"message":" \n\t "}`, message},
		"8000 characters":           {"NewMessage", `{"message":"` + strings.Repeat("😀", 8000) + `"}`, ""},
		"8001 characters":           {"NewMessage", `{"message":"` + strings.Repeat("a", 8001) + `"}`, message},
		"no message":                {"NewMessage", `{}`, "message is required"},
		"an id that is none":        {"NewMessage", `{"message":"a","conversation_id":"7"}`, "conversation_id must be a UUID"},
		"the system's role":         {"NewMessage", `{"message":"a","role":"system"}`, "role is not a known field"},
		"a decision that is a word": {"Decision", `{"approve":"yes"}`, "approve must be true or false"},
		"no decision":               {"Decision", `{}`, "approve is required"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := bodies(t).Wrong(t, c.schema, c.body); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func FuzzMessageID(f *testing.F) {
	f.Add("ann", "key", "0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e")
	f.Add("", "{0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e}", "")
	f.Fuzz(func(t *testing.T, user, key, id string) {
		first, err := messageID(user, nil, &key)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := messageID(user, &first, &key); err != nil || again != first {
			t.Errorf("%q names %q, and then %q, %v", key, first, again, err)
		}
		if both, err := messageID(user, &id, &key); err == nil && both != canonical(id) {
			t.Errorf("%q and %q name %q", id, key, both)
		} else if err != nil && !errs.Is(err, errs.Invalid) {
			t.Error(err)
		}
	})
}

func TestAStreamIsWantedByName(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/json": false, "text/event-stream": true, "text/event-stream, application/json": true,
		"application/json, text/event-stream": true, "application/json, text/event-stream;q=0.5": false, "application/json;q=0.1, text/event-stream;q=0.5": true,
		"text/event-stream;q=0": false, "TEXT/Event-Stream": true, ";;;, text/event-stream": true, "text/event-stream;q=x": true,
	} {
		if got := wantsStream([]string{accept}); got != want {
			t.Errorf("%q: %t", accept, got)
		}
	}
}

func TestWhatASlowReaderHasNotReadIsPutTogether(t *testing.T) {
	t.Parallel()
	m := newMailbox()
	for _, e := range []agent.Event{
		agent.TextDelta{ID: "a", Text: "1"},
		agent.TextDelta{ID: "a", Text: "2"},
		agent.TextDelta{ID: "b", Text: "3"},
		agent.StepEnded{},
		agent.TextDelta{ID: "b", Text: "4"},
		agent.TextDelta{ID: "b", Text: "5"},
	} {
		m.put(e)
	}
	<-m.more
	got, behind := m.take()
	want := []agent.Event{agent.TextDelta{ID: "a", Text: "12"}, agent.TextDelta{ID: "b", Text: "3"}, agent.StepEnded{}, agent.TextDelta{ID: "b", Text: "45"}}
	if behind || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %t", got, behind)
	}
	if got, _ := m.take(); len(got) > 0 {
		t.Errorf("then %+v", got)
	}
	// A single large result is not being behind; more of it is.
	large := agent.ToolAnswered{Output: make(json.RawMessage, 2*maxWaiting)}
	m.put(large)
	if got, behind := m.take(); len(got) != 1 || behind {
		t.Errorf("a large result: %d, %t", len(got), behind)
	}
	m.put(large)
	m.put(agent.StepEnded{})
	if got, behind := m.take(); len(got) > 0 || !behind {
		t.Errorf("too much: %d, %t", len(got), behind)
	}
	m.put(agent.StepEnded{})
	if got, _ := m.take(); len(got) > 0 {
		t.Error("who was given up is told more")
	}
}

// TestAStopDoesNotWaitForARunThatIgnoresIt: it says that something was left behind.
func TestAStopDoesNotWaitForARunThatIgnoresIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRuns(New(Options{Limits: Limits{Runs: 1}}).Options, newMetrics())
		ctx, stop := context.WithCancel(t.Context())
		release := make(chan struct{})
		n, err := r.start(ctx, func(context.Context, func(agent.Event)) (agent.Answer, error) {
			<-release
			return agent.Answer{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		stop()
		if err := r.Run(ctx); err == nil || time.Since(begun) != 13*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		close(release)
		<-n.done
		synctest.Wait()
	})
}

func TestOnlyTheEndOfTheContextIsExplained(t *testing.T) {
	t.Parallel()
	live := t.Context()
	ended, cut := context.WithCancelCause(live)
	cut(errStopping)
	own := errs.New(errs.Unavailable, "The model does not answer.")
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		want string
	}{
		"no error":             {ended, nil, ""},
		"an end that was ours": {ended, context.Canceled, errs.Text(errStopping)},
		"somebody else's end":  {live, context.Canceled, ""},
		"another error":        {ended, errors.New("broken"), ""},
		"the agent's own":      {ended, errs.Because(context.Canceled, errs.Unavailable, "%s", errs.Text(own)), errs.Text(own)},
	} {
		if got := errs.Text(because(c.ctx, c.err)); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
