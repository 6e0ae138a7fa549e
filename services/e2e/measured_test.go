package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// get reads a page of a service.
func (s *suite) get(service, path string) (string, error) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.URL(service)+path, nil)
	if err != nil {
		return "", err
	}
	res, err := client.NewHTTP(1, 10*time.Second).Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

// explained are the metrics of docs/operations.md: their kinds, and the processes that have them.
func explained(t *testing.T) map[string][2]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][2]string{}
	row := regexp.MustCompile("(?m)^\\| `(taskflow_[a-z0-9_]+)` \\| ([a-z]+), [a-z]+ \\| [^|]* \\| ([^|]+) \\|")
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		all[m[1]] = [2]string{m[2], m[3]}
	}
	if len(all) < 50 {
		t.Fatalf("the page explains only %d metrics", len(all))
	}
	return all
}

// What services show is what the page explains, after people and their agent have done something of everything, and how far the
// consumers are behind is what the sidecars' own groups say.
func TestWhatIsMeasuredIsWhatTheOperationsPageExplains(t *testing.T) {
	settings := model(t, always(agenttools.Create), adder)
	s := startWith(t, settings, talk()...)
	ann := s.open("ann", "task-api", "notifier")
	for i := range 5 {
		task, err := ann.Create(t.Context(), fmt.Sprintf("task %d", i), "")
		if err != nil {
			t.Fatal(err)
		}
		ann.Made(task.ID)
	}
	if err := ann.Do(t.Context(), http.MethodGet, "/tasks/00000000-0000-7000-8000-000000000000", "", nil, nil); err == nil {
		t.Fatal("there is a task that was never made")
	}
	s.chatter("bob").says("add milk")
	s.drained(time.Minute)

	reader, err := topics.NewLagReader(strings.Split(s.Brokers(), ","), s.BrokerAccess())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	// lagging waits until the lags of an app are as wanted.
	lagging := func(what string, wanted func(topics.Lags) bool) {
		t.Helper()
		s.eventually(2*time.Minute, func() error {
			all, err := reader.Read(t.Context())
			if err == nil && !wanted(all) {
				raw, _ := json.Marshal(all)
				err = fmt.Errorf("%s is not what the broker says: %s", what, raw)
			}
			return err
		})
	}
	group := func(all topics.Lags, app string, topic proto.Topic) (found []topics.Lag) {
		for _, l := range all.Groups {
			if l.App == app && l.Topic == topic {
				found = append(found, l)
			}
		}
		return found
	}
	lagging("all is handled by one replica each", func(all topics.Lags) bool {
		scheduler, notifier := group(all, proto.Scheduler, proto.Tasks), group(all, proto.Notifier, proto.Tasks)
		return len(scheduler) == 1 && scheduler[0].Members == 1 && scheduler[0].Behind == 0 &&
			len(notifier) == 1 && notifier[0].Members == 1 && notifier[0].Behind == 0 && all.Left[proto.Notifier] == 0
	})

	page := explained(t)
	shown := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^# TYPE (taskflow_\S+) (\S+)$`)
	for _, service := range []string{proto.TaskAPI, proto.ChatAgent, proto.MCPTools, proto.Notifier, proto.Scheduler} {
		metrics, err := s.get(service, "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declared.FindAllStringSubmatch(metrics, -1) {
			name, kind := m[1], m[2]
			shown[name] = true
			if what := page[name]; what[0] != kind || !strings.Contains(what[1], service) && !strings.HasPrefix(what[1], "all") {
				t.Errorf("%s shows the %s %s, and the page explains %v", service, kind, name, what)
			}
		}
		if body, err := s.get(service, "/readyz"); err != nil || !strings.Contains(body, `"failures":{`) || strings.Contains(body, s.JWTSecret()) {
			t.Errorf("/readyz of %s: %v: %s", service, err, body)
		}
	}
	for name, what := range page {
		// The last is the command's, which has a test of its own; the first needs an event that is delivered twice, and the second
		// one that is not handled, which no service does of itself.
		if !shown[name] && what[1] != "lag" && name != "taskflow_inbox_duplicates_total" && name != "taskflow_outbox_failures_total" {
			t.Errorf("no service shows %s, which the page explains", name)
		}
	}
	// The scheduler has none of these: what happens to tasks that do not repeat is not told it.
	for service, want := range map[string]string{
		proto.TaskAPI: `"http":{"not found":`, proto.Notifier: `"tasks.events":{"handled":`, proto.MCPTools: `"mcp.requests":{"handled":`,
	} {
		if body, err := s.get(service, "/readyz"); err != nil || !strings.Contains(body, want) {
			t.Errorf("/readyz of %s has no %s: %v: %s", service, want, err, body)
		}
	}

	// A group that is shared is behind while nobody is there; a replica's own is gone with its sidecar.
	for _, part := range []string{"scheduler", "scheduler-dapr", "notifier-dapr"} {
		if err := s.Kill(part); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		task, err := ann.Create(t.Context(), fmt.Sprintf("meanwhile %d", i), "")
		if err != nil {
			t.Fatal(err)
		}
		ann.Made(task.ID)
	}
	lagging("who is away is behind", func(all topics.Lags) bool {
		scheduler, notifier := group(all, proto.Scheduler, proto.Tasks), group(all, proto.Notifier, proto.Tasks)
		return len(scheduler) == 1 && scheduler[0].Members == 0 && scheduler[0].Behind == 3 && scheduler[0].Oldest > 0 &&
			len(notifier) == 0 && all.Left[proto.Notifier] == 1
	})
	for _, part := range []string{"scheduler-dapr", "scheduler", "notifier-dapr"} {
		if err := s.Start(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	lagging("who is back catches up", func(all topics.Lags) bool {
		scheduler, notifier := group(all, proto.Scheduler, proto.Tasks), group(all, proto.Notifier, proto.Tasks)
		return len(scheduler) == 1 && scheduler[0].Members == 1 && scheduler[0].Behind == 0 &&
			len(notifier) == 1 && notifier[0].Behind == 0 && all.Left[proto.Notifier] == 1
	})
	s.check([]*person{ann}, time.Minute)
}
