package stack

import (
	"strings"
	"testing"
	"time"
)

func TestAFrozenPartAnswersNothingUntilItIsThawed(t *testing.T) {
	t.Parallel()
	ctx, dir := within(t, 3*time.Minute), stateDir(t)
	o := upOptions(dir, nil)
	o.Services = append(o.Services, testService("task-api", true))
	o.PostgresEnv = []string{"TASKFLOW_TEST=1"}
	s := running(ctx, t, o)
	for _, part := range []string{"task-api", "postgres"} {
		if err := s.Freeze(part); err != nil {
			t.Fatal(err)
		}
		p, err := s.part(part)
		if err != nil {
			t.Fatal(err)
		}
		// A signal takes a moment to reach every thread.
		if !waitFor(ctx, 10*time.Second, func() bool { return p.probe(ctx) != nil }) {
			t.Errorf("%s answers although it is frozen", part)
		}
		if err := s.Thaw(part); err != nil {
			t.Fatal(err)
		}
		if err := s.Ready(ctx, part); err != nil {
			t.Error(err)
		}
	}
	if doors := s.Doors("task-api"); len(doors) == 0 || doors[0] != s.units[0].ports.http {
		t.Errorf("the doors of task-api are %v", doors)
	}
	if doors := s.Doors("postgres"); len(doors) != 1 || doors[0] != s.ports.Postgres {
		t.Errorf("the doors of the database are %v", doors)
	}
	if doors := s.Doors("nobody"); doors != nil {
		t.Errorf("nobody has the doors %v", doors)
	}
	if err := s.Kill("task-api"); err != nil {
		t.Fatal(err)
	}
	if err := s.Freeze("task-api"); err == nil || !strings.Contains(err.Error(), "does not run") {
		t.Errorf("a part that does not run is frozen: %v", err)
	}
}
