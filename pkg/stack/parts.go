package stack

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// part is one process of the stack.
type part struct {
	name    string
	kind    kind
	address string // shown in the table
	proc    *process
	// probe fails while the part is not ready.
	probe func(context.Context) error
}

// kind decides when a part is stopped: in this order.
type kind int

const (
	serviceKind kind = iota
	sidecarKind
	brokerKind
	databaseKind
)

// process makes a supervised process with its log.
func (s *Stack) process(c command) (*process, error) {
	log, err := openLog(filepath.Join(s.dir, "logs", c.name+".log"))
	if err != nil {
		return nil, err
	}
	s.onStop(log.close)
	c.log, c.merged = log, s.out
	return newProcess(c), nil
}

// add has a part take part in Stop, in Kill and Start, and in the record.
func (s *Stack) add(p *part) *part {
	p.proc.restart = !s.o.NoRestart
	p.proc.changed = func(name string, pid int) {
		if err := s.record.changed(name, pid, p.proc.stop); err != nil {
			s.out.say("%s is not written down: %v", name, err)
		}
	}
	p.proc.ended = func(name string, err error) {
		s.fail(fmt.Errorf("%s ended: %w\nit said last (%s):\n%s", name, err, p.proc.log.path, p.proc.log.lastLines()))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts = append(s.parts, p)
	return p
}

func (s *Stack) fail(err error) {
	select {
	case s.failed <- err:
	default: // the first one says why
	}
}

// launch starts parts together and waits until all are ready.
func (s *Stack) launch(ctx context.Context, parts ...*part) error {
	for _, p := range parts {
		if err := p.proc.start(ctx); err != nil {
			return err
		}
	}
	return s.waitReady(ctx, parts)
}

// hopeless is how many times a part may end while the stack waits for it to become ready.
const hopeless = 5

func (s *Stack) waitReady(ctx context.Context, parts []*part) error {
	errs := make([]error, len(parts))
	var all sync.WaitGroup
	for i, p := range parts {
		all.Go(func() {
			var last error
			waitFor(ctx, s.o.ReadyTimeout, func() bool {
				last = p.probe(ctx)
				_, ends, _ := p.proc.status()
				return last == nil || ends >= hopeless || closed(p.proc.exited())
			})
			if last == nil {
				return
			}
			if _, ends, why := p.proc.status(); why != nil {
				last = fmt.Errorf("it ended %d times, lastly with %w", ends, why)
			}
			errs[i] = fmt.Errorf("%s is not ready: %w\nit said last (%s):\n%s", p.name, last, p.proc.log.path, p.proc.log.lastLines())
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func (s *Stack) httpProbe(port int, path string) func(context.Context) error {
	url := "http://" + loopback(port) + path
	return func(ctx context.Context) error {
		status, body, err := get(ctx, s.probes, url)
		if err != nil {
			return err
		}
		if status/100 != 2 {
			return fmt.Errorf("GET %s answers %d %s", url, status, strings.TrimSpace(string(body[:min(len(body), 2000)])))
		}
		return nil
	}
}

func (s *Stack) part(name string) (*part, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, p := range s.parts {
		if p.name == name {
			return p, nil
		}
		names = append(names, p.name)
	}
	return nil, fmt.Errorf("this stack runs no %q; it runs %s", name, strings.Join(names, ", "))
}

// Kill ends a part ("postgres", "broker", "task-api", "task-api-2", "task-api-dapr") with SIGKILL and returns when it is
// gone. It stays away until Start.
func (s *Stack) Kill(name string) error {
	p, err := s.part(name)
	if err == nil {
		p.proc.kill()
	}
	return err
}

// Terminate asks a part to end, as a deployment does, kills it when it has not after its grace, and returns when it is
// gone. It stays away until Start.
func (s *Stack) Terminate(ctx context.Context, name string) error {
	p, err := s.part(name)
	if err == nil {
		p.proc.terminate(ctx)
	}
	return err
}

// Start brings a part back after Kill or Terminate. It returns when the process runs; Ready waits until it works.
func (s *Stack) Start(name string) error {
	p, err := s.part(name)
	if err != nil {
		return err
	}
	s.alive.RLock()
	defer s.alive.RUnlock()
	if s.stopping {
		return errors.New("the stack is stopped")
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.o.ReadyTimeout)
	defer cancel()
	return p.proc.start(ctx)
}

// Ready waits until the named parts, or all when none is named, are ready. The error tells which are not and what they
// said last.
func (s *Stack) Ready(ctx context.Context, names ...string) error {
	s.mu.Lock()
	parts := slices.Clone(s.parts)
	s.mu.Unlock()
	if len(names) > 0 {
		parts = parts[:0]
		for _, n := range names {
			p, err := s.part(n)
			if err != nil {
				return err
			}
			parts = append(parts, p)
		}
	}
	return s.waitReady(ctx, parts)
}
