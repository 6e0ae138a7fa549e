package testkit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// brokerInFiles is what the files in dapr/local say of the broker.
const brokerInFiles = "localhost:9092"

// program builds daprd or the broker from dapr/runtime, once per test binary, and returns its path.
func program(t testing.TB, name string) string {
	t.Helper()
	// The sidecar takes minutes to build the first time on a machine.
	paths, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return paths[name]
}

var programs = sync.OnceValues(func() (map[string]string, error) {
	root, err := checkout()
	if err != nil {
		return nil, err
	}
	build := exec.Command("go", "run", "./cmd/build", "daprd", "broker")
	build.Dir = filepath.Join(root, "dapr", "runtime")
	// The module stands outside of go.work on purpose.
	build.Env = append(os.Environ(), "GOWORK=off")
	var out, faults bytes.Buffer
	build.Stdout, build.Stderr = &out, &faults
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("build daprd and the broker (cd dapr/runtime && GOWORK=off go run ./cmd/build): %w\n%s", err, faults.Bytes())
	}
	lines := strings.Fields(out.String())
	if len(lines) != 2 {
		return nil, fmt.Errorf("dapr/runtime's build names %d programs instead of 2: %s", len(lines), out.String())
	}
	return map[string]string{"daprd": lines[0], "broker": lines[1]}, nil
})

// checkout is the directory with go.work above the test.
func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.work above the test: it must run inside a checkout")
		}
	}
}

// Broker is an embedded broker that is this test's alone. It can be killed and started again.
type Broker struct {
	// Addr is where it listens, host:port; the same after each start.
	Addr string

	t      testing.TB
	listen string
	data   string
	doors  BrokerOptions
	proc   *child
}

// BrokerOptions say whom a broker lets in, and where.
type BrokerOptions struct {
	// User and Password are needed to log in (SCRAM-SHA-256); without a User everybody may come in.
	User, Password string
	// Advertise is the address clients are sent to, host:port, that of a proxy for one; empty is the broker's own.
	Advertise string
	// Listen is where it listens, host:port; empty takes a free port.
	Listen string
}

// StartBroker runs a broker without topics until the test ends.
func StartBroker(t testing.TB) *Broker {
	t.Helper()
	return StartBrokerWith(t, BrokerOptions{})
}

// StartBrokerWith is StartBroker with other doors.
func StartBrokerWith(t testing.TB, o BrokerOptions) *Broker {
	t.Helper()
	b := &Broker{t: t, listen: o.Listen, data: t.TempDir(), doors: o}
	if b.listen == "" {
		b.listen = Address(t)
	}
	b.Start()
	return b
}

// Start runs the broker again after Kill, with what it had acknowledged.
func (b *Broker) Start() {
	b.t.Helper()
	const password = "BROKER_PASSWORD"
	args := []string{"--data", b.data, "--listen", b.listen}
	if b.doors.Advertise != "" {
		args = append(args, "--advertise", b.doors.Advertise)
	}
	if b.doors.User != "" {
		args = append(args, "--sasl-user", b.doors.User, "--sasl-password-env", password)
	}
	ready := make(chan string, 1)
	cmd := exec.CommandContext(context.Background(), program(b.t, "broker"), args...)
	cmd.Env = append(os.Environ(), password+"="+b.doors.Password)
	b.proc = start(b.t, "broker", cmd, func(line []byte) {
		var said struct{ Msg, Addr string }
		if json.Unmarshal(line, &said) == nil && said.Msg == "broker ready" {
			ready <- said.Addr
		}
	})
	select {
	case b.Addr = <-ready:
	case <-b.proc.ended:
		b.t.Fatalf("the broker ended instead of serving:\n%s", b.proc.tail())
	case <-time.After(30 * time.Second):
		b.t.Fatalf("the broker does not serve after 30 s:\n%s", b.proc.tail())
	}
}

// Kill ends the broker without warning.
func (b *Broker) Kill() {
	b.t.Helper()
	b.proc.kill()
}

// SidecarOptions say what a sidecar is run with.
type SidecarOptions struct {
	App string
	// AppAddr is where the app takes deliveries; empty if it takes none.
	AppAddr string
	Broker  *Broker
	// Database is where the state store keeps its tables. Without it the sidecar has no state store.
	Database string
	// Token and AppToken are the API tokens; empty ones are not checked and not sent.
	Token, AppToken string
	// Env is added to the sidecar's environment ("JWT_SECRET=…").
	Env []string
	// Edit may change a file of dapr/local before the sidecar reads it; name is its path below that directory. An
	// empty result leaves the file out.
	Edit func(name string, text []byte) []byte
}

// Sidecar is a daprd that runs with the product's own files for one machine (dapr/local).
type Sidecar struct {
	// GRPC is the address of its gRPC API, host:port. It may not be listening yet: daprd opens it when its components
	// are ready, so clients wait for it as services do.
	GRPC string
	// HTTP is the address of its HTTP API, host:port.
	HTTP string

	proc *child
}

// StartSidecar runs a sidecar until the test ends.
func StartSidecar(t testing.TB, o SidecarOptions) *Sidecar {
	t.Helper()
	dir := t.TempDir()
	resources := filepath.Join(dir, "resources")
	configuration := filepath.Join(dir, "configuration.yaml")
	render(t, o, resources, configuration)
	ports := freePorts(t, 4)
	args := []string{
		"--app-id", o.App, "--dapr-listen-addresses", "127.0.0.1",
		"--dapr-http-port", ports[0], "--dapr-grpc-port", ports[1], "--dapr-internal-grpc-port", ports[2], "--metrics-port", ports[3],
		"--resources-path", resources, "--config", configuration,
		"--placement-host-address", "", "--scheduler-host-address", "", "--log-level", "info", "--dapr-graceful-shutdown-seconds", "1",
	}
	if o.AppAddr != "" {
		_, port, err := net.SplitHostPort(o.AppAddr)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "--app-port", port, "--app-protocol", "grpc", "--enable-app-health-check",
			"--app-health-probe-interval", "1", "--app-health-probe-timeout", "1000", "--app-health-threshold", "3")
	}
	cmd := exec.CommandContext(context.Background(), program(t, "daprd"), args...)
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "DAPR_") && !strings.HasPrefix(setting, "APP_") {
			cmd.Env = append(cmd.Env, setting)
		}
	}
	cmd.Env = append(append(cmd.Env, "DAPR_API_TOKEN="+o.Token, "APP_API_TOKEN="+o.AppToken, "STATE_DATABASE_URL="+o.Database), o.Env...)
	return &Sidecar{
		GRPC: net.JoinHostPort("127.0.0.1", ports[1]), HTTP: net.JoinHostPort("127.0.0.1", ports[0]),
		proc: start(t, "daprd of "+o.App, cmd, func([]byte) {}),
	}
}

// Kill ends the sidecar without warning.
func (s *Sidecar) Kill() { s.proc.kill() }

// Stop asks the sidecar to end, as Kubernetes does, and waits for it.
func (s *Sidecar) Stop() { s.proc.stop() }

func render(t testing.TB, o SidecarOptions, resources, configuration string) {
	t.Helper()
	root, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	local := filepath.Join(root, "dapr", "local")
	if err := os.Mkdir(resources, 0o700); err != nil {
		t.Fatal(err)
	}
	copyTo := func(name, to string) {
		text, err := os.ReadFile(filepath.Join(local, name))
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.ReplaceAll(text, []byte(brokerInFiles), []byte(o.Broker.Addr))
		if o.Edit != nil {
			if text = o.Edit(name, text); len(text) == 0 {
				return
			}
		}
		if err := os.WriteFile(to, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	copyTo("configuration.yaml", configuration)
	files, err := filepath.Glob(filepath.Join(local, "*", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no Dapr files in %s: %v", local, err)
	}
	for _, f := range files {
		name, err := filepath.Rel(local, f)
		if err != nil {
			t.Fatal(err)
		}
		if o.Database == "" && filepath.Base(name) == "statestore.yaml" {
			continue
		}
		copyTo(name, filepath.Join(resources, strings.ReplaceAll(name, string(filepath.Separator), "-")))
	}
}

// child is a process that belongs to a test.
type child struct {
	name  string
	cmd   *exec.Cmd
	ended chan struct{}
	stops sync.Once

	mu  sync.Mutex
	log bytes.Buffer
}

// start runs cmd until the test ends and shows every line of its standard output to see. When the test fails, the end
// of what the process wrote is in the test's log.
func start(t testing.TB, name string, cmd *exec.Cmd, see func(line []byte)) *child {
	t.Helper()
	return startAs(t, name, cmd, nil, see)
}

// startAs is start as another user, nil for who we are.
func startAs(t testing.TB, name string, cmd *exec.Cmd, user *syscall.Credential, see func(line []byte)) *child {
	t.Helper()
	c := &child{name: name, cmd: cmd, ended: make(chan struct{})}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = writerFunc(c.write)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: user}
	dieWithTest(cmd.SysProcAttr)
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		defer close(c.ended)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			_, _ = c.write(append(lines.Bytes(), '\n'))
			see(lines.Bytes())
		}
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		c.stop()
		if t.Failed() {
			t.Logf("the end of what %s wrote:\n%s", name, c.tail())
		}
	})
	return c
}

func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.ended
}

// stop ends the process politely, and after ten seconds not so.
func (c *child) stop() {
	c.stops.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = c.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-c.ended:
		case <-ctx.Done():
			c.kill()
		}
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

const keptLog = 16 << 10

func (c *child) write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.log.Len() > keptLog {
		c.log.Next(c.log.Len() - keptLog/2)
	}
	return c.log.Write(p)
}

func (c *child) tail() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.String()
}
