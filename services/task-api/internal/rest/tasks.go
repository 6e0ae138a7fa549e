package rest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/internal/contract"
)

// CreateTask makes a task, once if the request has a name.
func (s *Server) CreateTask(ctx context.Context, r CreateTaskRequestObject) (CreateTaskResponseObject, error) {
	once := task.Idempotency{Key: or(r.Params.IdempotencyKey, "")}
	if once.Key != "" {
		once.Hash = hash("createTask", contract.BodyOf(ctx))
	}
	var fresh []byte
	made, stored, err := s.tasks.Create(ctx, r.UserID, once, func(made []task.Task) ([]byte, error) {
		fresh = appendTask(nil, &made[0])
		return append([]byte(made[0].ID+"\n"), fresh...), nil
	}, r.Body.fields())
	if err != nil {
		return nil, err
	}
	if stored != nil {
		return replay(r.UserID, stored)
	}
	created := reply{status: http.StatusCreated, etag: etag(made[0].Version), location: location(r.UserID, made[0].ID), body: fresh}
	if fresh == nil {
		created.body = appendTask(make([]byte, 0, 512), &made[0])
	}
	return created, nil
}

// replay gives a stored answer again: the id it was made with, and the body. A new task is always of version 1.
func replay(userID string, stored []byte) (reply, error) {
	id, body, ok := strings.Cut(string(stored), "\n")
	if !ok {
		return reply{}, errors.New("the answer stored under an Idempotency-Key is not one of ours")
	}
	return reply{
		status: http.StatusCreated, etag: etag(1), location: location(userID, id), replayed: true, body: []byte(body),
	}, nil
}

// location is a task's path.
func location(userID, id string) string { return "/api/" + url.PathEscape(userID) + "/tasks/" + id }

// hash identifies a request to an operation by its body.
func hash(operation string, body []byte) string {
	h := sha256.New()
	h.Write([]byte(operation + "\n"))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// GetTask answers with one task.
func (s *Server) GetTask(ctx context.Context, r GetTaskRequestObject) (GetTaskResponseObject, error) {
	t, err := s.tasks.Get(ctx, r.UserID, canonical(r.TaskID))
	if err != nil {
		return nil, err
	}
	if noneMatch(r.Params.IfNoneMatch, t.Version) {
		return notModified(t.Version), nil
	}
	return taskReply(http.StatusOK, &t), nil
}

// change answers a change of one task: with the task, with 412 and the current one, or with the error.
func change(ctx context.Context, match *string, do func(version int) (task.Task, error)) (reply, error) {
	version, err := ifMatch(match)
	if err != nil {
		return reply{}, err
	}
	t, err := do(version)
	if errs.Is(err, errs.Stale) {
		return staleTask(ctx, err, &t), nil
	}
	if err != nil {
		return reply{}, err
	}
	return taskReply(http.StatusOK, &t), nil
}

// ReplaceTask sets everything that can be set.
func (s *Server) ReplaceTask(ctx context.Context, r ReplaceTaskRequestObject) (ReplaceTaskResponseObject, error) {
	done := or(r.Body.Completed, false)
	return change(ctx, r.Params.IfMatch, func(version int) (task.Task, error) {
		return s.tasks.Edit(ctx, r.UserID, canonical(r.TaskID), version, scopeOf(r.Params.Scope), func(f *task.Fields) { *f = r.Body.fields() }, &done)
	})
}

// PatchTask sets what was sent.
func (s *Server) PatchTask(ctx context.Context, r PatchTaskRequestObject) (PatchTaskResponseObject, error) {
	patch := r.JSONBody
	if patch == nil {
		patch = r.ApplicationMergePatchPlusJSONBody
	}
	return change(ctx, r.Params.IfMatch, func(version int) (task.Task, error) {
		return s.tasks.Edit(ctx, r.UserID, canonical(r.TaskID), version, scopeOf(r.Params.Scope), patch.apply, patch.Completed)
	})
}

// DeleteTask moves a task to the trash.
func (s *Server) DeleteTask(ctx context.Context, r DeleteTaskRequestObject) (DeleteTaskResponseObject, error) {
	return change(ctx, r.Params.IfMatch, func(version int) (task.Task, error) {
		return s.tasks.Delete(ctx, r.UserID, canonical(r.TaskID), version)
	})
}

// CompleteTask completes or reopens a task.
func (s *Server) CompleteTask(ctx context.Context, r CompleteTaskRequestObject) (CompleteTaskResponseObject, error) {
	body := r.JSONBody
	if body == nil {
		body = r.ApplicationMergePatchPlusJSONBody
	}
	return change(ctx, r.Params.IfMatch, func(version int) (task.Task, error) {
		return s.tasks.SetCompleted(ctx, r.UserID, canonical(r.TaskID), version, body.Completed)
	})
}

// RestoreTask takes a task out of the trash.
func (s *Server) RestoreTask(ctx context.Context, r RestoreTaskRequestObject) (RestoreTaskResponseObject, error) {
	return change(ctx, r.Params.IfMatch, func(version int) (task.Task, error) {
		return s.tasks.Restore(ctx, r.UserID, canonical(r.TaskID), version)
	})
}

// scopeOf is what a change reaches: this occurrence alone unless it says otherwise.
func scopeOf(scope *string) task.Scope {
	if or(scope, "") == string(task.Following) {
		return task.Following
	}
	return task.This
}

// SkipTask passes an occurrence over.
func (s *Server) SkipTask(ctx context.Context, r SkipTaskRequestObject) (SkipTaskResponseObject, error) {
	return change(ctx, r.Params.IfMatch, func(version int) (task.Task, error) {
		return s.tasks.Skip(ctx, r.UserID, canonical(r.TaskID), version)
	})
}

// SnoozeTask has a task ring again.
func (s *Server) SnoozeTask(ctx context.Context, r SnoozeTaskRequestObject) (SnoozeTaskResponseObject, error) {
	until, err := s.until(*r.Body)
	if err != nil {
		return nil, err
	}
	return change(ctx, r.Params.IfMatch, func(version int) (task.Task, error) {
		return s.tasks.Snooze(ctx, r.UserID, canonical(r.TaskID), version, until)
	})
}

// until is the time a snooze asks for.
func (s *Server) until(snooze Snooze) (time.Time, error) {
	switch {
	case (snooze.Minutes == nil) == (snooze.Until == nil):
		return time.Time{}, errs.InvalidFields(errs.Field{Field: "minutes", Message: "or until must be given, and not both"})
	case snooze.Minutes != nil:
		return s.now().Add(time.Duration(*snooze.Minutes) * time.Minute), nil
	default:
		return parseInstant(*snooze.Until)
	}
}
