//go:build cluster

package cluster_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestTheSameUpgradeAgainChangesNothing(t *testing.T) {
	r := installed(t)
	before := r.fingerprint(t)
	if _, err := r.helm(t.Context(), r.upgrade(os.Getenv("TAG"))...); err != nil {
		t.Fatal(err)
	}
	after := r.fingerprint(t)
	for _, what := range slices.Sorted(maps.Keys(after)) {
		if before[what] != after[what] {
			t.Errorf("%s was %q and is %q", what, before[what], after[what])
		}
	}
	if len(before) != len(after) {
		t.Errorf("there were %d objects and are %d", len(before), len(after))
	}
	t.Logf("%d objects are what they were", len(after))
}

// fingerprint is what an upgrade that changes nothing must leave alone: which pods there are, the specs of workloads
// (their generation) and all of what has no status.
func (r *release) fingerprint(t testing.TB) map[string]string {
	t.Helper()
	type object struct {
		Kind     string
		Metadata struct {
			Name, UID, ResourceVersion, DeletionTimestamp string
			Generation                                    int
			Labels                                        map[string]string
		}
	}
	is := map[string]string{}
	for _, o := range get[struct{ Items []object }](t, r, "pods,deployments,statefulsets,jobs,services,secrets,configmaps,serviceaccounts,roles,rolebindings,components.dapr.io,configurations.dapr.io,resiliencies.dapr.io").Items {
		version := o.Metadata.UID
		switch o.Kind {
		case "Deployment", "StatefulSet":
			version = fmt.Sprint("generation ", o.Metadata.Generation)
		case "Pod":
			if o.Metadata.Labels["app.kubernetes.io/name"] != "taskflow" {
				continue // helm's test
			}
		case "Job":
		default:
			version = o.Metadata.ResourceVersion
		}
		if strings.HasPrefix(o.Metadata.Name, "sh.helm.release.") || o.Metadata.DeletionTimestamp != "" {
			continue
		}
		is[o.Kind+" "+o.Metadata.Name] = version
	}
	return is
}

func TestUpgradeAndRollbackLoseNothing(t *testing.T) {
	next := os.Getenv("NEXT_TAG")
	if next == "" {
		t.Fatal("NEXT_TAG is not set: it names images with one more migration, to which the release is upgraded")
	}
	r := installed(t)
	t.Cleanup(func() { r.back(t) })
	was := r.migrations(t)
	images := r.images(t)
	revision := r.revision(t)

	u := r.use(t)
	began := time.Now()
	if _, err := r.helm(t.Context(), r.upgrade(next, "--set", "logLevel=warn", "--set", "services.chat-agent.env.CHAT_RATE=900")...); err != nil {
		t.Fatal(err)
	}
	t.Logf("upgraded within %s", time.Since(began).Round(time.Second))
	for workload, image := range r.images(t) {
		if !strings.HasSuffix(image, ":"+next) {
			t.Errorf("%s runs %s", workload, image)
		}
	}
	for service, want := range map[string][2]string{"task-api": {"LOG_LEVEL", "warn"}, "chat-agent": {"CHAT_RATE", "900"}} {
		if got := get[struct{ Data map[string]string }](t, r, "configmap", service).Data[want[0]]; got != want[1] {
			t.Errorf("%s of %s is %q", want[0], service, got)
		}
	}
	if now := r.migrations(t); now <= was {
		t.Errorf("the database is at migration %d and was at %d: NEXT_TAG brings none", now, was)
	}
	pause(10 * time.Second)

	began = time.Now()
	if _, err := r.helm(t.Context(), "rollback", name, revision, "--wait", "--timeout", "10m"); err != nil {
		t.Fatal(err)
	}
	t.Logf("rolled back within %s", time.Since(began).Round(time.Second))
	if now := r.images(t); !maps.Equal(now, images) {
		t.Errorf("after the rollback the workloads run %v", now)
	}
	pause(10 * time.Second)
	u.check(t)
}

// images are those of the workloads' own containers.
func (r *release) images(t testing.TB) map[string]string {
	t.Helper()
	is := map[string]string{}
	for _, w := range all {
		for _, p := range r.pods(t, w) {
			for _, c := range p.Spec.Containers {
				if c.Name == w {
					is[w] = c.Image
				}
			}
		}
	}
	return is
}

// migrations is the number of the database's newest migration.
func (r *release) migrations(t testing.TB) (newest int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), r.database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if err := conn.QueryRow(t.Context(), "SELECT max(version_id) FROM goose_db_version").Scan(&newest); err != nil {
		t.Fatal(err)
	}
	return newest
}

// revision is the number of the release's newest revision.
func (r *release) revision(t testing.TB) string {
	t.Helper()
	status := decode[struct{ Version int }](t, r, "status", name, "-o", "json")
	return fmt.Sprint(status.Version)
}

// back brings the release to what it was installed as.
func (r *release) back(t testing.TB) {
	t.Helper()
	if _, err := r.helm(context.WithoutCancel(t.Context()), r.upgrade(os.Getenv("TAG"))...); err != nil {
		t.Error(err)
	}
}

func TestReplicasComeAndGo(t *testing.T) {
	r := installed(t)
	u := r.use(t)
	scaled := []string{"notifier", "mcp-tools"}
	t.Cleanup(func() {
		for _, w := range scaled {
			r.kubectl(t, "scale", "deployment/"+w, "--replicas=1")
		}
		r.ready(t)
	})
	for _, replicas := range []int{3, 1} {
		for _, w := range scaled {
			r.kubectl(t, "scale", "deployment/"+w, fmt.Sprintf("--replicas=%d", replicas))
		}
		r.ready(t)
		for _, p := range u.people {
			p.Windows[0].Drop() // it comes back at any of the replicas
		}
		pause(20 * time.Second)
	}
	u.check(t)
}
