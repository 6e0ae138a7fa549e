package taskstore

import (
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

func TestTheRowsAreAsTheTables(t *testing.T) {
	t.Parallel()
	testkit.SameAsCatalogue(t, testkit.OpenPostgres(t), []string{"tasks.trashed", "tasks.search"}, &row{}, &seriesRow{}, &alarmRow{}, &profileRow{}, &onceRow{})
}
