package rest

import (
	"context"
	"net/http"
	"strconv"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// Problems are the house's (pkg/rest) but for two that it cannot write: a stale change shows the current version, and
// a batch has one problem per operation.

func staleTask(ctx context.Context, err error, current *task.Task) reply {
	return stale(ctx, err, current.Version, func(b []byte) []byte { return appendTask(b, current) })
}

func staleProfile(ctx context.Context, err error, current task.Profile) reply {
	return stale(ctx, err, current.Version, func(b []byte) []byte { return appendProfile(b, current) })
}

func stale(ctx context.Context, err error, version int, current func([]byte) []byte) reply {
	return reply{
		status: http.StatusPreconditionFailed, problem: true, etag: etag(version), body: appendProblem(ctx, nil, err, current),
	}
}

// statusOf is the status of an operation of a batch that failed.
func statusOf(err error) int {
	switch errs.KindOf(err) {
	case errs.Invalid:
		return http.StatusUnprocessableEntity
	case errs.NotFound:
		return http.StatusNotFound
	case errs.Conflict:
		return http.StatusConflict
	case errs.Stale:
		return http.StatusPreconditionFailed
	case errs.Denied:
		return http.StatusForbidden
	case errs.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// appendProblem writes a problem (RFC 9457) as the house does, with the current version if there is one.
func appendProblem(ctx context.Context, b []byte, err error, current func([]byte) []byte) []byte {
	status := statusOf(err)
	detail := errs.Text(err)
	if detail == "" {
		detail = "something went wrong on our side"
	}
	b = append(b, `{"type":"about:blank","title":`...)
	b = appendString(b, http.StatusText(status))
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, `,"detail":`...)
	b = appendString(b, detail)
	if id := telemetry.Correlation(ctx); id != "" {
		b = append(b, `,"correlation_id":`...)
		b = appendString(b, id)
	}
	if fields := errs.Fields(err); len(fields) > 0 {
		b = append(b, `,"errors":[`...)
		for i, f := range fields {
			b = appendComma(b, i)
			b = appendFieldError(b, f)
		}
		b = append(b, ']')
	}
	if current != nil {
		b = append(b, `,"current":`...)
		b = current(b)
	}
	return append(b, '}')
}

func appendFieldError(b []byte, f errs.Field) []byte {
	b = append(b, `{"field":`...)
	b = appendString(b, f.Field)
	b = append(b, `,"message":`...)
	b = appendString(b, f.Message)
	return append(b, '}')
}
