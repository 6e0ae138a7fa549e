package testkit

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
)

// Chromium is the path of a Chromium or Chrome to drive: that of CHROMIUM_PATH, else one that is installed, else one that
// is installed now, where that needs nobody's password: from the distribution's packages as root on Debian, and otherwise
// by Playwright, whose command line is given.
func Chromium(t testing.TB, playwright ...string) string {
	t.Helper()
	if path := os.Getenv("CHROMIUM_PATH"); path != "" {
		return path
	}
	if path := installedChromium(); path != "" {
		return path
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if _, err := exec.LookPath("apt-get"); err == nil && os.Getuid() == 0 {
		t.Log("no Chromium is installed: installing Debian's")
		for _, args := range [][]string{{"update", "-qq"}, {"install", "-y", "-qq", "chromium"}} {
			cmd := exec.CommandContext(ctx, "apt-get", args...)
			cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
			if said, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("apt-get %v: %v\n%s", args, err, said)
			}
		}
		if path := installedChromium(); path != "" {
			return path
		}
	}
	if len(playwright) > 0 {
		t.Log("no Chromium is installed: having Playwright fetch its own")
		cmd := exec.CommandContext(ctx, playwright[0], append(playwright[1:], "install", "chromium")...)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("these tests need a browser: install Chromium or Chrome, or set CHROMIUM_PATH; Playwright could not fetch one: %v\n%s", err, said)
		}
		return "" // Playwright finds its own
	}
	t.Fatal("these tests need a browser: install Chromium or Chrome, or set CHROMIUM_PATH")
	return ""
}

func installedChromium() string {
	names := []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome"}
	if runtime.GOOS == "darwin" {
		names = append(names, "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium")
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
