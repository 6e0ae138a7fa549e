package app_test

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/testkit"

	"github.com/taskflow-suite/taskflow/services/taskflow/internal/app"
)

// run runs a command line and returns what it printed.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out, progress bytes.Buffer
	cmd := app.Command()
	cmd.SetOut(&out)
	cmd.SetErr(&progress)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: the short help is %q", cmd.CommandPath(), cmd.Short)
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(app.Command())
	help, err := run(t, "--help")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"up", "down", "env", "token", "watch", "chat", "topics", "events", "replay", "rebuild", "dlq", "migrate", "wait", "lag", "trace", "check", "bench", "completion"} {
		if !strings.Contains(help, "\n  "+name+" ") {
			t.Errorf("the help does not show %s", name)
		}
	}
}

func TestTokenIsOneTheServicesTake(t *testing.T) {
	const secret = "a secret that is long enough for HS256"
	t.Setenv("JWT_SECRET", secret)
	out, err := run(t, "token", "alice", "--ttl", "1h")
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := auth.New(auth.Config{Secret: config.NewSecret(secret)})
	if err != nil {
		t.Fatal(err)
	}
	claims, err := verifier.Verify(t.Context(), strings.TrimSpace(out))
	if err != nil || claims.Subject != "alice" || time.Until(claims.Expires) > time.Hour {
		t.Errorf("%+v, %v", claims, err)
	}
}

func TestEnvIsReadByAShellAsItWasMeant(t *testing.T) {
	const secret = `a secret of 32 bytes with 'quotes' and $HOME`
	t.Setenv("JWT_SECRET", secret)
	t.Setenv("MCP_SECRET", secret)
	out, err := run(t, "env", "--database-url", "postgres://u:p@h/d?a=1&b=2", "--kafka-brokers", "one:9092,two:9092")
	if err != nil {
		t.Fatal(err)
	}
	shell := exec.CommandContext(t.Context(), "sh", "-c", out+`printf '%s|%s|%s|%s' "$DATABASE_URL" "$KAFKA_BROKERS" "$JWT_SECRET" "$MCP_SECRET"`)
	got, err := shell.Output()
	if want := "postgres://u:p@h/d?a=1&b=2|one:9092,two:9092|" + secret + "|" + secret; err != nil || string(got) != want {
		t.Errorf("the shell has %s (%v), want %s", got, err, want)
	}
}

func TestMistakesAreExplained(t *testing.T) {
	t.Setenv("JWT_SECRET", "short")
	t.Setenv("DATABASE_URL", "")
	cases := map[string]struct {
		args []string
		says string
	}{
		"a token without a user":             {[]string{"token"}, "accepts 1 arg"},
		"a secret that is too short":         {[]string{"token", "alice"}, "openssl rand"},
		"a replay without a beginning":       {[]string{"replay"}, `"from" not set`},
		"a time that is none":                {[]string{"replay", "--from", "yesterday"}, "2026-11-01"},
		"a topic that does not exist":        {[]string{"replay", "--from", "2026-01-01", "--topic", "x"}, "topics list"},
		"no database to be found":            {[]string{"migrate", "--dir", t.TempDir()}, "DATABASE_URL"},
		"a service that does not exist":      {[]string{"up", "--without", "tasks"}, "web, or all"},
		"settings of a stack that is not up": {[]string{"env", "--dir", t.TempDir()}, "start the local stack"},
		"a rebuild for nothing":              {[]string{"rebuild"}, "--verify"},
		"a command that does not exist":      {[]string{"upp"}, "up"},
		"an argument where none is allowed":  {[]string{"down", "now"}, "unknown command"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := run(t, c.args...); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("says %v, should mention %q", err, c.says)
			}
		})
	}
}

func TestReplayAndRebuildWorkOnTheLog(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	tasks := history(t, url)

	out, err := run(t, "rebuild", "--verify", "--database-url", url)
	if err != nil || !strings.Contains(out, "rebuilt 2 tasks from 6 events") || !strings.Contains(out, "no difference") {
		t.Errorf("%v: %s", err, out)
	}

	out, err = run(t, "replay", "--from", "2020-01-01", "--user", "alice", "--topic", "tasks.events", "--dry-run", "--database-url", url)
	if err != nil || !strings.Contains(out, "5 events would be") {
		t.Errorf("%v: %s", err, out)
	}
	if out, err = run(t, "replay", "--from", "2020-01-01", "--database-url", url); err != nil || !strings.Contains(out, "6 events are in the outbox") {
		t.Errorf("%v: %s", err, out)
	}

	// A row that somebody changed by hand is found, with the column.
	db, err := postgres.Open(t.Context(), postgres.At(url))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Read(t.Context()).Table("tasks").Where("id = ?", tasks[0].ID).Update("title", "by hand").Error; err != nil {
		t.Fatal(err)
	}
	out, err = run(t, "rebuild", "--verify", "--database-url", url)
	if err == nil || !strings.Contains(out, "Title is by hand in the table and second title in the log") {
		t.Errorf("%v: %s", err, out)
	}
}

// history leaves two tasks of alice behind one user.created and five task events.
func history(t *testing.T, url string) []task.Task {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.At(url))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	service := task.NewService(taskstore.New(db), time.Now)
	made, _, err := service.Create(ctx, "alice", task.Idempotency{}, nil,
		task.Fields{Title: "first title", Tags: []string{"home"}, Due: task.Due{Date: "2026-12-01"}, Reminders: []int{10}},
		task.Fields{Title: "another"})
	if err != nil {
		t.Fatal(err)
	}
	done := true
	if _, err := service.Edit(ctx, "alice", made[0].ID, 0, task.This, func(f *task.Fields) { f.Title = "second title" }, &done); err != nil {
		t.Fatal(err)
	}
	if _, err := service.Delete(ctx, "alice", made[1].ID, 0); err != nil {
		t.Fatal(err)
	}
	return made
}
