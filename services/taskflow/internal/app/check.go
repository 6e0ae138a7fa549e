package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/services/taskflow/internal/check"
)

func checkCommand() *cobra.Command {
	var o check.Options
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "check --origin URL",
		Short: "Try an installation as somebody new",
		Long: "Try an installation as somebody new: sign up, open the WebSocket, create a task, see its frame, ask the agent if\n" +
			"--chat says where it is, complete and delete the task, and delete the account, which it does in any case. It\n" +
			"prints how long each step took, and ends with an error that names the door that failed and what to look at.\n\n" +
			"--origin is the address people use (PUBLIC_URL). The other addresses are that one unless they are given, as\n" +
			"inside a cluster, where each service has its own. Sign-ups of one address are limited (3 in 10 s).",
		Example: "  taskflow check --origin https://tasks.example.org --chat https://tasks.example.org\n" +
			"  taskflow check --origin https://tasks.example.org --web http://web --api http://task-api --ws http://notifier",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, address := range []struct {
				flag  string
				value *string
			}{{"--origin", &o.Origin}, {"--web", &o.Web}, {"--api", &o.API}, {"--ws", &o.WS}, {"--chat", &o.Chat}} {
				if *address.value == "" && address.flag != "--chat" {
					*address.value = o.Origin
				}
				if err := baseURL(address.value); err != nil && *address.value != "" {
					return fmt.Errorf("%s: %w", address.flag, err)
				}
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			o.Out = cmd.OutOrStdout()
			if err := check.Run(ctx, o); err != nil {
				return err
			}
			fmt.Fprintln(o.Out, "all is well")
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Origin, "origin", "", "`URL` people use (required)")
	flags.StringVar(&o.Web, "web", "", "`URL` of web (default --origin)")
	flags.StringVar(&o.API, "api", "", "`URL` of task-api (default --origin)")
	flags.StringVar(&o.WS, "ws", "", "`URL` of notifier, http://… or ws://… (default --origin)")
	flags.StringVar(&o.Chat, "chat", "", "`URL` of chat-agent (default: the agent is not asked)")
	flags.DurationVar(&timeout, "timeout", time.Minute, "how long it may take; deleting the account has 20 s more")
	_ = cmd.MarkFlagRequired("origin")
	return cmd
}

// baseURL checks an address and takes a slash from its end.
func baseURL(address *string) error {
	u, err := url.Parse(*address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "ws" && u.Scheme != "wss") {
		return errors.New("expected an address such as http://localhost:8080")
	}
	*address = strings.TrimRight(*address, "/")
	return nil
}
