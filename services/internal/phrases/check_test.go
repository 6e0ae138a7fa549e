package phrases_test

import (
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/internal/phrases"
)

func TestACheckTellsWhatWasMissed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	monday := time.Date(2026, 11, 23, 17, 0, 0, 0, time.UTC)
	add := phrases.Phrase{Want: []phrases.Want{{Tool: agenttools.AddTasks, Items: []phrases.Item{{Args: phrases.Args{
		"title": phrases.Text("milk"), "due": phrases.At(monday), "repeats": phrases.Rule("FREQ=WEEKLY;BYDAY=MO", monday),
	}}}}}}
	complete := phrases.Phrase{Want: []phrases.Want{{Tool: agenttools.CompleteTasks, IDs: []string{"Buy milk"}}}}
	call := func(tool, outcome string, arguments map[string]any) []agenttools.Receipt {
		return []agenttools.Receipt{{Tool: tool, Outcome: outcome, Arguments: arguments}}
	}
	task := func(title, due, rule string) map[string]any {
		return map[string]any{"tasks": []any{map[string]any{"title": title, "due": due, "repeats": rule}}}
	}
	for name, c := range map[string]struct {
		phrase   phrases.Phrase
		receipts []agenttools.Receipt
		missed   string // empty for a hit
	}{
		"as wanted":                       {add, call("add_tasks", "done", task("Buy MILK", "2026-11-23T17:00:00Z", "FREQ=WEEKLY;BYDAY=MO")), ""},
		"the same instant and rule":       {add, call("add_tasks", "done", task("milk", "2026-11-23T22:00:00+05:00", "weekly")), ""},
		"a local time":                    {add, call("add_tasks", "done", task("milk", "2026-11-23T17:00", "RRULE:FREQ=WEEKLY")), ""},
		"nothing called":                  {add, nil, "add_tasks was not called"},
		"another hour":                    {add, call("add_tasks", "done", task("milk", "2026-11-23T17:00:00+05:00", "weekly")), "due is"},
		"another rule":                    {add, call("add_tasks", "done", task("milk", "2026-11-23T17:00:00Z", "FREQ=WEEKLY;BYDAY=TU")), "repeats is"},
		"it failed":                       {add, call("add_tasks", "failed", task("milk", "2026-11-23T17:00:00Z", "weekly")), "outcome is failed"},
		"the right task":                  {complete, call("complete_tasks", "done", map[string]any{"ids": []any{"1"}}), ""},
		"another task":                    {complete, call("complete_tasks", "done", map[string]any{"ids": []any{"2"}}), "ids are"},
		"one task too many":               {complete, call("complete_tasks", "done", map[string]any{"ids": []any{"1", "2"}}), "ids are"},
		"something that was not asked":    {phrases.Phrase{}, call("delete_tasks", "waiting", map[string]any{"ids": []any{"1"}}), "without being asked for"},
		"reading is always allowed":       {phrases.Phrase{}, call("find_tasks", "done", nil), ""},
		"doing it twice is once too much": {complete, append(call("complete_tasks", "done", map[string]any{"ids": []any{"1"}}), call("complete_tasks", "done", map[string]any{"ids": []any{"1"}})...), "without being asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.phrase.Check(c.receipts, func(title string) string { return map[string]string{"Buy milk": "1"}[title] })
			if (err == nil) != (c.missed == "") || err != nil && !strings.Contains(err.Error(), c.missed) {
				t.Errorf("%v", err)
			}
		})
	}
	if n := len(phrases.All(now)); n < 50 {
		t.Errorf("%d phrases", n)
	}
}
