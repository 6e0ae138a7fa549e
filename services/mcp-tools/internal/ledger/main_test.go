package ledger_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/caller"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, what string, err error, kind errs.Kind) {
	t.Helper()
	if !errs.Is(err, kind) {
		t.Errorf("%s: the error is %v (%v), want one that is %v", what, err, errs.KindOf(err), kind)
	}
}

// office is a test's database with a ledger on it.
type office struct {
	url string
	db  *postgres.DB
	*ledger.Store
}

func open(t testing.TB) office {
	t.Helper()
	url := testkit.Postgres(t)
	db := testkit.OpenPostgresAt(t, url)
	return office{url, db, ledger.New(db, time.Now)}
}

// count is the number that a query of the test's own gives.
func (o office) count(t testing.TB, query string, args ...any) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), o.url)
	must(t, err)
	defer conn.Close(context.Background())
	must(t, conn.QueryRow(t.Context(), query, args...).Scan(&n))
	return n
}

// wantWhole checks that a user's sequences on a topic have no gap, and each aggregate's versions neither. It returns how
// many events there are.
func (o office) wantWhole(t *testing.T, user string, topic proto.Topic) int {
	t.Helper()
	versions := map[string]int{}
	n := 0
	must(t, postgres.NewLog(o.db).Each(t.Context(), postgres.Filter{UserID: user, Topic: topic}, func(events []postgres.Stored) error {
		for _, e := range events {
			n++
			if e.Sequence != int64(n) || e.Version != versions[e.AggregateID]+1 {
				t.Errorf("event %d on %s has sequence %d and takes %s from version %d to %d", n, topic, e.Sequence, e.AggregateID, versions[e.AggregateID], e.Version)
			}
			versions[e.AggregateID] = e.Version
		}
		return nil
	}))
	return n
}

func call(user, tool, input string) ledger.Call {
	return ledger.Call{
		Caller: caller.Caller{UserID: user, ClientID: "chat-agent", RequestID: uuid.NewString()},
		Tool:   tool, Input: json.RawMessage(input),
	}
}

// said is an answer with a text, as CallToolResult is encoded.
func said(text string) ledger.Result {
	raw, _ := json.Marshal(map[string]any{"content": []any{map[string]any{"type": "text", "text": text}}})
	return ledger.Result{Outcome: ledger.Done, Answer: raw}
}

// adds makes a task with a title.
func adds(user, title string) func(context.Context, ledger.Work) (ledger.Result, error) {
	return func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
		made, _, err := w.Tasks.Create(ctx, user, task.Idempotency{}, nil, task.Fields{Title: title})
		if err != nil {
			return ledger.Result{}, err
		}
		return said(made[0].ID), nil
	}
}

// says appends messages to a conversation.
func says(user, conversation string, messages ...agenttools.Message) func(context.Context, ledger.Work) (ledger.Result, error) {
	return func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
		_, err := w.Conversations.Append(ctx, user, agenttools.AppendMessagesInput{ConversationID: conversation, Messages: messages})
		return said("kept"), err
	}
}
