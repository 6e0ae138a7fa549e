package stack

import "fmt"

// URL is the base URL of "origin", of a service ("task-api-2") or of the HTTP side of a sidecar ("notifier-dapr"), and
// "" for what this stack does not have.
func (s *Stack) URL(name string) string {
	if name == "origin" {
		return fmt.Sprintf("http://localhost:%d", s.ports.Origin)
	}
	for _, u := range s.units {
		switch {
		case name == u.name:
			return "http://" + loopback(u.ports.http)
		case name == u.sidecarName() && !u.NoSidecar:
			return "http://" + loopback(u.ports.daprHTTP)
		}
	}
	return ""
}

// SidecarAddr is host:port of the gRPC side of a service's sidecar, "" when it has none. It asks for SidecarToken.
func (s *Stack) SidecarAddr(service string) string {
	for _, u := range s.units {
		if u.name == service && !u.NoSidecar {
			return loopback(u.ports.daprGRPC)
		}
	}
	return ""
}

// SidecarMetrics is host:port of where a service's sidecar shows its own metrics, "" when it has none.
func (s *Stack) SidecarMetrics(service string) string {
	for _, u := range s.units {
		if u.name == service && !u.NoSidecar {
			return loopback(u.ports.daprMetric)
		}
	}
	return ""
}

// SidecarToken is what sidecars want in dapr-api-token.
func (s *Stack) SidecarToken() string { return s.secrets.Dapr }

// DatabaseURL is the connection string of the database, with its password.
func (s *Stack) DatabaseURL() string { return s.databaseURL }

// Brokers are the broker's addresses, host:port, comma separated.
func (s *Stack) Brokers() string { return s.brokers }

// JWTSecret is the key (HS256) with which the services check tokens.
func (s *Stack) JWTSecret() string { return s.secrets.JWT }

// Dir is the state directory.
func (s *Stack) Dir() string { return s.dir }

// Pid is the process of a part, 0 while it does not run.
func (s *Stack) Pid(name string) int {
	p, err := s.part(name)
	if err != nil {
		return 0
	}
	pid, _, _ := p.proc.status()
	return pid
}
