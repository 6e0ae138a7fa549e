package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

// Problem is an error as clients see it: application/problem+json (RFC 9457). Its type is about:blank, so its title is
// the status's own.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail is one sentence for the person in front of the client.
	Detail string `json:"detail"`
	// Errors are the invalid fields of a 422.
	Errors        []FieldError `json:"errors,omitempty"`
	CorrelationID string       `json:"correlation_id,omitempty"`
}

// FieldError is what is wrong with one field of a request.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// statusClosed is what the log says of a client that went away before its answer; nobody receives it.
const statusClosed = 499

// retryAfter is what clients are told to wait when something we depend on does not answer.
const retryAfter = 2 * time.Second

const (
	internalDetail = "Something went wrong on our side. If it happens again, tell us the correlation_id."
	timeoutDetail  = "The request took too long and was given up. It may succeed later."
)

// TooManyRequests is the error of a caller who has to wait: 429 with Retry-After.
type TooManyRequests struct{ Wait time.Duration } //nolint:errname // the status by its own name, RFC 6585

func (e TooManyRequests) Error() string { return "too many requests" }

var statuses = map[errs.Kind]int{
	errs.Internal: http.StatusInternalServerError, errs.Invalid: http.StatusUnprocessableEntity,
	errs.NotFound: http.StatusNotFound, errs.Conflict: http.StatusConflict, errs.Stale: http.StatusPreconditionFailed,
	errs.Denied: http.StatusForbidden, errs.Unavailable: http.StatusServiceUnavailable,
}

// problemOf translates an error once for all routes. What has no kind is internal and shown as a constant sentence.
func problemOf(ctx context.Context, err error) Problem {
	p := Problem{Type: "about:blank", CorrelationID: telemetry.Correlation(ctx)}
	kind := errs.KindOf(err)
	tooLarge, isTooLarge := errors.AsType[*http.MaxBytesError](err)
	_, isTooMany := errors.AsType[TooManyRequests](err)
	http4xx, isHTTP := errors.AsType[*echo.HTTPError](err)
	vague := kind == errs.Internal || kind == errs.Unavailable
	switch {
	case isTooLarge:
		p.Status, p.Detail = http.StatusRequestEntityTooLarge, fmt.Sprintf("The body must be at most %d bytes.", tooLarge.Limit)
	case isTooMany:
		p.Status, p.Detail = http.StatusTooManyRequests, "Too many requests. Wait as long as Retry-After says."
	case errors.Is(err, auth.ErrNoToken), errors.Is(err, auth.ErrInvalidToken):
		p.Status, p.Detail = http.StatusUnauthorized, errs.Text(err)
	case kind == errs.Internal && isHTTP && http4xx.Code < http.StatusInternalServerError:
		p.Status, p.Detail = http4xx.Code, httpDetail(http4xx)
	case vague && errors.Is(ctx.Err(), context.DeadlineExceeded):
		p.Status, p.Detail = http.StatusServiceUnavailable, timeoutDetail
	case vague && errors.Is(ctx.Err(), context.Canceled):
		p.Status, p.Detail = statusClosed, "The client went away."
	default:
		p.Status, p.Detail = statuses[kind], errs.Text(err)
		if p.Detail == "" {
			p.Detail = internalDetail
		}
		for _, f := range errs.Fields(err) {
			p.Errors = append(p.Errors, FieldError(f))
		}
	}
	if p.Title = http.StatusText(p.Status); p.Title == "" {
		p.Title = "Client Closed Request"
	}
	return p
}

// httpDetail is the sentence for an error of the router, the binder or a handler that chose a status itself.
func httpDetail(err *echo.HTTPError) string {
	switch err.Code {
	case http.StatusNotFound:
		return "There is nothing at this address."
	case http.StatusMethodNotAllowed:
		return "This address does not know this method; the header Allow lists those it knows."
	}
	if text, ok := err.Message.(string); ok && text != "" {
		return text
	}
	return http.StatusText(err.Code)
}

// WriteError answers a request with an error, as every handler of New's echo that returns one does; for handlers that
// are not echo's. What is our fault is logged here, once.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	ctx := r.Context()
	p := problemOf(ctx, err)
	report(ctx, err, p)
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("Cache-Control", "no-store")
	switch p.Status {
	case http.StatusUnauthorized:
		challenge := `Bearer realm="taskflow"`
		if errors.Is(err, auth.ErrInvalidToken) {
			challenge += `, error="invalid_token"` // RFC 6750, 3.1; without a token there must be no error code
		}
		if c, ok := errors.AsType[challenged](err); ok {
			challenge += `, resource_metadata="` + c.metadata + `"`
		}
		header.Set("WWW-Authenticate", challenge)
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", seconds(retryAfter))
	case http.StatusTooManyRequests:
		if e, ok := errors.AsType[TooManyRequests](err); ok {
			header.Set("Retry-After", seconds(e.Wait))
		}
	}
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers only
	}
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(append(body, '\n')) // a client that is gone needs no answer
	}
}

// seconds rounds up to the whole seconds of Retry-After: a client that came back a little early would be refused again.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}

// kindOf is what a failure is counted as; empty for a client that did not wait for its answer.
func kindOf(status int) string {
	switch status {
	case statusClosed:
		return ""
	case http.StatusUnauthorized:
		return errs.Denied.String()
	case http.StatusMethodNotAllowed:
		return errs.NotFound.String()
	case http.StatusTooManyRequests:
		return "limited"
	}
	for kind, of := range statuses {
		if of == status {
			return kind.String()
		}
	}
	return errs.Invalid.String()
}

// report counts a failure and logs what an operator must know: our own mistakes with their cause, and what we depend on but did not answer.
func report(ctx context.Context, err error, p Problem) {
	if kind := kindOf(p.Status); kind != "" {
		telemetry.Failed(telemetry.HTTP, kind)
	}
	switch p.Status {
	case http.StatusInternalServerError:
		attrs := []slog.Attr{slog.String("error", err.Error())}
		if p, ok := errors.AsType[panicked](err); ok {
			attrs = append(attrs, slog.String("stack", string(p.stack)))
		}
		slog.LogAttrs(ctx, slog.LevelError, "a request failed", attrs...)
	case http.StatusServiceUnavailable:
		if errors.Is(err, errCrowded) {
			return // its line is the request's own
		}
		slog.LogAttrs(ctx, slog.LevelWarn, "a request could not be answered for now", slog.String("error", err.Error()))
	}
}
