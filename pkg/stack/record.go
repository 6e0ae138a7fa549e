package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// ErrAlreadyRunning is what Start returns, wrapped, when another process runs the stack of the same state directory.
var ErrAlreadyRunning = errors.New("already running")

// ErrNotRunning is what Find returns, wrapped, when no stack runs in the state directory.
var ErrNotRunning = errors.New("not running")

// Info is where a running stack can be reached. It holds secrets: it is for programs, not for logs.
type Info struct {
	PID         int       `json:"pid"` // of the process that called Start
	Since       time.Time `json:"since"`
	Origin      string    `json:"origin"`       // base URL
	DatabaseURL string    `json:"database_url"` // with password
	Brokers     string    `json:"brokers"`      // host:port, comma separated
	Model       []string  `json:"model"`        // settings of the language model ("OPENAI_API_KEY=…")
}

// record is what a stack writes down about itself, so that others find it and nothing it started is left behind.
type record struct {
	mu   sync.Mutex
	path string

	Info
	Born      string           `json:"born"`
	Processes map[string]child `json:"processes"`
}

type child struct {
	PID  int            `json:"pid"`
	Born string         `json:"born"`
	Stop syscall.Signal `json:"stop"`
}

func recordPath(dir string) string { return filepath.Join(dir, "run.json") }
func lockPath(dir string) string   { return filepath.Join(dir, "lock") }

func newRecord(dir string, info Info) *record {
	return &record{path: recordPath(dir), Info: info, Born: bornAt(info.PID), Processes: map[string]child{}}
}

// changed notes that a process started (pid > 0) or ended (0).
func (r *record) changed(name string, pid int, stop syscall.Signal) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if pid == 0 {
		delete(r.Processes, name)
	} else {
		r.Processes[name] = child{pid, bornAt(pid), stop}
	}
	return r.save()
}

// save writes the file; r.mu is held.
func (r *record) save() error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(r.path, append(text, '\n'), 0o600)
}

func readRecord(dir string) (*record, error) {
	text, err := os.ReadFile(recordPath(dir))
	if err != nil {
		return nil, err
	}
	r := &record{path: recordPath(dir)}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w", recordPath(dir), err)
	}
	return r, nil
}

// Find tells where the running stack of a state directory can be reached. ErrNotRunning if there is none.
func Find(dir string) (Info, error) {
	r, err := readRecord(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && bornAt(r.PID) != r.Born {
		return Info{}, fmt.Errorf("TaskFlow is %w in %s; `taskflow up` starts it", ErrNotRunning, dir)
	}
	if err != nil {
		return Info{}, err
	}
	return r.Info, nil
}

// takeDir makes this process the only one that runs a stack in dir.
func takeDir(dir string) (*fileLock, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	lock, err := tryLock(lockPath(dir))
	if !errors.Is(err, errLocked) {
		return lock, err
	}
	if info, err := Find(dir); err == nil {
		return nil, fmt.Errorf("TaskFlow is %w in %s: %s, process %d; `taskflow down` stops it",
			ErrAlreadyRunning, dir, info.Origin, info.PID)
	}
	return nil, fmt.Errorf("TaskFlow is %w in %s: another process is starting or stopping it", ErrAlreadyRunning, dir)
}

// stopTimeout is how long Down waits for a stack to stop by itself before it kills it.
const stopTimeout = 60 * time.Second

// Down stops the stack of a state directory, whichever process runs it, and ends what a killed one left behind. It
// tells whether there was anything to stop. A process is only ever signalled when it is the recorded one, never when it
// merely has its pid.
func Down(ctx context.Context, dir string) (bool, error) {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	lock, err := tryLock(lockPath(dir))
	running := errors.Is(err, errLocked)
	if running {
		lock, err = stopOwner(ctx, dir)
	}
	if err != nil {
		return running, err
	}
	defer lock.release()
	left, err := endLeftovers(ctx, dir)
	return running || left, err
}

// Remove stops the stack of a state directory as Down does and deletes its state: the database with all its data, also
// where that lies outside of the directory, the broker's records, secrets and logs. Files that are not the stack's stay.
func Remove(ctx context.Context, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if _, err := Down(ctx, dir); err != nil {
		return err
	}
	var errs []error
	for _, name := range []string{"postgres", "broker", "dapr", "bin", "logs", "secrets.json", "secrets.json.lock", "lock"} {
		errs = append(errs, os.RemoveAll(filepath.Join(dir, name)))
	}
	if os.Getuid() == 0 {
		errs = append(errs, os.RemoveAll(privateHome(dir)))
	}
	return errors.Join(errs...)
}

// stopOwner asks the process that runs the stack to stop it, and returns with its lock.
func stopOwner(ctx context.Context, dir string) (*fileLock, error) {
	r, err := readRecord(dir)
	if err != nil {
		return nil, fmt.Errorf("%s is locked, but who runs it is not written down: %w", dir, err)
	}
	if r.PID == os.Getpid() {
		return nil, fmt.Errorf("the stack in %s is run by this process: call Stop", dir)
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if bornAt(r.PID) == r.Born {
			if err := syscall.Kill(r.PID, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
				return nil, fmt.Errorf("stop process %d, which runs the stack in %s: %w", r.PID, dir, err)
			}
		}
		wait, cancel := context.WithTimeout(ctx, stopTimeout)
		lock, err := waitLock(wait, lockPath(dir), nil)
		cancel()
		if err == nil || ctx.Err() != nil {
			return lock, err
		}
	}
	return nil, fmt.Errorf("process %d, which runs the stack in %s, does not end", r.PID, dir)
}

// endLeftovers ends what a killed stack left running. The lock of dir is held.
func endLeftovers(ctx context.Context, dir string) (bool, error) {
	r, err := readRecord(dir)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	found := false
	alive := func(p child) bool { return p.PID > 1 && p.Born != "" && bornAt(p.PID) == p.Born }
	for _, p := range r.Processes {
		if alive(p) {
			found = true
			_ = syscall.Kill(-p.PID, p.Stop)
		}
	}
	gone := func() bool {
		for _, p := range r.Processes {
			if alive(p) {
				return false
			}
		}
		return true
	}
	if !waitFor(ctx, 15*time.Second, gone) {
		for _, p := range r.Processes {
			if alive(p) {
				_ = syscall.Kill(-p.PID, syscall.SIGKILL)
			}
		}
		if !waitFor(ctx, 5*time.Second, gone) {
			return found, fmt.Errorf("processes left by an earlier run in %s do not end", dir)
		}
	}
	return found, os.Remove(recordPath(dir))
}

// waitFor looks at a condition that cannot tell by itself when it becomes true.
func waitFor(ctx context.Context, limit time.Duration, condition func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			return false
		case <-deadline.C:
			return condition()
		case <-tick.C:
		}
	}
	return true
}
