package conversation_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/conversation"
)

// wantWhole checks that the user's sequences on the conversations' topic have no gap, and each conversation's versions
// neither. It returns the types.
func (l *library) wantWhole(t *testing.T, user string) []string {
	t.Helper()
	events, err := postgres.NewLog(l.db).Since(t.Context(), user, proto.Conversations, 0, 1000)
	must(t, err)
	var types []string
	versions := map[string]int{}
	for i, e := range events {
		if e.Sequence != int64(i+1) || e.Version != versions[e.AggregateID]+1 {
			t.Errorf("event %d has sequence %d and takes %s from version %d to %d", i+1, e.Sequence, e.AggregateID, versions[e.AggregateID], e.Version)
		}
		versions[e.AggregateID] = e.Version
		types = append(types, e.Type)
	}
	return types
}

func TestAConversationBeginsWithItsFirstMessageAndIsToldAsItWasSaid(t *testing.T) {
	t.Parallel()
	l, id := open(t), newID()
	question := asks("  Please add \n\t milk " + strings.Repeat("é", 100))
	answer := answers(question, "Added \"milk\" {✓} \\ NULL")
	answer.TaskIDs = []string{newID(), newID()}
	answer.Model = "taskflow-offline"
	answer.Receipts = []agenttools.Receipt{{Tool: "add_tasks", Arguments: map[string]any{"title": "mi\u0000lk"}, Outcome: "done", Summary: "1 task added"}}
	answer.Approvals = []agenttools.Approval{{ID: newID(), Tool: "delete_tasks", Summary: "Delete?", Tasks: []string{"a", "b"}, ExpiresAt: "2026-11-22T10:00:00Z"}}
	kept, err := l.append(t.Context(), "ada", id, question)
	must(t, err)
	l.now = start.Add(time.Second)
	more, err := l.append(t.Context(), "ada", id, answer)
	must(t, err)
	question.CreatedAt, answer.CreatedAt = "2026-11-22T09:00:00.123Z", "2026-11-22T09:00:01.123Z"
	want := []agenttools.Message{question, answer}
	if got := append(kept.Messages, more.Messages...); !reflect.DeepEqual(got, want) {
		t.Errorf("kept:\n got %+v\nwant %+v", got, want)
	}
	loaded, err := l.load(t.Context(), "ada", agenttools.LoadConversationInput{ConversationID: strings.ToUpper(id), Run: question.ID})
	must(t, err)
	if !reflect.DeepEqual(loaded.Messages, want) || !reflect.DeepEqual(loaded.Answer, &answer) || loaded.More {
		t.Errorf("loaded:\n got %+v\nwant %+v", loaded, want)
	}
	if title := "Please add milk " + strings.Repeat("é", conversation.MaxTitle-16); loaded.Title != title || loaded.ConversationID != id {
		t.Errorf("%s has the title %q", loaded.ConversationID, loaded.Title)
	}
	l.wantWhole(t, "ada")
	events, err := postgres.NewLog(l.db).Of(t.Context(), "ada", proto.Conversations, id, 0, 10)
	must(t, err)
	var told []string
	for _, e := range events {
		told = append(told, fmt.Sprint(e.Type, " ", e.Version, " ", string(e.Data)))
	}
	if want := []string{
		"conversation.started 1 {}",
		fmt.Sprintf(`message.added 2 {"message_id":"%s","role":"user"}`, question.ID),
		fmt.Sprintf(`message.added 3 {"message_id":"%s","role":"assistant"}`, answer.ID),
	}; !slices.Equal(told, want) {
		t.Errorf("the events are %q, want %q", told, want)
	}
}

func TestAMessageIsKeptOnceHoweverOftenItIsAppended(t *testing.T) {
	t.Parallel()
	l, id := open(t), newID()
	first, second, third := asks("one"), asks("two"), asks("three")
	_, err := l.append(t.Context(), "ada", id, first, second)
	must(t, err)
	again, err := l.append(t.Context(), "ada", id, second, third, first)
	must(t, err)
	wantTexts(t, "the answer is in the order of the input", again.Messages, "two", "three", "one")
	loaded, err := l.load(t.Context(), "ada", agenttools.LoadConversationInput{ConversationID: id})
	must(t, err)
	wantTexts(t, "kept", loaded.Messages, "one", "two", "three")

	other := first
	other.Text = "something else"
	_, err = l.append(t.Context(), "ada", id, asks("new"), other)
	wantKind(t, "another text", err, errs.Conflict)
	_, err = l.append(t.Context(), "ada", newID(), asks("new"), first)
	wantKind(t, "in another conversation", err, errs.Conflict)
	if n := len(l.wantWhole(t, "ada")); n != 4 {
		t.Errorf("there are %d events", n)
	}
}

func TestARefusedMessageLeavesNothingEvenIfTheRestIsKept(t *testing.T) {
	t.Parallel()
	l, id := open(t), newID()
	first := asks("one")
	_, err := l.append(t.Context(), "ada", newID(), first)
	must(t, err)
	// A tool may answer with the refusal, and its transaction is committed.
	must(t, l.in(t.Context(), "ada", func(b *conversation.Book) error {
		_, err := b.Append(t.Context(), "ada", agenttools.AppendMessagesInput{ConversationID: id, Messages: []agenttools.Message{first}})
		wantKind(t, "in another conversation", err, errs.Conflict)
		return nil
	}))
	all, err := l.search(t.Context(), "ada", agenttools.SearchConversationsInput{})
	must(t, err)
	if len(all.Conversations) != 1 || len(l.wantWhole(t, "ada")) != 2 {
		t.Errorf("there are %+v", all)
	}
}

func TestACrowdThatAppendsToOneConversationKeepsEveryMessageOnce(t *testing.T) {
	t.Parallel()
	l, id, shared := open(t), newID(), asks("shared")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := l.append(t.Context(), "ada", id, asks("own"), shared); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	loaded, err := l.load(t.Context(), "ada", agenttools.LoadConversationInput{ConversationID: id, Limit: 100})
	must(t, err)
	if types := l.wantWhole(t, "ada"); len(loaded.Messages) != 21 || len(types) != 22 || types[0] != "conversation.started" {
		t.Errorf("%d messages and %d events", len(loaded.Messages), len(types))
	}
}

func TestWhatIsAnotherUsersIsNeitherReadNorAddedTo(t *testing.T) {
	t.Parallel()
	l, id, hers := open(t), newID(), asks("her secret")
	_, err := l.append(t.Context(), "eve", id, hers)
	must(t, err)
	_, err = l.append(t.Context(), "ada", id, asks("mine"))
	wantKind(t, "appending to hers", err, errs.NotFound)
	for _, in := range []agenttools.LoadConversationInput{
		{ConversationID: id},
		{ConversationID: id, Before: hers.ID},
		{ConversationID: id, Run: hers.ID},
	} {
		loaded, err := l.load(t.Context(), "ada", in)
		must(t, err)
		if len(loaded.Messages) != 0 || loaded.Title != "" || loaded.Answer != nil || loaded.More {
			t.Errorf("ada reads %+v", loaded)
		}
	}
	found, err := l.search(t.Context(), "ada", agenttools.SearchConversationsInput{Query: "secret"})
	must(t, err)
	if len(found.Conversations) != 0 {
		t.Errorf("ada finds %+v", found)
	}

	// The same message id is a message of ada's own.
	mine, own := newID(), hers
	own.Text = "my own"
	_, err = l.append(t.Context(), "ada", mine, own)
	must(t, err)
	for user, want := range map[string]struct{ id, text string }{"ada": {mine, "my own"}, "eve": {id, "her secret"}} {
		loaded, err := l.load(t.Context(), user, agenttools.LoadConversationInput{ConversationID: want.id})
		must(t, err)
		wantTexts(t, user, loaded.Messages, want.text)
		l.wantWhole(t, user)
	}
}

func TestAMessageOutOfBoundsIsRefusedWithEveryFieldThatIsWrong(t *testing.T) {
	t.Parallel()
	l := open(t)
	good := asks("ok")
	with := func(change func(*agenttools.Message)) []agenttools.Message {
		m := asks("ok")
		change(&m)
		return []agenttools.Message{m}
	}
	ids := func(n int) (all []string) {
		for range n {
			all = append(all, newID())
		}
		return all
	}
	for what, c := range map[string]struct {
		id     string
		said   []agenttools.Message
		fields string
	}{
		"a conversation without a UUID": {"7", []agenttools.Message{good}, "conversation_id"},
		"a UUID in braces":              {"{" + newID() + "}", []agenttools.Message{good}, "conversation_id"},
		"no message":                    {newID(), nil, "messages"},
		"too many messages":             {newID(), append(make([]agenttools.Message, 0, 11), asks("1"), asks("2"), asks("3"), asks("4"), asks("5"), asks("6"), asks("7"), asks("8"), asks("9"), asks("10"), asks("11")), "messages"},
		"one message twice":             {newID(), []agenttools.Message{good, good}, "messages[1].id"},
		"everything wrong": {
			newID(),
			[]agenttools.Message{good, {ID: "x", Role: "tool", InReplyTo: "x", TaskIDs: []string{"x"}}},
			"messages[1].id messages[1].role messages[1].text messages[1].in_reply_to messages[1].task_ids[0]",
		},
		"a user's text that is too long":       {newID(), with(func(m *agenttools.Message) { m.Text = strings.Repeat("é", 8_001) }), "messages[0].text"},
		"an assistant's text that is too long": {newID(), with(func(m *agenttools.Message) { m.Role, m.Text = "assistant", strings.Repeat("é", 32_001) }), "messages[0].text"},
		"NUL":                                  {newID(), with(func(m *agenttools.Message) { m.Text = "a\x00b" }), "messages[0].text"},
		"no UTF-8":                             {newID(), with(func(m *agenttools.Message) { m.Text = "a\xff" }), "messages[0].text"},
		"only space":                           {newID(), with(func(m *agenttools.Message) { m.Text = " \n" }), "messages[0].text"},
		"too many tasks":                       {newID(), with(func(m *agenttools.Message) { m.TaskIDs = ids(21) }), "messages[0].task_ids"},
		"a long model":                         {newID(), with(func(m *agenttools.Message) { m.Model = strings.Repeat("m", 201) }), "messages[0].model"},
		"a wrong outcome":                      {newID(), with(func(m *agenttools.Message) { m.Receipts = []agenttools.Receipt{{Tool: "x", Outcome: "perhaps"}} }), "messages[0].receipts[0].outcome"},
		"huge receipts": {newID(), with(func(m *agenttools.Message) {
			m.Receipts = []agenttools.Receipt{{Tool: "x", Outcome: "done", Arguments: map[string]any{"a": strings.Repeat("x", 70_000)}}}
		}), "messages[0].receipts"},
		"a wrong approval": {newID(), with(func(m *agenttools.Message) {
			m.Approvals = []agenttools.Approval{{ID: "a", Tool: "x", Tasks: ids(21), ExpiresAt: "tomorrow"}}
		}), "messages[0].approvals[0].tasks messages[0].approvals[0].expires_at"},
	} {
		_, err := l.append(t.Context(), "ada", c.id, c.said...)
		wantKind(t, what, err, errs.Invalid)
		var fields []string
		for _, f := range errs.Fields(err) {
			fields = append(fields, f.Field)
		}
		if got := strings.Join(fields, " "); got != c.fields {
			t.Errorf("%s: wrong are %s, want %s", what, got, c.fields)
		}
	}
	longest := asks(strings.Repeat("é", 8_000))
	reply := answers(longest, strings.Repeat("é", 32_000))
	reply.TaskIDs = ids(20)
	_, err := l.append(t.Context(), "ada", newID(), longest, reply)
	must(t, err)
}

func TestAKeptMessageCannotBeChanged(t *testing.T) {
	t.Parallel()
	l := open(t)
	_, err := l.append(t.Context(), "ada", newID(), asks("said"))
	must(t, err)
	conn, err := pgx.Connect(t.Context(), l.url)
	must(t, err)
	defer conn.Close(context.Background())
	for _, statement := range []string{
		"UPDATE messages SET text = 'never said'", "UPDATE messages SET position = 2 WHERE false",
		"TRUNCATE messages", "TRUNCATE conversations CASCADE",
	} {
		_, err := conn.Exec(t.Context(), statement)
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Message != "messages are immutable" {
			t.Errorf("%s: %v", statement, err)
		}
	}
}
