package stack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	defaultGrace = 10 * time.Second
	firstBackoff = 500 * time.Millisecond
	lastBackoff  = 5 * time.Second
	// steady is how long a process must have run for its next failure to count as the first again.
	steady = 10 * time.Second
)

var errRunning = errors.New("is running already")

// command says how to run one child and how to end it.
type command struct {
	name    string
	path    string
	args    []string
	env     []string // all of it; nothing is inherited; see replaceEnv
	dir     string
	user    *syscall.Credential // nil runs it as who we are
	stop    syscall.Signal      // asks it to end; default SIGTERM
	orphan  syscall.Signal      // what it gets when this process dies (Linux); default SIGKILL
	grace   time.Duration       // between asking and SIGKILL; default 10 s
	restart bool                // start it again when it ends by itself, as a kubelet does
	before  func(context.Context) error

	log    *logFile
	merged *merged
	// changed is told after each start (pid > 0) and each end (pid 0).
	changed func(name string, pid int)
	// ended is told when the process ended by itself and is not started again.
	ended func(name string, err error)
}

// process keeps one child as it is wanted: running after start, gone after kill or stop. All methods may be called from
// several goroutines.
type process struct {
	command

	mu      sync.Mutex
	cancel  context.CancelFunc // ends the supervisor
	done    chan struct{}      // closed when the supervisor has ended
	halting bool
	pid     int // 0 when it does not run
	ends    int // how often it ended by itself since start
	last    error
}

func newProcess(c command) *process {
	if c.stop == 0 {
		c.stop = syscall.SIGTERM
	}
	if c.orphan == 0 {
		c.orphan = syscall.SIGKILL
	}
	if c.grace == 0 {
		c.grace = defaultGrace
	}
	return &process{command: c}
}

// start returns when the child runs or could not be started. ctx bounds only that: the child lives until kill or stop.
func (p *process) start(ctx context.Context) error {
	p.mu.Lock()
	if p.done != nil && !closed(p.done) {
		p.mu.Unlock()
		return fmt.Errorf("%s %w", p.name, errRunning)
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.cancel, p.done, p.halting, p.ends, p.last = cancel, make(chan struct{}), false, 0, nil
	first := make(chan error, 1)
	go p.supervise(life, p.done, first)
	p.mu.Unlock()

	select {
	case err := <-first:
		return err
	case <-ctx.Done():
		p.end(context.WithoutCancel(ctx), syscall.SIGKILL, 0)
		return fmt.Errorf("start %s: %w", p.name, ctx.Err())
	}
}

// kill ends the child with SIGKILL and returns when it is gone. It stays gone until start.
func (p *process) kill() { p.end(context.Background(), syscall.SIGKILL, 0) }

// terminate asks the child to end, kills it when it has not after its grace or when ctx ends, and returns when it is gone.
func (p *process) terminate(ctx context.Context) { p.end(ctx, p.stop, p.grace) }

func (p *process) end(ctx context.Context, sig syscall.Signal, grace time.Duration) {
	p.mu.Lock()
	if p.done == nil {
		p.mu.Unlock()
		return
	}
	done := p.done
	p.halting = true
	p.cancel()
	p.signal(sig)
	p.mu.Unlock()

	if grace > 0 {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-done:
			return
		case <-timer.C:
		case <-ctx.Done():
		}
		p.mu.Lock()
		p.signal(syscall.SIGKILL)
		p.mu.Unlock()
	}
	<-done
}

// replaceEnv sets variables for the next start.
func (p *process) replaceEnv(settings []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := map[string]bool{}
	for _, s := range settings {
		name, _, _ := strings.Cut(s, "=")
		names[name] = true
	}
	kept := slices.DeleteFunc(slices.Clone(p.env), func(s string) bool {
		name, _, _ := strings.Cut(s, "=")
		return names[name]
	})
	p.env = append(kept, settings...)
}

// signal reaches the child and its children: each child leads a process group of its own. p.mu is held.
func (p *process) signal(sig syscall.Signal) {
	if p.pid > 0 {
		_ = syscall.Kill(-p.pid, sig)
	}
}

// exited is closed when the child is gone and will not come back by itself.
func (p *process) exited() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done == nil {
		gone := make(chan struct{})
		close(gone)
		return gone
	}
	return p.done
}

// status tells the running pid (0 if none), how often the child ended by itself since start, and how it last did.
func (p *process) status() (pid, ends int, last error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pid, p.ends, p.last
}

func (p *process) supervise(ctx context.Context, done chan struct{}, first chan<- error) {
	defer close(done)
	backoff := firstBackoff
	for {
		began := time.Now()
		started, err := p.run(ctx, first)
		if p.endedByItself(err) {
			if !p.restart || !started && first != nil {
				if p.ended != nil && started {
					p.ended(p.name, err)
				}
				return
			}
			if time.Since(began) > steady {
				backoff = firstBackoff
			}
			p.merged.say("%s ended (%v), starting it again in %v", p.name, err, backoff)
		}
		first = nil
		timer := time.NewTimer(backoff)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		backoff = min(2*backoff, lastBackoff)
	}
}

// endedByItself notes an end that nobody asked for.
func (p *process) endedByItself(err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.halting {
		return false
	}
	p.ends++
	p.last = err
	return true
}

// run starts the child, waits for its end and tells why it ended; never with a nil error.
func (p *process) run(ctx context.Context, first chan<- error) (started bool, err error) {
	if first != nil {
		// Whatever happens before the child runs is the answer to start.
		defer func() {
			if !started {
				first <- err
			}
		}()
	}
	if p.before != nil {
		if err := p.before(ctx); err != nil {
			return false, fmt.Errorf("start %s: %w", p.name, err)
		}
	}
	out, in, err := os.Pipe()
	if err != nil {
		return false, err
	}
	defer out.Close()

	cmd := exec.Command(p.path, p.args...) //nolint:noctx // it outlives the context of its start; end signals it
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, in, in
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: p.user}
	dieWithParent(cmd.SysProcAttr, p.orphan)

	// The kernel takes the end of the thread that started the child for the end of its parent, so this thread must
	// live as long as the child does (prctl(2), PR_SET_PDEATHSIG).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	p.mu.Lock()
	if p.halting {
		p.mu.Unlock()
		_ = in.Close()
		return false, fmt.Errorf("start %s: stopped meanwhile", p.name)
	}
	cmd.Env = p.env
	err = cmd.Start()
	if err == nil {
		p.pid = cmd.Process.Pid
	}
	p.mu.Unlock()
	_ = in.Close()
	if err != nil {
		return false, fmt.Errorf("start %s: %w", p.name, err)
	}
	p.tell(cmd.Process.Pid)
	if first != nil {
		first <- nil
	}

	read := make(chan struct{})
	go func() {
		defer close(read)
		p.copyLines(out)
	}()
	err = cmd.Wait()

	p.mu.Lock()
	pid := p.pid
	p.pid = 0
	p.mu.Unlock()
	// Its children do not outlive it.
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	p.tell(0)

	// A grandchild that left the group (a Postgres backend) may hold the pipe for a moment longer.
	timer := time.NewTimer(2 * time.Second)
	defer timer.Stop()
	select {
	case <-read:
	case <-timer.C:
		_ = out.Close()
		<-read
	}
	if err == nil {
		err = errors.New("exit status 0")
	}
	return true, err
}

func (p *process) tell(pid int) {
	if p.changed != nil {
		p.changed(p.name, pid)
	}
}

// copyLines takes everything the child says to its log and to the merged stream. It must never stop reading while the
// child lives: a full pipe would stop the child.
func (p *process) copyLines(r io.Reader) {
	lines := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		if n := len(line); n > 0 {
			if line[n-1] == '\n' {
				line = line[:n-1]
			}
			p.log.line(line)
			p.merged.line(p.name, line)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// ownGroup has a command that is cancelled take its children with it.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 2 * time.Second
}
