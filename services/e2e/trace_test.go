package e2e_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/stack"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/trail"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// browser begins a trace with each request, as a page that traces does.
type browser struct {
	http.RoundTripper
	trace, span string // of the last request
}

func (b *browser) RoundTrip(r *http.Request) (*http.Response, error) {
	b.trace, b.span = random(16), random(8)
	r = r.Clone(r.Context())
	r.Header.Set("Traceparent", "00-"+b.trace+"-"+b.span+"-01")
	return b.RoundTripper.RoundTrip(r)
}

func random(bytes int) string {
	id := make([]byte, bytes)
	_, _ = rand.Read(id) // never fails
	return hex.EncodeToString(id)
}

// delivered is how an event comes from the topic to its handler: the sidecar's span, the callback's, the handler's.
func delivered(app, topic string) string {
	return app + " pubsub/" + topic + " > " + app + " dapr.proto.runtime.v1.AppCallback/OnTopicEvent > " + app + " process " + topic
}

// told checks that `taskflow trace` would show the steps of a correlation id, and the trace they are part of.
func (s *suite) told(correlation, trace, logs string, want ...string) {
	s.t.Helper()
	db, err := postgres.Open(s.t.Context(), postgres.At(s.DatabaseURL()))
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	s.eventually(30*time.Second, func() error {
		steps, err := trail.Tables(s.t.Context(), db, correlation, trail.Span{From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)})
		if err != nil {
			return err
		}
		files, err := filepath.Glob(filepath.Join(logs, "*.log"))
		if err != nil {
			return err
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			if steps, err = trail.Logs(bytes.NewReader(text), correlation, steps); err != nil {
				return err
			}
		}
		found := trail.New(correlation, steps)
		var have []string
		for _, step := range found.Steps {
			have = append(have, string(step.Source)+" "+step.Who+" "+step.What)
		}
		for _, w := range want {
			if !slices.Contains(have, w) {
				return fmt.Errorf("no step %q among\n%s", w, strings.Join(have, "\n"))
			}
		}
		if !slices.Equal(found.Traces, []string{trace}) {
			return fmt.Errorf("the traces are %v, want %s", found.Traces, trace)
		}
		return nil
	})
}

// One trace goes from the browser's request to the frame at the browser, through every part, sidecars included; and what
// people wrote is not in it.
func TestOneTraceGoesAllTheWay(t *testing.T) {
	traces := testkit.NewTraces(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", traces.Endpoint)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "200") // ms; the default is 5 s
	services := talk()
	for i := range services {
		// A frame is to come from its delivery, not from a look into the log that happens to be sooner.
		services[i].Env = append(services[i].Env, "CHECK_INTERVAL=1h")
	}
	settings, logs := model(t, always(agenttools.Create), adder), ""
	s := startAs(t, func(o *stack.Options) { o.Model, logs = settings, filepath.Join(o.Dir, "logs") }, services...)
	const title, description, said = "water the secret orchids", "behind the hidden shed", "feed the unnamed cat"
	ann := s.chatter("ann")
	page := &browser{RoundTripper: ann.HTTP.Transport}
	ann.HTTP.Transport = page
	arrived := ann.windowOf()

	var made apiTask
	if err := ann.Do(t.Context(), http.MethodPost, "/tasks", "", map[string]any{
		"title": title, "description": description, "due_date": "2030-01-02", "recurrence": "daily",
	}, &made); err != nil {
		t.Fatal(err)
	}
	created := *page
	if err := ann.Do(t.Context(), http.MethodPatch, "/tasks/"+made.ID+"/complete", "", map[string]any{"completed": true}, nil); err != nil {
		t.Fatal(err)
	}
	completed := *page
	if err := ann.Do(t.Context(), http.MethodGet, "/tasks?q="+url.QueryEscape(title), "", nil, nil); err != nil {
		t.Fatal(err)
	}
	searched := *page
	arrived("task.completed")
	ann.says("add " + said)
	talked := *page

	const publish = " publish tasks.events"
	window := delivered("notifier", "tasks.events") + " > notifier frame "
	for _, c := range []struct {
		what  string
		trace browser
		paths []string
	}{
		{"a task made over REST", created, []string{
			"task-api POST /api/:user_id/tasks > task-api transaction > task-api" + publish + " > " + window + "task.created",
			"task-api" + publish + " >> task-api /dapr.proto.runtime.v1.Dapr/BulkPublishEvent/",
		}},
		{"a task completed, and the next one made of it", completed, []string{
			"task-api PATCH /api/:user_id/tasks/:task_id/complete > task-api transaction > task-api" + publish + " > " + window + "task.completed",
			"task-api" + publish + " > " + delivered("scheduler", "tasks.events") + " >> scheduler" + publish + " > " + window + "task.created",
			"scheduler process tasks.events > scheduler transaction",
		}},
		{"a search", searched, []string{"task-api GET /api/:user_id/tasks"}},
		{"a talk", talked, []string{
			"chat-agent POST /api/:user_id/chat > chat-agent invoke_agent taskflow > chat-agent chat scripted",
			"chat-agent invoke_agent taskflow > chat-agent tools/call add_tasks >> " + delivered("mcp-tools", "mcp.requests") +
				" > mcp-tools tools/call add_tasks > mcp-tools transaction",
			"mcp-tools tools/call add_tasks > mcp-tools" + publish + " > " + window + "task.created",
			"mcp-tools process mcp.requests >> chat-agent pubsub/mcp.replies >> chat-agent process mcp.replies",
		}},
	} {
		traces.Await(t, c.trace.trace, c.paths...)
		if roots := traces.Roots(c.trace.trace); len(roots) != 1 || roots[0] != c.trace.span {
			t.Errorf("%s: the trace begins with %q and not with the browser's %s", c.what, roots, c.trace.span)
		}
		t.Logf("%s:\n%s", c.what, traces.Tree(c.trace.trace))
	}

	correlations := map[string]bool{}
	for _, span := range traces.Of(talked.trace) {
		if id := span.Attributes["taskflow.correlation_id"]; id != "" {
			correlations[id] = true
		}
		if span.Failed {
			t.Errorf("%s failed: %v", span, span.Attributes)
		}
	}
	if len(correlations) != 1 {
		t.Errorf("the talk's spans have %d correlation ids, want one: %v", len(correlations), correlations)
	}
	for id := range correlations {
		s.told(id, talked.trace, logs, "log chat-agent request", "tool chat-agent load_conversation", "tool chat-agent add_tasks",
			"event  conversation.started", "event  task.created", "event  tool.invoked", "event  message.added")
	}
	for _, span := range traces.Of(completed.trace) {
		if span.Name == "process tasks.events" && span.Service == "scheduler" {
			s.told(span.Attributes["taskflow.correlation_id"], completed.trace, logs,
				"log task-api request", "event  task.completed", "inbox scheduler task.completed", "event  task.created")
		}
	}

	secrets := map[string]string{
		"the title": "orchids", "the description": "hidden shed", "the message": "unnamed cat", "the token": ann.Token,
		"the signature of the token": ann.Token[strings.LastIndex(ann.Token, ".")+1:],
		"the secret of tokens":       s.JWTSecret(), "the database's URL": s.DatabaseURL(),
	}
	all := traces.All()
	for _, span := range all {
		for name, value := range span.Attributes {
			for what, secret := range secrets {
				if strings.Contains(value, secret) || strings.Contains(span.Name, secret) {
					t.Errorf("%s has %s in %s: %s", span, what, name, value)
				}
			}
		}
		if span.Service == "" {
			t.Errorf("%s is nobody's", span)
		}
		for _, quiet := range []string{"/healthz", "/readyz", "/metrics"} {
			if strings.Contains(span.Attributes["url.path"], quiet) {
				t.Errorf("a probe is traced: %s", span)
			}
		}
	}
	t.Logf("%d spans looked at", len(all))
}
