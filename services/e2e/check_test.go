package e2e_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/stack"
)

// The check that an installation is tried with goes through every door of it, by the address of each service and on behalf
// of an origin with https, as inside a cluster; and leaves nothing behind, even where a door is closed.
func TestCheckGoesThroughEveryDoorAndLeavesNothing(t *testing.T) {
	const origin = "https://tasks.example.org"
	web := stack.Web()
	// Four may sign up, the fifth may not however slow the machine is.
	web.Env = append(web.Env, "PUBLIC_URL="+origin, "AUTH_RATE_LIMIT_SIGN_IN_MAX=4", "AUTH_RATE_LIMIT_WINDOW=1h")
	s := start(t, append(stack.Default(), web)...)
	command := taskflow(t)
	doors := map[string]string{
		"--origin": origin, "--web": s.URL("web"), "--api": s.URL("task-api"), "--ws": s.URL("notifier"), "--chat": s.URL("chat-agent"),
		"--timeout": "50s",
	}
	if said, err := command(doors, "", ""); err != nil || !strings.HasSuffix(said, "all is well\n") ||
		!strings.Contains(said, "have the agent list the tasks") || strings.Count(said, " ms\n") != 11 {
		t.Errorf("%v:\n%s", err, said)
	}
	// Whatever fails is the one failure: the account is deleted all the same.
	for _, c := range []struct{ door, at, says string }{
		{"--ws", "ws://127.0.0.1:1", "taskflow: notifier failed (open the WebSocket): "},
		{"--chat", "http://127.0.0.1:1", "taskflow: chat-agent failed (have the agent list the tasks): "},
		{"--origin", "https://elsewhere.example.org", "taskflow: web failed (sign up): status 403: "},
		{"--timeout", "1m", "taskflow: web failed (sign up): too many requests of this address"},
	} {
		said, err := command(doors, c.door, c.at)
		if err == nil || !strings.Contains(said, c.says) || strings.Count(said, " failed") != 2 {
			t.Errorf("with %s %s: %v:\n%s", c.door, c.at, err, said)
		}
	}
	s.nobodyLeft()
}

// Through the one origin, where the page signs tokens with a key pair.
func TestCheckWorksThroughTheOriginWithAKeyPair(t *testing.T) {
	s := startAs(t, func(o *stack.Options) { o.JWKS = true }, append(spine(), stack.Web())...)
	said, err := taskflow(t)(map[string]string{"--origin": s.URL("origin")}, "", "")
	if err != nil || !strings.HasSuffix(said, "all is well\n") || strings.Contains(said, "agent") {
		t.Errorf("%v:\n%s", err, said)
	}
	s.nobodyLeft()
}

// nobodyLeft fails if there is an account or a task.
func (s *suite) nobodyLeft() {
	s.t.Helper()
	db, err := postgres.Open(s.t.Context(), postgres.At(s.DatabaseURL()))
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{`auth."user"`, "tasks"} {
		var rows int64
		if err := db.Read(s.t.Context()).Table(table).Count(&rows).Error; err != nil {
			s.t.Fatal(err)
		}
		if rows != 0 {
			s.t.Errorf("%d rows are left in %s", rows, table)
		}
	}
}

// taskflow builds the command and returns a check with it: of these doors, one of them changed. It returns what was said.
func taskflow(t *testing.T) func(doors map[string]string, door, changed string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "taskflow")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-race", "-o", path, "../taskflow").CombinedOutput(); err != nil {
		t.Fatalf("build the command: %v\n%s", err, out)
	}
	return func(doors map[string]string, door, changed string) (string, error) {
		args := []string{"check"}
		for name, address := range doors {
			if name == door {
				address = changed
			}
			args = append(args, name, address)
		}
		var said bytes.Buffer
		cmd := exec.CommandContext(t.Context(), path, args...)
		cmd.Stdout, cmd.Stderr = &said, &said
		err := cmd.Run()
		return said.String(), err
	}
}
