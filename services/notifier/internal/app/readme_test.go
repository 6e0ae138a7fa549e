package app

import (
	"flag"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/ws"
)

var update = flag.Bool("update", false, "write the generated parts of README.md")

func TestTheReadmeHasTheSettingsAndTheCloseCodes(t *testing.T) {
	t.Parallel()
	testkit.Generated(t, "../../README.md", *update, func(readme string) (string, error) {
		readme, err := config.Section(readme, config.Table[Config]())
		if err != nil {
			return "", err
		}
		return testkit.Between(readme, "<!-- close codes -->", "<!-- /close codes -->", "\n\n"+ws.CodeTable()+"\n")
	})
}
