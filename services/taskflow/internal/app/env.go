package app

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/stack"
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
			mcp, err := p.kept("MCP_SECRET", stack.MCPSecret)
			if err != nil {
				return err
			}
			auth, err := p.kept("BETTER_AUTH_SECRET", stack.AuthSecret)
			if err != nil {
				return err
			}
			settings := []string{
				"DATABASE_URL=" + database, "STATE_DATABASE_URL=" + database, "KAFKA_BROKERS=" + brokers,
				"JWT_SECRET=" + secret, "MCP_SECRET=" + mcp, "BETTER_AUTH_SECRET=" + auth,
			}
			// A stack that does not run has no origin and no model to tell of.
			if dir, err := p.state(); err == nil {
				if info, err := stack.Find(dir); err == nil {
					settings = append(append(settings, "PUBLIC_URL="+info.Origin), info.Model...)
				}
			}
			for _, setting := range settings {
				name, value, _ := strings.Cut(setting, "=")
				fmt.Fprintf(cmd.OutOrStdout(), "export %s=%s\n", name, quoted(value))
			}
			return nil
		},
	}
}

// quoted is text as one word of a POSIX shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
