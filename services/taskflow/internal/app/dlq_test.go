package app_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/deadletter"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/sidecar"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/proto"
	taskv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/task/v1"
)

// letters are dead letters of scheduler: two events, in their order, and a record that is none.
func letters(t *testing.T, url string) (events []event.Envelope) {
	t.Helper()
	db := testkit.OpenPostgresAt(t, url)
	recorder := deadletter.New(db, deadletter.Options{Consumer: proto.Scheduler, Topics: []proto.Topic{proto.Tasks}})
	dies := func(key, place string, record []byte) {
		t.Helper()
		if err := recorder.Subscriptions(sidecar.Dapr{})[0].Handle(t.Context(), sidecar.Delivery{Key: key, Place: place, Data: record}); err != nil {
			t.Fatal(err)
		}
	}
	for i, user := range []string{"ann", "bob"} {
		err := db.Transaction(t.Context(), func(tx *postgres.Tx) error {
			return tx.Append(event.New(proto.TaskCreated, time.Now(), user, event.NewID(), 1, &taskv1.TaskCreated{}))
		})
		if err != nil {
			t.Fatal(err)
		}
		all, err := postgres.NewLog(db).Since(t.Context(), user, proto.Tasks, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		e := all[0]
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		recorder.NotHandled(t.Context(), sidecar.Delivery{Topic: proto.Tasks, ID: e.ID, Type: e.Type, Key: user, Data: data},
			sidecar.Failure{Kind: "conflict", Reason: "the series of " + user + " has ended"})
		dies(user, fmt.Sprint("0/", i), fmt.Appendf(nil, `{"id":%q,"type":%q,"datacontenttype":"application/json","data":%s}`, e.ID, e.Type, data))
		events = append(events, e)
	}
	dies("eve", "0/2", []byte("no JSON \x1b[2J"))
	return events
}

func TestDeadLettersAreShownSentAgainAndSetAside(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	events := letters(t, url)
	says := func(want []string, args ...string) string {
		t.Helper()
		out, err := run(t, append([]string{"dlq", "--database-url", url}, args...)...)
		if err != nil {
			t.Errorf("%v: %v", args, err)
		}
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%v says\n%s\nwithout %q", args, out, w)
			}
		}
		return out
	}
	out := says([]string{events[0].ID, events[1].ID, "conflict: the series of ann has ended", "unread: ", "task.created"}, "list")
	if n := strings.Count(out, "\n"); n != 4 {
		t.Errorf("the list has %d lines:\n%s", n, out)
	}
	for _, filter := range [][]string{
		{"--reason", "SERIES of ann"}, {"--user", "ann", "--consumer", "scheduler", "--topic", "tasks.events", "--kind", "conflict", "--since", "1h"},
	} {
		if out := says([]string{events[0].ID}, append([]string{"list"}, filter...)...); strings.Count(out, "\n") != 2 {
			t.Errorf("%v selects\n%s", filter, out)
		}
	}
	says([]string{"no dead letters"}, "list", "--until", "1h")
	var listed []deadletter.Letter
	if err := json.Unmarshal([]byte(says(nil, "list", "-o", "json", "--user", "eve")), &listed); err != nil || len(listed) != 1 {
		t.Fatalf("%d letters in JSON, %v", len(listed), err)
	}
	says([]string{"taskflow dlq retry " + events[0].ID, "1", "the series of ann"}, "show", events[0].ID)
	// What somebody else wrote does not drive the terminal.
	if out := says([]string{`no JSON \x1b[2J`, "not possible: it is no event"}, "show", listed[0].ID); strings.Contains(out, "\x1b") {
		t.Errorf("shown as %q", out)
	}
	says([]string{`"record": "bm8g`, `"cannot_retry": "it is no event"`}, "show", listed[0].ID, "-o", "json")

	says([]string{"2 dead letters would be sent again, as 2 events", "1 cannot be sent again; `taskflow dlq show ID`"}, "retry", "--all", "--dry-run")
	says([]string{"1 dead letters are sent again, as 1 events"}, "retry", "--user", "ann")
	says([]string{`"letters": 1`, `"cannot_retry": 1`}, "retry", "--consumer", "scheduler", "-o", "json")
	says([]string{"0 dead letters are sent again"}, "retry", "--consumer", "scheduler")
	var waiting []string
	err := testkit.OpenPostgresAt(t, url).Transaction(t.Context(), func(tx *postgres.Tx) error {
		taken, err := tx.Take(postgres.Shards, 10)
		for _, e := range taken {
			waiting = append(waiting, e.Envelope.ID)
		}
		return err
	})
	// Each was there since it happened, and is once more.
	if err != nil || len(waiting) != 4 {
		t.Errorf("in the outbox are %v (%v)", waiting, err)
	}
	says([]string{"1 dead letters would be set aside"}, "discard", "--kind", "unread", "--dry-run")
	says([]string{"1 dead letters are set aside"}, "discard", "--kind", "unread")
	says([]string{`"letters": 1`}, "discard", events[0].ID, "-o", "json")
	if out := says([]string{events[1].ID, "retried"}, "list"); strings.Count(out, "\n") != 2 {
		t.Errorf("left are\n%s", out)
	}
	if out := says([]string{"discarded", "retried"}, "list", "--state", "all"); strings.Count(out, "\n") != 4 {
		t.Errorf("all are\n%s", out)
	}
}

func TestMistakesAboutDeadLettersAreExplained(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	for name, c := range map[string]struct {
		args []string
		says []string
	}{
		"everything, unmeant":         {[]string{"retry"}, []string{"--all", "dlq list"}},
		"everything, set aside":       {[]string{"discard"}, []string{"--all"}},
		"all and a filter":            {[]string{"retry", "--all", "--user", "ann"}, []string{"leave it out"}},
		"several at once":             {[]string{"list", "--consumer", "web", "--topic", "x", "--since", "soon"}, []string{"mcp-tools", "tasks.scheduling", "2h"}},
		"a state that is none":        {[]string{"list", "--state", "gone"}, []string{"discarded"}},
		"a format that is none":       {[]string{"show", event.NewID(), "-o", "xml"}, []string{"json"}},
		"an id that is not there":     {[]string{"show", event.NewID()}, []string{"no dead letter"}},
		"an id that is none":          {[]string{"retry", "all"}, []string{"expected a UUID"}},
		"one to set aside, not there": {[]string{"discard", event.NewID()}, []string{"no dead letter"}},
		"too many":                    {[]string{"list", "--limit", "501"}, []string{"500"}},
		"nothing to show":             {[]string{"show"}, []string{"accepts 1 arg"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := run(t, append([]string{"dlq", "--database-url", url}, c.args...)...)
			for _, want := range c.says {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("says %v, without %q", err, want)
				}
			}
		})
	}
}

func TestAShellCompletesDeadLetters(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	events := letters(t, url)
	for want, args := range map[string][]string{
		events[0].ID + "\tdead scheduler task.created: the series of ann has ended": {"retry", "--database-url", url, ""},
		"timeout":   {"list", "--kind", ""},
		"mcp-tools": {"discard", "--consumer", ""},
		"failing":   {"list", "--state", ""},
	} {
		out, err := run(t, append([]string{"__complete", "dlq"}, args...)...)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%v completes to %q (%v), without %q", args, out, err, want)
		}
	}
}
