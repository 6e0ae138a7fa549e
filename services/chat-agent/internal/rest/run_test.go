package rest_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/agent"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/rest"
)

// until reads lines up to one that begins so.
func until(t *testing.T, lines *bufio.Scanner, prefix string) string {
	t.Helper()
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), prefix) {
			return lines.Text()
		}
	}
	t.Fatalf("it ended without %q: %v", prefix, lines.Err())
	return ""
}

func TestAStreamTellsEachEventAtOnceAndBeatsWhileItIsSilent(t *testing.T) {
	t.Parallel()
	first, beaten := newSignal(), newSignal()
	u := open(t, settings{Options: rest.Options{
		Heartbeat: 20 * time.Millisecond,
		Chat: script{say: func(_ context.Context, r agent.Request, see func(agent.Event)) (agent.Answer, error) {
			see(beginning(r))
			first.wait(t, "the first part is read")
			see(agent.TextDelta{ID: "t", Text: "a"})
			beaten.wait(t, "a beat is read")
			return answerTo(r), nil
		}},
	}}).user(t)
	response, _ := u.stream("hello")
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream; charset=utf-8", "X-Vercel-Ai-Ui-Message-Stream": "v1",
		"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no",
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	lines := bufio.NewScanner(response.Body)
	until(t, lines, `data: {"type":"start"`)
	first.give()
	until(t, lines, `data: {"type":"text-delta"`)
	until(t, lines, ": ")
	beaten.give()
	until(t, lines, `data: {"type":"finish"`)
	until(t, lines, "data: [DONE]")
}

// TestAStreamBeatsBeforeAnythingHappened: waiting for another message of the same conversation takes its time.
func TestAStreamBeatsBeforeAnythingHappened(t *testing.T) {
	t.Parallel()
	beaten := newSignal()
	u := open(t, settings{Options: rest.Options{
		Heartbeat: 10 * time.Millisecond,
		Chat: script{say: func(_ context.Context, _ agent.Request, _ func(agent.Event)) (agent.Answer, error) {
			beaten.wait(t, "a beat is read")
			return agent.Answer{}, errs.New(errs.Conflict, "Another message is being answered.")
		}},
	}}).user(t)
	response, _ := u.stream("hello")
	lines := bufio.NewScanner(response.Body)
	until(t, lines, ": ")
	beaten.give()
	if got := until(t, lines, `data: {"type":"error"`); !strings.Contains(got, "Another message is being answered.") {
		t.Error(got)
	}
	until(t, lines, "data: [DONE]")
}

func TestWhatGoesWrongLaterIsTheStreamsLastPart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"with what the user may know": {errs.Because(errors.New("dial tcp"), errs.Unavailable, "The model went away."), `"errorText":"The model went away."`},
		"without what is ours":        {errors.New("secret_table does not exist"), `"errorText":"Something went wrong on our side.`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := open(t, settings{Options: rest.Options{Chat: script{say: func(_ context.Context, r agent.Request, see func(agent.Event)) (agent.Answer, error) {
				see(beginning(r))
				see(agent.TextDelta{ID: "t", Text: "I was ab"})
				return agent.Answer{}, c.err
			}}}}).user(t)
			body := string(u.say("hello", "Accept", "text/event-stream").want(t, 200).body)
			if !strings.Contains(body, c.want) || strings.Contains(body, "secret_table") || strings.Contains(body, "dial") ||
				!strings.Contains(body, `{"type":"text-end"`) || !strings.HasSuffix(body, "data: [DONE]\n\n") {
				t.Error(body)
			}
		})
	}
}

func TestARunGoesOnWhenItsReaderLeaves(t *testing.T) {
	t.Parallel()
	for name, stream := range map[string]bool{"a stream": true, "JSON": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun, left, ended := newSignal(), newSignal(), newSignal()
			w := open(t, settings{Options: rest.Options{Limits: rest.Limits{Rate: 100, Burst: 100, Runs: 1}, Chat: script{
				say: func(ctx context.Context, r agent.Request, see func(agent.Event)) (agent.Answer, error) {
					see(beginning(r))
					begun.give()
					left.wait(t, "the reader leaves")
					for range 1000 {
						see(agent.TextDelta{ID: "t", Text: "to nobody"})
					}
					if ctx.Err() != nil {
						t.Errorf("the run was ended: %v", context.Cause(ctx))
					}
					ended.give()
					return answerTo(r), nil
				},
			}}})
			u := w.user(t)
			if stream {
				response, leave := u.stream("hello")
				until(t, bufio.NewScanner(response.Body), `data: {"type":"start"`)
				leave()
				_, _ = io.Copy(io.Discard, response.Body) // it was ended
			} else {
				ctx, leave := context.WithCancel(t.Context())
				gone := make(chan error, 1)
				go func() {
					response, err := u.http.Client().Do(u.request(ctx, "POST", "/api/"+u.id+"/chat", `{"message":"hello"}`))
					if err == nil {
						response.Body.Close()
					}
					gone <- err
				}()
				begun.wait(t, "the run begins")
				leave()
				if err := <-gone; err == nil {
					t.Error("it was answered")
				}
			}
			// The run holds its place for as long as it works, whoever reads.
			problem(t, u.say("another").want(t, 503))
			left.give()
			ended.wait(t, "the run ends")
			eventually(t, "the place is free", func() bool { now, most := w.server.Running(); return now == 0 && most == 1 })
		})
	}
}

// eventually waits until what holds is true.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("%s: never", what)
		case <-tick.C:
		}
	}
}

func TestThereAreOnlySoManyRunsAtOnce(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}, 10), newSignal()
	w := open(t, settings{Options: rest.Options{Limits: rest.Limits{Rate: 100, Burst: 100, Runs: 2}, Chat: script{
		say: func(_ context.Context, r agent.Request, _ func(agent.Event)) (agent.Answer, error) {
			begun <- struct{}{}
			release.wait(t, "the end")
			return answerTo(r), nil
		},
	}}})
	answers := make(chan answer, 2)
	for range 2 {
		u := w.user(t)
		go func() { answers <- u.say("hello") }()
	}
	<-begun
	<-begun
	a := w.user(t).say("one too many").want(t, 503)
	if got := problem(t, a); !strings.HasPrefix(got, "Too many messages are being answered") || a.header.Get("Retry-After") == "" {
		t.Errorf("%s, %s", got, a.header)
	}
	w.user(t).send("GET", "/conversations", "").want(t, 200)
	release.give()
	for range 2 {
		(<-answers).want(t, 200)
	}
	eventually(t, "the places are free", func() bool { now, _ := w.server.Running(); return now == 0 })
	w.user(t).say("now").want(t, 200)
	for name, want := range map[string]int{"taskflow_chat_runs": 1, "taskflow_chat_runs_refused_total": 1, "taskflow_chat_run_seconds": 1} {
		if n, err := testutil.GatherAndCount(w.registry, name); err != nil || n != want {
			t.Errorf("%d of %s, %v", n, name, err)
		}
	}
}

func TestARunThatTakesTooLongIsEnded(t *testing.T) {
	t.Parallel()
	for name, accept := range map[string]string{"JSON": "application/json", "a stream": "text/event-stream"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := open(t, settings{Options: rest.Options{RunTime: 50 * time.Millisecond, Chat: script{
				say: func(ctx context.Context, r agent.Request, see func(agent.Event)) (agent.Answer, error) {
					if accept == "text/event-stream" {
						see(beginning(r))
					}
					<-ctx.Done()
					return agent.Answer{}, ctx.Err()
				},
			}}}).user(t)
			a := u.say("hello", "Accept", accept)
			if accept == "application/json" {
				if got := problem(t, a.want(t, 503)); !strings.HasPrefix(got, "The answer took too long.") {
					t.Error(got)
				}
			} else if body := string(a.want(t, 200).body); !strings.Contains(body, `"errorText":"The answer took too long.`) {
				t.Error(body)
			}
		})
	}
}

func TestARunThatPanicsIsOurFault(t *testing.T) {
	t.Parallel()
	w := open(t, settings{Options: rest.Options{Limits: rest.Limits{Rate: 100, Burst: 100, Runs: 1}, Chat: script{
		say: func(context.Context, agent.Request, func(agent.Event)) (agent.Answer, error) { panic("kaboom") },
	}}})
	for range 3 {
		a := w.user(t).say("hello")
		if a.status == 503 {
			eventually(t, "the place is free", func() bool { now, _ := w.server.Running(); return now == 0 })
			continue
		}
		if got := problem(t, a.want(t, 500)); strings.Contains(got, "kaboom") {
			t.Error(got)
		}
	}
}

// TestAStopLetsRunsFinishAndTakesNoneAnew: the run under way is answered whole.
func TestAStopLetsRunsFinishAndTakesNoneAnew(t *testing.T) {
	t.Parallel()
	begun, refused := newSignal(), newSignal()
	w := open(t, settings{Options: rest.Options{Chat: script{
		say: func(_ context.Context, r agent.Request, see func(agent.Event)) (agent.Answer, error) {
			see(beginning(r))
			begun.give()
			refused.wait(t, "another message is refused")
			return answerTo(r), nil
		},
	}}})
	u := w.user(t)
	whole := make(chan answer, 1)
	go func() { whole <- u.say("hello", "Accept", "text/event-stream") }()
	begun.wait(t, "the run begins")
	w.stop()
	// Until the stop was noticed, a message would be taken: ask with a decision, which no script holds up.
	decision := samples["decideApproval"]
	var a answer
	eventually(t, "nothing is taken", func() bool { a = u.send(decision.method, decision.path, decision.body); return a.status == 503 })
	if got := problem(t, a); !strings.HasPrefix(got, "The chat is being restarted.") {
		t.Error(got)
	}
	select {
	case err := <-w.stopped:
		t.Fatalf("it stopped before its run ended: %v", err)
	default:
	}
	refused.give()
	if body := string((<-whole).want(t, 200).body); !strings.HasSuffix(body, "data: [DONE]\n\n") || strings.Contains(body, `"error"`) {
		t.Error(body)
	}
	if err := <-w.stopped; err != nil {
		t.Error(err)
	}
}

func TestAStopCutsWhatDoesNotFinishAndSaysSo(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{}, 2)
	w := open(t, settings{Options: rest.Options{Finish: 30 * time.Millisecond, Chat: script{
		say: func(ctx context.Context, r agent.Request, see func(agent.Event)) (agent.Answer, error) {
			if r.Text == "stream" {
				see(beginning(r))
			}
			begun <- struct{}{}
			<-ctx.Done()
			return agent.Answer{}, ctx.Err()
		},
	}}})
	u := w.user(t)
	streamed, plain := make(chan answer, 1), make(chan answer, 1)
	go func() { streamed <- u.say("stream", "Accept", "text/event-stream") }()
	go func() { plain <- u.say("plain") }()
	<-begun
	<-begun
	w.stop()
	if body := string((<-streamed).want(t, 200).body); !strings.Contains(body, `"errorText":"The chat is being restarted.`) || !strings.HasSuffix(body, "data: [DONE]\n\n") {
		t.Error(body)
	}
	if got := problem(t, (<-plain).want(t, 503)); !strings.HasPrefix(got, "The chat is being restarted.") {
		t.Error(got)
	}
	if err := <-w.stopped; err != nil {
		t.Error(err)
	}
}

// flood is an agent that says more than all buffers between it and a reader can hold, and gives ended when it is done.
func flood(ended *signal) script {
	piece := strings.Repeat("milk ", 20_000)
	return script{say: func(_ context.Context, r agent.Request, see func(agent.Event)) (agent.Answer, error) {
		see(beginning(r))
		for range 200 { // 20 MB
			see(agent.TextDelta{ID: "t", Text: piece})
		}
		ended.give()
		return answerTo(r), nil
	}}
}

// ask sends a message over a connection of its own and does not read the answer.
func (u user) ask(text string) net.Conn {
	u.t.Helper()
	conn, err := net.Dial("tcp", u.http.Listener.Addr().String())
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() { conn.Close() })
	if err := u.request(u.t.Context(), "POST", "/api/"+u.id+"/chat", `{"message":"`+text+`"}`, "Accept", "text/event-stream").Write(conn); err != nil {
		u.t.Fatal(err)
	}
	return conn
}

// TestAReaderThatTakesNothingHoldsUpNobody: its run ends at its own pace, and the reader is given up.
func TestAReaderThatTakesNothingHoldsUpNobody(t *testing.T) {
	t.Parallel()
	ended := newSignal()
	w := open(t, settings{Options: rest.Options{Patience: 100 * time.Millisecond, Chat: flood(ended)}})
	w.user(t).ask("hello")
	ended.wait(t, "the run ends")
	eventually(t, "the reader is given up", func() bool {
		n, err := testutil.GatherAndCount(w.registry, "taskflow_http_requests_total")
		return err == nil && n == 1
	})
}

// TestAReaderThatFallsBehindIsToldSo: it reads in the end, but what waited for it was dropped.
func TestAReaderThatFallsBehindIsToldSo(t *testing.T) {
	t.Parallel()
	ended := newSignal()
	conn := open(t, settings{Options: rest.Options{Chat: flood(ended)}}).user(t).ask("hello")
	ended.wait(t, "the run ends")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if last := string(body[max(0, len(body)-400):]); !strings.Contains(last, "The answer came faster than it was read.") || !strings.HasSuffix(last, "data: [DONE]\n\n") {
		t.Errorf("it ends with %q", last)
	}
}
