package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/roles"
	"github.com/taskflow-suite/taskflow/pkg/stack"
	"github.com/taskflow-suite/taskflow/pkg/topics"
)

func up(p *places) *cobra.Command {
	var o stack.Options
	var ports stack.Ports
	var without []string
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run all of TaskFlow on this machine until Ctrl-C",
		Long: "Run all of TaskFlow on this machine: Postgres, the broker, every service with its own Dapr sidecar, and one\n" +
			"origin in front of them. State and logs are kept in .taskflow. Without --database-url and --kafka-brokers it\n" +
			"brings its own; the first start builds and fetches them, which takes some minutes.\n\n" +
			"The chat's language model is the one that OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL name; without the\n" +
			"first two it is the offline model, a set of rules that understands simple English.\n\n" +
			"Services named by --without are left to you, with their sidecars and at their usual ports: run them with\n" +
			"`dapr run` or in a debugger, with the settings that `taskflow env` prints.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fromEnv, err := stack.PortsFromEnv(os.LookupEnv)
			if err != nil {
				return err
			}
			o.Ports = merged(ports, fromEnv)
			if o.Dir, err = p.state(); err != nil {
				return err
			}
			o.DatabaseURL = first(p.databaseURL, os.Getenv("DATABASE_URL"))
			if err := p.ownBrokers(&o); err != nil {
				return err
			}
			if o.Services, err = left(append(stack.Default(), stack.Web()), without); err != nil {
				return err
			}
			if o.Model = stack.Model(os.LookupEnv); len(o.Model) > 0 {
				o.Services = slices.DeleteFunc(o.Services, func(s stack.Service) bool { return s.App == stack.OfflineModel })
			}
			o.Output = cmd.OutOrStdout()
			o.Migrate, o.Roles, o.Demo = Migrate, roles.Logins, true
			o.Topics = func(ctx context.Context, brokers string) error { return applyTopics(ctx, brokers, o.BrokerAccess) }
			return run(cmd, o)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&without, "without", nil, "`services` that somebody else runs, comma separated, or all that have a sidecar")
	flags.IntVar(&ports.Origin, "origin-port", 0, "`port` of the one origin (default 8080, or $TASKFLOW_ORIGIN_PORT)")
	flags.IntVar(&ports.Postgres, "postgres-port", 0, "`port` of Postgres (default 15432, or $TASKFLOW_POSTGRES_PORT)")
	flags.IntVar(&ports.Broker, "broker-port", 0, "`port` of the broker (default 9092, or $TASKFLOW_BROKER_PORT)")
	flags.IntVar(&ports.Base, "base-port", 0, "first `port` of the services and sidecars (default 18100, or $TASKFLOW_BASE_PORT)")
	flags.StringVar(&o.LogLevel, "log-level", "info", "of the services and sidecars: debug, info, warn, error")
	return cmd
}

func run(cmd *cobra.Command, o stack.Options) error {
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	s, err := stack.Start(ctx, o)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s\n", s.Table())
	fmt.Fprintf(out, "A token for a user of your choice:  go run ./services/taskflow token alice\nCtrl-C stops everything; data stays in %s.\n\n", o.Dir)

	ended := make(chan error, 1)
	go func() { ended <- s.Wait() }()
	select {
	case <-ctx.Done():
		fmt.Fprintln(out, "\nstopping…")
	case err = <-ended:
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if stopErr := s.Stop(stopping); err == nil {
		err = stopErr
	}
	return err
}

// left marks the services that somebody else runs.
func left(services []stack.Service, without []string) ([]stack.Service, error) {
	var names []string
	for i, s := range services {
		names = append(names, s.App)
		services[i].Elsewhere = slices.Contains(without, s.App) || slices.Contains(without, "all") && !s.NoSidecar
	}
	for _, name := range without {
		if name != "all" && !slices.Contains(names, name) {
			return nil, fmt.Errorf("--without %s: there are %s, or all", name, strings.Join(names, ", "))
		}
	}
	return services, nil
}

// Migrate brings the database at url to what this version expects.
func Migrate(ctx context.Context, url string) error {
	_, err := postgres.Migrate(ctx, url)
	return err
}

// ApplyTopics makes the topics on brokers that let everybody in, given as a comma separated list.
func ApplyTopics(ctx context.Context, brokers string) error {
	return applyTopics(ctx, brokers, topics.Access{})
}

func applyTopics(ctx context.Context, brokers string, access topics.Access) error {
	return topics.Apply(ctx, strings.Split(brokers, ","), access, io.Discard)
}

// ownBrokers has the stack use brokers of yours, if you name some: its sidecars log in as the users of their services, where the
// environment has their passwords, and else as you do.
func (p *places) ownBrokers(o *stack.Options) error {
	if p.brokers == "" && os.Getenv(brokersVariable) == "" {
		return nil
	}
	list, access, err := p.broker()
	if err != nil {
		return err
	}
	users, err := topics.UsersFromEnv(os.LookupEnv)
	if err != nil {
		return err
	}
	o.KafkaBrokers, o.BrokerAccess, o.BrokerLogins = strings.Join(list, ","), access, map[string]topics.Access{}
	for _, u := range users {
		if !u.Password.IsZero() {
			login := access
			login.User, login.Password = u.Name, u.Password
			o.BrokerLogins[u.Role] = login
		}
	}
	return nil
}

func down(p *places) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Stop what `taskflow up` started here; data stays",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := p.state()
			if err != nil {
				return err
			}
			stopped, err := stack.Down(cmd.Context(), dir)
			if err == nil && !stopped {
				fmt.Fprintln(cmd.OutOrStdout(), "nothing was running")
			}
			return err
		},
	}
}

// merged takes each port from flags, else from the environment.
func merged(flags, env stack.Ports) stack.Ports {
	pick := func(a, b int) int {
		if a != 0 {
			return a
		}
		return b
	}
	return stack.Ports{
		Origin: pick(flags.Origin, env.Origin), Postgres: pick(flags.Postgres, env.Postgres),
		Broker: pick(flags.Broker, env.Broker), Base: pick(flags.Base, env.Base),
	}
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
