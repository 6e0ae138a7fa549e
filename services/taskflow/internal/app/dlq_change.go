package app

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/deadletter"
)

func dlqRetry(p *places) *cobra.Command {
	var s selection
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "retry [ID…]",
		Short: "Send dead letters again",
		Long: "Send dead letters again, once their cause is gone: their events are put into the outbox with the ids they had,\n" +
			"and running services publish them. Who has handled one knows it by its id. What the event log does not have\n" +
			"cannot be sent again: forged events, records that are no event, and requests to the agent's tools, which expire.\n" +
			"Flags select dead ones only; an id also selects what was sent before or was discarded.",
		Example:           "  taskflow dlq retry 0192f0c0-…\n  taskflow dlq retry --consumer scheduler --kind unavailable --since 2h --dry-run",
		ValidArgsFunction: letterIDs(p, deadletter.Dead, deadletter.Retried, deadletter.Discarded),
		RunE: func(cmd *cobra.Command, ids []string) error {
			f, err := s.changing(cmd, ids)
			if err != nil {
				return err
			}
			db, err := p.open(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			store := deadletter.NewStore(db)
			if err := allThere(cmd.Context(), store, ids); err != nil {
				return err
			}
			sent, err := store.Retry(cmd.Context(), f, dryRun, func(n int) { fmt.Fprintf(cmd.ErrOrStderr(), "\r%d dead letters", n) })
			if sent.Letters > 0 && !dryRun {
				fmt.Fprintln(cmd.ErrOrStderr())
			}
			if err != nil {
				return err
			}
			if s.output == "json" {
				return writeJSON(cmd.OutOrStdout(), map[string]any{
					"letters": sent.Letters, "events": sent.Events, "cannot_retry": sent.Left, "dry_run": dryRun,
				})
			}
			does := "are sent again"
			if dryRun {
				does = "would be sent again"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d dead letters %s, as %d events\n", sent.Letters, does, sent.Events)
			if sent.Left > 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "%d cannot be sent again; `%s show ID` says why\n", sent.Left, cmd.Parent().CommandPath())
			}
			return nil
		},
	}
	flags := s.flags(cmd)
	flags.BoolVar(&s.all, "all", false, "all dead letters")
	flags.BoolVar(&dryRun, "dry-run", false, "only count them")
	return cmd
}

func dlqDiscard(p *places) *cobra.Command {
	var s selection
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "discard [ID…]",
		Short: "Set dead letters aside",
		Long: "Set dead letters aside: nothing is to be done about them. They are no longer counted, and their records are\n" +
			"forgotten; what is known of them stays for 90 days. One that dies again is a dead letter again. Flags select\n" +
			"dead ones only; an id also selects what was sent again.",
		Example:           "  taskflow dlq discard 0192f0c0-…\n  taskflow dlq discard --consumer mcp-tools --until 24h --dry-run",
		ValidArgsFunction: letterIDs(p, deadletter.Dead, deadletter.Retried),
		RunE: func(cmd *cobra.Command, ids []string) error {
			f, err := s.changing(cmd, ids)
			if err != nil {
				return err
			}
			db, err := p.open(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			store := deadletter.NewStore(db)
			if err := allThere(cmd.Context(), store, ids); err != nil {
				return err
			}
			n, err := store.Discard(cmd.Context(), f, dryRun)
			if err != nil {
				return err
			}
			if s.output == "json" {
				return writeJSON(cmd.OutOrStdout(), map[string]any{"letters": n, "dry_run": dryRun})
			}
			does := "are set aside"
			if dryRun {
				does = "would be set aside"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d dead letters %s\n", n, does)
			return nil
		},
	}
	flags := s.flags(cmd)
	flags.BoolVar(&s.all, "all", false, "all dead letters")
	flags.BoolVar(&dryRun, "dry-run", false, "only count them")
	return cmd
}

// allThere looks before anything is changed: an id that is not there is a mistake.
func allThere(ctx context.Context, store *deadletter.Store, ids []string) error {
	for _, id := range ids {
		if _, err := store.Named(ctx, id); err != nil {
			return err
		}
	}
	return nil
}
