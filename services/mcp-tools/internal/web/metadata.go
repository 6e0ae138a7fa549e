package web

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// metadataPath is where the metadata of a protected resource stands; the resource's own path follows (RFC 9728, 3.1).
const metadataPath = "/.well-known/oauth-protected-resource"

// metadata tells clients what is protected here and who issues tokens for it (RFC 9728, 2).
type metadata struct {
	Resource             string   `json:"resource"`
	ResourceName         string   `json:"resource_name"`
	AuthorizationServers []string `json:"authorization_servers,omitempty"`
	BearerMethods        []string `json:"bearer_methods_supported"`
}

// serveMetadata serves the metadata of the resource at a path. The resource must be what the client inserted the
// well-known part into (RFC 9728, 3.3), so each address has its own.
func serveMetadata(e *echo.Echo, c Config, path string) {
	answer := metadata{
		Resource: c.Origin() + path, ResourceName: "TaskFlow",
		AuthorizationServers: c.AuthServers, BearerMethods: []string{"header"},
	}
	e.GET(metadataPath+path, func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "max-age=300")
		return c.JSON(http.StatusOK, answer)
	})
}
