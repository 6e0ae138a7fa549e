package app

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func env(p *places) *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: "Print the settings with which a service joins the local stack",
		Long: "Print the settings with which a service joins the local stack, for a shell:\n\n" +
			"  eval \"$(go run ./services/taskflow env)\"\n\n" +
			"They hold secrets of the local stack, which are good for nothing else.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			database, err := p.database()
			if err != nil {
				return err
			}
			brokers, err := p.brokerList()
			if err != nil {
				return err
			}
			secret, err := p.secret()
			if err != nil {
				return err
			}
			for _, setting := range [][2]string{{"DATABASE_URL", database}, {"KAFKA_BROKERS", brokers}, {"JWT_SECRET", secret}} {
				fmt.Fprintf(cmd.OutOrStdout(), "export %s=%s\n", setting[0], quoted(setting[1]))
			}
			return nil
		},
	}
}

// quoted is text as one word of a POSIX shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
