package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/kafka"
	"github.com/taskflow-suite/taskflow/pkg/topics"
)

const rightsHelp = "Each service has a user of its own, named like the service unless KAFKA_USERNAME_TASK_API and so on say otherwise;\n" +
	"the operator, who runs `taskflow topics apply`, `events` and `lag`, is the user taskflow (KAFKA_USERNAME_TASKFLOW). "

func aclsCommand(p *places) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "acls",
		Short: "What each service may do at the broker, as the contract says",
		Long:  rightsHelp + "\nWhat they may do follows from the topics of the contract.",
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "list",
			Short: "Print the rights that the contract asks for, without asking the broker",
			Args:  cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				users, err := topics.UsersFromEnv(os.LookupEnv)
				if err != nil {
					return err
				}
				return sayACLs(cmd.OutOrStdout(), "", topics.ACLs(users))
			},
		},
		&cobra.Command{
			Use:   "apply",
			Short: "Give the users what the contract says, and take what it does not say",
			Long: rightsHelp + "\nIt gives each what is missing and takes from each what its role does not need. Users it does not know keep\n" +
				"what they have, and are named. Run it as somebody who may alter the cluster. It is safe to run again.",
			Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				brokers, access, users, err := p.brokerAndUsers()
				if err != nil {
					return err
				}
				return topics.ApplyACLs(cmd.Context(), brokers, access, users, cmd.OutOrStdout())
			},
		},
		&cobra.Command{
			Use:   "check",
			Short: "Compare the broker's rights with the contract; fails if they differ",
			Long:  rightsHelp + "\nIt asks only. Run it as somebody who may describe the cluster.",
			Args:  cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				brokers, access, users, err := p.brokerAndUsers()
				if err != nil {
					return err
				}
				found, err := topics.CheckACLs(cmd.Context(), brokers, access, users)
				if err != nil {
					return err
				}
				return sayFindings(cmd.OutOrStdout(), found)
			},
		},
	)
	return cmd
}

// brokerAndUsers is where the broker is and how to get in, and whom the environment names for the roles.
func (p *places) brokerAndUsers() ([]string, kafka.Access, []topics.User, error) {
	brokers, access, err := p.broker()
	if err != nil {
		return nil, kafka.Access{}, nil, err
	}
	users, err := topics.UsersFromEnv(os.LookupEnv)
	return brokers, access, users, err
}

func sayACLs(out io.Writer, before string, acls []topics.ACL) error {
	for _, a := range acls {
		if _, err := fmt.Fprintf(out, "%s%s\n", before, a); err != nil {
			return err
		}
	}
	return nil
}

func sayFindings(out io.Writer, f topics.Findings) error {
	err := errors.Join(
		sayACLs(out, "missing: ", f.Missing),
		sayACLs(out, "not needed: ", f.Surplus),
		sayACLs(out, "nobody of ours: ", f.Strangers),
	)
	if err != nil {
		return err
	}
	if f.Others > 0 {
		fmt.Fprintf(out, "%d rights to other things were not looked at\n", f.Others)
	}
	if !f.Clean() {
		return errors.New("the broker's rights are not those of the contract: `taskflow topics acls apply` gives and takes, `taskflow topics users remove` takes all of a user's")
	}
	fmt.Fprintln(out, "the rights are as they should be")
	return nil
}

func usersCommand(p *places) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "users",
		Short: "Whom the broker lets in",
		Long:  rightsHelp + "\nPasswords come from the environment (KAFKA_PASSWORD_TASK_API and so on) and are never printed.",
	}
	var only []string
	apply := &cobra.Command{
		Use:   "apply",
		Short: "Make the broker let the users in with the passwords of the environment",
		Long: rightsHelp + "\nIt makes a user, or changes a user's password, for each of the variables KAFKA_PASSWORD_TASK_API and so on that\n" +
			"is set; passwords have 12 characters or more. What is connected stays connected. Then `taskflow topics acls\n" +
			"apply` says what they may do. To change a password without a failed login, make a second user: docs/brokers.md.",
		Example: "  KAFKA_USERNAME_NOTIFIER=notifier-b KAFKA_PASSWORD_NOTIFIER=… taskflow topics users apply --only notifier",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			brokers, access, users, err := p.brokerAndUsers()
			if err != nil {
				return err
			}
			for _, role := range only {
				if !slices.Contains(topics.Roles(), role) {
					return fmt.Errorf("--only %s: there are %s", role, strings.Join(topics.Roles(), ", "))
				}
			}
			users = slices.DeleteFunc(users, func(u topics.User) bool { return len(only) > 0 && !slices.Contains(only, u.Role) })
			return topics.ApplyUsers(cmd.Context(), brokers, access, users, cmd.OutOrStdout())
		},
	}
	apply.Flags().StringSliceVar(&only, "only", nil, "only the users of these `services`, comma separated")
	cmd.AddCommand(apply,
		&cobra.Command{
			Use:   "list",
			Short: "Name whom the broker lets in",
			Args:  cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				brokers, access, err := p.broker()
				if err != nil {
					return err
				}
				names, err := topics.ListUsers(cmd.Context(), brokers, access)
				for _, n := range names {
					fmt.Fprintln(cmd.OutOrStdout(), n)
				}
				return err
			},
		},
		&cobra.Command{
			Use:   "remove NAME",
			Short: "Take a user's login and all of the user's rights",
			Long: "Take a user's login and all of the user's rights, at once also for connections that are open: be sure that nobody\n" +
				"uses the login any more.",
			Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				brokers, access, err := p.broker()
				if err != nil {
					return err
				}
				return topics.RemoveUser(cmd.Context(), brokers, access, args[0], cmd.OutOrStdout())
			},
		},
	)
	return cmd
}
