package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/postgres/roles"
	"github.com/taskflow-suite/taskflow/pkg/stack"

	"github.com/taskflow-suite/taskflow/services/taskflow/internal/bench"
)

func benchCommand(p *places) *cobra.Command {
	var o bench.Options
	var jsonPath string
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the suite on this machine",
		Long: "Measure the suite on this machine: real clients against a stack of its own with an empty database. The\n" +
			"measurements are " + strings.Join(bench.Names(), ", ") + ".",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			state, err := p.state()
			if err != nil {
				return err
			}
			dir := filepath.Join(state, "bench")
			if _, err := stack.Down(cmd.Context(), dir); err != nil {
				return err
			}
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
			o.Progress = cmd.ErrOrStderr()
			o.Stack = stack.Options{
				Dir: dir, Ports: stack.Ports{Random: true}, LogLevel: "warn",
				Migrate: Migrate, Roles: roles.Logins, Topics: ApplyTopics, Services: unlimited(stack.Default()),
			}
			report, err := bench.Run(cmd.Context(), o)
			report.Print(cmd.OutOrStdout())
			if jsonPath != "" {
				err = errors.Join(err, writeReport(jsonPath, report))
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&o.For, "for", 15*time.Second, "how long each measurement under load lasts")
	flags.StringSliceVar(&o.Only, "only", nil, "measure only these, comma separated")
	flags.StringVar(&jsonPath, "json", "", "also write the figures to this `file`")
	return cmd
}

// unlimited lifts the limits that protect people from each other: one load generator is many people.
func unlimited(services []stack.Service) []stack.Service {
	for i := range services {
		services[i].Env = append(services[i].Env, "RATE_LIMIT=100000", "RATE_BURST=100000", "MAX_CONNECTIONS_PER_USER=2000", "MAX_CONNECTIONS=20000",
			"CHAT_RATE=100000", "CHAT_BURST=100000")
		if services[i].App == stack.OfflineModel {
			// About what a small hosted model takes for a short answer.
			services[i].Env = append(services[i].Env, "OFFLINE_DELAY="+bench.ModelDelay.String())
		}
	}
	return services
}

func writeReport(path string, report *bench.Report) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := report.JSON(file); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
