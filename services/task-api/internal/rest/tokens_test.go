package rest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/postgres/tokenstore"
	"github.com/taskflow-suite/taskflow/services/task-api/internal/rest"
)

// script makes a token, and is the same user with it in place of the session.
func (u user) script(body string) (user, rest.CreatedAPIToken) {
	u.t.Helper()
	made := decode[rest.CreatedAPIToken](u.t, u.send("POST", "/tokens", body).want(u.t, 201))
	u.token = made.Token
	return u, made
}

func (u user) tokens() []rest.APIToken {
	u.t.Helper()
	return decode[rest.APITokenList](u.t, u.send("GET", "/tokens", "").want(u.t, 200)).Items
}

func TestATokenIsShownOnceAndListedWithoutItself(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	u := w.user(t)
	if a := u.send("GET", "/tokens", "").want(t, 200); string(a.body) != "{\"items\":[]}\n" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v %s", a.header, a.body)
	}
	a := u.send("POST", "/tokens", `{"name":" Nightly backup "}`).want(t, 201)
	made := decode[rest.CreatedAPIToken](t, a)
	if a.header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(made.Token, "tfk_") || len(made.Token) != 47 ||
		made.Name != "Nightly backup" || made.Scope != "read" || made.ExpiresAt.Sub(made.CreatedAt) != 90*24*time.Hour ||
		time.Since(made.CreatedAt) > time.Minute || !made.LastUsedAt.IsNull() {
		t.Errorf("%v %s", a.header, a.body)
	}
	script, second := u.script(`{"name":"sync","scope":"write","expires_in_days":1}`)
	script.send("GET", "/tasks", "").want(t, 200)
	list := u.send("GET", "/tokens", "").want(t, 200)
	all := decode[rest.APITokenList](t, list).Items
	if len(all) != 2 || all[0].ID != second.ID || all[0].Scope != "write" || all[0].LastUsedAt.IsNull() ||
		all[1].ID != made.ID || !all[1].LastUsedAt.IsNull() || !all[1].ExpiresAt.Equal(made.ExpiresAt) {
		t.Errorf("%s", list.body)
	}
	if strings.Contains(string(list.body), "tfk_") {
		t.Errorf("the list shows a token: %s", list.body)
	}
	if others := w.user(t).tokens(); len(others) != 0 {
		t.Errorf("somebody else sees %v", others)
	}
	// What is kept is not the token.
	var kept []string
	if err := w.db.Read(t.Context()).Raw("SELECT t::text || encode(hash, 'escape') FROM api_tokens t").Scan(&kept).Error; err != nil || len(kept) != 2 {
		t.Fatalf("%v, %v", kept, err)
	}
	if text := strings.Join(kept, " "); strings.Contains(text, strings.TrimPrefix(made.Token, "tfk_")) {
		t.Errorf("kept are %s", text)
	}
}

func TestATokenDoesWhatItsScopeSaysAndNothingOfTheAccounts(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	u := w.user(t)
	task := u.create(`{"title":"a"}`)
	reader, _ := u.script(`{"name":"r"}`)
	writer, kept := u.script(`{"name":"w","scope":"write"}`)

	reader.send("GET", "/tasks/"+task.ID, "").want(t, 200)
	reader.send("GET", "/export", "").want(t, 200)
	writer.send("GET", "/changes?since=0", "").want(t, 200)
	writer.send("PATCH", "/tasks/"+task.ID, `{"title":"b"}`).want(t, 200)
	for name, s := range samples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			account := strings.HasSuffix(name, "Token") || strings.HasSuffix(name, "Tokens") || name == "deleteUser"
			for scope, script := range map[string]user{"read": reader, "write": writer} {
				script.t = t
				want := ""
				switch {
				case s.method != "GET" && scope == "read":
					want = "this API token may only read: changes need one with the scope write, or, of the account and its tokens, a signed-in session"
				case account:
					want = "an API token may not do this: sign in and do it in the settings"
				}
				// Wrong in other ways too, which nobody looks at.
				a := script.send(s.method, with(s.path, "nonsense=1"), s.body)
				if want == "" {
					a.want(t, 422)
				} else if got := problem(t, a.want(t, 403)); got != want {
					t.Errorf("%s: %s", scope, got)
				}
			}
		})
	}
	t.Run("nor for another user", func(t *testing.T) {
		t.Parallel()
		problem(t, writer.sendTo("/api/"+w.user(t).id+"/tasks", "GET", "").want(t, 403))
	})
	t.Run("nor from the cookie", func(t *testing.T) {
		t.Parallel()
		a := u.send("GET", "/tasks", "", "Authorization", "", "Cookie", "taskflow_token="+kept.Token).want(t, 401)
		if got := problem(t, a); !strings.Contains(got, "Authorization: Bearer") || strings.Contains(got, "tfk_") {
			t.Error(got)
		}
	})
}

func TestARevokedTokenStopsAtOnceHereAndIsGone(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	u := w.user(t)
	script, made := u.script(`{"name":"a","scope":"write"}`)
	other, _ := u.script(`{"name":"b"}`)
	script.send("GET", "/tasks", "").want(t, 200)
	problem(t, w.user(t).send("DELETE", "/tokens/"+made.ID, "").want(t, 404))
	script.send("GET", "/tasks", "").want(t, 200)
	if a := u.send("DELETE", "/tokens/"+strings.ToUpper(made.ID), "").want(t, 204); len(a.body) != 0 {
		t.Errorf("%s", a.body)
	}
	refused := script.send("GET", "/tasks", "").want(t, 401)
	if got := problem(t, refused); !strings.Contains(got, "make a new one") || !strings.Contains(refused.header.Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("%v %s", refused.header, got)
	}
	problem(t, u.send("DELETE", "/tokens/"+made.ID, "").want(t, 404))
	other.send("GET", "/tasks", "").want(t, 200)
	if left := u.tokens(); len(left) != 1 || left[0].Name != "b" {
		t.Errorf("%v", left)
	}
}

func TestAnExpiredTokenStops(t *testing.T) {
	t.Parallel()
	w := open(t, settings{})
	u := w.user(t)
	script, made := u.script(`{"name":"a"}`)
	// Made two days ago for one.
	err := w.db.Read(t.Context()).Exec("UPDATE api_tokens SET created_at = created_at - interval '2 days', expires_at = expires_at - interval '90 days' WHERE id = ?", made.ID).Error
	if err != nil {
		t.Fatal(err)
	}
	problem(t, script.send("GET", "/tasks", "").want(t, 401))
	if left := u.tokens(); len(left) != 0 {
		t.Errorf("%v", left)
	}
}

func TestTokensEndWithTheirUser(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	script, _ := u.script(`{"name":"a","scope":"write"}`)
	script.send("GET", "/tasks", "").want(t, 200)
	u.send("DELETE", "", "").want(t, 204)
	// It does not bring the user back either.
	problem(t, script.send("POST", "/tasks", `{"title":"a"}`).want(t, 401))
	problem(t, u.send("DELETE", "", "").want(t, 404))
}

func TestThereAreOnlySoManyTokens(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	for n := range tokenstore.Most {
		u.send("POST", "/tokens", fmt.Sprintf(`{"name":"%d"}`, n)).want(t, 201)
	}
	if got := problem(t, u.send("POST", "/tokens", `{"name":"one more"}`).want(t, 409)); got != "there are 50 API tokens, which is the most: revoke one first" {
		t.Error(got)
	}
	all := u.tokens()
	if len(all) != tokenstore.Most {
		t.Fatalf("%d are listed", len(all))
	}
	u.send("DELETE", "/tokens/"+all[7].ID, "").want(t, 204)
	u.send("POST", "/tokens", `{"name":"one more"}`).want(t, 201)
}

func TestWrongTokensAreRefusedFieldByField(t *testing.T) {
	t.Parallel()
	u := open(t, settings{}).user(t)
	for body, want := range map[string]string{
		`{}`:                                      "name is required",
		`{"name":""}`:                             "name must not be empty",
		`{"name":"  "}`:                           "name must be 1 to 100 characters, without line breaks",
		`{"name":"a\nb"}`:                         "name must be 1 to 100 characters, without line breaks",
		`{"name":"a","scope":"session"}`:          "scope must be read or write",
		`{"name":"a","scope":""}`:                 "scope must be read or write",
		`{"name":"a","scope":null}`:               "scope must not be null",
		`{"name":"a","expires_in_days":0}`:        "expires_in_days must be 1 to 365",
		`{"name":"a","expires_in_days":366}`:      "expires_in_days must be 1 to 365",
		`{"name":"a","expires_in_days":1.5}`:      "expires_in_days must be a whole number",
		`{"name":"a","expires_in_days":"ten"}`:    "expires_in_days must be a whole number",
		`{"name":"a","token":"tfk_of_my_choice"}`: "token is not a known field",
	} {
		if got := problem(t, u.send("POST", "/tokens", body).want(t, 422)); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	problem(t, u.send("DELETE", "/tokens/7", "").want(t, 422))
}

func TestWithTheDatabaseAwayATokenIsNotCalledBad(t *testing.T) {
	t.Parallel()
	w := open(t, settings{cuttable: true})
	u := w.user(t)
	_, made := u.script(`{"name":"a"}`)
	w.cut()
	unknown := u
	_, secret, err := auth.NewAPIToken(u.id, "x", auth.Read, 1, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	unknown.token = secret.Reveal()
	for what, script := range map[string]user{"one that counts": {u.world, t, u.id, made.Token}, "one that nobody knows": unknown} {
		if a := script.send(http.MethodGet, "/tasks", ""); a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
}
