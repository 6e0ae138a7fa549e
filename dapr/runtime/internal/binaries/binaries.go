// Package binaries builds this module's programs once and keeps them.
//
// It owns where they are kept and when they are built again: a program is stored
// under a hash of everything that decides its bytes, so a stored one is never
// stale and several checkouts share one store. It refuses to remove old ones.
package binaries

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// DaprdVersion is what `daprd --version` answers: the version of
// github.com/dapr/dapr in go.mod, which a test compares.
const DaprdVersion = "1.18.3"

// Programs are the names Path knows.
var Programs = []string{"broker", "daprd"}

// Path answers where the program name, built from the module in dir, is stored,
// after building it if it is not: os.UserCacheDir()/taskflow/bin/<name>-<hash>.
// A cold build of daprd takes minutes; whoever asks meanwhile, in this process or
// another, waits for it, no longer than ctx.
func Path(ctx context.Context, dir, name string) (string, error) {
	if !slices.Contains(Programs, name) {
		return "", fmt.Errorf("no program %q, only %s", name, strings.Join(Programs, ", "))
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache directory: %w", err)
	}
	store := filepath.Join(cache, "taskflow", "bin")
	if err := os.MkdirAll(store, 0o755); err != nil {
		return "", fmt.Errorf("make the cache directory: %w", err)
	}
	sum, err := hash(dir, name)
	if err != nil {
		return "", fmt.Errorf("hash the sources of %s: %w", name, err)
	}
	path := filepath.Join(store, name+"-"+sum)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, buildOnce(ctx, dir, name, path)
}

// buildOnce builds name into path unless another process did so first.
func buildOnce(ctx context.Context, dir, name, path string) error {
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	// Flock cannot be cancelled. Its waiter ends with the other build, or with this
	// process when that gives up at ctx.
	locked := make(chan error, 1)
	go func() { locked <- syscall.Flock(int(lock.Fd()), syscall.LOCK_EX) }()
	select {
	case err := <-locked:
		if err != nil {
			return fmt.Errorf("lock %s: %w", lock.Name(), err)
		}
	case <-ctx.Done():
		return fmt.Errorf("wait for another build of %s: %w", name, ctx.Err())
	}
	if _, err := os.Stat(path); err == nil {
		return nil
	}

	// Built beside and renamed, so that nobody ever runs half a program.
	part := path + ".part"
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", ldflags(name), "-o", part, "./cmd/"+name)
	cmd.Dir = dir
	cmd.Env = environment()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return errors.Join(fmt.Errorf("build %s: %w\n%s", name, err, bytes.TrimSpace(output.Bytes())), os.RemoveAll(part))
	}
	return os.Rename(part, path)
}

func ldflags(name string) string {
	flags := "-s -w"
	if name == "daprd" {
		flags += " -X github.com/dapr/dapr/pkg/buildinfo.version=" + DaprdVersion
	}
	return flags
}

// environment is ours without what would build something else: go.work does not
// name this module, flags of the caller (-race, -mod) are not for these programs,
// and without cgo the result runs on any libc.
func environment() []string {
	return append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly -buildvcs=false", "CGO_ENABLED=0")
}

// hash names everything that decides the bytes of the program: toolchain,
// platform, flags, modules, and the sources of the program and its package.
func hash(dir, name string) (string, error) {
	files := []string{"go.mod", "go.sum"}
	for _, root := range []string{filepath.Join("cmd", name), filepath.Join("internal", name)} {
		err := filepath.WalkDir(filepath.Join(dir, root), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			rel, err := filepath.Rel(dir, path)
			files = append(files, rel)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOOS, runtime.GOARCH, ldflags(name))
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return "", err
		}
		fmt.Fprintln(sum, filepath.ToSlash(file), len(content))
		sum.Write(content)
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}
