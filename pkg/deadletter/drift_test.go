package deadletter

import (
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

func TestTheRowsAreAsTheTable(t *testing.T) {
	t.Parallel()
	testkit.SameAsCatalogue(t, testkit.OpenPostgres(t), []string{"dead_letters.record"}, &row{})
}
