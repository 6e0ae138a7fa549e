package ws_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/hub/hubtest"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/ws"
)

// refused expects an answer instead of an upgrade, as problem+json.
func (w *world) refused(path string, header http.Header, status int) {
	w.t.Helper()
	conn, res, err := w.try(path, header)
	if err == nil {
		_ = conn.Close()
		w.t.Errorf("%s %v is taken, want %d", path, header, status)
		return
	}
	if res == nil {
		w.t.Errorf("%s: %v", path, err)
		return
	}
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != status || res.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(string(body), `"detail"`) {
		w.t.Errorf("%s %v: %d %s %s, want %d", path, header, res.StatusCode, res.Header.Get("Content-Type"), body, status)
	}
	if status == http.StatusServiceUnavailable && res.Header.Get("Retry-After") == "" {
		w.t.Error("503 without Retry-After")
	}
}

func TestARequestThatIsWrongIsRefusedBeforeTheUpgrade(t *testing.T) {
	t.Parallel()
	w := outside(t, settings{})
	token := mint(t, "ann", time.Hour)
	for _, since := range []string{"", "-1", "x", "1.5", "9223372036854775808", "1e3", "0x10", "1&since=2"} {
		w.refused(path("ann", "?since="+since), bearer(token), http.StatusBadRequest)
	}
	for name, origins := range map[string][]string{
		"another page": {"https://evil.example"}, "another scheme": {"http://app.example.org"},
		"another port": {page + ":8443"}, "a page that begins like ours": {page + ".evil.example"},
		"null": {"null"}, "nothing": {""}, "two": {page, page},
	} {
		t.Log(name)
		header := bearer(token)
		header["Origin"] = origins
		w.refused(path("ann", ""), header, http.StatusForbidden)
	}
	for _, origin := range []string{page, "HTTPS://APP.example.org"} {
		header := bearer(token)
		header.Set("Origin", origin)
		w.client(path("ann", ""), header).wants("hello")
	}
	res, err := http.Get("http://" + w.addr + path("ann", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusBadRequest || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("a request without an upgrade: %d", res.StatusCode)
	}
}

func TestPlacesAreLimitedAndGivenBack(t *testing.T) {
	t.Parallel()
	inside(t, settings{door: ws.Options{MaxConnections: 3, MaxWaiting: 2}}, func(t *testing.T, w *world) {
		strangers := []*client{w.client(path("ann", ""), nil), w.client(path("ann", ""), nil)}
		w.refused(path("ann", ""), nil, http.StatusServiceUnavailable)
		for _, s := range strangers {
			if code := s.code(); code != ws.BadToken.Number {
				t.Errorf("code %d", code)
			}
		}
		<-time.After(5 * time.Second) // The bubble's time.
		known := []*client{ann(t, w), ann(t, w), ann(t, w)}
		w.refused(path("ann", ""), bearer(mint(t, "ann", time.Hour)), http.StatusServiceUnavailable)
		_ = known[0].conn.Close()
		for w.server.Open() > 2 {
			<-time.After(time.Millisecond) // The bubble's time.
		}
		ann(t, w)
		if n := w.metric("taskflow_notifier_connections_refused_total", ""); n != 2 {
			t.Errorf("%g refusals counted", n)
		}
		if n := w.metric("taskflow_notifier_connections", ""); n != 3 {
			t.Errorf("%g connections counted", n)
		}
	})
}

func TestATokenMayComeInFourWays(t *testing.T) {
	t.Parallel()
	inside(t, settings{}, func(t *testing.T, w *world) {
		token := mint(t, "ann", time.Hour)
		for name, open := range map[string]func() *client{
			"query":  func() *client { return w.client(path("ann", "?token="+token), nil) },
			"header": func() *client { return w.client(path("ann", ""), bearer(token)) },
			"cookie": func() *client {
				return w.client(path("ann", ""), http.Header{"Cookie": {"taskflow_token=" + token}, "Origin": {page}})
			},
			"message": func() *client {
				c := w.client(path("ann", ""), nil)
				<-time.After(4 * time.Second) // The bubble's time.
				c.say(`{"type":"auth","token":"` + token + `"}`)
				c.wants("auth")
				return c
			},
			"a user whose name is escaped": func() *client {
				return w.client(path("a%40b.example", ""), bearer(mint(t, "a@b.example", time.Hour)))
			},
		} {
			t.Log(name)
			open().wants("hello")
		}
	})
}

func TestAnEventBecomesAFrameThatSaysNothingOfTheTask(t *testing.T) {
	t.Parallel()
	inside(t, settings{}, func(t *testing.T, w *world) {
		w.log.Add("ann", 41)
		c := w.client(path("ann", ""), bearer(mint(t, "ann", time.Hour)))
		other := ann(t, w) // Two connections share a prepared frame.
		if f := c.wants("hello"); f.Data.Sequence != 41 {
			t.Errorf("%s", f.raw)
		}
		e := w.log.Add("ann", 1)[0]
		e.Timestamp = event.Time{Time: time.Date(2026, 11, 22, 9, 0, 0, 123_000_000, time.UTC)}
		w.hub.Publish(e)
		const want = `{"type":"task.updated","data":{"event_id":"ann-42","task_id":"task-1","version":42,"changed":["title"]},"timestamp":"2026-11-22T09:00:00.123Z","sequence":42}`
		for _, c := range []*client{c, other} {
			if f := c.next(); f.raw != want {
				t.Errorf("%s\nwant\n%s", f.raw, want)
			}
		}
		_ = other.conn.Close()
		for w.server.Open() > 1 {
			<-time.After(time.Millisecond) // The bubble's time.
		}
		// One connection gets it unprepared, and the log's come the same way.
		w.log.Add("ann", 1)
		w.publish("ann", 1)
		for sequence := int64(43); sequence <= 44; sequence++ {
			if f := c.next(); f.Sequence != sequence || strings.Contains(f.raw, "secret") {
				t.Errorf("%s", f.raw)
			}
		}
		if n := w.metric("taskflow_notifier_frames_sent_total", "task.updated"); n != 4 {
			t.Errorf("%g frames counted", n)
		}
		if n := w.metric("taskflow_notifier_delivery_seconds", ""); n != 2 {
			t.Errorf("%g deliveries measured, want the two live ones", n)
		}
	})
}

func TestFramesSayWhichSeriesOrReminderAndNothingOfItsContents(t *testing.T) {
	t.Parallel()
	const deep = `"fields":{"title":"a secret title"},"start":"2026-11-23T09:00:00"`
	cases := []struct{ kind, data, want string }{
		{"series.created", `{` + deep + `}`, `{"event_id":"ann-1","series_id":"task-1","version":1}`},
		{"series.updated", `{"changed":["title","start"],` + deep + `}`, `{"event_id":"ann-2","series_id":"task-1","version":2,"changed":["title","start"]}`},
		{"series.ended", `{}`, `{"event_id":"ann-3","series_id":"task-1","version":3}`},
		{"series.resumed", `{}`, `{"event_id":"ann-4","series_id":"task-1","version":4}`},
		{"task.skipped", `{"skipped_at":"2026-11-22T09:00:00Z","series_id":"s"}`, `{"event_id":"ann-5","task_id":"task-1","version":5}`},
		{
			"reminder.fired", `{"minutes_before":30,"due_at":"2026-11-22T09:00:00Z","late":true,"late_seconds":3600}`,
			`{"event_id":"ann-6","task_id":"task-1","version":6,"minutes_before":30,"absolute":false,"late":true,"late_seconds":3600}`,
		},
		{
			"reminder.fired", `{"due_at":"2026-11-22T09:00:00Z","absolute":true}`,
			`{"event_id":"ann-7","task_id":"task-1","version":7,"minutes_before":0,"absolute":true,"late":false,"late_seconds":0}`,
		},
		{"reminder.fired", `{"minutes_before":"soon"}`, `{"event_id":"ann-8","task_id":"task-1","version":8}`},
	}
	inside(t, settings{}, func(t *testing.T, w *world) {
		c := ann(t, w)
		for _, one := range cases {
			e := w.log.Add("ann", 1)[0]
			e.Type, e.Data = one.kind, []byte(one.data)
			w.hub.Publish(e)
			f := c.wants(one.kind)
			if !strings.Contains(f.raw, `"data":`+one.want+`,"timestamp"`) {
				t.Errorf("%s\nwant\n%s", f.raw, one.want)
			}
		}
		if n := w.metric("taskflow_notifier_frames_sent_total", "reminder.fired"); n != 3 {
			t.Errorf("%g reminders counted", n)
		}
	})
}

func TestOfTheUsersOwnEventsItIsToldThatTheyHappened(t *testing.T) {
	t.Parallel()
	inside(t, settings{}, func(t *testing.T, w *world) {
		c := ann(t, w)
		e := hubtest.Event("ann", 7)
		e.Type, e.Data = "user.updated", []byte(`{"changed":["time_zone"],"time_zone":"Europe/Berlin"}`)
		w.hub.Tell(e)
		f := c.wants("user.updated")
		if strings.Contains(f.raw, "sequence") || strings.Contains(f.raw, "Berlin") || strings.Contains(f.raw, "task_id") {
			t.Errorf("%s", f.raw)
		}
		contains(t, f.raw, `"changed":["time_zone"]`, `"version":7`)
	})
}

func TestAClientMayAskAndIsAnswered(t *testing.T) {
	t.Parallel()
	inside(t, settings{}, func(t *testing.T, w *world) {
		c := ann(t, w)
		for range 100 { // Ten in each second.
			c.say(`{"type":"ping","unknown":{"member":1}}`)
			c.wants("pong")
			<-time.After(100 * time.Millisecond) // The bubble's time.
		}
		<-time.After(time.Second) // The bubble's time.
		c.say(`{"type":"subscribe"}`)
		if f := c.wants("error"); !strings.Contains(f.Data.Detail, "subscribe") {
			t.Errorf("%s", f.raw)
		}
	})
}

func TestAClientReturnsAndIsToldWhatItMissedOnceAndInOrder(t *testing.T) {
	t.Parallel()
	for _, first := range []int{0, 1, 64, 65, 500, 501, 10_000} {
		t.Run(fmt.Sprint(first, " missed"), func(t *testing.T) {
			t.Parallel()
			inside(t, settings{}, func(t *testing.T, w *world) {
				w.log.Add("ann", 3+first)
				c := w.client(path("ann", "?since=3"), bearer(mint(t, "ann", time.Hour)))
				if f := c.wants("hello"); f.Data.Sequence != int64(3+first) {
					t.Errorf("%s", f.raw)
				}
				// Live events fill the queue meanwhile, and some get lost.
				for range 200 {
					w.log.Add("ann", 1)
					w.publish("ann", 1)
				}
				c.events(4, int64(3+first+400))
			})
		})
	}
}

func TestRandomDisconnectsLoseNothing(t *testing.T) {
	t.Parallel()
	w := outside(t, settings{})
	const events, visits = 10_000, 100
	token := mint(t, "ann", time.Hour)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := rand.New(rand.NewPCG(1, 2))
		for range events {
			for _, e := range w.log.Add("ann", 1) {
				switch r.IntN(20) {
				case 0: // lost
				case 1: // twice
					w.hub.Publish(e)
					w.hub.Publish(e)
				default:
					w.hub.Publish(e)
				}
			}
		}
	}()
	r := rand.New(rand.NewPCG(3, 4))
	var last int64
	read := func(c *client, n int) {
		for range n {
			f := c.next()
			if f.Sequence != last+1 {
				t.Fatalf("%s after %d", f.raw, last)
			}
			last = f.Sequence
		}
	}
	for range visits {
		c := w.client(path("ann", fmt.Sprint("?since=", last)), bearer(token))
		f := c.wants("hello")
		read(c, min(r.IntN(120), int(f.Data.Sequence-last)))
		_ = c.conn.Close()
	}
	<-done
	c := w.client(path("ann", fmt.Sprint("?since=", last)), bearer(token))
	c.wants("hello")
	read(c, events-int(last))
}

func TestAPlaceTheLogDoesNotReachMeansResync(t *testing.T) {
	t.Parallel()
	inside(t, settings{}, func(t *testing.T, w *world) {
		w.log.Add("ann", 10)
		w.log.Prune("ann", 5)
		for _, since := range []string{"4", "11", "9223372036854775807"} {
			c := w.client(path("ann", "?since="+since), bearer(mint(t, "ann", time.Hour)))
			c.wants("hello")
			if f := c.wants("resync"); f.Data.Sequence != 10 {
				t.Errorf("since %s: %s", since, f.raw)
			}
			_ = c.conn.Close()
		}
		c := w.client(path("ann", "?since=4"), bearer(mint(t, "ann", time.Hour)))
		c.wants("hello")
		c.wants("resync")
		w.publish("ann", 1)
		c.events(11, 11)
	})
}

func TestOneUserNeverSeesAnothersEvents(t *testing.T) {
	t.Parallel()
	inside(t, settings{}, func(t *testing.T, w *world) {
		users := []string{"ann", "bob", "eve"}
		clients := map[string]*client{}
		for _, user := range users {
			clients[user] = w.client(path(user, ""), bearer(mint(t, user, time.Hour)))
			clients[user].wants("hello")
		}
		for range 100 {
			for _, user := range users {
				w.publish(user, 1)
			}
		}
		for _, user := range users {
			for sequence := range int64(100) {
				if f := clients[user].next(); f.Data.EventID != fmt.Sprintf("%s-%d", user, sequence+1) {
					t.Fatalf("%s got %s", user, f.raw)
				}
			}
		}
	})
}

func TestWithoutTheDatabaseAConnectionStaysAndCatchesUpLater(t *testing.T) {
	t.Parallel()
	inside(t, settings{}, func(t *testing.T, w *world) {
		c := ann(t, w)
		w.log.Fail(errors.New("down"))
		late := w.client(path("ann", "?since=0"), bearer(mint(t, "ann", time.Hour)))
		events := w.log.Add("ann", 4)
		w.hub.Publish(events[0])
		c.events(1, 1)
		w.hub.Publish(events[2])       // A hole.
		<-time.After(90 * time.Second) // The bubble's time. Pings go on, or the clients would be gone.
		select {
		case f := <-c.frames:
			t.Errorf("%s in spite of a hole", f.raw)
		case f := <-late.frames:
			t.Errorf("%s without a database", f.raw)
		default:
		}
		w.log.Fail(nil)
		late.wants("hello")
		late.events(1, 4)
		c.events(2, 4)
	})
}

// careless is a verifier with a bug.
type careless struct{ ws.Verifier }

func (c careless) Verify(ctx context.Context, raw string) (auth.Claims, error) {
	if raw == "boom" {
		panic("a bug")
	}
	return c.Verifier.Verify(ctx, raw)
}

func TestACrashInOneConnectionIsOnlyItsOwn(t *testing.T) {
	t.Parallel()
	verifier, err := auth.New(auth.Config{Secret: config.NewSecret(secret)})
	if err != nil {
		t.Fatal(err)
	}
	inside(t, settings{door: ws.Options{Verifier: careless{verifier}}}, func(t *testing.T, w *world) {
		c := ann(t, w)
		if code := w.client(path("bob", "?token=boom"), nil).code(); code != ws.Failed.Number {
			t.Errorf("a crash while writing: code %d", code)
		}
		other := w.client(path("bob", ""), nil)
		other.say(`{"type":"auth","token":"boom"}`)
		if code := other.code(); code != ws.Failed.Number {
			t.Errorf("a crash while reading: code %d", code)
		}
		w.publish("ann", 1)
		c.events(1, 1)
	})
}
