package app

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
	contract "github.com/taskflow-suite/taskflow/proto"
)

func replay(p *places) *cobra.Command {
	var from, to, topic string
	var f postgres.Filter
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "replay --from TIME",
		Short: "Publish events of the log once more",
		Long: "Publish events of the log once more, with their old ids, so that consumers that have handled them know: for a\n" +
			"topic that was deleted, or a consumer whose own state was lost. The events are put into the outbox; running\n" +
			"services publish them in order.",
		Example: "  taskflow replay --from 2026-11-01 --dry-run\n  taskflow replay --from 2026-11-01T08:00:00Z --user alice",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err, toErr, topicErr error
			f.From, err = moment("--from", from)
			f.To, toErr = moment("--to", to)
			f.Topic, topicErr = topicNamed(topic)
			if err := errors.Join(err, toErr, topicErr); err != nil {
				return err
			}
			db, err := p.open(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			n, err := db.Requeue(cmd.Context(), f, dryRun, func(n int) {
				fmt.Fprintf(cmd.ErrOrStderr(), "\r%d events", n)
			})
			fmt.Fprintln(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if dryRun {
				fmt.Fprintf(cmd.OutOrStdout(), "%d events would be published once more\n", n)
			} else {
				fmt.Fprintf(cmd.OutOrStdout(), "%d events are in the outbox again\n", n)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&from, "from", "", "only events from this `time` on: 2026-11-01 or 2026-11-01T08:00:00Z (required)")
	flags.StringVar(&to, "to", "", "only events before this `time`")
	flags.StringVar(&f.UserID, "user", "", "only events of this user")
	flags.StringVar(&topic, "topic", "", "only events of this topic")
	flags.BoolVar(&dryRun, "dry-run", false, "only count them")
	_ = cmd.MarkFlagRequired("from")
	_ = cmd.RegisterFlagCompletionFunc("topic", cobra.FixedCompletions(topicNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func rebuild(p *places) *cobra.Command {
	var verify bool
	cmd := &cobra.Command{
		Use:   "rebuild --verify",
		Short: "Rebuild the tasks from events alone and compare",
		Long: "Rebuild the tasks from the event log alone, in a scratch schema that is removed afterwards, and compare them\n" +
			"with the tasks table row by row. It ends with an error if anything differs.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !verify {
				return errors.New("name what the rebuilt tasks are for: --verify compares them with the table")
			}
			url, err := p.database()
			if err != nil {
				return err
			}
			began := time.Now()
			v, err := taskstore.Verify(cmd.Context(), url)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "rebuilt %d tasks from %d events in %s\n", v.Tasks, v.Events, time.Since(began).Round(time.Millisecond))
			for _, d := range v.Differences {
				fmt.Fprintln(cmd.OutOrStdout(), "  "+d)
			}
			if n := len(v.Differences); n > 0 {
				return fmt.Errorf("%d differences between the log and the table", n)
			}
			fmt.Fprintln(cmd.OutOrStdout(), "no difference")
			return nil
		},
	}
	cmd.Flags().BoolVar(&verify, "verify", false, "compare with the tasks table")
	return cmd
}

// open connects to the database.
func (p *places) open(cmd *cobra.Command) (*postgres.DB, error) {
	url, err := p.database()
	if err != nil {
		return nil, err
	}
	return postgres.Open(cmd.Context(), postgres.At(url))
}

// moment reads a day or an instant; empty is the zero time.
func moment(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s: %q is neither a day such as 2026-11-01 nor a time such as 2026-11-01T08:00:00Z", flag, text)
}

func topicNames() []string {
	var names []string
	for _, t := range contract.AllTopics() {
		names = append(names, string(t.Name))
	}
	return names
}

// topicNamed is the topic of a name; empty is none.
func topicNamed(name string) (contract.Topic, error) {
	if name != "" && !slices.Contains(topicNames(), name) {
		return "", fmt.Errorf("--topic: there is no topic %q; `taskflow topics list` shows them", name)
	}
	return contract.Topic(name), nil
}
