package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/kafka"
)

// Options says what to run. The zero value is the product with its default ports.
type Options struct {
	Root  string // the checkout; found from go.work upwards when empty
	Dir   string // state and logs; default Root/.taskflow
	Ports Ports

	DatabaseURL  string // a Postgres to use instead of one of ours
	KafkaBrokers string // brokers to use instead of ours, host:port, comma separated
	// BrokerAccess is how KafkaBrokers let in who runs the stack, and the sidecars of apps that BrokerLogins does not name.
	BrokerAccess kafka.Access
	// BrokerLogins is how the sidecars of an app come in, by app id: with the means of BrokerAccess, as somebody else.
	BrokerLogins map[string]kafka.Access
	// Broker makes another broker than the embedded one ready to be run, its files below dir, to listen on a port of
	// the loopback and, if it needs a second one, the next port.
	Broker func(ctx context.Context, dir string, port int) (Broker, error)
	// BrokerArgs is added to the command line of the embedded broker.
	BrokerArgs []string

	Services []Service // default Default()
	// Model is the settings of the language model ("OPENAI_API_KEY=…"), for the services that may have them; see Model.
	// Without any they are those of the offline model among the services.
	Model  []string
	Routes []Route // default Routes()

	Output   io.Writer // what all parts say, line by line; may be nil. The logs are in Dir/logs too.
	LogLevel string    // of the services and sidecars; default "info"

	// NoRestart leaves a part that ended by itself where it is, and has Wait return it as an error. Otherwise it is
	// started again after 0.5 s, later up to 5 s, as a kubelet does: daprd ends when it finds no broker at its start.
	NoRestart bool
	// ReadyTimeout is how long a part may take from its start until it is ready; default 90 s. Building is not bounded
	// by it but by the context of Start.
	ReadyTimeout time.Duration
	BuildFlags   []string          // of go build for the services ("-race")
	Postgres     map[string]string // settings of our Postgres, as in postgresql.conf
	PostgresEnv  []string          // added to the environment of our Postgres ("NAME=value")

	// Demo has the page make a login for trying things out, which Table shows.
	Demo bool
	// JWKS has tokens signed with a key pair of the page, whose public half it shows, instead of the shared secret.
	JWKS bool

	// Pooler puts a pooler in transaction mode before the database, which is there already, and returns where it listens,
	// host:port. Services, state stores and Migrate then reach the database through it, as behind Neon's; nil is without one.
	Pooler func(ctx context.Context, databaseURL string) (address string, err error)
	// Migrate brings the database to what the services expect, before any of them starts.
	Migrate func(ctx context.Context, databaseURL string) error
	// Roles has each service log in to the database as itself, after Migrate; nil lets all be its owner.
	Roles Roles
	// Topics makes the topics, before any sidecar starts: one that is missing stops all subscriptions of a component.
	Topics func(ctx context.Context, brokers string) error
}

// A stack without services that need them has no Postgres, no broker and no daprd; it also builds none.
func (o Options) needsDatabase() bool {
	return o.Migrate != nil || slices.ContainsFunc(o.Services, func(s Service) bool { return s.Database || s.State })
}

func (o Options) needsSidecars() bool {
	return slices.ContainsFunc(o.Services, func(s Service) bool { return !s.NoSidecar && !s.Elsewhere })
}

func (o Options) needsBroker() bool { return o.Topics != nil || o.needsSidecars() }

// Stack is a running stack. Its methods may be called from several goroutines.
type Stack struct {
	o       Options
	root    string
	dir     string
	ports   Ports
	units   []unit
	secrets secrets
	out     *merged
	probes  *http.Client

	databaseURL string
	roleURLs    map[string]string // by app; who is not there is the owner
	pooler      pooler
	brokers     string
	// brokerAccess is how who runs the stack comes in at brokers.
	brokerAccess kafka.Access
	postgres     *Postgres // nil when it is not ours
	record       *record
	origin       *origin

	mu      sync.Mutex
	parts   []*part // in the order they were started
	release []func()

	failed chan error // the first part that ended for good

	// alive is held for reading while a part is started again and for writing by Stop, so that no part is started
	// behind the back of Stop.
	alive    sync.RWMutex
	stopping bool
	stop     sync.Once
	stopped  chan struct{}
}

// Start builds what is to run, starts it in the order the parts need each other, and returns when all of it is ready.
// Otherwise it stops what it started and tells which part is not ready and what that part said last. ctx bounds the
// start only: the stack runs until Stop. ErrAlreadyRunning if another process runs the stack of o.Dir.
func Start(ctx context.Context, o Options) (*Stack, error) {
	s := &Stack{
		o: o, failed: make(chan error, 1), stopped: make(chan struct{}),
		probes: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 3 * time.Second},
	}
	err := s.locate(ctx)
	if err == nil {
		err = s.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

// locate fills in defaults and takes what only one stack may have: the directory and the ports.
func (s *Stack) locate(ctx context.Context) (err error) {
	if s.o.Root == "" {
		if s.o.Root, err = FindRoot("."); err != nil {
			return err
		}
	}
	if s.root, err = filepath.Abs(s.o.Root); err != nil {
		return err
	}
	if s.o.Dir == "" {
		s.o.Dir = DefaultDir(s.root)
	}
	if s.dir, err = filepath.Abs(s.o.Dir); err != nil {
		return err
	}
	if s.o.Services == nil {
		s.o.Services = Default()
	}
	if s.o.Routes == nil {
		s.o.Routes = Routes()
	}
	if s.o.LogLevel == "" {
		s.o.LogLevel = "info"
	}
	if s.o.ReadyTimeout == 0 {
		s.o.ReadyTimeout = 90 * time.Second
	}
	s.ports = s.o.Ports.withDefaults()
	if s.o.Ports.Random {
		var give func()
		if s.ports, give, err = randomPorts(ctx, len(s.o.Services)); err != nil {
			return err
		}
		s.onStop(give)
	}
	if s.units, err = units(s.o.Services, s.ports); err != nil {
		return err
	}
	names := []string{"stack", "postgres", "broker"}
	for _, u := range s.units {
		names = append(names, u.name, u.sidecarName())
	}
	s.out = newMerged(s.o.Output, names)
	return nil
}

func (s *Stack) start(ctx context.Context) error {
	lock, err := takeDir(s.dir)
	if err != nil {
		return err
	}
	s.onStop(lock.release)
	if left, err := endLeftovers(ctx, s.dir); err != nil {
		return err
	} else if left {
		s.out.say("ended what an earlier run left behind")
	}
	if err := checkPorts(ctx, s.portUses()); err != nil {
		return err
	}
	if s.secrets, err = loadSecrets(s.dir); err != nil { //nolint:contextcheck // milliseconds
		return err
	}
	s.brokers, s.databaseURL, s.brokerAccess = s.o.KafkaBrokers, s.o.DatabaseURL, s.o.BrokerAccess
	if s.brokers == "" {
		s.brokers = loopback(s.ports.Broker)
	}
	s.record = newRecord(s.dir, Info{PID: os.Getpid(), Since: time.Now(), Origin: s.URL("origin"), Brokers: s.brokers, Model: withModel(s.o.Model, s.units)})

	programs, err := s.build(ctx)
	if err != nil {
		return err
	}
	if err := s.startDatabase(ctx); err != nil {
		return err
	}
	if err := s.startBroker(ctx, programs.broker); err != nil {
		return err
	}
	if err := s.startServices(ctx, programs); err != nil {
		return err
	}
	var backends []backend
	for _, u := range s.units {
		backends = append(backends, backend{u.name, u.App, loopback(u.ports.http)})
	}
	s.origin = newOrigin(s.o.Routes, backends, s.out.say)
	if err := s.origin.listen(ctx, s.ports.Origin, s.fail); err != nil {
		return err
	}
	s.out.say("ready: %s", s.URL("origin"))
	return nil
}

func (s *Stack) portUses() []portUse {
	uses := []portUse{{s.ports.Origin, "the origin", "change it with --origin-port or TASKFLOW_ORIGIN_PORT"}}
	if s.o.needsDatabase() && s.o.DatabaseURL == "" {
		const change = "change it with --postgres-port or TASKFLOW_POSTGRES_PORT, or use a Postgres of yours with DATABASE_URL"
		uses = append(uses, portUse{s.ports.Postgres, "postgres", change})
	}
	if s.o.needsBroker() && s.o.KafkaBrokers == "" {
		const change = "change it with --broker-port or TASKFLOW_BROKER_PORT, or use brokers of yours with KAFKA_BROKERS"
		uses = append(uses, portUse{s.ports.Broker, "the broker", change})
	}
	for _, u := range s.units {
		uses = append(uses, u.portUses()...)
	}
	return uses
}

type programs struct{ services, broker, daprd, web string }

func (s *Stack) build(ctx context.Context) (p programs, err error) {
	b := builder{s.root, s.out.say}
	var packages []string
	for _, u := range s.units {
		if u.Package != "" && !u.Elsewhere && !u.Node && !slices.Contains(packages, u.Package) {
			packages = append(packages, u.Package)
		}
	}
	if p.services, err = b.services(ctx, filepath.Join(s.dir, "bin"), packages, s.o.BuildFlags); err != nil {
		return p, err
	}
	if slices.ContainsFunc(s.units, func(u unit) bool { return u.Node && !u.Elsewhere }) {
		if p.web, err = b.web(ctx, filepath.Join(s.dir, "bin")); err != nil {
			return p, err
		}
	}
	if s.o.needsBroker() && s.o.KafkaBrokers == "" && s.o.Broker == nil {
		if p.broker, err = b.broker(ctx); err != nil {
			return p, err
		}
	}
	if s.o.needsSidecars() {
		p.daprd, err = b.daprd(ctx)
	}
	return p, err
}

func (s *Stack) startDatabase(ctx context.Context) error {
	if !s.o.needsDatabase() {
		return nil
	}
	if s.o.DatabaseURL == "" {
		p, err := newPostgres(ctx, s.dir, s.ports.Postgres, s.o.Postgres, s.out)
		if err != nil {
			return err
		}
		p.proc.env = append(p.proc.env, s.o.PostgresEnv...)
		s.postgres, s.databaseURL = p, p.URL()
		s.onStop(p.free)
		db := s.add(&part{name: "postgres", kind: databaseKind, proc: p.proc, probe: p.probe, address: loopback(s.ports.Postgres)})
		if err := s.launch(ctx, db); err != nil {
			return err
		}
	} else if err := reachDatabase(ctx, s.databaseURL); err != nil {
		return fmt.Errorf("the database of DATABASE_URL does not answer: %w", err)
	}
	if err := s.startPooler(ctx); err != nil {
		return err
	}
	s.record.mu.Lock()
	s.record.DatabaseURL = s.databaseURL
	err := s.record.save()
	s.record.mu.Unlock()
	if err != nil || s.o.Migrate == nil {
		return err
	}
	s.out.say("migrating the database")
	if err := s.o.Migrate(ctx, s.pooler.url(s.databaseURL)); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return s.makeRoles(ctx)
}

func (s *Stack) startBroker(ctx context.Context, program string) error {
	if !s.o.needsBroker() {
		return nil
	}
	if s.o.KafkaBrokers == "" {
		run, err := s.brokerCommand(ctx, program)
		if err != nil {
			return err
		}
		proc, err := s.process(command{name: "broker", path: run[0], args: run[1:], env: inherited(), dir: s.root})
		if err != nil {
			return err
		}
		b := s.add(&part{name: "broker", kind: brokerKind, proc: proc, probe: s.pingBroker, address: loopback(s.ports.Broker)})
		if err := s.launch(ctx, b); err != nil {
			return err
		}
	} else if err := s.pingBroker(ctx); err != nil {
		return fmt.Errorf("no broker answers at %s (KAFKA_BROKERS): %w", s.o.KafkaBrokers, err)
	}
	if s.o.Topics == nil {
		return nil
	}
	s.out.say("making topics")
	if err := s.o.Topics(ctx, s.brokers); err != nil {
		return fmt.Errorf("make the topics: %w", err)
	}
	return nil
}

// startServices starts all services and sidecars at once: a sidecar waits for its service and the service for its
// sidecar, so to wait for one before starting the other is to wait for ever.
func (s *Stack) startServices(ctx context.Context, programs programs) error {
	var resources, configuration string
	if s.o.needsSidecars() {
		var err error
		for app := range s.o.BrokerLogins {
			if err := s.sameMeans(app, s.access(app)); err != nil {
				return err
			}
		}
		resources, configuration, err = renderDapr(
			filepath.Join(s.root, "dapr", "local"), filepath.Join(s.dir, "dapr"), s.brokers, s.brokerAccess)
		if err != nil {
			return err
		}
	}
	shared := world{
		secrets: s.secrets, databaseURL: s.databaseURL, roleURLs: s.roleURLs, pooler: s.pooler, origin: s.URL("origin"), logLevel: s.o.LogLevel,
		model: withModel(s.o.Model, s.units),
	}
	if s.o.JWKS {
		// Asked of the page itself: the origin listens only when the services, which wait for the keys, are ready.
		shared.jwks = s.URL("web") + "/api/auth/jwks"
	}
	var all []*part
	for _, u := range s.units {
		if u.Elsewhere {
			continue
		}
		path, args := filepath.Join(programs.services, filepath.Base(u.Package)), []string(nil)
		if len(u.Command) > 0 {
			path, args = u.Command[0], u.Command[1:]
		}
		dir := s.root
		if u.Node {
			var err error
			if path, err = exec.LookPath("node"); err != nil {
				return err
			}
			args, dir = []string{filepath.Join(programs.web, "server.js")}, programs.web
			s.out.say("making the tables of the page")
			if err := migrateWeb(ctx, dir, append(u.serviceEnv(shared), s.demo()...)); err != nil {
				return err
			}
		}
		if u.Dir != "" {
			dir = u.Dir
		}
		proc, err := s.process(command{name: u.name, path: path, args: args, env: u.serviceEnv(shared), dir: dir, grace: 20 * time.Second})
		if err != nil {
			return err
		}
		all = append(all, s.add(&part{
			name: u.name, kind: serviceKind, proc: proc, address: "http://" + loopback(u.ports.http),
			probe: s.httpProbe(u.ports.http, "/readyz"),
		}))
		if u.NoSidecar {
			continue
		}
		proc, err = s.process(command{
			name: u.sidecarName(), path: programs.daprd, env: append(u.sidecarEnv(shared), brokerEnv(s.access(u.App))...), dir: s.root,
			args: daprdArgs(u, resources, configuration, s.o.LogLevel),
		})
		if err != nil {
			return err
		}
		all = append(all, s.add(&part{
			name: u.sidecarName(), kind: sidecarKind, proc: proc, address: loopback(u.ports.daprGRPC),
			probe: s.httpProbe(u.ports.daprHTTP, "/v1.0/healthz"),
		}))
	}
	return s.launch(ctx, all...)
}

// Wait returns nil after Stop, or the error of the first part that ended for good.
func (s *Stack) Wait() error {
	select {
	case err := <-s.failed:
		return err
	case <-s.stopped:
		return nil
	}
}

// Stop ends everything in the reverse order of its start, cleanly where it can and in any case: a part that does not
// end in its grace, or before ctx does, is killed. It may be called more than once and returns when all is gone.
func (s *Stack) Stop(ctx context.Context) error {
	s.stop.Do(func() {
		s.alive.Lock()
		s.stopping = true
		s.alive.Unlock()
		if s.origin != nil {
			s.origin.close(ctx, 2*time.Second)
		}
		s.mu.Lock()
		parts, release := slices.Clone(s.parts), slices.Clone(s.release)
		s.mu.Unlock()
		for k := serviceKind; k <= databaseKind; k++ {
			var all sync.WaitGroup
			for _, p := range parts {
				if p.kind == k {
					all.Go(func() { p.proc.terminate(ctx) })
				}
			}
			all.Wait()
		}
		if s.record != nil {
			_ = os.Remove(s.record.path)
		}
		for _, r := range slices.Backward(release) {
			r()
		}
		close(s.stopped)
	})
	<-s.stopped
	return nil
}

func (s *Stack) onStop(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release = append(s.release, f)
}
