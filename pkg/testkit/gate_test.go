package testkit_test

import (
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

func TestAShutGateCutsOneTestOffAndLeavesTheServerToTheOthers(t *testing.T) {
	t.Parallel()
	server := testkit.Postgres(t)
	gate := testkit.NewGate(t, server)
	behind, beside := testkit.OpenPostgresAt(t, gate.URL), testkit.OpenPostgresAt(t, server)
	for range 2 {
		if err := behind.Ping(t.Context()); err != nil {
			t.Error("open:", err)
		}
		gate.Shut()
		if err := behind.Ping(t.Context()); err == nil {
			t.Error("shut, it lets through")
		}
		if err := beside.Ping(t.Context()); err != nil {
			t.Error("beside:", err)
		}
		gate.Open()
	}
}
