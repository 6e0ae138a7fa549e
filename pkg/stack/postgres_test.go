package stack

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestPostgresKeepsItsDataThroughAKillAndThroughAStop(t *testing.T) {
	t.Parallel()
	ctx, dir := within(t, 3*time.Minute), stateDir(t)
	p, err := StartPostgres(ctx, PostgresOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	url := p.URL()
	query(ctx, t, url, "CREATE TABLE kept (n int)")
	query(ctx, t, url, "INSERT INTO kept VALUES (1)")

	// A backend that is busy when its postmaster dies is still there when the next one wants to start.
	busy, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close(ctx)
	go busy.Exec(ctx, "SELECT pg_sleep(600)") //nolint:errcheck // it is cut off, which is the point
	p.Kill()
	if err := p.Start(ctx); err != nil {
		t.Fatal(err)
	}
	query(ctx, t, url, "INSERT INTO kept VALUES (2)")
	p.Stop(ctx)

	again, err := StartPostgres(ctx, PostgresOptions{Dir: dir, Port: p.port})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Stop(ctx)
	if got := query(ctx, t, again.URL(), "SELECT string_agg(n::text, ',' ORDER BY n) FROM kept"); got != "1,2" {
		t.Errorf("the table holds %q after kill, start, stop and start; want 1,2", got)
	}
	if again.URL() != url {
		t.Error("the password changed with a restart")
	}
}

func TestPostgresStartsOverALockFileWhosePidIsAnotherProgramsNow(t *testing.T) {
	t.Parallel()
	ctx, dir := within(t, 3*time.Minute), stateDir(t)
	p, err := StartPostgres(ctx, PostgresOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop(ctx)
	p.Kill()
	file := filepath.Join(p.data, "postmaster.pid")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal("kill -9 left no lock file:", err)
	}
	_, rest, _ := strings.Cut(string(text), "\n")
	// Process 1 always runs.
	if err := os.WriteFile(file, []byte("1\n"+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.Start(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestPostgresIsSafeByDefaultAndOpenToNobodyElse(t *testing.T) {
	t.Parallel()
	ctx, dir := within(t, 3*time.Minute), stateDir(t)
	p, err := StartPostgres(ctx, PostgresOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop(ctx)
	for setting, want := range map[string]string{
		"fsync": "on", "synchronous_commit": "on", "listen_addresses": "127.0.0.1", "unix_socket_directories": "",
		"max_connections": "200", "server_encoding": "UTF8", "password_encryption": "scram-sha-256", "TimeZone": "UTC",
	} {
		if got := query(ctx, t, p.URL(), "SHOW "+setting); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	wrong := strings.Replace(p.URL(), p.password, "guess", 1)
	if conn, err := pgx.Connect(ctx, wrong); err == nil {
		conn.Close(ctx)
		t.Error("a wrong password was let in")
	}
	for path, want := range map[string]os.FileMode{filepath.Join(p.home, "password"): 0o600, p.data: 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v (%v), want %v", path, info.Mode().Perm(), err, want)
		}
	}
}

func TestAsRootPostgresRunsUnprivilegedAndWhereItCanReachItsData(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		// Nothing to drop: then it must run as who we are, which every other test of this file shows.
		return
	}
	ctx, dir := within(t, 3*time.Minute), stateDir(t)
	closedDir := filepath.Join(dir, "private")
	if err := os.Mkdir(closedDir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, where := range []struct{ dir, home string }{
		{filepath.Join(dir, "open"), filepath.Join(dir, "open", "postgres")},
		{filepath.Join(closedDir, "state"), filepath.Join(sharedState, shortHash(filepath.Join(closedDir, "state")))},
	} {
		p, err := StartPostgres(ctx, PostgresOptions{Dir: where.dir})
		if err != nil {
			t.Fatal(err)
		}
		if p.Home() != where.home {
			t.Errorf("the data of %s is in %s, want %s", where.dir, p.Home(), where.home)
		}
		pid, _, _ := p.proc.status()
		status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
		if err == nil && !strings.Contains(string(status), "Uid:\t65534\t65534\t65534\t65534") {
			t.Errorf("postgres does not run as 65534:\n%s", status)
		}
		p.Stop(ctx)
		if err := Remove(ctx, where.dir); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(p.Home()); !os.IsNotExist(err) {
			t.Errorf("%s is left after Remove (%v)", p.Home(), err)
		}
	}
}

func TestTwoServersNeverRunOnOneDirectory(t *testing.T) {
	t.Parallel()
	ctx, dir := within(t, 3*time.Minute), stateDir(t)
	p, err := StartPostgres(ctx, PostgresOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop(ctx)
	if second, err := StartPostgres(ctx, PostgresOptions{Dir: dir}); err == nil {
		second.Stop(ctx)
		t.Fatal("a second server was started on the same data")
	} else if !strings.Contains(err.Error(), dir) {
		t.Errorf("the error does not name the directory: %v", err)
	}
}

// query returns the first column of the first row as text, "" when there is none.
func query(ctx context.Context, t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var text string
	if rows.Next() {
		text = string(rows.RawValues()[0])
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return text
}
