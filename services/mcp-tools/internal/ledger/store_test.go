package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/ledger"
)

func TestACallIsExecutedOnceAndAnsweredAsBeforeAfterwards(t *testing.T) {
	t.Parallel()
	o := open(t)
	c := call("ada", agenttools.AddTasks, `{"tasks":[{"title":"milk","n":1}],"more":true}`)
	ctx := telemetry.WithCorrelation(t.Context(), "corr")
	first, repeated, err := o.Do(ctx, c, adds("ada", "milk"))
	must(t, err)
	if repeated || first.Outcome != ledger.Done {
		t.Errorf("the first: %+v, repeated: %t", first, repeated)
	}
	// Another replica, and the fields in another order.
	c.Input = json.RawMessage(` {"more":true, "tasks":[{"n":1,"title":"milk"}]} `)
	second, repeated, err := ledger.New(testkit.OpenPostgresAt(t, o.url), time.Now).Do(t.Context(), c, adds("ada", "milk"))
	must(t, err)
	if !repeated || string(second.Answer) != string(first.Answer) || second.Outcome != first.Outcome {
		t.Errorf("the second: %+v, repeated: %t", second, repeated)
	}
	if o.count(t, "SELECT count(*) FROM tasks") != 1 || o.wantWhole(t, "ada", proto.Tasks) != 1 || o.wantWhole(t, "ada", proto.Conversations) != 1 {
		t.Error("it was executed twice")
	}
	n := o.count(t, `SELECT count(*) FROM tool_invocations i JOIN events e ON e.aggregate_id = i.id::text
		WHERE i.tool = 'add_tasks' AND i.outcome = 'done' AND i.duration_ms >= 0 AND i.correlation_id = 'corr' AND i.result::text = $1
		AND e.type = 'tool.invoked' AND e.correlation_id = 'corr' AND e.data::jsonb = jsonb_build_object('invocation_id', i.id, 'tool', 'add_tasks', 'outcome', 'done')`,
		string(first.Answer))
	if n != 1 {
		t.Errorf("%d calls are written down as they were", n)
	}
}

func TestOfACrowdThatSendsTheSameCallOneExecutesIt(t *testing.T) {
	t.Parallel()
	o := open(t)
	c := call("ada", agenttools.AddTasks, `{}`)
	var executed, first atomic.Int32
	answers := make([]string, 20)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			r, repeated, err := o.Do(t.Context(), c, func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
				executed.Add(1)
				return adds("ada", "x")(ctx, w)
			})
			if err != nil {
				t.Error(err)
			}
			if !repeated {
				first.Add(1)
			}
			answers[i] = string(r.Answer)
		})
	}
	all.Wait()
	if executed.Load() != 1 || first.Load() != 1 || o.count(t, "SELECT count(*) FROM tasks") != 1 {
		t.Errorf("%d executed it, %d were the first", executed.Load(), first.Load())
	}
	for _, a := range answers {
		if a != answers[0] {
			t.Errorf("answers are %s and %s", answers[0], a)
		}
	}
}

func TestAnIDThatWasUsedForAnotherCallIsAConflict(t *testing.T) {
	t.Parallel()
	o := open(t)
	c := call("ada", agenttools.AddTasks, `{"n":9007199254740993}`)
	_, _, err := o.Do(t.Context(), c, adds("ada", "x"))
	must(t, err)
	for what, other := range map[string]ledger.Call{
		"another tool":   {Caller: c.Caller, Tool: agenttools.GetTasks, Input: c.Input},
		"another input":  {Caller: c.Caller, Tool: c.Tool, Input: json.RawMessage(`{"n":9007199254740992}`)},
		"no input":       {Caller: c.Caller, Tool: c.Tool, Input: json.RawMessage(`{}`)},
		"another nature": {Caller: c.Caller, Tool: c.Tool, Input: json.RawMessage(`{"n":"9007199254740993"}`)},
	} {
		_, _, err := o.Do(t.Context(), other, adds("ada", "y"))
		wantKind(t, what, err, errs.Conflict)
	}
	for what, change := range map[string]func(*ledger.Call){
		"another user":   func(c *ledger.Call) { c.UserID = "eve" },
		"another client": func(c *ledger.Call) { c.ClientID = "mcp-http" },
	} {
		own := c
		change(&own)
		if _, repeated, err := o.Do(t.Context(), own, adds(own.UserID, "z")); err != nil || repeated {
			t.Errorf("%s with the same id: repeated: %t (%v)", what, repeated, err)
		}
	}
	if n := o.count(t, "SELECT count(*) FROM tasks"); n != 3 {
		t.Errorf("there are %d tasks", n)
	}
}

func TestOfACallThatFailsOnUsNothingIsKeptAndItMayBeSentAgain(t *testing.T) {
	t.Parallel()
	o := open(t)
	c := call("ada", agenttools.AddTasks, `{}`)
	failure := errors.New("no")
	for range 2 {
		_, _, err := o.Do(t.Context(), c, func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
			if _, err := adds("ada", "x")(ctx, w); err != nil {
				return ledger.Result{}, err
			}
			_, err := says("ada", uuid.NewString(), agenttools.Message{ID: uuid.NewString(), Role: "user", Text: "x"})(ctx, w)
			must(t, err)
			return said("lost"), failure
		})
		if !errors.Is(err, failure) {
			t.Errorf("the error is %v", err)
		}
	}
	for _, table := range []string{"tasks", "tool_invocations", "conversations", "messages", "events WHERE topic <> 'users.events'"} {
		if n := o.count(t, "SELECT count(*) FROM "+table); n != 0 {
			t.Errorf("%d rows are left of %s", n, table)
		}
	}
	if _, repeated, err := o.Do(t.Context(), c, adds("ada", "x")); err != nil || repeated {
		t.Errorf("sent again: repeated: %t (%v)", repeated, err)
	}
}

func TestACallThatTheUserGotWrongIsAnsweredTheSameForEver(t *testing.T) {
	t.Parallel()
	o := open(t)
	c := call("ada", agenttools.GetTasks, `{}`)
	want := ledger.Result{Outcome: ledger.Failed, Answer: json.RawMessage(`{ "isError": true }`)}
	for i := range 2 {
		r, repeated, err := o.Do(t.Context(), c, func(context.Context, ledger.Work) (ledger.Result, error) { return want, nil })
		must(t, err)
		if r.Outcome != want.Outcome || string(r.Answer) != string(want.Answer) || repeated != (i == 1) {
			t.Errorf("answer %d: %+v, repeated: %t", i, r, repeated)
		}
	}
}

func TestACallThatCannotBeWrittenDownIsInvalid(t *testing.T) {
	t.Parallel()
	o := open(t)
	for field, change := range map[string]func(*ledger.Call){
		"client_id":       func(c *ledger.Call) { c.ClientID = "" },
		"request_id":      func(c *ledger.Call) { c.RequestID = "7" },
		"conversation_id": func(c *ledger.Call) { c.ConversationID = "x" },
		"run_id":          func(c *ledger.Call) { c.RunID = "{" + uuid.NewString() + "}" },
		"tool":            func(c *ledger.Call) { c.Tool = "a\x00" },
		"input":           func(c *ledger.Call) { c.Input = json.RawMessage(`{} {}`) },
		"user":            func(c *ledger.Call) { c.UserID = "" },
	} {
		c := call("ada", agenttools.GetTasks, `{}`)
		change(&c)
		_, _, err := o.Do(t.Context(), c, func(context.Context, ledger.Work) (ledger.Result, error) { return said("x"), nil })
		wantKind(t, field, err, errs.Invalid)
		if f := errs.Fields(err); field != "user" && (len(f) != 1 || f[0].Field != field) {
			t.Errorf("%s: wrong is %v", field, f)
		}
	}
	for _, input := range []string{``, `null`, `[]`, `7`, `{`, "{\"a\":\"\xff\"}"} {
		c := call("ada", agenttools.GetTasks, input)
		_, _, err := o.Do(t.Context(), c, func(context.Context, ledger.Work) (ledger.Result, error) { return said("x"), nil })
		wantKind(t, input, err, errs.Invalid)
	}
}

func TestWhatOnlyReadsTheMemoryIsExecutedAgainAndItsAnswerNotKept(t *testing.T) {
	t.Parallel()
	o := open(t)
	for _, tool := range []string{agenttools.LoadConversation, agenttools.SearchConversations} {
		c := call("ada", tool, `{}`)
		for i := range 3 {
			r, repeated, err := o.Do(t.Context(), c, func(context.Context, ledger.Work) (ledger.Result, error) { return said(fmt.Sprint(i)), nil })
			must(t, err)
			if string(r.Answer) != string(said(fmt.Sprint(i)).Answer) || repeated != (i > 0) {
				t.Errorf("%s, time %d: %s, repeated: %t", tool, i, r.Answer, repeated)
			}
		}
	}
	if n := o.count(t, "SELECT count(*) FROM tool_invocations WHERE result IS NULL AND outcome = 'done'"); n != 2 || o.wantWhole(t, "ada", proto.Conversations) != 2 {
		t.Errorf("%d calls are written down", n)
	}
}

func TestWhatARunHasExecutedIsToldInOrder(t *testing.T) {
	t.Parallel()
	o := open(t)
	conversation, run := uuid.NewString(), uuid.NewString()
	of := func(tool, input, run string) ledger.Call {
		c := call("ada", tool, input)
		c.ConversationID, c.RunID = conversation, run
		return c
	}
	question := agenttools.Message{ID: run, Role: "user", Text: "add milk"}
	_, _, err := o.Do(t.Context(), of(agenttools.AppendMessages, `{}`, run), says("ada", conversation, question))
	must(t, err)
	long := strings.Repeat("é", 5_000)
	var want []agenttools.Call
	for i, r := range []ledger.Result{
		said("one"),
		{Outcome: ledger.Failed, Answer: json.RawMessage(`{"content":[{"type":"text","text":"two"},{"type":"text","text":"lines"}],"isError":true}`)},
		{Outcome: ledger.Done, Answer: json.RawMessage(`{"content":[],"structuredContent":{"a":1}}`)},
		said("x" + long),
	} {
		c := of(agenttools.AddTasks, fmt.Sprintf(`{"n":"%d"}`, i), run)
		text := []string{"one", "two\nlines", `{"a":1}`, ("x" + long)[:8191]}[i]
		want = append(want, agenttools.Call{
			RequestID: c.RequestID, Tool: c.Tool, Arguments: map[string]any{"n": fmt.Sprint(i)}, Outcome: string(r.Outcome), Result: text,
		})
		_, _, err := o.Do(t.Context(), c, func(context.Context, ledger.Work) (ledger.Result, error) { return r, nil })
		must(t, err)
	}
	_, _, err = o.Do(t.Context(), of(agenttools.GetTasks, `{}`, uuid.NewString()), adds("ada", "another run's"))
	must(t, err)
	var loaded agenttools.LoadedConversation
	_, _, err = o.Do(t.Context(), of(agenttools.LoadConversation, `{}`, run), func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
		var err error
		loaded, err = w.Conversations.Load(ctx, "ada", agenttools.LoadConversationInput{ConversationID: conversation, Run: run})
		return said("x"), err
	})
	must(t, err)
	if fmt.Sprintf("%q", loaded.Calls) != fmt.Sprintf("%q", want) {
		t.Errorf("the calls are\n%q\nwant\n%q", loaded.Calls, want)
	}
	if loaded.Answer != nil || len(loaded.Messages) != 1 {
		t.Errorf("loaded %+v", loaded)
	}
}

// loads is a call that takes a run over.
func loads(conversationID string, c ledger.Call, into *agenttools.LoadedConversation) (ledger.Call, func(context.Context, ledger.Work) (ledger.Result, error)) {
	c.Tool, c.RequestID = agenttools.LoadConversation, uuid.NewString()
	return c, func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
		loaded, err := w.Conversations.Load(ctx, c.UserID, agenttools.LoadConversationInput{
			ConversationID: conversationID, Run: c.RunID, Attempt: c.AttemptID,
		})
		*into = loaded
		return ledger.Result{Outcome: ledger.Done, Answer: json.RawMessage(`{}`)}, err
	}
}

// An agent that was taken for dead, or whose calls are still on their way, cannot do what its successor does not know of.
func TestAnAttemptThatWasTakenOverCallsNoMore(t *testing.T) {
	t.Parallel()
	o, conversationID := open(t), uuid.NewString()
	old := call("ada", agenttools.AddTasks, `{}`)
	old.RunID, old.AttemptID = uuid.NewString(), event.NewID()
	_, _, err := o.Do(t.Context(), call("ada", agenttools.AppendMessages, `{}`), func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
		_, err := w.Conversations.Append(ctx, "ada", agenttools.AppendMessagesInput{
			ConversationID: conversationID, Messages: []agenttools.Message{{ID: old.RunID, Role: "user", Text: "add milk"}},
		})
		return ledger.Result{Outcome: ledger.Done, Answer: json.RawMessage(`{}`)}, err
	})
	must(t, err)
	var first, second, late agenttools.LoadedConversation
	begin, load := loads(conversationID, old, &first)
	_, _, err = o.Do(t.Context(), begin, load)
	must(t, err)
	_, _, err = o.Do(t.Context(), old, adds("ada", "milk"))
	must(t, err)

	successor := old
	successor.AttemptID = event.NewID()
	again, load := loads(conversationID, successor, &second)
	_, _, err = o.Do(t.Context(), again, load)
	must(t, err)
	if len(second.Calls) != 1 || second.Calls[0].RequestID != old.RequestID {
		t.Errorf("the successor is told of %+v", second.Calls)
	}
	onItsWay := old
	onItsWay.RequestID = uuid.NewString()
	_, _, err = o.Do(t.Context(), onItsWay, adds("ada", "bread"))
	wantKind(t, "a call of the old attempt", err, errs.Stale)
	begin, load = loads(conversationID, old, &late)
	_, _, err = o.Do(t.Context(), begin, load)
	wantKind(t, "an old request to take over", err, errs.Stale)
	// The same call, made by the successor, is executed: the refused one has left no trace.
	onItsWay.AttemptID = successor.AttemptID
	_, repeated, err := o.Do(t.Context(), onItsWay, adds("ada", "bread"))
	must(t, err)
	if repeated || o.count(t, "SELECT count(*) FROM tasks") != 2 {
		t.Error("the successor's call was not executed")
	}
}

func TestWhatRacesWithItsSuccessorIsEitherToldToItOrNotDone(t *testing.T) {
	t.Parallel()
	o, done, refused := open(t), 0, 0
	for round := range 40 {
		conversationID, old := uuid.NewString(), call("ada", agenttools.AddTasks, `{}`)
		old.RunID, old.AttemptID = uuid.NewString(), event.NewID()
		_, _, err := o.Do(t.Context(), call("ada", agenttools.AppendMessages, `{}`), func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
			_, err := w.Conversations.Append(ctx, "ada", agenttools.AppendMessagesInput{
				ConversationID: conversationID, Messages: []agenttools.Message{{ID: old.RunID, Role: "user", Text: "add milk"}},
			})
			return ledger.Result{Outcome: ledger.Done, Answer: json.RawMessage(`{}`)}, err
		})
		must(t, err)
		var before, after agenttools.LoadedConversation
		begin, load := loads(conversationID, old, &before)
		_, _, err = o.Do(t.Context(), begin, load)
		must(t, err)
		successor := old
		successor.AttemptID = event.NewID()
		var both sync.WaitGroup
		var called error
		both.Go(func() { _, _, called = o.Do(t.Context(), old, adds("ada", fmt.Sprint("milk ", round))) })
		both.Go(func() {
			again, load := loads(conversationID, successor, &after)
			if _, _, err := o.Do(t.Context(), again, load); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		if called == nil {
			done++
		} else {
			wantKind(t, "a call that came too late", called, errs.Stale)
			refused++
		}
		if told := len(after.Calls) == 1; told != (called == nil) {
			t.Errorf("round %d: the call ended with %v, and the successor was told of %+v", round, called, after.Calls)
		}
	}
	if n := o.count(t, "SELECT count(*) FROM tasks"); n != done {
		t.Errorf("%d calls were done, there are %d tasks", done, n)
	}
	t.Logf("%d calls were first, %d came too late", done, refused)
}

func TestTheResultsOfALongRunAreBoundedTogether(t *testing.T) {
	t.Parallel()
	o := open(t)
	conversation, run := uuid.NewString(), uuid.NewString()
	_, _, err := o.Do(t.Context(), call("ada", agenttools.AppendMessages, `{}`),
		says("ada", conversation, agenttools.Message{ID: run, Role: "user", Text: "go"}))
	must(t, err)
	for range 105 {
		c := call("ada", agenttools.FindTasks, `{"long":"`+strings.Repeat("x", 9_000)+`"}`)
		c.RunID = run
		_, _, err := o.Do(t.Context(), c, func(context.Context, ledger.Work) (ledger.Result, error) {
			return said(strings.Repeat("y", 10_000)), nil
		})
		must(t, err)
	}
	_, _, err = o.Do(t.Context(), call("ada", agenttools.LoadConversation, `{}`), func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
		loaded, err := w.Conversations.Load(ctx, "ada", agenttools.LoadConversationInput{ConversationID: conversation, Run: run})
		raw, _ := json.Marshal(loaded)
		if len(loaded.Calls) != 100 || len(raw) > 400_000 {
			t.Errorf("%d calls in %d bytes", len(loaded.Calls), len(raw))
		}
		return said("x"), err
	})
	must(t, err)
}

func TestAConnectionThatBreaksInTheMiddleLeavesAllOrNothing(t *testing.T) {
	t.Parallel()
	o := open(t)
	c := call("ada", agenttools.AddTasks, `{}`)
	_, _, err := o.Do(t.Context(), c, func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
		r, err := adds("ada", "x")(ctx, w)
		testkit.Disconnect(t, o.url)
		return r, err
	})
	wantKind(t, "cut off", err, errs.Unavailable)
	if n := o.count(t, "SELECT (SELECT count(*) FROM tasks) + (SELECT count(*) FROM tool_invocations)"); n != 0 {
		t.Errorf("%d rows are left of a call that was cut off", n)
	}

	// Now at any moment, the commit included: whoever gets no answer sends again.
	const calls = 40
	ctx, stop := context.WithCancel(t.Context())
	var cutting, sending sync.WaitGroup
	cutting.Go(func() {
		for ctx.Err() == nil {
			testkit.Disconnect(t, o.url)
		}
	})
	var unanswered atomic.Int32
	queue := make(chan ledger.Call, calls)
	for range calls {
		queue <- call("ada", agenttools.AddTasks, `{}`)
	}
	close(queue)
	for range 4 {
		sending.Go(func() {
			for c := range queue {
				for attempt := 0; ; attempt++ {
					if attempt == 20 {
						stop() // the rest undisturbed
					}
					_, _, err := o.Do(t.Context(), c, adds("ada", "y"))
					if err == nil {
						break
					}
					if !errs.Is(err, errs.Unavailable) {
						t.Error(err)
						return
					}
					unanswered.Add(1)
				}
			}
		})
	}
	sending.Wait()
	stop()
	cutting.Wait()
	tasks, invocations := o.count(t, "SELECT count(*) FROM tasks"), o.count(t, "SELECT count(*) FROM tool_invocations WHERE outcome = 'done'")
	if tasks != calls || invocations != calls || o.wantWhole(t, "ada", proto.Tasks) != calls || o.wantWhole(t, "ada", proto.Conversations) != calls {
		t.Errorf("%d tasks and %d calls", tasks, invocations)
	}
	if unanswered.Load() == 0 {
		t.Error("nothing was cut off")
	}
}

func TestBatchesAndWhateverElseHappensToTheirTasksNeitherDeadlockNorDiffer(t *testing.T) {
	t.Parallel()
	o := open(t)
	rest := task.NewService(taskstore.New(testkit.OpenPostgresAt(t, o.url)), time.Now)
	fields := make([]task.Fields, 10)
	for i := range fields {
		fields[i] = task.Fields{Title: fmt.Sprint(i)}
		if i%2 == 0 {
			fields[i].Due = task.Due{Date: "2026-12-01"}
		}
		if i%3 == 0 {
			fields[i].Due = task.Due{At: time.Now().AddDate(0, 0, -2)}
			fields[i].Recurrence = &task.Recurrence{Rule: "FREQ=DAILY;COUNT=30", CatchUp: task.All}
		}
	}
	made, _, err := rest.Create(t.Context(), "ada", task.Idempotency{}, nil, fields...) // ids rise
	must(t, err)
	// Each series has tasks before and behind those of the others.
	var series []string
	for _, first := range made {
		if first.Recurrence == nil {
			continue
		}
		series = append(series, first.Occurrence.SeriesID)
		did, err := rest.Spawn(t.Context(), "ada", first.Occurrence.SeriesID, task.Cause{At: time.Now()})
		must(t, err)
		if len(did.Made) == 0 {
			t.Fatal("nothing was due")
		}
		made = append(made, did.Made...)
	}
	conversation := uuid.NewString()
	zones := []string{"Asia/Tokyo", "Europe/Oslo", "UTC"}
	var all sync.WaitGroup
	for worker := range 20 {
		all.Go(func() {
			for round := range 8 {
				one := made[(worker+3*round)%len(made)].ID
				day := func(f *task.Fields) { f.Due = task.Due{Date: fmt.Sprintf("2026-12-%02d", 1+(worker*7+round)%28)} }
				scope := []task.Scope{task.This, task.Following}[round%2]
				var err error
				switch worker % 10 {
				case 0, 1, 2:
					_, _, err = o.Do(t.Context(), call("ada", agenttools.RescheduleTasks, `{}`), func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
						for i := worker % 3; i < len(made); i += 1 + round%2 {
							if _, err := w.Tasks.Edit(ctx, "ada", made[i].ID, 0, scope, day, nil); err != nil {
								return ledger.Result{}, err
							}
						}
						return said("moved"), nil
					})
				case 3:
					_, _, err = o.Do(t.Context(), call("ada", agenttools.CompleteTasks, `{}`), func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
						for _, x := range made[round%5:] {
							if _, err := w.Tasks.SetCompleted(ctx, "ada", x.ID, 0, round%2 == 0); err != nil {
								return ledger.Result{}, err
							}
						}
						return adds("ada", "and another")(ctx, w)
					})
				case 4:
					message := agenttools.Message{ID: uuid.NewString(), Role: "user", Text: "hello"}
					_, _, err = o.Do(t.Context(), call("ada", agenttools.AppendMessages, `{}`), says("ada", conversation, message))
				case 5:
					_, err = rest.Edit(t.Context(), "ada", one, 0, scope, day, nil)
				case 8:
					_, err = rest.Spawn(t.Context(), "ada", series[round%len(series)], task.Cause{At: time.Now(), Closed: one, ClosedAt: time.Now()})
				case 9:
					_, _, err = o.Do(t.Context(), call("ada", agenttools.CompleteTasks, `{"skip":true}`), func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
						for _, x := range made[round%5:] {
							if _, err := w.Tasks.Skip(ctx, "ada", x.ID, 0); err != nil && !errs.Is(err, errs.Conflict) {
								return ledger.Result{}, err
							}
						}
						return said("skipped"), nil
					})
				case 6:
					_, err = rest.SetCompleted(t.Context(), "ada", one, 0, round%2 == 1)
				default:
					_, err = rest.SetTimeZone(t.Context(), "ada", 0, zones[(worker+round)%3])
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, topic := range []proto.Topic{proto.Tasks, proto.Conversations, proto.Users} {
		if o.wantWhole(t, "ada", topic) == 0 {
			t.Errorf("nothing happened on %s", topic)
		}
	}
	found, err := taskstore.Verify(t.Context(), o.url)
	must(t, err)
	if len(found.Differences) != 0 || found.Tasks < len(made) {
		t.Errorf("the log and the tables: %+v", found)
	}
}

func TestAUserForgottenByAnotherReplicaIsWelcomedByTheNextCall(t *testing.T) {
	t.Parallel()
	o := open(t)
	there := taskstore.New(testkit.OpenPostgresAt(t, o.url))
	for range 3 {
		_, _, err := o.Do(t.Context(), call("ada", agenttools.AddTasks, `{}`), adds("ada", "x"))
		must(t, err)
		must(t, there.Forget(t.Context(), "ada", time.Now()))
	}
}

func TestNothingThatAForgottenUserSaidIsLeftInAnyTable(t *testing.T) {
	t.Parallel()
	o := open(t)
	const secret = "xyzzysecret"
	for _, user := range []string{"ada", "eve"} {
		c := call(user, agenttools.AddTasks, `{"title":"`+secret+`"}`)
		c.ConversationID, c.RunID = uuid.NewString(), uuid.NewString()
		_, _, err := o.Do(t.Context(), c, func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
			if _, err := adds(user, secret)(ctx, w); err != nil {
				return ledger.Result{}, err
			}
			return said(secret), nil
		})
		must(t, err)
		_, _, err = o.Do(t.Context(), call(user, agenttools.AppendMessages, `{"text":"`+secret+`"}`),
			says(user, uuid.NewString(), agenttools.Message{ID: uuid.NewString(), Role: "user", Text: secret, Model: secret}))
		must(t, err)
	}
	conn, err := pgx.Connect(t.Context(), o.url)
	must(t, err)
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1")
	must(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	mentions := func(what string) string {
		var found []string
		for _, table := range tables {
			if n := o.count(t, "SELECT count(*) FROM "+table+" x WHERE x::text LIKE '%' || $1 || '%'", what); n > 0 {
				found = append(found, fmt.Sprint(table, " ", n))
			}
		}
		return strings.Join(found, ", ")
	}
	const before = "conversations 2, events 2, messages 2, tasks 2, tool_invocations 4"
	if got := mentions(secret); got != before {
		t.Errorf("before, %s; want %s", got, before)
	}
	must(t, taskstore.New(o.db).Forget(t.Context(), "ada", time.Now()))
	const after = "conversations 1, events 1, messages 1, tasks 1, tool_invocations 2"
	if got := mentions(secret); got != after {
		t.Errorf("after, %s; want %s", got, after)
	}
	// What is left of ada is that she is gone, and where the sequences are.
	if got := mentions("(ada,"); got != "sequences 3" {
		t.Errorf("of ada are left %s", got)
	}
	if n := o.count(t, "SELECT count(*) FROM events WHERE user_id = 'ada'"); n != 1 {
		t.Errorf("of ada are left %d events", n)
	}
}

func TestADatabaseThatIsGoneIsUnavailable(t *testing.T) {
	t.Parallel()
	o := open(t)
	c := call("ada", agenttools.AddTasks, `{}`)
	_, _, err := o.Do(t.Context(), c, adds("ada", "x"))
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = o.Do(ctx, c, adds("ada", "x"))
	wantKind(t, "a repeat", err, errs.Unavailable)
}

func TestCallsAreExecutedTheSameBehindAPooler(t *testing.T) {
	t.Parallel()
	o := open(t)
	db, err := postgres.Open(t.Context(), postgres.Config{URL: config.NewSecret(o.url), Pooler: true})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	pooled := ledger.New(db, time.Now)
	conversation, run := uuid.NewString(), uuid.NewString()
	c := call("ada", agenttools.AddTasks, `{"a":"\\ ' \u0000"}`)
	c.RunID = run
	for range 2 {
		_, _, err := pooled.Do(t.Context(), c, adds("ada", "x"))
		must(t, err)
		_, _, err = pooled.Do(t.Context(), call("ada", agenttools.AppendMessages, `{}`), says("ada", conversation,
			agenttools.Message{ID: run, Role: "user", Text: `It's a "test" \ of {quotes}`, TaskIDs: []string{uuid.NewString(), uuid.NewString()}}))
		must(t, err)
	}
	_, _, err = pooled.Do(t.Context(), call("ada", agenttools.LoadConversation, `{}`), func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
		loaded, err := w.Conversations.Load(ctx, "ada", agenttools.LoadConversationInput{ConversationID: conversation, Before: "", Run: run})
		must(t, err)
		found, err := w.Conversations.Search(ctx, "ada", "", agenttools.SearchConversationsInput{Query: "quotes"})
		must(t, err)
		if len(loaded.Messages) != 1 || len(loaded.Messages[0].TaskIDs) != 2 || len(loaded.Calls) != 1 || loaded.Calls[0].Arguments["a"] != "\\ ' \x00" {
			t.Errorf("loaded %+v", loaded)
		}
		if len(found.Conversations) != 1 || found.Conversations[0].Snippet != loaded.Messages[0].Text {
			t.Errorf("found %+v", found)
		}
		return said("x"), nil
	})
	must(t, err)
	if n := o.count(t, "SELECT count(*) FROM tasks"); n != 1 {
		t.Errorf("there are %d tasks", n)
	}
}

func TestAPanicInACallLeavesNothing(t *testing.T) {
	t.Parallel()
	o := open(t)
	c := call("ada", agenttools.AddTasks, `{}`)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _, _ = o.Do(t.Context(), c, func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
			if _, err := adds("ada", "x")(ctx, w); err != nil {
				return ledger.Result{}, err
			}
			panic("a bug")
		})
	}()
	if _, repeated, err := o.Do(t.Context(), c, adds("ada", "x")); err != nil || repeated || o.count(t, "SELECT count(*) FROM tasks") != 1 {
		t.Errorf("sent again: repeated: %t (%v)", repeated, err)
	}
}
