package e2e_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/stack"
)

// leaves has somebody leave text everywhere people can.
func (c *chatter) leaves(secret string) {
	c.t.Helper()
	ctx := c.t.Context()
	do := func(method, path, key string, in, out any) {
		c.t.Helper()
		if err := c.Do(ctx, method, path, key, in, out); err != nil {
			c.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	var made, trashed apiTask
	do(http.MethodPost, "/tasks", "key-"+secret, map[string]any{
		"title": "title " + secret, "description": "description " + secret, "tags": []string{"tag-" + secret},
		"due_date": time.Now().AddDate(0, 0, 2).UTC().Format(time.RFC3339), "reminders": []int{10}, "recurrence": "daily",
	}, &made)
	do(http.MethodPost, "/tasks", "", map[string]any{"title": "trashed " + secret}, &trashed)
	do(http.MethodDelete, "/tasks/"+trashed.ID, "", nil, nil)
	do(http.MethodPatch, "/tasks/"+made.ID+"/complete", "", map[string]any{"completed": true}, nil)
	do(http.MethodPut, "/profile", "", map[string]any{"time_zone": "Europe/Oslo"}, nil)
	do(http.MethodPost, "/tokens", "", map[string]any{"name": "token " + secret, "scope": "read"}, nil)
	c.says("add " + secret + " to my tasks")
	c.says("delete " + secret) // which asks first, and keeps the question
}

// asked is where the agent's sidecar keeps what waits for the user's word. It is gone within a day, whoever deletes what: no
// service but the agent can reach it, and the agent hears of no event.
const asked = "public.dapr_state"

// left names the tables in which a text is, in whatever schema, with how many rows.
func left(t *testing.T, conn *pgx.Conn, text string) map[string]int {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if len(tables) < 17 {
		t.Fatalf("there are only the tables %v", tables)
	}
	found := map[string]int{}
	for _, table := range tables {
		var n int
		// Bytes are shown in hexadecimal.
		query := "SELECT count(*) FROM " + table + " x WHERE strpos(x::text, $1) > 0 OR strpos(x::text, $2) > 0"
		if err := conn.QueryRow(t.Context(), query, text, hex.EncodeToString([]byte(text))).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			found[table] = n
		}
	}
	return found
}

func TestOfAForgottenUserNothingIsLeftButTheTombstone(t *testing.T) {
	t.Parallel()
	s := start(t, stack.Default()...)
	ann, eve := s.chatter("ann-who-leaves"), s.chatter("eve-who-stays")
	const anns, eves = "xyzzyplugh", "frobnicate"
	ann.leaves(anns)
	eve.leaves(eves)
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	// A dead letter keeps what was in the record.
	if _, err := conn.Exec(t.Context(), `INSERT INTO dead_letters (consumer, topic, id, user_id, event_type, correlation_id, reason, kind, attempts, first_seen, last_seen, deaths, place, record)
		VALUES ('scheduler', 'tasks.events', gen_random_uuid(), $1, '', '', '', 'invalid', 1, now(), now(), 0, '', convert_to($2, 'UTF8'))`, ann.UserID, anns); err != nil {
		t.Fatal(err)
	}
	s.drained(30 * time.Second)
	if before := left(t, conn, anns); len(before) < 6 || before["public.tasks"] == 0 || before["public.messages"] == 0 || before["public.tool_invocations"] == 0 || before["public.dead_letters"] == 0 {
		t.Fatalf("before, ann's text is in %v", before)
	}
	remains := left(t, conn, eves)
	heads := map[string]int64{}
	rows, err := conn.Query(t.Context(), "SELECT topic, value FROM sequences WHERE user_id = $1", ann.UserID)
	if err != nil {
		t.Fatal(err)
	}
	var topic string
	var value int64
	if _, err := pgx.ForEachRow(rows, []any{&topic, &value}, func() error { heads[topic] = value; return nil }); err != nil {
		t.Fatal(err)
	}

	if err := ann.Do(t.Context(), http.MethodDelete, "", "", nil, nil); err != nil {
		t.Fatal(err)
	}
	s.drained(30 * time.Second)
	after := left(t, conn, anns)
	delete(after, asked)
	if len(after) > 0 {
		t.Errorf("ann's text is left in %v", after)
	}
	want := map[string]int{"public.sequences": len(heads), "public.events": 1} // that she was deleted
	after = left(t, conn, ann.UserID)
	delete(after, asked)
	if fmt.Sprint(after) != fmt.Sprint(want) {
		t.Errorf("ann is left in %v, want %v", after, want)
	}
	var lasting int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM "+asked+" x WHERE strpos(x::text, $1) > 0 AND coalesce(expires_at, 'infinity') > now() + interval '25 hours'", ann.UserID).Scan(&lasting); err != nil || lasting > 0 {
		t.Errorf("%d questions to ann outlast the day (%v)", lasting, err)
	}
	if now := left(t, conn, eves); fmt.Sprint(now) != fmt.Sprint(remains) {
		t.Errorf("eve's text was in %v and is in %v", remains, now)
	}

	// She comes back: what she does is numbered behind the tombstone.
	if err := ann.Do(t.Context(), http.MethodPost, "/tasks", "", map[string]any{"title": "a new life"}, nil); err != nil {
		t.Fatal(err)
	}
	for topic, head := range heads {
		var erased, first int64
		err := conn.QueryRow(t.Context(), `SELECT erased_through, coalesce((SELECT min(sequence) FROM events e WHERE e.user_id = s.user_id AND e.topic = s.topic), erased_through + 1)
			FROM sequences s WHERE user_id = $1 AND topic = $2`, ann.UserID, topic).Scan(&erased, &first)
		if err != nil || erased < head || first != erased+1 {
			t.Errorf("%s: erased through %d, which was at %d, and goes on at %d (%v)", topic, erased, head, first, err)
		}
	}
	s.drained(30 * time.Second)
	s.rebuilt()
	db, err := postgres.Open(t.Context(), postgres.At(s.DatabaseURL()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	v, err := db.VerifyChains(t.Context(), postgres.Chain{})
	if err != nil || v.Broken > 0 || v.Erased != len(heads) {
		t.Errorf("%+v, %v", v, err)
	}
	if said := strings.Join(titles(ann.tasks(false)), ", "); said != "a new life" {
		t.Errorf("ann has %s", said)
	}
}

func titles(tasks []apiTask) []string {
	var all []string
	for _, t := range tasks {
		all = append(all, t.Title)
	}
	return all
}
