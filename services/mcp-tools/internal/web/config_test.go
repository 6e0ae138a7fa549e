package web

import (
	"strings"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/config"
)

func TestWrongAddressesAreNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  map[string]string
		says string
	}{
		"the defaults are right":    {nil, ""},
		"an origin is right":        {map[string]string{"PUBLIC_URL": "https://tasks.example/"}, ""},
		"a path is not":             {map[string]string{"PUBLIC_URL": "https://tasks.example/app"}, "PUBLIC_URL"},
		"another scheme is not":     {map[string]string{"PUBLIC_URL": "ftp://tasks.example"}, "PUBLIC_URL"},
		"a password is not":         {map[string]string{"PUBLIC_URL": "https://a:b@tasks.example"}, "PUBLIC_URL"},
		"names are right":           {map[string]string{"MCP_HOSTS": "a.example, 10.0.0.1, ::1, [::1]"}, ""},
		"a name with a port is not": {map[string]string{"MCP_HOSTS": "a.example:80"}, "MCP_HOSTS"},
		"an address is no name":     {map[string]string{"MCP_HOSTS": "https://a.example"}, "MCP_HOSTS"},
		"everything is no name":     {map[string]string{"MCP_HOSTS": "*"}, "MCP_HOSTS"},
		"issuers are right":         {map[string]string{"MCP_AUTH_SERVERS": "https://a.example/realms/b"}, ""},
		"a name is no issuer":       {map[string]string{"MCP_AUTH_SERVERS": "a.example"}, "MCP_AUTH_SERVERS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load[Config](func(name string) (string, bool) { v, ok := c.env[name]; return v, ok })
			if (err != nil) != (c.says != "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}
