package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// template is what dapr/local/dapr.yaml says, as the Dapr CLI reads it (version 1 of its run template).
type template struct {
	Version int
	Common  struct {
		AppProtocol      string            `yaml:"appProtocol"`
		ConfigFilePath   string            `yaml:"configFilePath"`
		ResourcesPaths   []string          `yaml:"resourcesPaths"`
		PlacementAddress *string           `yaml:"placementHostAddress"`
		SchedulerAddress *string           `yaml:"schedulerHostAddress"`
		HealthCheck      bool              `yaml:"enableAppHealthCheck"`
		Interval         int               `yaml:"appHealthProbeInterval"`
		Timeout          int               `yaml:"appHealthProbeTimeout"`
		Threshold        int               `yaml:"appHealthThreshold"`
		Env              map[string]string `yaml:"env"`
	}
	Apps []struct {
		AppID        string            `yaml:"appID"`
		AppDirPath   string            `yaml:"appDirPath"`
		Command      []string          `yaml:"command"`
		AppPort      int               `yaml:"appPort"`
		HTTPPort     int               `yaml:"daprHTTPPort"`
		GRPCPort     int               `yaml:"daprGRPCPort"`
		InternalPort int               `yaml:"daprInternalGRPCPort"`
		MetricsPort  int               `yaml:"metricsPort"`
		Env          map[string]string `yaml:"env"`
	}
}

// TestTheTemplateOfTheDaprCLIRunsTheSameServicesAtTheSamePorts: with `taskflow up --without all` beside it, the origin
// finds what `dapr run -f dapr/local` runs.
func TestTheTemplateOfTheDaprCLIRunsTheSameServicesAtTheSamePorts(t *testing.T) {
	t.Parallel()
	root, err := FindRoot(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "dapr", "local")
	text, err := os.ReadFile(filepath.Join(dir, "dapr.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var have template
	if err := yaml.Unmarshal(text, &have); err != nil {
		t.Fatal(err)
	}
	ports := Ports{}.withDefaults()
	want, err := units(Default(), ports)
	if err != nil {
		t.Fatal(err)
	}
	// What has no sidecar stays with the stack.
	want = slices.DeleteFunc(want, func(u unit) bool { return u.NoSidecar })
	if have.Version != 1 || len(have.Apps) != len(want) {
		t.Fatalf("version %d with %d apps, want version 1 with %d", have.Version, len(have.Apps), len(want))
	}
	for i, u := range want {
		app := have.Apps[i]
		got := servicePorts{http: u.ports.http, app: app.AppPort, daprHTTP: app.HTTPPort, daprGRPC: app.GRPCPort, daprInternal: app.InternalPort, daprMetric: app.MetricsPort}
		if app.AppID != u.App || got != u.ports {
			t.Errorf("app %d is %s at %+v, want %s at %+v", i, app.AppID, got, u.App, u.ports)
		}
		if app.Env["HTTP_ADDR"] != loopback(u.ports.http) || app.Env["APP_ADDR"] != loopback(u.ports.app) {
			t.Errorf("%s serves at %v, want %s and %s", u.App, app.Env, loopback(u.ports.http), loopback(u.ports.app))
		}
		if run := fmt.Sprintf("go build -o .dapr/ %s && exec .dapr/%s", u.Package, u.App); !slices.Equal(app.Command, []string{"sh", "-c", run}) {
			t.Errorf("%s is run with %q, want sh -c %q", u.App, app.Command, run)
		}
		exists(t, dir, app.AppDirPath, u.Package, "main.go")
	}
	if origin := fmt.Sprintf("http://localhost:%d", ports.Origin); have.Common.Env["CORS_ORIGINS"] != origin {
		t.Errorf("pages of %q may connect, want %s", have.Common.Env["CORS_ORIGINS"], origin)
	}
	exists(t, dir, have.Common.ConfigFilePath)
	for _, path := range have.Common.ResourcesPaths {
		exists(t, dir, path)
	}

	// What the sidecars are told beside their ports.
	args := strings.Join(daprdArgs(want[0], "", "", "info"), " ")
	for _, flag := range []string{
		"--app-protocol " + have.Common.AppProtocol,
		fmt.Sprintf("--enable-app-health-check --app-health-probe-interval %d --app-health-probe-timeout %d", have.Common.Interval, have.Common.Timeout),
		fmt.Sprintf("--app-health-threshold %d", have.Common.Threshold),
	} {
		if !have.Common.HealthCheck || !strings.Contains(args, flag) {
			t.Errorf("the stack's own sidecars are not run with %s, but with %s", flag, args)
		}
	}
	// The CLI takes a missing address, and an empty one of the scheduler, for one that would never answer.
	if p, s := have.Common.PlacementAddress, have.Common.SchedulerAddress; p == nil || *p != "" || s == nil || *s != " " {
		t.Error("the addresses of placement and scheduler must be \"\" and \" \"")
	}
}

func exists(t *testing.T, elements ...string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(elements...)); err != nil {
		t.Error(err)
	}
}
