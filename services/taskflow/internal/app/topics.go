package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/topics"
	contract "github.com/taskflow-suite/taskflow/proto"
)

func topicsCommand(p *places) *cobra.Command {
	cmd := &cobra.Command{Use: "topics", Short: "Make and show the broker's topics"}
	cmd.AddCommand(
		applyCommand(p), aclsCommand(p), usersCommand(p),
		&cobra.Command{
			Use:   "list",
			Short: "Show the broker's topics beside the contract",
			Args:  cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				brokers, access, err := p.broker()
				if err != nil {
					return err
				}
				have, err := topics.List(cmd.Context(), brokers, access)
				if err != nil {
					return err
				}
				return listTopics(cmd.OutOrStdout(), have)
			},
		},
	)
	return cmd
}

func applyCommand(p *places) *cobra.Command {
	var patience, retention time.Duration
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Make every topic what the contract says",
		Long: "Create the topics that are missing, and raise the partitions and set the retention of those that differ. It is\n" +
			"safe to run again; it never deletes or shrinks anything. How many replicas a topic has is left to the broker.\n\n" +
			"Events are kept for a week, or for --retention, which must then be task-api's TOPIC_RETENTION too: what was handled\n" +
			"is recognised for a day longer than that.",
		Example: "  KAFKA_BROKERS=seed.example.com:9092 KAFKA_TLS=true KAFKA_SASL_USERNAME=taskflow KAFKA_SASL_PASSWORD=… \\\n" +
			"    taskflow topics apply",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			brokers, access, err := p.broker()
			if err != nil {
				return err
			}
			if patience > 0 {
				ctx, cancel := context.WithTimeout(cmd.Context(), patience)
				defer cancel()
				if err := answering(brokers, access).await(ctx, cmd.OutOrStdout()); err != nil {
					return err
				}
			}
			return topics.Apply(cmd.Context(), brokers, access, cmd.OutOrStdout(), topics.Retention(retention))
		},
	}
	cmd.Flags().DurationVar(&retention, "retention", contract.MinRetention, "how long topics of events keep them, such as 720h; at least 168h")
	cmd.Flags().DurationVar(&patience, "wait", 0, "how long to wait for a broker that does not answer yet")
	return cmd
}

// answering is a broker that answers, whatever topics it has.
func answering(brokers []string, access topics.Access) need {
	return need{"the broker", func(ctx context.Context) (string, error) {
		if _, err := topics.Missing(ctx, brokers, access); err != nil {
			return "", err
		}
		return "it answers", nil
	}}
}

func listTopics(out io.Writer, have []topics.Topic) error {
	found := map[string]topics.Topic{}
	for _, t := range have {
		found[t.Name] = t
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TOPIC\tPARTITIONS\tRETENTION\tRECORDS\tPUBLISHED BY\tREAD BY")
	for _, want := range contract.AllTopics() {
		readers := append([]string{}, want.Subscribers...)
		for _, r := range want.FanOut {
			readers = append(readers, "each "+r)
		}
		t, ok := found[string(want.Name)]
		if !ok {
			fmt.Fprintf(w, "%s\tmissing: run `taskflow topics apply`\n", want.Name)
			continue
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%s\t%s\n", t.Name, t.Partitions, t.Retention, t.Records,
			strings.Join(want.Publishers, ", "), strings.Join(readers, ", "))
	}
	return w.Flush()
}

func events(p *places) *cobra.Command {
	cmd := &cobra.Command{Use: "events", Short: "Look at events"}
	var f topics.Filter
	var topic, since string
	tail := &cobra.Command{
		Use:     "tail",
		Short:   "Show events as they pass on the broker",
		Long:    "Show events as they pass on the broker, one a line, until Ctrl-C. It reads beside the consumers and disturbs none.",
		Example: "  taskflow events tail --user alice\n  taskflow events tail --topic tasks.events --since 2026-11-22T08:00:00Z",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			brokers, access, err := p.broker()
			if err != nil {
				return err
			}
			if f.Since, err = moment("--since", since); err != nil {
				return err
			}
			one, err := topicNamed(topic)
			if err != nil {
				return err
			}
			f.Topics = []contract.Topic{one}
			if one == "" {
				f.Topics = []contract.Topic{contract.Tasks, contract.Users, contract.Conversations, contract.Scheduling}
			}
			out := cmd.OutOrStdout()
			return topics.Tail(cmd.Context(), brokers, access, f, func(r topics.Record) error {
				return show(out, r)
			})
		},
	}
	flags := tail.Flags()
	flags.StringVar(&topic, "topic", "", "only this topic (default the four topics of events)")
	flags.StringVar(&f.User, "user", "", "only events of this user")
	flags.StringSliceVar(&f.Types, "type", nil, "only events of these types, such as task.created")
	flags.StringVar(&since, "since", "", "from this `time` on (default from now on)")
	_ = tail.RegisterFlagCompletionFunc("topic", cobra.FixedCompletions(topicNames(), cobra.ShellCompDirectiveNoFileComp))
	_ = tail.RegisterFlagCompletionFunc("type", cobra.FixedCompletions(eventNames(), cobra.ShellCompDirectiveNoFileComp))
	cmd.AddCommand(tail)
	return cmd
}

func eventNames() []string {
	var names []string
	for _, k := range contract.Events() {
		names = append(names, k.Name)
	}
	return names
}

// show prints a record: where it lies, then the event as it is.
func show(out io.Writer, r topics.Record) error {
	at := r.At.UTC().Format(time.RFC3339Nano)
	if r.Fault != "" {
		_, err := fmt.Fprintf(out, "%s %s[%d]@%d  %s\n", at, r.Topic, r.Partition, r.Offset, r.Fault)
		return err
	}
	text, err := json.Marshal(r.Event)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s %s[%d]@%d from %s  %s\n", at, r.Topic, r.Partition, r.Offset, r.Source, text)
	return err
}
