package testkit

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Prometheus is a real server of metrics that asks targets.
type Prometheus struct {
	t   testing.TB
	url string
}

// Target is where Prometheus asks for metrics, and the labels that these get.
type Target struct {
	// Address is host:port, and Path what is asked there.
	Address, Path string
	Labels        map[string]string
}

// StartPrometheus runs a server that asks all targets at an interval until the test ends, and returns when it answers.
func StartPrometheus(t testing.TB, every time.Duration, targets ...Target) *Prometheus {
	t.Helper()
	type fields = map[string]any
	var jobs []fields
	for _, target := range targets {
		jobs = append(jobs, fields{
			// A job is one target, so that each can have a path of its own; its labels say what it is.
			"job_name": target.Address, "metrics_path": target.Path,
			"static_configs": []fields{{"targets": []string{target.Address}, "labels": target.Labels}},
		})
	}
	// JSON is YAML.
	config, err := json.Marshal(fields{"global": fields{"scrape_interval": every.String(), "scrape_timeout": every.String()}, "scrape_configs": jobs})
	if err != nil {
		t.Fatal(err)
	}
	dir, address := t.TempDir(), Address(t)
	path := filepath.Join(dir, "prometheus.yaml")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.Background(), installed(t, "prometheus", "prometheus"),
		"--config.file="+path, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--log.level=warn")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TZ=UTC"}
	proc := start(t, "prometheus", cmd, func([]byte) {})
	p := &Prometheus{t, "http://" + address}
	Eventually(t, "prometheus answers", func(ctx context.Context) (bool, any) {
		select {
		case <-proc.ended:
			t.Fatalf("prometheus ended instead of serving:\n%s", proc.tail())
		default:
		}
		err := p.get(ctx, "/-/ready", nil)
		return err == nil, err
	})
	return p
}

// Row is a series of the answer to a query: its labels, and its values by the time of the sample.
type Row struct {
	Labels map[string]string
	Values map[time.Time]float64
}

// Range is what an expression (PromQL) is worth over a time: a row for each series that there is. A wrong one fails the test.
func (p *Prometheus) Range(expr string, from, until time.Time, step time.Duration) []Row {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	query := url.Values{
		"query": {expr}, "step": {step.String()},
		"start": {strconv.FormatInt(from.Unix(), 10)}, "end": {strconv.FormatInt(until.Unix(), 10)},
	}
	// https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Values [][2]json.RawMessage // seconds, and the value as a text
			}
		}
	}
	if err := p.get(ctx, "/api/v1/query_range?"+query.Encode(), &answer); err != nil {
		p.t.Fatalf("%s: %v", expr, err)
	}
	var rows []Row
	for _, r := range answer.Data.Result {
		row := Row{r.Metric, map[time.Time]float64{}}
		for _, sample := range r.Values {
			at, err1 := strconv.ParseInt(string(sample[0]), 10, 64)
			text, err2 := strconv.Unquote(string(sample[1]))
			value, err3 := strconv.ParseFloat(text, 64)
			if err1 != nil || err2 != nil || err3 != nil {
				p.t.Fatalf("%s: a sample is %s", expr, sample)
			}
			row.Values[time.Unix(at, 0)] = value
		}
		rows = append(rows, row)
	}
	return rows
}

// get asks for a path and decodes the answer into out, unless that is nil.
func (p *Prometheus) get(ctx context.Context, path string, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.300s", res.Status, body)
	}
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(body, out)
}
