package rest

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// cors says which pages may read answers (Fetch standard, CORS protocol): those of the listed origins, with credentials.
type cors struct {
	origins map[string][]string
}

func newCORS(origins []string) cors {
	c := cors{map[string][]string{}}
	for _, origin := range origins {
		c.origins[origin] = []string{origin}
	}
	return c
}

var (
	varyOrigin  = []string{"Origin"}
	yes         = []string{"true"}
	exposed     = []string{"ETag, Idempotency-Replayed, Location, Retry-After, WWW-Authenticate, X-Correlation-ID"}
	corsMethods = []string{"GET, HEAD, POST, PUT, PATCH, DELETE"}
	corsHeaders = []string{"Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, X-Correlation-ID, Traceparent, Mcp-Protocol-Version, Mcp-Method, Mcp-Name"}
	corsMaxAge  = []string{"600"}
)

// answer sets the headers for a request's origin and reports whether that was all it asked for: a preflight. An origin
// that is not listed gets no headers, and its browser keeps the answer from the page.
func (c cors) answer(response *echo.Response, r *http.Request) bool {
	if len(c.origins) == 0 {
		return false
	}
	header := response.Header()
	header["Vary"] = varyOrigin
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
	if allowed, listed := c.origins[origin]; listed {
		header["Access-Control-Allow-Origin"] = allowed
		header["Access-Control-Allow-Credentials"] = yes
		if preflight {
			header["Access-Control-Allow-Methods"] = corsMethods
			header["Access-Control-Allow-Headers"] = corsHeaders
			header["Access-Control-Max-Age"] = corsMaxAge
		} else {
			header["Access-Control-Expose-Headers"] = exposed
		}
	}
	return preflight
}
