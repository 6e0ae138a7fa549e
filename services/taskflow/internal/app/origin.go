package app

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/stack"
)

func origin() *cobra.Command {
	var listen string
	var at map[string]string
	cmd := &cobra.Command{
		Use:   "origin",
		Short: "Serve one origin in front of services that run elsewhere",
		Long: "Serve one origin in front of services that run elsewhere, with the routes that an Ingress has: for a cluster\n" +
			"or a compose project without one. Each app is looked for at its name on port 80 unless --at says otherwise.\n" +
			"It speaks plain HTTP and is for trying out; give people an Ingress with TLS.",
		Example: "  taskflow origin --listen :8080\n  taskflow origin --at task-api=localhost:18080 --at web=localhost:18160",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			apps := map[string]string{}
			for _, r := range stack.Routes() {
				apps[r.App] = net.JoinHostPort(r.App, "80")
			}
			for app, addr := range at {
				if _, known := apps[app]; !known {
					return fmt.Errorf("--at %s: no path of the origin leads to it; there are %s", app, strings.Join(routed(), ", "))
				}
				if _, _, err := net.SplitHostPort(addr); err != nil {
					return fmt.Errorf("--at %s=%s is not host:port", app, addr)
				}
				apps[app] = addr
			}
			var config net.ListenConfig
			listener, err := config.Listen(cmd.Context(), "tcp", listen)
			if err != nil {
				return fmt.Errorf("listen on %s: %w", listen, err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "serving at %s\n", listener.Addr())
			return stack.Front{Apps: apps, Log: func(format string, args ...any) {
				fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...)
			}}.Serve(cmd.Context(), listener)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", ":8080", "`address` to listen on")
	cmd.Flags().StringToStringVar(&at, "at", nil, "where an app is, `app=host:port`; repeatable")
	return cmd
}

// routed lists the apps that paths lead to.
func routed() []string {
	var apps []string
	for _, r := range stack.Routes() {
		apps = append(apps, r.App)
	}
	slices.Sort(apps)
	return slices.Compact(apps)
}
