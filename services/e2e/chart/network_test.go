package chart

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A neighbour is what is around the release in a cluster, so that the analyser says what it may do.
type neighbour struct{ namespace, name, labels string }

func neighbours() []neighbour {
	return []neighbour{
		{"ingress-nginx", "ingress-controller", "{app: ingress-nginx}"},
		{"monitoring", "prometheus", "{app: prometheus}"},
		{"keda", "keda-operator", "{app: keda}"},
		{"dapr-system", "dapr-control-plane", "{app: dapr}"},
		{"kube-system", "coredns", "{k8s-app: kube-dns}"},
		// Nobody of the release's business: it must be in no line but those that allow everybody.
		{"elsewhere", "stranger", "{app: stranger}"},
		// In the same namespace, but not of the release.
		{"taskflow", "intruder", "{app: taskflow, component: task-api}"},
	}
}

func (n neighbour) manifest() string {
	return fmt.Sprintf(`---
apiVersion: v1
kind: Namespace
metadata: {name: %[1]s, labels: {kubernetes.io/metadata.name: %[1]s}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  selector: {matchLabels: %[3]s}
  template:
    metadata: {labels: %[3]s}
    spec: {containers: [{name: it, image: it}]}
`, n.namespace, n.name, n.labels)
}

// A connection is a line of the analyser: "taskflow/web[Deployment] => taskflow/postgres[StatefulSet] : TCP 5432".
type connection struct{ from, to, ports string }

var (
	kindOf = regexp.MustCompile(`\[[A-Za-z]+\]$`)
	hash   = regexp.MustCompile(`^(migrate|migrate-web|topics)-[0-9a-f]{8}$`)
)

// peer is a pod's name without the release's namespace, the kind and a job's hash.
func peer(s string) string {
	s = kindOf.ReplaceAllString(strings.TrimPrefix(s, "taskflow/"), "")
	return hash.ReplaceAllString(s, "$1")
}

func connections(t *testing.T, manifests string) []connection {
	t.Helper()
	dir := t.TempDir()
	// Only the kinds it knows, so that it has nothing to complain of; and no Ingress, to which it would add a controller of its own.
	known := regexp.MustCompile(`(?m)^kind: (Deployment|StatefulSet|Job|Pod|NetworkPolicy)$`)
	var text string
	for doc := range strings.SplitSeq(manifests, "\n---\n") {
		if known.MatchString(doc) {
			text += "---\n" + doc + "\n"
		}
	}
	for _, n := range neighbours() {
		text += n.manifest()
	}
	if err := os.WriteFile(filepath.Join(dir, "all.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, ok := tool(t, "netpolicy", "list", "--quiet", "--dirpath", dir)
	if !ok || strings.TrimSpace(errs) != "" {
		t.Fatalf("the analyser does not understand the policies: %s", errs)
	}
	line := regexp.MustCompile(`^(\S+) => (\S+) : (.+)$`)
	var all []connection
	for l := range strings.Lines(out) {
		found := line.FindStringSubmatch(strings.TrimSpace(l))
		if found == nil {
			if strings.TrimSpace(l) != "" {
				t.Fatalf("the analyser says %q", l)
			}
			continue
		}
		c := connection{peer(found[1]), peer(found[2]), found[3]}
		// What the neighbours do among themselves and with the outside is theirs.
		if !c.ours() {
			continue
		}
		all = append(all, c)
	}
	if len(all) < 10 {
		t.Fatalf("the analyser found only %d connections: %s%s", len(all), out, errs)
	}
	return all
}

func (c connection) ours() bool {
	mine := func(s string) bool {
		return !strings.ContainsAny(s, "/0123456789") && s != "intruder"
	}
	return mine(c.from) || mine(c.to)
}

func (c connection) String() string { return c.from + " => " + c.to + " : " + c.ports }

// reason says why there is a connection; the empty text means that nobody knows.
func reason(c connection) string {
	service := slices.Contains([]string{"task-api", "chat-agent", "mcp-tools", "notifier", "scheduler"}, c.from)
	switch {
	case c.to == outside:
		return reasonOutside(c, service)
	case c.from == "ingress-nginx/ingress-controller" && c.ports == "TCP 8080":
		return "people come through the ingress controller"
	case c.from == "origin" && c.ports == "TCP 8080":
		return "it stands in front of the doors, where there is no ingress controller"
	case c.from == "monitoring/prometheus" && c.ports == "TCP 8080,9090":
		return "Prometheus reads the service's metrics (8080) and its sidecar's (9090)"
	case c.from == "monitoring/prometheus" && c.to == "lag" && c.ports == "TCP 8080":
		return "Prometheus reads how far the consumers are behind"
	case c.to == "kube-system/coredns" && c.ports == "TCP 53,UDP 53":
		return "names"
	case service && c.to == "dapr-system/dapr-control-plane" && c.ports == "TCP 6500,50001":
		return "the sidecar gets its configuration (6500) and its certificate (50001)"
	case c.from == "chat-agent" && c.to == "postgres" && c.ports == "TCP 5432":
		return "the sidecar's state store"
	case c.to == "postgres" && c.ports == "TCP 5432":
		return "its tables"
	case c.to == "redpanda" && c.ports == "TCP 9092" && service:
		return "its sidecar takes and publishes events; ahead of that, the pod waits for topics"
	case c.from == "topics" && c.to == "redpanda" && c.ports == "TCP 9092":
		return "makes topics"
	case c.from == "lag" && c.to == "redpanda" && c.ports == "TCP 9092":
		return "asks how far the consumers are behind"
	case c.from == "chat-agent" && c.to == "offline-model" && c.ports == "TCP 8080":
		return "the language model"
	case service && c.from != "scheduler" && c.to == "web" && c.ports == "TCP 8080":
		return "the page's public keys (auth.mode=jwks)"
	case c.from == "check" && c.ports == "TCP 8080":
		return "helm test is a person"
	}
	return ""
}

const outside = "0.0.0.0-255.255.255.255"

// reasonOutside gives the reason of each port: addresses outside of the cluster are not known to the chart, ports are.
func reasonOutside(c connection, service bool) string {
	why := map[string]string{}
	switch {
	case service:
		why = map[string]string{"443": "the cluster's API, for Secrets", "6443": "the same", "5432": "its tables", "9092": "events"}
		if c.from == "chat-agent" {
			why["443"] = "the cluster's API, for Secrets, and the language model"
			why["5432"] = "the sidecar's state store"
		}
	case c.from == "web", c.from == "migrate", c.from == "migrate-web":
		why = map[string]string{"5432": "its tables"}
	case c.from == "topics":
		why = map[string]string{"9092": "makes topics"}
	case c.from == "lag":
		why = map[string]string{"9092": "asks how far the consumers are behind"}
	}
	var all []string
	for port := range strings.SplitSeq(strings.TrimPrefix(c.ports, "TCP "), ",") {
		if why[port] == "" {
			return ""
		}
		all = append(all, port+": "+why[port])
	}
	return strings.Join(all, "; ")
}

// TestNetworkConnectionsAreTheListedOnes: testdata has all that may talk to whom, each with its reason.
func TestNetworkConnectionsAreTheListedOnes(t *testing.T) {
	t.Parallel()
	for _, environment := range []string{"dev", "prod"} {
		t.Run(environment, func(t *testing.T) {
			t.Parallel()
			var lines []string
			for _, c := range connections(t, render(t, environment)) {
				why := reason(c)
				if why == "" {
					t.Errorf("nobody knows why there is %s", c)
				}
				lines = append(lines, fmt.Sprintf("%s  # %s", c, why))
			}
			slices.Sort(lines)
			golden(t, "network-"+environment+".txt", strings.Join(lines, "\n")+"\n")
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what it should be (.ci/chart gen writes it anew):\n%s", file, difference(string(want), got))
	}
}

// difference lists the lines of one text that are not in the other.
func difference(want, got string) string {
	var out []string
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for _, l := range w {
		if !slices.Contains(g, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range g {
		if !slices.Contains(w, l) {
			out = append(out, "+ "+l)
		}
	}
	return strings.Join(out, "\n")
}

// TestNetworkKeepsItsPromises says what the lists mean, for every environment and with everything turned on.
func TestNetworkKeepsItsPromises(t *testing.T) {
	t.Parallel()
	settings := map[string][]string{"dev": nil, "prod": nil, "civo": nil, "dev with everything": everything()}
	for name, args := range settings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environment, _, _ := strings.Cut(name, " ")
			all := connections(t, render(t, environment, args...))
			services := []string{"task-api", "chat-agent", "mcp-tools", "notifier", "scheduler"}
			broker := map[string]string{"dev": "TCP 9092", "prod": "9092", "civo": "9092"}[environment]
			for _, c := range all {
				if c.from == "elsewhere/stranger" || c.from == "intruder" || c.to == "elsewhere/stranger" && c.ports != "TCP 4317" {
					t.Errorf("a stranger takes part: %s", c)
				}
				if strings.HasPrefix(c.from, "0.0.0.0") {
					t.Errorf("anybody may come in: %s", c)
				}
				if slices.Contains(services, c.from) && slices.Contains(services, c.to) {
					t.Errorf("a service talks to another: %s", c)
				}
				if c.from == "web" && (c.to == "redpanda" || strings.HasSuffix(c.ports, broker)) {
					t.Errorf("the page reaches the broker: %s", c)
				}
				if slices.Contains(append(services, "web"), c.to) && c.from != "monitoring/prometheus" && c.ports != "TCP 8080" {
					t.Errorf("a sidecar's ports (3500, 3501, 50001, 50002, 9090) or the callback (6001) can be reached: %s", c)
				}
				if c.from == "monitoring/prometheus" && c.ports != "TCP 8080,9090" && (c.to != "lag" || c.ports != "TCP 8080") {
					t.Errorf("Prometheus reaches more than metrics: %s", c)
				}
				if (c.from == "postgres" || c.from == "redpanda" || c.from == "offline-model") && c.to != "" {
					t.Errorf("a server talks by itself: %s", c)
				}
				if (c.from == "lag" && c.to != "redpanda" && c.to != outside && c.to != "kube-system/coredns") || (c.to == "lag" && c.from != "monitoring/prometheus") {
					t.Errorf("lag only asks the broker, and only Prometheus asks it: %s", c)
				}
				if c.to == "scheduler" && c.from != "monitoring/prometheus" {
					t.Errorf("the scheduler has no door, yet %s", c)
				}
				if c.to == "postgres" && (c.from == "topics" || c.from == "offline-model" || c.from == "check") {
					t.Errorf("the database is reached by who has nothing to do there: %s", c)
				}
			}
		})
	}
}

// TestEveryPodHasANetworkPolicyOfItsOwn, so that none is only denied everything by accident, nor forgotten.
func TestEveryPodHasANetworkPolicyOfItsOwn(t *testing.T) {
	t.Parallel()
	all := objects(t, render(t, "dev"))
	policies := map[string]bool{}
	for _, p := range ofKind(all, "NetworkPolicy") {
		labels, _ := at(p, "spec", "podSelector", "matchLabels").(map[string]any)
		policies[text(labels["app.kubernetes.io/component"])] = true
		if types := list(at(p, "spec", "policyTypes")); len(types) != 2 {
			t.Errorf("the policy %s is for %v only", p.name(), types)
		}
	}
	looked := 0
	for _, o := range all {
		pod := at(o, "spec", "template")
		if o.kind() == "Pod" {
			pod = map[string]any(o)
		}
		labels, _ := at(pod, "metadata", "labels").(map[string]any)
		if pod == nil || labels == nil {
			continue
		}
		looked++
		if !policies[text(labels["app.kubernetes.io/component"])] {
			t.Errorf("%s %s has no policy", o.kind(), o.name())
		}
	}
	if looked < 12 {
		t.Errorf("only %d kinds of pods were looked at", looked)
	}
}
