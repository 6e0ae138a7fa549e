package tools_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/caller"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/tools"
)

func TestWhoMayOnlyReadIsShownAndGivenNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.as("ada", "UTC")
	made := owner.add(`{"title":"a"}`)
	reader := connect(t, tools.NewServer(w.tools, tools.Public), func() caller.Caller {
		return caller.Caller{UserID: "ada", ClientID: "test", RequestID: uuid.NewString(), ReadOnly: true}
	})
	all, err := reader.session.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, one := range all.Tools {
		names = append(names, one.Name)
	}
	const reading = agenttools.FindTasks + " " + agenttools.GetOverview + " " + agenttools.GetProfile + " " + agenttools.GetTasks + " " + agenttools.PreviewRecurrence
	if got := strings.Join(names, " "); got != reading || all.CacheScope != "private" {
		t.Errorf("listed to the %s are %s", all.CacheScope, got)
	}
	if got := reader.get(made.ID); got.Title != "a" {
		t.Errorf("got %+v", got)
	}
	whole, err := owner.session.ListTools(t.Context(), &mcp.ListToolsParams{})
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, one := range whole.Tools {
		if one.Annotations.ReadOnlyHint {
			continue
		}
		refused++
		// Whatever the arguments: they are as every such tool takes them, or nearly.
		for _, f := range reader.fail(one.Name, args(changing[one.Name], made.ID)) {
			if f.Code != "denied" || f.Error != one.Name+" changes tasks, and the API token in use may only read" || !strings.Contains(f.TryNext, "scope write") {
				t.Errorf("%s says %+v", one.Name, f)
			}
		}
	}
	if refused != len(changing) || len(whole.Tools) != refused+len(names) {
		t.Errorf("%d of %d tools are refused", refused, len(whole.Tools))
	}
	if after := owner.get(made.ID); after.Version != made.Version {
		t.Errorf("it was changed: %+v", after)
	}
}

// changing are arguments with which each tool that is not read-only would do something to a task.
var changing = map[string]string{
	agenttools.AddTasks:        `{"tasks":[{"title":%q}]}`,
	agenttools.UpdateTasks:     `{"tasks":[{"id":%q,"title":"b"}]}`,
	agenttools.CompleteTasks:   `{"ids":[%q]}`,
	agenttools.ReopenTasks:     `{"ids":[%q]}`,
	agenttools.RescheduleTasks: `{"tasks":[{"id":%q,"due":"2026-12-01"}]}`,
	agenttools.DeleteTasks:     `{"ids":[%q]}`,
	agenttools.RestoreTasks:    `{"ids":[%q]}`,
}
