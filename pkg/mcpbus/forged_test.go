package mcpbus_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	"github.com/taskflow-suite/taskflow/pkg/mcpbus"
	"github.com/taskflow-suite/taskflow/proto"
)

// alterations are a change of every field of an envelope that leaves it readable, and some that do not. The kind is what
// must be said to them.
func alterations(e envelope) map[string]struct {
	to   func(*envelope)
	kind errs.Kind
} {
	type alteration = struct {
		to   func(*envelope)
		kind errs.Kind
	}
	denied := map[string]func(*envelope){
		"another client":                    func(e *envelope) { e.ClientID = "notifier" },
		"another request":                   func(e *envelope) { e.RequestID = uuid.NewString() },
		"another user":                      func(e *envelope) { e.UserID = "u2" },
		"no user":                           func(e *envelope) { e.UserID = "" },
		"another correlation":               func(e *envelope) { e.CorrelationID += "x" },
		"another message":                   func(e *envelope) { e.Message = strings.Replace(e.Message, "did", "rid", 1) + " " },
		"no mac":                            func(e *envelope) { e.MAC = "" },
		"a mac that is none":                func(e *envelope) { e.MAC = "§" },
		"a mac of zeros":                    func(e *envelope) { e.MAC = base64.StdEncoding.EncodeToString(make([]byte, 32)) },
		"half of the mac":                   func(e *envelope) { e.MAC = e.MAC[:len(e.MAC)/2] },
		"bytes moved to the field before":   func(e *envelope) { e.CorrelationID, e.Message = e.CorrelationID+e.Message[:1], e.Message[1:] },
		"an expiry where there was another": func(e *envelope) { e.ExpiresAt = "2099-01-01T00:00:00Z" },
	}
	all := map[string]alteration{
		"a request that is no UUID": {func(e *envelope) { e.RequestID = "1" }, errs.Invalid},
		"no request":                {func(e *envelope) { e.RequestID = "" }, errs.Invalid},
		"no client":                 {func(e *envelope) { e.ClientID = "" }, errs.Invalid},
		"a replica that is no UUID": {func(e *envelope) { e.ReplyTo = "me" }, errs.Invalid},
		"no message":                {func(e *envelope) { e.Message = "" }, errs.Invalid},
		"a user without end":        {func(e *envelope) { e.UserID = strings.Repeat("u", 256) }, errs.Invalid},
	}
	for name, to := range denied {
		all[name] = alteration{to, errs.Denied}
	}
	if e.ExpiresAt != "" {
		maps.Copy(all, map[string]alteration{
			"another replica": {func(e *envelope) { e.ReplyTo = uuid.NewString() }, errs.Denied},
			"a longer life":   {func(e *envelope) { e.ExpiresAt = "2099-01-01T00:00:00.5Z" }, errs.Denied},
			"no expiry":       {func(e *envelope) { e.ExpiresAt = "" }, errs.Denied},
		})
	}
	return all
}

func written(t testing.TB, e envelope) []byte {
	t.Helper()
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestARequestThatIsNotOursIsRefusedAndNotExecuted(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		s := connect(t, p.client.Client, "u1")
		p.deal(every(lost))
		go func() { _, _ = act(t.Context(), s, "x", "") }()
		synctest.Wait()
		original := p.requests(t)[0]
		refused := 0
		try := func(name string, data []byte, kind errs.Kind) {
			t.Helper()
			err := p.server.Deliver(t.Context(), data)
			if !errs.Is(err, kind) {
				t.Errorf("%s is told %v, want %v", name, err, kind)
			}
			if event.VerdictOf(err) != event.Drop {
				t.Errorf("%s is not dropped", name)
			}
			refused++
		}
		for name, a := range alterations(original) {
			forged := original
			a.to(&forged)
			try(name, written(t, forged), a.kind)
		}
		try("no JSON", []byte("{"), errs.Invalid)
		try("another JSON", []byte(`{"event_id":"e"}`), errs.Invalid)
		try("nothing", nil, errs.Invalid)

		another := settings
		another.Secret = config.NewSecret(strings.Repeat("a", 32))
		w := &wire{fate: every(lost)}
		stranger := mcpbus.NewClient(w, another, "chat-agent")
		go func() { _, _ = stranger.Connect(t.Context(), "u1") }()
		synctest.Wait()
		try("one signed with another key", w.sent(proto.MCPRequests)[0].Data, errs.Denied)

		// What was signed as a reply is no request.
		p.deal(nil)
		if err := p.server.Deliver(t.Context(), written(t, original)); err != nil {
			t.Errorf("the original is told %v", err)
		}
		synctest.Wait()
		answers := p.sent(proto.MCPReplies)
		try("a reply", answers[len(answers)-1].Data, errs.Denied)

		if n := p.tools.times("x"); n != 1 {
			t.Errorf("executed %d times", n)
		}
		if n := p.server.count(t, "taskflow_mcp_requests_total", "refused"); n != refused {
			t.Errorf("%d of %d are counted as refused", n, refused)
		}
	})
}

func TestAReplyThatIsNotOursIsIgnored(t *testing.T) {
	isolated(t, func(t *testing.T, p *pair) {
		s := connect(t, p.client.Client, "u1")
		p.deal(func(m event.Message) fate {
			if answerOf(m) {
				return lost
			}
			return delivered
		})
		answer := make(chan string, 1)
		go func() {
			got, err := act(t.Context(), s, "x", "")
			if err != nil {
				t.Error(err)
			}
			answer <- got
		}()
		<-time.After(time.Second)
		replies := p.sent(proto.MCPReplies)
		original := open(t, replies[len(replies)-1])
		for name, a := range alterations(original) {
			forged := original
			a.to(&forged)
			if err := p.client.Deliver(t.Context(), written(t, forged)); !errs.Is(err, a.kind) {
				t.Errorf("%s is told %v, want %v", name, err, a.kind)
			}
		}
		foreign := original
		foreign.ReplyTo = uuid.NewString()
		if err := p.client.Deliver(t.Context(), written(t, foreign)); err != nil {
			t.Errorf("another replica's is told %v", err)
		}
		asked := p.sent(proto.MCPRequests)
		if err := p.client.Deliver(t.Context(), asked[len(asked)-1].Data); !errs.Is(err, errs.Denied) {
			t.Errorf("the request itself, sent back, is told %v", err)
		}
		synctest.Wait()
		select {
		case got := <-answer:
			t.Fatalf("answered %q by a forged reply", got)
		default:
		}
		if err := p.client.Deliver(t.Context(), written(t, original)); err != nil {
			t.Errorf("the original is told %v", err)
		}
		if got := <-answer; got != "did x" {
			t.Errorf("answered %q", got)
		}
		synctest.Wait() // the call is forgotten
		if err := p.client.Deliver(t.Context(), written(t, original)); err != nil {
			t.Errorf("the original, repeated, is told %v", err)
		}
		for outcome, want := range map[string]int{"taken": 2, "foreign": 1, "late": 1, "refused": len(alterations(original)) + 1} {
			if n := p.client.count(t, "taskflow_mcp_replies_total", outcome); n != want {
				t.Errorf("%d replies are counted as %s, want %d", n, outcome, want)
			}
		}
	})
}
