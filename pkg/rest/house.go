package rest

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
)

const correlationHeader = "X-Correlation-Id"

// house is what every request passes through. It is one middleware and not ten because echo builds the chain of all
// middlewares anew for each request, and because each copy of the request costs more than what is done with it.
type house struct {
	Options
	metrics *metrics
	foreign *http.CrossOriginProtection
	cors    cors
	// quiet are the routes whose requests are neither logged nor counted: probes and scrapes ask all day.
	quiet []string
	crowd crowd
}

// errForeign is what keeps pages of others from changing anything with the cookie that a browser sends along (CSRF).
var errForeign = errs.New(errs.Denied, "this request comes from a page of another origin: CORS_ORIGINS lists those that may call")

func (h *house) middleware(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		begun := time.Now()
		r, header := c.Request(), c.Response().Header()
		id := r.Header.Get(correlationHeader)
		if !validCorrelation(id) {
			id = uuid.Must(uuid.NewV7()).String()
		}
		header[correlationHeader] = []string{id}
		h.secure(header, r)
		ctx := telemetry.WithCorrelation(r.Context(), id)
		if !telemetry.Tracing() {
			// otelhttp is not there to do it.
			ctx = telemetry.WithTraceparent(ctx, r.Header.Get("Traceparent"))
		}
		timed := !slices.Contains(h.Untimed, c.Path())
		if timed {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, h.Timeout)
			defer cancel()
		}
		r = r.WithContext(ctx)
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = http.MaxBytesReader(c.Response().Writer, r.Body, h.largest(c))
		}
		c.SetRequest(r)
		loud := !slices.Contains(h.quiet, c.Path())
		if err := h.admit(c, next, timed && loud); err != nil {
			c.Error(err)
		}
		if loud {
			h.observe(c, begun)
		}
		return nil
	}
}

// admit refuses what needs no handler to be refused, and runs the handler. Probes and streams are no part of the crowd.
func (h *house) admit(c echo.Context, next echo.HandlerFunc, crowds bool) error {
	r := c.Request()
	if h.cors.answer(c.Response(), r) {
		return c.NoContent(http.StatusNoContent)
	}
	// A token in the header was put there by whoever wrote the page, not by the browser, and counts before every cookie:
	// nobody else's rights can be borrowed with it.
	if auth.Bearer(r) == "" && h.foreign.Check(r) != nil {
		return errForeign
	}
	if limit := h.largest(c); r.ContentLength > limit {
		return &http.MaxBytesError{Limit: limit}
	}
	if crowds {
		if err := h.crowd.enter(r); err != nil {
			return err
		}
		defer h.crowd.leave()
	}
	return recovered(c, next)
}

// largest is the limit on the body of a request, in bytes.
func (h *house) largest(c echo.Context) int64 {
	return int64(max(h.BodyLimit, h.Large[c.Path()]))
}

// panicked is a panic on its way to the log.
type panicked struct {
	value any
	stack []byte
}

func (p panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func recovered(c echo.Context, next echo.HandlerFunc) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p) // how a handler tells the server to hang up
		default:
			err = panicked{p, debug.Stack()}
		}
	}()
	return next(c)
}

// validCorrelation reports whether an id may go into headers, logs and events as it is.
func validCorrelation(id string) bool {
	if len(id) < 1 || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		switch b := id[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '.', b == '_', b == '-':
		default:
			return false
		}
	}
	return true
}

// The values are shared by all responses; nothing changes a header's slice in place.
var (
	nosniff  = []string{"nosniff"}
	referrer = []string{"no-referrer"}
	policy   = []string{"default-src 'none'; frame-ancestors 'none'"}
	noStore  = []string{"no-store"}
	hsts     = []string{"max-age=31536000; includeSubDomains"}
)

// secure sets what answers of an API want everywhere. Handlers may set another Cache-Control.
func (h *house) secure(header http.Header, r *http.Request) {
	header["X-Content-Type-Options"] = nosniff
	header["Referrer-Policy"] = referrer
	header["Content-Security-Policy"] = policy
	header["Cache-Control"] = noStore
	if r.TLS != nil || (h.BehindTLS && r.Header.Get("X-Forwarded-Proto") == "https") {
		header["Strict-Transport-Security"] = hsts
	}
}
