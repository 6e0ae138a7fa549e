package app

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/deadletter"
)

// anyState is --state for letters in all states.
const anyState = "all"

func dlqList(p *places) *cobra.Command {
	var s selection
	var limit int
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "Show dead letters, the last seen first",
		Long:    "Show dead letters, the last seen first: those that are dead or were sent again, unless --state says otherwise.",
		Example: "  taskflow dlq list --consumer scheduler --since 2h\n  taskflow dlq list --state all --correlation 0192f0c0-… -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(s.states) == 1 && s.states[0] == anyState {
				s.states = stateNames()
			}
			f, err := s.read(nil)
			if err != nil {
				return err
			}
			if limit < 1 || limit > deadletter.MaxList {
				return fmt.Errorf("--limit is %d: expected 1 to %d", limit, deadletter.MaxList)
			}
			db, err := p.open(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			letters, more, err := deadletter.NewStore(db).List(cmd.Context(), f, limit)
			if err != nil {
				return err
			}
			if more {
				fmt.Fprintf(cmd.ErrOrStderr(), "There are more than these %d: raise --limit, or go on with --until %s\n",
					limit, letters[limit-1].LastSeen.Format(time.RFC3339Nano))
			}
			if s.output == "json" {
				return writeJSON(cmd.OutOrStdout(), letters)
			}
			return listLetters(cmd.OutOrStdout(), letters)
		},
	}
	flags := s.flags(cmd)
	flags.StringSliceVar(&s.states, "state", []string{string(deadletter.Dead), string(deadletter.Retried)}, "`states` to show: dead, retried, failing, handled, discarded, or all")
	flags.IntVar(&limit, "limit", maxCompleted, "how many to show at most, up to "+strconv.Itoa(deadletter.MaxList))
	_ = cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(append(stateNames(), anyState), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func dlqShow(p *places) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show everything about a dead letter",
		Long: "Show everything about a dead letter, one part for each service that could not handle it. The record is shown if\n" +
			"the event log does not have it and it may be kept; nobody keeps what people write to the agent.",
		Example:           "  taskflow dlq show 0192f0c0-…",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: letterIDs(p),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--output", output, []string{"table", "json"}); err != nil {
				return err
			}
			db, err := p.open(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			letters, err := deadletter.NewStore(db).Named(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if output == "json" {
				all := make([]shownLetter, len(letters))
				for i, l := range letters {
					all[i] = shownLetter{Letter: l, Record: l.Record, CannotRetry: l.CannotRetry()}
				}
				return writeJSON(out, all)
			}
			for i, l := range letters {
				if i > 0 {
					fmt.Fprintln(out)
				}
				if err := showLetter(out, l); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`format`: table or json")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// shownLetter is a letter with all there is, in JSON; the record is in base64.
type shownLetter struct {
	deadletter.Letter
	Record      []byte `json:"record,omitempty"`
	CannotRetry string `json:"cannot_retry,omitempty"`
}

func writeJSON(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// maxShownReason keeps a line of a table on a terminal.
const maxShownReason = 60

func listLetters(out io.Writer, letters []deadletter.Letter) error {
	if len(letters) == 0 {
		_, err := fmt.Fprintln(out, "no dead letters")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSTATE\tCONSUMER\tTOPIC\tTYPE\tUSER\tATTEMPTS\tLAST SEEN\tREASON")
	for _, l := range letters {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s: %s\n", l.ID, l.State, l.Consumer, l.Topic, printable(dash(l.EventType)), printable(dash(l.UserID)),
			l.Attempts, l.LastSeen.Format(time.DateTime), l.Kind, printable(shortened(l.Reason)))
	}
	return w.Flush()
}

func showLetter(out io.Writer, l deadletter.Letter) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	at := func(name string, t *time.Time) {
		if t != nil {
			line(name, t.Format(time.RFC3339Nano))
		}
	}
	line("id", l.ID)
	line("state", string(l.State))
	line("consumer", l.Consumer)
	line("topic", string(l.Topic))
	line("event", l.EventID)
	line("type", printable(l.EventType))
	line("user", printable(l.UserID))
	line("correlation", printable(l.CorrelationID))
	line("reason", l.Kind+": "+printable(l.Reason))
	line("attempts", strconv.Itoa(l.Attempts))
	line("deaths", strconv.Itoa(l.Deaths))
	at("first seen", &l.FirstSeen)
	at("last seen", &l.LastSeen)
	at("died", l.DiedAt)
	at("retried", l.RetriedAt)
	at("handled", l.HandledAt)
	at("discarded", l.DiscardedAt)
	line("place", l.Place)
	if why := l.CannotRetry(); why != "" {
		line("retry", "not possible: "+why)
	} else {
		line("retry", "taskflow dlq retry "+l.ID)
	}
	if err := w.Flush(); err != nil || l.Record == nil {
		return err
	}
	text := "record, in base64:\n" + base64.StdEncoding.EncodeToString(l.Record)
	if utf8.Valid(l.Record) {
		text = "record:\n" + printable(string(l.Record))
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

// printable is text that came from anybody, without what would drive a terminal.
func printable(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsGraphic(r) }) || !utf8.ValidString(text) {
		return strconv.QuoteToGraphic(text)
	}
	return text
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func shortened(text string) string {
	if runes := []rune(text); len(runes) > maxShownReason {
		return string(runes[:maxShownReason-1]) + "…"
	}
	return text
}
