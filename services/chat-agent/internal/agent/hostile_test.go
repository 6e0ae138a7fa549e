package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/model"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

func status(code int) says {
	return says{raw: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", code) }}
}

func garbage() says {
	return says{raw: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }}
}

func hang() says {
	return says{raw: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }}
}

// breaks begins to stream a lie and stops in the middle.
func breaks() says {
	return says{raw: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprintf(w, "data: %s\n\n", `{"choices":[{"index":0,"delta":{"content":"I have deleted all your ta"}}]}`)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}}
}

func addMilk() says {
	return calls(agenttools.AddTasks, map[string]any{"tasks": []any{map[string]any{"title": "milk"}}})
}

// first answers each question with the next of some answers, and the last one for ever.
func first(answers ...says) func(asked) says {
	return func(a asked) says { return answers[min(a.step(), len(answers)-1)] }
}

func impatient(m *model.Config, _ *agent.Limits) { m.Silence = 300 * time.Millisecond }

// TestWhateverTheModelDoesTheAnswerIsHonest: each case says "add milk", which an honest model answers with one call.
func TestWhateverTheModelDoesTheAnswerIsHonest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script func(asked) says
		edit   func(*model.Config, *agent.Limits)
		stream bool
		// state is the tasks afterwards, outcomes the receipts, and has is in the answer.
		state, outcomes string
		has             []string
		hasNot          []string
	}{
		"it lies": {
			script: first(text(`I've added "milk" for you.`)),
			has:    []string{"Nothing was changed: no tool confirmed it."},
		},
		"it lies at the start of a sentence": {script: first(text("Sure! Added milk to your list.")), has: []string{"Nothing was changed"}},
		"it lies in the passive":             {script: first(text("Your task has been created.")), has: []string{"Nothing was changed"}},
		"it lies in one word":                {script: first(text("Done!")), has: []string{"Nothing was changed"}},
		"it says the truth":                  {script: first(text("I cannot add tasks today.")), hasNot: []string{"Nothing was changed"}},
		"it denies":                          {script: first(text("Nothing has been changed. I have not added it.")), hasNot: []string{"no tool confirmed"}},
		"it asks back":                       {script: first(text("Which milk should I add?")), hasNot: []string{"Nothing was changed"}},
		"it says what is there": {
			script: first(calls(agenttools.FindTasks, map[string]any{}), text("Completed tasks: none.\nYour open tasks:\n- \"bread\", completed yesterday")),
			hasNot: []string{"Nothing was changed"}, outcomes: "find_tasks done",
		},
		"it calls an unknown tool and then corrects itself": {
			script: first(calls("make_tea", map[string]any{}), addMilk(), text("Added milk.")),
			state:  "milk:open", outcomes: "add_tasks done", has: []string{"Added milk."}, hasNot: []string{"Nothing"},
		},
		"it calls unknown tools only": {
			script: first(calls("make_tea", map[string]any{})), has: []string{"Nothing was changed.", "too many steps"},
		},
		"it may not call the agent's memory": {
			script: first(calls(agenttools.AppendMessages, map[string]any{"conversation_id": "x"}), text("I could not.")), has: []string{"I could not."},
		},
		"it sends broken JSON and then corrects itself": {
			script: first(says{calls: []call{{agenttools.AddTasks, `{"tasks":[{"title":"mi`}}}, addMilk(), text("Added milk.")),
			state:  "milk:open", outcomes: "add_tasks done", hasNot: []string{"Nothing"},
		},
		"it sends broken JSON only": {
			script: first(says{calls: []call{{agenttools.AddTasks, `{"tasks":`}}}, text("Done.")), has: []string{"Nothing was changed"},
		},
		"it sends JSON that is no object": {
			script: first(says{calls: []call{{agenttools.AddTasks, `["milk"]`}, {agenttools.AddTasks, `null`}}}, text("It did not work.")), has: []string{"It did not work."},
		},
		"it sends arguments that the tool refuses and then corrects itself": {
			script:   first(calls(agenttools.AddTasks, map[string]any{"titles": "milk"}), addMilk(), text("Added milk.")),
			state:    "milk:open",
			outcomes: "add_tasks failed, add_tasks done", hasNot: []string{"failed"},
		},
		"it does what was not asked for": {
			script:   first(calls(agenttools.CompleteTasks, ids("nobody")), text("All set.")),
			outcomes: "complete_tasks waiting", has: []string{"Waiting for your approval"},
		},
		"it hides that its call failed": {
			script:   first(calls(agenttools.AddTasks, map[string]any{"tasks": []any{map[string]any{"title": ""}}}), text("All set, have a nice day.")),
			outcomes: "add_tasks failed", has: []string{"This failed: add tasks.", "the title is empty"},
		},
		"it hides that a part failed": {
			script: first(calls(agenttools.AddTasks, map[string]any{"tasks": []any{map[string]any{"title": "milk"}, map[string]any{"title": ""}}}), text("Added both.")),
			state:  "milk:open", outcomes: "add_tasks done", has: []string{"Not all of it was done: 1 item not done (the title is empty)."},
		},
		"it does the same again and again": {
			script: first(addMilk()), state: "milk:open", outcomes: "add_tasks done", has: []string{"Done so far: 1 task added: milk.", "too many steps"},
		},
		"it reads again and again": {
			script: first(calls(agenttools.FindTasks, map[string]any{})), has: []string{"Nothing was changed.", "too many steps"},
			outcomes: strings.TrimSuffix(strings.Repeat("find_tasks done, ", 8), ", "),
		},
		"it wants everything at once": {
			script: func(asked) says {
				var s says
				for range 30 {
					s.calls = append(s.calls, call{agenttools.FindTasks, "{}"})
				}
				return s
			},
			has: []string{"too many tool calls"}, outcomes: strings.TrimSuffix(strings.Repeat("find_tasks done, ", 20), ", "),
		},
		"it talks too much": {
			script: first(calls(agenttools.FindTasks, map[string]any{}), text("never asked")),
			edit:   func(_ *model.Config, l *agent.Limits) { l.Tokens = 110 }, outcomes: "find_tasks done", has: []string{"this became too long"},
		},
		"it is cut at the limit": {
			script: first(says{text: "I have added mi", end: "length"}), has: []string{"I have added mi …", "Nothing was changed.", "the answer became too long"},
		},
		"it is filtered": {script: first(says{end: "content_filter"}), has: []string{"Nothing was changed.", "content filter"}},
		"it fails after a change": {
			script: first(addMilk(), status(500)), state: "milk:open", outcomes: "add_tasks done",
			has: []string{"Done so far: 1 task added: milk.", "I could not finish", "not available"},
		},
		"it is busy after a change":        {script: first(addMilk(), status(429)), state: "milk:open", outcomes: "add_tasks done", has: []string{"Done so far: 1 task added: milk."}},
		"it talks garbage after a change":  {script: first(addMilk(), garbage()), state: "milk:open", outcomes: "add_tasks done", has: []string{"Done so far: 1 task added: milk."}},
		"it says nothing after a change":   {script: first(addMilk(), text("")), state: "milk:open", outcomes: "add_tasks done", has: []string{"Done so far: 1 task added: milk."}},
		"it hangs after a change":          {script: first(addMilk(), hang()), edit: impatient, state: "milk:open", outcomes: "add_tasks done", has: []string{"Done so far: 1 task added: milk."}},
		"it takes too long after a change": {script: first(addMilk(), hang()), edit: func(_ *model.Config, l *agent.Limits) { l.Time = time.Second }, state: "milk:open", outcomes: "add_tasks done", has: []string{"Done so far: 1 task added: milk.", "this took too long"}},
		"it stops in the middle after a change": {
			script: first(addMilk(), breaks()), stream: true, state: "milk:open", outcomes: "add_tasks done",
			has: []string{"I have deleted all your ta …", "Done so far: 1 task added: milk."},
		},
		"it takes too long with nothing done": {
			script: first(hang()), edit: func(_ *model.Config, l *agent.Limits) { l.Time = 300 * time.Millisecond }, has: []string{"Nothing was changed.", "this took too long"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t, setup{script: c.script, edit: c.edit})
			conv := conversation()
			var see func(agent.Event)
			if c.stream {
				see = func(agent.Event) {}
			}
			answer, err := w.Say(w.context(), agent.Request{UserID: user, ConversationID: conv, Text: "add milk"}, see)
			if err != nil {
				t.Fatal(err)
			}
			w.whole(conv)
			if got := w.tools.state(); got != c.state {
				t.Errorf("tasks are %q, want %q", got, c.state)
			}
			if got := outcomes(answer); got != c.outcomes {
				t.Errorf("receipts are %q, want %q", got, c.outcomes)
			}
			for _, has := range c.has {
				if !strings.Contains(answer.Response, has) {
					t.Errorf("answered %q, want %q in it", answer.Response, has)
				}
			}
			for _, hasNot := range c.hasNot {
				if strings.Contains(answer.Response, hasNot) {
					t.Errorf("answered %q, want no %q in it", answer.Response, hasNot)
				}
			}
			if kept := w.tools.history(conv); len(kept) != 2 || kept[1].Text != answer.Response {
				t.Errorf("kept %+v", kept)
			}
		})
	}
}

// While the model gives no answer and nothing was done, the message is kept and can be sent again.
func TestAModelThatIsAwayKeepsTheMessage(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]says{"failing": status(500), "busy": status(429), "garbage": garbage(), "hanging": hang(), "breaking": breaks(), "refusing": status(401)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var up atomic.Bool
			w := begin(t, setup{edit: impatient, script: func(a asked) says {
				if !up.Load() {
					return bad
				}
				return first(addMilk(), text("Added milk."))(a)
			}})
			q := agent.Request{UserID: user, ConversationID: conversation(), MessageID: conversation(), Text: "add milk"}
			_, err := w.Say(w.context(), q, func(agent.Event) {})
			if !errs.Is(err, errs.Unavailable) || errs.Text(err) != model.Unavailable {
				t.Fatalf("it says %v", err)
			}
			if kept := w.tools.history(q.ConversationID); len(kept) != 1 || kept[0].Text != "add milk" {
				t.Errorf("kept %+v", kept)
			}
			up.Store(true)
			answer, err := w.Say(w.context(), q, nil)
			if err != nil || answer.Response != "Added milk." || w.tools.state() != "milk:open" {
				t.Errorf("then answered %+v, %v", answer, err)
			}
			w.whole(q.ConversationID)
		})
	}
}

func TestNobodyKnowsWhetherACallWithoutAnswerWasExecuted(t *testing.T) {
	t.Parallel()
	for name, silent := range map[string]string{"and it was": "after", "and it was not": "before"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t, setup{
				script: func(a asked) says {
					switch a.step() {
					case 0:
						return addMilk()
					case 1:
						return calls(agenttools.AddTasks, map[string]any{"tasks": []any{map[string]any{"title": "oat milk"}}})
					default:
						return text("Added milk.")
					}
				},
				edit: func(_ *model.Config, l *agent.Limits) { l.Call = 300 * time.Millisecond },
			})
			lost := func(ctx context.Context, tool string) error {
				if tool == agenttools.AddTasks {
					<-ctx.Done()
					return ctx.Err()
				}
				return nil
			}
			want := ""
			if silent == "after" {
				w.tools.after, want = lost, "milk:open"
			} else {
				w.tools.before = lost
			}
			answer := w.say(conversation(), "add milk")
			if outcomes(answer) != "add_tasks unknown" || !strings.Contains(answer.Response, "Nobody knows whether this was done: add tasks.") {
				t.Errorf("answered %+v", answer)
			}
			if strings.Contains(answer.Response, "Nothing was changed") || w.tools.state() != want {
				t.Errorf("answered %q while the tasks are %q", answer.Response, w.tools.state())
			}
		})
	}
}

// A model may ask again for a call whose answer was lost: it is the same call, and what is found out then counts.
func TestACallWithoutAnswerThatIsMadeAgainIsTheSameCall(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{
		script: first(addMilk(), addMilk(), text("Added milk.")),
		edit:   func(_ *model.Config, l *agent.Limits) { l.Call = time.Second },
	})
	lost := 0
	w.tools.after = func(ctx context.Context, tool string) error {
		if tool == agenttools.AddTasks {
			if lost++; lost == 1 {
				<-ctx.Done()
				return ctx.Err()
			}
		}
		return nil
	}
	answer := w.say(conversation(), "add milk")
	if outcomes(answer) != "add_tasks done" || answer.Response != "Added milk." || w.tools.state() != "milk:open" {
		t.Errorf("answered %+v with %s", answer, w.tools.state())
	}
}

func TestWithoutToolsNothingIsAnswered(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{script: first(text("hi"))})
	w.tools.before = func(context.Context, string) error { return errors.New("down") }
	if _, err := w.Say(w.context(), agent.Request{UserID: user, Text: "hi"}, nil); !errs.Is(err, errs.Unavailable) || errs.Text(err) == "" {
		t.Errorf("it says %v", err)
	}
	w.state.down = true
	if _, err := w.Say(w.context(), agent.Request{UserID: user, Text: "hi"}, nil); !errs.Is(err, errs.Unavailable) || errs.Text(err) == "" {
		t.Errorf("without a state store it says %v", err)
	}
	if len(w.asked) != 0 {
		t.Error("the model was asked")
	}
}
