package app_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/pkg/telemetry"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
)

// logged writes what a service says of a correlation id into a file of a directory, which it returns.
func logged(t *testing.T, correlation string) string {
	t.Helper()
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "task-api.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	handler, err := telemetry.NewHandler(file, proto.TaskAPI, "info")
	if err != nil {
		t.Fatal(err)
	}
	ctx := telemetry.WithCorrelation(t.Context(), correlation)
	slog.New(handler).InfoContext(ctx, "request", "method", "POST", "route", "/api/:user_id/tasks", "status", 201)
	return dir
}

func TestTraceShowsTheWayOfAChange(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	db := testkit.OpenPostgresAt(t, url)
	correlation := uuid.Must(uuid.NewV7()).String()
	ctx := telemetry.WithCorrelation(t.Context(), correlation)
	if _, _, err := task.NewService(taskstore.New(db), time.Now).Create(ctx, "ann", task.Idempotency{}, nil, task.Fields{Title: "a private title"}); err != nil {
		t.Fatal(err)
	}
	logs := logged(t, correlation)

	out, err := run(t, "trace", correlation, "--database-url", url, "--logs", logs)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{correlation + ": ", "user ann", "task.created", "not published yet", "route=/api/:user_id/tasks", "SINCE LAST"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "private") {
		t.Errorf("what people wrote is shown:\n%s", out)
	}

	out, err = run(t, "trace", correlation, "--database-url", url, "--json")
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Correlation string `json:"correlation_id"`
		Steps       []struct {
			Source, What string
			EventID      string `json:"event_id"`
		}
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil || found.Correlation != correlation || len(found.Steps) < 2 {
		t.Fatalf("%v: %s", err, out)
	}

	events, err := postgres.NewLog(db).Since(t.Context(), "ann", proto.Tasks, 0, 10)
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"the id of an event":                {[]string{events[0].ID}, "taskflow trace " + correlation},
		"an id that nobody knows":           {[]string{"nobody"}, "--since"},
		"another time":                      {[]string{correlation, "--since", "2020-01-01"}, "nothing is known"},
		"logs that do not have it either":   {[]string{"nobody", "--logs", logs}, "nor do the logs"},
		"logs that are not there":           {[]string{correlation, "--logs", filepath.Join(logs, "none")}, "--logs"},
		"a time that is none":               {[]string{correlation, "--since", "yesterday"}, "2026-11-01"},
		"no time":                           {[]string{correlation, "--within", "0s"}, "--within"},
		"no id":                             {nil, "accepts 1 arg"},
		"an id that is too long to be ours": {[]string{strings.Repeat("x", 201)}, "200 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := run(t, append([]string{"trace", "--database-url", url}, c.args...)...)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("says %v, should mention %q", err, c.says)
			}
		})
	}
}
