package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// suite is the installed suite and the Node that runs it.
type suite struct{ node, script string }

// oldestNode is the first major of Node that the suite runs on; it does not say so itself.
const oldestNode = 22

// install brings the suite into the user's cache, as package-lock.json names it, and with it a Node of its own if the
// one on PATH is too old or not there.
func install(ctx context.Context) (suite, error) {
	node, own := "node", usable(ctx, "node")
	dir, err := installed(ctx, !own)
	if err != nil {
		return suite{}, err
	}
	if !own {
		// npm names the machines as Node does: x64 where Go says amd64.
		machine := strings.NewReplacer("amd64", "x64").Replace(runtime.GOARCH)
		node = filepath.Join(dir, "node_modules", "node-"+runtime.GOOS+"-"+machine, "bin", "node")
		if !usable(ctx, node) {
			return suite{}, fmt.Errorf("the suite needs Node %d or newer on PATH: there is none, and npm has none for %s/%s", oldestNode, runtime.GOOS, runtime.GOARCH)
		}
	}
	return suite{node, filepath.Join(dir, "node_modules", "@modelcontextprotocol", "conformance", "dist", "index.js")}, nil
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

// installed is the folder with node_modules. What is in it never changes: another lock file is another folder.
func installed(ctx context.Context, withNode bool) (string, error) {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return "", err
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		cache = filepath.Join(home, ".cache")
	}
	sum := sha256.Sum256(lock)
	kind, omit := "with-node", "--include=optional"
	if !withNode {
		kind, omit = "bare", "--omit=optional"
	}
	dir := filepath.Join(cache, "taskflow", "conformance", hex.EncodeToString(sum[:8])+"-"+kind)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	// Made beside it and moved there whole, so that two that install at once, or one that is cut off, do no harm.
	fresh, err := os.MkdirTemp(filepath.Dir(dir), "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh)
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(fresh, name), text, 0o644); err != nil {
			return "", err
		}
	}
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", omit)
	npm.Dir = fresh
	var said bytes.Buffer
	npm.Stdout, npm.Stderr = &said, &said
	if err := npm.Run(); err != nil {
		return "", fmt.Errorf("npm ci in services/mcp-tools/conformance: %w\n%s", err, said.Bytes())
	}
	if err := os.Rename(fresh, dir); err != nil && !errors.Is(err, os.ErrExist) {
		if _, there := os.Stat(dir); there != nil {
			return "", err
		}
	}
	return dir, nil
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
