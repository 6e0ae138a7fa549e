package tools_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

func TestDeletingTakesAPlanAndAConfirmation(t *testing.T) {
	t.Parallel()
	c := newWorld(t).as("ada", "America/New_York")
	a, b := c.add(`{"title":"a"}`), c.add(`{"title":"b"}`)
	plan := c.do(agenttools.DeleteTasks, args(`{"ids":[%q,%q,"nonsense"]}`, b.ID, a.ID))
	if got := titles(plan.Plan); !slices.Equal(got, []string{"b", "a"}) || len(plan.Failures) != 1 || len(plan.Tasks) != 0 ||
		plan.TimeZone != "America/New_York" || plan.ExpiresAt != "2026-11-22T12:10:00-05:00" {
		t.Fatalf("the plan is %+v", plan)
	}
	if one := c.get(a.ID); one.Status != "open" || one.Version != 1 {
		t.Errorf("planned, it is %+v", one)
	}
	// In another order, and one of them twice: the same ids.
	gone := c.do(agenttools.DeleteTasks, args(`{"ids":["nonsense",%q,%q,%q],"confirmation":%q}`, a.ID, b.ID, a.ID, plan.Confirmation))
	if got := titles(gone.Tasks); !slices.Equal(got, []string{"a", "b"}) || gone.Tasks[0].Status != "deleted" || len(gone.Failures) != 1 {
		t.Errorf("deleted %+v", gone)
	}
	if left := c.do(agenttools.FindTasks, args(`{}`)); len(left.Tasks) != 0 {
		t.Errorf("left %v", left.Tasks)
	}
	if trash := c.do(agenttools.FindTasks, args(`{"status":"deleted"}`)); len(trash.Tasks) != 2 {
		t.Errorf("the trash has %v", trash.Tasks)
	}
	if f := c.fail(agenttools.DeleteTasks, args(`{"ids":["nonsense"]}`)); f[0].Code != "not_found" {
		t.Errorf("nothing to plan: %+v", f)
	}
}

func TestAConfirmationIsForOneUserTheseTasksAndAShortTime(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		use  func(w *world, ada, eve *client, a, b, confirmation string) []agenttools.Failure
		code string
	}{
		"a confirmation that has expired": {func(w *world, ada, _ *client, a, _, confirmation string) []agenttools.Failure {
			w.advance(10 * time.Minute)
			return ada.fail(agenttools.DeleteTasks, args(`{"ids":[%q],"confirmation":%q}`, a, confirmation))
		}, "denied"},
		"one that was changed": {func(_ *world, ada, _ *client, a, _, confirmation string) []agenttools.Failure {
			first := "A"
			if confirmation[0] == 'A' {
				first = "B"
			}
			return ada.fail(agenttools.DeleteTasks, args(`{"ids":[%q],"confirmation":%q}`, a, first+confirmation[1:]))
		}, "invalid"},
		"one that was invented": {func(_ *world, ada, _ *client, a, _, _ string) []agenttools.Failure {
			return ada.fail(agenttools.DeleteTasks, args(`{"ids":[%q],"confirmation":"yes"}`, a))
		}, "invalid"},
		"another user's, for a task of one's own": {func(_ *world, ada, eve *client, _, _, confirmation string) []agenttools.Failure {
			own := eve.add(`{"title":"eve's"}`)
			return eve.fail(agenttools.DeleteTasks, args(`{"ids":[%q],"confirmation":%q}`, own.ID, confirmation))
		}, "invalid"},
		"one of another task": {func(_ *world, ada, _ *client, _, b, confirmation string) []agenttools.Failure {
			return ada.fail(agenttools.DeleteTasks, args(`{"ids":[%q],"confirmation":%q}`, b, confirmation))
		}, "invalid"},
		"one of fewer tasks": {func(_ *world, ada, _ *client, a, b, confirmation string) []agenttools.Failure {
			return ada.fail(agenttools.DeleteTasks, args(`{"ids":[%q,%q],"confirmation":%q}`, a, b, confirmation))
		}, "invalid"},
		"one of a task that has changed since": {func(_ *world, ada, _ *client, a, _, confirmation string) []agenttools.Failure {
			ada.do(agenttools.UpdateTasks, args(`{"tasks":[{"id":%q,"title":"important"}]}`, a))
			return ada.fail(agenttools.DeleteTasks, args(`{"ids":[%q],"confirmation":%q}`, a, confirmation))
		}, "stale"},
		"one that was used, after the task was restored": {func(_ *world, ada, _ *client, a, _, confirmation string) []agenttools.Failure {
			ada.do(agenttools.DeleteTasks, args(`{"ids":[%q],"confirmation":%q}`, a, confirmation))
			// Sent again because the answer was lost: it is done already.
			if again := ada.do(agenttools.DeleteTasks, args(`{"ids":[%q],"confirmation":%q}`, a, confirmation)); again.Tasks[0].Version != 2 {
				ada.t.Errorf("deleted again: %+v", again.Tasks)
			}
			ada.do(agenttools.RestoreTasks, args(`{"ids":[%q]}`, a))
			return ada.fail(agenttools.DeleteTasks, args(`{"ids":[%q],"confirmation":%q}`, a, confirmation))
		}, "stale"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ada, eve := w.as("ada", "UTC"), w.as("eve", "UTC")
			a, b := ada.add(`{"title":"a"}`), ada.add(`{"title":"b"}`)
			plan := ada.do(agenttools.DeleteTasks, args(`{"ids":[%q]}`, a.ID))
			f := one.use(w, ada, eve, a.ID, b.ID, plan.Confirmation)
			if len(f) != 1 || f[0].Code != one.code || !strings.Contains(f[0].TryNext, "without confirmation") {
				t.Errorf("refused with %+v", f)
			}
			if left := ada.do(agenttools.FindTasks, args(`{}`)); len(left.Tasks) != 2 {
				t.Errorf("left %v", titles(left.Tasks))
			}
		})
	}
}

func TestConfirmationsAreNotWrittenDownWithTheCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("ada", "UTC")
	one := c.add(`{"title":"a"}`)
	plan := c.do(agenttools.DeleteTasks, args(`{"ids":[%q]}`, one.ID))
	c.do(agenttools.DeleteTasks, args(`{"ids":[%q],"confirmation":%q}`, one.ID, plan.Confirmation))
	inputs := inputsOf(t, w.db)
	if want := fmt.Sprintf(`{"confirmation":"[given]","ids":[%q]}`, one.ID); !slices.Contains(inputs, want) || len(inputs) != 3 {
		t.Errorf("written down: %v", inputs)
	}
	for _, input := range inputs {
		if strings.Contains(input, plan.Confirmation) {
			t.Errorf("written down: %s", input)
		}
	}
}

func inputsOf(t *testing.T, db *postgres.DB) []string {
	t.Helper()
	var inputs []string
	if err := db.Read(t.Context()).Table("tool_invocations").Order("started_at, id").Pluck("input", &inputs).Error; err != nil {
		t.Fatal(err)
	}
	return inputs
}
