package ledger

import (
	"context"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// Bounds on what a run's calls are told with: they travel as one message.
const (
	maxCalls     = 100
	maxResult    = 8 << 10
	maxArguments = 8 << 10
	// maxResults is how many bytes all results have together; those behind it are cut to nothing.
	maxResults = 256 << 10
)

// callsOf finds the calls that were executed for a run, in order, but for those of the agent's memory. Results are cut at
// 8 KiB, and at 256 KiB together; arguments above 8 KiB are left out.
func callsOf(tx *postgres.Tx) func(ctx context.Context, userID, runID string) ([]agenttools.Call, error) {
	return func(ctx context.Context, userID, runID string) ([]agenttools.Call, error) {
		var rows []row
		err := tx.WithContext(ctx).
			Where("user_id = ? AND run_id = ? AND outcome IS NOT NULL", userID, runID).
			Where("tool NOT IN ?", []string{agenttools.LoadConversation, agenttools.AppendMessages, agenttools.SearchConversations}).
			Order("started_at, id").Limit(maxCalls).Find(&rows).Error
		if err != nil {
			return nil, postgres.Failure(err)
		}
		left := maxResults
		calls := make([]agenttools.Call, len(rows))
		for i, r := range rows {
			calls[i] = agenttools.Call{RequestID: r.RequestID, Tool: r.Tool, Outcome: *r.Outcome}
			if r.Result != nil {
				calls[i].Result = cut(textOf(*r.Result), min(maxResult, left))
				left -= len(calls[i].Result)
			}
			if len(r.Input) <= maxArguments {
				// It was checked when it was written.
				_ = json.Unmarshal([]byte(r.Input), &calls[i].Arguments)
			}
		}
		return calls, nil
	}
}

// textOf is what a model reads of an encoded CallToolResult: its text, or else its structured content.
func textOf(answer string) string {
	var result struct {
		Content []struct {
			Type string `json:"type"`
			Text string `json:"text"`
		} `json:"content"`
		StructuredContent json.RawMessage `json:"structuredContent"`
	}
	if err := json.Unmarshal([]byte(answer), &result); err != nil {
		return answer
	}
	var texts []string
	for _, c := range result.Content {
		if c.Type == "text" {
			texts = append(texts, c.Text)
		}
	}
	if len(texts) == 0 {
		return string(result.StructuredContent)
	}
	return strings.Join(texts, "\n")
}

// cut shortens s to at most n bytes of whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
