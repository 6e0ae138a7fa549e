package app

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/ws"
)

var update = flag.Bool("update", false, "write the generated parts of README.md")

func TestTheReadmeHasTheSettingsAndTheCloseCodes(t *testing.T) {
	t.Parallel()
	const path = "../../README.md"
	has, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := config.Section(string(has), config.Table[Config]())
	if err != nil {
		t.Fatal(err)
	}
	const start, end = "<!-- close codes -->", "<!-- /close codes -->"
	before, rest, started := strings.Cut(want, start)
	_, after, ended := strings.Cut(rest, end)
	if !started || !ended {
		t.Fatalf("%s lacks %s and %s", path, start, end)
	}
	want = before + start + "\n\n" + ws.CodeTable() + "\n" + end + after
	if want == string(has) {
		return
	}
	if !*update {
		t.Fatalf("%s is not up to date: go test ./notifier/internal/app -run Readme -update", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}
