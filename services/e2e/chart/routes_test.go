package chart

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/stack"
)

// A rule is what a controller makes of one line of a manifest.
type rule struct {
	expression *regexp.Regexp
	app        string
}

// choose is the first rule that takes the path.
func choose(rules []rule, path string) string {
	for _, r := range rules {
		if r.expression.MatchString(path) {
			return r.app
		}
	}
	return "nobody"
}

// A form is one way to write the routes, and how its controller reads them.
type form struct {
	args []string
	read func(t *testing.T, all []object) []rule
}

func forms() map[string]form {
	return map[string]form{
		"ingress-nginx": {[]string{"--set", "ingress.enabled=true"}, nginx},
		"Traefik":       {[]string{"--set", "ingress.enabled=true", "--set", "ingress.controller=traefik"}, traefik},
		"Gateway API, whole paths": {
			[]string{"--set", "httpRoute.enabled=true", "--set", "httpRoute.parentRefs[0].name=public"},
			func(t *testing.T, all []object) []rule { return gateway(t, all, `^(?:%)$`) },
		},
		"Gateway API, anywhere in the path": {
			[]string{"--set", "httpRoute.enabled=true", "--set", "httpRoute.parentRefs[0].name=public"},
			func(t *testing.T, all []object) []rule { return gateway(t, all, `%`) },
		},
	}
}

// The longest path first, each as a regular expression for the beginning, without regard to case.
func nginx(t *testing.T, all []object) []rule {
	ingress := one(t, all, "Ingress")
	if at(ingress, "metadata", "annotations", "nginx.ingress.kubernetes.io/use-regex") != "true" {
		t.Fatal("without use-regex ingress-nginx takes the expressions for plain paths")
	}
	var paths []any
	for _, host := range list(at(ingress, "spec", "rules")) {
		paths = append(paths, list(at(host, "http", "paths"))...)
	}
	slices.SortStableFunc(paths, func(a, b any) int { return cmp.Compare(len(text(at(b, "path"))), len(text(at(a, "path")))) })
	var rules []rule
	for _, p := range paths {
		if at(p, "pathType") != "ImplementationSpecific" || !strings.HasPrefix(text(at(p, "path")), "/") {
			t.Fatalf("Kubernetes or ingress-nginx refuses %v", p)
		}
		rules = append(rules, rule{regexp.MustCompile("(?i)^" + text(at(p, "path"))), text(at(p, "backend", "service", "name"))})
	}
	return rules
}

// The highest priority first.
func traefik(t *testing.T, all []object) []rule {
	routes := list(at(one(t, all, "IngressRoute"), "spec", "routes"))
	slices.SortStableFunc(routes, func(a, b any) int { return cmp.Compare(at(b, "priority").(int), at(a, "priority").(int)) })
	match := regexp.MustCompile("^Host\\(`localhost`\\) && PathRegexp\\(`([^`]+)`\\)$")
	var rules []rule
	for _, r := range routes {
		found := match.FindStringSubmatch(text(at(r, "match")))
		if found == nil {
			t.Fatalf("Traefik's rule %v is not one for the host and a path", at(r, "match"))
		}
		rules = append(rules, rule{regexp.MustCompile(found[1]), text(at(list(at(r, "services"))[0], "name"))})
	}
	return rules
}

// The longest expression first, and of two as long the first; some gateways want the whole path to match and some take a part.
func gateway(t *testing.T, all []object, as string) []rule {
	type line struct{ value, app string }
	var lines []line
	for _, r := range list(at(one(t, all, "HTTPRoute"), "spec", "rules")) {
		for _, m := range list(at(r, "matches")) {
			if at(m, "path", "type") != "RegularExpression" {
				t.Fatal("gateways do not agree whether a prefix goes before an expression")
			}
			lines = append(lines, line{text(at(m, "path", "value")), text(at(list(at(r, "backendRefs"))[0], "name"))})
		}
	}
	if len(lines) > 16 {
		t.Fatal("an HTTPRoute has 16 rules at most")
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(len(b.value), len(a.value)) })
	var rules []rule
	for _, l := range lines {
		rules = append(rules, rule{regexp.MustCompile(strings.ReplaceAll(as, "%", l.value)), l.app})
	}
	return rules
}

func one(t *testing.T, all []object, kind string) object {
	t.Helper()
	found := ofKind(all, kind)
	if len(found) != 1 {
		t.Fatalf("the chart renders %d %s, want one", len(found), kind)
	}
	return found[0]
}

// paths are made of the routes themselves, so that a new route is tried too, and of what looks like one of them.
func paths() []string {
	all := []string{
		"/", "/tasks", "/api", "/api/", "/apix", "/x/api", "/api/alice", "/api/alice/tasks", "/api/alice/tasks/1/chat", "/api/alice/chats",
		"/api/alice/chat/approvals/7", "/api//chat", "/api/auth/sign-in/email", "/api/auth/chat", "/api/authx/tasks", "/x/api/alice/chat",
		"/board/ws", "/wsx", "/ws/user/alice/tasks", "/mcp/", "/mcpx", "/docs/style.css", "/docsx", "/openapi.yaml", "/openapiXyaml",
		"/.well-known/oauth-protected-resource/mcp", "/.well-known/other", "/Xwell-known/oauth-protected-resource", "/metrics", "/healthz", "/readyz",
		"/api/alice/conversations/1/messages", "/api/alice/chatkit", "/api/alice/chatkits", "/api/a%2Fb/chat",
	}
	for _, r := range stack.Routes() {
		p := strings.ReplaceAll(r.Path, "{user}", "bob")
		all = append(all, p, p+"/", p+"/more", p+"more", "/more"+p)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestEveryFormOfTheRoutesIsThatOfOneMachine holds the Ingress, Traefik's own kind and the HTTPRoute against pkg/stack.
func TestEveryFormOfTheRoutesIsThatOfOneMachine(t *testing.T) {
	t.Parallel()
	for name, f := range forms() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := f.read(t, objects(t, render(t, "dev", f.args...)))
			for _, path := range paths() {
				if got, want := choose(rules, path), stack.AppFor(path); got != want {
					t.Errorf("%s goes to %s, and on one machine to %s", path, got, want)
				}
			}
		})
	}
}

// TestARouteStaysWithItsAppWhereThatIsOff: another app must not answer in its place.
func TestARouteStaysWithItsAppWhereThatIsOff(t *testing.T) {
	t.Parallel()
	for name, f := range forms() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := f.read(t, objects(t, render(t, "dev", append(f.args, "--set", "services.chat-agent.enabled=false")...)))
			if got := choose(rules, "/api/alice/chat"); got != "chat-agent" {
				t.Errorf("without the chat agent its path goes to %s", got)
			}
		})
	}
}
