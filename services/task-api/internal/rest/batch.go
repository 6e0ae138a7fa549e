package rest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/internal/contract"
)

// Operation is one of a batch; op says which of the others it has. That was checked against the specification before.
type Operation struct {
	Op      string     `json:"op"`
	ID      string     `json:"id"`
	Version int        `json:"version"`
	Scope   string     `json:"scope"`
	Task    *NewTask   `json:"task"`
	Changes *TaskPatch `json:"changes"`
}

// BatchTasks does one operation after the other, each in a transaction of its own.
func (s *Server) BatchTasks(ctx context.Context, r BatchTasksRequestObject) (BatchTasksResponseObject, error) {
	var once task.Idempotency
	if key := or(r.Params.IdempotencyKey, ""); key != "" {
		once = task.Idempotency{Key: key, Hash: hash("batchTasks", contract.BodyOf(ctx))}
	}
	b := append(make([]byte, 0, 1<<10), `{"results":[`...)
	for i := range r.Body.Operations {
		b = appendComma(b, i)
		b = s.item(ctx, b, r.UserID, i, &r.Body.Operations[i], once)
	}
	return reply{status: http.StatusOK, body: append(b, "]}"...)}, nil
}

// item does one operation and appends what became of it.
func (s *Server) item(ctx context.Context, b []byte, userID string, i int, op *Operation, once task.Idempotency) []byte {
	b = append(b, `{"index":`...)
	b = strconv.AppendInt(b, int64(i), 10)
	b = append(b, `,"status":`...)
	if op.Op == "create" {
		body, err := s.createItem(ctx, userID, itemOf(once, i), op.Task.fields())
		if err != nil {
			return appendItemProblem(ctx, b, err, nil)
		}
		b = strconv.AppendInt(b, http.StatusCreated, 10)
		b = append(b, `,"task":`...)
		return append(append(b, body...), '}')
	}
	t, err := s.do(ctx, userID, op)
	if err != nil {
		return appendItemProblem(ctx, b, err, &t)
	}
	b = strconv.AppendInt(b, http.StatusOK, 10)
	b = append(b, `,"task":`...)
	return append(appendTask(b, &t), '}')
}

// appendItemProblem ends an item that failed. current is shown if it was stale.
func appendItemProblem(ctx context.Context, b []byte, err error, current *task.Task) []byte {
	status := statusOf(err)
	if status == http.StatusInternalServerError {
		slog.ErrorContext(ctx, "an operation of a batch failed", "error", err)
	}
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, `,"problem":`...)
	if current != nil && errs.Is(err, errs.Stale) {
		b = appendProblem(ctx, b, err, func(b []byte) []byte { return appendTask(b, current) })
	} else {
		b = appendProblem(ctx, b, err, nil)
	}
	return append(b, '}')
}

// createItem makes a task and returns it as JSON, the same one if it was made before.
func (s *Server) createItem(ctx context.Context, userID string, once task.Idempotency, f task.Fields) ([]byte, error) {
	encode := func(made []task.Task) ([]byte, error) { return appendTask(nil, &made[0]), nil }
	made, stored, err := s.tasks.Create(ctx, userID, once, encode, f)
	if err != nil || stored != nil {
		return stored, err
	}
	return encode(made)
}

// itemOf is the name of one operation of a named batch. It is hashed, so that no name of another request is the same.
func itemOf(batch task.Idempotency, i int) task.Idempotency {
	if batch.Key == "" {
		return task.Idempotency{}
	}
	sum := sha256.Sum256([]byte(batch.Key))
	return task.Idempotency{Key: "batch:" + hex.EncodeToString(sum[:]) + ":" + strconv.Itoa(i), Hash: batch.Hash}
}

// do does any operation but create.
func (s *Server) do(ctx context.Context, userID string, op *Operation) (task.Task, error) {
	id := canonical(op.ID)
	switch op.Op {
	case "update":
		return s.tasks.Edit(ctx, userID, id, op.Version, scopeOf(&op.Scope), op.Changes.apply, op.Changes.Completed)
	case "complete":
		return s.tasks.SetCompleted(ctx, userID, id, op.Version, true)
	case "reopen":
		return s.tasks.SetCompleted(ctx, userID, id, op.Version, false)
	case "delete":
		return s.tasks.Delete(ctx, userID, id, op.Version)
	case "restore":
		return s.tasks.Restore(ctx, userID, id, op.Version)
	case "skip":
		return s.tasks.Skip(ctx, userID, id, op.Version)
	default:
		return task.Task{}, errs.New(errs.Invalid, "no operation is called %q", contract.Clip(op.Op))
	}
}
