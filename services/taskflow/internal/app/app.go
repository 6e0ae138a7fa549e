// Package app is the taskflow command: one file for each subcommand, which parses flags and calls what does the work.
// It holds no logic that a service or a test would need.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	"github.com/taskflow-suite/taskflow/pkg/stack"
)

// Run runs the command line of this process until ctx ends.
func Run(ctx context.Context) error {
	slog.SetDefault(slog.New(plain{os.Stderr}))
	return Command().ExecuteContext(ctx)
}

// Command is the whole command tree.
func Command() *cobra.Command {
	root := &cobra.Command{
		Use:   "taskflow",
		Short: "Run, inspect and repair TaskFlow",
		Long: "Run, inspect and repair TaskFlow.\n\n" +
			"Commands that need the database or the broker find those of `taskflow up` in this checkout by\n" +
			"themselves; elsewhere set DATABASE_URL and KAFKA_BROKERS, or the flags of the same names. Brokers that ask\n" +
			"for a login or speak TLS are reached with KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD, KAFKA_SASL_MECHANISM\n" +
			"(SCRAM-SHA-256, or SCRAM-SHA-512), KAFKA_TLS=true, and KAFKA_CA_CERT (PEM) if the system does not trust them.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	p := &places{}
	flags := root.PersistentFlags()
	flags.StringVar(&p.dir, "dir", "", "state `directory` of the local stack (default .taskflow in the checkout)")
	flags.StringVar(&p.databaseURL, "database-url", "", "Postgres to use (default $DATABASE_URL, or the local stack's)")
	flags.StringVar(&p.brokers, "kafka-brokers", "", "brokers to use, `host:port,…` (default $KAFKA_BROKERS, or the local stack's)")
	root.AddCommand(up(p), down(p), env(p), token(p), watch(p), chat(p), topicsCommand(p), events(p),
		replay(p), rebuild(p), verify(p), rolesCommand(p), backupCommand(p), restore(p), dlq(p), migrate(p), wait(p), checkCommand(), origin(), benchCommand(p), soakCommand(p), lag(p), trace(p))
	return root
}

// places says where the command finds the parts it works on.
type places struct {
	dir, databaseURL, brokers string
}

// state is the local stack's directory.
func (p *places) state() (string, error) {
	if p.dir != "" {
		return filepath.Abs(p.dir)
	}
	root, err := stack.FindRoot(".")
	if err != nil {
		return "", fmt.Errorf("not inside a checkout of TaskFlow: run it there, or name a --dir: %w", err)
	}
	return stack.DefaultDir(root), nil
}

// database is the URL of the database to work on.
func (p *places) database() (string, error) {
	return p.find(p.databaseURL, "DATABASE_URL", "--database-url", func(i stack.Info) string { return i.DatabaseURL })
}

// broker is where the broker to work on is, and how one gets in. The local stack's lets everybody in.
func (p *places) broker() (brokers []string, access kafka.Access, err error) {
	list, err := p.brokerList()
	if err != nil {
		return nil, access, err
	}
	if p.brokers != "" || os.Getenv(brokersVariable) != "" {
		if access, err = config.Load[kafka.Access](os.LookupEnv); err != nil {
			return nil, access, err
		}
	}
	return strings.Split(list, ","), access, nil
}

// brokersVariable is the setting of the services that names the brokers.
const brokersVariable = "KAFKA_BROKERS"

// brokerList is the list of brokers to work on.
func (p *places) brokerList() (string, error) {
	return p.find(p.brokers, brokersVariable, "--kafka-brokers", func(i stack.Info) string { return i.Brokers })
}

func (p *places) find(flag, env, name string, of func(stack.Info) string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if v := os.Getenv(env); v != "" {
		return v, nil
	}
	dir, err := p.state()
	if err != nil {
		return "", fmt.Errorf("set %s or %s: %w", env, name, err)
	}
	info, err := stack.Find(dir)
	if errors.Is(err, stack.ErrNotRunning) {
		return "", fmt.Errorf("set %s or %s, or start the local stack: %w", env, name, err)
	}
	return of(info), err
}
