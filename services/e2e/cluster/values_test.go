//go:build cluster

package cluster_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

// Mistakes are refused before anything is made, with a sentence that names them.
func TestWrongValuesAreRefusedWithASentence(t *testing.T) {
	r := installed(t)
	wrong := r.namespace + "-wrong"
	if err := makeNamespace(t.Context(), wrong); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := removeNamespace(context.WithoutCancel(t.Context()), wrong); err != nil {
			t.Error(err)
		}
	})
	elsewhere := *r
	elsewhere.namespace = wrong
	for mistake, c := range map[string]struct{ set, says []string }{
		"Secrets are missing":              {[]string{"--set", "secrets.create=false"}, []string{"Secret", "task-api", "secrets.create"}},
		"a key has a typo":                 {[]string{"--set", "servics.web.replicas=2"}, []string{"servics"}},
		"a service has a typo":             {[]string{"--set", "services.task-apy.replicas=2"}, []string{"task-apy"}},
		"the public URL is none":           {[]string{"--set", "publicUrl=tasks.example.org"}, []string{"publicUrl", "http"}},
		"the public URL is missing":        {[]string{"--set", "publicUrl="}, []string{"publicUrl"}},
		"the database's URL is none":       {[]string{"--set", "postgres.enabled=false,secrets.databaseUrl=mysql://db/x"}, []string{"databaseUrl", "postgres://"}},
		"there is no database":             {[]string{"--set", "postgres.enabled=false"}, []string{"databaseUrl"}},
		"there is no broker":               {[]string{"--set", "redpanda.enabled=false"}, []string{"broker.brokers"}},
		"a secret is short":                {[]string{"--set", "secrets.jwtSecret=short"}, []string{"jwtSecret", "32"}},
		"a number is a word":               {[]string{"--set", "services.web.replicas=many"}, []string{"replicas"}},
		"the mode of tokens is unheard of": {[]string{"--set", "auth.mode=magic"}, []string{"auth", "mode"}},
	} {
		t.Run(mistake, func(t *testing.T) {
			args := slices.Concat([]string{"install", name, r.chart, "--timeout", "1m"}, r.values, c.set)
			began := time.Now()
			_, err := elsewhere.helm(bounded(t), args...)
			if err == nil {
				_, _ = elsewhere.helm(bounded(t), "uninstall", name)
				t.Fatal("it was installed")
			}
			for _, word := range c.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("it does not speak of %s", word)
				}
			}
			_, said, _ := strings.Cut(err.Error(), "Error: ")
			t.Logf("refused within %s: %s", time.Since(began).Round(time.Millisecond), said)
			if left := elsewhere.kubectl(t, "get", "deployments,secrets,jobs", "-l", "app.kubernetes.io/name=taskflow", "-o", "name"); left != "" {
				t.Errorf("something was made: %s", left)
			}
		})
	}
}
