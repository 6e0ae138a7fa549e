package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/postgres/roles"
	"github.com/taskflow-suite/taskflow/pkg/stack"

	"github.com/taskflow-suite/taskflow/services/taskflow/internal/bench"
)

// keptRecords is how many records a partition keeps during a soak: at its rate, those of a few minutes.
const keptRecords = 5000

func soakCommand(p *places) *cobra.Command {
	var o bench.SoakOptions
	var out string
	var share float64
	cmd := &cobra.Command{
		Use:   "soak",
		Short: "Use the suite evenly for a long time, and see whether something grows",
		Long: "Use the suite evenly for a long time: tasks are created at a steady rate while people have windows open, on a stack of\n" +
			"its own with an empty database. Memory, open files, goroutines, connections and latency are written down as a table\n" +
			"and a picture. It fails if a request fails, a frame does not come, or one of them has grown by the end.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.For <= 0 || o.Every <= 0 || o.Rate <= 0 || o.Windows < 1 {
				return errors.New("--for, --every, --rate and --windows must be greater than 0")
			}
			state, err := p.state()
			if err != nil {
				return err
			}
			dir := filepath.Join(state, "soak")
			if _, err := stack.Down(cmd.Context(), dir); err != nil {
				return err
			}
			if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(out, 0o755)); err != nil {
				return err
			}
			o.Progress = cmd.ErrOrStderr()
			o.Stack = stack.Options{
				Dir: dir, Ports: stack.Ports{Random: true}, LogLevel: "warn",
				Migrate: Migrate, Roles: roles.Logins, Topics: ApplyTopics, Services: unlimited(stack.Default()),
				BrokerArgs: []string{"--retention-records", strconv.Itoa(keptRecords)},
			}
			seen, err := bench.Soak(cmd.Context(), o)
			return errors.Join(err, writeSoak(out, seen), judge(cmd.OutOrStdout(), seen, share))
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&o.For, "for", time.Hour, "how long")
	flags.DurationVar(&o.Every, "every", 10*time.Second, "how far two samples are apart")
	flags.Float64Var(&o.Rate, "rate", 300, "tasks created per second")
	flags.IntVar(&o.Windows, "windows", 500, "people with a window open")
	flags.StringVar(&out, "out", ".", "write soak.csv and soak.svg into this `directory`")
	flags.Float64Var(&share, "growth", 0.1, "how much of its size something may grow after the first quarter")
	return cmd
}

func writeSoak(dir string, seen *bench.Soaked) error {
	if len(seen.At) == 0 {
		return nil
	}
	write := func(name string, to func(io.Writer) error) error {
		file, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		return errors.Join(to(file), file.Close())
	}
	return errors.Join(write("soak.csv", seen.CSV), write("soak.svg", seen.Plot))
}

// judge prints how everything was after the warm-up and at the end, and fails if something has grown.
func judge(w io.Writer, seen *bench.Soaked, share float64) error {
	all, err := seen.Compare()
	if err != nil {
		return err
	}
	slower := slices.ContainsFunc(all, func(g bench.Growth) bool { return g.OfMachine() && g.Beyond(share) })
	grown := 0
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, g := range all {
		mark := ""
		if g.Beyond(share) {
			mark = "grown"
			grown++
		}
		fmt.Fprintf(table, "%s\t%.1f\t→ %.1f\t%s\n", g.Name, g.First, g.End, mark)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if slower {
		return fmt.Errorf("the machine itself has become slower, which proves nothing: run it again when nothing else uses it (%d of %d things have grown)", grown, len(all))
	}
	if grown > 0 {
		return fmt.Errorf("%d of %d things have grown by more than %.0f %%", grown, len(all), share*100)
	}
	return nil
}
