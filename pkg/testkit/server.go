package testkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/taskflow-suite/taskflow/pkg/stack"
)

// The shared server belongs to a process of its own, the keeper: a test binary run once more with keeperVariable set.
//
// There are no pids in files. Every test process holds a shared lock on the file "users" as long as it lives, and the
// keeper an exclusive one on "keeper"; the kernel gives them back whatever happens. The keeper ends when it could have had "users" for itself for
// idleEnd. Its server ends with it.
const (
	keeperVariable = "TASKFLOW_TEST_POSTGRES_KEEPER"
	idleEnd        = 2 * time.Minute
)

func init() {
	if dir := os.Getenv(keeperVariable); dir != "" {
		if err := keep(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

var shared sharedServer

type sharedServer struct {
	mu    sync.Mutex
	found string
	users *os.File // held until the process ends
}

func (s *sharedServer) url(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found != "" {
		return s.found, nil
	}
	dir := filepath.Join(os.TempDir(), "taskflow-test-postgres-"+strconv.Itoa(os.Getuid()))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	users, err := os.OpenFile(filepath.Join(dir, "users"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	if err := syscall.Flock(int(users.Fd()), syscall.LOCK_SH); err != nil {
		return "", err
	}
	s.users = users
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		url, last := reach(ctx, dir)
		if last == nil {
			s.found = url
			return url, nil
		}
		if err := startKeeper(dir); err != nil {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("the shared server does not answer (its log: %s): %w", filepath.Join(dir, "keeper.log"), last)
		case <-tick.C:
		}
	}
}

// reach is the URL of the running server.
func reach(ctx context.Context, dir string) (string, error) {
	url, err := os.ReadFile(filepath.Join(dir, "url"))
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, string(url))
	if err != nil {
		return "", err
	}
	return string(url), conn.Close(ctx)
}

// startKeeper does nothing when there is a keeper, which may be starting its server still.
func startKeeper(dir string) error {
	lock, err := lockFile(filepath.Join(dir, "keeper"))
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(dir, "keeper.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(self) //nolint:noctx // it outlives this process on purpose
	cmd.Env = append(os.Environ(), keeperVariable+"="+dir)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	// It inherits the lock, so that there is no moment without one.
	cmd.ExtraFiles = []*os.File{lock}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}

// lockFile fails with EWOULDBLOCK if another process holds the lock.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// keep runs the server until nobody has used it for idleEnd.
func keep(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	address := filepath.Join(dir, "url")
	_ = os.Remove(address) // of the keeper before
	server, err := stack.StartPostgres(ctx, stack.PostgresOptions{
		Dir: dir, Output: os.Stderr,
		Settings: map[string]string{
			// What a test wrote may be lost with the machine.
			"fsync": "off", "full_page_writes": "off",
			"max_connections": "500", "max_locks_per_transaction": "256",
		},
	})
	if err != nil {
		return err
	}
	defer server.Stop(context.Background())
	if err := dropLeftovers(ctx, server.URL()); err != nil {
		return err
	}
	if err := os.WriteFile(address+".new", []byte(server.URL()), 0o600); err != nil {
		return err
	}
	if err := os.Rename(address+".new", address); err != nil {
		return err
	}
	idleSince := time.Now()
	for range time.Tick(time.Second) {
		users, err := lockFile(filepath.Join(dir, "users"))
		if errors.Is(err, syscall.EWOULDBLOCK) {
			idleSince = time.Now()
			continue
		}
		if err != nil {
			return err
		}
		if time.Since(idleSince) > idleEnd {
			// Whoever comes now waits for this lock, and then finds neither address nor keeper.
			defer users.Close()
			return os.Remove(address)
		}
		_ = users.Close()
	}
	return nil
}

// dropLeftovers removes the schemas of tests that were killed.
func dropLeftovers(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "SELECT nspname FROM pg_namespace WHERE nspname LIKE $1", schemaPrefix+"%")
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := execute(ctx, url, "DROP SCHEMA "+pgx.Identifier{name}.Sanitize()+" CASCADE"); err != nil {
			return err
		}
	}
	return nil
}
