package client

import (
	"context"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// MCP connects to the tools at a base URL such as http://localhost:8080, as any MCP client does. Close the session.
func (c *Client) MCP(ctx context.Context, base string) (*mcp.ClientSession, error) {
	client := mcp.NewClient(&mcp.Implementation{Name: "taskflow-client", Version: "1"}, nil)
	return client.Connect(ctx, &mcp.StreamableClientTransport{
		Endpoint: base + "/mcp", HTTPClient: &http.Client{Transport: bearer(c.Token), Timeout: 30 * time.Second},
		DisableStandaloneSSE: true,
	}, nil)
}

// bearer sends a token with every request.
type bearer string

// RoundTrip implements http.RoundTripper.
func (t bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(t))
	return http.DefaultTransport.RoundTrip(r)
}
