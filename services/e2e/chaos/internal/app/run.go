package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/roles"
	"github.com/taskflow-suite/taskflow/pkg/stack"
	"github.com/taskflow-suite/taskflow/pkg/topics"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/check"
	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/faults"
	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/island"
	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/plan"
	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/work"
	"github.com/taskflow-suite/taskflow/services/internal/client"
)

const recordName = "record.jsonl"

// How long what follows the faults may take.
const (
	// mending is how long parts may take until they are ready again.
	mending = 3 * time.Minute
	// patience is how long people wait for the outcome of what they began.
	patience = time.Minute
	// settling is how long the suite may take until everything has arrived everywhere.
	settling = 3 * time.Minute
)

// run is one run.
type run struct {
	*options
	plan    []plan.Fault
	leftOut map[plan.Kind]string

	suite  *stack.Stack
	record *record.Writer
	crowd  *work.Crowd

	mu     sync.Mutex
	broken []plan.Fault
}

// stack is the suite of a run.
func (o *options) stack() stack.Options {
	services := stack.Default()
	for _, s := range stack.Default() {
		if s.App == "notifier" || s.App == "scheduler" {
			services = append(services, s)
		}
	}
	for i := range services {
		// Limits protect people from each other; those of the run are busier than people.
		services[i].Env = append(services[i].Env, "RATE_LIMIT=100000", "RATE_BURST=100000", "CHAT_RATE=1000", "CHAT_BURST=1000")
	}
	return stack.Options{
		Dir: filepath.Join(o.out, "stack"), Ports: stack.Ports{Random: true}, Services: services, ReadyTimeout: mending,
		Migrate: func(ctx context.Context, url string) error {
			_, err := postgres.Migrate(ctx, url)
			return err
		},
		Roles:  roles.Logins,
		Topics: applyTopics,
	}
}

func applyTopics(ctx context.Context, brokers string) error {
	return topics.Apply(ctx, strings.Split(brokers, ","), topics.Access{}, io.Discard)
}

// all is the whole run. Its error says that it proves nothing.
func (r *run) all(ctx context.Context) (report check.Report, further []proof, err error) {
	o := r.stack()
	if err := stack.Remove(ctx, o.Dir); err != nil {
		return report, nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil { //nolint:gosec // G301: Postgres runs as another user
		return report, nil, err
	}
	injector := &faults.Injector{Refill: r.refill, Watch: r.watch}
	if err := r.world(ctx, &o, injector); err != nil {
		return report, nil, err
	}
	fmt.Fprintln(r.say, "starting the suite")
	if r.suite, err = stack.Start(ctx, o); err != nil {
		return report, nil, err
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, r.suite.Stop(stopping), leaveLogs(stopping, o.Dir))
	}()
	if r.record, err = record.Make(filepath.Join(r.out, recordName)); err != nil {
		return report, nil, err
	}
	defer func() { err = errors.Join(err, r.record.Close()) }()
	injector.Stack, injector.Record = r.suite, r.record
	if err := r.people(ctx); err != nil {
		return report, nil, err
	}
	defer r.crowd.Close()
	stop := r.progress()
	err = injector.Run(ctx, r.plan)
	pause(ctx, r.length()-r.record.Elapsed())
	if ctx.Err() == nil {
		fmt.Fprintln(r.say, "nothing is broken any more")
	}
	err = errors.Join(err, ctx.Err(), r.suite.Ready(ctx))
	r.crowd.Finish(patience)
	stop()
	if err != nil {
		return report, nil, err
	}
	if report, err = r.settle(ctx); err != nil {
		return report, nil, err
	}
	further, err = r.proofs(ctx)
	return report, further, err
}

// world is what the suite stands on: a disk that can be filled and a clock that can be wrong.
func (r *run) world(ctx context.Context, o *stack.Options, injector *faults.Injector) error {
	if island.Here() {
		if err := island.Settle(ctx); err != nil {
			return err
		}
		home, err := stack.PostgresHome(o.Dir)
		if err != nil {
			return err
		}
		if injector.Disk, err = faults.Mount(ctx, home); err != nil {
			return err
		}
	}
	if faults.ClockReason() != "" {
		return nil
	}
	var err error
	injector.Clock, o.PostgresEnv, err = faults.NewClock(o.Dir)
	return err
}

// people come to the suite.
func (r *run) people(ctx context.Context) (err error) {
	var names []string
	for n := range r.options.people {
		names = append(names, fmt.Sprintf("p%d", n+1))
	}
	r.record.Add(record.Line{Run: &record.Run{
		Seed: r.seed, Length: r.length(), Started: time.Now().UTC(), People: names, Plan: r.plan, LeftOut: r.leftOut,
	}})
	r.crowd, err = work.Start(ctx, work.Options{Seed: r.seed, People: names, Record: r.record, Client: r.client, Origin: r.suite.URL("origin")})
	return err
}

// client is one of the people, at the one origin.
func (r *run) client(user string, timeout time.Duration) (*client.Client, error) {
	token, err := auth.Mint(r.suite.JWTSecret(), user, r.length()+time.Hour)
	if err != nil {
		return nil, err
	}
	url := r.suite.URL("origin")
	return &client.Client{
		API: url, WS: "ws" + strings.TrimPrefix(url, "http"), UserID: user, Token: token, HTTP: client.NewHTTP(8, timeout),
	}, nil
}

// refill brings a broker without data back: the topics, and everything that happened, as `taskflow topics apply` and
// `taskflow replay` do. Sidecars are stopped before it starts: they would tell it again how far they had come in topics that are
// no more, and then pass over what is put there.
func (r *run) refill(ctx context.Context) error {
	var sidecars []string
	for _, part := range plan.Parts() {
		if strings.HasSuffix(part, "-dapr") {
			sidecars = append(sidecars, part)
			if err := r.suite.Kill(part); err != nil {
				return err
			}
		}
	}
	if err := r.suite.Start("broker"); err != nil {
		return err
	}
	if err := r.suite.Ready(ctx, "broker"); err != nil {
		return err
	}
	if err := insist(ctx, func() error { return applyTopics(ctx, r.suite.Brokers()) }); err != nil {
		return err
	}
	for _, part := range sidecars {
		if err := r.suite.Start(part); err != nil && r.suite.Pid(part) == 0 {
			return err
		}
	}
	return insist(ctx, func() error {
		db, err := postgres.Open(ctx, postgres.At(r.suite.DatabaseURL()))
		if err != nil {
			return err
		}
		defer db.Close()
		_, err = db.Requeue(ctx, postgres.Filter{}, false, func(int) {})
		return err
	})
}

// insist tries until there is no error or ctx ends.
func insist(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil || !pause(ctx, 500*time.Millisecond) {
			return err
		}
	}
}

// pause reports whether the time passed before ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// leaveLogs removes what a run needed and nobody reads afterwards.
func leaveLogs(ctx context.Context, dir string) error {
	logs := filepath.Join(dir, "logs")
	kept := filepath.Join(filepath.Dir(dir), "logs")
	if err := os.RemoveAll(kept); err != nil {
		return err
	}
	if err := os.Rename(logs, kept); err != nil {
		return err
	}
	_ = stack.Remove(ctx, dir) // the small disk is busy until the island is gone
	return nil
}
