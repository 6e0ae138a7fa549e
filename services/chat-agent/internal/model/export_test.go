package model

import "net/http"

// NewThrough makes a client whose requests go through a transport.
func NewThrough(c Config, transport http.RoundTripper) *Client { return newClient(c, transport) }
