// Package proctest runs this module's programs as processes of a test.
//
// It owns their life: a process is gone when its test is, and what it wrote is
// shown if the test failed. It refuses to know what the programs are for.
package proctest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/dapr/runtime/internal/binaries"
)

// Deadline bounds every wait of a test for something that should happen soon.
const Deadline = 60 * time.Second

const buildLimit = 25 * time.Minute // a cold daprd on two busy cores

// maxOutput is how much of a process's output is kept to be shown.
const maxOutput = 64 << 10 // bytes

// Binary answers the path of a program of this module, building it if need be.
// The test's working directory is the package's, two levels below the module.
func Binary(t testing.TB, name string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), buildLimit)
	defer cancel()
	path, err := binaries.Path(ctx, filepath.Join("..", ".."), name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Process is a running program.
type Process struct {
	t      testing.TB
	cmd    *exec.Cmd
	output tail
	lines  chan string
	done   chan struct{}
	err    error // of the process; to be read after done
}

// Start runs path with args and, beside the test's environment, env.
func Start(t testing.TB, env []string, path string, args ...string) *Process {
	t.Helper()
	p := &Process{t: t, cmd: exec.CommandContext(context.Background(), path, args...), lines: make(chan string, 16), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = &p.output
	out, w := io.Pipe()
	p.cmd.Stdout = w
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			_, _ = fmt.Fprintln(&p.output, lines.Text())
			select {
			case p.lines <- lines.Text():
			default: // nobody reads lines beyond the first few
			}
		}
		// A line too long for the scanner must not block the process.
		_, _ = io.Copy(io.Discard, out)
	}()
	go func() {
		p.err = p.cmd.Wait()
		_ = w.Close()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s %v wrote:\n%s", filepath.Base(path), args, p.output.String())
		}
	})
	return p
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill is kill -9, and waits until the process is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

// Stop asks the process to end and fails the test if it does not, or ends badly.
func (p *Process) Stop() {
	p.t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.Wait(); err != nil {
		p.t.Fatalf("stopped process: %v", err)
	}
}

// Wait answers how the process ended by itself: nil if with code 0.
func (p *Process) Wait() error {
	p.t.Helper()
	select {
	case <-p.done:
		return p.err
	case <-time.After(Deadline):
		p.t.Fatal("the process did not end")
		return nil
	}
}

// Output is what the process wrote last, to both streams.
func (p *Process) Output() string { return p.output.String() }

// Broker is a running broker process.
type Broker struct {
	*Process
	Addr string
}

// StartBroker runs the broker on dir and waits until it serves. Address "" takes
// a free port; to bring a broker back, pass the Addr it had.
func StartBroker(t testing.TB, dir, address string, env []string, args ...string) *Broker {
	t.Helper()
	if address == "" {
		address = "127.0.0.1:0"
	}
	args = append([]string{"--listen", address, "--data", dir}, args...)
	b := &Broker{Process: Start(t, env, Binary(t, "broker"), args...)}
	select {
	case line := <-b.lines:
		var ready struct{ Msg, Addr string }
		if err := json.Unmarshal([]byte(line), &ready); err != nil || ready.Msg != "broker ready" {
			t.Fatalf("the broker's first line is %q", line)
		}
		b.Addr = ready.Addr
	case <-b.done:
		t.Fatalf("the broker ended: %v\n%s", b.err, b.Output())
	case <-time.After(Deadline):
		t.Fatal("the broker did not become ready")
	}
	return b
}

// Eventually asks again until cond has no error, and fails the test with its last
// one at the deadline.
func Eventually(t testing.TB, what string, cond func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Deadline)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := cond(ctx)
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// FreePort is a TCP port of 127.0.0.1 that was free a moment ago, for programs
// that cannot tell which one they took.
func FreePort(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// tail keeps the last maxOutput bytes written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (w *tail) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = append(w.buf, b...)
	if extra := len(w.buf) - maxOutput; extra > 0 {
		w.buf = append(w.buf[:0], w.buf[extra:]...)
	}
	return len(b), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.buf)
}
