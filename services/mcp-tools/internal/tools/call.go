package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/caller"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/ledger"
)

// call is one call of a tool, inside of its transaction.
type call struct {
	ledger.Work
	user    string
	run     string // the message of the user that the call is for; empty from other clients than the agent
	input   map[string]any
	checker *checker
	key     []byte
	now     time.Time
	zone    *time.Location
}

// answer is what a tool answers with.
type answer struct {
	value any
	// nothing says that no item of the batch was done.
	nothing bool
}

// maxInput is how many bytes the arguments of a call have: what the bus can carry.
const maxInput = 1 << 20

// handler executes the calls of a tool.
func (t *Tools) handler(one *tool) mcp.ToolHandler {
	return func(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		who, ok := caller.From(ctx)
		if !ok {
			slog.ErrorContext(ctx, "tool called without a caller", "tool", one.name)
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "internal error"}
		}
		began := time.Now()
		input, wrong := map[string]any{}, error(nil)
		if size := len(r.Params.Arguments); size > maxInput {
			wrong = errs.New(errs.Invalid, "the arguments have %d bytes; %d is the most", size, maxInput)
		} else {
			input, wrong = one.checker.arguments(r.Params.Arguments)
		}
		kept, err := one.kept(input)
		if err != nil {
			t.calls.ended(one, callLost, began)
			return t.lost(ctx, one, err), nil
		}
		done, repeated, err := t.ledger.Do(ctx, ledger.Call{Caller: who, Tool: one.name, Input: kept}, func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
			if wrong != nil {
				return one.refused(wrong)
			}
			if one.audience == Agent && !who.Agent {
				return one.refused(errs.New(errs.Denied, "%s is for TaskFlow's own agent", one.name))
			}
			if who.ReadOnly && !one.effect.readOnly {
				return one.refused(advised{
					errs.New(errs.Denied, "%s changes tasks, and the API token in use may only read", one.name),
					"Do not try again. Tell the user that changes need an API token with the scope write.",
				})
			}
			c, err := t.open(ctx, one, who, w, input)
			if err != nil {
				return ledger.Result{}, err
			}
			a, err := one.run(ctx, c)
			if err != nil {
				return one.refused(err)
			}
			return one.answered(a)
		})
		if err != nil {
			t.calls.ended(one, callLost, began)
			return t.lost(ctx, one, err), nil
		}
		t.calls.ended(one, outcomeOf(done, repeated), began)
		return decoded(done.Answer)
	}
}

func (t *Tools) open(ctx context.Context, one *tool, who caller.Caller, w ledger.Work, input map[string]any) (*call, error) {
	profile, err := w.Tasks.Profile(ctx, who.UserID)
	if err != nil {
		return nil, err
	}
	zone, err := task.Zone(profile.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("the profile's zone: %v", err) //nolint:errorlint // it is not the caller's mistake
	}
	return &call{Work: w, user: who.UserID, run: who.RunID, input: input, checker: one.checker, key: t.key, now: t.now(), zone: zone}, nil
}

// kept is the input as it is written down.
func (t *tool) kept(input map[string]any) (json.RawMessage, error) {
	if given, ok := input[t.secret]; ok && t.secret != "" && given != "" {
		redacted := map[string]any{}
		for field, value := range input {
			redacted[field] = value
		}
		redacted[t.secret] = "[given]"
		input = redacted
	}
	return json.Marshal(input)
}

// refused is the result of a call that was refused as a whole; what is not the caller's doing stays an error.
func (t *tool) refused(err error) (ledger.Result, error) {
	r, ok := failed(err)
	if !ok {
		return ledger.Result{}, err
	}
	return encoded(ledger.Failed, result{Content: []content{{Type: "text", Text: string(compact(r))}}, IsError: true})
}

func (t *tool) answered(a answer) (ledger.Result, error) {
	structured := compact(a.value)
	said := string(structured)
	if t.silent {
		said = "see structuredContent"
	}
	outcome := ledger.Done
	if a.nothing {
		outcome = ledger.Failed
	}
	return encoded(outcome, result{Content: []content{{Type: "text", Text: said}}, StructuredContent: structured, IsError: a.nothing})
}

// result is a CallToolResult as it is kept: as it was said, byte by byte.
type result struct {
	Content           []content       `json:"content"`
	StructuredContent json.RawMessage `json:"structuredContent,omitempty"`
	IsError           bool            `json:"isError,omitempty"`
}

type content struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

func encoded(o ledger.Outcome, r result) (ledger.Result, error) {
	raw, err := json.Marshal(r)
	return ledger.Result{Outcome: o, Answer: raw}, err
}

func decoded(raw json.RawMessage) (*mcp.CallToolResult, error) {
	var r result
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, err
	}
	out := &mcp.CallToolResult{IsError: r.IsError}
	for _, c := range r.Content {
		out.Content = append(out.Content, &mcp.TextContent{Text: c.Text})
	}
	if r.StructuredContent != nil {
		out.StructuredContent = r.StructuredContent
	}
	return out, nil
}

// compact is JSON without the escapes that only a browser needs.
func compact(value any) json.RawMessage {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // a struct of strings and numbers
	}
	return bytes.TrimSpace(out.Bytes())
}

// lost is a call of which the ledger has no result.
func (t *Tools) lost(ctx context.Context, one *tool, err error) *mcp.CallToolResult {
	r, ok := failed(err)
	switch {
	case ok && errs.Is(err, errs.Conflict):
		r.TryNext = "Make the call with another request id."
	case ok:
	case errs.Is(err, errs.Unavailable):
		slog.WarnContext(ctx, "tool call without a result", "tool", one.name, "error", err)
		if mcpbus.Unanswered(ctx) {
			return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{}}
		}
		r = refusal{"unavailable", "The database does not answer; nobody knows whether it was done.", "Look with find_tasks before trying again."}
	default:
		slog.ErrorContext(ctx, "tool call failed", "tool", one.name, "error", err)
		r = refusal{"internal", "Something failed on our side.", "Look with find_tasks before trying again."}
	}
	return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: string(compact(r))}}}
}
