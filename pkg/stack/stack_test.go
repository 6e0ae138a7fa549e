package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func running(ctx context.Context, t *testing.T, o Options) *Stack {
	t.Helper()
	s, err := Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestAServiceGetsWhatItNeedsAndNothingElse(t *testing.T) {
	t.Parallel()
	ctx, dir := within(t, 3*time.Minute), stateDir(t)
	o := upOptions(dir, nil)
	o.Services = append(o.Services, testService("task-api", true), testService("notifier", false), testService(OfflineModel, false))
	agent := testService("chat-agent", false)
	agent.MCP, agent.Model = true, true
	o.Services = append(o.Services, agent)
	migrated := ""
	o.Migrate = func(_ context.Context, url string) error { migrated = url; return nil }
	s := running(ctx, t, o)

	env := func(name string) map[string]string {
		var env map[string]string
		_, body := fetch(t, request(t, "GET", s.URL(name)+"/", ""))
		if err := json.Unmarshal([]byte(body), &env); err != nil {
			t.Fatal(err, body)
		}
		return env
	}
	task, second, notifier := env("task-api"), env("task-api-2"), env("notifier")
	if task["DATABASE_URL"] != s.DatabaseURL() || migrated != s.DatabaseURL() || s.DatabaseURL() == "" {
		t.Error("who needs the database does not get its address")
	}
	if notifier["DATABASE_URL"] != "" {
		t.Error("who does not need the database gets its password")
	}
	offline := s.URL(OfflineModel) + "/v1"
	if env := env("chat-agent"); len(env["MCP_SECRET"]) < 32 || env["OPENAI_BASE_URL"] != offline || env["OPENAI_MODEL"] == "" {
		t.Errorf("the agent's secret has %d characters, its model is %q at %q, want that at %s",
			len(env["MCP_SECRET"]), env["OPENAI_MODEL"], env["OPENAI_BASE_URL"], offline)
	}
	for _, name := range []string{"MCP_SECRET", "OPENAI_API_KEY"} {
		if notifier[name] != "" {
			t.Errorf("who does not need %s gets it", name)
		}
	}
	if task["JWT_SECRET"] != s.JWTSecret() || len(s.JWTSecret()) < 32 || task["CORS_ORIGINS"] != s.URL("origin") || task["EXTRA"] != "yes" {
		t.Errorf("the environment is %v", task)
	}
	if task["POD_NAME"] != "task-api" || second["POD_NAME"] != "task-api-2" {
		t.Errorf("replicas are named %q and %q", task["POD_NAME"], second["POD_NAME"])
	}

	table := s.Table()
	for _, want := range []string{"task-api-2", "postgres", "ready", s.URL("notifier"), s.URL("origin")} {
		if !strings.Contains(table, want) {
			t.Errorf("the table does not show %q:\n%s", want, table)
		}
	}
	if info, err := Find(s.Dir()); err != nil || info.Origin != s.URL("origin") || info.DatabaseURL != s.DatabaseURL() {
		t.Errorf("another process finds %+v, %v", info.Origin, err)
	}
}

func TestTheOriginServesTheStackAndSeesAServiceGoAndComeBack(t *testing.T) {
	t.Parallel()
	ctx, dir := within(t, 3*time.Minute), stateDir(t)
	o := upOptions(dir, nil)
	o.Services = []Service{testService("task-api", false), testService("notifier", false)}
	s := running(ctx, t, o)
	origin := s.URL("origin")

	conn, _, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(origin, "http")+"/ws/user/u1/tasks", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_ = conn.WriteMessage(websocket.TextMessage, []byte("hello"))
	if _, text, err := conn.ReadMessage(); err != nil || string(text) != "echo hello" {
		t.Errorf("the WebSocket says %q, %v", text, err)
	}
	if answer, body := fetch(t, request(t, "GET", origin+"/readyz", "")); answer.StatusCode != http.StatusOK {
		t.Errorf("/readyz: %d %s", answer.StatusCode, body)
	}
	if err := s.Kill("task-api"); err != nil {
		t.Fatal(err)
	}
	answer, body := fetch(t, request(t, "GET", origin+"/api/u1/tasks", ""))
	wantProblem(t, answer, body, 502, "task-api")
	if answer, _ := fetch(t, request(t, "GET", origin+"/readyz", "")); answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("/readyz while one is down: %d", answer.StatusCode)
	}
	if s.Pid("task-api") != 0 || !strings.Contains(s.Table(), "down") {
		t.Error("the killed service does not show as down")
	}
	if err := s.Start("task-api"); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	if answer, body := fetch(t, request(t, "GET", origin+"/api/u1/tasks", "")); answer.StatusCode != http.StatusOK {
		t.Errorf("after its return: %d %s", answer.StatusCode, body)
	}
	if err := s.Kill("nobody"); err == nil || !strings.Contains(err.Error(), "task-api, notifier") {
		t.Errorf("killing what there is not: %v", err)
	}
}

func TestAServiceThatDiesByItselfComesBack(t *testing.T) {
	t.Parallel()
	ctx, dir := within(t, 3*time.Minute), stateDir(t)
	o := upOptions(dir, nil)
	o.Services = []Service{testService("task-api", false)}
	s := running(ctx, t, o)
	before := s.Pid("task-api")
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if !waitFor(ctx, 20*time.Second, func() bool { pid := s.Pid("task-api"); return pid != 0 && pid != before }) {
		t.Fatal("it stays away")
	}
	if err := s.Ready(ctx, "task-api"); err != nil {
		t.Error(err)
	}
}

func TestWaitTellsWhichPartEndedWhenNoneIsToComeBack(t *testing.T) {
	t.Parallel()
	ctx, dir := within(t, 3*time.Minute), stateDir(t)
	o := upOptions(dir, nil)
	o.Services, o.NoRestart = []Service{testService("task-api", false)}, true
	s := running(ctx, t, o)
	if err := syscall.Kill(s.Pid("task-api"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err == nil || !strings.Contains(err.Error(), "task-api") || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Wait says %v", err)
	}
}

func TestAStartThatFailsSaysWhyWithTheLastLinesAndLeavesNothing(t *testing.T) {
	t.Parallel()
	ctx, dir := within(t, 3*time.Minute), stateDir(t)
	o := upOptions(dir, nil)
	broken := testService("notifier", false)
	broken.Env = []string{"STACK_TEST_PART=failing"}
	o.Services = []Service{testService("task-api", false), broken}
	_, err := Start(ctx, o)
	if err == nil {
		t.Fatal("it started")
	}
	for _, want := range []string{"notifier is not ready", "exit status 3", "I cannot go on", filepath.Join("logs", "notifier.log")} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "task-api is not ready") {
		t.Errorf("a part that was ready is blamed:\n%v", err)
	}
	if _, err := os.Stat(recordPath(o.Dir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the record is left: %v", err)
	}
	if _, err := Find(o.Dir); !errors.Is(err, ErrNotRunning) {
		t.Errorf("Find says %v", err)
	}
}

// upElsewhere runs the stack in a process of its own.
func upElsewhere(ctx context.Context, t *testing.T, dir string) (up *exec.Cmd, postgres, service int) {
	t.Helper()
	said := newLines()
	up = exec.CommandContext(ctx, os.Args[0])
	up.Env = append(os.Environ(), "STACK_TEST_PART=up", "STACK_TEST_DIR="+dir)
	up.Stdout = said
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := said.until(ctx, "up: ")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(line, "up: %d %d", &postgres, &service); err != nil {
		t.Fatal(line, err)
	}
	return up, postgres, service
}

func TestASecondUpSaysSoAndDownStopsTheFirst(t *testing.T) {
	t.Parallel()
	ctx, dir := within(t, 3*time.Minute), stateDir(t)
	up, postgres, service := upElsewhere(ctx, t, dir)
	state := filepath.Join(dir, "state")

	_, err := Start(ctx, upOptions(dir, nil))
	if !errors.Is(err, ErrAlreadyRunning) || !strings.Contains(err.Error(), strconv.Itoa(up.Process.Pid)) || !strings.Contains(err.Error(), "http://localhost:") {
		t.Errorf("a second up says %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- up.Wait() }()
	if was, err := Down(ctx, state); err != nil || !was {
		t.Errorf("Down: %v, %v", was, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("up did not stop cleanly: %v", err)
	}
	for name, pid := range map[string]int{"postgres": postgres, "the service": service} {
		if bornAt(pid) != "" {
			t.Errorf("%s still runs", name)
		}
	}
	if was, err := Down(ctx, state); err != nil || was {
		t.Errorf("a second Down: %v, %v", was, err)
	}
}

func TestAStackKilledWithItsOwnerLeavesNothingBehindAndKeepsItsData(t *testing.T) {
	t.Parallel()
	ctx, dir := within(t, 3*time.Minute), stateDir(t)
	up, postgres, service := upElsewhere(ctx, t, dir)
	info, err := Find(filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	query(ctx, t, info.DatabaseURL, "CREATE TABLE kept AS SELECT 7 AS n")
	if err := up.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = up.Wait()

	s := running(ctx, t, upOptions(dir, nil))
	for name, pid := range map[string]int{"postgres": postgres, "the service": service} {
		if bornAt(pid) != "" {
			t.Errorf("%s of the killed stack still runs", name)
		}
	}
	if got := query(ctx, t, s.DatabaseURL(), "SELECT n FROM kept"); got != "7" {
		t.Errorf("the table holds %q", got)
	}
}

func TestDownSparesAProcessThatHasTheRecordedPidByChance(t *testing.T) {
	t.Parallel()
	ctx, dir := within(t, time.Minute), stateDir(t)
	p, said := testPart(t, "sleeper", nil)
	started(ctx, t, p, said, "sleeping")
	pid, _, _ := p.status()
	r := newRecord(dir, Info{PID: pid})
	r.Born = "long ago"
	r.Processes["task-api"] = child{PID: pid, Born: "long ago", Stop: syscall.SIGKILL}
	if err := r.save(); err != nil {
		t.Fatal(err)
	}
	if was, err := Down(ctx, dir); err != nil || was {
		t.Errorf("Down: %v, %v", was, err)
	}
	if now, _, _ := p.status(); now != pid {
		t.Error("a stranger was killed")
	}
}

func TestADatabaseOfTheUsersIsUsedAndNoneIsStarted(t *testing.T) {
	t.Parallel()
	ctx, dir := within(t, 3*time.Minute), stateDir(t)
	theirs, err := StartPostgres(ctx, PostgresOptions{Dir: filepath.Join(dir, "theirs")})
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Stop(ctx)
	o := upOptions(dir, nil)
	o.DatabaseURL = "postgres://me:pw@127.0.0.1:1/none"
	if _, err := Start(ctx, o); err == nil || !strings.Contains(err.Error(), "DATABASE_URL") || strings.Contains(err.Error(), ":pw@") {
		t.Errorf("with a database that is not there, Start says %v", err)
	}
	o.DatabaseURL = theirs.URL()
	s := running(ctx, t, o)
	if s.DatabaseURL() != theirs.URL() || s.Pid("postgres") != 0 {
		t.Error("a Postgres of our own was started beside theirs")
	}
}

func TestPackagesAreBuiltAndReplicasShareOneProgram(t *testing.T) {
	t.Parallel()
	ctx, root := within(t, 5*time.Minute), stateDir(t)
	write(t, root, map[string]string{
		"go.work":         "go 1.26.0\n\nuse ./services\n",
		"services/go.mod": "module example.test/services\n\ngo 1.26.0\n",
		"services/hello/main.go": `package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getenv("POD_NAME")) })
	fmt.Println(http.ListenAndServe(os.Getenv("HTTP_ADDR"), nil))
}
`,
	})
	hello := Service{App: "web", Package: "./hello", NoSidecar: true}
	o := Options{Root: root, Ports: Ports{Random: true}, Services: []Service{hello, hello}}
	s := running(ctx, t, o)
	seen := map[string]bool{}
	for range 4 {
		_, body := fetch(t, request(t, http.MethodGet, s.URL("origin")+"/", ""))
		seen[body] = true
	}
	if !seen["web"] || !seen["web-2"] || len(seen) != 2 {
		t.Errorf("the origin reaches %v", seen)
	}
}

func write(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
