//go:build cluster

package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"

	"github.com/taskflow-suite/taskflow/services/internal/client"
	"github.com/taskflow-suite/taskflow/services/internal/storm"
)

// The load under which everything is broken.
const (
	people    = 10
	windows   = 5 // of each
	talkers   = 2
	perSecond = 50
	// arrives is within which time everything has arrived once all parts are back.
	arrives = 3 * time.Minute
)

// pause is a wait that is part of the experiment: for how long a part is down or a load runs.
func pause(d time.Duration) { <-time.After(d) }

// user is a client of one user behind the origin.
func (r *release) user(t testing.TB, id string) *client.Client {
	t.Helper()
	if r.jwtSecret == "" {
		r.jwtSecret = r.secret(t, "task-api", "JWT_SECRET")
	}
	token, err := auth.Mint(r.jwtSecret, id, 3*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return r.client(id, token)
}

func (r *release) client(id, token string) *client.Client {
	return &client.Client{
		API: r.origin, WS: "ws" + strings.TrimPrefix(r.origin, "http"), UserID: id, Token: token,
		HTTP: client.NewHTTP(16, 10*time.Second),
	}
}

// used are the people who use the release during an experiment.
type used struct {
	r       *release
	people  []*storm.Person
	talkers []*storm.Person
	load    *storm.Load
	talk    *storm.Talk
	letters map[string]string
}

// use has people create tasks and others talk to the agent, all with windows open, until check.
func (r *release) use(t *testing.T) *used {
	t.Helper()
	u := &used{r: r, letters: r.deadLetters(t)}
	run := event.NewID()
	for i := range people {
		id := r.user(t, fmt.Sprintf("%s-%d", run, i))
		var open []*client.Client
		for range windows {
			open = append(open, id) // a client may have many windows
		}
		u.people = append(u.people, storm.Open(t, id, open...))
	}
	var talking []*client.Client
	for i := range talkers {
		id := r.user(t, fmt.Sprintf("%s-talks-%d", run, i))
		id.HTTP = client.NewHTTP(4, 2*time.Minute)
		u.talkers = append(u.talkers, storm.Open(t, id, id))
		talking = append(talking, id)
	}
	u.load, u.talk = storm.Create(u.people, perSecond), storm.Say(talking, 2*time.Second) // for more than six minutes
	pause(5 * time.Second)                                                                // before anything breaks, it works
	return u
}

// check ends the load and proves that nobody lost anything, and that nothing is left behind.
func (u *used) check(t *testing.T) {
	t.Helper()
	if err := u.load.Stop(); err != nil {
		t.Errorf("a client that tries again saw a failure: %v", err)
	}
	tasks, err := u.talk.Stop(t.Context())
	if err != nil {
		t.Errorf("talking to the agent: %v", err)
	}
	for _, p := range u.talkers {
		for _, id := range tasks[p.UserID] {
			p.Made(id)
		}
	}
	if u.talk.Messages() == 0 {
		t.Error("nobody talked: the test shows nothing")
	}
	connects := 0
	stopped := time.Now()
	storm.Check(t, append(u.talkers, u.people...), arrives)
	for _, p := range u.people {
		for _, w := range p.Windows {
			connects += w.Connects()
		}
	}
	t.Logf("%s; %d messages to the agent; %d windows connected %d times; all was there %s after the end",
		u.load, u.talk.Messages(), people*windows, connects, time.Since(stopped).Round(time.Millisecond))
	u.r.clean(t, u.letters)
}

// clean proves that no event waits, that the events alone give the tables, and that there are no more dead letters than
// there were.
func (r *release) clean(t *testing.T, letters map[string]string) {
	t.Helper()
	db := r.database(t)
	conn, err := pgx.Connect(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	storm.Eventually(t, arrives, func() error {
		var waiting int
		err := conn.QueryRow(t.Context(), "SELECT count(*) FROM outbox").Scan(&waiting)
		if err == nil && waiting > 0 {
			err = fmt.Errorf("%d events wait in the outbox", waiting)
		}
		return err
	})
	result, err := taskstore.Verify(t.Context(), db)
	if err != nil {
		t.Fatalf("rebuild: %v", err)
	}
	for _, d := range result.Differences {
		t.Errorf("rebuild: %s", d)
	}
	t.Logf("rebuilt %d tasks from %d events: %d differences", result.Tasks, result.Events, len(result.Differences))
	for topic, records := range r.deadLetters(t) {
		if letters[topic] != records {
			t.Errorf("%s has %s records and had %s", topic, records, letters[topic])
		}
	}
}

// deadLetters is how many records each dead-letter topic has.
func (r *release) deadLetters(t testing.TB) map[string]string {
	t.Helper()
	listed := r.command(t, "topics", "list")
	records := map[string]string{}
	for line := range strings.Lines(listed) {
		if fields := strings.Fields(line); len(fields) > 3 && strings.HasSuffix(fields[0], ".dlq") {
			records[fields[0]] = fields[3]
		}
	}
	if len(records) == 0 {
		t.Fatalf("no dead-letter topic is listed:\n%s", listed)
	}
	return records
}

// database is the URL of the release's Postgres as it is reached from here, while the test runs.
func (r *release) database(t testing.TB) string {
	t.Helper()
	u, err := url.Parse(r.secret(t, "taskflow-jobs", "DATABASE_URL"))
	if err != nil {
		t.Fatal(errors.New("DATABASE_URL of taskflow-jobs is not a URL"))
	}
	u.Host = r.forward(t, "service/postgres", 5432)
	return u.String()
}

// command runs the command `taskflow` in the cluster, as the jobs do, and returns what it printed.
func (r *release) command(t testing.TB, args ...string) string {
	t.Helper()
	out, err := r.tryKubectl(t, commandPod(r.imageOf(t), args), "create", "-o", "name", "-f", "-")
	if err != nil {
		t.Fatal(err)
	}
	pod := strings.TrimSpace(out)
	defer r.kubectl(t, "delete", pod, "--wait=false")
	r.kubectl(t, "wait", pod, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=90s", "--request-timeout=0")
	return r.kubectl(t, "logs", pod)
}

// imageOf is the image of the command, as the services' pods wait with it.
func (r *release) imageOf(t testing.TB) string {
	t.Helper()
	for _, c := range r.onePod(t, "task-api").Spec.InitContainers {
		if c.Name == "wait" {
			return c.Image
		}
	}
	t.Fatal("the pod of task-api has no container that waits")
	return ""
}

// ask sends a request to the origin and returns the answer, closed with the test.
func (r *release) ask(t testing.TB, c *http.Client, method, path, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.origin+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", r.origin)
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}
