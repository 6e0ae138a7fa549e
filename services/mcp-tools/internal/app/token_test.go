package app

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/postgres/tokenstore"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// TestAPITokensComeInOverHTTPWithTheirScope makes tokens in the database, as task-api does.
func TestAPITokensComeInOverHTTPWithTheirScope(t *testing.T) {
	t.Parallel()
	database := testkit.Postgres(t)
	r := start(t, nil, database, nil)
	origin := "http://" + r.addr
	call(t, overHTTP(t, origin, "ann"), agenttools.AddTasks, titled("hers"))

	store := tokenstore.New(testkit.OpenPostgresAt(t, database), time.Now)
	made := func(scope auth.Scope) (auth.APIToken, string) {
		token, raw, err := auth.NewAPIToken("ann", "a client", scope, 1, time.Now())
		if err == nil {
			err = store.Add(t.Context(), token)
		}
		if err != nil {
			t.Fatal(err)
		}
		return token, raw.Reveal()
	}
	_, write := made(auth.Write)
	token, read := made(auth.Read)
	writer, reader := withToken(t, origin, write), withToken(t, origin, read)

	call(t, writer, agenttools.AddTasks, titled("by a script"))
	var found agenttools.Tasks
	if err := json.Unmarshal([]byte(call(t, reader, agenttools.FindTasks, nil)), &found); err != nil || len(found.Tasks) != 2 {
		t.Errorf("the reader finds %+v, %v", found, err)
	}
	said, failed := attempt(t, reader, agenttools.AddTasks, titled("not hers"))
	if !failed || !strings.Contains(said, "the API token in use may only read") || !strings.Contains(said, "scope write") {
		t.Errorf("the reader adds a task: %s", said)
	}
	if shown := names(t, reader); slices.Contains(shown, agenttools.AddTasks) || !slices.Contains(shown, agenttools.FindTasks) {
		t.Errorf("the reader is shown %v", shown)
	}
	if shown := names(t, writer); !slices.Contains(shown, agenttools.AddTasks) {
		t.Errorf("the writer is shown %v", shown)
	}

	if err := store.Revoke(t.Context(), "ann", token.ID); err != nil {
		t.Fatal(err)
	}
	header := http.Header{
		"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, "Authorization": {"Bearer " + read},
	}
	testkit.Eventually(t, "the end of the revoked token", func(context.Context) (bool, any) {
		status, body := ask(t, "POST", origin+"/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`), header)
		if strings.Contains(body, read) {
			t.Errorf("it says %s", body)
		}
		return status == http.StatusUnauthorized && strings.Contains(body, "revoked"), body
	})
}
