package auth

import (
	"net/http"
	"strings"
)

const cookieName = "taskflow_token"

// FromRequest is the token a request carries: that of its Authorization header if it is a Bearer one, else that of the
// cookie taskflow_token, else nothing. An API token in the cookie is nothing: it is for scripts, and a browser would send it
// unasked.
func FromRequest(r *http.Request) string {
	if token := Bearer(r); token != "" {
		return token
	}
	if c, err := r.Cookie(cookieName); err == nil && !isAPIToken(c.Value) {
		return c.Value
	}
	return ""
}

// Bearer is the token of a request's Authorization header if it is a Bearer one (RFC 6750), else nothing. A browser does
// not send it by itself as it does cookies, so that no page of another origin can use it.
func Bearer(r *http.Request) string {
	const scheme = "Bearer "
	if h := r.Header.Get("Authorization"); len(h) > len(scheme) && strings.EqualFold(h[:len(scheme)], scheme) {
		return strings.TrimSpace(h[len(scheme):])
	}
	return ""
}
