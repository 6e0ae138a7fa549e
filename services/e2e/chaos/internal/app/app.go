// Package app is the chaos command: flags, one run from an empty suite to a verdict, and what people see of it.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/stack"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/check"
	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/faults"
	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/island"
	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/plan"
	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
)

// Run runs the command line of this process until ctx ends.
func Run(ctx context.Context) error {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{ReplaceAttr: withoutTime})))
	return Command().ExecuteContext(ctx)
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// options are what one run is to be.
type options struct {
	seconds, people int
	seed            uint64
	faults          []string
	out, check      string
	onlyPlan        bool

	say io.Writer
}

// Command is the command.
func Command() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "chaos",
		Short: "Break a whole suite while people use it, and prove that nothing was lost",
		Long: "Break a whole suite while people use it, and prove that nothing was lost.\n\n" +
			"A seed decides what is broken when, and what people want. Everything they asked, were told and saw is written into\n" +
			"a record, which a checker reads that knows nothing of the suite. It ends with an error if a promise was not kept.\n\n" +
			"The faults: " + kinds() + ". Those of the network, of the disk and of the clock need Linux and\n" +
			"root; without, they are left out, and the run says so.",
		Example:       "  chaos --seconds 120 --seed 7\n  chaos --seconds 60 --seed 7 --plan\n  chaos --check .taskflow/chaos/seed-7/record.jsonl",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.say = cmd.OutOrStdout()
			if !cmd.Flags().Changed("seed") {
				o.seed = rand.Uint64N(100_000) //nolint:gosec // G404: any number
			}
			return o.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.seconds, "seconds", 60, "how long things are broken, 10 to 86400; starting and looking at what is left take a minute or two more")
	flags.Uint64Var(&o.seed, "seed", 0, "what decides everything (default any)")
	flags.StringSliceVar(&o.faults, "faults", nil, "only these `kinds` of faults, comma separated; none breaks nothing (default all)")
	flags.IntVar(&o.people, "people", 6, "how many people use the suite, 2 to 100")
	flags.StringVar(&o.out, "out", "", "`directory` for the record and the logs (default .taskflow/chaos/seed-SEED in the checkout)")
	flags.StringVar(&o.check, "check", "", "run nothing: judge the record in this `file`")
	flags.BoolVar(&o.onlyPlan, "plan", false, "run nothing: print what would be broken when")
	return cmd
}

func kinds() string {
	var all []string
	for _, k := range plan.Kinds() {
		all = append(all, string(k))
	}
	return strings.Join(all, ", ")
}

func (o *options) run(ctx context.Context) error {
	if o.check != "" {
		lines, err := record.Open(o.check)
		if err != nil {
			return err
		}
		return o.verdict(check.Record(lines), nil)
	}
	if o.seconds < 10 || o.seconds > 86400 || o.people < 2 || o.people > 100 {
		return errors.New("--seconds is 10 to 86400, and --people 2 to 100")
	}
	wanted, leftOut, err := o.able()
	if err != nil {
		return err
	}
	faults := plan.Make(o.seed, o.length(), wanted)
	if o.onlyPlan {
		_, err := fmt.Fprint(o.say, plan.Table(faults))
		return err
	}
	root, err := stack.FindRoot(".")
	if err != nil {
		return err
	}
	if o.out == "" {
		o.out = filepath.Join(stack.DefaultDir(root), "chaos", fmt.Sprintf("seed-%d", o.seed))
	}
	if o.out, err = filepath.Abs(o.out); err != nil {
		return err
	}
	if island.Reason() == "" && !island.Here() {
		// What is fetched from the network is fetched before there is none.
		fmt.Fprintln(o.say, "building what is not built yet")
		if err := stack.Prepare(ctx, o.stack()); err != nil {
			return err
		}
		if err := island.Run(ctx, o.arguments()...); err != nil {
			return fmt.Errorf("seed %d: %w", o.seed, err)
		}
		return nil
	}
	fmt.Fprintf(o.say, "seed %d, %d seconds, %d people, %d faults; everything is written into %s\n", o.seed, o.seconds, o.people, len(faults), o.out)
	for _, k := range plan.Kinds() {
		if why := leftOut[k]; why != "" {
			fmt.Fprintf(o.say, "left out: %s (%s)\n", k, why)
		}
	}
	r := &run{options: o, plan: faults, leftOut: leftOut}
	report, further, err := r.all(ctx)
	if err != nil {
		o.onceMore()
		return err
	}
	return o.verdict(report, further)
}

func (o *options) length() time.Duration { return time.Duration(o.seconds) * time.Second }

// arguments are those of the same run, with everything decided.
func (o *options) arguments() []string {
	args := []string{
		"--seconds", strconv.Itoa(o.seconds), "--seed", strconv.FormatUint(o.seed, 10), "--people", strconv.Itoa(o.people), "--out", o.out,
	}
	if len(o.faults) > 0 {
		args = append(args, "--faults", strings.Join(o.faults, ","))
	}
	return args
}

// able are the kinds of faults that are wanted and can be had, and why others cannot.
func (o *options) able() (able []plan.Kind, leftOut map[plan.Kind]string, err error) {
	leftOut = map[plan.Kind]string{}
	for _, name := range o.faults {
		if name != "none" && !slices.Contains(plan.Kinds(), plan.Kind(name)) {
			return nil, nil, fmt.Errorf("--faults: there is no %q; there are none, %s", name, kinds())
		}
	}
	for _, k := range plan.Kinds() {
		why := ""
		switch k {
		case plan.Cut, plan.Loss, plan.Delay, plan.Full:
			why = island.Reason()
		case plan.Clock:
			why = faults.ClockReason()
		default: // the others can be had everywhere
		}
		switch {
		case len(o.faults) > 0 && !slices.Contains(o.faults, string(k)):
		case why != "":
			leftOut[k] = why
		default:
			able = append(able, k)
		}
	}
	return able, leftOut, nil
}

// mostShown is how many findings are printed; the record has them all.
const mostShown = 20

// verdict prints what a run shows. It is an error if a promise was not kept.
func (o *options) verdict(report check.Report, further []proof) error {
	fmt.Fprintf(o.say, "\n%s", report.Table())
	broken := len(report.Findings)
	for _, p := range further {
		fmt.Fprintf(o.say, "%s: %s\n", p.name, p.verdict())
		broken += len(p.findings)
	}
	if broken == 0 {
		fmt.Fprintln(o.say, "\nnothing was lost")
		return nil
	}
	fmt.Fprintln(o.say)
	shown := 0
	for _, f := range report.Findings {
		if shown++; shown <= mostShown {
			fmt.Fprintln(o.say, f)
		}
	}
	for _, p := range further {
		for _, f := range p.findings {
			if shown++; shown <= mostShown {
				fmt.Fprintf(o.say, "%s: %s\n", p.name, f)
			}
		}
	}
	o.onceMore()
	return fmt.Errorf("%d findings", broken)
}

// onceMore tells how to run a failed run again.
func (o *options) onceMore() {
	if o.check == "" {
		fmt.Fprintf(o.say, "\nonce more: make chaos SECONDS=%d SEED=%d\njudge again: go run ./services/e2e/chaos --check %s\n",
			o.seconds, o.seed, filepath.Join(o.out, recordName))
	}
}
