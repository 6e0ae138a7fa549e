package chart

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// metric is one of ours, as the code makes it.
type metric struct {
	name, kind, help string
	labels           []string
	// from is the package that makes it, by its directory in the project.
	from string
}

const ours = "taskflow_"

// inventory finds the metrics in the code below pkg and services: every literal name that begins with taskflow_ and has its help
// beside it, be it in the options of a metric, in a description or in the call of a helper. A name that is put together of parts would
// be seen by nobody, so namespaces are not used.
func inventory(t *testing.T) map[string]metric {
	t.Helper()
	found := map[string]metric{}
	for path, file := range code(t, "pkg", "services") {
		from := filepath.ToSlash(filepath.Dir(path))
		ast.Inspect(file, func(n ast.Node) bool {
			var m metric
			switch n := n.(type) {
			case *ast.CallExpr:
				m = made(t, path, n)
			case *ast.KeyValueExpr:
				if key, is := n.Key.(*ast.Ident); is && (key.Name == "Namespace" || key.Name == "Subsystem") && strings.HasPrefix(literal(n.Value), "taskflow") {
					t.Errorf("%s: a metric's name is put together with a %s: write it whole", path, key.Name)
				}
			}
			if m.name == "" {
				return true
			}
			m.from = from
			if other, twice := found[m.name]; twice && other.from != m.from {
				t.Errorf("%s is made in %s and in %s", m.name, other.from, m.from)
			}
			found[m.name] = m
			return true
		})
	}
	return found
}

// made is the metric that a call makes; without a name if it makes none.
func made(t *testing.T, path string, call *ast.CallExpr) metric {
	t.Helper()
	if len(call.Args) == 0 {
		return metric{}
	}
	if options, is := call.Args[0].(*ast.CompositeLit); is {
		kind, is := strings.CutSuffix(typeName(options.Type), "Opts")
		name, help := field(options, "Name"), field(options, "Help")
		if !is || name == "" {
			return metric{}
		}
		return metric{name: own(t, path, name), kind: strings.ToLower(kind), help: help, labels: append(constant(options), labels(call)...)}
	}
	if len(call.Args) < 2 {
		return metric{}
	}
	name, help := literal(call.Args[0]), literal(call.Args[1])
	if !strings.HasPrefix(name, ours) || help == "" {
		return metric{}
	}
	kind := "gauge"
	if strings.HasSuffix(name, "_total") {
		kind = "counter"
	}
	return metric{name: name, kind: kind, help: help, labels: labels(call)}
}

func own(t *testing.T, path, name string) string {
	t.Helper()
	if !strings.HasPrefix(name, ours) {
		t.Errorf("%s: the metric %s does not begin with %s", path, name, ours)
	}
	return name
}

// labels are the texts of the []string among a call's arguments.
func labels(call *ast.CallExpr) []string {
	var all []string
	for _, arg := range call.Args[1:] {
		list, is := arg.(*ast.CompositeLit)
		if !is {
			continue
		}
		if of, is := list.Type.(*ast.ArrayType); is && typeName(of.Elt) == "string" {
			for _, e := range list.Elts {
				all = append(all, literal(e))
			}
		}
	}
	return all
}

// constant are the names of the labels that are the same for all of a process.
func constant(options *ast.CompositeLit) []string {
	var all []string
	for _, e := range options.Elts {
		kv, is := e.(*ast.KeyValueExpr)
		if !is || typeName(kv.Key) != "ConstLabels" {
			continue
		}
		if values, is := kv.Value.(*ast.CompositeLit); is {
			for _, v := range values.Elts {
				if label, is := v.(*ast.KeyValueExpr); is {
					all = append(all, literal(label.Key))
				}
			}
		}
	}
	return all
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

func field(of *ast.CompositeLit, name string) string {
	for _, e := range of.Elts {
		if kv, is := e.(*ast.KeyValueExpr); is && typeName(kv.Key) == name {
			return literal(kv.Value)
		}
	}
	return ""
}

func literal(e ast.Expr) string {
	lit, is := e.(*ast.BasicLit)
	if !is || lit.Kind != token.STRING {
		return ""
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return text
}

// code is every Go file below directories of the project, tests left out, by its path in it.
func code(t *testing.T, dirs ...string) map[string]*ast.File {
	t.Helper()
	all, set := map[string]*ast.File{}, token.NewFileSet()
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.Join(root(), dir), func(path string, e os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if e.IsDir() && (e.Name() == "node_modules" || e.Name() == ".next") {
				return filepath.SkipDir
			}
			if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			inside, err := filepath.Rel(root(), path)
			all[inside] = file
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// makers are the processes that have a package's metrics. Those of a service's own packages are in that service.
var makers = map[string]string{
	"pkg/deadletter":                 "mcp-tools, scheduler",
	"pkg/inbox":                      "scheduler",
	"pkg/mcpbus":                     "chat-agent, mcp-tools",
	"pkg/outbox":                     "task-api, mcp-tools, scheduler",
	"pkg/rest":                       "all, and lag",
	"pkg/service/writer":             "task-api, mcp-tools, scheduler",
	"pkg/sidecar":                    "all",
	"pkg/telemetry":                  "all, and lag",
	"services/taskflow/internal/app": "lag",
}

func (m metric) process(t *testing.T) string {
	t.Helper()
	if by, known := makers[m.from]; known {
		return by
	}
	parts := strings.Split(m.from, "/")
	if parts[0] != "services" || parts[1] == "internal" {
		t.Errorf("nobody says which processes have the metrics of %s, such as %s: see makers", m.from, m.name)
	}
	return parts[1]
}

// unit is what a metric's numbers are of, as its name says.
func (m metric) unit() string {
	name := strings.TrimSuffix(m.name, "_total")
	switch {
	case strings.HasSuffix(name, "_seconds"):
		return "seconds"
	case strings.HasSuffix(name, "_tokens"):
		return "tokens"
	case strings.HasSuffix(name, "_cost"):
		return "currency"
	}
	return "count"
}

const (
	tableBegin = "<!-- metrics: .ci/chart gen writes this table -->\n"
	tableEnd   = "<!-- metrics end -->\n"
)

func table(t *testing.T, all map[string]metric) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(tableBegin + "| metric | kind, unit | labels | of | what it is |\n|---|---|---|---|---|\n")
	sorted := slices.SortedFunc(maps.Values(all), func(a, b metric) int {
		return cmp.Or(strings.Compare(a.process(t), b.process(t)), strings.Compare(a.name, b.name))
	})
	for _, m := range sorted {
		quoted := make([]string, len(m.labels))
		for i, l := range m.labels {
			quoted[i] = "`" + l + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s, %s | %s | %s | %s |\n", m.name, m.kind, m.unit(), strings.Join(quoted, " "), m.process(t), strings.ReplaceAll(m.help, "|", `\|`))
	}
	return b.String() + tableEnd
}

// TestEveryMetricIsExplainedInTheOperationsPage in a table that follows from the code; `.ci/chart gen` writes it.
func TestEveryMetricIsExplainedInTheOperationsPage(t *testing.T) {
	t.Parallel()
	all := inventory(t)
	if len(all) < 50 {
		t.Fatalf("only %d metrics are found: %v", len(all), slices.Sorted(maps.Keys(all)))
	}
	name := regexp.MustCompile(`^taskflow_[a-z][a-z0-9_]*[a-z0-9]$`)
	for _, m := range all {
		if !name.MatchString(m.name) || (m.kind == "counter") != strings.HasSuffix(m.name, "_total") || m.kind == "histogram" && m.unit() != "seconds" {
			t.Errorf("%s is no name for a %s", m.name, m.kind)
		}
		if !strings.HasSuffix(m.help, ".") {
			t.Errorf("%s: its help is no sentence: %q", m.name, m.help)
		}
	}
	path := filepath.Join(root(), "docs", "operations.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(page), tableBegin)
	_, after, ends := strings.Cut(rest, tableEnd)
	if !begins || !ends {
		t.Fatalf("docs/operations.md has no place for the metrics: %s…%s", tableBegin, tableEnd)
	}
	want := before + table(t, all) + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(page) {
		t.Errorf("docs/operations.md has other metrics than the code: `.ci/chart gen` writes them: %s", difference(want, string(page)))
	}
}

// TestEveryMetricHasAPanel, so that what is measured is also seen.
func TestEveryMetricHasAPanel(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{}
	name := regexp.MustCompile(ours + `[a-z0-9_]+`)
	for _, d := range dashboards(t) {
		for _, row := range d.Rows {
			for _, p := range row.Panels {
				for _, q := range p.Queries {
					for _, n := range name.FindAllString(q[1], -1) {
						shown[histogram.ReplaceAllString(n, "")] = true
					}
				}
			}
		}
	}
	for n := range inventory(t) {
		if !shown[n] {
			t.Errorf("no panel of charts/dashboards.yaml shows %s", n)
		}
	}
}

// histogram is what Prometheus' text format puts behind a histogram's name.
var histogram = regexp.MustCompile(`_(bucket|count|sum)$`)
