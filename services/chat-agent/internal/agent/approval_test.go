package agent_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// deletes is a model that deletes all it finds when it is told to delete, and says so wrongly.
func deletes(a asked) says {
	switch {
	case !strings.Contains(a.said(), "delete"):
		return text("Hello.")
	case a.step() == 0:
		return calls(agenttools.FindTasks, map[string]any{})
	case a.step() == 1:
		return calls(agenttools.DeleteTasks, ids(allIDs(a)...))
	default:
		return text("Please approve it.")
	}
}

func allIDs(a asked) []string {
	var all []string
	for _, part := range strings.Split(a.results(), `"id":"`)[1:] {
		id, _, _ := strings.Cut(part, `"`)
		all = append(all, id)
	}
	return all
}

func TestADeletionWaitsForApprovalAndIsDoneOnce(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{titles: []string{"bread", "milk"}, script: deletes})
	c := conversation()
	asks := w.say(c, "delete everything")
	if w.tools.state() != "bread:open, milk:open" || outcomes(asks) != "find_tasks done, delete_tasks waiting" || len(asks.Approvals) != 1 {
		t.Fatalf("answered %+v while the tasks are %s", asks, w.tools.state())
	}
	a := asks.Approvals[0]
	if a.Summary != "Delete 2 tasks" || strings.Join(a.Tasks, ",") != "bread,milk" || a.Tool != agenttools.DeleteTasks || asks.Response != "Please approve it." {
		t.Errorf("asks %+v: %q", a, asks.Response)
	}
	if _, err := w.Decide(w.context(), "somebody else", a.ID, true, nil); !errs.Is(err, errs.NotFound) {
		t.Errorf("somebody else's decision says %v", err)
	}
	// Twenty clicks, on two replicas.
	var wait sync.WaitGroup
	answers := make([]agent.Answer, 20)
	replicas := []*agent.Agent{w.Agent, w.another()}
	for i := range answers {
		wait.Go(func() {
			var err error
			if answers[i], err = replicas[i%2].Decide(w.context(), user, strings.ToUpper(a.ID), true, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for _, answer := range answers {
		if fmt.Sprintf("%+v", answer) != fmt.Sprintf("%+v", answers[0]) {
			t.Errorf("answered %+v and %+v", answers[0], answer)
		}
	}
	if got := answers[0]; outcomes(got) != "delete_tasks done" || got.Response != "Done: 2 tasks deleted: bread, milk." || len(got.TaskIDs) != 2 || strings.Contains(fmt.Sprint(got), confirmation) {
		t.Errorf("answered %+v", got)
	}
	if w.tools.state() != "bread:deleted, milk:deleted" || strings.Join(w.tools.changes(), ",") != "delete_tasks,delete_tasks" {
		t.Errorf("the tasks are %s after %v", w.tools.state(), w.tools.changes())
	}
	if _, err := w.Decide(w.context(), user, a.ID, false, nil); !errs.Is(err, errs.Conflict) || errs.Text(err) != "This was approved already." {
		t.Errorf("the other decision says %v", err)
	}
	w.whole(c)
	kept := w.tools.history(c)
	if len(kept) != 4 || kept[2].Text != "Approved: Delete 2 tasks." || kept[3].InReplyTo != kept[2].ID {
		t.Errorf("kept %+v", kept)
	}
}

func TestWhoDeletesWhatRepeatsIsToldThatItEnds(t *testing.T) {
	t.Parallel()
	for want, series := range map[string]int{
		"Delete 3 tasks": 0, "Delete 3 tasks, which ends a repeating series": 1, "Delete 3 tasks, which ends 2 repeating series": 2,
	} {
		w := begin(t, setup{titles: []string{"bread", "milk", "eggs"}, script: deletes})
		for i := range series {
			w.tools.tasks[i].SeriesID = "s"
		}
		if asks := w.say(conversation(), "delete everything"); len(asks.Approvals) != 1 || asks.Approvals[0].Summary != want {
			t.Errorf("asks %+v, expected %q", asks.Approvals, want)
		}
	}
}

func TestAReceiptSaysThatAnOccurrenceWasPassedOver(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{titles: []string{"standup"}, script: func(a asked) says {
		switch a.step() {
		case 0:
			return calls(agenttools.FindTasks, map[string]any{})
		case 1:
			return calls(agenttools.CompleteTasks, map[string]any{"ids": allIDs(a), "skip": true})
		default:
			return text("Skipped it.")
		}
	}})
	answer := w.say(conversation(), "complete standup")
	if len(answer.ToolCalls) != 2 || answer.ToolCalls[1].Summary != "1 task skipped: standup" || answer.Response != "Skipped it." || w.tools.state() != "standup:skipped" {
		t.Errorf("answered %+v while the tasks are %s", answer, w.tools.state())
	}
}

func TestADeclinedDeletionIsNotDone(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{titles: []string{"bread"}, script: deletes})
	c := conversation()
	id := w.say(c, "delete everything").Approvals[0].ID
	var seen []string
	for range 2 {
		answer, err := w.Decide(w.context(), user, id, false, func(e agent.Event) { seen = append(seen, fmt.Sprintf("%T", e)) })
		if err != nil || answer.Response != "Declined: Delete 1 task. Nothing was changed." || len(answer.ToolCalls) != 0 {
			t.Errorf("answered %+v, %v", answer, err)
		}
	}
	if want := strings.Repeat("agent.Began agent.StepBegan agent.TextDelta agent.StepEnded ", 2); strings.Join(seen, " ")+" " != want {
		t.Errorf("saw %v", seen)
	}
	if _, err := w.Decide(w.context(), user, id, true, nil); !errs.Is(err, errs.Conflict) {
		t.Errorf("the other decision says %v", err)
	}
	if w.tools.state() != "bread:open" {
		t.Errorf("tasks are %s", w.tools.state())
	}
	w.whole(c)
}

func TestAPlainYesOrNoDecidesWhatWasJustAsked(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"Yes!": "bread:deleted", "ok, go ahead": "bread:open", "do it.": "bread:deleted", "No.": "bread:open", "don’t": "bread:open",
		"yes, and add milk": "bread:open", "sí": "bread:deleted", "Nein": "bread:open",
	} {
		t.Run(said, func(t *testing.T) {
			t.Parallel()
			w := begin(t, setup{titles: []string{"bread"}, script: deletes})
			c := conversation()
			w.say(c, "delete everything")
			answer := w.say(c, said)
			if w.tools.state() != want {
				t.Errorf("the tasks are %s: %q", w.tools.state(), answer.Response)
			}
			if decided := strings.HasPrefix(answer.Response, "D"); decided == (answer.Response == "Hello.") {
				t.Errorf("answered %q", answer.Response)
			}
		})
	}
}

func TestAYesThatIsNotTheNextMessageDecidesNothing(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{titles: []string{"bread"}, script: deletes})
	c := conversation()
	asks := w.say(c, "delete everything")
	w.say(c, "how are you?")
	if answer := w.say(c, "yes"); answer.Response != "Hello." || w.tools.state() != "bread:open" {
		t.Errorf("answered %q, the tasks are %s", answer.Response, w.tools.state())
	}
	// In another conversation it is none either, and a card that is clicked still decides.
	if answer := w.say(conversation(), "yes"); answer.Response != "Hello." || w.tools.state() != "bread:open" {
		t.Errorf("answered %q", answer.Response)
	}
	if _, err := w.Decide(w.context(), user, asks.Approvals[0].ID, true, nil); err != nil || w.tools.state() != "bread:deleted" {
		t.Errorf("then %v, the tasks are %s", err, w.tools.state())
	}
}

func TestAYesAndAClickAreTheSameDecision(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{titles: []string{"bread"}, script: deletes})
	c := conversation()
	asks := w.say(c, "delete everything")
	said := w.say(c, "yes")
	clicked, err := w.Decide(w.context(), user, asks.Approvals[0].ID, true, nil)
	if err != nil || clicked.AnswerID != said.AnswerID || clicked.Response != said.Response {
		t.Errorf("said %+v, clicked %+v, %v", said, clicked, err)
	}
	if len(w.tools.history(c)) != 4 {
		t.Errorf("kept %+v", w.tools.history(c))
	}
}

func TestAnApprovalRunsOut(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{titles: []string{"bread"}, script: deletes})
	c := conversation()
	id := w.say(c, "delete everything").Approvals[0].ID
	late := agent.New(agent.Options{Connect: w.tools.connect, Model: w.model, State: w.state, Limits: w.limits, Now: func() time.Time { return time.Now().Add(10*time.Minute + time.Second) }})
	if _, err := late.Decide(w.context(), user, id, true, nil); !errs.Is(err, errs.Conflict) || !strings.Contains(errs.Text(err), "run out") {
		t.Errorf("late it says %v", err)
	}
	answer, err := late.Say(w.context(), agent.Request{UserID: user, ConversationID: c, Text: "yes"}, nil)
	if err != nil || !strings.Contains(answer.Response, "This has run out and nothing was changed: Delete 1 task.") {
		t.Errorf("late yes: %+v, %v", answer, err)
	}
	for _, none := range []string{conversation(), "x", ""} {
		if _, err := w.Decide(w.context(), user, none, true, nil); !errs.Is(err, errs.NotFound) {
			t.Errorf("approval %q says %v", none, err)
		}
	}
	if w.tools.state() != "bread:open" {
		t.Errorf("tasks are %s", w.tools.state())
	}
}

func TestAnApprovedCallWithoutAnswerIsFoundOutByDecidingAgain(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{titles: []string{"bread"}, script: deletes})
	w.limits.Call = time.Second
	w.Agent = w.another()
	c := conversation()
	id := w.say(c, "delete everything").Approvals[0].ID
	lost := true
	w.tools.after = func(ctx context.Context, tool string) error {
		if tool == agenttools.DeleteTasks && lost {
			lost = false
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	if _, err := w.Decide(w.context(), user, id, true, nil); !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Text(err), "Nobody knows yet") {
		t.Fatalf("it says %v", err)
	}
	answer, err := w.Decide(w.context(), user, id, true, nil)
	if err != nil || answer.Response != "Done: 1 task deleted: bread." || strings.Join(w.tools.changes(), ",") != "delete_tasks,delete_tasks" {
		t.Errorf("then %+v, %v after %v", answer, err, w.tools.changes())
	}
	w.whole(c)
}

func TestManyChangesAndThoseNotAskedForWait(t *testing.T) {
	t.Parallel()
	six := []string{"a", "b", "c", "d", "e", "f"}
	all := func(tool string) func(asked) says {
		return func(a asked) says {
			switch a.step() {
			case 0:
				return calls(agenttools.FindTasks, map[string]any{})
			case 1:
				return calls(tool, ids(allIDs(a)...))
			default:
				return text("ok")
			}
		}
	}
	skipping := func(a asked) says {
		switch a.step() {
		case 0:
			return calls(agenttools.FindTasks, map[string]any{})
		case 1:
			return calls(agenttools.CompleteTasks, map[string]any{"ids": allIDs(a), "skip": true})
		default:
			return text("ok")
		}
	}
	for name, c := range map[string]struct {
		said   string
		titles []string
		script func(asked) says
		intent func(string) says
		want   string
		asks   string
	}{
		"five at once":                          {"complete all", six[:5], all(agenttools.CompleteTasks), nil, "find_tasks done, complete_tasks done", ""},
		"six at once":                           {"complete all", six, all(agenttools.CompleteTasks), nil, "find_tasks done, complete_tasks waiting", "Complete 6 tasks"},
		"not asked for":                         {"list", six[:1], all(agenttools.CompleteTasks), nil, "find_tasks done, complete_tasks waiting", "Complete 1 task"},
		"asked in small talk":                   {"hello", six[:1], all(agenttools.CompleteTasks), nil, "find_tasks done, complete_tasks waiting", "Complete 1 task"},
		"intent unknown":                        {"complete a", six[:1], all(agenttools.CompleteTasks), func(string) says { return status(500) }, "find_tasks done, complete_tasks waiting", "Complete 1 task"},
		"intent with a remark":                  {"complete a", six[:1], all(agenttools.CompleteTasks), func(string) says { return text("not toggle") }, "find_tasks done, complete_tasks waiting", "Complete 1 task"},
		"intent in capitals":                    {"complete a", six[:1], all(agenttools.CompleteTasks), func(string) says { return text("Read, TOGGLE.\n") }, "find_tasks done, complete_tasks done", ""},
		"intent called":                         {"complete a", six[:1], all(agenttools.CompleteTasks), func(string) says { return addMilk() }, "find_tasks done, complete_tasks waiting", "Complete 1 task"},
		"occurrences passed over":               {"complete a", six[:1], skipping, nil, "find_tasks done, complete_tasks done", ""},
		"occurrences passed over not asked for": {"list", six[:2], skipping, nil, "find_tasks done, complete_tasks waiting", "Skip 2 tasks"},
		"one by one": {"complete all", six, func(a asked) says {
			if a.step() == 0 {
				return calls(agenttools.FindTasks, map[string]any{})
			}
			if found := allIDs(asked{Messages: a.Messages[:4]}); a.step() <= 6 {
				return calls(agenttools.CompleteTasks, ids(found[a.step()-1]))
			}
			return text("ok")
		}, nil, "find_tasks done" + strings.Repeat(", complete_tasks done", 5) + ", complete_tasks waiting", "Complete 1 task"},
		"a tool nobody knows":     {"delete, complete, add", nil, first(calls("wipe_everything", map[string]any{}), text("ok")), func(string) says { return text("create, read, update, delete, toggle, talk") }, "wipe_everything waiting", "Call wipe_everything"},
		"new tasks not asked for": {"list", nil, first(addMilk(), text("ok")), nil, "add_tasks waiting", "Add 1 task"},
		"a new name": {"rename a", six[:1], func(a asked) says {
			switch a.step() {
			case 0:
				return calls(agenttools.FindTasks, map[string]any{})
			case 1:
				return calls(agenttools.UpdateTasks, map[string]any{"tasks": []any{map[string]any{"id": w1(a), "title": "z"}}})
			default:
				return text("ok")
			}
		}, nil, "find_tasks done, update_tasks done", ""},
		"a new name not asked for": {"list", six[:1], func(a asked) says {
			switch a.step() {
			case 0:
				return calls(agenttools.FindTasks, map[string]any{})
			case 1:
				return calls(agenttools.UpdateTasks, map[string]any{"tasks": []any{map[string]any{"id": w1(a), "title": "z"}}})
			default:
				return text("ok")
			}
		}, nil, "find_tasks done, update_tasks waiting", `Change 1 task: {"tasks":[{"title":"z"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t, setup{titles: c.titles, script: c.script, intent: c.intent})
			answer := w.say(conversation(), c.said)
			asks := ""
			for _, a := range answer.Approvals {
				asks += a.Summary
				if c.titles != nil && len(a.Tasks) == 0 {
					t.Errorf("it asks about tasks without naming them: %+v", a)
				}
			}
			if outcomes(answer) != c.want || asks != c.asks {
				t.Errorf("receipts are %q and it asks %q", outcomes(answer), asks)
			}
			if strings.Contains(answer.Response, "Waiting for your approval") != (c.asks != "") {
				t.Errorf("answered %q", answer.Response)
			}
			if c.asks == "" {
				return
			}
			before := w.tools.state()
			if _, err := w.Decide(w.context(), user, answer.Approvals[0].ID, true, nil); err != nil {
				t.Fatal(err)
			}
			if w.tools.state() == before && c.titles != nil {
				t.Error("the approval changed nothing")
			}
		})
	}
}

func TestAModelCannotConfirmADeletion(t *testing.T) {
	t.Parallel()
	tools := newTools("bread")
	id := tools.id("bread")
	w := begin(t, setup{tools: tools, script: first(
		calls(agenttools.DeleteTasks, map[string]any{"ids": []string{id}, "confirmation": confirmation + "|" + id}),
		calls(agenttools.DeleteTasks, map[string]any{"ids": []string{id}, "confirmation": "yes"}),
		text("Please confirm."),
	)})
	answer := w.say(conversation(), "delete bread")
	if tools.state() != "bread:open" || len(answer.Approvals) != 1 || outcomes(answer) != "delete_tasks waiting" {
		t.Errorf("answered %+v, the tasks are %s", answer, tools.state())
	}
}

func TestWithoutAStoreForApprovalsNothingIsAsked(t *testing.T) {
	t.Parallel()
	w := begin(t, setup{titles: []string{"bread"}, script: deletes})
	w.tools.after = func(_ context.Context, tool string) error {
		if tool == agenttools.DeleteTasks {
			w.state.mu.Lock()
			w.state.down = true
			w.state.mu.Unlock()
		}
		return nil
	}
	_, err := w.Say(w.context(), agent.Request{UserID: user, Text: "delete everything"}, nil)
	if !errs.Is(err, errs.Unavailable) || errors.Is(err, context.Canceled) || w.tools.state() != "bread:open" {
		t.Errorf("it says %v, the tasks are %s", err, w.tools.state())
	}
}
