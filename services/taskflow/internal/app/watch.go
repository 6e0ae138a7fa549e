package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/auth"
	"github.com/taskflow-suite/taskflow/pkg/stack"

	"github.com/taskflow-suite/taskflow/services/internal/client"
)

func watch(p *places) *cobra.Command {
	var origin string
	since := int64(-1)
	cmd := &cobra.Command{
		Use:   "watch USER",
		Short: "Print a user's WebSocket frames as they come",
		Long: "Print a user's WebSocket frames as they come, one a line, as an open browser window gets them, until\n" +
			"Ctrl-C. It signs a development token as `taskflow token` does.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.as(args[0], origin)
			if err != nil {
				return err
			}
			conn, err := c.Connect(cmd.Context(), since)
			if err != nil {
				return err
			}
			defer conn.Close()
			stop := context.AfterFunc(cmd.Context(), func() { _ = conn.Close() })
			defer stop()
			for {
				frame, err := conn.Read()
				if cmd.Context().Err() != nil || errors.Is(err, net.ErrClosed) {
					return nil
				}
				if err != nil {
					return fmt.Errorf("the connection ended: %w", err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s\n", frame)
			}
		},
	}
	cmd.Flags().StringVar(&origin, "origin", "", "`URL` of TaskFlow (default the local stack's)")
	cmd.Flags().Int64Var(&since, "since", -1, "first deliver what came after this `sequence`")
	return cmd
}

// as is a client of a user, with a development token, at an origin or else at the local stack's.
func (p *places) as(userID, origin string) (*client.Client, error) {
	secret, err := p.secret()
	if err != nil {
		return nil, err
	}
	if origin == "" {
		if origin, err = p.origin(); err != nil {
			return nil, err
		}
	}
	raw, err := auth.Mint(secret, userID, 24*time.Hour)
	if err != nil {
		return nil, err
	}
	return &client.Client{
		API: origin, WS: "ws" + strings.TrimPrefix(origin, "http"), UserID: userID, Token: raw, HTTP: client.NewHTTP(1, 3*time.Minute),
	}, nil
}

// secret is the key development tokens are signed with.
func (p *places) secret() (string, error) { return p.kept("JWT_SECRET", stack.JWTSecret) }

// kept is a secret of the environment, or else of the local stack.
func (p *places) kept(name string, of func(dir string) (string, error)) (string, error) {
	if v := os.Getenv(name); v != "" {
		return v, nil
	}
	dir, err := p.state()
	if err != nil {
		return "", fmt.Errorf("set %s: %w", name, err)
	}
	return of(dir)
}

// origin is the local stack's base URL.
func (p *places) origin() (string, error) {
	dir, err := p.state()
	if err != nil {
		return "", err
	}
	info, err := stack.Find(dir)
	return info.Origin, err
}
