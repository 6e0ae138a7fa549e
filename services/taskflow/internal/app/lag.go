package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/topics"
)

// readLimit bounds one reading.
const readLimit = 10 * time.Second

func lag(p *places) *cobra.Command {
	var watch, asJSON bool
	var serve string
	var interval time.Duration
	cmd := &cobra.Command{
		Use:   "lag",
		Short: "Show how far the consumers are behind",
		Long: "Show of each consumer group and topic how many records it has not acknowledged, how old the oldest of them is,\n" +
			"and how many replicas are in the group. It only asks, and changes nobody's place.\n\n" +
			"Scheduler and mcp-tools have one group each, which is behind while nobody is there. Each replica of notifier and\n" +
			"chat-agent has a group of its own for as long as its sidecar runs. What one that is gone leaves behind is\n" +
			"behind for ever; such groups are counted and not shown. They are told apart by having no members.",
		Example: "  taskflow lag\n  taskflow lag --watch\n  taskflow lag --json | jq '.groups[] | select(.behind > 0)'\n  taskflow lag --serve :8080",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if serve != "" && (watch || asJSON) {
				return errors.New("--serve stands alone: its readers ask for /metrics")
			}
			if interval < time.Second {
				return errors.New("--interval is below 1s: every reading asks all brokers")
			}
			brokers, access, err := p.broker()
			if err != nil {
				return err
			}
			reader, err := topics.NewLagReader(brokers, access)
			if err != nil {
				return err
			}
			defer reader.Close()
			if serve != "" {
				return serveLag(cmd.Context(), serve, reader, interval)
			}
			show := lagTable
			if asJSON {
				show = lagJSON
			}
			return showLag(cmd.Context(), cmd.OutOrStdout(), reader, show, watch, interval)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&watch, "watch", false, "show it again and again, until Ctrl-C")
	flags.BoolVar(&asJSON, "json", false, "one JSON object for each reading, on a line")
	flags.StringVar(&serve, "serve", "", "serve it at this `address` as metrics for Prometheus, until told to stop")
	flags.DurationVar(&interval, "interval", 10*time.Second, "time between two readings")
	return cmd
}

// showLag shows one reading, or with again one after the other until ctx ends. A broker that is away ends the first, and is
// waited for by the others.
func showLag(ctx context.Context, out io.Writer, reader *topics.LagReader, show func(io.Writer, topics.Lags) error, again bool, interval time.Duration) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		all, err := readLag(ctx, reader)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			err = show(out, all)
		case again && errs.Is(err, errs.Unavailable):
			_, err = fmt.Fprintln(out, oneLine(err))
		}
		if err != nil || !again {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func readLag(ctx context.Context, reader *topics.LagReader) (topics.Lags, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	return reader.Read(ctx)
}

func lagTable(out io.Writer, all topics.Lags) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "GROUP\tTOPIC\tBEHIND\tOLDEST\tREPLICAS\t%s\n", all.At.Format(time.TimeOnly))
	for _, l := range all.Groups {
		members := strconv.Itoa(l.Members)
		if l.Members == 0 {
			members = "nobody reads"
		}
		oldest := "-"
		if l.Oldest > 0 {
			oldest = l.Oldest.Round(time.Millisecond).String()
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t\n", l.Group, l.Topic, l.Behind, oldest, members)
	}
	for _, app := range slices.Sorted(maps.Keys(all.Left)) {
		fmt.Fprintf(w, "groups of replicas of %s that are gone, left out: %d\n", app, all.Left[app])
	}
	if all.Unasked > 0 {
		fmt.Fprintf(w, "groups of replicas beyond the bound, not asked about: %d\n", all.Unasked)
	}
	return w.Flush()
}

func lagJSON(out io.Writer, all topics.Lags) error { return json.NewEncoder(out).Encode(all) }
