package chart

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func schema(t *testing.T) (*jsonschema.Schema, map[string]any) {
	t.Helper()
	file, err := os.Open(filepath.Join(chartDir(), "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	raw, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("values.schema.json", raw); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("values.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled, raw.(map[string]any)
}

// clone copies values as JSON has them.
func clone(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// isOpen says whether a map's keys are the user's own to choose.
func isOpen(path string) bool {
	for _, end := range []string{
		".env", ".annotations", ".labels", ".podLabels", ".podAnnotations", ".nodeSelector", ".affinity", "matchLabels", "namespaceSelector",
		"podSelector", "labels",
	} {
		if strings.HasSuffix(path, end) {
			return true
		}
	}
	return false
}

// everyMap calls fn with every map of the values and where it is.
func everyMap(node any, path string, fn func(path string, m map[string]any)) {
	switch n := node.(type) {
	case map[string]any:
		fn(path, n)
		for _, key := range slices.Sorted(maps.Keys(n)) {
			everyMap(n[key], path+"."+key, fn)
		}
	case []any:
		for i, e := range n {
			everyMap(e, fmt.Sprintf("%s.%d", path, i), fn)
		}
	}
}

// TestTheSchemaTakesTheValuesFiles: the defaults alone lack only what is asked for elsewhere, with a sentence.
func TestTheSchemaTakesTheValuesFiles(t *testing.T) {
	t.Parallel()
	compiled, _ := schema(t)
	for _, file := range []string{"values.yaml", "values-dev.yaml", "values-prod.yaml", "values-civo.yaml"} {
		if err := compiled.Validate(clone(t, values(t, file))); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestAMistypedKeyIsRefusedWhereverItIs puts one into every map of the values that is not the user's own.
func TestAMistypedKeyIsRefusedWhereverItIs(t *testing.T) {
	t.Parallel()
	compiled, _ := schema(t)
	for _, file := range []string{"values.yaml", "values-dev.yaml", "values-prod.yaml", "values-civo.yaml"} {
		tried := 0
		original := clone(t, values(t, file))
		everyMap(original, "", func(path string, m map[string]any) {
			if isOpen(path) {
				return
			}
			tried++
			m["replcias"] = "x"
			if compiled.Validate(original) == nil {
				t.Errorf("%s: a mistyped key below %q is taken", file, strings.TrimPrefix(path, "."))
			}
			delete(m, "replcias")
		})
		if tried < 5 {
			t.Errorf("%s: only %d places were tried", file, tried)
		}
	}
}

// TestEveryServiceTakesWhatTheDefaultsHave, so that a key can be set for one service.
func TestEveryServiceTakesWhatTheDefaultsHave(t *testing.T) {
	t.Parallel()
	compiled, _ := schema(t)
	v := values(t, "values.yaml")
	for name := range v["services"].(map[string]any) {
		one := map[string]any{"services": map[string]any{name: v["defaults"]}}
		if err := compiled.Validate(clone(t, one)); err != nil {
			t.Errorf("services.%s: %v", name, err)
		}
	}
}

// TestSchemaAndValuesHaveTheSameKeys: what the schema allows is in values.yaml with its meaning.
func TestSchemaAndValuesHaveTheSameKeys(t *testing.T) {
	t.Parallel()
	_, raw := schema(t)
	var walk func(node map[string]any, values any, path string)
	walk = func(node map[string]any, values any, path string) {
		if ref := text(node["$ref"]); ref != "" {
			node = raw["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		}
		properties, _ := node["properties"].(map[string]any)
		have, isMap := values.(map[string]any)
		for key, p := range properties {
			below := strings.TrimPrefix(path+"."+key, ".")
			if known := slices.Contains(unlisted, below) || strings.HasPrefix(path, ".services.") || optional(below); known {
				continue
			}
			value, there := have[key]
			if !isMap || !there {
				t.Errorf("the schema has %s, values.yaml has not", below)
				continue
			}
			walk(p.(map[string]any), value, path+"."+key)
		}
	}
	walk(raw, values(t, "values.yaml"), "")
}

// unlisted are keys that are not in values.yaml on purpose.
var unlisted = []string{"global"}

// optional are keys of Kubernetes' own, of which values.yaml has those that are set.
func optional(key string) bool {
	return strings.Contains(key, "resources.") || strings.Contains(key, "probes.") || strings.Contains(key, ".requests") || strings.Contains(key, ".limits")
}

// TestTheREADMESaysWhatEveryValueIs: helm-docs makes its table of the comments in values.yaml that begin with "# --".
func TestTheREADMESaysWhatEveryValueIs(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(chartDir(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for key := range values(t, "values.yaml") {
		if !strings.Contains(string(readme), "| "+key) {
			t.Errorf("the README says nothing of %s", key)
		}
	}
	for line := range strings.Lines(string(readme)) {
		if key, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " "); strings.HasSuffix(line, "|  |\n") {
			t.Errorf("%s has no meaning: put a comment with # -- above it in values.yaml", key)
		}
	}
}
