package app

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/auth"
)

func token(p *places) *cobra.Command {
	var ttl time.Duration
	cmd := &cobra.Command{
		Use:   "token USER",
		Short: "Print a development token for a user",
		Long: "Print a development token (JWT, HS256) for a user, signed with $JWT_SECRET or else with the secret of the\n" +
			"local stack. People sign in on the web page; this is for curl, scripts and tests.",
		Example: `  curl -H "Authorization: Bearer $(taskflow token alice)" localhost:8080/api/alice/tasks`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			secret, err := p.secret()
			if err != nil {
				return err
			}
			raw, err := auth.Mint(secret, args[0], ttl)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), raw)
			return nil
		},
	}
	cmd.Flags().DurationVar(&ttl, "ttl", 7*24*time.Hour, "how long the token is valid")
	return cmd
}
