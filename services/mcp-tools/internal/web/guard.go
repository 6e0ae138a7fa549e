package web

import (
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// guard refuses requests that a browser was tricked into. With DNS rebinding, a page of evil.example has its own name
// resolved to our address, so that the browser takes us for the page's own origin: only the Host and Origin it sends
// give it away. No header of a proxy is believed: X-Forwarded-Host can be sent by anybody.
type guard struct {
	hosts   map[string]bool // names, without ports
	origins map[string]bool
}

func newGuard(c Config, origins []string) guard {
	g := guard{map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true}, map[string]bool{c.Origin(): true}}
	for _, host := range append(c.Hosts, c.Public.Hostname()) {
		g.hosts[normal(host)] = true
	}
	for _, origin := range origins {
		g.origins[strings.ToLower(origin)] = true
	}
	return g
}

var (
	errForeignHost   = errs.New(errs.Denied, "this request is addressed to a host that is not served here: MCP_HOSTS lists further ones")
	errForeignOrigin = errs.New(errs.Denied, "this request comes from a page of another origin: CORS_ORIGINS lists those that may call")
)

func (g guard) middleware(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if !g.hosts[nameOf(r.Host)] {
			return errForeignHost
		}
		if !g.trusts(r.Header.Values("Origin")) {
			return errForeignOrigin
		}
		return next(c)
	}
}

// trusts reports whether a request with these Origins may come in. Programs send none.
func (g guard) trusts(origins []string) bool {
	switch len(origins) {
	case 0:
		return true
	case 1:
		u, err := url.Parse(origins[0])
		if err != nil || !isWeb(u) {
			return false // "null" too, which sandboxed pages send
		}
		return g.origins[strings.ToLower(u.Scheme+"://"+u.Host)] || g.hosts[normal(u.Hostname())]
	default:
		return false
	}
}

// nameOf is the name in a Host header, without its port.
func nameOf(host string) string {
	u, err := url.Parse("//" + host)
	if err != nil {
		return ""
	}
	return normal(u.Hostname())
}

// normal is a name as it is compared.
func normal(name string) string {
	return strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
}

// bracketed is a name as it stands in a URL: an IPv6 address in brackets.
func bracketed(name string) string {
	if strings.Count(name, ":") > 1 && !strings.HasPrefix(name, "[") {
		return "[" + name + "]"
	}
	return name
}
