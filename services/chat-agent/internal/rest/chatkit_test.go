package rest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	house "github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/chatkit/chatkittest"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/rest"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

var update = flag.Bool("update", false, "write the recorded conversations anew")

// input is what ChatKit sends of a message, with all that it always sends.
func input(text string) string {
	quoted, _ := json.Marshal(text) //nolint:errchkjson // a string always has a JSON form
	return fmt.Sprintf(`"input":{"content":[{"type":"input_text","text":%s}],"attachments":[],"quoted_text":null,"inference_options":{"tool_choice":null,"model":null}}`, quoted)
}

// ask is a request of ChatKit. THREAD, FIRST and LAST stand for the thread that was begun last, and for the messages of the
// user that were said first and last in it.
type ask struct{ kind, params string }

// recorded are conversations, each with the agent itself. DOWN and UP as a kind take the model away and bring it back.
var recorded = map[string][]ask{
	"a conversation from its beginning to its history": {
		{"threads.create", input("add buy milk tomorrow")},
		{"threads.add_user_message", `"thread_id":"THREAD",` + input("add call mom")},
		{"threads.create", input("hello")},
		{"threads.list", `"limit":1,"order":"desc"`},
		{"threads.list", `"limit":9999,"order":"desc","after":"1"`},
		{"threads.get_by_id", `"thread_id":"THREAD"`},
		{"items.list", `"thread_id":"THREAD","limit":1,"order":"desc"`},
		{"items.list", `"thread_id":"THREAD","limit":1,"order":"asc"`},
		{"items.list", `"thread_id":"THREAD","order":"asc","after":"FIRST"`},
		{"threads.delete", `"thread_id":"THREAD"`},
	},
	"a deletion that is approved with a word": {
		{"threads.create", input(`add "buy *two* [milk](http://evil)"`)},
		{"threads.add_user_message", `"thread_id":"THREAD",` + input("delete milk")},
		{"items.list", `"thread_id":"THREAD","limit":1,"order":"desc"`},
		{"threads.add_user_message", `"thread_id":"THREAD",` + input("Yes!")},
		{"threads.add_user_message", `"thread_id":"THREAD",` + input("what do I have to do?")},
	},
	"a message that is answered when the model is back": {
		{"DOWN", ""},
		{"threads.create", input("add buy milk")},
		{"items.list", `"thread_id":"THREAD","order":"desc"`},
		{"UP", ""},
		{"threads.retry_after_item", `"thread_id":"THREAD","item_id":"LAST"`},
		{"threads.retry_after_item", `"thread_id":"THREAD","item_id":"LAST"`},
		{"items.list", `"thread_id":"THREAD","order":"desc"`},
	},
	"what is not text is refused": {
		{"threads.create", `"input":{"content":[{"type":"input_text","text":"see"}],"attachments":["atc_1"],"inference_options":{}}`},
		{"threads.create", `"input":{"content":[{"type":"input_text","text":"see"}],"attachments":[],"inference_options":{"model":"gpt-5","tool_choice":{"id":"search"}}}`},
		{"threads.update", `"thread_id":"` + conversation + `","title":"Groceries"`},
		{"items.feedback", `"thread_id":"` + conversation + `","item_ids":["` + someID + `"],"kind":"positive"`},
		{"threads.custom_action", `"thread_id":"` + conversation + `","action":{"type":"a","payload":{}}`},
		{"threads.get_by_id", `"thread_id":"` + conversation + `"`},
		{"threads.retry_after_item", `"thread_id":"` + conversation + `","item_id":"` + someID + `"`},
	},
}

var (
	createdThread = regexp.MustCompile(`"thread":\{"id":"([^"]*)"`)
	saidItem      = regexp.MustCompile(`"item":\{"type":"user_message","id":"([^"]*)"`)
	correlations  = regexp.MustCompile(`"correlation_id":"[^"]*"`)
)

// TestConversationsAreAsRecorded: each request and each answer is also what OpenAI's own definitions say.
func TestConversationsAreAsRecorded(t *testing.T) {
	t.Parallel()
	for name, asks := range recorded {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chat, model := speaking(t)
			u := open(t, settings{Options: rest.Options{Chat: chat, Now: func() time.Time { return sunday }}}).named(t, "ann")
			var record strings.Builder
			var thread, first, last string
			for i, a := range asks {
				if a.params == "" {
					model.set(a.kind == "DOWN")
					fmt.Fprintf(&record, "=== %s\n\n", a.kind)
					continue
				}
				params := strings.NewReplacer("THREAD", thread, "FIRST", first, "LAST", last).Replace(a.params)
				body := fmt.Sprintf(`{"type":%q,"params":{%s},"metadata":{}}`, a.kind, params)
				chatkittest.Check(t, chatkittest.Request, body)
				got := u.send("POST", "/chatkit", body, "Idempotency-Key", strconv.Itoa(i))
				text := string(got.body)
				if got.header.Get("Content-Type") == "text/event-stream; charset=utf-8" {
					text = chatkittest.Stream(t, text)
					if found := createdThread.FindStringSubmatch(text); found != nil {
						thread, first = found[1], ""
					}
					if found := saidItem.FindStringSubmatch(text); found != nil {
						if last = found[1]; first == "" {
							first = last
						}
					}
				} else {
					if shape := shapeOf[a.kind]; got.status == 200 {
						chatkittest.Check(t, shape, text)
					}
					text = correlations.ReplaceAllString(text, `"correlation_id":"…"`) + "\n\n"
				}
				fmt.Fprintf(&record, "=== %s\n\n%d %s\n\n%s", body, got.status, got.header.Get("Content-Type"), text)
			}
			file := filepath.Join("testdata", strings.ReplaceAll(name, " ", "_")+".txt")
			if *update {
				if err := errors.Join(os.MkdirAll("testdata", 0o750), os.WriteFile(file, []byte(record.String()), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v (go test -update writes it)", err)
			}
			if record.String() != string(want) {
				t.Errorf("it is not as recorded: got\n%s\nwant\n%s", record.String(), want)
			}
		})
	}
}

var shapeOf = map[string]chatkittest.Shape{
	"threads.get_by_id": chatkittest.Thread, "threads.list": chatkittest.Threads, "items.list": chatkittest.Items,
}

// chatkit asks as ChatKit does.
func (u user) chatkit(kind, params string, headers ...string) answer {
	u.t.Helper()
	return u.send("POST", "/chatkit", fmt.Sprintf(`{"type":%q,"params":{%s}}`, kind, params), headers...)
}

func TestChatKitIsNotThereUnlessItIsAskedFor(t *testing.T) {
	t.Parallel()
	u := open(t, settings{withoutChatKit: true}).user(t)
	for _, headers := range [][]string{nil, {"Authorization", ""}} {
		if got := problem(t, u.chatkit("threads.list", "", headers...).want(t, 404)); got != "There is nothing at this address." {
			t.Error(got)
		}
	}
}

func TestWhatChatKitAsksReachesTheAgentAsAMessage(t *testing.T) {
	t.Parallel()
	requests := make(chan agent.Request, 1)
	u := open(t, settings{Options: rest.Options{Chat: heard(requests)}}).user(t)
	said := func(kind, params string, headers ...string) agent.Request {
		t.Helper()
		u.chatkit(kind, params, headers...).want(t, 200)
		return <-requests
	}
	for params, want := range map[string]string{
		input("hello"): "hello",
		`"input":{"content":[{"type":"input_text","text":"move "},{"type":"input_tag","id":"7","text":"Milk","data":{"a":1},"interactive":true},{"type":"input_text","text":" to friday"}]}`: "move Milk to friday",
		`"input":{"content":[{"type":"input_text","text":"why?"}],"quoted_text":"Done.\r\n1 task added "}`:                                                                                   "> Done.\n> 1 task added\n\nwhy?",
		input("hello") + `,"thread_id":"` + someID + `","a_field_of_tomorrow":[1.5,null]`:                                                                                                    "hello",
	} {
		if got := said("threads.create", params); got.Text != want || got.UserID != u.id || got.ConversationID != "" {
			t.Errorf("%s became %+v", params, got)
		}
	}
	add := `"thread_id":"` + strings.ToUpper(someID) + `",` + input("hello")
	one, same := said("threads.add_user_message", add, "Idempotency-Key", "k"), said("threads.add_user_message", add, "Idempotency-Key", "k")
	if one != same || one.ConversationID != someID || one.MessageID == said("threads.add_user_message", add).MessageID {
		t.Errorf("the same message became %+v and %+v", one, same)
	}
}

func TestWhatChatKitAsksIsHeldToItsBounds(t *testing.T) {
	t.Parallel()
	chat := failing(errors.New("the agent was asked"))
	u := open(t, settings{Options: rest.Options{Chat: chat, Limits: rest.Limits{Rate: 1, Burst: 1, Runs: 1}}}).user(t)
	id := `"thread_id":"` + someID + `"`
	quoting := `"input":{"content":[{"type":"input_text","text":"` + strings.Repeat("a", 4000) + `"}],"quoted_text":"` + strings.Repeat("b", 4000) + `"}`
	const text = "params.input.content must be 1 to 8000 characters, with what is quoted, and not only spaces"
	for name, c := range map[string]struct{ kind, params, want string }{
		"a type of nobody":        {"threads.burn", "", "type must be threads.create, threads.add_user_message, threads.retry_after_item, threads.get_by_id, threads.list, items.list or threads.delete"},
		"no thread":               {"threads.get_by_id", "", "params.thread_id is required"},
		"a thread of elsewhere":   {"threads.get_by_id", `"thread_id":"thr_1"`, "params.thread_id must be a UUID"},
		"nothing said":            {"threads.create", "", "params.input is required"},
		"no content":              {"threads.create", `"input":{"content":[]}`, "params.input.content must have at least 1 items, not 0"},
		"only spaces":             {"threads.create", input(" \n"), text},
		"too much with a quote":   {"threads.create", quoting, text},
		"too much in one part":    {"threads.create", input(strings.Repeat("a", 8001)), "params.input.content[0].text must be at most 8000 characters, not 8001"},
		"a picture":               {"threads.create", `"input":{"content":[{"type":"input_image","text":"a"}]}`, "params.input.content[0].type must be input_text or input_tag"},
		"nothing to retry":        {"threads.retry_after_item", id, "params.item_id is required"},
		"no thread to write into": {"threads.add_user_message", input("hello"), "params.thread_id is required"},
		"no limit at all":         {"threads.list", `"limit":0`, "params.limit must be at least 1"},
		"the oldest threads":      {"threads.list", `"order":"asc"`, "params.order must be desc: conversations are listed with the last used first"},
		"an order of nobody":      {"items.list", id + `,"order":"up"`, "params.order must be asc or desc"},
		"an endless cursor":       {"threads.list", `"after":"` + strings.Repeat("a", 4097) + `"`, "params.after must be at most 4096 characters, not 4097"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := problem(t, u.chatkit(c.kind, c.params).want(t, 422)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestChatKitsMessagesCountLikeAllOthers: they share a user's rate and the replica's places; reading has neither.
func TestChatKitsMessagesCountLikeAllOthers(t *testing.T) {
	t.Parallel()
	begun, release := newSignal(), newSignal()
	chat := script{say: func(_ context.Context, r agent.Request, see func(agent.Event)) (agent.Answer, error) {
		see(beginning(r))
		if r.Text == "wait" {
			begun.give()
			release.wait(t, "the end")
		}
		return answerTo(r), nil
	}}
	w := open(t, settings{Options: rest.Options{Chat: chat, Limits: rest.Limits{Rate: 1, Burst: 2, Runs: 1}}})
	ann, eve := w.user(t), w.user(t)
	ann.chatkit("threads.create", input("hello")).want(t, 200)
	ann.say("hello").want(t, 200)
	if a := ann.chatkit("threads.create", input("hello")).want(t, 429); a.header.Get("Retry-After") == "" {
		t.Error("it does not say when to come back")
	}
	ann.say("hello").want(t, 429)
	for range 5 {
		ann.chatkit("threads.list", "").want(t, 200)
	}
	whole := make(chan answer, 1)
	go func() { whole <- eve.chatkit("threads.create", input("wait")) }()
	begun.wait(t, "a run begins")
	problem(t, w.user(t).chatkit("threads.create", input("hello")).want(t, 503))
	problem(t, w.user(t).say("hello").want(t, 503))
	release.give()
	(<-whole).want(t, 200)
}

func TestARunGoesOnWhenChatKitLeaves(t *testing.T) {
	t.Parallel()
	left, ended := newSignal(), newSignal()
	w := open(t, settings{Options: rest.Options{Chat: script{say: func(ctx context.Context, r agent.Request, see func(agent.Event)) (agent.Answer, error) {
		see(beginning(r))
		left.wait(t, "the reader leaves")
		if ctx.Err() != nil {
			t.Errorf("the run was ended: %v", context.Cause(ctx))
		}
		ended.give()
		return answerTo(r), nil
	}}}})
	u := w.user(t)
	ctx, leave := context.WithTimeout(t.Context(), patience)
	defer leave()
	response, err := u.http.Client().Do(u.request(ctx, "POST", "/api/"+u.id+"/chatkit", `{"type":"threads.create","params":{`+input("hello")+`}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	until(t, bufio.NewScanner(response.Body), `data: {"type":"thread.created"`)
	leave()
	_, _ = io.Copy(io.Discard, response.Body) // it was ended
	left.give()
	ended.wait(t, "the run ends")
}

// TestChatKitIsToldOfFailures: before anything was told as any other error, later as the stream's last event, and only what
// a user may know.
func TestChatKitIsToldOfFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		begins bool
		err    error
		status int
		want   string
	}{
		"at once":              {false, errs.New(errs.Conflict, "Another message is being answered."), 409, "Another message is being answered."},
		"later":                {true, errs.Because(errors.New("dial tcp"), errs.Unavailable, "The model went away."), 200, `"message":"The model went away.","allow_retry":true`},
		"later, our own fault": {true, errors.New("secret_table does not exist"), 200, `"message":"Something went wrong on our side.`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := open(t, settings{Options: rest.Options{Chat: script{say: func(_ context.Context, r agent.Request, see func(agent.Event)) (agent.Answer, error) {
				if c.begins {
					see(beginning(r))
				}
				return agent.Answer{}, c.err
			}}}}).user(t)
			body := string(u.chatkit("threads.create", input("hello")).want(t, c.status).body)
			if !strings.Contains(body, c.want) || strings.Contains(body, "dial") || strings.Contains(body, "secret_table") {
				t.Error(body)
			}
			if c.begins {
				chatkittest.Stream(t, body)
			}
		})
	}
}

func TestAStreamOfChatKitBeatsWhileItIsSilent(t *testing.T) {
	t.Parallel()
	beaten := newSignal()
	u := open(t, settings{Options: rest.Options{Heartbeat: 10 * time.Millisecond, Chat: script{
		say: func(_ context.Context, r agent.Request, _ func(agent.Event)) (agent.Answer, error) {
			beaten.wait(t, "a beat is read")
			return answerTo(r), nil
		},
	}}}).user(t)
	ctx, leave := context.WithTimeout(t.Context(), patience)
	defer leave()
	response, err := u.http.Client().Do(u.request(ctx, "POST", "/api/"+u.id+"/chatkit", `{"type":"threads.create","params":{`+input("hello")+`}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	until(t, lines, ": ")
	beaten.give()
	until(t, lines, `data: {"type":"thread.created"`)
	until(t, lines, `data: {"type":"thread.item.done"`)
}

// long is a conversation of n messages, of which a page has at most most.
func long(n, most int) script {
	var all []agenttools.Message
	for i := range n {
		m := agenttools.Message{ID: fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", i), Role: "user", Text: "message " + strconv.Itoa(i), CreatedAt: "2026-11-22T09:00:00Z"}
		if i%2 == 1 {
			m.Role = "assistant"
		}
		all = append(all, m)
	}
	return script{messages: func(_ string, in agenttools.LoadConversationInput) (agenttools.LoadedConversation, error) {
		before := all
		if in.Before != "" {
			at := slices.IndexFunc(all, func(m agenttools.Message) bool { return m.ID == in.Before })
			if at < 0 {
				return agenttools.LoadedConversation{}, errs.New(errs.Invalid, "before must be a message of this conversation")
			}
			before = all[:at]
		}
		from := max(0, len(before)-min(in.Limit, most))
		return agenttools.LoadedConversation{ConversationID: in.ConversationID, Title: "Long", Messages: slices.Clone(before[from:]), More: from > 0}, nil
	}}
}

type page struct {
	Data    []struct{ ID string }
	HasMore bool `json:"has_more"`
	After   *string
}

// TestALongThreadIsReadInPagesBothWays until the end, each item once.
func TestALongThreadIsReadInPagesBothWays(t *testing.T) {
	t.Parallel()
	u := open(t, settings{Options: rest.Options{Chat: long(437, 90)}}).user(t)
	for order, at := range map[string]func(int) int{"asc": func(i int) int { return i }, "desc": func(i int) int { return 436 - i }} {
		read, after := 0, ""
		for more := true; more; {
			a := u.chatkit("items.list", fmt.Sprintf(`"thread_id":%q,"limit":1000,"order":%q%s`, conversation, order, after)).want(t, 200)
			chatkittest.Check(t, chatkittest.Items, string(a.body))
			p := decode[page](t, a)
			if len(p.Data) == 0 || len(p.Data) > 100 || p.HasMore != (p.After != nil) {
				t.Fatalf("%s: a page of %d, %t", order, len(p.Data), p.HasMore)
			}
			for _, item := range p.Data {
				if want := fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", at(read)); item.ID != want {
					t.Fatalf("%s: item %d is %s", order, read, item.ID)
				}
				read++
			}
			if more = p.HasMore; more {
				after = `,"after":"` + *p.After + `"`
			}
		}
		if read != 437 {
			t.Errorf("%s: %d items", order, read)
		}
		problem(t, u.chatkit("items.list", fmt.Sprintf(`"thread_id":%q,"order":%q,"after":%q`, conversation, order, someID)).want(t, 422))
		problem(t, u.chatkit("items.list", fmt.Sprintf(`"thread_id":%q,"order":%q,"after":"x"`, conversation, order)).want(t, 422))
	}
	a := u.chatkit("threads.get_by_id", `"thread_id":"`+conversation+`"`).want(t, 200)
	chatkittest.Check(t, chatkittest.Thread, string(a.body))
	if got := decode[struct{ Items page }](t, a).Items; len(got.Data) != 100 || !got.HasMore || *got.After != got.Data[99].ID {
		t.Errorf("the thread begins with %d items, more: %t", len(got.Data), got.HasMore)
	}
	if got := len(decode[page](t, u.chatkit("items.list", `"thread_id":"`+conversation+`"`)).Data); got != 20 {
		t.Errorf("without a limit a page has %d items", got)
	}
}

// TestAThreadThatIsTooLongIsReadFromItsNewestOnly: one request reads so far back and no further.
func TestAThreadThatIsTooLongIsReadFromItsNewestOnly(t *testing.T) {
	t.Parallel()
	u := open(t, settings{Options: rest.Options{Chat: long(1001, 100)}}).user(t)
	id := `"thread_id":"` + conversation + `"`
	oldest := `,"item_id":"0192f0c1-0000-7000-8000-000000000000"`
	for kind, params := range map[string]string{"threads.get_by_id": id, "items.list": id + `,"order":"asc"`} {
		if got := problem(t, u.chatkit(kind, params).want(t, 422)); !strings.HasPrefix(got, "This conversation is too long") {
			t.Error(got)
		}
	}
	u.chatkit("items.list", id).want(t, 200)
	u.chatkit("items.list", id+`,"order":"asc","after":"0192f0c1-0000-7000-8000-000000000500"`).want(t, 200)
	problem(t, u.chatkit("threads.retry_after_item", id+oldest).want(t, 404))
}

func TestOnlyAMessageOfTheUserIsAnsweredAgain(t *testing.T) {
	t.Parallel()
	requests := make(chan agent.Request, 1)
	chat := long(4, 100)
	chat.say = heard(requests).say
	u := open(t, settings{Options: rest.Options{Chat: chat}}).user(t)
	of := func(item int) answer {
		return u.chatkit("threads.retry_after_item", fmt.Sprintf(`"thread_id":%q,"item_id":"0192f0c1-0000-7000-8000-%012d"`, conversation, item))
	}
	of(2).want(t, 200)
	if got := <-requests; got.MessageID != "0192f0c1-0000-7000-8000-000000000002" || got.Text != "message 2" || got.ConversationID != conversation {
		t.Errorf("asked again: %+v", got)
	}
	if got := problem(t, of(3).want(t, 422)); got != "params.item_id must be a message of the user" {
		t.Error(got)
	}
	problem(t, of(7).want(t, 404))
}

// TestChatKitOfAnotherUserIsRefused before the request is looked at.
func TestChatKitOfAnotherUserIsRefused(t *testing.T) {
	t.Parallel()
	w := open(t, settings{house: house.Config{Rate: 100, Burst: 100}, Options: rest.Options{Chat: failing(errors.New("the agent was asked"))}})
	ann, eve := w.user(t), w.user(t)
	for _, kind := range []string{"threads.create", "threads.list", "threads.burn"} {
		problem(t, eve.sendTo("/api/"+ann.id+"/chatkit", "POST", `{"type":"`+kind+`","params":{`+input("hello")+`}}`).want(t, 403))
	}
}
