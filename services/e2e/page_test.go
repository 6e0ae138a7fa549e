package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/stack"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

// TestPage has people use the page in a real browser, on the whole suite. What they do stands in services/web/e2e;
// GREP (a regular expression) picks some of it.
func TestPage(t *testing.T) {
	page := newPlaywright(t)
	t.Run("people", func(t *testing.T) { page.run(t, "people", 2) })
	// By themselves: they break parts of the suite under everybody, or measure.
	t.Run("failures", func(t *testing.T) { page.run(t, "failures", 1) })
	t.Run("speed", func(t *testing.T) { page.run(t, "speed", 1) })
}

// playwright is a suite with the page, and the tests of services/web/e2e to be run on it.
type playwright struct {
	web  string // services/web
	cli  string
	env  []string
	kept string // where traces and screenshots go
}

func newPlaywright(t *testing.T) playwright {
	t.Helper()
	root, err := stack.FindRoot(".")
	if err != nil {
		t.Fatal(err)
	}
	p := playwright{web: filepath.Join(root, "services", "web"), kept: os.Getenv("PAGE_RESULTS")}
	if p.kept == "" {
		p.kept = t.TempDir()
	}
	if err := stack.NPMInstall(t.Context(), root, io.Discard); err != nil {
		t.Fatal(err)
	}
	p.cli = filepath.Join(p.web, "node_modules", "@playwright", "test", "cli.js")
	browser := testkit.Chromium(t, "node", p.cli)
	web := stack.Web()
	web.Env = append(web.Env, "AUTH_RATE_LIMIT_MAX=100000", "AUTH_RATE_LIMIT_SIGN_IN_MAX=100000")
	s := start(t, append(stack.Default(), web)...)
	control := httptest.NewServer(s.control())
	t.Cleanup(control.Close)
	p.env = append(os.Environ(), "ORIGIN="+s.URL("origin"), "CONTROL="+control.URL, "CHROMIUM_PATH="+browser, "FORCE_COLOR=0")
	return p
}

// control lets the tests in the browser break parts of the suite and mend them again.
//
//	POST /kill/{part}, POST /start/{part}   204 when the part is gone, or ready again
//	GET  /token?user=…&ttl=2s               {"token": …}, as the page would put it in its cookie
func (s *suite) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /kill/{part}", func(w http.ResponseWriter, r *http.Request) {
		if err := s.Kill(r.PathValue("part")); err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /start/{part}", func(w http.ResponseWriter, r *http.Request) {
		err := s.Start(r.PathValue("part"))
		if err == nil {
			err = s.Ready(r.Context(), r.PathValue("part"))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /token", func(w http.ResponseWriter, r *http.Request) {
		ttl, err := time.ParseDuration(r.FormValue("ttl"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		token, err := auth.Mint(s.JWTSecret(), r.FormValue("user"), ttl)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"token": token}) // a test that left fails by itself
	})
	return mux
}

// run runs the tests of one project of playwright.config.ts and fails with what they say.
func (p playwright) run(t *testing.T, project string, workers int) {
	t.Helper()
	args := []string{p.cli, "test", "--project=" + project, fmt.Sprintf("--workers=%d", workers), "--output=" + filepath.Join(p.kept, project)}
	if grep := os.Getenv("GREP"); grep != "" {
		args = append(args, "--grep="+grep, "--pass-with-no-tests")
	}
	cmd := exec.CommandContext(t.Context(), "node", args...)
	cmd.Dir, cmd.Env = p.web, p.env
	cmd.WaitDelay = 10 * time.Second
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	told := make(chan struct{})
	go func() {
		defer close(told)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if line := strings.TrimRight(lines.Text(), " "); line != "" {
				t.Log(line)
			}
		}
		_, _ = io.Copy(io.Discard, out) // a line that is too long must not hold the tests up
	}()
	err := cmd.Run()
	_ = in.Close()
	<-told
	if err != nil {
		t.Errorf("the tests of %s in services/web/e2e failed: %v", project, err)
	}
}
