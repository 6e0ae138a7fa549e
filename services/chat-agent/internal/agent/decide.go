package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/approvals"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// maxApprovalTasks is how many titles an approval shows.
const maxApprovalTasks = 20

// askToDelete puts a deletion before the user.
func (r *run) askToDelete(ctx context.Context, t tool, arguments map[string]any, callID, id string, plan agenttools.DeletePlan) (string, error) {
	a := approvals.Approval{Confirmation: plan.Confirmation, ExpiresAt: r.now().Add(approvals.Lives)}
	if until, err := time.Parse(time.RFC3339, plan.ExpiresAt); err == nil && until.Before(a.ExpiresAt) {
		a.ExpiresAt = until
	}
	for _, task := range plan.Plan {
		r.titles[task.ID] = task.Title
		a.Tasks = append(a.Tasks, line(task.Title))
	}
	a.Summary = proposal(t, arguments, len(plan.Plan)) + ending(plan)
	return r.askUser(ctx, t, arguments, callID, id, a)
}

// ending says what a deletion means for tasks that repeat.
func ending(plan agenttools.DeletePlan) string {
	switch n := len(plan.EndsSeries); n {
	case 0:
		return ""
	case 1:
		return ", which ends a repeating series"
	default:
		return fmt.Sprintf(", which ends %d repeating series", n)
	}
}

// askUser puts a call before the user instead of making it, and returns what the model is told.
func (r *run) askUser(ctx context.Context, t tool, arguments map[string]any, callID, id string, a approvals.Approval) (string, error) {
	existing := targets(arguments)
	if a.Summary == "" {
		titles := added(arguments)
		if len(existing) > 0 {
			titles = r.titlesOf(ctx, existing)
		}
		a.Tasks = titles
		n := len(existing)
		if t.Name == agenttools.AddTasks {
			n = len(titles)
		}
		a.Summary = proposal(t, arguments, n)
	}
	a.ID, a.UserID, a.ConversationID, a.Run = approvalID(id), r.user, r.conversation, r.message
	a.Tool, a.Arguments = t.Name, json.RawMessage(canonical(arguments))
	a.Tasks = a.Tasks[:min(len(a.Tasks), maxApprovalTasks)]
	for len(a.Tasks) > 0 && sizeOf(a.Tasks) > maxKept/maxAsked-2*maxReason {
		a.Tasks = a.Tasks[:len(a.Tasks)-1]
	}
	a, err := r.approvals.Ask(ctx, a)
	if err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", unready(err)
	}
	shownApproval := agenttools.Approval{
		ID: a.ID, Tool: a.Tool, Summary: a.Summary, Tasks: a.Tasks, ExpiresAt: a.ExpiresAt.UTC().Format(time.RFC3339),
	}
	told := "This was not done. It waits for the user's approval, for which TaskFlow asks by itself. Say what waits; do not call it again.\n" +
		data(result{outcome: done, output: json.RawMessage(escaped(map[string]any{"waiting": a.Summary, "tasks": a.Tasks}))})
	r.asked = append(r.asked, shownApproval)
	r.deeds = append(r.deeds, deed{
		Receipt: agenttools.Receipt{Tool: t.Name, Arguments: shown(arguments), Outcome: string(waiting), Summary: a.Summary},
		changes: true,
	})
	key := t.Name + canonical(arguments)
	r.attempts[key] = append(r.attempts[key], attempt{r.usage.Steps, id, waiting, told})
	r.see(ApprovalAsked{CallID: callID, Approval: shownApproval})
	return told, nil
}

// titlesOf are the titles of tasks, as far as they can be found, so that the user knows what is asked.
func (r *run) titlesOf(ctx context.Context, ids []string) []string {
	ids = ids[:min(len(ids), maxApprovalTasks)]
	var unseen []string
	for _, id := range ids {
		if r.titles[id] == "" {
			unseen = append(unseen, id)
		}
	}
	if _, known := r.tool(agenttools.GetTasks); known && len(unseen) > 0 {
		res, err := call(ctx, r.session, r.limits.Call, r.meta(),
			agenttools.GetTasks, map[string]any{"ids": unseen})
		var found agenttools.Tasks
		if err == nil && res.output != nil && json.Unmarshal(res.output, &found) == nil {
			for _, task := range found.Tasks {
				r.titles[task.ID] = task.Title
			}
		}
	}
	var titles []string
	for _, id := range ids {
		if title := r.titles[id]; title != "" {
			titles = append(titles, line(title))
		}
	}
	return titles
}

// Decide implements Chat. The decision becomes a message of the user in the conversation, and what came of it the answer.
// If nobody knows whether an approved call was executed it is errs.Unavailable and there is no answer yet: approving again
// makes the same call under the same id, and tells.
func (a *Agent) Decide(ctx context.Context, userID, id string, approve bool, see func(Event)) (Answer, error) {
	id = strings.ToLower(id)
	if !isUUID(id) {
		return Answer{}, errs.New(errs.NotFound, "There is no such approval.")
	}
	asked, err := a.approvals.Get(ctx, userID, id)
	if err == nil {
		err = asked.Open(approve, a.now())
	}
	if err != nil {
		return Answer{}, ended(ctx, stored(err))
	}
	message := asked.DecidedBy
	if message == "" {
		message = decisionID(id)
	}
	return a.held(ctx, userID, asked.ConversationID, message, see, func(ctx context.Context, r *run) (Answer, error) {
		return r.decide(ctx, id, approve)
	})
}

// stored is an error of the approvals for the caller.
func stored(err error) error {
	if errs.Is(err, errs.Unavailable) {
		return unready(err)
	}
	return err
}

func (r *run) decide(ctx context.Context, id string, approve bool) (Answer, error) {
	// Somebody may have decided while this waited for its turn.
	asked, err := r.approvals.Get(ctx, r.user, id)
	if err == nil {
		err = asked.Open(approve, r.now())
	}
	if err != nil {
		return Answer{}, stored(err)
	}
	if asked.DecidedBy != "" {
		r.message = asked.DecidedBy
	}
	loaded, err := r.load(ctx, 1)
	if err != nil {
		return Answer{}, err
	}
	if loaded.Answer != nil {
		return r.again(*loaded.Answer), nil
	}
	if r.message == decisionID(id) {
		word := "Declined: "
		if approve {
			word = "Approved: "
		}
		if err := r.keep(ctx, agenttools.Message{ID: r.message, Role: "user", Text: word + asked.Summary + "."}); err != nil {
			return Answer{}, err
		}
	}
	r.begin()
	return r.settle(ctx, []approvals.Approval{asked}, approve, nil)
}

// settle carries out or drops what was asked, and answers.
func (r *run) settle(ctx context.Context, asked []approvals.Approval, approve bool, notes []string) (Answer, error) {
	r.openStep()
	for i, one := range asked {
		a, err := r.approvals.Decide(ctx, r.user, one.ID, approve, r.message)
		if err != nil {
			return Answer{}, stored(err)
		}
		if !approve {
			notes = append(notes, "Declined: "+a.Summary+". Nothing was changed.")
			continue
		}
		d, err := r.carryOut(ctx, a, fmt.Sprintf("call-%d", i+1))
		if err != nil {
			return Answer{}, err
		}
		switch {
		case d.Outcome == string(unknown):
			return Answer{}, errs.New(errs.Unavailable, "Nobody knows yet whether this was done: %s. Please decide once more to find out; it is done at most once.", a.Summary)
		case d.Outcome == string(failed):
			notes = append(notes, "This failed: "+a.Summary+". "+reasonOf(d))
		default:
			notes = append(notes, "Done: "+d.Summary+".")
		}
	}
	return r.reply(ctx, "", notes)
}

// carryOut makes the call that was approved.
func (r *run) carryOut(ctx context.Context, a approvals.Approval, callID string) (deed, error) {
	r.see(ToolCalled{CallID: callID, Tool: a.Tool, Arguments: a.Arguments})
	var shownArguments map[string]any
	if err := json.Unmarshal(a.Arguments, &shownArguments); err != nil {
		return deed{}, fmt.Errorf("decode the arguments of approval %s: %w", a.ID, err)
	}
	arguments := shownArguments
	if a.Confirmation != "" {
		arguments = map[string]any{"confirmation": a.Confirmation}
		for name, value := range shownArguments {
			arguments[name] = value
		}
	}
	t := tool{changes: true}
	t.Name = a.Tool
	res, err := r.execute(ctx, t, arguments, executionID(a.ID))
	if err != nil {
		return deed{}, err
	}
	d := newDeed(t, shownArguments, res)
	r.deeds = append(r.deeds, d)
	if d.Outcome == string(done) {
		r.see(ToolAnswered{CallID: callID, Output: outputOf(res)})
	} else {
		r.see(ToolAnswered{CallID: callID, Error: line(d.reason)})
	}
	return d, nil
}

// plainDecision takes a plain yes or no as the decision about everything that the answer before it asks for, if that answer
// is the last thing that was said. Anything else the user says is for the model, which cannot approve.
func (r *run) plainDecision(ctx context.Context, before []agenttools.Message, text string) (answer Answer, settled bool, err error) {
	approve, plain := yesOrNo(text)
	if !plain || len(before) == 0 || before[len(before)-1].Role != "assistant" {
		return Answer{}, false, nil
	}
	var open []approvals.Approval
	var notes []string
	for _, shownApproval := range before[len(before)-1].Approvals {
		a, err := r.approvals.Get(ctx, r.user, shownApproval.ID)
		switch {
		case errs.Is(err, errs.NotFound), err == nil && a.Status == approvals.Pending && a.Open(approve, r.now()) != nil:
			notes = append(notes, "This has run out and nothing was changed: "+shownApproval.Summary+". Please ask for it again.")
		case err != nil:
			return Answer{}, false, stored(err)
		case a.Status == approvals.Pending, a.DecidedBy == r.message:
			open = append(open, a)
		}
	}
	if len(open) == 0 && len(notes) == 0 {
		return Answer{}, false, nil
	}
	answer, err = r.settle(ctx, open, approve, notes)
	return answer, true, err
}

var plainWords = map[string]bool{
	"yes": true, "y": true, "yes please": true, "yep": true, "yeah": true, "ok": true, "okay": true, "sure": true, "approve": true,
	"approved": true, "i approve": true, "confirm": true, "confirmed": true, "go ahead": true, "do it": true, "yes do it": true, "yes go ahead": true,
	"ja": true, "oui": true, "sí": true, "si": true, "sim": true, "da": true, "да": true, "はい": true, "是": true, "ہاں": true, "جی ہاں": true,
	"no": false, "n": false, "nope": false, "no thanks": false, "no thank you": false, "decline": false, "declined": false, "i decline": false, "reject": false,
	"cancel": false, "stop": false, "don't": false, "do not": false, "don't do it": false, "do not do it": false, "no don't": false,
	"nein": false, "non": false, "não": false, "nao": false, "нет": false, "いいえ": false, "不": false, "نہیں": false,
}

// yesOrNo reports whether a message is nothing but a yes or a no.
func yesOrNo(text string) (yes, plain bool) {
	words := strings.FieldsFunc(strings.ToLower(strings.ReplaceAll(text, "’", "'")), func(c rune) bool {
		return strings.ContainsRune(" \t\r\n.,!;:。！،۔", c)
	})
	yes, plain = plainWords[strings.Join(words, " ")]
	return yes, plain
}
