package testkit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var installing sync.Mutex

// NPM is a folder with the files of source and the npm packages that its package-lock.json names, none of whose scripts is
// run; flags are added to `npm ci`. It lies below the user's cache directory and is made once for the same files and flags:
// other processes that make it at the same time make the same, and the first one's stays. Do not write into it.
func NPM(t testing.TB, name string, source fs.FS, flags ...string) string {
	t.Helper()
	installing.Lock()
	defer installing.Unlock()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	final := filepath.Join(cache, "taskflow", "npm", name+"-"+fingerprint(t, source, flags))
	if _, err := os.Stat(final); err == nil {
		return final
	}
	if err := os.MkdirAll(filepath.Dir(final), 0o750); err != nil {
		t.Fatal(err)
	}
	// Made beside it and moved there whole, so that one that is cut off does no harm.
	making, err := os.MkdirTemp(filepath.Dir(final), "making-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(making)
	if err := os.CopyFS(making, source); err != nil {
		t.Fatal(err)
	}
	npm := exec.CommandContext(t.Context(), "npm", append([]string{"ci", "--ignore-scripts", "--no-audit", "--no-fund"}, flags...)...)
	npm.Dir = making
	if said, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci for %s (Node 20 or newer and the package registry are needed): %v\n%s", name, err, said)
	}
	if err := os.Rename(making, final); err != nil {
		if _, there := os.Stat(final); there != nil {
			t.Fatal(err)
		}
	}
	return final
}

// fingerprint identifies what NPM makes.
func fingerprint(t testing.TB, source fs.FS, flags []string) string {
	t.Helper()
	sum := sha256.New()
	fmt.Fprintf(sum, "%q", flags)
	err := fs.WalkDir(source, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(source, path)
		fmt.Fprintf(sum, "%q%q", path, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
}
