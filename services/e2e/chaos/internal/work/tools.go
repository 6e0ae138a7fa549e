package work

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/event"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// usesTools is an MCP client.
func (w *worker) usesTools(ctx context.Context) {
	t := &tools{worker: w}
	defer t.hangUp()
	for w.pause(ctx, 300*time.Millisecond, 1500*time.Millisecond) {
		k, some := w.any(w.chance)
		item := record.Item{Verb: record.Create, Title: w.title("tool")}
		if some && w.chance.IntN(3) > 0 {
			if item = w.wish(k); item.Verb != record.Update {
				item.Base = 0 // these tools take no version
			}
		}
		r := record.Request{Door: record.MCP, Items: []record.Item{item}}
		if item.Verb == record.Create {
			r.Key = event.NewID()
		}
		o := w.send(ctx, r, func(ctx context.Context) outcome { return t.try(ctx, r.Key, item) })
		w.learns(o.shown)
	}
}

// tools is a session with the tools, which is made anew when it failed.
type tools struct {
	*worker
	session *mcp.ClientSession
}

func (t *tools) hangUp() {
	if t.session != nil {
		_ = t.session.Close()
		t.session = nil
	}
}

func (t *tools) try(ctx context.Context, key string, item record.Item) outcome {
	ids := map[string]any{"ids": []string{item.Task}}
	switch item.Verb {
	case record.Create:
		return t.call(ctx, agenttools.AddTasks, map[string]any{"idempotency_key": key, "tasks": []any{map[string]any{"title": item.Title}}})
	case record.Update:
		change := map[string]any{"id": item.Task, "title": item.Title, "version": item.Base}
		return t.call(ctx, agenttools.UpdateTasks, map[string]any{"tasks": []any{change}})
	case record.Complete:
		return t.call(ctx, agenttools.CompleteTasks, ids)
	case record.Reopen:
		return t.call(ctx, agenttools.ReopenTasks, ids)
	case record.Restore:
		return t.call(ctx, agenttools.RestoreTasks, ids)
	default:
		return t.delete(ctx, ids)
	}
}

// delete asks what would be deleted, and agrees.
func (t *tools) delete(ctx context.Context, ids map[string]any) outcome {
	raw, err := t.ask(ctx, agenttools.DeleteTasks, ids)
	var plan agenttools.DeletePlan
	if err == nil {
		err = json.Unmarshal(raw, &plan)
	}
	if err != nil {
		return failed(err)
	}
	if plan.Confirmation == "" {
		return told(raw)
	}
	ids["confirmation"] = plan.Confirmation
	defer delete(ids, "confirmation")
	return t.call(ctx, agenttools.DeleteTasks, ids)
}

func (t *tools) call(ctx context.Context, tool string, arguments map[string]any) outcome {
	raw, err := t.ask(ctx, tool, arguments)
	if err != nil {
		return failed(err)
	}
	return told(raw)
}

// ask calls a tool and returns its structured answer. An error is for anything else.
func (t *tools) ask(ctx context.Context, tool string, arguments map[string]any) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if t.session == nil {
		session, err := t.quick.MCP(ctx, t.crowd.o.Origin)
		if err != nil {
			return nil, err
		}
		t.session = session
	}
	res, err := t.session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		t.hangUp()
		return nil, err
	}
	if res.StructuredContent == nil {
		for _, c := range res.Content {
			if text, ok := c.(*mcp.TextContent); ok {
				return nil, errors.New(text.Text)
			}
		}
		return nil, errors.New("an answer without content")
	}
	return json.Marshal(res.StructuredContent)
}

// statuses are what REST says to what the tools say.
var statuses = map[string]int{
	"invalid": http.StatusUnprocessableEntity, "not_found": http.StatusNotFound, "conflict": http.StatusConflict, "stale": http.StatusPreconditionFailed,
}

// told reads what became of the one task of a call.
func told(raw json.RawMessage) outcome {
	var answer agenttools.Tasks
	if err := json.Unmarshal(raw, &answer); err != nil {
		return failed(err)
	}
	o := outcome{Answer: record.Answer{Status: http.StatusOK}}
	switch {
	case len(answer.Tasks) == 1:
		s := asShown(answer.Tasks[0])
		o.Told, o.shown = []record.Told{{Status: http.StatusOK, Seen: s.seen()}}, []shown{s}
	case len(answer.Failures) == 1 && statuses[answer.Failures[0].Code] != 0:
		o.Told, o.Error = []record.Told{{Status: statuses[answer.Failures[0].Code]}}, answer.Failures[0].Error
	default:
		return failed(errors.New("an answer of no task: " + string(raw[:min(len(raw), 200)])))
	}
	return o
}

func asShown(t agenttools.Task) shown {
	s := shown{ID: t.ID, Title: t.Title, Version: t.Version, Completed: t.Status == "completed"}
	if t.Status == "deleted" {
		s.DeletedAt = &time.Time{}
		s.Completed = t.CompletedAt != ""
	}
	return s
}
