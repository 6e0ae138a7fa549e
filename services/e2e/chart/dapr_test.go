package chart

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/stack"
	"github.com/taskflow-suite/taskflow/proto"
)

// TestTheChartHasTheDaprFilesAsTheyAre: dapr/ is the one source; a chart can only hold copies.
func TestTheChartHasTheDaprFilesAsTheyAre(t *testing.T) {
	t.Parallel()
	copies := os.DirFS(filepath.Join(chartDir(), "files", "dapr"))
	originals := os.DirFS(filepath.Join(root(), "dapr"))
	var want []string
	for _, pattern := range []string{"components/*.yaml", "subscriptions/*.yaml", "resiliency/*.yaml", "configuration.yaml"} {
		found, err := fs.Glob(originals, pattern)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, found...)
	}
	var have []string
	err := fs.WalkDir(copies, ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			have = append(have, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(have, want) {
		t.Fatalf("the chart has %v, dapr/ has %v: run `make gen`", have, want)
	}
	for _, name := range want {
		a, err := fs.ReadFile(originals, name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := fs.ReadFile(copies, name)
		if err != nil {
			t.Fatal(err)
		}
		if string(a) != string(b) {
			t.Errorf("charts/taskflow/files/dapr/%s is not dapr/%s: run `make gen`", name, name)
		}
	}
}

// TestKEDALooksAtTheTopicsWhoseWorkIsShared, and at no other: what every replica sees is no lag that replicas would shorten.
func TestKEDALooksAtTheTopicsWhoseWorkIsShared(t *testing.T) {
	t.Parallel()
	want := map[string][]string{}
	for _, topic := range proto.Topics() {
		for _, app := range topic.Subscribers {
			want[app] = append(want[app], string(topic.Name))
		}
	}
	var args []string
	for _, app := range slices.Sorted(maps.Keys(want)) {
		args = append(args, "--set", "services."+app+".keda.enabled=true")
	}
	scaled := ofKind(objects(t, render(t, "dev", args...)), "ScaledObject")
	if len(scaled) != len(want) {
		t.Fatalf("%d apps are scaled, want %d", len(scaled), len(want))
	}
	for _, o := range scaled {
		var have []string
		for _, trigger := range list(at(o, "spec", "triggers")) {
			have = append(have, text(at(trigger, "metadata", "topic")))
			if group := text(at(trigger, "metadata", "consumerGroup")); group != o.name() {
				t.Errorf("%s is scaled by the group %s; its sidecar's is named as the app", o.name(), group)
			}
		}
		slices.Sort(have)
		wanted := slices.Sorted(slices.Values(want[o.name()]))
		if !slices.Equal(have, wanted) {
			t.Errorf("%s is scaled by %v, and shares %v (proto/topics.go)", o.name(), have, wanted)
		}
	}
}

// TestEveryAppOfTheRoutesIsAService: a route to what the chart does not know would lead nowhere.
func TestEveryAppOfTheRoutesIsAService(t *testing.T) {
	t.Parallel()
	services, _ := values(t, "values.yaml")["services"].(map[string]any)
	for _, r := range stack.Routes() {
		if _, there := services[r.App]; !there {
			t.Errorf("%s leads to %s, which values.yaml does not have", r.Path, r.App)
		}
	}
}
