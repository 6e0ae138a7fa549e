package island

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Reason says why there is no island on this machine; it is empty if there can be one.
func Reason() string {
	if os.Getuid() != 0 {
		return "needs root"
	}
	for _, tool := range []string{"ip", "iptables", "mount"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "needs the command " + tool
		}
	}
	return ""
}

// Run runs this program once more, with other arguments, on an island, and returns its error. When ctx ends the other
// program is asked to stop.
func Run(ctx context.Context, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// The kernel takes the end of the thread that started the child for the end of its parent (prctl(2)).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, self, args...) //nolint:gosec // G204: this very program
	cmd.Env = append(os.Environ(), mark+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		// Go makes all mounts private in a new namespace, so that ours do not reach the others.
		Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		Pdeathsig:    syscall.SIGTERM,
		// A Ctrl-C reaches the child by us alone, once.
		Setpgid: true,
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	return cmd.Run()
}

// Settle makes a new island habitable: it brings the loopback device up, with a second address, because daprd does not start
// on a machine that has none but 127.0.0.1.
func Settle(ctx context.Context) error {
	if err := Do(ctx, "ip", "link", "set", "lo", "up"); err != nil {
		return err
	}
	return Do(ctx, "ip", "address", "add", "10.254.254.254/32", "dev", "lo")
}

// Do runs one of the system's tools, for some seconds at most.
func Do(ctx context.Context, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	said, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(said)))
	}
	return nil
}
