package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/approvals"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/model"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

const (
	// maxMessage is how long a user's message may be, in characters.
	maxMessage = 8000
	// maxAnswer is how long an answer may be, in characters.
	maxAnswer = 16000
	// maxAsked is how many approvals one answer may ask for.
	maxAsked = 8
	// remembered is how many messages of a conversation are read for an answer.
	remembered = 30
)

const tooMuchAsked = "Too much waits for the user's approval already. Tell the user."

// errTime is the cause of a run that took longer than Limits.Time.
var errTime = errors.New("the answer took too long")

// run is one answer in the making: to a message, or to a decision about an approval.
type run struct {
	*Agent
	user, conversation string
	// message is the user's, whose id names the run; attemptID is this try to answer it, a UUIDv7.
	message, attemptID string
	session            *mcp.ClientSession
	see                func(Event)
	streams            bool // somebody sees

	system  string
	turns   []model.Turn
	tools   []tool
	intents *intents
	// attempts are the calls of this run by tool and arguments.
	attempts map[string][]attempt
	deeds    []deed
	asked    []agenttools.Approval
	titles   map[string]string // of the tasks that results spoke of, by id
	changed  map[string]bool   // the tasks that were changed

	parts       []string // the answer's text so far
	partial     string   // text that the model began and did not end
	step, calls int
	inStep      bool
	doubt       bool // nobody knows whether some change was executed
	usage       Usage
}

// attempt is a call that was made, or put before the user.
type attempt struct {
	ask     int // how often the model had been asked
	id      string
	outcome outcome
	// told is what the model was told.
	told string
}

// Say implements Chat.
//
// Text that the model writes in a step in which it also calls tools is a part of the answer like any other, with an id of
// its own: what was streamed is what is kept. Sentences added by code are the last part.
func (a *Agent) Say(ctx context.Context, q Request, see func(Event)) (Answer, error) {
	q, err := checked(q)
	if err != nil {
		return Answer{}, err
	}
	return a.held(ctx, q.UserID, q.ConversationID, q.MessageID, see, func(ctx context.Context, r *run) (Answer, error) {
		return r.say(ctx, q.Text)
	})
}

// checked is a request with all its ids. A conversation that begins has its id from its first message, so that a request
// that is sent again without one finds it.
func checked(q Request) (Request, error) {
	var wrong []errs.Field
	switch n := utf8.RuneCountInString(q.Text); {
	case strings.TrimSpace(q.Text) == "":
		wrong = append(wrong, errs.Field{Field: "message", Message: "must not be empty"})
	case n > maxMessage:
		wrong = append(wrong, errs.Field{Field: "message", Message: fmt.Sprintf("must have at most %d characters", maxMessage)})
	case !utf8.ValidString(q.Text) || strings.ContainsRune(q.Text, 0):
		wrong = append(wrong, errs.Field{Field: "message", Message: "must be text without NUL"})
	}
	if q.ConversationID != "" && !isUUID(q.ConversationID) {
		wrong = append(wrong, errs.Field{Field: "conversation_id", Message: "must be a UUID"})
	}
	if q.MessageID != "" && !isUUID(q.MessageID) {
		wrong = append(wrong, errs.Field{Field: "message_id", Message: "must be a UUID"})
	}
	if err := errs.InvalidFields(wrong...); err != nil {
		return q, err
	}
	if q.MessageID == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return q, fmt.Errorf("make a message id: %w", err)
		}
		q.MessageID = id.String()
	}
	q.MessageID = strings.ToLower(q.MessageID)
	if q.ConversationID == "" {
		q.ConversationID = conversationOf(q.MessageID)
	}
	q.ConversationID = strings.ToLower(q.ConversationID)
	return q, nil
}

// held runs do as the only run of the conversation and within the time of an answer.
func (a *Agent) held(ctx context.Context, user, conversation, message string, see func(Event), do func(context.Context, *run) (Answer, error)) (_ Answer, err error) {
	ctx, span := telemetry.Begin(ctx, telemetry.Inside, "invoke_agent taskflow", "gen_ai.operation.name", "invoke_agent",
		"gen_ai.agent.name", "taskflow", "gen_ai.conversation.id", conversation, "taskflow.message_id", message)
	defer func() { span.End(err) }()
	streams := see != nil
	if !streams {
		see = func(Event) {}
	}
	holding, release, err := a.hold(ctx, user, conversation)
	if err != nil {
		return Answer{}, ended(ctx, err)
	}
	defer release()
	session, err := a.session(holding, user)
	if err != nil {
		return Answer{}, ended(ctx, err)
	}
	defer session.Close()
	timed, cancel := context.WithTimeoutCause(holding, a.limits.Time, errTime)
	defer cancel()
	try, err := uuid.NewV7()
	if err != nil {
		return Answer{}, fmt.Errorf("make an attempt's id: %w", err)
	}
	r := &run{
		Agent: a, user: user, conversation: conversation, message: message, attemptID: try.String(), session: session, see: see, streams: streams,
		attempts: map[string][]attempt{}, titles: map[string]string{}, changed: map[string]bool{},
	}
	answer, err := do(timed, r)
	r.closeStep()
	return answer, ended(ctx, err)
}

// ended is a run's error for the caller: ctx's own if that ended, and a kind for what happens to runs.
func ended(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errTime), errors.Is(err, errLost):
		return unready(err)
	default:
		return err
	}
}

func (r *run) say(ctx context.Context, text string) (Answer, error) {
	loaded, err := r.load(ctx, remembered)
	if err != nil {
		return Answer{}, err
	}
	before := loaded.Messages
	if at := slices.IndexFunc(before, func(m agenttools.Message) bool { return m.ID == r.message }); at >= 0 {
		if before[at].Text != text {
			return Answer{}, reused(nil)
		}
		before = before[:at]
	}
	if loaded.Answer != nil {
		return r.again(*loaded.Answer), nil
	}
	if err := r.keep(ctx, agenttools.Message{ID: r.message, Role: "user", Text: text}); err != nil {
		return Answer{}, err
	}
	r.begin()
	if answer, settled, err := r.plainDecision(ctx, before, text); settled || err != nil {
		return answer, err
	}
	return r.conclude(ctx, r.think(ctx, loaded, before, text))
}

func (r *run) begin() {
	r.see(Began{ConversationID: r.conversation, MessageID: r.message, AnswerID: answerID(r.message), Model: r.modelInfo()})
}

// again gives an answer that exists.
func (r *run) again(m agenttools.Message) Answer {
	r.begin()
	r.openStep()
	r.see(TextDelta{ID: "text-1", Text: m.Text})
	r.closeStep()
	return r.answer(m)
}

func (r *run) answer(m agenttools.Message) Answer {
	a := Answer{
		ConversationID: r.conversation, MessageID: r.message, AnswerID: m.ID, Response: m.Text,
		ToolCalls: m.Receipts, Approvals: m.Approvals, TaskIDs: m.TaskIDs, Model: r.modelInfo(), Usage: r.usage,
	}
	if m.Model != "" {
		a.Model = Model{Name: m.Model, Offline: m.Model == OfflineModel}
	}
	if a.ToolCalls == nil {
		a.ToolCalls = []agenttools.Receipt{}
	}
	if a.Approvals == nil {
		a.Approvals = []agenttools.Approval{}
	}
	if a.TaskIDs == nil {
		a.TaskIDs = []string{}
	}
	return a
}

func (r *run) openStep() {
	r.see(StepBegan{})
	r.inStep = true
}

func (r *run) closeStep() {
	if r.inStep {
		r.see(StepEnded{})
		r.inStep = false
	}
}

// stopped is why a run ended before the model had answered, as part of a sentence.
type stopped string

func (s stopped) Error() string { return string(s) }

// think asks the model and does what it calls for until it answers in text. Its error is why there is no such answer.
func (r *run) think(ctx context.Context, loaded agenttools.LoadedConversation, before []agenttools.Message, text string) error {
	tools, err := r.catalogue.list(ctx, r.session, r.now())
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return silent(err)
	}
	r.tools = tools
	r.intents = r.understand(ctx, text)
	defer func() {
		asked := r.intents.end()
		r.usage.InputTokens += asked.InputTokens
		r.usage.OutputTokens += asked.OutputTokens
	}()
	r.system = system(userNow(loaded, r.now()), lastTasksOf(before))
	r.turns = append(history(before), model.Turn{Role: model.User, Text: text})
	if err := r.resume(ctx, loaded.Calls); err != nil {
		return err
	}
	for r.step < r.limits.Steps {
		if r.usage.InputTokens+r.usage.OutputTokens >= r.limits.Tokens {
			return stopped("this became too long")
		}
		r.step++
		r.openStep()
		reply, err := r.ask(ctx)
		if err != nil {
			return err
		}
		switch {
		case reply.End == model.Cut:
			return stopped("the answer became too long")
		case reply.End == model.Filtered:
			return stopped("the model's content filter ended the answer")
		case len(reply.Calls) == 0:
			return nil
		}
		turn := model.Turn{Role: model.Assistant, Text: reply.Text}
		var results []model.Turn
		for _, c := range reply.Calls {
			if r.calls == r.limits.Calls {
				return stopped("this took too many tool calls")
			}
			r.calls++
			c.ID = fmt.Sprintf("call-%d", r.calls)
			told, err := r.act(ctx, c)
			if err != nil {
				return err
			}
			if !json.Valid([]byte(c.Arguments)) {
				c.Arguments = "{}" // some servers refuse a history with broken JSON in it
			}
			turn.Calls = append(turn.Calls, c)
			results = append(results, model.Turn{Role: model.ToolResult, CallID: c.ID, Text: told})
		}
		r.turns = append(append(r.turns, turn), results...)
		r.closeStep()
	}
	return stopped("this took too many steps")
}

func lastTasksOf(before []agenttools.Message) []string {
	for _, m := range slices.Backward(before) {
		if len(m.TaskIDs) > 0 {
			return m.TaskIDs[:min(len(m.TaskIDs), lastTasks)]
		}
	}
	return nil
}

// ask asks the model for the next step, and shows its text while it comes.
func (r *run) ask(ctx context.Context) (model.Reply, error) {
	part := fmt.Sprintf("text-%d", r.step)
	var told strings.Builder
	onText := func(piece string) {
		told.WriteString(piece)
		r.see(TextDelta{ID: part, Text: piece})
	}
	if !r.streams {
		onText = nil
	}
	reply, err := r.model.Ask(ctx, model.Question{System: r.system, Turns: r.turns, Tools: r.schemas()}, onText)
	r.usage.Steps++
	r.usage.InputTokens += reply.InputTokens
	r.usage.OutputTokens += reply.OutputTokens
	switch {
	case err == nil && reply.End == model.Whole:
		if strings.TrimSpace(reply.Text) != "" {
			r.parts = append(r.parts, reply.Text)
		}
	case err == nil:
		r.partial = reply.Text
	default:
		r.partial = told.String()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
	}
	return reply, err
}

func (r *run) schemas() []model.Tool {
	var all []model.Tool
	for _, t := range r.tools {
		all = append(all, t.Tool)
	}
	return all
}

// resume puts the calls that an earlier try of this run made back into its context, as they happened.
func (r *run) resume(ctx context.Context, calls []agenttools.Call) error {
	for _, c := range calls {
		t, known := r.tool(c.Tool)
		if !known {
			continue
		}
		r.step++
		r.calls++
		called := model.Call{ID: fmt.Sprintf("call-%d", r.calls), Name: c.Tool, Arguments: canonical(c.Arguments)}
		r.openStep()
		r.see(ToolCalled{CallID: called.ID, Tool: c.Tool, Arguments: json.RawMessage(called.Arguments)})
		res := result{outcome: outcome(c.Outcome), text: c.Result}
		if res.output = firstJSON(c.Result); res.output == nil && t.Name == agenttools.DeleteTasks && res.outcome == done {
			// A plan is needed whole. The same id gives the same one, and executes nothing.
			var err error
			if res, err = r.execute(ctx, t, c.Arguments, c.RequestID); err != nil {
				return err
			}
		}
		told, err := r.account(ctx, t, c.Arguments, called.ID, c.RequestID, res)
		if err != nil {
			return err
		}
		r.turns = append(r.turns,
			model.Turn{Role: model.Assistant, Calls: []model.Call{called}},
			model.Turn{Role: model.ToolResult, CallID: called.ID, Text: told})
		r.closeStep()
	}
	r.step = min(r.step, r.limits.Steps-1) // what was done is to be told, so there is always one more question
	return nil
}

func (r *run) tool(name string) (tool, bool) {
	for _, t := range r.tools {
		if t.Name == name {
			return t, true
		}
	}
	return tool{}, false
}

// act does what the model calls for, as far as it may, and returns what the model is told of it.
func (r *run) act(ctx context.Context, c model.Call) (told string, err error) {
	shownArguments := json.RawMessage(c.Arguments)
	if !json.Valid(shownArguments) {
		shownArguments = json.RawMessage("{}")
	}
	r.see(ToolCalled{CallID: c.ID, Tool: cut(c.Name, 64), Arguments: shownArguments})
	refuse := func(text string) (string, error) {
		r.see(ToolAnswered{CallID: c.ID, Error: text})
		return "Not done. " + text, nil
	}
	t, known := r.tool(c.Name)
	if !known {
		return refuse("There is no tool of that name. Use one of those that you were given.")
	}
	arguments := map[string]any{}
	if strings.TrimSpace(c.Arguments) != "" {
		if err := json.Unmarshal([]byte(c.Arguments), &arguments); err != nil || arguments == nil {
			return refuse("The arguments are not a JSON object. Send the call again with correct JSON.")
		}
	}
	if t.Name == agenttools.DeleteTasks {
		delete(arguments, "confirmation") // the user's to give
	}
	key := canonical(arguments)
	earlier := r.attempts[t.Name+key]
	n := len(earlier)
	if t.changes && n > 0 {
		switch last := earlier[n-1]; {
		case last.outcome == unknown:
			n-- // the same call again, under the same id: it is executed at most once
		case last.outcome == waiting, last.outcome == done && last.ask < r.usage.Steps:
			r.see(ToolAnswered{CallID: c.ID, Output: json.RawMessage(`{"repeated":true}`)})
			return "You called this before in this answer, and it was not done again. " + last.told, nil
		}
	}
	if t.changes && r.doubt && n == len(earlier) {
		return refuse("Nobody knows whether an earlier change was executed, so nothing else is changed in this answer. Tell the user.")
	}
	id := callID(r.message, t.Name, key, n)
	existing := targets(arguments)
	if t.Name != agenttools.DeleteTasks {
		wait, err := r.needsApproval(ctx, t, existing)
		if err != nil {
			return "", err
		}
		if wait && len(r.asked) < maxAsked {
			return r.askUser(ctx, t, arguments, c.ID, id, approvals.Approval{ExpiresAt: r.now().Add(approvals.Lives)})
		}
		if wait {
			return refuse(tooMuchAsked)
		}
	} else if len(r.asked) >= maxAsked {
		return refuse(tooMuchAsked)
	}
	res, err := r.execute(ctx, t, arguments, id)
	if err != nil {
		return "", err
	}
	return r.account(ctx, t, arguments, c.ID, id, res)
}

// execute calls a tool under a request id. If ctx ends meanwhile and the tool changes something, nobody knows whether it
// did: that is noted before the error is returned.
func (r *run) execute(ctx context.Context, t tool, arguments map[string]any, id string) (result, error) {
	meta := r.meta()
	meta[agenttools.MetaRequest] = id
	res, err := call(ctx, r.session, r.limits.Call, meta, t.Name, arguments)
	if err != nil && t.changes && t.Name != agenttools.DeleteTasks {
		r.deeds = append(r.deeds, newDeed(t, arguments, result{outcome: unknown, text: "it was given up"}))
	}
	return res, err
}

// account takes down what a call came to, and returns what the model is told of it.
func (r *run) account(ctx context.Context, t tool, arguments map[string]any, callID, id string, res result) (string, error) {
	if t.Name == agenttools.DeleteTasks && res.outcome == done {
		var plan agenttools.DeletePlan
		if err := json.Unmarshal(res.output, &plan); err == nil && plan.Confirmation != "" && len(plan.Plan) > 0 {
			return r.askToDelete(ctx, t, arguments, callID, id, plan)
		}
		// Nothing that could be deleted. What there is of a confirmation is not shown to anybody.
		failures := "none of these tasks can be deleted"
		if len(plan.Failures) > 0 {
			failures = plan.Failures[0].Error
		}
		res = result{outcome: failed, text: failures}
	}
	d := newDeed(t, arguments, res)
	if t.Name == agenttools.DeleteTasks && d.Outcome == string(unknown) {
		d.changes = false // only a plan was asked for
	}
	told := data(res)
	switch outcome(d.Outcome) {
	case unknown:
		told = "Nobody knows whether this was done. Do not do it again; tell the user.\n" + told
		if d.changes {
			r.doubt = true
		}
	default:
		r.doubt = r.doubt && !r.clears(t, arguments)
	}
	key := t.Name + canonical(arguments)
	if last := len(r.attempts[key]) - 1; last >= 0 && r.attempts[key][last].id == id {
		r.attempts[key] = r.attempts[key][:last]
		r.deeds = slices.DeleteFunc(r.deeds, func(old deed) bool {
			return old.Tool == t.Name && old.Outcome == string(unknown) && canonical(old.Arguments) == canonical(d.Arguments)
		})
	}
	r.attempts[key] = append(r.attempts[key], attempt{r.usage.Steps, id, outcome(d.Outcome), told})
	r.deeds = append(r.deeds, d)
	for _, task := range d.tasks {
		r.titles[task.ID] = task.Title
		if d.changes && t.Name != agenttools.AddTasks {
			r.changed[task.ID] = true
		}
	}
	if d.Outcome == string(done) {
		r.see(ToolAnswered{CallID: callID, Output: outputOf(res)})
	} else {
		r.see(ToolAnswered{CallID: callID, Error: line(d.reason)})
	}
	return told, nil
}

// clears reports whether a call that was answered is the one whose outcome was unknown.
func (r *run) clears(t tool, arguments map[string]any) bool {
	earlier := r.attempts[t.Name+canonical(arguments)]
	return t.changes && len(earlier) > 0 && earlier[len(earlier)-1].outcome == unknown
}

func outputOf(res result) json.RawMessage {
	if res.output != nil {
		return res.output
	}
	text, _ := json.Marshal(map[string]string{"result": res.text}) // strings always encode
	return text
}

// conclude makes the answer of a run, keeps it and returns it. why is what kept the model from answering, nil if it did.
func (r *run) conclude(ctx context.Context, why error) (Answer, error) {
	if errors.Is(why, errLost) || ctx.Err() != nil && !errors.Is(context.Cause(ctx), errTime) {
		return Answer{}, context.Cause(ctx)
	}
	notes := []string{}
	if why != nil {
		reason, limit := errors.AsType[stopped](why)
		timed := errors.Is(why, errTime)
		switch {
		case !limit && !timed && !errs.Is(why, errs.Unavailable):
			return Answer{}, why
		case !limit && !timed && !r.touched():
			// Nothing was done, and the same message can be sent again.
			return Answer{}, why
		case timed:
			reason = "this took too long"
		case !limit:
			reason = "the assistant is not available right now"
			slog.WarnContext(ctx, "an answer was ended by code", "error", why.Error())
		}
		if r.partial != "" {
			r.parts = append(r.parts, r.partial+" …")
		}
		notes = append(notes, account(r.deeds)+"I could not finish, because "+string(reason)+".")
	}
	text := strings.Join(r.parts, "\n\n")
	for _, sentence := range corrections(text, r.deeds, r.asked) {
		if why == nil || sentence != nothingChanged { // the account says so already
			notes = append(notes, sentence)
		}
	}
	return r.reply(ctx, text, notes)
}

// touched reports whether anything was changed, may have been, or waits.
func (r *run) touched() bool {
	return len(r.asked) > 0 || slices.ContainsFunc(r.deeds, func(d deed) bool { return d.changes && d.Outcome != string(failed) })
}

// reply shows the sentences that code adds, keeps the answer and returns it.
func (r *run) reply(ctx context.Context, text string, notes []string) (Answer, error) {
	if utf8.RuneCountInString(text) > maxAnswer {
		text = string([]rune(text)[:maxAnswer]) + " …"
	}
	if added := strings.Join(notes, " "); added != "" {
		if !r.inStep {
			r.openStep()
		}
		if text != "" {
			text += "\n\n"
		}
		text += added
		r.see(TextDelta{ID: "note", Text: added})
	}
	r.closeStep()
	m := agenttools.Message{
		ID: answerID(r.message), Role: "assistant", Text: text, InReplyTo: r.message, TaskIDs: linked(r.deeds, text),
		Receipts: fitting(r.deeds), Approvals: r.asked, Model: cut(r.Agent.model.Name(), 100),
	}
	// The answer is kept also if whoever asked goes now.
	keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.limits.Call)
	defer cancel()
	if err := r.keep(keeping, m); err != nil {
		return Answer{}, errs.Because(err, errs.Unavailable, "The answer could not be kept. Please send the message again: what was done is not done twice.")
	}
	return r.answer(m), nil
}
