//go:build dashboards

package dashboards_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/stack"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"

	"github.com/taskflow-suite/taskflow/services/internal/client"
	"github.com/taskflow-suite/taskflow/services/internal/stage"
	"github.com/taskflow-suite/taskflow/services/internal/storm"
)

const (
	// scrape is how often Prometheus asks, and lately what $__rate_interval is then: four times as long.
	scrape = 5 * time.Second
	lately = "20s"
	// working is how long people use the suite; a service and a sidecar die after half of it.
	working = 5 * time.Minute
)

// quiet are the panels that show nothing, or nothing but zeros, unless something is wrong that this test does not break.
var quiet = []string{
	"Failures", "Attempts that failed", "WebSockets refused", "Full queues", "Slow closes and resyncs", "Order of live events",
	"Missed by the broker, found in the log", "Waiting for database connections", "Waits for database connections",
	"Tried again or refused", "Delivered twice", "Waiting for a decision", "New within an hour", "Retries of the sidecars",
	"Due and not done", "The oldest that is due", "Calls that were not done", "Requests sent again", "Refused",
	"Being made",                        // the offline model answers between two readings
	"Consumer lag, as Redpanda sees it", // there is no Redpanda
}

// panel is one of a dashboard, as charts/taskflow/files/dashboards has it.
type panel struct {
	Title, Type string
	GridPos     json.RawMessage
	Targets     []struct{ Expr, LegendFormat string }
	FieldConfig struct {
		Defaults struct{ Unit string }
	}
}

// drawn is a panel with what it shows, for testdata/grafana.
type drawn struct {
	Title   string          `json:"title"`
	Row     bool            `json:"row"`
	Unit    string          `json:"unit"`
	GridPos json.RawMessage `json:"gridPos"`
	Series  []series        `json:"series"`
}

type series struct {
	Name   string     `json:"name"`
	Times  []int64    `json:"times"` // milliseconds
	Values []*float64 `json:"values"`
}

// moves reports whether there is more than zeros.
func (s series) moves() bool {
	return slices.ContainsFunc(s.Values, func(v *float64) bool { return v != nil && *v != 0 })
}

// TestEveryPanelShowsTheSuiteAtWork; DASHBOARDS is the folder for the pictures, none are taken without it.
func TestEveryPanelShowsTheSuiteAtWork(t *testing.T) {
	s := stage.Start(t, func(o *stack.Options) { o.BuildFlags = nil }, unlimited(stack.Default())...)
	prometheus := testkit.StartPrometheus(t, scrape, targets(t, s)...)
	from := time.Unix(time.Now().Unix(), 0) // as Prometheus answers: whole seconds
	work(t, s)
	until := time.Now()

	files, err := filepath.Glob(filepath.Join("..", "..", "..", "charts", "taskflow", "files", "dashboards", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var board struct {
			Title  string
			Panels []panel
		}
		if err := json.Unmarshal(text, &board); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		picture := struct {
			Title  string  `json:"title"`
			From   int64   `json:"from"`
			To     int64   `json:"to"`
			Panels []drawn `json:"panels"`
		}{board.Title, from.UnixMilli(), until.UnixMilli(), nil}
		for _, p := range board.Panels {
			shown := drawn{Title: p.Title, Row: p.Type == "row", Unit: p.FieldConfig.Defaults.Unit, GridPos: p.GridPos, Series: []series{}}
			for _, target := range p.Targets {
				expr := strings.NewReplacer("$namespace", "taskflow", "$__rate_interval", lately).Replace(target.Expr)
				for _, row := range prometheus.Range(expr, from, until, scrape) {
					shown.Series = append(shown.Series, line(target.LegendFormat, row, from, until))
				}
			}
			if !shown.Row && !slices.Contains(quiet, p.Title) && !slices.ContainsFunc(shown.Series, series.moves) {
				t.Errorf("%s: the panel %q shows nothing", board.Title, p.Title)
			}
			picture.Panels = append(picture.Panels, shown)
		}
		if dir := os.Getenv("DASHBOARDS"); dir != "" {
			draw(t, picture, filepath.Join(dir, strings.TrimSuffix(filepath.Base(file), ".json")+".png"))
		}
	}
}

var braces = regexp.MustCompile(`{{\s*(\w+)\s*}}`)

// line is a row with its legend, with a gap where there is no sample.
func line(legend string, row testkit.Row, from, until time.Time) series {
	l := series{Name: braces.ReplaceAllStringFunc(legend, func(label string) string {
		return row.Labels[braces.FindStringSubmatch(label)[1]]
	})}
	for at := from; !at.After(until); at = at.Add(scrape) {
		l.Times = append(l.Times, at.UnixMilli())
		var value *float64
		if v, is := row.Values[at]; is && !math.IsNaN(v) && !math.IsInf(v, 0) { // no numbers in JSON
			value = &v
		}
		l.Values = append(l.Values, value)
	}
	return l
}

// unlimited are services without the limits that protect people from each other.
func unlimited(services []stack.Service) []stack.Service {
	for i := range services {
		services[i].Env = append(services[i].Env, "RATE_LIMIT=100000", "RATE_BURST=100000", "CHAT_RATE=1000", "CHAT_BURST=1000",
			"OPENAI_PRICE_INPUT=2", "OPENAI_PRICE_OUTPUT=8")
	}
	return services
}

// targets are all processes that have metrics, with the labels that the chart's monitors give them.
func targets(t *testing.T, s *stage.Suite) []testkit.Target {
	t.Helper()
	labels := func(app, endpoint string) map[string]string {
		return map[string]string{"namespace": "taskflow", "job": app, "pod": app + "-0", "endpoint": endpoint}
	}
	var all []testkit.Target
	for _, app := range []string{proto.TaskAPI, proto.Notifier, proto.MCPTools, proto.ChatAgent, proto.Scheduler} {
		at, err := url.Parse(s.URL(app))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all,
			testkit.Target{Address: at.Host, Path: "/metrics", Labels: labels(app, "http")},
			testkit.Target{Address: s.SidecarMetrics(app), Path: "/", Labels: labels(app, "dapr-metrics")})
	}
	return append(all, testkit.Target{Address: lag(t, s), Path: "/metrics", Labels: labels("lag", "http")})
}

// lag runs `taskflow lag --serve` until the test ends.
func lag(t *testing.T, s *stage.Suite) (address string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "taskflow")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../taskflow").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	address = testkit.Address(t)
	cmd := exec.CommandContext(t.Context(), program, "lag", "--serve", address, "--interval", scrape.String())
	cmd.Env = append(os.Environ(), "KAFKA_BROKERS="+s.Brokers())
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return address
}

// work has people use everything: tasks, windows, the chat, tools of another agent, what repeats and what rings.
func work(t *testing.T, s *stage.Suite) {
	t.Helper()
	ready := func(parts ...string) {
		t.Helper()
		if err := s.Ready(t.Context(), parts...); err != nil {
			t.Fatal(err)
		}
	}
	user := func(id string) *client.Client { return s.User(id, "origin", "origin", nil) }
	var people []*storm.Person
	for i := range 20 {
		id := fmt.Sprintf("person-%d", i)
		people = append(people, storm.Open(t, user(id), user(id), user(id)))
	}
	var talkers []*client.Client
	for i := range 4 {
		talkers = append(talkers, user(fmt.Sprintf("talker-%d", i)))
	}
	load, talk := storm.Create(people, 60), storm.Say(talkers, 2*time.Second)

	planner := user("planner")
	tools, err := planner.MCP(t.Context(), s.URL("origin"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tools.Close() }()
	tick := time.NewTicker(working / 100)
	defer tick.Stop()
	for n := range 100 {
		<-tick.C
		plan(t, planner, n)
		people[n%len(people)].Windows[0].Drop()
		if _, err := tools.ListTools(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if n == 50 {
			for _, part := range []string{proto.Notifier, proto.TaskAPI + "-dapr"} {
				if err := s.Kill(part); err != nil {
					t.Fatal(err)
				}
				if err := s.Start(part); err != nil {
					t.Fatal(err)
				}
			}
			ready(proto.Notifier, proto.TaskAPI+"-dapr")
		}
	}
	if err := load.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := talk.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	t.Log(load)
}

// plan makes a task that rings in half a minute and one that repeats then, and asks for one that is not there.
func plan(t *testing.T, c *client.Client, n int) {
	t.Helper()
	soon := time.Now().Add(30 * time.Second).UTC()
	for kind, task := range map[string]map[string]any{
		"rings":   {"due_date": soon.Add(time.Minute).Format(time.RFC3339), "reminders": []int{1}},
		"repeats": {"due_date": soon.Add(-24 * time.Hour).Format(time.RFC3339), "recurrence": "daily"},
	} {
		task["title"] = fmt.Sprintf("%s %d", kind, n)
		if err := c.Do(t.Context(), http.MethodPost, "/tasks", fmt.Sprintf("%s-%d", kind, n), task, nil); err != nil {
			t.Error(err)
		}
	}
	if err := c.Do(t.Context(), http.MethodGet, "/tasks/00000000-0000-7000-8000-000000000000", "", nil, nil); err == nil {
		t.Error("there is a task that was never made")
	}
}

// draw has Grafana's components draw a dashboard, and takes its picture.
func draw(t *testing.T, picture any, path string) {
	t.Helper()
	data, err := json.Marshal(picture)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	from := filepath.Join(dir, "data.json")
	if err := os.WriteFile(from, data, 0o600); err != nil {
		t.Fatal(err)
	}
	grafana := testkit.NPM(t, "grafana", os.DirFS(filepath.Join("testdata", "grafana")))
	node := exec.CommandContext(t.Context(), "node", filepath.Join(grafana, "draw.mjs"), from, path)
	node.Env = append(os.Environ(), "CHROMIUM_PATH="+testkit.Chromium(t))
	if out, err := node.CombinedOutput(); err != nil {
		t.Fatalf("draw: %v\n%s", err, out)
	}
}
