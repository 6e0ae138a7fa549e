package conversation_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/conversation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 11, 22, 9, 0, 0, 123_000_000, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// library is a test's database.
type library struct {
	url   string
	db    *postgres.DB
	store *taskstore.Store
	now   time.Time
}

func open(t *testing.T) *library {
	t.Helper()
	url := testkit.Postgres(t)
	db := testkit.OpenPostgresAt(t, url)
	return &library{url, db, taskstore.New(db), start}
}

// in runs fn with a user's book in a transaction of its own.
func (l *library) in(ctx context.Context, user string, fn func(b *conversation.Book) error) error {
	return l.store.Within(ctx, user, start, func(tx *postgres.Tx, _ *taskstore.Store) error {
		nothing := func(context.Context, string, string) ([]agenttools.Call, error) { return nil, nil }
		return fn(conversation.New(tx, func() time.Time { return l.now }, nothing))
	})
}

func (l *library) append(ctx context.Context, user, id string, said ...agenttools.Message) (out agenttools.AppendedMessages, err error) {
	err = l.in(ctx, user, func(b *conversation.Book) error {
		out, err = b.Append(ctx, user, agenttools.AppendMessagesInput{ConversationID: id, Messages: said})
		return err
	})
	return out, err
}

func (l *library) load(ctx context.Context, user string, in agenttools.LoadConversationInput) (out agenttools.LoadedConversation, err error) {
	err = l.in(ctx, user, func(b *conversation.Book) error { out, err = b.Load(ctx, user, in); return err })
	return out, err
}

func (l *library) search(ctx context.Context, user string, in agenttools.SearchConversationsInput) (out agenttools.FoundConversations, err error) {
	err = l.in(ctx, user, func(b *conversation.Book) error { out, err = b.Search(ctx, user, "", in); return err })
	return out, err
}

func newID() string { return uuid.NewString() }

func asks(text string) agenttools.Message {
	return agenttools.Message{ID: newID(), Role: conversation.User, Text: text}
}

func answers(question agenttools.Message, text string) agenttools.Message {
	return agenttools.Message{ID: newID(), Role: conversation.Assistant, Text: text, InReplyTo: question.ID}
}

func texts(messages []agenttools.Message) []string {
	var all []string
	for _, m := range messages {
		all = append(all, m.Text)
	}
	return all
}

func wantTexts(t *testing.T, what string, got []agenttools.Message, want ...string) {
	t.Helper()
	if fmt.Sprint(texts(got)) != fmt.Sprint(want) {
		t.Errorf("%s: %q, want %q", what, texts(got), want)
	}
}

func wantKind(t *testing.T, what string, err error, kind errs.Kind) {
	t.Helper()
	if !errs.Is(err, kind) {
		t.Errorf("%s: the error is %v (%v), want one that is %v", what, err, errs.KindOf(err), kind)
	}
}
