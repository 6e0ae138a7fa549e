package app

import (
	"flag"
	"os"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/config"
)

var update = flag.Bool("update", false, "write the generated parts of README.md")

func TestTheReadmeHasTheSettings(t *testing.T) {
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
	if want == string(has) {
		return
	}
	if !*update {
		t.Fatalf("%s is not up to date: go test ./offline-model/internal/app -run Readme -update", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}
