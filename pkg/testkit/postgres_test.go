package testkit_test

import (
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

func TestEveryTestHasASchemaOfItsOwnOnOneServer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 3 {
		url := testkit.Postgres(t)
		if seen[url] {
			t.Errorf("two tests share %s", url)
		}
		seen[url] = true
		if err := testkit.OpenPostgresAt(t, url).Ping(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
