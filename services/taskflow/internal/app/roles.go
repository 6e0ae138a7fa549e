package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/postgres/roles"
)

func rolesCommand(p *places) *cobra.Command {
	var prefix string
	cmd := &cobra.Command{
		Use:   "roles",
		Short: "Give every service a database role of its own",
		Long: "Give every service a database role of its own, which may do what the service does and nothing else: nobody can\n" +
			"change an event, and the notifier only reads. The URL is that of the owner, who runs `taskflow migrate`.",
	}
	rolePrefix(cmd.PersistentFlags(), &prefix)
	cmd.AddCommand(rolesApply(p, &prefix), rolesCheck(p, &prefix), rolesList(&prefix))
	return cmd
}

// rolePrefix is the flag for what the roles' names begin with.
func rolePrefix(flags *pflag.FlagSet, prefix *string) {
	flags.StringVar(prefix, "prefix", roles.DefaultPrefix, "what the roles' names begin with: `text` of a-z, 0-9 and _, one for each installation on a server")
}

func rolesApply(p *places, prefix *string) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Make the roles, or correct what they may do",
		Long: "Make the roles, or correct what they may do. Run it after every `taskflow migrate`.\n\n" +
			"The password of a role is in the variable " + passwordVariable("task-api") + " (and so on), or in a file of the service's name\n" +
			"in --password-dir, such as a mounted Secret. It is never printed, and only its hash is sent. A role without one keeps the\n" +
			"password it has.",
		Example: "  " + passwordVariable("notifier") + "=… taskflow roles apply\n  taskflow roles apply --password-dir /run/secrets/roles",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			url, err := p.database()
			if err != nil {
				return err
			}
			return applyRoles(cmd, url, *prefix, dir)
		},
	}
	cmd.Flags().StringVar(&dir, "password-dir", "", "`directory` with a file for each service that holds its password")
	return cmd
}

// applyRoles makes the roles with the passwords of the environment or of a directory.
func applyRoles(cmd *cobra.Command, url, prefix, dir string) (err error) {
	passwords := map[string]config.Secret{}
	for _, s := range roles.Services() {
		if passwords[s.Name], err = rolePassword(s.Name, dir); err != nil {
			return err
		}
	}
	if err := roles.Apply(cmd.Context(), url, prefix, passwords); err != nil {
		return err
	}
	for _, s := range roles.Services() {
		with := "its password is set"
		if passwords[s.Name].IsZero() {
			with = "its password is as it was"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s may do what %s does; %s\n", roles.RoleName(prefix, s.Name), s.Name, with)
	}
	return nil
}

// passwordVariable is where the password of a service's role is.
func passwordVariable(service string) string {
	return strings.ToUpper(strings.ReplaceAll(service, "-", "_")) + "_DATABASE_PASSWORD"
}

func rolePassword(service, dir string) (config.Secret, error) {
	if dir != "" {
		text, err := os.ReadFile(filepath.Join(dir, service))
		if err == nil {
			return config.NewSecret(strings.TrimRight(string(text), "\r\n")), nil
		}
		if !os.IsNotExist(err) {
			return config.Secret{}, err
		}
	}
	return config.NewSecret(os.Getenv(passwordVariable(service))), nil
}

func rolesCheck(p *places, prefix *string) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Tell what the roles lack, and what they may do too much",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			url, err := p.database()
			if err != nil {
				return err
			}
			differences, err := roles.Check(cmd.Context(), url, *prefix)
			if err != nil {
				return err
			}
			for _, d := range differences {
				fmt.Fprintln(cmd.OutOrStdout(), "  "+d)
			}
			if n := len(differences); n > 0 {
				return fmt.Errorf("%d differences: `taskflow roles apply` corrects what roles may do", n)
			}
			fmt.Fprintln(cmd.OutOrStdout(), "every role may do what its service does, and nothing else")
			return nil
		},
	}
}

func rolesList(prefix *string) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "Show which role may do what with which table",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, s := range roles.Services() {
				fmt.Fprintln(cmd.OutOrStdout(), roles.RoleName(*prefix, s.Name))
				for _, line := range s.Lines() {
					fmt.Fprintln(cmd.OutOrStdout(), "  "+line)
				}
			}
			return nil
		},
	}
}
