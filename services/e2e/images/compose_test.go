package images_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oasdiff/yaml"

	"github.com/taskflow-suite/taskflow/pkg/stack"
)

// root is the checkout.
const root = "../../.."

// file is what these tests read of compose.yaml.
type file struct {
	Services map[string]struct {
		Image       string
		Command     []string
		NetworkMode string `json:"network_mode"`
		Configs     []struct{ Source, Target string }
		Volumes     []string
	}
	Configs map[string]struct{ Content string }
}

func read(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root}, elements...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func compose(t *testing.T) file {
	t.Helper()
	var f file
	if _, err := yaml.Unmarshal([]byte(read(t, "compose.yaml")), &f, yaml.DecodeOpts{}); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestComposeSendsEachPathWhereTheOtherOriginsDo(t *testing.T) {
	t.Parallel()
	matchers, order := caddy(t, strings.ReplaceAll(compose(t).Configs["origin"].Content, "$$", "$"))
	goesTo := func(path string) string {
		for _, o := range order {
			if o.matcher == "" || matchers[o.matcher](path) {
				return o.app
			}
		}
		return ""
	}
	for _, route := range stack.Routes() {
		path := strings.ReplaceAll(route.Path, "{user}", "3f0c")
		for _, p := range []string{path, strings.TrimSuffix(path, "/") + "/below/it"} {
			if got := goesTo(p); got != route.App {
				t.Errorf("%s goes to %q, in pkg/stack/routes.go to %q", p, got, route.App)
			}
		}
		if got := goesTo(path + "x"); path != "/" && got == route.App && !slices.Contains([]string{"web", "task-api"}, got) {
			t.Errorf("%sx goes to %q, whose path is %s", path, got, route.Path)
		}
	}
	for _, path := range []string{"/api/3f0c/tasks/chat", "/api/chat", "/apis", "/today", "/wsx"} {
		want := "web"
		if strings.HasPrefix(path, "/api/") {
			want = "task-api"
		}
		if got := goesTo(path); got != want {
			t.Errorf("%s goes to %q instead of %q", path, got, want)
		}
	}
}

type proxied struct{ matcher, app string }

// caddy reads as much of a Caddyfile as compose.yaml uses: matchers by path or path_regexp, and one route of reverse_proxy lines.
func caddy(t *testing.T, text string) (matchers map[string]func(string) bool, order []proxied) {
	t.Helper()
	matchers = map[string]func(string) bool{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 3 && words[1] == "path_regexp":
			matchers[words[0]] = regexp.MustCompile(words[2]).MatchString
		case len(words) > 2 && words[1] == "path":
			matchers[words[0]] = func(path string) bool {
				return slices.ContainsFunc(words[2:], func(pattern string) bool {
					prefix, below := strings.CutSuffix(pattern, "*")
					return path == pattern || below && strings.HasPrefix(path, prefix)
				})
			}
		case len(words) > 1 && words[0] == "reverse_proxy":
			app, port, _ := strings.Cut(words[len(words)-1], ":")
			if port != "8080" {
				t.Errorf("%q is not where a service is", words[len(words)-1])
			}
			o := proxied{app: app}
			if len(words) == 3 {
				if o.matcher = words[1]; matchers[o.matcher] == nil {
					t.Errorf("there is no matcher %s", o.matcher)
				}
			}
			order = append(order, o)
		}
	}
	if len(order) == 0 {
		t.Fatal("compose.yaml has no routes of the origin")
	}
	return matchers, order
}

func TestComposeGivesEachServiceThatUsesTheBusItsSidecar(t *testing.T) {
	t.Parallel()
	services := compose(t).Services
	version := regexp.MustCompile(`github.com/dapr/dapr v(\S+)`).FindStringSubmatch(read(t, "dapr", "runtime", "go.mod"))
	for _, s := range stack.Default() {
		if s.NoSidecar {
			continue
		}
		sidecar, ok := services[s.App+"-daprd"]
		if !ok {
			t.Errorf("%s has no sidecar", s.App)
			continue
		}
		if want := "docker.io/daprio/daprd:" + version[1]; sidecar.Image != want {
			t.Errorf("the sidecar of %s is %s, tested is %s", s.App, sidecar.Image, want)
		}
		if sidecar.NetworkMode != "service:"+s.App {
			t.Errorf("the sidecar of %s is at %q", s.App, sidecar.NetworkMode)
		}
		for _, flag := range []string{"--app-id=" + s.App, "--app-protocol=grpc", "--enable-app-health-check", "--app-health-threshold=3", "--scheduler-host-address="} {
			if !slices.Contains(sidecar.Command, flag) {
				t.Errorf("the sidecar of %s lacks %s", s.App, flag)
			}
		}
	}
	for name, s := range services {
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if _, err := os.Stat(filepath.Join(root, from)); strings.HasPrefix(from, ".") && err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestComposeGivesEachServiceItsOwnSecretsOnly(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"task-api":   {"task-api", "DATABASE_URL", "JWT_SECRET", "taskflow-broker"},
		"notifier":   {"notifier", "DATABASE_URL", "JWT_SECRET", "taskflow-broker"},
		"scheduler":  {"scheduler", "DATABASE_URL", "taskflow-broker"},
		"mcp-tools":  {"mcp-tools", "DATABASE_URL", "JWT_SECRET", "MCP_SECRET", "taskflow-broker"},
		"chat-agent": {"chat-agent", "JWT_SECRET", "MCP_SECRET", "OPENAI_API_KEY", "taskflow-broker", "taskflow-state"},
	}
	configs := compose(t).Configs
	for app, want := range want {
		var objects map[string]map[string]string
		if _, err := yaml.Unmarshal([]byte(configs[app+"-secrets"].Content), &objects, yaml.DecodeOpts{}); err != nil {
			t.Fatal(err)
		}
		var got []string
		for object, values := range objects {
			got = append(got, object)
			if object == app {
				for key := range values {
					got = append(got, key)
				}
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s gets %v, wants %v", app, got, want)
		}
	}
}

func TestEveryImageThatSomethingStartsFromIsPinned(t *testing.T) {
	t.Parallel()
	found := regexp.MustCompile(`(?m)^(?:\s*image:|FROM(?: --platform=\S+)?|ARG RUNTIME=)\s*([^\s$]\S*)`)
	pinned := regexp.MustCompile(`:v?\d+\.\d+\.?\d*\S*$|-debian12:nonroot$|@sha256:[0-9a-f]{64}$`)
	for _, name := range []string{"compose.yaml", "services/Dockerfile", "services/web/Dockerfile"} {
		images := found.FindAllStringSubmatch(read(t, name), -1)
		if len(images) == 0 {
			t.Errorf("%s starts from nothing", name)
		}
		for _, image := range images {
			if !pinned.MatchString(image[1]) {
				t.Errorf("%s starts from %s, whichever version that is today", name, image[1])
			}
		}
	}
	postgres := regexp.MustCompile(`image: (\S*postgres:\S+)`)
	if here, there := postgres.FindStringSubmatch(read(t, "compose.yaml"))[1], postgres.FindStringSubmatch(read(t, "charts", "taskflow", "values.yaml"))[1]; here != there {
		t.Errorf("compose.yaml has %s, the chart %s", here, there)
	}
}

func TestComposeHasNoSecretOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"PASSWORD", "SECRET", "TOKEN"} {
		for _, use := range regexp.MustCompile(`\$\{[A-Z_]*`+name+`[A-Z_]*(:[^}]*)?\}`).FindAllStringSubmatch(read(t, "compose.yaml"), -1) {
			if use[1] != ":?see .env.example" && use[0] != "${DEMO_PASSWORD:-}" {
				t.Errorf("%s does not insist on a value", use[0])
			}
		}
	}
	for line := range strings.Lines(read(t, ".env.example")) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") && value != "" {
			t.Errorf("%s has a value in .env.example", name)
		}
	}
}
