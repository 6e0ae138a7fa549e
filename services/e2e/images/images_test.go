//go:build images

package images_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/stack"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
)

const (
	registry = "localhost/taskflow-test"
	version  = "0.0.1"
	// nonroot is who runs in every image.
	nonroot = 65532
)

// megabytes is the size on disk that an image may have at most. The chat agent's is for the most part the union types of OpenAI's
// client, of which the linker can leave none out.
var megabytes = map[string]int64{
	"task-api": 40, "mcp-tools": 40, "notifier": 40, "scheduler": 40, "offline-model": 40, "taskflow": 40,
	"chat-agent": 52,
	"web":        200,
}

// bills is a directory for the bills of materials of the images.
var bills string

func TestMain(m *testing.M) {
	var err error
	if bills, err = os.MkdirTemp("", "taskflow-bills-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(bills)
	os.Exit(code)
}

// build builds all images, once for all tests.
var build = sync.OnceValue(func() error {
	if os.Getuid() != 0 {
		return errors.New("these tests enter the images' file systems, which takes root: sudo -E make test-images")
	}
	if _, err := exec.LookPath("buildah"); err != nil {
		return errors.New("these tests build images with buildah: apt-get install buildah mmdebstrap")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(root, ".ci", "images"), "--registry", registry, "--tag", version, "--sbom", bills)
	cmd.Env = append(os.Environ(), "ENGINE=buildah")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, io.MultiWriter(&said, os.Stderr)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w\n%s", err, said.Bytes())
	}
	return nil
})

// image is one that was built, with its files below root.
type image struct {
	t    *testing.T
	name string
	root string
	config
}

type config struct {
	User       string
	Entrypoint []string
	Cmd        []string
	Env        []string
	WorkingDir string
	Labels     map[string]string
}

func open(t *testing.T, name string) image {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	reference := registry + "/" + name + ":" + version
	var about struct {
		OCIv1 struct {
			Config config `json:"config"`
		} `json:"OCIv1"`
	}
	if err := json.Unmarshal(buildah(t, "inspect", "--type", "image", reference), &about); err != nil {
		t.Fatal(err)
	}
	container := strings.TrimSpace(string(buildah(t, "from", "--pull-never", reference)))
	t.Cleanup(func() { buildah(t, "rm", container) })
	return image{t, name, strings.TrimSpace(string(buildah(t, "mount", container))), about.OCIv1.Config}
}

func buildah(t *testing.T, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // also in a cleanup
	defer cancel()
	var complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, "buildah", args...)
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("buildah %s: %v\n%s", args[0], err, complaints.Bytes())
	}
	return out
}

// command runs what the image runs, inside of its file system and as its user, with the image's environment and env.
func (i image) command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	if len(args) == 0 {
		args = i.Cmd
	}
	cmd := exec.CommandContext(ctx, i.Entrypoint[0], append(slices.Clone(i.Entrypoint[1:]), args...)...)
	cmd.Dir = i.WorkingDir
	if cmd.Dir == "" {
		cmd.Dir = "/"
	}
	cmd.Env = append(slices.Clone(i.Env), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: i.root, Credential: &syscall.Credential{Uid: nonroot, Gid: nonroot}}
	return cmd
}

// run runs it to its end and returns what it said.
func (i image) run(env []string, args ...string) (string, error) {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(i.t.Context(), time.Minute)
	defer cancel()
	said, err := i.command(ctx, env, args...).CombinedOutput()
	if ctx.Err() != nil {
		i.t.Fatalf("%s does not end: %s", i.name, said)
	}
	return string(said), err
}

// start runs it until the test ends.
func (i image) start(env []string, args ...string) {
	i.t.Helper()
	cmd := i.command(i.t.Context(), env, args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if i.t.Failed() {
			i.t.Logf("%s said:\n%s", i.name, said.Bytes())
		}
	})
}

// walk visits what is in the image; path has a leading slash.
func (i image) walk(visit func(path string, info fs.FileInfo)) {
	i.t.Helper()
	err := filepath.WalkDir(i.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			visit("/"+strings.TrimPrefix(strings.TrimPrefix(path, i.root), "/"), info)
		}
		return err
	})
	if err != nil {
		i.t.Fatal(err)
	}
}

func answers(t *testing.T, url string) {
	t.Helper()
	testkit.Eventually(t, url+" answers 200", func(ctx context.Context) (bool, any) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, err
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<12))
		return response.StatusCode == http.StatusOK, fmt.Sprint(response.StatusCode, " ", string(body))
	})
}

func TestEveryImageHasOnlyWhatRuns(t *testing.T) {
	t.Parallel()
	for name, limit := range megabytes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := open(t, name)
			if i.User != "65532:65532" {
				t.Errorf("it runs as %q", i.User)
			}
			for _, label := range []string{"title", "version", "revision", "created", "source", "licenses", "base.name"} {
				if i.Labels["org.opencontainers.image."+label] == "" {
					t.Errorf("it has no label %s", label)
				}
			}
			if got := i.Labels["org.opencontainers.image.version"]; got != version {
				t.Errorf("it says it is version %q", got)
			}
			for _, variable := range i.Env {
				for _, word := range []string{"SECRET", "TOKEN", "PASSWORD", "KEY", "DATABASE_URL", "PROXY", "REGISTRY"} {
					if strings.Contains(strings.ToUpper(variable), word) {
						t.Errorf("it has the variable %s", variable)
					}
				}
			}

			var size int64
			i.walk(func(path string, info fs.FileInfo) {
				if info.Mode().IsRegular() {
					size += info.Size()
				}
				base := filepath.Base(path)
				switch base {
				case "sh", "bash", "dash", "busybox", "apt", "apt-get", "dpkg", "npm", "npx", "go", "curl", "wget":
					if info.Mode()&0o111 != 0 && !info.IsDir() {
						t.Errorf("it has %s", path)
					}
				case ".git", ".npmrc", ".netrc", "go.work", "Dockerfile":
					t.Errorf("it has %s", path)
				}
				if strings.HasPrefix(base, ".env") || strings.HasSuffix(base, ".test.ts") || strings.HasSuffix(base, ".go") {
					t.Errorf("it has %s", path)
				}
				if info.Mode()&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
					t.Errorf("%s runs as another user", path)
				}
				owner := info.Sys().(*syscall.Stat_t)
				own := path == "/home/nonroot" || path == "/tmp"
				if !own && info.Mode()&fs.ModeSymlink == 0 && (owner.Uid == nonroot || info.Mode()&0o002 != 0) {
					t.Errorf("%s can be changed by who runs in it (%v)", path, info.Mode())
				}
			})
			if size > limit*1e6 {
				t.Errorf("it is %d MB, at most %d are wanted", size/1e6, limit)
			}
			t.Logf("%d MB", size/1e6)

			if _, err := os.Stat(filepath.Join(i.root, "etc/ssl/certs/ca-certificates.crt")); err != nil {
				t.Error("it trusts nobody:", err)
			}
			zone, err := os.ReadFile(filepath.Join(i.root, "usr/share/zoneinfo/America/New_York"))
			if err != nil {
				t.Fatal("it knows no time zones:", err)
			}
			if _, err := time.LoadLocationFromTZData("America/New_York", zone); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAServiceWithoutSettingsSaysWhichAreMissing(t *testing.T) {
	t.Parallel()
	for name, missing := range map[string]string{
		"task-api": "DATABASE_URL", "mcp-tools": "MCP_SECRET", "notifier": "DATABASE_URL", "scheduler": "DATABASE_URL",
		"chat-agent": "MCP_SECRET", "web": "BETTER_AUTH_SECRET",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, err := open(t, name).run([]string{"SECRET_STORE=none", "APP_API_OPEN=true", "PORT=0"})
			if err == nil {
				t.Error("it ended without an error")
			}
			if !strings.Contains(said, missing) {
				t.Errorf("it does not say that %s is missing: %s", missing, said)
			}
		})
	}
}

func TestTheCommandBringsItsMigrations(t *testing.T) {
	t.Parallel()
	i := open(t, "taskflow")
	if said, err := i.run(nil, "--help"); err != nil || !strings.Contains(said, "Usage") {
		t.Errorf("taskflow --help: %v\n%s", err, said)
	}
	if said, err := i.run([]string{"DATABASE_URL=" + testkit.EmptyPostgres(t)}, "migrate"); err != nil {
		t.Errorf("taskflow migrate: %v\n%s", err, said)
	}
	if said, err := i.run([]string{"DATABASE_URL=postgres://nobody@127.0.0.1:1/none"}, "migrate"); err == nil {
		t.Errorf("taskflow migrate succeeds without a database: %s", said)
	}
}

func TestTheOfflineModelServesFromItsImage(t *testing.T) {
	t.Parallel()
	i := open(t, "offline-model")
	addr := testkit.Address(t)
	i.start([]string{"HTTP_ADDR=" + addr})
	answers(t, "http://"+addr+"/v1/models")
}

func TestThePageServesFromItsImageAndWritesNothing(t *testing.T) {
	t.Parallel()
	i := open(t, "web")
	before := map[string]time.Time{}
	i.walk(func(path string, info fs.FileInfo) { before[path] = info.ModTime() })

	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { // Postgres is another user
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	postgres, err := stack.StartPostgres(ctx, stack.PostgresOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		postgres.Stop(ctx)
	})
	database := "DATABASE_URL=" + postgres.URL()
	if said, err := i.run([]string{database}, "scripts/migrate.mjs"); err != nil || !strings.Contains(said, `table "user": made`) {
		t.Fatalf("migrate.mjs: %v\n%s", err, said)
	}

	addr := testkit.Address(t)
	host, port, _ := strings.Cut(addr, ":")
	i.start([]string{
		database, "HOSTNAME=" + host, "PORT=" + port, "PUBLIC_URL=http://" + addr,
		"BETTER_AUTH_SECRET=" + strings.Repeat("a", 40), "JWT_SECRET=" + strings.Repeat("b", 40),
	})
	for _, path := range []string{"/healthz", "/readyz", "/sign-in"} {
		answers(t, "http://"+addr+path)
	}
	i.walk(func(path string, info fs.FileInfo) {
		if made, ok := before[path]; !ok || !made.Equal(info.ModTime()) {
			t.Errorf("%s was written", path)
		}
	})
}

func TestEveryImageHasItsBillOfMaterials(t *testing.T) {
	t.Parallel()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	for name := range megabytes {
		text, err := os.ReadFile(filepath.Join(bills, name+".cdx.json"))
		if err != nil {
			t.Error(err)
			continue
		}
		var bill struct {
			BomFormat  string `json:"bomFormat"`
			Components []struct{ Name, Version string }
		}
		if err := json.Unmarshal(text, &bill); err != nil || bill.BomFormat != "CycloneDX" {
			t.Errorf("%s: %q, %v", name, bill.BomFormat, err)
		}
		known := "github.com/labstack/echo/v4"
		switch name {
		case "web":
			known = "next"
		case "taskflow", "scheduler":
			known = "github.com/jackc/pgx/v5"
		}
		if !slices.ContainsFunc(bill.Components, func(c struct{ Name, Version string }) bool { return c.Name == known && c.Version != "" }) {
			t.Errorf("%s does not name %s among its %d parts", name, known, len(bill.Components))
		}
	}
}
