package e2e_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/stack"

	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// Who asks first has the page make its key. Services that start with it ask at the same moment; with a key for each of them,
// some would not know the one that signs.
func TestFirstKeyIsOneWhoeverAsksAtTheSameTime(t *testing.T) {
	s := startAs(t, func(o *stack.Options) { o.JWKS = true }, stack.Web())
	documents := make([]string, 24)
	var all sync.WaitGroup
	for i := range documents {
		all.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL("web")+"/api/auth/jwks", nil)
			if err != nil {
				t.Error(err)
				return
			}
			answer, err := (&http.Client{Timeout: 30 * time.Second}).Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if documents[i] = string(body); err != nil || answer.StatusCode != http.StatusOK {
				t.Errorf("%s, %v: %s", answer.Status, err, body)
			}
		})
	}
	all.Wait()
	for _, d := range documents {
		if d != documents[0] || strings.Count(d, `"kid"`) != 1 {
			t.Fatalf("one was told %s, another %s", documents[0], d)
		}
	}
}

// Where the page signs tokens with a key pair (EdDSA), the services take those and no others.
func TestServicesTakeTokensOfAKeyPair(t *testing.T) {
	s := startAs(t, func(o *stack.Options) { o.JWKS = true }, append(spine(), stack.Web())...)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: 30 * time.Second}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL("origin")+"/api/auth/sign-up/email",
		bytes.NewBufferString(`{"name":"Ann","email":"ann@example.com","password":"a password of Ann's"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", s.URL("origin"))
	answer, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var signedUp struct{ User struct{ ID string } }
	if err := json.NewDecoder(answer.Body).Decode(&signedUp); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("sign-up: %s, %v", answer.Status, err)
	}
	var token string
	for _, c := range answer.Cookies() {
		if c.Name == "taskflow_token" {
			token = c.Value
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge <= 0 || c.MaxAge > 7*24*60*60 {
				t.Errorf("the cookie is %s", strings.Replace(c.String(), c.Value, "…", 1))
			}
		}
	}
	ann := &client.Client{
		API: s.URL("origin"), WS: "ws" + strings.TrimPrefix(s.URL("origin"), "http"), UserID: signedUp.User.ID, Token: token,
		HTTP: client.NewHTTP(2, 10*time.Second),
	}
	var created struct{ ID string }
	if err := ann.Do(t.Context(), http.MethodPost, "/tasks", "", map[string]string{"title": "signed by a pair"}, &created); err != nil || created.ID == "" {
		t.Fatalf("the page's token is refused: %v", err)
	}

	forged, err := auth.Mint(s.JWTSecret(), ann.UserID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ann.Token = forged
	if err := ann.Do(t.Context(), http.MethodGet, "/tasks", "", nil, nil); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("a token signed with the secret: %v; want 401", err)
	}
}
