package web

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Config is the settings of this package, to be embedded in the service's.
type Config struct {
	Public      *url.URL `env:"PUBLIC_URL" default:"http://localhost:8080" doc:"origin under which clients reach TaskFlow; /mcp and its metadata are below it"`
	Hosts       []string `env:"MCP_HOSTS" doc:"names, without a port, that a request to /mcp may be addressed to besides localhost and the host of PUBLIC_URL: what a proxy puts into Host"`
	AuthServers []string `env:"MCP_AUTH_SERVERS" doc:"issuers that clients can get tokens from (OAuth 2.0), named in the metadata; empty when users bring their own"`
}

// Check says what is wrong with the settings.
func (c Config) Check() error {
	var wrong []error
	if p := c.Public; p == nil || !isWeb(p) || strings.Trim(p.Path, "/") != "" || p.RawQuery != "" || p.Fragment != "" || p.User != nil {
		wrong = append(wrong, errors.New("PUBLIC_URL must be an origin such as https://tasks.example.org, without a path"))
	}
	for _, host := range c.Hosts {
		if u, err := url.Parse("//" + bracketed(host)); err != nil || u.Host == "" || u.Port() != "" || u.Path != "" || u.User != nil || strings.Contains(host, "*") {
			wrong = append(wrong, fmt.Errorf("MCP_HOSTS has %q: expected names such as mcp.example.org, without scheme, port and path", host))
		}
	}
	for _, server := range c.AuthServers {
		// RFC 8414, 2: an issuer has neither query nor fragment.
		if u, err := url.Parse(server); err != nil || !isWeb(u) || u.RawQuery != "" || u.Fragment != "" {
			wrong = append(wrong, fmt.Errorf("MCP_AUTH_SERVERS has %q: expected issuers such as https://login.example.org", server))
		}
	}
	return errors.Join(wrong...)
}

func isWeb(u *url.URL) bool { return u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") }

// Origin is PUBLIC_URL as browsers write it in Origin.
func (c Config) Origin() string { return strings.ToLower(c.Public.Scheme + "://" + c.Public.Host) }
