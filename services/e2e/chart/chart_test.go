// Package chart tests charts/taskflow without a cluster: what it renders is held against the schemas of Kubernetes and Dapr, an
// analyser of network policies, and the code whose names it repeats. `make chart` runs it with the tools it needs; what
// needs a cluster is in services/e2e/cluster.
package chart

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the lists in testdata anew")

// root is the project.
var root = sync.OnceValue(func() string {
	dir, err := filepath.Abs("../../..")
	if err != nil {
		panic(err)
	}
	return dir
})

func chartDir() string { return filepath.Join(root(), "charts", "taskflow") }

// object is one manifest, as YAML has it.
type object map[string]any

func (o object) kind() string { return text(o["kind"]) }
func (o object) name() string { return text(at(o, "metadata", "name")) }

// at walks down a tree; nil where it ends.
func at(node any, path ...string) any {
	for _, p := range path {
		if o, is := node.(object); is {
			node = map[string]any(o)
		}
		m, is := node.(map[string]any)
		if !is {
			return nil
		}
		node = m[p]
	}
	return node
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// tool runs a program that .ci/chart has put on the path, and returns what it wrote and whether it was content.
func tool(t *testing.T, name string, args ...string) (stdout, stderr string, ok bool) {
	t.Helper()
	stdout, stderr, err := command(name, args...)
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("%s is not on the path: run these tests with `make chart`", name)
	}
	return stdout, stderr, err == nil
}

func command(name string, args ...string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// template renders the chart; the problem is Helm's, empty if there is none.
func template(t *testing.T, args ...string) (manifests, problem string) {
	t.Helper()
	if _, err := exec.LookPath("helm"); err != nil {
		t.Fatal("helm is not on the path: run these tests with `make chart`")
	}
	once, _ := rendered.LoadOrStore(strings.Join(args, " "), sync.OnceValues(func() (string, string) {
		out, errs, err := command("helm", append([]string{"template", "taskflow", chartDir(), "--namespace", "taskflow"}, args...)...)
		if err != nil {
			return "", errs + err.Error()
		}
		return out, ""
	}))
	return once.(func() (string, string))()
}

// rendered keeps what was rendered: several tests look at the same.
var rendered sync.Map

// render renders the chart with the values of an environment ("dev", "prod", "civo") and further arguments.
func render(t *testing.T, environment string, args ...string) string {
	t.Helper()
	values := filepath.Join(chartDir(), "values-"+environment+".yaml")
	out, problem := template(t, append([]string{"-f", values}, args...)...)
	if problem != "" {
		t.Fatalf("the chart does not render with values-%s.yaml %v: %s", environment, args, problem)
	}
	return out
}

func objects(t *testing.T, manifests string) []object {
	t.Helper()
	var all []object
	decoder := yaml.NewDecoder(strings.NewReader(manifests))
	for {
		// Not an object: the maps within it would be of that type too.
		var o map[string]any
		if err := decoder.Decode(&o); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("what the chart renders is no YAML: %v", err)
		}
		if len(o) > 0 {
			all = append(all, o)
		}
	}
}

func ofKind(all []object, kind string) []object {
	return slices.DeleteFunc(slices.Clone(all), func(o object) bool { return o.kind() != kind })
}

func values(t *testing.T, file string) map[string]any {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(chartDir(), file))
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := yaml.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return v
}

// everything are settings that turn on whatever there is.
func everything() []string {
	return []string{
		"--set", "auth.mode=jwks", "--set", "tracing.otlpEndpoint=otel.monitoring:4317", "--set", "monitoring.serviceMonitor.enabled=true",
		"--set", "monitoring.prometheusRule.enabled=true", "--set", "monitoring.dashboards.enabled=true",
		"--set", "services.mcp-tools.keda.enabled=true", "--set", "services.scheduler.keda.enabled=true",
		"--set", "services.web.hpa.enabled=true", "--set", "services.task-api.hpa.enabled=true",
		"--set", "ingress.enabled=true", "--set", "services.lag.enabled=true",
		"--set", "httpRoute.enabled=true", "--set", "httpRoute.parentRefs[0].name=public", "--set", "httpRoute.parentRefs[0].namespace=gateway",
	}
}
