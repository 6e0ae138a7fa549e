package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// builder makes the programs of a stack out of the checkout. Each result is made once per machine, also when several
// test processes want it at the same time.
type builder struct {
	root string // the checkout
	say  func(string, ...any)
}

// services builds Go packages of the services module and returns the directory with the programs, named as the last
// element of their package. The programs are a copy of the stack's own, in dir: a build for another stack does not
// change a program under one that runs.
func (b builder) services(ctx context.Context, dir string, packages, flags []string) (string, error) {
	if len(packages) == 0 {
		return dir, nil
	}
	cache, err := cacheDir("bin", "services-"+shortHash(b.root+"\x00"+strings.Join(flags, "\x00")))
	if err != nil {
		return "", err
	}
	lock, err := waitLock(ctx, cache+".lock", func() { b.say("another process builds the services, waiting for it") })
	if err != nil {
		return "", err
	}
	defer lock.release()
	began := time.Now()
	b.say("building %s", strings.Join(packages, " "))
	// The trailing separator makes -o a directory even for a single package.
	args := slices.Concat([]string{"build", "-o", cache + string(filepath.Separator)}, flags, packages)
	if _, err := b.goTool(ctx, filepath.Join(b.root, "services"), nil, args); err != nil {
		return "", fmt.Errorf("build the services: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, p := range packages {
		name := filepath.Base(p)
		if err := place(filepath.Join(cache, name), filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	b.say("built in %v", time.Since(began).Round(100*time.Millisecond))
	return dir, nil
}

// runtime returns a program of dapr/runtime ("daprd", "broker"). That module knows how to build its programs and where
// they are kept; it is asked by its own command.
func (b builder) runtime(ctx context.Context, program, announce string) (string, error) {
	module := filepath.Join(b.root, "dapr", "runtime")
	// A stored program is there at once. Who has to wait is told what for.
	began := time.Now()
	slow := time.AfterFunc(3*time.Second, func() { b.say("%s", announce) })
	out, err := b.goTool(ctx, module, []string{"GOWORK=off"}, []string{"run", "./cmd/build", program})
	if !slow.Stop() {
		b.say("that took %v", time.Since(began).Round(time.Second))
	}
	if err != nil {
		return "", fmt.Errorf("build %s: %w", program, err)
	}
	return strings.TrimSpace(out), nil
}

// daprd returns the sidecar: one that is installed already when its minor version is ours, or else our own build.
func (b builder) daprd(ctx context.Context) (string, error) {
	version, err := daprVersion(filepath.Join(b.root, "dapr", "runtime"))
	if err != nil {
		return "", err
	}
	for _, path := range installedDaprd() {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		out, err := exec.CommandContext(ctx, path, "--version").Output()
		cancel()
		if err == nil && minor(string(bytes.TrimSpace(out))) == minor(version) {
			b.say("using %s (%s)", path, bytes.TrimSpace(out))
			return path, nil
		}
	}
	return b.runtime(ctx, "daprd", "building daprd "+version+" from pinned modules, about 3 minutes the first time")
}

// broker returns the program of the embedded broker.
func (b builder) broker(ctx context.Context) (string, error) {
	return b.runtime(ctx, "broker", "building the broker from pinned modules")
}

// installedDaprd lists where a daprd may be: on PATH, or where `dapr init` puts it.
func installedDaprd() []string {
	var paths []string
	if path, err := exec.LookPath("daprd"); err == nil {
		paths = append(paths, path)
	}
	if home, err := os.UserHomeDir(); err == nil {
		path := filepath.Join(home, ".dapr", "bin", "daprd")
		if _, err := os.Stat(path); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

// minor is "1.18" of "1.18.3" or "v1.18.3".
func minor(version string) string {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return version
	}
	return parts[0] + "." + parts[1]
}

var requireDapr = regexp.MustCompile(`(?m)^\s*(?:require\s+)?github\.com/dapr/dapr v(\S+)`)

// daprVersion is the version of Dapr that the runtime module requires.
func daprVersion(module string) (string, error) {
	text, err := os.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil {
		return "", err
	}
	found := requireDapr.FindSubmatch(text)
	if found == nil {
		return "", fmt.Errorf("%s/go.mod requires no github.com/dapr/dapr", module)
	}
	return string(found[1]), nil
}

// goTool runs the go command and returns what it printed; what it complains of is in the error.
func (b builder) goTool(ctx context.Context, dir string, env, args []string) (string, error) {
	tool, err := exec.LookPath("go")
	if err != nil {
		return "", errors.New("the go command (1.26 or newer) is needed and is not on PATH")
	}
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	// Killing only the go command would leave its compilers at work.
	ownGroup(cmd)
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %s in %s: %w\n%s", args[0], dir, err, bytes.TrimSpace(complaints.Bytes()))
	}
	return out.String(), nil
}

// place puts a program at another path, as a link where the file system allows it.
func place(from, to string) error {
	if err := os.Remove(to); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
