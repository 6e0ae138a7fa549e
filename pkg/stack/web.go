package stack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Web is the page. It is not among Default because it takes npm and half a minute to build.
func Web() Service {
	return Service{App: "web", Package: "./web", Node: true, NoSidecar: true, Database: true, Auth: true}
}

// web builds the page, if its sources are not those of the last build, and returns a directory in dir with its server
// (server.js) and its scripts. Like the services', it is a copy of the stack's own.
func (b builder) web(ctx context.Context, dir string) (string, error) {
	source := filepath.Join(b.root, "services", "web")
	if err := checkNode(ctx); err != nil {
		return "", err
	}
	cache, err := cacheDir("bin", "web-"+shortHash(b.root))
	if err != nil {
		return "", err
	}
	lock, err := waitLock(ctx, cache+".lock", func() { b.say("another process builds the page, waiting for it") })
	if err != nil {
		return "", err
	}
	defer lock.release()
	fingerprint, err := webFingerprint(source)
	if err != nil {
		return "", err
	}
	built, made := filepath.Join(cache, "built"), filepath.Join(cache, "sources")
	if last, err := os.ReadFile(made); err != nil || string(last) != fingerprint {
		if err := b.buildWeb(ctx, source, built); err != nil {
			return "", fmt.Errorf("build the page: %w", err)
		}
		if err := writeFile(made, []byte(fingerprint), 0o644); err != nil {
			return "", err
		}
	}
	target := filepath.Join(dir, "web")
	if err := os.RemoveAll(target); err != nil {
		return "", err
	}
	return target, placeTree(built, target)
}

func (b builder) buildWeb(ctx context.Context, source, built string) error {
	began := time.Now()
	if err := b.npmInstall(ctx, source); err != nil {
		return err
	}
	b.say("building the page, about half a minute")
	if err := runNode(ctx, source, []string{"NODE_ENV=production", "NEXT_TELEMETRY_DISABLED=1"},
		"node", filepath.Join("node_modules", "next", "dist", "bin", "next"), "build"); err != nil {
		return err
	}
	if err := os.RemoveAll(built); err != nil {
		return err
	}
	// What Next.js leaves out of its standalone server is put beside it.
	for from, to := range map[string]string{
		filepath.Join(".next", "standalone"): ".",
		filepath.Join(".next", "static"):     filepath.Join(".next", "static"),
		"public":                             "public",
		"scripts":                            "scripts",
	} {
		from = filepath.Join(source, from)
		if _, err := os.Stat(from); errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err := placeTree(from, filepath.Join(built, to)); err != nil {
			return err
		}
	}
	b.say("the page is built, in %v", time.Since(began).Round(time.Second))
	return nil
}

// npmInstall brings node_modules to what package-lock.json says. None of the packages' scripts is run. It is not npm ci, which
// refuses a lock file that lacks the packages of platforms its registry does not have.
func (b builder) npmInstall(ctx context.Context, source string) error {
	lockfile, err := os.ReadFile(filepath.Join(source, "package-lock.json"))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(lockfile)
	want := hex.EncodeToString(sum[:])
	stamp := filepath.Join(source, "node_modules", ".taskflow-installed")
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		return nil
	}
	b.say("fetching what the page is made of from npm, about a minute the first time")
	if err := runNode(ctx, source, nil, "npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
		return err
	}
	return writeFile(stamp, []byte(want), 0o644)
}

// NPMInstall installs the packages of the page in the checkout at root, for tests that run its tools.
func NPMInstall(ctx context.Context, root string, output io.Writer) error {
	cache, err := cacheDir("bin", "web-"+shortHash(root))
	if err != nil {
		return err
	}
	say := newMerged(output, []string{"stack"}).say
	lock, err := waitLock(ctx, cache+".lock", func() { say("another process builds the page, waiting for it") })
	if err != nil {
		return err
	}
	defer lock.release()
	return builder{root, say}.npmInstall(ctx, filepath.Join(root, "services", "web"))
}

// nodeAtLeast is what Next.js 16 needs.
var nodeAtLeast = [2]int{20, 9}

func checkNode(ctx context.Context) error {
	need := fmt.Errorf("node %d.%d or newer, with npm, is needed for the page (https://nodejs.org); `taskflow up --without web` runs the rest", nodeAtLeast[0], nodeAtLeast[1])
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return need
	}
	version := strings.TrimSpace(string(out))
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return fmt.Errorf("node is %q: %w", version, need)
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	if err1 != nil || err2 != nil || major < nodeAtLeast[0] || major == nodeAtLeast[0] && minor < nodeAtLeast[1] {
		return fmt.Errorf("node is %s: %w", version, need)
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return need
	}
	return nil
}

// runNode runs a program of Node to its end; what it complains of is in the error.
func runNode(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(inherited(), env...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	ownGroup(cmd)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s in %s: %w\n%s", name, strings.Join(args, " "), dir, err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

// webFingerprint changes with whatever goes into the build.
func webFingerprint(source string) (string, error) {
	sum := sha256.New()
	err := filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			switch name {
			case "node_modules", ".next", "e2e", "test-results", "playwright-report":
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || strings.Contains(name, ".test.") || strings.HasSuffix(name, ".tsbuildinfo") || name == "next-env.d.ts" || name == "README.md" {
			return nil
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(sum, "%q%d\n%s", strings.TrimPrefix(path, source), len(text), text)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

// placeTree puts the files of one directory into another, as links where the file system allows it.
func placeTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		default:
			return place(path, target)
		}
	})
}

// migrateWeb has the page make its tables, and its demo login if there is to be one, before it starts.
func migrateWeb(ctx context.Context, dir string, env []string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", filepath.Join("scripts", "migrate.mjs"))
	cmd.Dir, cmd.Env = dir, env
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	ownGroup(cmd)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("make the tables of the page: %w\n%s", err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

const demoEmail = "demo@example.com"

// demo is what the page makes the demo login of.
func (s *Stack) demo() []string {
	if !s.o.Demo {
		return nil
	}
	return []string{"DEMO_EMAIL=" + demoEmail, "DEMO_PASSWORD=" + s.secrets.Demo, "DEMO_NAME=Demo"}
}
