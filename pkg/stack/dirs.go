package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// As root, Postgres runs as an unprivileged user, and that user cannot look into root's home. Its binaries and, where
// need be, its data then live in these two places.
const (
	sharedCache = "/var/cache/taskflow"
	sharedState = "/var/lib/taskflow"
)

// FindRoot walks from dir upwards to the directory with go.work.
func FindRoot(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for d := start; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.work")); err == nil {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("no go.work in %s or above it: this must run inside a TaskFlow checkout", start)
		}
	}
}

// DefaultDir is where a checkout keeps the state of its stack.
func DefaultDir(root string) string { return filepath.Join(root, ".taskflow") }

// cacheDir makes and returns a directory below the user's cache. Without a home (a bare container) it is one in the
// temporary directory that belongs to this user alone.
func cacheDir(elem ...string) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		base = filepath.Join(os.TempDir(), "cache-"+strconv.Itoa(os.Getuid()))
	}
	dir := filepath.Join(append([]string{base, "taskflow"}, elem...)...)
	return dir, os.MkdirAll(dir, 0o755)
}

// othersCanReach tells whether a user without any rights of his own can walk to path: every directory above it that
// exists lets others pass.
func othersCanReach(path string) bool {
	for d := filepath.Dir(path); ; d = filepath.Dir(d) {
		info, err := os.Stat(d)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return false
		}
		if err == nil && info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if d == filepath.Dir(d) {
			return true
		}
	}
}

// shortHash names a directory by the path it belongs to.
func shortHash(path string) string {
	sum := sha256.Sum256([]byte(path))
	return hex.EncodeToString(sum[:6])
}

// writeFile replaces a file as a whole: a reader, or a crash, never meets half of it.
func writeFile(path string, content []byte, perm os.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(content)
	if err := errors.Join(err, tmp.Chmod(perm), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
