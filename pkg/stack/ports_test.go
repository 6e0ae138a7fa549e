package stack

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestABusyPortIsNamedWithWhoWantsItWhoHoldsItAndHowToChangeIt(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	_, err = Start(within(t, time.Minute), Options{
		Root: stateDir(t), Ports: Ports{Origin: port, Base: 17000},
		Services: []Service{{App: "web", Command: []string{os.Args[0]}, NoSidecar: true}},
	})
	if err == nil {
		t.Fatal("the stack started on a busy port")
	}
	for _, want := range []string{strconv.Itoa(port), "the origin", fmt.Sprintf("(pid %d)", os.Getpid()), "--origin-port", "TASKFLOW_ORIGIN_PORT"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
}

func TestAServiceThatRunsElsewhereIsReachedThroughTheOriginAndNeitherBuiltNorStarted(t *testing.T) {
	t.Parallel()
	ctx := within(t, time.Minute)
	services := []Service{{App: "task-api", Package: "./does-not-exist", Elsewhere: true}}
	s := running(ctx, t, Options{Root: stateDir(t), Ports: Ports{Random: true}, Services: services})
	answer, body := fetch(t, request(t, "GET", s.URL("origin")+"/api/u1/tasks", ""))
	wantProblem(t, answer, body, 502, "task-api")

	l, err := net.Listen("tcp", strings.TrimPrefix(s.URL("task-api"), "http://"))
	if err != nil {
		t.Fatalf("its port is not free for it: %v", err)
	}
	teapot := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	elsewhere := &http.Server{Handler: teapot, ReadHeaderTimeout: time.Second}
	go func() { _ = elsewhere.Serve(l) }()
	defer elsewhere.Close()
	if answer, body := fetch(t, request(t, "GET", s.URL("origin")+"/api/u1/tasks", "")); answer.StatusCode != http.StatusTeapot {
		t.Errorf("the origin answers %d %s", answer.StatusCode, body)
	}
	if table := s.Table(); !strings.Contains(table, "elsewhere") {
		t.Errorf("the table does not say that it runs elsewhere:\n%s", table)
	}
}

func TestTheSamePortForTwoPartsIsAnError(t *testing.T) {
	t.Parallel()
	err := checkPorts(t.Context(), []portUse{{17990, "one", "change one"}, {17990, "the other", "change the other"}})
	if err == nil || !strings.Contains(err.Error(), "one and by the other") {
		t.Errorf("got %v", err)
	}
}

func TestRandomPortsAreNeverGivenTwice(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for range 20 {
		p, release, err := randomPorts(t.Context(), 5)
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		if seen[p.Origin] {
			t.Fatalf("port %d was given twice", p.Origin)
		}
		seen[p.Origin] = true
	}
}

func TestPortsAreReadFromTheEnvironmentWithAllMistakesTogether(t *testing.T) {
	t.Parallel()
	env := map[string]string{"TASKFLOW_ORIGIN_PORT": "9000", "TASKFLOW_BASE_PORT": ""}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	if p, err := PortsFromEnv(lookup); err != nil || p != (Ports{Origin: 9000}) {
		t.Errorf("got %+v, %v", p, err)
	}
	env["TASKFLOW_ORIGIN_PORT"], env["TASKFLOW_BROKER_PORT"] = "http", "70000"
	_, err := PortsFromEnv(lookup)
	for _, want := range []string{"TASKFLOW_ORIGIN_PORT", "TASKFLOW_BROKER_PORT"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
}

func TestSecretsAreMadeOnceAndForTheirOwnerOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := JWTSecret(dir)
	if err != nil || len(first) < 32 {
		t.Fatalf("a secret of %d characters, %v", len(first), err)
	}
	if again, err := JWTSecret(dir); err != nil || again != first {
		t.Errorf("the second call gives another secret (%v)", err)
	}
	info, err := os.Stat(filepath.Join(dir, "secrets.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	s, _ := loadSecrets(dir)
	if text := fmt.Sprintf("%v %+v %#v", s, s, s); strings.Contains(text, first) {
		t.Error("a printed secret shows itself")
	}
}
