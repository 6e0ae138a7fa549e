package rest_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	house "github.com/taskflow-suite/taskflow/pkg/rest"
	"github.com/taskflow-suite/taskflow/services/chat-agent/internal/rest"
)

// sample is a request of each operation that succeeds.
type sample struct{ method, path, body string }

var samples = map[string]sample{
	"sendMessage":       {"POST", "/chat", `{"message":"hello"}`},
	"decideApproval":    {"POST", "/chat/approvals/" + someID, `{"approve":true}`},
	"listConversations": {"GET", "/conversations", ""},
	"listMessages":      {"GET", "/conversations/" + someID + "/messages", ""},
	"speakChatKit":      {"POST", "/chatkit", `{"type":"threads.list","params":{}}`},
}

func TestEveryOperationHasASample(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	operations := 0
	for _, item := range record.Spec.Paths.Map() {
		for _, op := range item.Operations() {
			operations++
			s, ok := samples[op.OperationID]
			if !ok {
				t.Fatalf("%s has none", op.OperationID)
			}
			w.user(t).send(s.method, s.path, s.body).want(t, 200)
		}
	}
	if operations != len(samples) {
		t.Errorf("%d operations and %d samples", operations, len(samples))
	}
}

// TestEveryOperationAsksWhoCallsBeforeAnythingElse sends requests that are wrong in every other way too.
func TestEveryOperationAsksWhoCallsBeforeAnythingElse(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	for name, s := range samples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := w.user(t)
			for _, header := range []string{"", "Basic dXNlcjpwYXNz", "Bearer x.y.z", "Bearer " + u.token + "x"} {
				u.send(s.method, s.path+"?nonsense=1", "{", "Authorization", header).want(t, 401)
			}
			a := w.user(t).sendTo("/api/"+u.id+s.path+"?nonsense=1", s.method, "{").want(t, 403)
			if strings.Contains(string(a.body), "nonsense") {
				t.Errorf("the request was looked at: %s", a.body)
			}
		})
	}
}

func TestEveryOperationRefusesWhatItCannotReadOrDoesNotKnow(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	for name, s := range samples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := w.user(t)
			if got := problem(t, u.send(s.method, s.path+"?x=%zz", s.body).want(t, 400)); got != "the query cannot be read: it is not well escaped" {
				t.Error(got)
			}
			if got := problem(t, u.send(s.method, s.path+"?nonsense=1", s.body).want(t, 422)); got != "nonsense is not a known parameter" {
				t.Error(got)
			}
			if strings.Contains(s.path, someID) {
				problem(t, u.send(s.method, strings.Replace(s.path, someID, "7", 1), s.body).want(t, 422))
			}
			if s.body == "" {
				return
			}
			problem(t, u.send(s.method, s.path, "{").want(t, 400))
			problem(t, u.send(s.method, s.path, s.body, "Content-Type", "text/plain").want(t, 415))
			problem(t, u.send(s.method, s.path, `"`+strings.Repeat("a", 64<<10)+`"`).want(t, 413))
			problem(t, u.send(s.method, s.path, `{"nonsense":1}`).want(t, 422))
		})
	}
}

func TestEveryOperationIsLimitedPerUser(t *testing.T) {
	t.Parallel()
	w := open(t, settings{house: house.Config{Rate: 1, Burst: 1}})
	for name, s := range samples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := w.user(t)
			u.send(s.method, s.path, s.body).want(t, 200)
			problem(t, u.send(s.method, s.path, s.body).want(t, 429))
			w.user(t).send(s.method, s.path, s.body).want(t, 200)
		})
	}
}

// TestTalkingHasItsOwnLimit: messages are dearer than reading, and what is refused costs nothing.
func TestTalkingHasItsOwnLimit(t *testing.T) {
	t.Parallel()
	u := open(t, settings{Options: rest.Options{Limits: rest.Limits{Rate: 1, Burst: 2, Runs: 10}}}).user(t)
	for range 5 {
		u.send("POST", "/chat", `{"message":""}`).want(t, 422)
	}
	u.say("one").want(t, 200)
	decision := samples["decideApproval"]
	u.send(decision.method, decision.path, decision.body).want(t, 200)
	a := u.say("three").want(t, 429)
	if a.header.Get("Retry-After") == "" {
		t.Error("it does not say when to come back")
	}
	problem(t, u.send(decision.method, decision.path, decision.body).want(t, 429))
	for range 5 {
		u.send("GET", "/conversations", "").want(t, 200)
	}
}

// TestWhatTheAgentSaysOfAFailureIsToldAndNothingElse: in both forms, as nothing was written yet.
func TestWhatTheAgentSaysOfAFailureIsToldAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
		want   string
	}{
		"no such conversation": {errs.New(errs.NotFound, "there is no such conversation"), 404, "there is no such conversation"},
		"decided otherwise":    {errs.New(errs.Conflict, "it was decided otherwise"), 409, "it was decided otherwise"},
		"an invalid field":     {errs.InvalidFields(errs.Field{Field: "cursor", Message: "must be one of ours"}), 422, "cursor must be one of ours"},
		"the model is down":    {errs.Because(errors.New("dial tcp 10.0.0.7"), errs.Unavailable, "The model does not answer. Your message is kept."), 503, "The model does not answer. Your message is kept."},
		"our own fault":        {errors.New("pq: secret_table does not exist"), 500, "Something went wrong on our side. If it happens again, tell us the correlation_id."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, settings{Options: rest.Options{Chat: failing(c.err)}})
			for operation, s := range samples {
				if operation == "listConversations" && (c.status == 404 || c.status == 409) || operation == "listMessages" && c.status == 409 {
					continue // not documented: a list is found or empty, and reading contradicts nothing
				}
				for _, accept := range []string{"application/json", "text/event-stream"} {
					a := w.user(t).send(s.method, s.path, s.body, "Accept", accept).want(t, c.status)
					if got := problem(t, a); got != c.want {
						t.Errorf("%s: %s", operation, got)
					}
				}
			}
		})
	}
}

func TestTheSpecificationAndItsPageAreServed(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	for path, contains := range map[string]string{
		"/openapi.yaml": "operationId: sendMessage", "/openapi.json": `"operationId": "sendMessage"`, "/docs": "Say something to the agent", "/docs/style.css": "body",
	} {
		a := u.sendTo(path, http.MethodGet, "", "Authorization", "").want(t, 200)
		if !strings.Contains(string(a.body), contains) {
			t.Errorf("%s lacks %q", path, contains)
		}
	}
}
