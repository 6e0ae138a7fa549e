//go:build cluster

package cluster_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/storm"
)

// A drain is a cordon and an eviction of each pod, tried again while it is refused. With one node there would be nowhere
// to go, so the test does what `kubectl drain` does, step by step.
func TestADrainWaitsForTheReplacement(t *testing.T) {
	const workload = "task-api"
	r := installed(t)
	t.Cleanup(func() { r.back(t) })
	if _, err := r.helm(t.Context(), r.upgrade(setting("TAG", ""), "--set", "services."+workload+".replicas=2", "--set", "services."+workload+".pdb.enabled=true")...); err != nil {
		t.Fatal(err)
	}
	pods := r.pods(t, workload)
	if len(pods) != 2 {
		t.Fatalf("there are %d pods of %s, want 2", len(pods), workload)
	}
	first, second := pods[0].Metadata.Name, pods[1].Metadata.Name
	r.cordon(t)
	if err := r.evict(t, first); err != nil {
		t.Fatalf("the first of two should go: %v", err)
	}
	for range 5 { // as drain tries again and again
		if err := r.evict(t, second); err == nil || !strings.Contains(err.Error(), "TooManyRequests") {
			t.Fatalf("the second should be refused while the first has no replacement: %v", err)
		}
		pause(time.Second)
	}
	r.uncordon(t)
	began := time.Now()
	storm.Eventually(t, 3*time.Minute, func() error { return r.evict(t, second) })
	t.Logf("the second could go %s after there was room for the first again", time.Since(began).Round(time.Second))
	r.ready(t)
}

// evict asks for a pod's place, as drain does.
func (r *release) evict(t testing.TB, pod string) error {
	t.Helper()
	eviction := fmt.Sprintf(`{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": %q, "namespace": %q}}`, pod, r.namespace)
	_, err := r.tryKubectl(t, eviction, "create", "--raw", fmt.Sprintf("/api/v1/namespaces/%s/pods/%s/eviction", r.namespace, pod), "-f", "-")
	return err
}

// cordon closes all nodes that are open, until uncordon or the end of the test.
func (r *release) cordon(t testing.TB) {
	t.Helper()
	type node struct {
		Metadata struct{ Name string }
		Spec     struct{ Unschedulable bool }
	}
	for _, n := range get[struct{ Items []node }](t, r, "nodes").Items {
		if !n.Spec.Unschedulable {
			t.Cleanup(func() { r.kubectl(t, "uncordon", n.Metadata.Name) })
			r.cordoned = append(r.cordoned, n.Metadata.Name)
			r.kubectl(t, "cordon", n.Metadata.Name)
		}
	}
}

func (r *release) uncordon(t testing.TB) {
	t.Helper()
	for _, n := range r.cordoned {
		r.kubectl(t, "uncordon", n)
	}
	r.cordoned = nil
}
