package ical_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

// heard is what ical.js, which knows nothing of ours, reads in a calendar.
type heard struct {
	Version string
	Todos   []struct {
		UID, Summary, Description, Status, Related, Due, RecurrenceID string
		Priority                                                      int
		Categories, Triggers, Occurrences                             []string
	}
	// Instants are Unix times of the walls that were asked for, by zone.
	Instants map[string][]int64
}

// hear has ical.js read a calendar, the first count occurrences of what repeats, and times of the clocks in its zones.
func hear(t *testing.T, calendar string, count int, walls map[string][]string) heard {
	t.Helper()
	asked, err := json.Marshal(map[string]any{"calendar": calendar, "count": count, "walls": walls})
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(testkit.NPM(t, "icaljs", os.DirFS(filepath.Join("testdata", "icaljs"))), "read.mjs")
	node := exec.CommandContext(t.Context(), "node", script)
	var said, wrong bytes.Buffer
	node.Stdin, node.Stdout, node.Stderr = bytes.NewReader(asked), &said, &wrong
	if err := node.Run(); err != nil {
		t.Fatalf("node (20 or later) is needed: %v\n%s", err, wrong.String())
	}
	var h heard
	if err := json.Unmarshal(said.Bytes(), &h); err != nil {
		t.Fatalf("%v: %.200s", err, said.String())
	}
	return h
}
