//go:build cluster

package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/stack"

	"github.com/taskflow-suite/taskflow/services/internal/storm"
)

const (
	name = "taskflow" // of the release
	// listen is where the tests are the origin; fixed, because it is part of what is installed.
	listen = "localhost:18480"
	// ours marks the namespaces that the tests made, so that they never remove another.
	ours = "taskflow.test/made-by=e2e"
)

// goServices have a sidecar; all also includes the page.
var (
	goServices = []string{"chat-agent", "mcp-tools", "notifier", "scheduler", "task-api"}
	all        = append(slices.Clone(goServices), "web")
)

// release is the installation that all tests of the package share. Each leaves it as it found it.
type release struct {
	namespace, origin string
	chart             string
	values            []string // arguments of helm with which it is installed
	took              time.Duration
	jwtSecret         string   // once it was asked for
	cordoned          []string // nodes
}

var (
	once   sync.Once
	shared *release
	failed error
)

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if err := cleanUp(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// installed is the release, installed by whoever asks first. When the test fails it shows what the cluster says.
func installed(t *testing.T) *release {
	t.Helper()
	once.Do(func() { shared, failed = install() })
	if failed != nil {
		t.Fatalf("the release could not be installed: %v", failed)
	}
	t.Cleanup(func() {
		if t.Failed() {
			shared.diagnose(t)
		}
	})
	return shared
}

func namespace() string { return setting("NAMESPACE", "taskflow-e2e") }

func setting(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func install() (*release, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	if os.Getenv("KUBECONFIG") == "" {
		return nil, errors.New("KUBECONFIG is not set: it names the cluster that is installed on and broken")
	}
	r := &release{namespace: namespace(), origin: setting("ORIGIN", "http://"+listen), chart: setting("CHART", "../../../charts/taskflow")}
	own, err := r.ownValues()
	if err != nil {
		return nil, err
	}
	r.values = []string{"-f", filepath.Join(r.chart, "values-dev.yaml"), "-f", own}
	for _, f := range strings.Split(os.Getenv("VALUES"), ",") {
		if f != "" {
			r.values = append(r.values, "-f", f)
		}
	}
	if err := makeNamespace(ctx, r.namespace); err != nil {
		return nil, err
	}
	began := time.Now()
	if _, err := r.helm(ctx, r.upgrade(os.Getenv("TAG"))...); err != nil {
		return nil, errors.Join(err, errors.New(r.state(ctx)))
	}
	r.took = time.Since(began)
	if os.Getenv("ORIGIN") == "" {
		err = r.beOrigin(ctx)
	}
	return r, err
}

// upgrade are helm's arguments that install or upgrade to images of a tag.
func (r *release) upgrade(tag string, more ...string) []string {
	args := append([]string{"upgrade", "--install", name, r.chart, "--wait", "--wait-for-jobs", "--timeout", "12m"}, r.values...)
	if tag != "" {
		args = append(args, "--set-string", "image.tag="+tag)
	}
	return append(args, more...)
}

func (r *release) helm(ctx context.Context, args ...string) (string, error) {
	return command(ctx, "", "helm", append([]string{"-n", r.namespace}, args...)...)
}

// ownValues writes what the tests need besides values-dev.yaml: an address, and limits that a machine does not reach.
func (r *release) ownValues() (file string, err error) {
	type values map[string]any
	v := values{
		"publicUrl": r.origin,
		"services": values{
			"task-api":   values{"env": values{"RATE_LIMIT": 100_000, "RATE_BURST": 100_000}},
			"chat-agent": values{"env": values{"CHAT_RATE": 1000, "CHAT_BURST": 1000}},
		},
	}
	if os.Getenv("ORIGIN") == "" {
		v["defaults"] = values{"service": values{"type": "NodePort"}}
		v["networkPolicy"] = values{"doors": values{"from": []any{values{"ipBlock": values{"cidr": "0.0.0.0/0"}}}}}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp("", "taskflow-e2e-*.yaml")
	if err != nil {
		return "", err
	}
	if _, err := f.Write(raw); err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

// makeNamespace makes a namespace, or takes over one that an earlier run made.
func makeNamespace(ctx context.Context, name string) error {
	mark, err := command(ctx, "", "kubectl", "get", "namespace", name, "--ignore-not-found", "-o", "jsonpath={.metadata.name} {.metadata.labels.taskflow\\.test/made-by}")
	if err != nil {
		return err
	}
	switch made, by, _ := strings.Cut(mark, " "); {
	case made == "":
	case by != "e2e":
		return fmt.Errorf("the namespace %s is not one of these tests: name another with NAMESPACE", name)
	case os.Getenv("KEEP") != "":
		return nil
	default:
		if err := removeNamespace(ctx, name); err != nil {
			return err
		}
	}
	if _, err := command(ctx, "", "kubectl", "create", "namespace", name); err != nil {
		return err
	}
	_, err = command(ctx, "", "kubectl", "label", "namespace", name, ours)
	return err
}

func removeNamespace(ctx context.Context, name string) error {
	_, err := command(ctx, "", "kubectl", "delete", "namespace", name, "--ignore-not-found", "--timeout=5m")
	return err
}

// cleanUp removes the namespace if these tests made it.
func cleanUp() error {
	if shared == nil {
		return nil
	}
	for _, f := range shared.values {
		if strings.Contains(f, "taskflow-e2e-") {
			_ = os.Remove(f)
		}
	}
	if os.Getenv("KEEP") != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Minute)
	defer cancel()
	return removeNamespace(ctx, shared.namespace)
}

// beOrigin serves the public URL in front of the services' NodePorts, for as long as the tests run.
func (r *release) beOrigin(ctx context.Context) error {
	out, err := command(ctx, "", "kubectl", "get", "nodes", "-o", `jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}`)
	if err != nil {
		return err
	}
	node, _, _ := strings.Cut(out, " ")
	out, err = command(ctx, "", "kubectl", "-n", r.namespace, "get", "services", "-o",
		`jsonpath={range .items[*]}{.metadata.name} {.spec.ports[?(@.name=="http")].nodePort}{"\n"}{end}`)
	if err != nil {
		return err
	}
	ports := map[string]string{}
	for line := range strings.Lines(out) {
		app, port, _ := strings.Cut(strings.TrimSpace(line), " ")
		ports[app] = port
	}
	apps := map[string]string{}
	for _, route := range stack.Routes() {
		if ports[route.App] == "" {
			return fmt.Errorf("the Service %s has no NodePort named http:\n%s", route.App, out)
		}
		apps[route.App] = net.JoinHostPort(node, ports[route.App])
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("the tests are the origin: %w", err)
	}
	quiet := func(string, ...any) {} // the people who use it tell
	go func() {
		err := stack.Front{Apps: apps, Log: quiet}.Serve(context.Background(), l)
		fmt.Fprintln(os.Stderr, "the origin ended:", err)
	}()
	return nil
}

// ready waits until all workloads are what they should be.
func (r *release) ready(t testing.TB) {
	t.Helper()
	for _, w := range all {
		r.kubectl(t, "rollout", "status", "deployment/"+w, "--timeout=5m", "--request-timeout=0")
	}
}

// pod is what the tests read of one.
type pod struct {
	Metadata struct {
		Name, UID, DeletionTimestamp string
		Labels                       map[string]string
	}
	Spec struct {
		InitContainers, Containers []container
	}
	Status struct {
		Phase                                    string
		ContainerStatuses, InitContainerStatuses []struct {
			Name         string
			Ready        bool
			RestartCount int
		}
		Conditions []struct{ Type, Status string }
	}
}

type container struct {
	Name, Image, RestartPolicy string
	Env                        []struct {
		Name      string
		ValueFrom *struct{ SecretKeyRef *struct{ Name string } }
	}
	EnvFrom []struct{ SecretRef *struct{ Name string } }
}

func (p pod) ready() bool {
	for _, c := range p.Status.Conditions {
		if c.Type == "Ready" {
			return c.Status == "True" && p.Metadata.DeletionTimestamp == ""
		}
	}
	return false
}

// pods are those of a workload that are not going away.
func (r *release) pods(t testing.TB, workload string) []pod {
	t.Helper()
	found := get[struct{ Items []pod }](t, r, "pods", "-l", "app.kubernetes.io/component="+workload)
	return slices.DeleteFunc(found.Items, func(p pod) bool { return p.Metadata.DeletionTimestamp != "" })
}

// onePod is a ready one of a workload.
func (r *release) onePod(t testing.TB, workload string) pod {
	t.Helper()
	var found pod
	storm.Eventually(t, 3*time.Minute, func() error {
		for _, p := range r.pods(t, workload) {
			if p.ready() {
				found = p
				return nil
			}
		}
		return fmt.Errorf("no pod of %s is ready", workload)
	})
	return found
}

// diagnose shows what an operator would look at.
func (r *release) diagnose(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	t.Log(r.state(ctx))
}

func (r *release) state(ctx context.Context) string {
	var all strings.Builder
	show := func(bound int, args ...string) {
		out, err := command(ctx, "", "kubectl", append([]string{"-n", r.namespace, "--request-timeout=30s"}, args...)...)
		fmt.Fprintf(&all, "--- kubectl %s\n%s", strings.Join(args, " "), tail(out, bound))
		if err != nil {
			fmt.Fprintln(&all, err)
		}
	}
	show(8<<10, "get", "pods,jobs", "-o", "wide")
	show(8<<10, "get", "events", "--sort-by=.lastTimestamp")
	out, _ := command(ctx, "", "kubectl", "-n", r.namespace, "get", "pods", "-o",
		`jsonpath={range .items[?(@.status.phase!="Succeeded")]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}`)
	for line := range strings.Lines(out) {
		pod, ready, _ := strings.Cut(strings.TrimSpace(line), " ")
		if ready != "True" {
			show(4<<10, "describe", "pod", pod)
		}
		show(6<<10, "logs", pod, "--all-containers", "--prefix", "--tail=30")
	}
	return all.String()
}
