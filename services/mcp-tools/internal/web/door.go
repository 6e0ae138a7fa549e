// Package web is the door for every MCP client but TaskFlow's own agent: MCP's Streamable HTTP transport at /mcp.
//
// It is stateless: no session is kept between two requests, so that any replica answers any of them. It owns who may
// come in (a bearer token, and no page of a foreign origin), how often, with how much, and for how long; and it tells
// the tools who calls. It refuses to know what the tools are. GET and DELETE are 405, because there is no stream to
// listen to and no session to end; the cookie that REST takes does not count, because browsers send it unasked.
package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/caller"
)

const (
	// Path is where MCP is served.
	Path = "/mcp"
	// ClientID is the client of every call that comes in here.
	ClientID = "mcp-http"
)

// Options are what the door is made of.
type Options struct {
	Config
	// MCP has the tools of this door. A receiving middleware is added to it, so it must be this door's alone.
	MCP      *mcp.Server
	Verifier *auth.Verifier
	// HTTP bounds requests; its Origins are the pages that may call.
	HTTP rest.Config
}

// Register adds /mcp and its metadata to a house.
func Register(e *echo.Echo, o Options) {
	o.MCP.AddReceivingMiddleware(within(o.HTTP.Timeout - o.HTTP.Timeout/10))
	d := &door{mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return o.MCP }, &mcp.StreamableHTTPOptions{
		Stateless: true,
		// One message in, one message out: nothing here is worth a stream, and every proxy can carry it.
		JSONResponse: true,
		// The house limits the body, with a smaller number.
		MaxRequestBodyBytes: -1,
		// The SDK's own guard takes every Host but localhost for an attack when the connection comes from this machine,
		// as it does behind a proxy; ours knows the names.
		DisableLocalhostProtection: true,
		// Who has gone away does not learn the result and will ask again, so what is not finished is better not done.
		PropagateRequestCancellation: true,
	})}
	e.POST(Path, d.serve,
		newGuard(o.Config, o.HTTP.Origins).middleware,
		rest.RequireBearer(o.Verifier, o.Origin()+metadataPath+Path),
		rest.RateLimit(o.HTTP.Rate, o.HTTP.Burst),
	)
	serveMetadata(e, o.Config, "")
	serveMetadata(e, o.Config, Path)
}

type door struct{ transport http.Handler }

// serve hands a request to the SDK, whose tools find the caller in its context: the SDK passes on the values of a
// request's context whichever version of the protocol is spoken.
func (d *door) serve(c echo.Context) error {
	r := c.Request()
	claims, ok := auth.FromContext(r.Context())
	if !ok {
		return errors.New("the door is open without RequireBearer")
	}
	body := bufio.NewReader(r.Body)
	batch, err := beginsBatch(body)
	if err != nil {
		return err
	}
	if batch {
		return echo.NewHTTPError(http.StatusBadRequest, "A batch is not taken: send one JSON-RPC message per request.")
	}
	r = r.WithContext(caller.With(r.Context(), caller.Caller{
		UserID: claims.Subject, ClientID: ClientID, RequestID: uuid.Must(uuid.NewV7()).String(),
		ReadOnly: claims.May(auth.Write) != nil,
	}))
	r.Body = struct {
		io.Reader
		io.Closer
	}{body, r.Body}
	d.transport.ServeHTTP(c.Response(), r)
	if !c.Response().Committed {
		// The SDK gives up without a word when the request's time is over.
		return errs.Because(context.Cause(r.Context()), errs.Unavailable, "no answer was ready in time")
	}
	return nil
}

// beginsBatch reports whether a body is a JSON array. Protocol 2025-03-26 allowed batches and later ones do not; here one
// request is one call, which has one id and counts once against the caller's limit.
func beginsBatch(body *bufio.Reader) (bool, error) {
	for {
		b, err := body.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return false, nil // the SDK says what is wrong with nothing
		case err != nil:
			return false, err
		case b == ' ' || b == '\t' || b == '\r' || b == '\n':
			continue
		}
		return b == '[', body.UnreadByte()
	}
}

// within bounds the time of every method, a little below the request's: a tool that is cut off can still say so. A method
// that panics fails alone: the SDK runs it in a goroutine of its own, where nobody else would notice but the process.
func within(d time.Duration) mcp.Middleware {
	return func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, r mcp.Request) (result mcp.Result, err error) {
			ctx, cancel := context.WithTimeout(ctx, d)
			defer cancel()
			defer func() {
				if recover() != nil { // what it panicked with may be a user's
					slog.ErrorContext(ctx, "mcp tool panicked", "stack", string(debug.Stack()))
					result, err = nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "internal error"}
				}
			}()
			return next(ctx, method, r)
		}
	}
}
