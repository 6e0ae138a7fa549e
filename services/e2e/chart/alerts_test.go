package chart

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// elsewhere are the metrics that are not ours, and who makes them.
var elsewhere = map[string]string{
	"up":                                                   "Prometheus, of every target",
	"go_goroutines":                                        "client_golang's Go collector (pkg/telemetry)",
	"process_cpu_seconds_total":                            "client_golang's process collector (pkg/telemetry); daprd registers it too",
	"process_resident_memory_bytes":                        "client_golang's process collector (pkg/telemetry)",
	"container_memory_working_set_bytes":                   "the kubelet (cAdvisor)",
	"kube_pod_container_status_restarts_total":             "kube-state-metrics",
	"kube_pod_init_container_status_restarts_total":        "kube-state-metrics",
	"kube_pod_container_resource_limits":                   "kube-state-metrics",
	"kube_deployment_spec_replicas":                        "kube-state-metrics",
	"kube_deployment_status_replicas_available":            "kube-state-metrics",
	"kube_job_status_failed":                               "kube-state-metrics",
	"certmanager_certificate_expiration_timestamp_seconds": "cert-manager",
	"redpanda_kafka_max_offset":                            "Redpanda, public_metrics",
	"redpanda_kafka_consumer_group_committed_offset":       "Redpanda, public_metrics",
}

// TestEveryMetricThatIsAskedForExists: ours in the code that registers it, Dapr's in the source of the Dapr we name, and all
// others in the list above. A renamed metric would make an alert silent for ever.
func TestEveryMetricThatIsAskedForExists(t *testing.T) {
	t.Parallel()
	out, errs, ok := tool(t, "rules", "-metrics", filepath.Join(chartDir(), "files"))
	if !ok {
		t.Fatal(errs)
	}
	all := inventory(t)
	dapr := sources(t, filepath.Join(moduleDir(t, "DAPR"), "pkg"))
	asked := strings.Fields(out)
	if len(asked) < 30 {
		t.Fatalf("only %d metrics are asked for", len(asked))
	}
	for _, name := range asked {
		if elsewhere[name] != "" {
			continue
		}
		if inside, isDapr := strings.CutPrefix(name, "dapr_"); isDapr {
			if !slices.ContainsFunc(spellings(inside), func(s string) bool { return strings.Contains(dapr, `"`+s+`"`) }) {
				t.Errorf("Dapr's source has no metric %s", name)
			}
			continue
		}
		if m := all[name]; m.name != "" && m.kind != "histogram" {
			continue
		}
		if m := all[histogram.ReplaceAllString(name, "")]; m.kind == "histogram" && m.name != name {
			continue
		}
		t.Errorf("nothing of ours makes %s", name)
	}
}

// spellings are what a name can have been before OpenCensus' exporter made slashes underscores.
func spellings(name string) []string {
	all := []string{""}
	for i, part := range strings.Split(name, "_") {
		var next []string
		for _, a := range all {
			if i == 0 {
				next = append(next, part)
				continue
			}
			next = append(next, a+"_"+part, a+"/"+part)
		}
		all = next
	}
	return all
}

// sources is all Go code below the directories, tests left out.
func sources(t *testing.T, dirs ...string) string {
	t.Helper()
	var b strings.Builder
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if e.IsDir() && (e.Name() == "node_modules" || e.Name() == ".next") {
				return filepath.SkipDir
			}
			if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			raw, err := os.ReadFile(path)
			b.Write(raw)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func alerts(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(chartDir(), "files", "alerts", "taskflow.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert string `yaml:"alert"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			names = append(names, r.Alert)
		}
	}
	return names
}

// TestEveryAlertHasItsPlaceInTheOperationsPage: runbook_url leads to a heading of the alert's name.
func TestEveryAlertHasItsPlaceInTheOperationsPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root(), "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	var headings []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (TaskFlow\w+)\s*$`).FindAllStringSubmatch(string(page), -1) {
		headings = append(headings, m[1])
	}
	for _, a := range alerts(t) {
		if !slices.Contains(headings, a) {
			t.Errorf("docs/operations.md has no heading %s", a)
		}
	}
	for _, h := range headings {
		if !slices.Contains(alerts(t), h) {
			t.Errorf("docs/operations.md has a heading %s, and there is no such alert", h)
		}
	}
}

// TestTheRenderedAlertsAreOfTheReleasesNamespace and lead to their place in the page.
func TestTheRenderedAlertsAreOfTheReleasesNamespace(t *testing.T) {
	t.Parallel()
	all := objects(t, render(t, "dev", "--set", "monitoring.prometheusRule.enabled=true", "--set", "monitoring.prometheusRule.without={TaskFlowChatFull}"))
	var names []string
	for _, g := range list(at(one(t, all, "PrometheusRule"), "spec", "groups")) {
		for _, r := range list(at(g, "rules")) {
			name, expr := text(at(r, "alert")), text(at(r, "expr"))
			names = append(names, name)
			if strings.Contains(expr, "NAMESPACE") || !strings.Contains(expr, `namespace="taskflow"`) && !strings.Contains(expr, `"dapr-system"`) && name != "TaskFlowConsumerLag" {
				t.Errorf("%s asks for %s", name, expr)
			}
			if url := text(at(r, "annotations", "runbook_url")); !strings.HasSuffix(url, "docs/operations.md#"+strings.ToLower(name)) {
				t.Errorf("%s leads to %s", name, url)
			}
		}
	}
	want := slices.DeleteFunc(alerts(t), func(n string) bool { return n == "TaskFlowChatFull" })
	if !slices.Equal(names, want) {
		t.Errorf("rendered are %v, want %v", names, want)
	}
}
