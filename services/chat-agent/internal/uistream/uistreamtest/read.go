// Package uistreamtest reads UI message streams with the npm package ai, the reader that pages use. It needs node and npm,
// and the package registry the first time.
package uistreamtest

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

//go:embed ai
var files embed.FS

// Read is what the reader made of a stream.
type Read struct {
	// Message is the UIMessage at the end; null if there was none.
	Message json.RawMessage `json:"message"`
	// States are the types and states of its parts as they followed each other.
	States []string `json:"states"`
	// Errors are the stream's own (parts of type error), and what the reader refused.
	Errors []string `json:"errors"`
}

// Recorded reads streams, by name.
func Recorded(t testing.TB, streams map[string]string) map[string]Read {
	t.Helper()
	return run(t, map[string]any{"recorded": streams})
}

// Fetch posts body to url and reads the answer while it comes.
func Fetch(t testing.TB, url string, headers map[string]string, body any) Read {
	t.Helper()
	return run(t, map[string]any{"fetch": map[string]any{"url": url, "headers": headers, "body": body}})["fetch"]
}

func run(t testing.TB, job any) map[string]Read {
	t.Helper()
	in, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	var out, wrong bytes.Buffer
	node := exec.CommandContext(t.Context(), "node", filepath.Join(installed(t), "read.mjs")) //nolint:gosec // G204: a file of our own
	node.Stdin, node.Stdout, node.Stderr = bytes.NewReader(in), &out, &wrong
	if err := node.Run(); err != nil {
		t.Fatalf("node (20 or later) does not read the stream: %v\n%s", err, wrong.String())
	}
	var read map[string]Read
	if err := json.Unmarshal(out.Bytes(), &read); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return read
}

var installing sync.Mutex

// installed is the folder of the reader with its packages. It is made once for each lock file: other processes that make it
// at the same time make the same, and the first one's stays.
func installed(t testing.TB) string {
	t.Helper()
	installing.Lock()
	defer installing.Unlock()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	source, err := fs.Sub(files, "ai")
	if err != nil {
		t.Fatal(err)
	}
	final := filepath.Join(cache, "taskflow", "uistream-"+fingerprint(t, source))
	if _, err = os.Stat(final); err == nil {
		return final
	}
	if err = os.MkdirAll(filepath.Dir(final), 0o750); err != nil {
		t.Fatal(err)
	}
	making, err := os.MkdirTemp(filepath.Dir(final), "uistream-making-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(making)
	if err := os.CopyFS(making, source); err != nil {
		t.Fatal(err)
	}
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = making
	if said, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, said)
	}
	if err := os.Rename(making, final); err != nil {
		if _, there := os.Stat(final); there != nil {
			t.Fatal(err)
		}
	}
	return final
}

func fingerprint(t testing.TB, source fs.FS) string {
	t.Helper()
	sum := sha256.New()
	for _, name := range []string{"package-lock.json", "read.mjs"} {
		raw, err := fs.ReadFile(source, name)
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(raw)
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
}
