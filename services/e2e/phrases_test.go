package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/stack"

	"github.com/taskflow-suite/taskflow/services/internal/phrases"
)

// What people say becomes the calls of tools they mean, on the whole suite. The offline model must understand all of the
// table. With TASKFLOW_EVAL (make eval) the model of the environment is asked instead; it is told about, not judged.
func TestPhrasings(t *testing.T) {
	services, model, judged := stack.Default(), []string(nil), true
	if os.Getenv("TASKFLOW_EVAL") != "" {
		if model = stack.Model(os.LookupEnv); len(model) > 0 {
			services, judged = talk(), false
		} else {
			t.Log("neither OPENAI_API_KEY nor OPENAI_BASE_URL is set: this is the offline model")
		}
	}
	s := startWith(t, model, services...)
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	var hits, misses, in, out, steps int
	all := func() []phrases.Phrase { return phrases.All(time.Now().In(zone)) }
	if len(all()) < 50 {
		t.Fatalf("the table has %d phrases", len(all()))
	}
	for n, p := range all() {
		ann := s.chatter(fmt.Sprintf("phrase-%d", n))
		if err := ann.Do(t.Context(), http.MethodPut, "/profile", "", map[string]string{"time_zone": zone.String()}, nil); err != nil {
			t.Fatal(err)
		}
		ids := ann.given(p.Given)
		for _, before := range p.Before {
			ann.says(before)
		}
		p = all()[n] // what it means depends on the time
		answer := ann.says(p.Say)
		in, out, steps = in+answer.Usage.InputTokens, out+answer.Usage.OutputTokens, steps+answer.Usage.Steps
		if missed := p.Check(answer.ToolCalls, func(title string) string { return ids[title] }); missed != nil {
			misses++
			if judged {
				t.Errorf("%q: %v", p.Say, missed)
			} else {
				t.Logf("MISS %q: %v", p.Say, missed)
			}
			continue
		}
		hits++
	}
	t.Logf("%d phrases: %d hits, %d misses; %d tokens in, %d out, %d questions to the model", hits+misses, hits, misses, in, out, steps)
}

// given makes the tasks a phrase is said about, and returns their ids by title.
func (c *chatter) given(tasks []phrases.Given) map[string]string {
	c.t.Helper()
	ids := map[string]string{}
	for _, g := range tasks {
		body := map[string]any{"title": g.Title}
		for name, value := range map[string]string{"priority": g.Priority, "due_date": g.Due} {
			if value != "" {
				body[name] = value
			}
		}
		if len(g.Tags) > 0 {
			body["tags"] = g.Tags
		}
		if len(g.Reminders) > 0 {
			body["reminders"] = g.Reminders
		}
		if len(g.RemindAt) > 0 {
			body["remind_at"] = g.RemindAt
		}
		switch {
		case slices.Contains([]string{"daily", "weekly", "monthly"}, g.Repeats):
			body["recurrence"] = g.Repeats
		case g.Repeats != "":
			body["recurrence"] = map[string]string{"rule": strings.TrimPrefix(g.Repeats, "RRULE:")}
		}
		var made apiTask
		must := func(method, path string, in, out any) {
			c.t.Helper()
			if err := c.Do(c.t.Context(), method, path, "", in, out); err != nil {
				c.t.Fatalf("%s %s: %v", method, path, err)
			}
		}
		must(http.MethodPost, "/tasks", body, &made)
		switch g.Status {
		case "completed":
			must(http.MethodPatch, "/tasks/"+made.ID+"/complete", map[string]bool{"completed": true}, nil)
		case "deleted":
			must(http.MethodDelete, "/tasks/"+made.ID, nil, nil)
		}
		ids[g.Title] = made.ID
	}
	return ids
}
