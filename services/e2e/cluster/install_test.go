//go:build cluster

package cluster_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/internal/client"
	"github.com/taskflow-suite/taskflow/services/internal/storm"
)

func TestInstalledFromNothingItWorks(t *testing.T) {
	r := installed(t)
	t.Logf("helm had everything ready after %s", r.took.Round(time.Second))

	t.Run("helm's own test passes", func(t *testing.T) {
		out, err := r.helm(t.Context(), "test", name, "--logs", "--timeout", "5m")
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Log(tail(out, 2<<10))
	})
	t.Run("every service has its sidecar and is ready", func(t *testing.T) {
		for _, service := range goServices {
			pods := r.pods(t, service)
			if len(pods) == 0 {
				t.Errorf("there is no pod of %s", service)
			}
			for _, p := range pods {
				if !slices.ContainsFunc(append(p.Spec.Containers, p.Spec.InitContainers...), isDaprd) {
					t.Errorf("%s has no sidecar", p.Metadata.Name)
				}
				if !p.ready() {
					t.Errorf("%s is not ready", p.Metadata.Name)
				}
			}
		}
	})
	t.Run("secrets come through the sidecar and not by the environment", func(t *testing.T) {
		tokens := []string{"DAPR_API_TOKEN", "APP_API_TOKEN"} // with which service and sidecar know each other
		for _, service := range goServices {
			for _, c := range r.onePod(t, service).Spec.Containers {
				for _, e := range c.Env {
					if c.Name == service && e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil && !slices.Contains(tokens, e.Name) {
						t.Errorf("%s is told %s by its environment", service, e.Name)
					}
				}
				for _, e := range c.EnvFrom {
					if e.SecretRef != nil {
						t.Errorf("%s is told all of the Secret %s by its environment", service, e.SecretRef.Name)
					}
				}
			}
			settings := get[struct{ Data map[string]string }](t, r, "configmap", service).Data
			for _, secret := range []string{"JWT_SECRET", "DATABASE_URL", "MCP_SECRET", "OPENAI_API_KEY"} {
				if settings[secret] != "" {
					t.Errorf("the ConfigMap of %s holds %s", service, secret)
				}
			}
			if settings["SECRET_OBJECT"] != service {
				t.Errorf("%s reads its secrets from %q", service, settings["SECRET_OBJECT"])
			}
		}
	})
	t.Run("a person signs up, sees the page, talks, and is told what happens", func(t *testing.T) {
		browser := newBrowser(t)
		page, err := io.ReadAll(r.ask(t, browser, http.MethodGet, "/sign-in", "").Body)
		if err != nil || !strings.Contains(string(page), "<html") || !strings.Contains(string(page), "TaskFlow") {
			t.Errorf("the page is %q, %v", tail(string(page), 500), err)
		}
		email := event.NewID() + "@example.com"
		ann := r.sign(t, browser, "/api/auth/sign-up/email", map[string]string{"name": "Ann", "email": email, "password": "a password of Ann's"})
		window := storm.Open(t, ann, ann)
		answer, err := ann.Say(t.Context(), client.Said{Message: "add buy milk"})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(answer.ToolCalls, func(c agenttools.Receipt) bool { return c.Tool == agenttools.AddTasks && c.Outcome == "done" }) || len(answer.TaskIDs) != 1 {
			t.Fatalf("the agent should have added one task: %+v", answer)
		}
		window.Made(answer.TaskIDs[0])
		storm.Check(t, []*storm.Person{window}, 30*time.Second)
	})
	t.Run("the demo user signs in", func(t *testing.T) {
		demo := r.sign(t, newBrowser(t), "/api/auth/sign-in/email", map[string]string{
			"email": r.secret(t, "taskflow-jobs", "DEMO_EMAIL"), "password": r.secret(t, "taskflow-jobs", "DEMO_PASSWORD"),
		})
		if err := demo.Do(t.Context(), http.MethodGet, "/tasks", "", nil, nil); err != nil {
			t.Error(err)
		}
	})
}

func isDaprd(c container) bool { return c.Name == "daprd" }

func newBrowser(t testing.TB) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 30 * time.Second}
}

// sign signs somebody up or in and returns a client with the token that the page gave.
func (r *release) sign(t testing.TB, browser *http.Client, path string, said map[string]string) *client.Client {
	t.Helper()
	body, err := json.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	res := r.ask(t, browser, http.MethodPost, path, string(body))
	var signed struct{ User struct{ ID string } }
	if err := json.NewDecoder(res.Body).Decode(&signed); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, res.Status, err)
	}
	at, err := url.Parse(r.origin)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range browser.Jar.Cookies(at) {
		if c.Name == "taskflow_token" {
			return r.client(signed.User.ID, c.Value)
		}
	}
	t.Fatalf("%s gave no token", path)
	return nil
}
