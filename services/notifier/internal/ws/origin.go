package ws

import (
	"net/http"
	"net/url"
	"strings"
)

// origins are the pages that may open a connection. A browser always says where its page is from (RFC 6455 section
// 10.2) and sends the user's cookies along, so without this list any page could listen to a visitor's tasks. A client
// without an Origin is no browser; it has no cookies that it was not given.
type origins map[string]bool

func newOrigins(list []string) origins {
	o := origins{}
	for _, origin := range list {
		if origin = normal(origin); origin != "" {
			o[origin] = true
		}
	}
	return o
}

func (o origins) allow(r *http.Request) bool {
	values := r.Header.Values("Origin")
	switch len(values) {
	case 0:
		return true
	case 1:
		return o[normal(values[0])]
	default:
		return false
	}
}

// normal is an origin as it is compared: scheme and host in lower case (RFC 6454 section 4), empty if it is none. "null",
// which sandboxed pages send, is none.
func normal(origin string) string {
	u, err := url.Parse(strings.TrimSpace(origin))
	if err != nil || u.Scheme == "" || u.Host == "" {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}
