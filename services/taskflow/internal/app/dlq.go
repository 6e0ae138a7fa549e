package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/taskflow-suite/taskflow/pkg/deadletter"
	contract "github.com/taskflow-suite/taskflow/proto"
)

func dlq(p *places) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dlq",
		Short: "Look at dead letters, send them again, set them aside",
		Long: "Look at dead letters, send them again, set them aside. A dead letter is what a service could not handle within\n" +
			"45 seconds, or will never understand. It is:\n\n" +
			"  dead       nobody handles it any more\n" +
			"  retried    it was sent again, and has neither been handled nor died since\n" +
			"  failing    attempts failed; the service's sidecar is still trying, or a later attempt did it\n" +
			"  handled    the service has acted on it after all\n" +
			"  discarded  somebody has set it aside",
		Example: "  taskflow dlq list\n  taskflow dlq show 0192f0c0-…\n  taskflow dlq retry --consumer scheduler --since 2h --dry-run\n" +
			"  taskflow dlq discard --reason 'not an event'",
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(dlqList(p), dlqShow(p), dlqRetry(p), dlqDiscard(p))
	return cmd
}

// selection is what the flags of the dlq commands select.
type selection struct {
	filter       deadletter.Filter
	topic        string
	since, until string
	states       []string
	all          bool
	output       string
	now          func() time.Time
}

// flags adds the flags that select.
func (s *selection) flags(cmd *cobra.Command) *pflag.FlagSet {
	s.now = time.Now
	f := cmd.Flags()
	f.StringVar(&s.filter.Consumer, "consumer", "", "only what this service could not handle")
	f.StringVar(&s.topic, "topic", "", "only of this topic, such as tasks.events")
	f.StringVar(&s.filter.Reason, "reason", "", "only with this `text` in the reason")
	f.StringVar(&s.filter.Kind, "kind", "", "only of this kind of failure")
	f.StringVar(&s.filter.UserID, "user", "", "only of this user")
	f.StringVar(&s.filter.CorrelationID, "correlation", "", "only with this correlation `id`")
	f.StringVar(&s.since, "since", "", "only last seen from this `time` on: 2h, 2026-11-01 or 2026-11-01T08:00:00Z")
	f.StringVar(&s.until, "until", "", "only last seen before this `time`")
	f.StringVarP(&s.output, "output", "o", "table", "`format`: table or json")
	for name, values := range map[string][]string{
		"consumer": consumers(), "topic": consumedTopics(), "kind": deadletter.Kinds(), "output": {"table", "json"},
	} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	return f
}

// read makes a filter of the flags and the named ids. All mistakes are reported together.
func (s *selection) read(ids []string) (deadletter.Filter, error) {
	f := s.filter
	f.IDs, f.Topic = ids, contract.Topic(s.topic)
	var sinceErr, untilErr error
	f.Since, sinceErr = s.moment("--since", s.since)
	f.Until, untilErr = s.moment("--until", s.until)
	mistakes := []error{
		sinceErr, untilErr, oneOf("--consumer", f.Consumer, consumers()), oneOf("--topic", s.topic, consumedTopics()),
		oneOf("--kind", f.Kind, deadletter.Kinds()), oneOf("--output", s.output, []string{"table", "json"}),
	}
	for _, name := range s.states {
		f.States = append(f.States, deadletter.State(name))
		mistakes = append(mistakes, oneOf("--state", name, stateNames()))
	}
	return f, errors.Join(mistakes...)
}

// moment also reads how long ago.
func (s *selection) moment(flag, text string) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil {
		return s.now().Add(-ago), nil
	}
	t, err := moment(flag, text)
	if err != nil {
		return t, fmt.Errorf("%w nor how long ago, such as 2h", err)
	}
	return t, nil
}

// changing is read for commands that change something: it refuses to select everything unless that is meant.
func (s *selection) changing(cmd *cobra.Command, ids []string) (deadletter.Filter, error) {
	f, err := s.read(ids)
	switch {
	case err != nil:
		return f, err
	case f.Empty() && !s.all:
		return f, fmt.Errorf("name the dead letters: their ids, or flags that select them, or --all; `%s list` shows them", cmd.Parent().CommandPath())
	case !f.Empty() && s.all:
		return f, errors.New("--all is for every dead letter: leave it out, or the ids and the other flags")
	}
	return f, nil
}

func oneOf(flag, value string, values []string) error {
	if value == "" || slices.Contains(values, value) {
		return nil
	}
	return fmt.Errorf("%s: %q is none of %s", flag, value, strings.Join(values, ", "))
}

func stateNames() (names []string) {
	for _, s := range deadletter.States() {
		names = append(names, string(s))
	}
	return names
}

// consumers are the services that have dead letters.
func consumers() (names []string) {
	for _, t := range contract.Topics() {
		for _, s := range t.Subscribers {
			if !slices.Contains(names, s) {
				names = append(names, s)
			}
		}
	}
	slices.Sort(names)
	return names
}

// consumedTopics are the topics that dead letters can be of.
func consumedTopics() (names []string) {
	for _, t := range contract.Topics() {
		if len(t.Subscribers) > 0 {
			names = append(names, string(t.Name))
		}
	}
	return names
}

// maxCompleted bounds how many ids a shell offers.
const maxCompleted = 50

// letterIDs completes the ids of letters, each with what it is.
func letterIDs(p *places, states ...deadletter.State) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Second)
		defer cancel()
		cmd.SetContext(ctx)
		db, err := p.open(cmd)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		defer db.Close()
		letters, _, err := deadletter.NewStore(db).List(ctx, deadletter.Filter{States: states}, maxCompleted)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var ids []cobra.Completion
		for _, l := range letters {
			if strings.HasPrefix(l.ID, typed) {
				ids = append(ids, cobra.CompletionWithDesc(l.ID, fmt.Sprintf("%s %s %s: %s", l.State, l.Consumer, l.EventType, l.Reason)))
			}
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
}
