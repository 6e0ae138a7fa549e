package app

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
)

func migrate(p *places) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to what this version expects",
		Long: "Bring the database to what this version expects: run it before a new version's services start. It is\n" +
			"safe to run again and from several places at once; it only ever goes forward.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			url, err := p.database()
			if err != nil {
				return err
			}
			n, err := postgres.Migrate(cmd.Context(), url)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d migrations applied; the database is up to date\n", n)
			return nil
		},
	}
}
