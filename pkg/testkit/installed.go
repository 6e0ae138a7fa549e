package testkit

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

// installed finds a program of a package that Debian and Homebrew call the same, or has it installed where that takes nothing
// but a command. places are names on the PATH, or paths.
func installed(t testing.TB, of string, places ...string) string {
	t.Helper()
	find := func() string {
		for _, name := range places {
			if path, err := exec.LookPath(name); err == nil {
				return path
			}
		}
		return ""
	}
	path := find()
	if path != "" {
		return path
	}
	if _, err := exec.LookPath("apt-get"); err == nil && os.Getuid() == 0 {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		install := exec.CommandContext(ctx, "sh", "-c", "apt-get update -qq && apt-get install -y -qq --no-install-recommends "+of)
		install.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("install %s: %v\n%s", of, err, out)
		}
		path = find()
	}
	if path == "" {
		t.Fatalf("no %s on the PATH: install it (apt-get install %s, brew install %s)", places[0], of, of)
	}
	return path
}
