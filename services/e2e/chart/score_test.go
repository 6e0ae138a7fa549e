package chart

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A finding is kube-score's: a check, and what it is about ("Deployment web", or all of a kind, or everything).
type finding struct{ check, about string }

// accepted are the findings that stay, each with its reason. One that kube-score no longer has is a mistake too.
var accepted = map[finding]string{
	{"container-image-pull-policy", "*"}:                                          "images have a version and never change; Always would make every start depend on the registry",
	{"deployment-replicas", "*"}:                                                  "values-dev.yaml and values-civo.yaml have one replica each and say so",
	{"deployment-has-host-podantiaffinity", "*"}:                                  "replicas are spread by topologySpreadConstraints",
	{"container-security-context-user-group-id", "StatefulSet postgres"}:          "the user of the official image, whose data directory is that user's",
	{"container-security-context-user-group-id", "StatefulSet redpanda"}:          "the user of Redpanda's image",
	{"container-security-context-readonlyrootfilesystem", "StatefulSet redpanda"}: "Redpanda writes its configuration into /etc/redpanda",
	{"pod-probes-identical", "Deployment origin"}:                                 "it is ready when it listens; the services behind it say for themselves whether they are",
	{"statefulset-has-servicename", "StatefulSet postgres"}:                       "one pod, which nobody calls by a name of its own",
	{"statefulset-has-servicename", "StatefulSet redpanda"}:                       "the same",
}

// TestKubeScoreFindsNothingNew on what the values files render.
func TestKubeScoreFindsNothingNew(t *testing.T) {
	t.Parallel()
	seen := map[finding]bool{}
	for _, environment := range []string{"dev", "prod", "civo"} {
		file := filepath.Join(t.TempDir(), "all.yaml")
		if err := os.WriteFile(file, []byte(render(t, environment)), 0o600); err != nil {
			t.Fatal(err)
		}
		out, errs, _ := tool(t, "kube-score", "score", "--output-format", "json", file)
		var scored []struct {
			TypeMeta   struct{ Kind string } `json:"type_meta"`
			ObjectMeta struct{ Name string } `json:"object_meta"`
			Checks     []struct {
				Check struct {
					ID string `json:"id"`
				} `json:"check"`
				Grade    int                              `json:"grade"`
				Skipped  bool                             `json:"skipped"`
				Comments []struct{ Path, Summary string } `json:"comments"`
			} `json:"checks"`
		}
		if err := json.Unmarshal([]byte(out), &scored); err != nil || len(scored) < 20 {
			t.Fatalf("kube-score of %s: %d objects, %v: %s", environment, len(scored), err, errs)
		}
		for _, o := range scored {
			for _, c := range o.Checks {
				if c.Skipped || c.Grade >= 7 { // 1 is critical, 5 a warning, 7 almost and 10 all right
					continue
				}
				exact, all := finding{c.Check.ID, o.TypeMeta.Kind + " " + o.ObjectMeta.Name}, finding{c.Check.ID, "*"}
				switch {
				case accepted[exact] != "":
					seen[exact] = true
				case accepted[all] != "":
					seen[all] = true
				default:
					t.Errorf("%s: %s %s: %s: %v", environment, o.TypeMeta.Kind, o.ObjectMeta.Name, c.Check.ID, c.Comments)
				}
			}
		}
	}
	var unseen []string
	for f := range accepted {
		if !seen[f] {
			unseen = append(unseen, f.check+" of "+f.about)
		}
	}
	slices.Sort(unseen)
	if len(unseen) > 0 {
		t.Errorf("accepted, and no longer found: %s", strings.Join(unseen, ", "))
	}
}
