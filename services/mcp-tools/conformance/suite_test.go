package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

// suite is the installed suite and the Node that runs it.
type suite struct{ node, script string }

// oldestNode is the first major of Node that the suite runs on; it does not say so itself.
const oldestNode = 22

// install brings the suite into the user's cache, as suite/package-lock.json names it, and with it a Node of its own if the
// one on PATH is too old or not there.
func install(t *testing.T) suite {
	t.Helper()
	node, own, optional := "node", usable(t.Context(), "node"), "--omit=optional"
	if !own {
		optional = "--include=optional"
	}
	modules := filepath.Join(testkit.NPM(t, "conformance", os.DirFS("suite"), optional), "node_modules")
	if !own {
		// npm names the machines as Node does: x64 where Go says amd64.
		machine := strings.NewReplacer("amd64", "x64").Replace(runtime.GOARCH)
		node = filepath.Join(modules, "node-"+runtime.GOOS+"-"+machine, "bin", "node")
		if !usable(t.Context(), node) {
			t.Fatalf("the suite needs Node %d or newer on PATH: there is none, and npm has none for %s/%s", oldestNode, runtime.GOOS, runtime.GOARCH)
		}
	}
	return suite{node, filepath.Join(modules, "@modelcontextprotocol", "conformance", "dist", "index.js")}
}

func usable(ctx context.Context, node string) bool {
	out, err := exec.CommandContext(ctx, node, "--version").Output()
	if err != nil {
		return false
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), ".")
	n, err := strconv.Atoi(major)
	return err == nil && n >= oldestNode
}

// run runs what a revision of the protocol requires against a server, and returns the suite's summary with every check
// that failed. The error is the suite's: a scenario failed that is not in the baseline, or one in it passed.
func (s suite) run(ctx context.Context, url, revision, baseline, results string) (string, error) {
	command := exec.CommandContext(ctx, s.node, s.script, "server", "--url", url, "--requirements", revision,
		"--expected-failures", baseline, "--output-dir", results)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	err := command.Run()
	said := out.String()
	if _, summary, ok := strings.Cut(said, "=== SUMMARY ==="); ok {
		said = summary
	}
	failed, unreadable := failures(results)
	return said + "\n" + failed, errors.Join(err, unreadable)
}

// failures are the checks that failed, one a line, from the files the suite leaves.
func failures(results string) (string, error) {
	files, err := filepath.Glob(filepath.Join(results, "*", "checks.json"))
	if err != nil {
		return "", err
	}
	if len(files) == 0 {
		return "", errors.New("the suite has left no results")
	}
	var lines strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		var checks []struct{ ID, Status, ErrorMessage string }
		if err := json.Unmarshal(text, &checks); err != nil {
			return "", fmt.Errorf("%s: %w", file, err)
		}
		for _, c := range checks {
			if c.Status != "SUCCESS" && c.Status != "SKIPPED" && c.Status != "INFO" {
				fmt.Fprintf(&lines, "%s %s:%s %s\n", c.Status, filepath.Base(filepath.Dir(file)), c.ID, c.ErrorMessage)
			}
		}
	}
	return lines.String(), nil
}
