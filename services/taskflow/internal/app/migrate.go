package app

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
)

func migrate(p *places) *cobra.Command {
	var withRoles bool
	var prefix string
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to what this version expects",
		Long: "Bring the database to what this version expects: run it before a new version's services start. It is\n" +
			"safe to run again and from several places at once; it only ever goes forward. A database that a newer version\n" +
			"has migrated is left as it is: this version works with it. Behind a pooler in transaction mode (Neon:\n" +
			"the host with -pooler) set DATABASE_POOLER=true; a large database is better migrated without.\n\n" +
			"With --roles it then gives every service a database role of its own, as `taskflow roles apply` does with the\n" +
			"passwords of the environment (" + passwordVariable("task-api") + " and so on).",
		Example: "  DATABASE_URL=postgres://… taskflow migrate\n  DATABASE_URL=postgres://… " + passwordVariable("notifier") + "=… taskflow migrate --roles",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			url, err := p.database()
			if err != nil {
				return err
			}
			c := postgres.At(url)
			c.Pooler = os.Getenv("DATABASE_POOLER") == "true"
			n, err := postgres.MigrateWith(cmd.Context(), c)
			if err != nil {
				return err
			}
			schema, err := postgres.SchemaOf(cmd.Context(), url)
			if err != nil {
				return err
			}
			state := "up to date"
			if schema.Newer() {
				state = fmt.Sprintf("newer than this version (migration %d, this version's last is %d), which works with it", schema.At, schema.Expected)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d migrations applied; the database is %s\n", n, state)
			if !withRoles {
				return nil
			}
			err = applyRoles(cmd, url, prefix, "")
			if errs.Is(err, errs.Denied) {
				err = fmt.Errorf("%w; without --roles (the chart's database.roles=false) all services log in as the owner", err)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&withRoles, "roles", false, "give every service its role, too")
	rolePrefix(cmd.Flags(), &prefix)
	return cmd
}
