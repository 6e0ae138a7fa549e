package stack

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Service is one thing to run: data, so that `taskflow up`, a test with two notifiers and a test with a program of its
// own differ in nothing but a list.
type Service struct {
	// App is the Dapr app id ("task-api"). Two services may share it: they are replicas of one app.
	App string
	// Package is the Go package to build, below services ("./task-api").
	Package string
	// Command runs a program that is there already instead of building one. Its first element is an absolute path.
	Command []string
	// Dir is the working directory of the program; empty means the checkout.
	Dir string
	// Env is added to what every service gets, and overrides it ("NAME=value").
	Env []string
	// What the service may have; who does not say so never sees it.
	Database bool // DATABASE_URL
	State    bool // a state store, in the database, for its sidecar alone (STATE_DATABASE_URL)
	MCP      bool // MCP_SECRET, with which requests for tools are signed
	Model    bool // OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL: see Options.Model
	Auth     bool // BETTER_AUTH_SECRET, with which sessions are signed
	// Node says that Package is a web page to be built with npm, and run by node.
	Node bool
	// NoSidecar runs the service without a daprd beside it.
	NoSidecar bool
	// Elsewhere leaves service and sidecar to somebody else, such as `dapr run` or a debugger. They keep their ports:
	// the origin sends requests there, and Start does not wait for them.
	Elsewhere bool
}

// Default lists the services of the product that this checkout has.
func Default() []Service {
	return []Service{
		{App: "task-api", Package: "./task-api", Database: true},
		{App: "notifier", Package: "./notifier", Database: true},
		{App: "mcp-tools", Package: "./mcp-tools", Database: true, MCP: true},
		// Hundreds of chats wait for a model with all they know; collecting more often costs them nothing they would notice.
		{App: "chat-agent", Package: "./chat-agent", State: true, MCP: true, Model: true, Env: []string{"GOGC=100"}},
		{App: OfflineModel, Package: "./offline-model", NoSidecar: true},
		{App: "scheduler", Package: "./scheduler", Database: true},
	}
}

// unit is a service with its place in a stack.
type unit struct {
	Service
	name  string // unique: the app id, with "-2" and so on for its further replicas
	ports servicePorts
}

func units(services []Service, ports Ports) ([]unit, error) {
	replicas := map[string]int{}
	var all []unit
	for slot, s := range services {
		if s.App == "" || (s.Package == "") == (len(s.Command) == 0) {
			return nil, fmt.Errorf("service %d (%q) needs an App and either a Package or a Command", slot, s.App)
		}
		replicas[s.App]++
		name := s.App
		if n := replicas[s.App]; n > 1 {
			name += "-" + strconv.Itoa(n)
		}
		all = append(all, unit{s, name, ports.service(slot)})
	}
	return all, nil
}

// sidecarName is the name of a service's daprd within the stack.
func (u unit) sidecarName() string { return u.name + "-dapr" }

// portUses lists what the unit listens on.
func (u unit) portUses() []portUse {
	const change = "change them all with --base-port or TASKFLOW_BASE_PORT"
	if u.Elsewhere {
		return nil
	}
	uses := []portUse{{u.ports.http, u.name + " (HTTP)", change}}
	if u.NoSidecar {
		return uses
	}
	sidecar := "the sidecar of " + u.name
	return append(uses,
		portUse{u.ports.app, u.name + " (Dapr callback)", change},
		portUse{u.ports.daprHTTP, sidecar + " (HTTP)", change},
		portUse{u.ports.daprGRPC, sidecar + " (gRPC)", change},
		portUse{u.ports.daprInternal, sidecar + " (internal gRPC)", change},
		portUse{u.ports.daprMetric, sidecar + " (metrics)", change},
	)
}

// world is what all units of a stack share.
type world struct {
	secrets     secrets
	databaseURL string
	roleURLs    map[string]string
	pooler      pooler
	origin      string
	logLevel    string
	jwks        string   // where the page shows the public half of the pair it signs tokens with; empty if it has the secret
	model       []string // settings of the language model, "NAME=value"
}

// serviceEnv is the whole environment of the service.
func (u unit) serviceEnv(w world) []string {
	env := append(inherited(),
		"HTTP_ADDR="+loopback(u.ports.http),
		"POD_NAME="+u.name,
		"CORS_ORIGINS="+w.origin,
		"PUBLIC_URL="+w.origin,
		"LOG_LEVEL="+w.logLevel,
	)
	if u.Node {
		host, port, _ := net.SplitHostPort(loopback(u.ports.http))
		env = append(env, "NODE_ENV=production", "HOSTNAME="+host, "PORT="+port, "NEXT_TELEMETRY_DISABLED=1")
	}
	if !u.NoSidecar {
		env = append(env,
			"APP_ADDR="+loopback(u.ports.app),
			"DAPR_GRPC_ENDPOINT="+loopback(u.ports.daprGRPC),
			"DAPR_GRPC_PORT="+strconv.Itoa(u.ports.daprGRPC),
			"DAPR_API_TOKEN="+w.secrets.Dapr,
			"APP_API_TOKEN="+w.secrets.App,
		)
	}
	return append(append(append(env, u.tokens(w)...), u.may(w)...), u.Env...)
}

// sidecarEnv is the whole environment of the service's daprd. The secrets are here too because the local secret store
// reads them from the environment of the sidecar.
func (u unit) sidecarEnv(w world) []string {
	env := append(inherited(),
		"POD_NAME="+u.name, // {podName} in a component
		"DAPR_API_TOKEN="+w.secrets.Dapr,
		"APP_API_TOKEN="+w.secrets.App,
	)
	env = append(append(env, u.tokens(w)...), insecureTraces()...)
	if u.State {
		env = append(env, "STATE_DATABASE_URL="+w.pooler.stateURL(w.databaseURL))
	}
	return append(env, u.may(w)...)
}

// tokens is what tokens are signed and checked with: a secret, or where the page, which signs them, shows its keys.
func (u unit) tokens(w world) []string {
	switch {
	case w.jwks == "":
		return []string{"JWT_SECRET=" + w.secrets.JWT}
	case u.Node:
		return nil
	default:
		return []string{"JWT_JWKS_URL=" + w.jwks}
	}
}

// may is what only some services have.
func (u unit) may(w world) []string {
	var env []string
	if u.Database {
		env = append(append(env, "DATABASE_URL="+w.pooler.url(w.database(u.App))), w.pooler.env()...)
	}
	if u.MCP {
		env = append(env, "MCP_SECRET="+w.secrets.MCP)
	}
	if u.Model {
		env = append(env, w.model...)
	}
	if u.Auth {
		env = append(env, "BETTER_AUTH_SECRET="+w.secrets.Auth)
	}
	return env
}

// inherited is our environment without what would tell a child of another stack, or give it what only some may have.
func inherited() []string {
	own := []string{
		"DATABASE_URL", "DATABASE_POOLER", "JWT_SECRET", "HTTP_ADDR", "APP_ADDR", "CORS_ORIGINS", "LOG_LEVEL", "POD_NAME",
		"APP_API_TOKEN", "NAMESPACE", "BUS", "MCP_SECRET", "STATE_DATABASE_URL", "PUBLIC_URL",
		"JWT_JWKS_URL", "BETTER_AUTH_SECRET", "BETTER_AUTH_URL", "DEMO_EMAIL", "DEMO_PASSWORD", "DEMO_NAME", "PORT", "HOSTNAME", "NODE_ENV",
		"OTEL_SERVICE_NAME", // each has its own
	}
	env := slices.DeleteFunc(os.Environ(), func(setting string) bool {
		name, _, _ := strings.Cut(setting, "=")
		return slices.Contains(own, name) || strings.HasPrefix(name, "DAPR_") || strings.HasPrefix(name, "KAFKA_") || strings.HasPrefix(name, "PG") || strings.HasPrefix(name, "OPENAI_")
	})
	// A heap of a few MiB is collected often under load. The limit keeps small what this lets grow.
	for _, setting := range []string{"GOGC=300", "GOMEMLIMIT=200MiB"} {
		name, _, _ := strings.Cut(setting, "=")
		if os.Getenv(name) == "" {
			env = append(env, setting)
		}
	}
	return env
}
