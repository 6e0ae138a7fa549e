package tools_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/tools"
)

// listed is tools/list of an audience. No tool is called, so there is no ledger.
func listed(t *testing.T, a tools.Audience) *mcp.ListToolsResult {
	t.Helper()
	server := tools.NewServer(tools.New(nil, nil, tools.Confirmations{Secret: config.NewSecret(secret)}), a)
	all, err := connect(t, server, nil).session.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestToolsListCostsFewTokens(t *testing.T) {
	t.Parallel()
	for audience, budget := range map[tools.Audience]int{tools.Agent: 9000, tools.Public: 9000} {
		all := listed(t, audience)
		raw, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("tools/list for %s: %d tools, %d tokens", audience, len(all.Tools), len(raw)/4)
		if tokens := len(raw) / 4; tokens > budget {
			t.Errorf("%d tools cost %d tokens; %d is the most", len(all.Tools), tokens, budget)
		}
	}
}

func TestOnlyTheAgentHasItsMemory(t *testing.T) {
	t.Parallel()
	names := func(a tools.Audience) []string {
		var all []string
		for _, one := range listed(t, a).Tools {
			all = append(all, one.Name)
		}
		return all
	}
	public := []string{
		agenttools.AddTasks, agenttools.CompleteTasks, agenttools.DeleteTasks, agenttools.FindTasks, agenttools.GetOverview, agenttools.GetProfile,
		agenttools.GetTasks, agenttools.PreviewRecurrence, agenttools.ReopenTasks, agenttools.RescheduleTasks, agenttools.RestoreTasks, agenttools.UpdateTasks,
	}
	if got := names(tools.Public); !slices.Equal(got, public) {
		t.Errorf("every client has %v", got)
	}
	all := slices.Sorted(slices.Values(append(public, agenttools.LoadConversation, agenttools.AppendMessages, agenttools.SearchConversations)))
	if got := names(tools.Agent); !slices.Equal(got, all) {
		t.Errorf("the agent has %v", got)
	}
}

func TestEveryToolSaysWhatItDoes(t *testing.T) {
	t.Parallel()
	for _, one := range listed(t, tools.Agent).Tools {
		raw, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		for _, hint := range []string{`"readOnlyHint":`, `"destructiveHint":`, `"idempotentHint":`, `"openWorldHint":false`} {
			if !bytes.Contains(raw, []byte(hint)) {
				t.Errorf("%s does not say %s", one.Name, hint)
			}
		}
		if one.Title == "" || one.Description == "" || one.OutputSchema == nil {
			t.Errorf("%s lacks a title, a description or an output schema", one.Name)
		}
		if a := one.Annotations; a.ReadOnlyHint && *a.DestructiveHint {
			t.Errorf("%s reads and destroys", one.Name)
		}
		for _, null := range []string{`"null"`, `"nullable"`} {
			if bytes.Contains(raw, []byte(null)) {
				t.Errorf("%s allows null, which some models refuse", one.Name)
			}
		}
		closed(t, one.Name, one.InputSchema)
	}
}

// closed checks that an input refuses what it does not know, in whatever depth, but for what the agent keeps for itself.
func closed(t *testing.T, where string, schema any) {
	t.Helper()
	s, _ := schema.(map[string]any)
	if s["type"] == "object" && s["additionalProperties"] == nil && !strings.Contains(where, "receipts") && !strings.Contains(where, "approvals") {
		t.Errorf("%s takes unknown fields", where)
	}
	if s["type"] == "array" && s["maxItems"] == nil && !strings.HasPrefix(where, agenttools.AppendMessages) {
		t.Errorf("%s takes any number", where)
	}
	properties, _ := s["properties"].(map[string]any)
	for name, of := range properties {
		closed(t, where+"."+name, of)
	}
	if items, ok := s["items"]; ok {
		closed(t, where+"[]", items)
	}
}

func TestSchemasAreAsReviewed(t *testing.T) {
	t.Parallel()
	raw, err := json.MarshalIndent(listed(t, tools.Agent).Tools, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("testdata", "tools.json"), append(raw, '\n'))
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not up to date; run: go test ./mcp-tools/internal/tools -update", path)
	}
}

func TestTheReadmeHasTheTools(t *testing.T) {
	t.Parallel()
	public := map[string]bool{}
	for _, one := range listed(t, tools.Public).Tools {
		public[one.Name] = true
	}
	var table strings.Builder
	table.WriteString("| tool | for | read-only | destructive | idempotent | what | arguments | answer |\n|---|---|---|---|---|---|---|---|\n")
	yes := map[bool]string{true: "yes", false: "no"}
	for _, one := range listed(t, tools.Agent).Tools {
		audience := tools.Agent
		if public[one.Name] {
			audience = tools.Public
		}
		a := one.Annotations
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s | %s | %s | %s | %s |\n", one.Name, audience, yes[a.ReadOnlyHint], yes[*a.DestructiveHint], yes[a.IdempotentHint],
			one.Description, quoted(shape(one.InputSchema)), quoted(shape(one.OutputSchema)))
	}
	testkit.Generated(t, filepath.Join("..", "..", "README.md"), *update, func(readme string) (string, error) {
		return testkit.Between(readme, "<!-- tools -->\n", "<!-- /tools -->", table.String())
	})
}

// shape is a schema in a line: the names of its properties, * behind those that are required.
func shape(schema any) string {
	s, _ := schema.(map[string]any)
	properties, _ := s["properties"].(map[string]any)
	required, _ := s["required"].([]any)
	var all []string
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		of, _ := properties[name].(map[string]any)
		item := name
		if items, isList := of["items"]; isList {
			item += "[]"
			of, _ = items.(map[string]any)
		}
		if slices.Contains(required, any(name)) {
			item += "*"
		}
		if inner := shape(of); inner != "" {
			item += " {" + inner + "}"
		}
		all = append(all, item)
	}
	return strings.Join(all, ", ")
}

func quoted(shape string) string {
	if shape == "" {
		return "none"
	}
	return "`" + shape + "`"
}

func TestAShortSecretIsNone(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("anybody could sign")
		}
	}()
	tools.New(nil, nil, tools.Confirmations{Secret: config.NewSecret("short")})
}
