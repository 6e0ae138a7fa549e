package chart

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// dashboard is one of charts/dashboards.yaml.
type dashboard struct {
	File, Title, About string
	Rows               []struct {
		Title  string
		Panels []struct {
			Title, About, Unit string
			// Queries are a legend and an expression each.
			Queries [][2]string
		}
	}
}

func dashboards(t *testing.T) []dashboard {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root(), "charts", "dashboards.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all []dashboard
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	decoder.KnownFields(true)
	if err := decoder.Decode(&all); err != nil {
		t.Fatalf("charts/dashboards.yaml: %v", err)
	}
	return all
}

type fields = map[string]any

// prometheus is the data source that is chosen at the top of a dashboard.
func prometheus() fields { return fields{"type": "prometheus", "uid": "${datasource}"} }

const (
	columns, width, height = 3, 8, 8
	// schemaVersion is of the dashboards of Grafana 11; later ones read it.
	schemaVersion = 39
)

// json is the dashboard as Grafana reads it.
func (d dashboard) json(t *testing.T) []byte {
	t.Helper()
	var panels []fields
	y := 0
	for _, row := range d.Rows {
		panels = append(panels, fields{
			"id": len(panels) + 1, "type": "row", "title": row.Title, "collapsed": false, "panels": []any{},
			"gridPos": fields{"h": 1, "w": columns * width, "x": 0, "y": y},
		})
		y++
		for i, p := range row.Panels {
			if p.Title == "" || p.About == "" || len(p.Queries) == 0 {
				t.Errorf("%s: a panel below %s lacks a title, a meaning or a query: %+v", d.File, row.Title, p)
			}
			if p.Unit == "" {
				p.Unit = "short"
			}
			var targets []fields
			for n, q := range p.Queries {
				expr := strings.NewReplacer("{NS", `{namespace="$namespace"`, "[RATE]", "[$__rate_interval]").Replace(q[1])
				targets = append(targets, fields{"refId": string(rune('A' + n)), "datasource": prometheus(), "expr": expr, "legendFormat": q[0]})
			}
			panels = append(panels, fields{
				"id": len(panels) + 1, "type": "timeseries", "title": p.Title, "description": p.About, "datasource": prometheus(), "targets": targets,
				"gridPos": fields{"h": height, "w": width, "x": i % columns * width, "y": y + i/columns*height},
				"fieldConfig": fields{"overrides": []any{}, "defaults": fields{
					"unit": p.Unit, "min": 0, "custom": fields{"lineWidth": 1, "fillOpacity": 8, "showPoints": "never"},
				}},
				"options": fields{
					"legend": fields{"displayMode": "list", "placement": "bottom"}, "tooltip": fields{"mode": "multi", "sort": "desc"},
				},
			})
		}
		y += (len(row.Panels) + columns - 1) / columns * height
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	err := encoder.Encode(fields{
		"uid": "taskflow-" + d.File, "title": d.Title, "description": d.About, "tags": []string{"taskflow"}, "schemaVersion": schemaVersion,
		"editable": true, "refresh": "30s", "timezone": "", "time": fields{"from": "now-3h", "to": "now"}, "annotations": fields{"list": []any{}},
		"templating": fields{"list": []fields{
			{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
			{
				"name": "namespace", "type": "query", "label": "Namespace", "datasource": prometheus(), "refresh": 2, "sort": 1,
				"query": "label_values(taskflow_http_requests_total, namespace)",
			},
		}},
		"panels": panels,
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestTheDashboardsAreThoseOfTheirList: `.ci/chart gen` writes them.
func TestTheDashboardsAreThoseOfTheirList(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(chartDir(), "files", "dashboards")
	want := map[string][]byte{}
	for _, d := range dashboards(t) {
		want[d.File+".json"] = d.json(t)
	}
	if *update {
		for name, text := range want {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	have, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(have) != len(want) {
		t.Errorf("there are %v (%v), and the list has %d", have, err, len(want))
	}
	for name, text := range want {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s is not what charts/dashboards.yaml says (%v): `.ci/chart gen` writes it", name, err)
		}
	}
}
