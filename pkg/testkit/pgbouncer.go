package testkit

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// PgBouncer is a pooler in transaction mode before a Postgres, as Neon's and many others are: a session lasts for one
// transaction, and nobody knows whose it was before. It lets in every role that the server lets in. It can be killed,
// frozen and started again.
//
// It refuses startup parameters that it does not keep for each client (PgBouncer's ignore_startup_parameters is empty on
// purpose), so that who relies on one is found.
type PgBouncer struct {
	// Address is where it listens, host:port; the same after each start.
	Address string

	t    testing.TB
	ini  string
	user *syscall.Credential
	// console is the URL of PgBouncer's own console.
	console string
	proc    *child
}

// StartPgBouncer runs a pooler before the server of a URL until the test ends. settings are those of pgbouncer.ini, over
// our own; the URL's role must be a superuser, who reads the passwords of the others.
func StartPgBouncer(t testing.TB, server string, settings map[string]string) *PgBouncer {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil || u.User == nil {
		t.Fatal("PgBouncer needs the URL of a server, with a role")
	}
	password, _ := u.User.Password()
	p := &PgBouncer{Address: Address(t), t: t}
	console := url.URL{Scheme: "postgres", User: u.User, Host: p.Address, Path: "/pgbouncer", RawQuery: "sslmode=disable"}
	p.console = console.String()
	if os.Getuid() == 0 { // PgBouncer does not run as root
		p.user = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	// Not t.TempDir, which only its owner may look into.
	dir, err := os.MkdirTemp("", "taskflow-pgbouncer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	host, port, _ := strings.Cut(p.Address, ":")
	all := map[string]string{
		"listen_addr": host, "listen_port": port, "unix_socket_dir": "",
		"pool_mode": "transaction",
		// Fewer sessions than the services together have connections.
		"default_pool_size": "20", "max_client_conn": "2000",
		"auth_type": "scram-sha-256", "auth_file": filepath.Join(dir, "users"), "auth_user": u.User.Username(),
		"auth_query":  "SELECT usename, passwd FROM pg_shadow WHERE usename = $1",
		"admin_users": u.User.Username(),
		// The default of 15 s is how long nobody gets in after a server that was away is back.
		"server_login_retry": "1",
		"log_connections":    "0", "log_disconnections": "0",
	}
	maps.Copy(all, settings)
	var ini strings.Builder
	fmt.Fprintf(&ini, "[databases]\n* = host=%s port=%s\n[pgbouncer]\n", u.Hostname(), u.Port())
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&ini, "%s = %s\n", name, all[name])
	}
	p.ini = filepath.Join(dir, "pgbouncer.ini")
	files := map[string]string{p.ini: ini.String(), all["auth_file"]: fmt.Sprintf("%q %q\n", u.User.Username(), password)}
	for path, text := range files {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if p.user != nil {
		for _, path := range append(slices.Collect(maps.Keys(files)), dir) {
			if err := os.Chown(path, int(p.user.Uid), int(p.user.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.Start()
	return p
}

// URL leads to the same database as a URL of the server, through the pooler.
func (p *PgBouncer) URL(server string) string {
	p.t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		p.t.Fatal(err)
	}
	u.Host = p.Address
	return u.String()
}

// Start runs the pooler again after Kill, and returns when it answers.
func (p *PgBouncer) Start() {
	p.t.Helper()
	cmd := exec.CommandContext(context.Background(), installed(p.t, "pgbouncer", "pgbouncer", "/usr/sbin/pgbouncer"), p.ini)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	p.proc = startAs(p.t, "pgbouncer", cmd, p.user, func([]byte) {})
	Eventually(p.t, "pgbouncer answers", func(context.Context) (bool, any) {
		select {
		case <-p.proc.ended:
			p.t.Fatalf("pgbouncer ended instead of serving:\n%s", p.proc.tail())
		default:
		}
		_, err := p.ask("SHOW VERSION")
		return err == nil, err
	})
}

// Kill ends the pooler without warning; every connection through it breaks.
func (p *PgBouncer) Kill() {
	p.t.Helper()
	p.proc.kill()
}

// Freeze stops the pooler where it is: connections stay open and nothing comes. It lasts until Thaw.
func (p *PgBouncer) Freeze() { p.signal(syscall.SIGSTOP) }

// Thaw has the pooler go on after Freeze.
func (p *PgBouncer) Thaw() { p.signal(syscall.SIGCONT) }

func (p *PgBouncer) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.proc.cmd.Process.Signal(s); err != nil {
		p.t.Fatal("signal pgbouncer:", err)
	}
}

// Command gives a command to PgBouncer's console, such as PAUSE, RESUME or "SET server_lifetime=1".
func (p *PgBouncer) Command(command string) {
	p.t.Helper()
	if _, err := p.ask(command); err != nil {
		p.t.Fatalf("%s: %v", command, err)
	}
}

// Clients is how many connections clients have, and Servers how many sessions those share, of the role's database.
func (p *PgBouncer) Clients() int { return p.count("SHOW CLIENTS") }

// Servers is how many sessions of the server the pooler has.
func (p *PgBouncer) Servers() int { return p.count("SHOW SERVERS") }

func (p *PgBouncer) count(command string) int {
	p.t.Helper()
	rows, err := p.ask(command)
	if err != nil {
		p.t.Fatalf("%s: %v", command, err)
	}
	return rows
}

// ask returns how many rows the console answers with. It speaks the simple protocol only.
func (p *PgBouncer) ask(command string) (rows int, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.t.Context()), 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.console+"&default_query_exec_mode=simple_protocol")
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	results, err := conn.PgConn().Exec(ctx, command).ReadAll()
	for _, r := range results {
		rows += len(r.Rows)
	}
	return rows, err
}
