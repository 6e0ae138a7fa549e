package taskstore_test

import (
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/task/tasktest"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

func TestTheStoreDoesWhatEveryTaskStorePromises(t *testing.T) {
	t.Parallel()
	tasktest.Store(t, func(t *testing.T) task.Store { return taskstore.New(testkit.OpenPostgres(t)) })
}

func TestTheStoreDoesTheSameBehindAPooler(t *testing.T) {
	t.Parallel()
	tasktest.Store(t, func(t *testing.T) task.Store {
		db, err := postgres.Open(t.Context(), postgres.Config{URL: config.NewSecret(testkit.Postgres(t)), Pooler: true})
		must(t, err)
		t.Cleanup(func() { must(t, db.Close()) })
		return taskstore.New(db)
	})
}
