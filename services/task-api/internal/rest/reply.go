package rest

import (
	"net/http"
	"strconv"
	"sync"

	"github.com/taskflow-suite/taskflow/pkg/task"
)

// reply is an encoded answer. It stands for the generated response types, whose encoders use reflection, and can be
// stored and given again byte for byte.
type reply struct {
	status   int
	problem  bool // the body is a problem, not JSON
	etag     string
	location string
	replayed bool
	body     []byte
	// pooled is body's buffer if it goes back to buffers after the answer is written.
	pooled *[]byte
}

// buffers are for the bodies of lists. A buffer that grew large is left to the garbage collector.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 32<<10); return &b }}

const largestPooled = 256 << 10

func (r reply) write(w http.ResponseWriter) error {
	h := w.Header()
	if r.etag != "" {
		h.Set("ETag", r.etag)
	}
	if r.location != "" {
		h.Set("Location", r.location)
	}
	if r.replayed {
		h.Set("Idempotency-Replayed", "true")
	}
	switch {
	case r.problem:
		h.Set("Content-Type", "application/problem+json")
	case r.body != nil:
		h.Set("Content-Type", "application/json")
	}
	// What users keep here is nobody else's, whatever stands between.
	h.Set("Cache-Control", "private, no-cache")
	if r.body != nil {
		h.Set("Content-Length", strconv.Itoa(len(r.body)))
	}
	w.WriteHeader(r.status)
	if r.body == nil {
		return nil
	}
	_, err := w.Write(r.body)
	if r.pooled != nil && cap(r.body) <= largestPooled {
		*r.pooled = r.body[:0]
		buffers.Put(r.pooled)
	}
	return err
}

// pooledReply answers 200 with what encode appends.
func pooledReply(encode func([]byte) []byte) reply {
	p := buffers.Get().(*[]byte) //nolint:forcetypeassert // the pool holds nothing else
	return reply{status: http.StatusOK, body: encode((*p)[:0]), pooled: p}
}

func taskReply(status int, t *task.Task) reply {
	return reply{status: status, etag: etag(t.Version), body: appendTask(make([]byte, 0, 512), t)}
}

func profileReply(p task.Profile) reply {
	return reply{status: http.StatusOK, etag: etag(p.Version), body: appendProfile(make([]byte, 0, 256), p)}
}

func notModified(version int) reply {
	return reply{status: http.StatusNotModified, etag: etag(version)}
}

// The generated interfaces, one method each.

// VisitListTasksResponse writes the answer.
func (r reply) VisitListTasksResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitCreateTaskResponse writes the answer.
func (r reply) VisitCreateTaskResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitBatchTasksResponse writes the answer.
func (r reply) VisitBatchTasksResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitGetTaskResponse writes the answer.
func (r reply) VisitGetTaskResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitReplaceTaskResponse writes the answer.
func (r reply) VisitReplaceTaskResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitPatchTaskResponse writes the answer.
func (r reply) VisitPatchTaskResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitDeleteTaskResponse writes the answer.
func (r reply) VisitDeleteTaskResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitCompleteTaskResponse writes the answer.
func (r reply) VisitCompleteTaskResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitRestoreTaskResponse writes the answer.
func (r reply) VisitRestoreTaskResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitListChangesResponse writes the answer.
func (r reply) VisitListChangesResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitListEventsResponse writes the answer.
func (r reply) VisitListEventsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitGetStatsResponse writes the answer.
func (r reply) VisitGetStatsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitGetProfileResponse writes the answer.
func (r reply) VisitGetProfileResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitReplaceProfileResponse writes the answer.
func (r reply) VisitReplaceProfileResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitPreviewRecurrenceResponse writes the answer.
func (r reply) VisitPreviewRecurrenceResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitSkipTaskResponse writes the answer.
func (r reply) VisitSkipTaskResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitSnoozeTaskResponse writes the answer.
func (r reply) VisitSnoozeTaskResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitImportTasksResponse writes the answer.
func (r reply) VisitImportTasksResponse(w http.ResponseWriter) error { return r.write(w) }
