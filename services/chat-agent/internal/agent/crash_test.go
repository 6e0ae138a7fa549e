package agent_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/model"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// three is a model that adds, completes what was added, asks to delete it and then says so.
func three(a asked) says {
	switch a.step() {
	case 0:
		return calls(agenttools.AddTasks, map[string]any{"tasks": []any{map[string]any{"title": "milk"}}})
	case 1:
		return calls(agenttools.CompleteTasks, ids(w1(a)))
	case 2:
		return calls(agenttools.DeleteTasks, ids(w1(a)))
	default:
		return text("Added and completed milk. Please approve its deletion.")
	}
}

// TestARunThatIsCutAnywhereGoesOnWhereItWas cuts a run before and after every call of a tool and every question to the
// model, and sends the message again to another replica.
func TestARunThatIsCutAnywhereGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	for cut := range 16 {
		t.Run(fmt.Sprint("cut ", cut), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			var point atomic.Int64
			here := func() {
				if point.Add(1) == int64(cut)+1 {
					cancel(errors.New("cut"))
				}
			}
			w := begin(t, setup{script: func(a asked) says { here(); return three(a) }})
			w.tools.before = func(context.Context, string) error { here(); return nil }
			w.tools.after = func(context.Context, string) error { here(); return nil }
			w.Agent = w.another()
			q := agent.Request{UserID: user, ConversationID: conversation(), MessageID: conversation(), Text: "add milk, complete it and delete it"}
			_, _ = w.Say(ctx, q, nil)
			answer, err := w.another().Say(w.context(), q, nil)
			if err != nil {
				t.Fatal(err)
			}
			w.whole(q.ConversationID)
			if kept := w.tools.history(q.ConversationID); len(kept) != 2 {
				t.Errorf("kept %+v", kept)
			}
			if len(answer.Approvals) != 1 || !strings.HasPrefix(answer.Response, "Added and completed milk.") || outcomes(answer) != "add_tasks done, complete_tasks done, delete_tasks waiting" {
				t.Errorf("answered %+v", answer)
			}
			if w.tools.state() != "milk:completed" || strings.Join(w.tools.changes(), ",") != "add_tasks,complete_tasks,delete_tasks" {
				t.Errorf("the tasks are %s after %v", w.tools.state(), w.tools.changes())
			}
			if _, err := w.Decide(w.context(), user, answer.Approvals[0].ID, true, nil); err != nil || w.tools.state() != "milk:deleted" {
				t.Errorf("the approval says %v, the tasks are %s", err, w.tools.state())
			}
		})
	}
}

func TestADecisionThatIsCutAnywhereIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	for cut := range 8 {
		for _, said := range []bool{false, true} {
			t.Run(fmt.Sprint("cut ", cut, said), func(t *testing.T) {
				t.Parallel()
				w := begin(t, setup{titles: []string{"bread"}, script: deletes})
				c := conversation()
				id := w.say(c, "delete everything").Approvals[0].ID
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var point atomic.Int64
				here := func(context.Context, string) error {
					if point.Add(1) == int64(cut)+1 {
						cancel()
					}
					return nil
				}
				w.tools.before, w.tools.after = here, here
				q := agent.Request{UserID: user, ConversationID: c, MessageID: conversation(), Text: "yes"}
				decide := func(ctx context.Context, a *agent.Agent) (agent.Answer, error) {
					if said {
						return a.Say(ctx, q, nil)
					}
					return a.Decide(ctx, user, id, true, nil)
				}
				_, _ = decide(ctx, w.Agent)
				answer, err := decide(w.context(), w.another())
				if err != nil || answer.Response != "Done: 1 task deleted: bread." {
					t.Errorf("answered %+v, %v", answer, err)
				}
				w.whole(c)
				if len(w.tools.history(c)) != 4 || strings.Join(w.tools.changes(), ",") != "delete_tasks,delete_tasks" {
					t.Errorf("kept %+v after %v", w.tools.history(c), w.tools.changes())
				}
			})
		}
	}
}

func TestMessagesOfOneConversationAreAnsweredOneAfterTheOther(t *testing.T) {
	t.Parallel()
	var inside, most atomic.Int64
	w := begin(t, setup{script: func(a asked) says {
		if n := inside.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer inside.Add(-1)
		return text("answer to " + a.said())
	}})
	c := conversation()
	var wait sync.WaitGroup
	replicas := []*agent.Agent{w.Agent, w.another()}
	for i := range 6 {
		wait.Go(func() {
			said := fmt.Sprint("message ", i)
			answer, err := replicas[i%2].Say(w.context(), agent.Request{UserID: user, ConversationID: c, Text: said}, nil)
			if err != nil || answer.Response != "answer to "+said {
				t.Errorf("answered %q, %v", answer.Response, err)
			}
		})
	}
	wait.Wait()
	if most.Load() != 1 {
		t.Errorf("%d were answered at once", most.Load())
	}
	for i, m := range w.tools.history(c) {
		if want := map[bool]string{true: "user", false: "assistant"}[i%2 == 0]; m.Role != want {
			t.Errorf("message %d is the %s's", i, m.Role)
		}
	}
	w.whole(c)
}

func TestTheSameMessageSentManyTimesAtOnceIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{script: three})
	q := agent.Request{UserID: user, ConversationID: conversation(), MessageID: conversation(), Text: "add and complete and delete milk"}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := w.another().Say(w.context(), q, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if strings.Join(w.tools.changes(), ",") != "add_tasks,complete_tasks,delete_tasks" || len(w.tools.history(q.ConversationID)) != 2 {
		t.Errorf("kept %+v after %v", w.tools.history(q.ConversationID), w.tools.changes())
	}
}

func TestAMessageDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	w := begin(t, setup{
		script: func(asked) says { close(arrived); <-release; return text("hi") },
		edit:   func(_ *model.Config, l *agent.Limits) { l.Wait = 100 * time.Millisecond },
	})
	c := conversation()
	ended := make(chan error, 1)
	go func() {
		_, err := w.Say(w.context(), agent.Request{UserID: user, ConversationID: c, Text: "one"}, nil)
		ended <- err
	}()
	<-arrived
	if _, err := w.Say(w.context(), agent.Request{UserID: user, ConversationID: c, Text: "two"}, nil); !errs.Is(err, errs.Conflict) {
		t.Errorf("the second says %v", err)
	}
	// Another user's conversation of the same id is another one.
	close(release)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
