package rest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	house "github.com/taskflow-suite/taskflow/pkg/rest"
)

// sample is a request of each operation that succeeds, but for the task, which must exist.
type sample struct{ method, path, body string }

const aCalendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:1\r\nSUMMARY:a\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"

const someID = "0192f0c1-7b3e-7c2a-9d3e-2f6a5b4c3d2e"

var samples = map[string]sample{
	"deleteUser":        {"DELETE", "", ""},
	"listTasks":         {"GET", "/tasks", ""},
	"createTask":        {"POST", "/tasks", `{"title":"a"}`},
	"batchTasks":        {"POST", "/tasks/batch", `{"operations":[{"op":"create","task":{"title":"a"}}]}`},
	"getTask":           {"GET", "/tasks/" + someID, ""},
	"replaceTask":       {"PUT", "/tasks/" + someID, `{"title":"a"}`},
	"patchTask":         {"PATCH", "/tasks/" + someID, `{"title":"a"}`},
	"deleteTask":        {"DELETE", "/tasks/" + someID, ""},
	"completeTask":      {"PATCH", "/tasks/" + someID + "/complete", `{"completed":true}`},
	"restoreTask":       {"POST", "/tasks/" + someID + "/restore", ""},
	"skipTask":          {"POST", "/tasks/" + someID + "/skip", ""},
	"snoozeTask":        {"POST", "/tasks/" + someID + "/snooze", `{"minutes":10}`},
	"listChanges":       {"GET", "/changes?since=0", ""},
	"listEvents":        {"GET", "/events", ""},
	"previewRecurrence": {"GET", "/recurrence/preview?rule=daily", ""},
	"getStats":          {"GET", "/stats", ""},
	"getProfile":        {"GET", "/profile", ""},
	"replaceProfile":    {"PUT", "/profile", `{"time_zone":"Europe/Oslo"}`},
	"exportUser":        {"GET", "/export", ""},
	"exportCalendar":    {"GET", "/export.ics", ""},
	"importTasks":       {"POST", "/import?format=ical", aCalendar},
	"listTokens":        {"GET", "/tokens", ""},
	"createToken":       {"POST", "/tokens", `{"name":"a"}`},
	"revokeToken":       {"DELETE", "/tokens/" + someID, ""},
}

func with(path, query string) string {
	if strings.Contains(path, "?") {
		return path + "&" + query
	}
	return path + "?" + query
}

func TestEveryOperationHasASample(t *testing.T) {
	t.Parallel()
	operations := 0
	for _, item := range record.Spec.Paths.Map() {
		for _, op := range item.Operations() {
			operations++
			if _, ok := samples[op.OperationID]; !ok {
				t.Errorf("%s has none", op.OperationID)
			}
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
	u := w.user(t)
	now := time.Now()
	tokens := map[string]string{
		"none": "", "not bearer": "Basic dXNlcjpwYXNz", "garbage": "Bearer x.y.z",
		"expired":       signed(`{"alg":"HS256"}`, fmt.Sprintf(`{"sub":%q,"exp":%d}`, u.id, now.Add(-time.Hour).Unix()), secret),
		"not valid yet": signed(`{"alg":"HS256"}`, fmt.Sprintf(`{"sub":%q,"exp":%d,"nbf":%d}`, u.id, now.Add(2*time.Hour).Unix(), now.Add(time.Hour).Unix()), secret),
		"endless":       signed(`{"alg":"HS256"}`, fmt.Sprintf(`{"sub":%q}`, u.id), secret),
		"nobody's":      signed(`{"alg":"HS256"}`, fmt.Sprintf(`{"exp":%d}`, now.Add(time.Hour).Unix()), secret),
		"forged":        signed(`{"alg":"HS256"}`, fmt.Sprintf(`{"sub":%q,"exp":%d}`, u.id, now.Add(time.Hour).Unix()), "another secret of more than thirty-two bytes"),
		"alg none":      signed(`{"alg":"none"}`, fmt.Sprintf(`{"sub":%q,"exp":%d}`, u.id, now.Add(time.Hour).Unix()), ""),
		"alg RS256":     signed(`{"alg":"RS256"}`, fmt.Sprintf(`{"sub":%q,"exp":%d}`, u.id, now.Add(time.Hour).Unix()), secret),
	}
	for name, s := range samples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := w.named(t, u.id) //nolint:govet // the same user, in the subtest
			for why, header := range tokens {
				a := u.send(s.method, with(s.path, "nonsense=1"), "{", "Authorization", header)
				if a.status != 401 {
					t.Errorf("token %s: %d %s", why, a.status, a.body)
				}
			}
			a := w.user(t).sendTo("/api/"+u.id+with(s.path, "nonsense=1"), s.method, "{")
			if a.status != 403 {
				t.Errorf("another user: %d %s", a.status, a.body)
			}
			if strings.Contains(string(a.body), "nonsense") {
				t.Errorf("the request was looked at: %s", a.body)
			}
		})
	}
}

// signed is a token by hand: the house's own would not be wrong.
func signed(header, claims, key string) string {
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(header)) + "." + encode([]byte(claims))
	if key == "" {
		return "Bearer " + token + "."
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(token))
	return "Bearer " + token + "." + encode(mac.Sum(nil))
}

func TestEveryOperationRefusesWhatItCannotReadOrDoesNotKnow(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	for name, s := range samples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := w.user(t)
			if got := problem(t, u.send(s.method, with(s.path, "x=%zz"), s.body).want(t, 400)); got != "the query cannot be read: it is not well escaped" {
				t.Error(got)
			}
			if got := problem(t, u.send(s.method, with(s.path, "nonsense=1"), s.body).want(t, 422)); got != "nonsense is not a known parameter" {
				t.Error(got)
			}
			if s.body == "" {
				return
			}
			problem(t, u.send(s.method, s.path, "{").want(t, 400))
			problem(t, u.send(s.method, s.path, s.body, "Content-Type", "text/plain").want(t, 415))
			problem(t, u.send(s.method, s.path, s.body, "Content-Type", "").want(t, 415))
			problem(t, u.send(s.method, s.path, s.body, "Content-Type", "application/json; charset=latin1").want(t, 415))
			problem(t, u.send(s.method, s.path, s.body, "Content-Encoding", "gzip").want(t, 415))
			if name == "importTasks" {
				problem(t, u.send(s.method, s.path, strings.Repeat("a", 5<<20+1)).want(t, 413))
				return
			}
			problem(t, u.send(s.method, s.path, `"`+strings.Repeat("a", 1<<20)+`"`).want(t, 413))
			problem(t, u.send(s.method, s.path, `{"nonsense":1}`).want(t, 422))
		})
	}
}

func TestEveryOperationIsLimitedPerUser(t *testing.T) {
	t.Parallel()
	w := open(t, settings{Config: house.Config{Rate: 1, Burst: 1}})
	for name, s := range samples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := w.user(t)
			limited := false
			for range 20 {
				if a := u.send(s.method, s.path, s.body); a.status == 429 {
					problem(t, a)
					limited = true
					break
				}
			}
			if !limited {
				t.Error("20 requests at once were all let through")
			}
		})
	}
}

func TestEveryOperationSaysThatTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	w := open(t, settings{cuttable: true})
	w.cut()
	for name, s := range samples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := problem(t, w.user(t).send(s.method, s.path, s.body).want(t, 503)); got != "the database does not answer" {
				t.Error(got)
			}
		})
	}
}

func TestEveryOperationHidesWhatIsBrokenInside(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	if err := w.db.Read(t.Context()).Exec("ALTER TABLE profiles RENAME TO gone").Error; err != nil {
		t.Fatal(err)
	}
	for name, s := range samples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := w.user(t).send(s.method, s.path, s.body).want(t, 500)
			problem(t, a)
			if body := string(a.body); strings.Contains(body, "profiles") || strings.Contains(body, "SQL") || strings.Contains(body, "does not exist") {
				t.Errorf("it tells too much: %s", body)
			}
		})
	}
}

func TestARequestThatTakesTooLongIsGivenUp(t *testing.T) {
	t.Parallel()
	w := open(t, settings{Config: house.Config{Timeout: 100 * time.Millisecond}})
	u := w.user(t)
	tx := w.db.Read(t.Context()).Begin()
	defer tx.Rollback()
	if err := tx.Exec("LOCK TABLE profiles IN ACCESS EXCLUSIVE MODE").Error; err != nil {
		t.Fatal(err)
	}
	problem(t, u.send("POST", "/tasks", `{"title":"a"}`).want(t, 503))
}
