package ledger

import (
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

func TestTheRowIsAsTheTable(t *testing.T) {
	t.Parallel()
	testkit.SameAsCatalogue(t, testkit.OpenPostgres(t), nil, &row{})
}
