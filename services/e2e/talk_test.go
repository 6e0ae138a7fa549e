package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/stack"

	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// chatter is a user who talks, through the one origin, in one conversation.
type chatter struct {
	*client.Client
	t            *testing.T
	conversation string
}

func (s *suite) chatter(id string) *chatter {
	s.t.Helper()
	c := s.user(id, "origin", "origin")
	c.HTTP = client.NewHTTP(8, 2*time.Minute)
	return &chatter{Client: c, t: s.t}
}

// says has the user say something and returns the agent's answer.
func (c *chatter) says(message string) client.Answer {
	c.t.Helper()
	a, err := c.Say(c.t.Context(), client.Said{ConversationID: c.conversation, Message: message})
	if err != nil {
		c.t.Fatalf("%s says %q: %v", c.UserID, message, err)
	}
	c.conversation = a.ConversationID
	c.t.Logf("%s: %s\n  agent: %s %v", c.UserID, message, a.Response, receipts(a))
	return a
}

func receipts(a client.Answer) []string {
	var all []string
	for _, r := range a.ToolCalls {
		all = append(all, r.Tool+" "+r.Outcome)
	}
	return all
}

// apiTask is a task as REST shows it.
type apiTask struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Completed   bool     `json:"completed"`
	Priority    string   `json:"priority"`
	Tags        []string `json:"tags"`
	Due         string   `json:"due_date"`
	Version     int      `json:"version"`
	Recurrence  *struct {
		Rule string `json:"rule"`
	} `json:"recurrence"`
}

// tasks reads the user's tasks through REST, those in the trash if trashed.
func (c *chatter) tasks(trashed bool) []apiTask {
	c.t.Helper()
	path := "/tasks?limit=200"
	if trashed {
		path += "&deleted=true"
	}
	var page struct {
		Items []apiTask `json:"items"`
	}
	if err := c.Do(c.t.Context(), http.MethodGet, path, "", nil, &page); err != nil {
		c.t.Fatal(err)
	}
	return page.Items
}

// titled are the tasks of that title.
func titled(tasks []apiTask, title string) []apiTask {
	return slices.DeleteFunc(slices.Clone(tasks), func(t apiTask) bool { return !strings.EqualFold(t.Title, title) })
}

// windowOf opens a window of the user that collects the types of its frames.
func (c *chatter) windowOf() func(kind string) int {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	frames := make(chan client.Frame, 1000)
	f := c.Follow(0, func(f client.Frame) { frames <- f })
	ended := make(chan struct{})
	go func() { defer close(ended); _ = f.Run(ctx) }()
	c.t.Cleanup(func() { cancel(); <-ended })
	select {
	case <-f.Live():
	case <-time.After(30 * time.Second):
		c.t.Fatal("the window did not open within 30 s")
	}
	seen := map[string]int{}
	// count returns how many frames of a kind have come, waiting for the first.
	return func(kind string) int {
		c.t.Helper()
		deadline := time.After(20 * time.Second)
		for seen[kind] == 0 {
			select {
			case f := <-frames:
				seen[f.Type]++
			case <-deadline:
				c.t.Errorf("no frame %s came within 20 s; there were %v", kind, seen)
				return 0
			}
		}
		return seen[kind]
	}
}

func status(err error) int {
	var s *client.Status
	if errors.As(err, &s) {
		return s.Code
	}
	return 0
}

// The day of a user who manages tasks by talking, on the real stack with the offline model.
func TestPeopleManageTasksByTalking(t *testing.T) {
	s := start(t, stack.Default()...)
	ann, eve := s.chatter("ann"), s.chatter("eve")
	zone, err := time.LoadLocation("Asia/Karachi")
	if err != nil {
		t.Fatal(err)
	}
	if err := ann.Do(t.Context(), http.MethodPut, "/profile", "", map[string]string{"time_zone": zone.String()}, nil); err != nil {
		t.Fatal(err)
	}
	frame := ann.windowOf()

	said := ann.says("add buy milk tomorrow at 5pm, every Monday")
	milk := titled(ann.tasks(false), "buy milk")
	if len(milk) != 1 || milk[0].Recurrence == nil || !strings.Contains(milk[0].Recurrence.Rule, "BYDAY=MO") {
		t.Fatalf("there should be one task to buy milk that repeats every Monday: %+v", milk)
	}
	due, err := time.Parse(time.RFC3339, milk[0].Due)
	if err != nil || due.In(zone).Format("15:04") != "17:00" {
		t.Errorf("it is due %s, want 17:00 in %s", milk[0].Due, zone)
	}
	if !slices.Contains(said.TaskIDs, milk[0].ID) {
		t.Errorf("the answer should link the task: %v", said.TaskIDs)
	}
	if !said.Model.Offline || said.Model.Name == "" {
		t.Errorf("the answer should say that the model is the offline one: %+v", said.Model)
	}
	frame("task.created")

	if said = ann.says("show my tasks"); !strings.Contains(strings.ToLower(said.Response), "buy milk") {
		t.Errorf("asked for tasks, the agent says %q", said.Response)
	}
	ann.says("move buy milk to next friday at 3pm")
	frame("task.due_changed")
	if moved := titled(ann.tasks(false), "buy milk"); moved[0].Due == milk[0].Due || moved[0].Recurrence == nil {
		t.Errorf("it should be due another day and repeat as before: %+v", moved[0])
	}
	ann.says("complete buy milk")
	frame("task.completed")
	// The next one comes with it.
	s.eventually(20*time.Second, func() error {
		if n := len(titled(ann.tasks(false), "buy milk")); n != 2 {
			return fmt.Errorf("there are %d tasks to buy milk, want this week's and next week's", n)
		}
		return nil
	})
	ann.says("reopen buy milk")
	frame("task.reopened")

	ann.says("add buy bread tomorrow")
	said = ann.says("delete buy bread")
	if len(said.Approvals) != 1 || len(titled(ann.tasks(false), "buy bread")) != 1 {
		t.Fatalf("deleting should wait for approval: %+v", said)
	}
	approval := said.Approvals[0].ID
	if _, err := eve.Decide(t.Context(), approval, true); status(err) != http.StatusNotFound {
		t.Errorf("somebody else's approval: %v", err)
	}
	decided, err := ann.Decide(t.Context(), approval, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(titled(ann.tasks(false), "buy bread")) != 0 || len(titled(ann.tasks(true), "buy bread")) != 1 {
		t.Errorf("approved, the task should be in the trash: %q", decided.Response)
	}
	frame("task.deleted")
	again, err := ann.Decide(t.Context(), approval, true)
	if err != nil || again.AnswerID != decided.AnswerID {
		t.Errorf("approved twice, the answer should be the same: %+v, %v", again, err)
	}
	if _, err := ann.Decide(t.Context(), approval, false); status(err) != http.StatusConflict {
		t.Errorf("declined after it was approved: %v", err)
	}
	ann.says("restore buy bread")
	frame("task.restored")
	if len(titled(ann.tasks(false), "buy bread")) != 1 {
		t.Error("restored, the task should be there")
	}

	// Plain words decide as the button does.
	if said = ann.says("delete buy bread"); len(said.Approvals) != 1 {
		t.Fatalf("deleting should wait for approval: %+v", said)
	}
	ann.says("no")
	if len(titled(ann.tasks(false), "buy bread")) != 1 {
		t.Error("a plain no should keep the task")
	}

	// What was said is found again, by its owner.
	found, err := ann.Conversations(t.Context(), "milk")
	if err != nil || len(found.Items) != 1 || found.Items[0].ID != ann.conversation {
		t.Errorf("searching for milk: %+v, %v", found, err)
	}
	history, err := ann.Messages(t.Context(), ann.conversation)
	if err != nil {
		t.Fatal(err)
	}
	answered(t, history)

	eve.says("show my tasks")
	if len(eve.tasks(false)) != 0 {
		t.Error("the second user has tasks")
	}
	if found, err := eve.Conversations(t.Context(), "milk"); err != nil || len(found.Items) != 0 {
		t.Errorf("the second user finds %+v, %v", found, err)
	}
	if _, err := eve.Messages(t.Context(), ann.conversation); status(err) != http.StatusNotFound {
		t.Errorf("the second user reads the first one's conversation: %v", err)
	}
	if _, err := eve.Say(t.Context(), client.Said{ConversationID: ann.conversation, Message: "show my tasks"}); status(err) != http.StatusNotFound {
		t.Errorf("the second user goes on with the first one's conversation: %v", err)
	}
	if h, err := ann.Messages(t.Context(), ann.conversation); err != nil || len(h.Items) != len(history.Items) {
		t.Errorf("the second user wrote into the first one's conversation: %v", err)
	}
	s.talksThroughChatKit(t)
	s.rebuilt()
	s.drained(time.Minute)
}

// answered checks that a history is whole: every message of the user has exactly one answer, which follows it.
func answered(t *testing.T, history client.Messages) {
	t.Helper()
	answers := map[string]int{}
	for i, m := range history.Items {
		switch m.Role {
		case "user":
			if i+1 >= len(history.Items) || history.Items[i+1].InReplyTo != m.ID {
				t.Errorf("message %d, %q, is not followed by its answer", i, m.Text)
			}
		case "assistant":
			answers[m.InReplyTo]++
			if m.Text == "" || answers[m.InReplyTo] > 1 {
				t.Errorf("answer %d to %s is %q", answers[m.InReplyTo], m.InReplyTo, m.Text)
			}
		}
	}
	if len(answers) == 0 {
		t.Error("nothing was said")
	}
}

func TestAnAnswerIsStreamedAsTheBrowserExpectsIt(t *testing.T) {
	s := start(t, stack.Default()...)
	ann := s.chatter("ann")
	var kinds []string
	var text strings.Builder
	said := client.Said{ConversationID: event.NewID(), MessageID: event.NewID(), Message: "add water the plants tomorrow at 9am"}
	see := func(kind string, part json.RawMessage) {
		kinds = append(kinds, kind)
		var p struct {
			Delta string `json:"delta"`
		}
		if kind == "text-delta" && json.Unmarshal(part, &p) == nil {
			text.WriteString(p.Delta)
		}
	}
	if err := ann.Stream(t.Context(), said, see); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"start", "tool-input-available", "tool-output-available", "text-delta", "finish"} {
		if !slices.Contains(kinds, want) {
			t.Errorf("no part %s among %v", want, kinds)
		}
	}
	// The same message again, this time as JSON: the same answer, and the task is there once.
	again, err := ann.Say(t.Context(), said)
	if err != nil || !strings.Contains(text.String(), again.Response) {
		t.Errorf("streamed %q, then %q, %v", text.String(), again.Response, err)
	}
	if n := len(ann.tasks(false)); n != 1 {
		t.Errorf("there are %d tasks, want 1", n)
	}
}
