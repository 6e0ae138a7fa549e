package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/event"

	"github.com/taskflow-suite/taskflow/services/internal/client"
)

func chat(p *places) *cobra.Command {
	var origin, conversation string
	cmd := &cobra.Command{
		Use:   "chat USER [MESSAGE]",
		Short: "Talk to the agent as a user",
		Long: "Talk to the agent as a user: one message, or, without one, line by line until the end of the input. The\n" +
			"answer is printed as it comes, with the tools the agent calls. What needs the user's approval is asked for;\n" +
			"\"yes\" and \"no\" are understood. It signs a development token as `taskflow token` does.",
		Example: "  taskflow chat alice add buy milk tomorrow at 5pm\n  taskflow chat alice",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.as(args[0], origin)
			if err != nil {
				return err
			}
			if conversation == "" {
				conversation = event.NewID()
			}
			t := &talk{client: c, conversation: conversation, out: cmd.OutOrStdout(), colour: onTerminal(cmd.OutOrStdout())}
			if len(args) > 1 {
				return t.say(cmd.Context(), strings.Join(args[1:], " "))
			}
			return t.listen(cmd.Context(), cmd.InOrStdin(), onTerminal(cmd.InOrStdin()))
		},
	}
	cmd.Flags().StringVar(&origin, "origin", "", "`URL` of TaskFlow (default the local stack's)")
	cmd.Flags().StringVar(&conversation, "conversation", "", "`id` of a conversation to go on with")
	return cmd
}

// talk is one conversation on a terminal, or in a pipe.
type talk struct {
	client       *client.Client
	conversation string
	out          io.Writer
	colour       bool
}

func (t *talk) listen(ctx context.Context, in io.Reader, prompt bool) error {
	lines := bufio.NewScanner(in)
	for {
		if prompt {
			fmt.Fprint(t.out, "> ")
		}
		if !lines.Scan() {
			return lines.Err()
		}
		message := strings.TrimSpace(lines.Text())
		if message == "" {
			continue
		}
		if err := t.say(ctx, message); err != nil {
			var status *client.Status
			if !errors.As(err, &status) || ctx.Err() != nil {
				return err
			}
			// The agent is busy or away; the next line may find it.
			fmt.Fprintln(t.out, err)
		}
	}
}

// say sends a message and prints the answer's parts as they come.
func (t *talk) say(ctx context.Context, message string) error {
	open := false // a line of text
	var failed error
	err := t.client.Stream(ctx, client.Said{ConversationID: t.conversation, Message: message}, func(kind string, raw json.RawMessage) {
		var part struct {
			Delta     string `json:"delta"`
			ToolName  string `json:"toolName"`
			ErrorText string `json:"errorText"`
		}
		_ = json.Unmarshal(raw, &part) // what does not fit prints nothing
		switch kind {
		case "text-delta":
			fmt.Fprint(t.out, part.Delta)
			open = true
		case "text-end":
			fmt.Fprintln(t.out)
			open = false
		case "tool-input-available":
			t.aside(part.ToolName)
		case "tool-output-error":
			t.aside(part.ErrorText)
		case "error":
			failed = errors.New(part.ErrorText)
		}
	})
	if open {
		fmt.Fprintln(t.out)
	}
	return errors.Join(err, failed)
}

// aside prints what is not the agent's word.
func (t *talk) aside(text string) {
	if t.colour {
		fmt.Fprintf(t.out, "\x1b[2m· %s\x1b[0m\n", text)
		return
	}
	fmt.Fprintf(t.out, "· %s\n", text)
}

// onTerminal tells whether a person is at the other end.
func onTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && isatty.IsTerminal(f.Fd()) && os.Getenv("NO_COLOR") == ""
}
