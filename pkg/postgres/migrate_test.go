package postgres_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

func TestASecondMigrationHasNothingToDo(t *testing.T) {
	t.Parallel()
	url := testkit.EmptyPostgres(t)
	first, err := postgres.Migrate(t.Context(), url)
	must(t, err)
	second, err := postgres.Migrate(t.Context(), url)
	must(t, err)
	if first < 2 || second != 0 {
		t.Errorf("the first applied %d, the second %d", first, second)
	}
}

func TestOfSeveralProcessesThatMigrateOneDoes(t *testing.T) {
	t.Parallel()
	oneMigrates(t, postgres.At(testkit.EmptyPostgres(t)))
}

// oneMigrates has several processes migrate an empty database at the same time.
func oneMigrates(t *testing.T, c postgres.Config) {
	t.Helper()
	var total, worked atomic.Int32
	var processes sync.WaitGroup
	for range 4 {
		processes.Go(func() {
			n, err := postgres.MigrateWith(t.Context(), c)
			if err != nil {
				t.Error(err)
			}
			total.Add(int32(n))
			if n > 0 {
				worked.Add(1)
			}
		})
	}
	processes.Wait()
	if worked.Load() != 1 || total.Load() < 2 {
		t.Errorf("%d processes applied %d migrations", worked.Load(), total.Load())
	}
}

func TestMigrationsStayInTheSchemaTheyAreGiven(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	var tables int
	err := connect(t, url).QueryRow(t.Context(),
		"SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename IN ('events', 'tasks', 'goose_db_version')").Scan(&tables)
	must(t, err)
	if tables != 3 {
		t.Errorf("%d of the 3 tables are in the test's schema", tables)
	}
}

func TestTheRowsAreAsTheTables(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t)
	testkit.SameAsCatalogue(t, db, nil, postgres.Rows...)
	testkit.SameAsCatalogue(t, db, postgres.LeftOut, postgres.PartialRows...)
}
