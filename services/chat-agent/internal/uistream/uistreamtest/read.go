// Package uistreamtest reads UI message streams with the npm package ai, the reader that pages use. It needs node and npm,
// and the package registry the first time.
package uistreamtest

import (
	"bytes"
	"embed"
	"encoding/json"
	"io/fs"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/testkit"
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
	source, err := fs.Sub(files, "ai")
	if err != nil {
		t.Fatal(err)
	}
	var out, wrong bytes.Buffer
	node := exec.CommandContext(t.Context(), "node", filepath.Join(testkit.NPM(t, "uistream", source), "read.mjs")) //nolint:gosec // G204: a file of our own
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
