package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/trail"
)

const (
	// beforeBegan is how far apart the clocks of who made an id and who wrote an event may be.
	beforeBegan = 5 * time.Minute
	// defaultWithin is how long after its beginning a change is looked for.
	defaultWithin = 24 * time.Hour
)

func trace(p *places) *cobra.Command {
	var since string
	var within time.Duration
	var logs []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "trace CORRELATION-ID",
		Short: "Show the way of one change through all services",
		Long: "Show the way of one change through all services, in the order of time: its events, whether they are published, who\n" +
			"has handled them, the tools that were called for it, what could not be handled, and, with --logs, what the services\n" +
			"said meanwhile. Every answer of ours has its correlation id in the header X-Correlation-ID, and so has every log\n" +
			"line, problem and event; a client may send one of its own. What people wrote is never shown.\n\n" +
			"It looks from when the id was made, if the id says so (those of the services do), for 24 hours. For others name\n" +
			"--since; without it the last 24 hours are searched.",
		Example: "  taskflow trace 0199f2a4-7c1e-7a52-b0a5-3f0f4a0c9d11\n" +
			"  taskflow trace my-request-7 --since 2026-11-01 --logs .taskflow/logs\n" +
			"  kubectl logs -l app.kubernetes.io/part-of=taskflow --all-containers --tail=-1 | taskflow trace ID --logs -",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id := args[0]
			span, err := lookIn(id, since, within)
			if err != nil {
				return err
			}
			db, err := p.open(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			steps, err := trail.Tables(cmd.Context(), db, id, span)
			if err != nil {
				return err
			}
			for _, name := range logs {
				if steps, err = readLogs(cmd.InOrStdin(), name, id, steps); err != nil {
					return fmt.Errorf("--logs: %w", err)
				}
			}
			if len(steps) == 0 {
				other, err := trail.CorrelationOf(cmd.Context(), db, id)
				if err != nil {
					return err
				}
				return unknown(id, other, span, len(logs) > 0)
			}
			found := trail.New(id, steps)
			if asJSON {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				return encoder.Encode(found)
			}
			return tell(cmd.OutOrStdout(), found)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.StringVar(&since, "since", "", "look from this `time` on: 2026-11-01 or 2026-11-01T08:00:00Z")
	flags.DurationVar(&within, "within", defaultWithin, "how long after that to look")
	flags.StringArrayVar(&logs, "logs", nil, "also read the services' JSON log lines from this `file`, the files of a directory, or - for standard input; may be repeated")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	_ = cmd.RegisterFlagCompletionFunc("since", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("within", cobra.NoFileCompletions)
	return cmd
}

// lookIn is the time in which to look for an id.
func lookIn(id, since string, within time.Duration) (trail.Span, error) {
	if id == "" || len(id) > 200 || strings.ContainsRune(id, 0) {
		return trail.Span{}, errors.New("a correlation id has 1 to 200 characters")
	}
	if within <= 0 {
		return trail.Span{}, fmt.Errorf("--within is %v: expected more than nothing, such as 24h", within)
	}
	from, err := moment("--since", since)
	if err != nil {
		return trail.Span{}, err
	}
	if from.IsZero() {
		began, ok := trail.Began(id)
		if !ok {
			began = time.Now().Add(-within)
		}
		from = began.Add(-beforeBegan)
	}
	return trail.Span{From: from, To: from.Add(within + 2*beforeBegan)}, nil
}

// unknown says why nothing may have been found.
func unknown(id, other string, span trail.Span, withLogs bool) error {
	switch {
	case other != "" && other != id:
		return fmt.Errorf("%s is the id of an event; its correlation id is another: taskflow trace %s", id, other)
	case withLogs:
		return fmt.Errorf("nothing is known of %s between %s and %s, nor do the logs have it: look elsewhere with --since and --within",
			id, span.From.UTC().Format(time.RFC3339), span.To.UTC().Format(time.RFC3339))
	default:
		return fmt.Errorf("nothing is known of %s between %s and %s: look elsewhere with --since and --within; "+
			"a request that changed nothing is only in the logs (--logs)",
			id, span.From.UTC().Format(time.RFC3339), span.To.UTC().Format(time.RFC3339))
	}
}

// readLogs adds the steps that a file, the files of a directory or standard input tell of.
func readLogs(in io.Reader, name, id string, steps []trail.Step) ([]trail.Step, error) {
	if name == "-" {
		return trail.Logs(in, id, steps)
	}
	err := filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		steps, err = trail.Logs(file, id, steps)
		return err
	})
	return steps, err
}

// tell prints a trail for people.
func tell(out io.Writer, t trail.Trail) error {
	last := t.Steps[len(t.Steps)-1].At.Sub(t.Steps[0].At)
	fmt.Fprintf(out, "%s: %d steps in %s, from %s\n", t.CorrelationID, len(t.Steps), short(last), t.Steps[0].At.Format("2006-01-02 15:04:05.000 MST"))
	for _, line := range []struct {
		name string
		ids  []string
	}{{"user", t.Users}, {"trace", t.Traces}} {
		if len(line.ids) > 0 {
			fmt.Fprintf(out, "%s %s\n", line.name, strings.Join(line.ids, ", "))
		}
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "AFTER\tSINCE LAST\tFROM\tWHO\tWHAT\tDETAIL")
	before := t.Steps[0].At
	for _, s := range t.Steps {
		fmt.Fprintf(w, "%s\t+%s\t%s\t%s\t%s\t%s\n", short(s.At.Sub(t.Steps[0].At)), short(s.At.Sub(before)), s.Source, orDash(s.Who), s.What, detail(s))
		before = s.At
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if t.Cut {
		fmt.Fprintf(out, "\nthere is more: only the first %d steps are shown\n", trail.MaxSteps)
	}
	return nil
}

func short(d time.Duration) string {
	if d < time.Second {
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// hidden is what a line of the table does not show: the heading has the trace, and of an event's ids one is enough.
var hidden = []string{"trace_id", "level", "request_id", "invocation_id", "run_id", "causation_id"}

func detail(s trail.Step) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(s.Detail)) {
		if !slices.Contains(hidden, name) {
			all = append(all, fmt.Sprintf("%s=%v", name, s.Detail[name]))
		}
	}
	if s.EventID != "" {
		all = append(all, "event="+s.EventID)
	}
	// A line stays a line, whatever an error's text has in it.
	return strings.NewReplacer("\n", " ", "\t", " ").Replace(strings.Join(all, " "))
}
