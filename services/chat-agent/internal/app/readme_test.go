package app

import (
	"flag"
	"os"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/config"
)

var update = flag.Bool("update", false, "write the README's settings anew")

func TestTheREADMEHasTheSettings(t *testing.T) {
	t.Parallel()
	const path = "../../README.md"
	readme, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := config.Section(string(readme), config.Table[Config]())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(readme) != want {
		t.Error("README.md has other settings than Config; run: go test ./chat-agent/internal/app -update")
	}
}
