package stack

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestThePageIsBuiltAgainWhenWhatItIsMadeOfChanges(t *testing.T) {
	t.Parallel()
	source := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		full := filepath.Join(source, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fingerprint := func() string {
		t.Helper()
		f, err := webFingerprint(source)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	write("app/page.tsx", "one")
	write("package-lock.json", "{}")
	first := fingerprint()
	for path, text := range map[string]string{
		"node_modules/x/index.js": "x", ".next/server.js": "x", "e2e/people/a.spec.ts": "x", "lib/due.test.ts": "x", "README.md": "x",
	} {
		write(path, text)
		if fingerprint() != first {
			t.Errorf("%s is no part of the page, and has it built again", path)
		}
	}
	for path, text := range map[string]string{"app/page.tsx": "two", "app/b.tsx": "one", "package-lock.json": "{ }", "public/icon.svg": "x"} {
		before := fingerprint()
		write(path, text)
		if fingerprint() == before {
			t.Errorf("%s is part of the page, and has it not built again", path)
		}
	}
}

func TestAPathOfOneFileIsNotTakenForTheOther(t *testing.T) {
	t.Parallel()
	one, other := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{filepath.Join(one, "a"): "1b2", filepath.Join(other, "a1"): "b2"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, err1 := webFingerprint(one)
	b, err2 := webFingerprint(other)
	if err1 != nil || err2 != nil || a == b {
		t.Errorf("%q and %q (%v, %v)", a, b, err1, err2)
	}
}

func TestOnlyThePageHasWhatSessionsAreSignedWith(t *testing.T) {
	t.Parallel()
	all, err := units(append(Default(), Web()), Ports{Base: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, jwks := range []string{"", "http://page/api/auth/jwks"} {
		w := world{secrets: secrets{JWT: "j", Auth: "a"}, origin: "http://origin", jwks: jwks}
		for _, u := range all {
			env := u.serviceEnv(w)
			if has := slices.Contains(env, "BETTER_AUTH_SECRET=a"); has != (u.App == "web") {
				t.Errorf("%s has it: %v", u.App, has)
			}
			if has := slices.Contains(env, "JWT_SECRET=j"); has == (jwks != "") {
				t.Errorf("%s has the secret of tokens although jwks is %q: %v", u.App, jwks, has)
			}
			if has := slices.Contains(env, "JWT_JWKS_URL="+jwks); has != (jwks != "" && u.App != "web") {
				t.Errorf("%s has the address of the keys although jwks is %q: %v", u.App, jwks, has)
			}
		}
	}
}
