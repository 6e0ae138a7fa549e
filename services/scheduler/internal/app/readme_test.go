package app

import (
	"flag"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

var update = flag.Bool("update", false, "write the generated parts of README.md")

func TestTheReadmeHasTheSettings(t *testing.T) {
	t.Parallel()
	testkit.Generated(t, "../../README.md", *update, func(readme string) (string, error) {
		return config.Section(readme, config.Table[Config]())
	})
}
