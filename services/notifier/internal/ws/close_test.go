package ws_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/hub"
	"github.com/taskflow-suite/taskflow/services/notifier/internal/ws"
)

// ending is a way a connection ends.
type ending struct {
	code     ws.Code
	settings settings
	// live opens the connection and does what ends it.
	live func(t *testing.T, w *world) *client
}

// ann opens ann's connection and reads its hello.
func ann(t *testing.T, w *world) *client {
	t.Helper()
	c := w.client(path("ann", ""), bearer(mint(t, "ann", time.Hour)))
	c.wants("hello")
	return c
}

func says(kind int, text string) func(t *testing.T, w *world) *client {
	return func(t *testing.T, w *world) *client {
		c := ann(t, w)
		if err := c.conn.WriteMessage(kind, []byte(text)); err != nil {
			t.Fatal(err)
		}
		return c
	}
}

func with(query string, header http.Header) func(t *testing.T, w *world) *client {
	return func(_ *testing.T, w *world) *client { return w.client(path("ann", query), header) }
}

// unsure cannot reach whoever knows about tokens.
type unsure struct{}

func (unsure) Verify(context.Context, string) (auth.Claims, error) {
	return auth.Claims{}, errs.New(errs.Unavailable, "no keys")
}

var endings = map[string]ending{
	"a token that is none":  {ws.BadToken, settings{}, with("?token=nonsense", nil)},
	"a header that is none": {ws.BadToken, settings{}, with("", bearer("nonsense"))},
	"a cookie that is none": {ws.BadToken, settings{}, with("", http.Header{"Cookie": {"taskflow_token=nonsense"}})},
	"a bad token in the query and a good one in the cookie": {ws.BadToken, settings{}, func(t *testing.T, w *world) *client {
		return w.client(path("ann", "?token=nonsense"), http.Header{"Cookie": {"taskflow_token=" + mint(t, "ann", time.Hour)}})
	}},
	"a token that expired long ago": {ws.BadToken, settings{}, func(t *testing.T, w *world) *client {
		token := mint(t, "ann", time.Second)
		<-time.After(time.Hour) // The bubble's time.
		return w.client(path("ann", ""), bearer(token))
	}},
	"a first message that is not auth": {ws.BadToken, settings{}, func(_ *testing.T, w *world) *client {
		c := w.client(path("ann", ""), nil)
		c.say(`{"type":"ping"}`)
		return c
	}},
	"an auth message without a token": {ws.BadToken, settings{}, func(_ *testing.T, w *world) *client {
		c := w.client(path("ann", ""), nil)
		c.say(`{"type":"auth"}`)
		return c
	}},
	"another user's token": {ws.WrongUser, settings{}, func(t *testing.T, w *world) *client {
		return w.client(path("ann", ""), bearer(mint(t, "bob", time.Hour)))
	}},
	"another user's token in a message": {ws.WrongUser, settings{}, func(t *testing.T, w *world) *client {
		c := w.client(path("ann", ""), nil)
		c.say(`{"type":"auth","token":"` + mint(t, "bob", time.Hour) + `"}`)
		return c
	}},
	"another user's token later": {ws.WrongUser, settings{}, func(t *testing.T, w *world) *client {
		c := ann(t, w)
		c.say(`{"type":"auth","token":"` + mint(t, "bob", time.Hour) + `"}`)
		return c
	}},
	"nobody knows whether the token is good": {ws.Failed, settings{door: ws.Options{Verifier: unsure{}}}, with("?token=x", nil)},
	"a binary frame":                         {ws.Binary, settings{}, says(websocket.BinaryMessage, `{"type":"ping"}`)},
	"not UTF-8":                              {ws.NotText, settings{}, says(websocket.TextMessage, "{\"type\":\"\xff\"}")},
	"not JSON":                               {ws.NotText, settings{}, says(websocket.TextMessage, `ping`)},
	"an empty message":                       {ws.NotText, settings{}, says(websocket.TextMessage, ``)},
	"JSON that is no object":                 {ws.NotText, settings{}, says(websocket.TextMessage, `[1]`)},
	"an object without a type":               {ws.NotText, settings{}, says(websocket.TextMessage, `{}`)},
	"a type that is a number":                {ws.NotText, settings{}, says(websocket.TextMessage, `{"type":1}`)},
	"a message over 4 KB": {ws.TooBig, settings{}, func(t *testing.T, w *world) *client {
		c := ann(t, w)
		// The rest of the message may find a closed connection.
		_ = c.conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"`+strings.Repeat("x", 4096)+`"}`))
		return c
	}},
	"a message over 4 KB in small fragments": {ws.TooBig, settings{}, func(t *testing.T, w *world) *client {
		c := ann(t, w)
		out, err := c.conn.NextWriter(websocket.TextMessage)
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			if _, err := out.Write([]byte(strings.Repeat("x", 1000))); err != nil {
				break
			}
		}
		return c
	}},
	"a frame without a mask": {ws.Protocol, settings{}, func(t *testing.T, w *world) *client {
		c := ann(t, w)
		if _, err := c.conn.NetConn().Write([]byte{0x81, 0x02, '{', '}'}); err != nil {
			t.Fatal(err)
		}
		return c
	}},
	"a frame with reserved bits": {ws.Protocol, settings{}, func(t *testing.T, w *world) *client {
		c := ann(t, w)
		if _, err := c.conn.NetConn().Write([]byte{0xf1, 0x80, 0, 0, 0, 0}); err != nil {
			t.Fatal(err)
		}
		return c
	}},
	"eleven messages in a second": {ws.TooMany, settings{}, func(t *testing.T, w *world) *client {
		c := ann(t, w)
		for range 11 {
			c.say(`{"type":"ping"}`)
		}
		return c
	}},
	"eleven ping frames in a second": {ws.TooMany, settings{}, func(t *testing.T, w *world) *client {
		c := ann(t, w)
		for range 11 {
			if err := c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		return c
	}},
	"one connection too many": {ws.TooManyConns, settings{hub: hub.Options{PerUser: 2}}, func(t *testing.T, w *world) *client {
		ann(t, w)
		ann(t, w)
		return w.client(path("ann", ""), bearer(mint(t, "ann", time.Hour)))
	}},
	"the account is deleted": {ws.Deleted, settings{}, func(t *testing.T, w *world) *client {
		c := ann(t, w)
		w.hub.Forget("ann")
		return c
	}},
	"the server stops": {ws.GoingAway, settings{}, func(t *testing.T, w *world) *client {
		c := ann(t, w)
		w.stop()
		return c
	}},
	"the server stops before there is a token": {ws.GoingAway, settings{door: ws.Options{ShutdownSpread: time.Second}}, func(t *testing.T, w *world) *client {
		c := w.client(path("ann", ""), nil)
		w.stop()
		return c
	}},
	"the token runs out": {ws.TokenExpired, settings{}, func(t *testing.T, w *world) *client {
		c := w.client(path("ann", ""), bearer(mint(t, "ann", time.Minute)))
		c.wants("hello")
		return c
	}},
	"nothing is said": {ws.Idle, settings{}, ann},
	"a client that reads a frame now and then": {ws.Slow, settings{}, func(t *testing.T, w *world) *client {
		conn := w.socket(path("ann", "?since=0"), bearer(mint(t, "ann", time.Hour)))
		w.publish("ann", 1000)
		for range 5 { // Nine seconds for each frame are in time, but it would never end.
			<-time.After(9 * time.Second) // The bubble's time.
			if _, _, err := conn.ReadMessage(); err != nil {
				t.Fatal(err)
			}
		}
		return reading(t, conn)
	}},
}

func TestConnectionsEndWithTheirCodes(t *testing.T) {
	t.Parallel()
	covered := map[int]bool{}
	for name, e := range endings {
		covered[e.code.Number] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inside(t, e.settings, func(t *testing.T, w *world) {
				c := e.live(t, w)
				for range c.frames {
				}
				err := <-c.end
				closed, ok := err.(*websocket.CloseError) //nolint:errorlint // the library returns it as it is
				if !ok || closed.Code != e.code.Number || closed.Text != e.code.Reason && e.code != ws.TooBig && e.code != ws.Protocol {
					t.Errorf("ended with %v, want %d %s", err, e.code.Number, e.code.Reason)
				}
				w.stop()
				<-w.ended
				if n := w.metric("taskflow_notifier_closes_total", fmt.Sprint(e.code.Number)); n < 1 {
					t.Errorf("%g closes counted with %d", n, e.code.Number)
				}
				for _, gauge := range []string{"taskflow_notifier_connections", "taskflow_notifier_connections_waiting"} {
					if n := w.metric(gauge, ""); n != 0 {
						t.Errorf("%s is %g after the end", gauge, n)
					}
				}
			})
		})
	}
	for _, c := range ws.Codes() {
		if !covered[c.Number] {
			t.Errorf("no connection ends with %d %s", c.Number, c.Reason)
		}
		if len(c.Reason) > 123 {
			t.Errorf("the reason of %d does not fit into a close frame", c.Number)
		}
	}
}

func TestEndsComeAtTheirTime(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		live  func(t *testing.T, w *world) *client
		code  ws.Code
		after time.Duration
	}{
		"no token": {with("", nil), ws.BadToken, 5 * time.Second},
		"an expiring token": {func(t *testing.T, w *world) *client {
			return w.client(path("ann", ""), bearer(mint(t, "ann", 90*time.Second)))
		}, ws.TokenExpired, 90 * time.Second},
		"silence": {ann, ws.Idle, 5 * time.Minute},
		"silence after a message": {func(t *testing.T, w *world) *client {
			c := ann(t, w)
			<-time.After(4 * time.Minute) // The bubble's time.
			c.say(`{"type":"ping"}`)
			return c
		}, ws.Idle, 9 * time.Minute},
		"silence after an event": {func(t *testing.T, w *world) *client {
			c := ann(t, w)
			<-time.After(3 * time.Minute) // The bubble's time.
			w.publish("ann", 1)
			return c
		}, ws.Idle, 8 * time.Minute},
		"a token that was renewed": {func(t *testing.T, w *world) *client {
			c := w.client(path("ann", ""), bearer(mint(t, "ann", 90*time.Second)))
			c.wants("hello")
			<-time.After(time.Minute) // The bubble's time.
			c.say(`{"type":"auth","token":"` + mint(t, "ann", 2*time.Minute) + `"}`)
			c.wants("auth")
			return c
		}, ws.TokenExpired, 3 * time.Minute},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inside(t, settings{}, func(t *testing.T, w *world) {
				start := time.Now()
				if code := c.live(t, w).code(); code != c.code.Number {
					t.Errorf("code %d, want %d", code, c.code.Number)
				}
				if took := time.Since(start); took < c.after-time.Second || took > c.after+time.Second {
					t.Errorf("after %s, want %s", took, c.after)
				}
			})
		})
	}
}

func TestAClientThatReadsNothingIsCut(t *testing.T) {
	t.Parallel()
	inside(t, settings{}, func(t *testing.T, w *world) {
		conn := w.socket(path("ann", "?since=0"), bearer(mint(t, "ann", time.Hour)))
		w.publish("ann", 1)
		start := time.Now()
		for w.server.Open() > 0 {
			<-time.After(time.Second) // The bubble's time.
		}
		if took := time.Since(start); took > 15*time.Second {
			t.Errorf("cut after %s", took)
		}
		if n := w.metric("taskflow_notifier_closes_total", "4009"); n != 1 {
			t.Errorf("%g closes with 4009", n)
		}
		_ = conn.Close()
	})
}

func TestAClientThatAnswersNoPingIsGone(t *testing.T) {
	t.Parallel()
	inside(t, settings{}, func(t *testing.T, w *world) {
		conn := w.socket(path("ann", ""), bearer(mint(t, "ann", time.Hour)))
		conn.SetPingHandler(func(string) error { return nil })
		c := reading(t, conn)
		c.wants("hello")
		start := time.Now()
		if code := c.code(); code != websocket.CloseAbnormalClosure {
			t.Errorf("code %d", code)
		}
		if took := time.Since(start); took > 62*time.Second {
			t.Errorf("gone after %s", took)
		}
		if n := w.metric("taskflow_notifier_closes_total", "lost"); n != 1 {
			t.Errorf("%g counted as lost", n)
		}
	})
}

func TestAClientsGoodbyeIsAnswered(t *testing.T) {
	t.Parallel()
	inside(t, settings{}, func(t *testing.T, w *world) {
		for _, code := range []int{websocket.CloseNormalClosure, 4999} {
			c := ann(t, w)
			if err := c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			if got := c.code(); got != code {
				t.Errorf("answered with %d, want %d", got, code)
			}
		}
		w.stop()
		<-w.ended
		if n := w.metric("taskflow_notifier_closes_total", "client"); n != 2 {
			t.Errorf("%g counted as the client's", n)
		}
	})
}

func TestShutdownIsSpreadAndDeliversUntilTheEnd(t *testing.T) {
	t.Parallel()
	inside(t, settings{door: ws.Options{ShutdownSpread: 4 * time.Second}}, func(t *testing.T, w *world) {
		var clients []*client
		for i := range 100 {
			user := fmt.Sprint("user-", i)
			c := w.client(path(user, ""), bearer(mint(t, user, time.Hour)))
			c.wants("hello")
			clients = append(clients, c)
		}
		w.stop()
		start := time.Now()
		ends := make(chan time.Duration, len(clients))
		for _, c := range clients {
			go func() {
				if code := c.code(); code != ws.GoingAway.Number {
					t.Errorf("code %d", code)
				}
				ends <- time.Since(start)
			}()
		}
		halves := [2]int{}
		for range clients {
			if took := <-ends; took < 2*time.Second {
				halves[0]++
			} else if took <= 4*time.Second {
				halves[1]++
			} else {
				t.Errorf("closed after %s", took)
			}
		}
		if halves[0] < 20 || halves[1] < 20 {
			t.Errorf("%v closes in the two halves of the spread", halves)
		}
		<-w.ended
	})
}

// A stopping server does not wait for somebody who does not read.
func TestShutdownDoesNotWaitForAClientThatReadsNothing(t *testing.T) {
	t.Parallel()
	inside(t, settings{door: ws.Options{ShutdownSpread: time.Second}}, func(t *testing.T, w *world) {
		conn := w.socket(path("ann", "?since=0"), bearer(mint(t, "ann", time.Hour)))
		w.stop()
		start := time.Now()
		<-w.ended
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("stopped after %s", took)
		}
		_ = conn.Close()
	})
}

// What a client still sends after its close code is read and not answered with a reset, which on some systems takes the
// code with it before the client has read it.
func TestAFloodingClientSeesItsCloseCode(t *testing.T) {
	t.Parallel()
	w := outside(t, settings{})
	for name, flood := range map[string]struct {
		code    int
		message string
	}{
		"many small messages": {ws.TooMany.Number, `{"type":"ping"}`},
		"huge messages":       {ws.TooBig.Number, strings.Repeat("x", 1<<16)},
	} {
		t.Run(name, func(t *testing.T) {
			for range 5 {
				conn := w.socket(path("ann", ""), bearer(mint(t, "ann", time.Hour)))
				c := reading(t, conn)
				for range 50 {
					if err := conn.WriteMessage(websocket.TextMessage, []byte(flood.message)); errors.Is(err, websocket.ErrCloseSent) {
						break // The library has answered the close frame.
					} else if err != nil {
						t.Fatal(err)
					}
				}
				if code := c.code(); code != flood.code {
					t.Fatalf("code %d, want %d", code, flood.code)
				}
				if flood.code == ws.TooBig.Number {
					// The answer to the close frame is somewhere behind; the server reads on until the client closes.
					for range 100 {
						if _, err := conn.NetConn().Write(make([]byte, 1000)); err != nil {
							t.Fatalf("cut while sending: %v", err)
						}
					}
				}
				_ = conn.Close()
			}
		})
	}
}
