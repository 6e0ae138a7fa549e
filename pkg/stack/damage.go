package stack

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// Freeze stops a part with SIGSTOP: it keeps its connections and answers nothing, as on a machine that hangs. Thaw lets it
// go on. It is an error if the part does not run.
func (s *Stack) Freeze(name string) error { return s.signal(name, syscall.SIGSTOP) }

// Thaw lets a part go on after Freeze.
func (s *Stack) Thaw(name string) error { return s.signal(name, syscall.SIGCONT) }

func (s *Stack) signal(name string, sig syscall.Signal) error {
	p, err := s.part(name)
	if err != nil {
		return err
	}
	p.proc.mu.Lock()
	defer p.proc.mu.Unlock()
	if p.proc.pid == 0 {
		return fmt.Errorf("%s does not run", name)
	}
	p.proc.signal(sig)
	if p.kind == databaseKind && s.postgres != nil {
		// Its backends left the group of their postmaster.
		for _, pid := range postgresIn(s.postgres.data) {
			_ = syscall.Kill(pid, sig)
		}
	}
	return nil
}

// Doors are the ports on which a part listens; nothing reaches it elsewhere. It is empty for what this stack does not run.
func (s *Stack) Doors(name string) []int {
	switch {
	case name == "postgres" && s.postgres != nil:
		return []int{s.ports.Postgres}
	case name == "broker" && s.o.KafkaBrokers == "":
		return []int{s.ports.Broker}
	}
	for _, u := range s.units {
		switch {
		case u.Elsewhere:
		case name == u.name && u.NoSidecar:
			return []int{u.ports.http}
		case name == u.name:
			return []int{u.ports.http, u.ports.app}
		case name == u.sidecarName() && !u.NoSidecar:
			return []int{u.ports.daprHTTP, u.ports.daprGRPC, u.ports.daprInternal}
		}
	}
	return nil
}

// DropBroker takes everything the broker of this stack has kept. It is an error while the broker runs.
func (s *Stack) DropBroker() error {
	p, err := s.part("broker")
	if err != nil {
		return err
	}
	if pid, _, _ := p.proc.status(); pid != 0 {
		return fmt.Errorf("the broker %w", errRunning)
	}
	return os.RemoveAll(filepath.Join(s.dir, "broker"))
}

// PostgresHome is where the Postgres of a state directory keeps its data: below it, or, when we are root and the
// unprivileged user that Postgres then runs as cannot reach that, in /var/lib/taskflow.
func PostgresHome(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	home := filepath.Join(dir, "postgres")
	if os.Getuid() == 0 && !othersCanReach(filepath.Join(home, "data")) {
		home = privateHome(dir)
	}
	return home, nil
}

// Prepare builds and fetches everything that Start would, so that Start needs no network afterwards.
func Prepare(ctx context.Context, o Options) error {
	s := &Stack{o: o}
	if err := s.locate(ctx); err != nil {
		return err
	}
	defer func() {
		for _, release := range slices.Backward(s.release) {
			release()
		}
	}()
	if _, err := s.build(ctx); err != nil {
		return err
	}
	if !s.o.needsDatabase() || s.o.DatabaseURL != "" {
		return nil
	}
	var user *syscall.Credential
	if os.Getuid() == 0 {
		user = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	_, err := postgresBinaries(ctx, user, s.out.say)
	return err
}
