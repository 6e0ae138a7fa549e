package chart

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// moduleDir is where .ci/chart has put the source of a module: "KUBERNETES", "DAPR", ….
func moduleDir(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("SCHEMAS_" + name)
	if dir == "" {
		t.Fatalf("SCHEMAS_%s does not name a directory: run these tests with `make chart`", name)
	}
	return dir
}

// definitions are where the schemas of other people's kinds come from: files of their modules with CustomResourceDefinitions.
func definitions() map[string][]string {
	return map[string][]string{
		"DAPR":                {"charts/dapr/crds/*.yaml"},
		"GATEWAY_API":         {"config/crd/standard/*_httproutes.yaml"},
		"KEDA":                {"config/crd/bases/*.yaml"},
		"PROMETHEUS_OPERATOR": {"example/prometheus-operator-crd/*.yaml"},
		"TRAEFIK":             {"docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml"},
		"CERT_MANAGER":        {"deploy/crds/crd-certificates.yaml"},
	}
}

// A schemaID is how kubeconform names a schema: kind, first part of the group, version; all in lower case.
func schemaID(apiVersion, kind string) string {
	group, version, found := strings.Cut(apiVersion, "/")
	if !found {
		return strings.ToLower(kind + "-" + apiVersion)
	}
	group, _, _ = strings.Cut(group, ".")
	return strings.ToLower(kind + "-" + group + "-" + version)
}

// writeSchemas writes a strict schema of each wanted kind into dir, from the API of the Kubernetes and the CRDs that .ci/chart names.
func writeSchemas(t *testing.T, dir string, wanted map[string]bool) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(moduleDir(t, "KUBERNETES"), "api", "openapi-spec", "swagger.json"))
	if err != nil {
		t.Fatal(err)
	}
	var api struct {
		Definitions map[string]map[string]any `json:"definitions"`
	}
	if err := json.Unmarshal(raw, &api); err != nil {
		t.Fatal(err)
	}
	for name, definition := range api.Definitions {
		for _, gvk := range list(definition["x-kubernetes-group-version-kind"]) {
			version := text(at(gvk, "version"))
			if group := text(at(gvk, "group")); group != "" {
				version = group + "/" + version
			}
			id := schemaID(version, text(at(gvk, "kind")))
			if !wanted[id] {
				continue
			}
			used := map[string]any{}
			closure(api.Definitions, name, used)
			write(t, filepath.Join(dir, id+".json"), map[string]any{"$ref": "#/definitions/" + name, "definitions": used})
		}
	}
	for module, patterns := range definitions() {
		for _, pattern := range patterns {
			files, _ := filepath.Glob(filepath.Join(moduleDir(t, module), filepath.FromSlash(pattern)))
			if len(files) == 0 {
				t.Fatalf("%s of %s has no files", pattern, module)
			}
			for _, file := range files {
				customSchemas(t, file, dir, wanted)
			}
		}
	}
}

func customSchemas(t *testing.T, file, dir string, wanted map[string]bool) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	decoder := yaml.NewDecoder(f)
	for {
		var crd map[string]any
		if err := decoder.Decode(&crd); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, v := range list(at(crd, "spec", "versions")) {
			id := schemaID(text(at(crd, "spec", "group"))+"/"+text(at(v, "name")), text(at(crd, "spec", "names", "kind")))
			if wanted[id] {
				write(t, filepath.Join(dir, id+".json"), strict(at(v, "schema", "openAPIV3Schema")))
			}
		}
	}
}

// closure collects a definition and all that it refers to.
func closure(all map[string]map[string]any, name string, used map[string]any) {
	if used[name] != nil {
		return
	}
	switch name {
	case "io.k8s.apimachinery.pkg.util.intstr.IntOrString", "io.k8s.apimachinery.pkg.api.resource.Quantity":
		used[name] = map[string]any{"type": []any{"string", "number"}}
		return
	}
	used[name] = strict(any(all[name]))
	for ref := range references(all[name]) {
		closure(all, ref, used)
	}
}

func references(node any) map[string]bool {
	refs := map[string]bool{}
	switch n := node.(type) {
	case map[string]any:
		if name, ok := strings.CutPrefix(text(n["$ref"]), "#/definitions/"); ok {
			refs[name] = true
		}
		for _, v := range n {
			maps.Copy(refs, references(v))
		}
	case []any:
		for _, v := range n {
			maps.Copy(refs, references(v))
		}
	}
	return refs
}

// strict closes every object whose properties are known, and puts what OpenAPI says otherwise than JSON Schema in its words.
func strict(node any) any {
	switch n := node.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, v := range n {
			out[k] = strict(v)
		}
		if p, ok := n["properties"].(map[string]any); ok && len(p) > 0 && n["additionalProperties"] == nil && n["x-kubernetes-preserve-unknown-fields"] == nil {
			out["additionalProperties"] = false
		}
		if n["x-kubernetes-int-or-string"] == true {
			delete(out, "anyOf")
			out["type"] = []any{"string", "number"}
		}
		for _, side := range []string{"exclusiveMinimum", "exclusiveMaximum"} {
			if _, is := n[side].(bool); is {
				delete(out, side)
			}
		}
		return out
	case []any:
		out := make([]any, len(n))
		for i, v := range n {
			out[i] = strict(v)
		}
		return out
	}
	return node
}

func write(t *testing.T, file string, v any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func settings() map[string][]string {
	return map[string][]string{
		"dev": nil, "prod": nil, "civo": nil, "dev with everything": everything(),
		"dev with Traefik": {"--set", "ingress.enabled=true", "--set", "ingress.controller=traefik"},
	}
}

// TestEveryManifestIsWhatItsKindAllows, without a field that the API or a CRD does not know.
func TestEveryManifestIsWhatItsKindAllows(t *testing.T) {
	t.Parallel()
	manifests, wanted := "", map[string]bool{}
	for name, args := range settings() {
		environment, _, _ := strings.Cut(name, " ")
		one := render(t, environment, args...)
		manifests += one + "\n---\n"
		for _, o := range objects(t, one) {
			wanted[schemaID(text(o["apiVersion"]), o.kind())] = true
		}
	}
	dir := t.TempDir()
	writeSchemas(t, dir, wanted)
	for id := range wanted {
		if _, err := os.Stat(filepath.Join(dir, id+".json")); errors.Is(err, fs.ErrNotExist) {
			t.Errorf("there is no schema of %s", id)
		}
	}
	file := filepath.Join(t.TempDir(), "all.yaml")
	if err := os.WriteFile(file, []byte(manifests), 0o600); err != nil {
		t.Fatal(err)
	}
	location := filepath.Join(dir, "{{ .ResourceKind }}{{ .KindSuffix }}.json")
	out, errs, ok := tool(t, "kubeconform", "-strict", "-summary", "-schema-location", location, file)
	if !ok {
		t.Errorf("kubeconform: %s%s", out, errs)
	}
	if m := regexp.MustCompile(`Valid: (\d+)`).FindStringSubmatch(out); m == nil || len(m[1]) < 3 {
		t.Errorf("kubeconform looked at too little: %s", out)
	}
	// That it can say no.
	bad := strings.Replace(manifests, "automountServiceAccountToken: false", "automountServiceAcountToken: false", 1)
	if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := tool(t, "kubeconform", "-strict", "-schema-location", location, file); ok {
		t.Error("kubeconform takes a mistyped field")
	}
}

// TestTheRenderedManifestsHoldNoSecret: people commit and paste such files.
func TestTheRenderedManifestsHoldNoSecret(t *testing.T) {
	t.Parallel()
	for _, environment := range []string{"dev", "prod", "civo"} {
		raw, err := os.ReadFile(filepath.Join(root(), "charts", "rendered", environment+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		all := objects(t, string(raw))
		if len(all) < 20 {
			t.Fatalf("charts/rendered/%s.yaml has %d objects", environment, len(all))
		}
		plain := []string{"redpanda:9092", "none", "true", "false", "", "demo@example.com"}
		for _, s := range ofKind(all, "Secret") {
			if environment != "dev" {
				t.Errorf("charts/rendered/%s.yaml brings the Secret %s, which is made by hand", environment, s.name())
			}
			if s["data"] != nil {
				t.Errorf("the Secret %s has values that cannot be read", s.name())
			}
			data, _ := s["stringData"].(map[string]any)
			if len(data) == 0 {
				t.Errorf("the Secret %s is empty", s.name())
			}
			for key, v := range data {
				if !strings.Contains(text(v), "REPLACE_") && !slices.Contains(plain, text(v)) {
					t.Errorf("the Secret %s has a value of %s that may work", s.name(), key)
				}
			}
		}
	}
}
