// Command rules judges the chart's alerts and dashboards with Prometheus' own parser and engine: every expression can be
// read, and every alert fires on the series that its case gives and keeps silent on the others. It is a module of its own,
// because nothing that we ship needs Prometheus.
//
//	rules DIR CASES      check DIR/alerts/*.yaml and DIR/dashboards/*.json
//	rules -metrics DIR   print the names of all metrics that they ask for
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"go.yaml.in/yaml/v3"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "rules:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) == 2 && args[0] == "-metrics" {
		a, err := read(args[1])
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, strings.Join(slices.Sorted(maps.Keys(a.metrics)), "\n"))
		return err
	}
	if len(args) != 2 {
		return errors.New("usage: rules DIR CASES | rules -metrics DIR")
	}
	a, err := read(args[0])
	if err != nil {
		return err
	}
	return a.judge(args[1], out)
}

// asked is what the files ask Prometheus.
type asked struct {
	alerts  map[string]rulefmt.Rule
	metrics map[string]bool
}

func read(dir string) (asked, error) {
	a := asked{alerts: map[string]rulefmt.Rule{}, metrics: map[string]bool{}}
	files, _ := filepath.Glob(filepath.Join(dir, "alerts", "*.yaml"))
	boards, _ := filepath.Glob(filepath.Join(dir, "dashboards", "*.json"))
	if len(files) == 0 || len(boards) == 0 {
		return a, fmt.Errorf("no alerts or no dashboards in %s", dir)
	}
	var wrong []error
	for _, file := range files {
		groups, errs := rulefmt.ParseFile(file, false, model.LegacyValidation)
		wrong = append(wrong, errs...)
		if groups == nil {
			continue
		}
		for _, g := range groups.Groups {
			for _, r := range g.Rules {
				if _, twice := a.alerts[r.Alert]; twice {
					wrong = append(wrong, fmt.Errorf("%s: there are two of them", r.Alert))
				}
				a.alerts[r.Alert] = r
				wrong = append(wrong, a.use(r.Alert, r.Expr))
				for _, name := range []string{"summary", "description"} {
					if r.Annotations[name] == "" {
						wrong = append(wrong, fmt.Errorf("%s has no %s", r.Alert, name))
					}
				}
				if s := r.Labels["severity"]; s != "critical" && s != "warning" {
					wrong = append(wrong, fmt.Errorf("%s: severity %q", r.Alert, s))
				}
			}
		}
	}
	for _, file := range boards {
		text, err := os.ReadFile(file) //nolint:gosec // the caller names the files
		if err != nil {
			return a, err
		}
		var board any
		if err := json.Unmarshal(text, &board); err != nil {
			return a, fmt.Errorf("%s: %w", file, err)
		}
		for _, expr := range expressions(board) {
			for _, v := range []string{"$__rate_interval", "$__range", "$__interval"} {
				expr = strings.ReplaceAll(expr, v, "5m")
			}
			wrong = append(wrong, a.use(filepath.Base(file), expr))
		}
	}
	return a, errors.Join(wrong...)
}

// expressions finds every "expr" and the metric of every label_values query, wherever they are.
func expressions(node any) []string {
	var found []string
	switch n := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(n)) {
			text, isText := n[key].(string)
			if isText && key == "expr" {
				found = append(found, text)
			}
			if inner, ok := strings.CutPrefix(text, "label_values("); ok && key == "query" {
				found = append(found, inner[:strings.LastIndex(inner, ",")])
			}
			found = append(found, expressions(n[key])...)
		}
	case []any:
		for _, e := range n {
			found = append(found, expressions(e)...)
		}
	}
	return found
}

func (a asked) use(where, expr string) error {
	e, err := parser.ParseExpr(expr)
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", where, err, expr)
	}
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			name := s.Name
			for _, m := range s.LabelMatchers {
				if m.Name == labels.MetricName {
					name = m.Value
				}
			}
			a.metrics[name] = true
		}
		return nil
	})
	return nil
}

// A scene is what a case gives: series as promtool's tests write them, a sample a minute, for an hour.
type scene struct{ Fires, Silent map[string]string }

func (a asked) judge(cases string, out io.Writer) error {
	text, err := os.ReadFile(cases) //nolint:gosec // the caller names the file
	if err != nil {
		return err
	}
	var scenes map[string]scene
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&scenes); err != nil {
		return fmt.Errorf("%s: %w", cases, err)
	}
	var wrong []error
	for name := range scenes {
		if _, there := a.alerts[name]; !there {
			wrong = append(wrong, fmt.Errorf("%s: there is no alert of this name", name))
		}
	}
	tried := 0
	for _, name := range slices.Sorted(maps.Keys(a.alerts)) {
		s := scenes[name]
		if len(s.Fires) == 0 || len(s.Silent) == 0 {
			wrong = append(wrong, fmt.Errorf("%s has no case in which it fires, or none in which it is silent, in %s", name, cases))
		}
		for what, series := range s.Fires {
			tried++
			if fires, err := fires(a.alerts[name], series); err != nil || !fires {
				wrong = append(wrong, fmt.Errorf("%s is silent: %s (%w)", name, what, err))
			}
		}
		for what, series := range s.Silent {
			tried++
			if fires, err := fires(a.alerts[name], series); err != nil || fires {
				wrong = append(wrong, fmt.Errorf("%s fires: %s (%w)", name, what, err))
			}
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d alerts, %d cases\n", len(a.alerts), tried)
	return err
}

// fires says whether the alert is firing after an hour: its expression held in every minute of its `for`.
func fires(r rulefmt.Rule, series string) (bool, error) {
	var input strings.Builder
	input.WriteString("load 1m\n")
	for line := range strings.Lines(series) {
		input.WriteString("  " + line)
	}
	loader, err := promqltest.NewLazyLoader(input.String(), promqltest.LazyLoaderOpts{})
	if err != nil {
		return false, err
	}
	defer func() { _ = loader.Close() }()
	end := time.Unix(0, 0).Add(time.Hour)
	firing, failed := true, error(nil)
	loader.WithSamplesTill(end, func(err error) { failed = err })
	for at := end.Add(-time.Duration(r.For)); failed == nil && firing && !at.After(end); at = at.Add(time.Minute) {
		query, err := loader.QueryEngine().NewInstantQuery(context.Background(), loader.Queryable(), nil, r.Expr, at)
		if err != nil {
			return false, err
		}
		result := query.Exec(context.Background())
		vector, _ := result.Value.(promql.Vector)
		firing, failed = len(vector) > 0, result.Err
		query.Close()
	}
	return firing, failed
}
