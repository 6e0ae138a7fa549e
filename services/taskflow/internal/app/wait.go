package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/topics"
)

func wait(p *places) *cobra.Command {
	var database, brokerTopics bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "wait [--database] [--topics]",
		Short: "Wait until what a service needs is there",
		Long: "Wait until what a service of this version needs is there: a database that is migrated at least as far as this\n" +
			"version expects (further is fine), and every topic with its partitions. It says what it waits for, changes\n" +
			"nothing, and ends with an error when the time is over. In Kubernetes it runs before a service in its pod.",
		Example: "  taskflow wait --database --topics\n  DATABASE_URL=postgres://… taskflow wait --database --timeout 10m",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !database && !brokerTopics {
				return errors.New("name what to wait for: --database, --topics or both")
			}
			var needs []need
			if database {
				url, err := p.database()
				if err != nil {
					return err
				}
				needs = append(needs, migrated(url))
			}
			if brokerTopics {
				brokers, access, err := p.broker()
				if err != nil {
					return err
				}
				needs = append(needs, made(brokers, access))
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			for _, n := range needs {
				if err := n.await(ctx, cmd.OutOrStdout()); err != nil {
					return err
				}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&database, "database", false, "wait for the database, migrated")
	flags.BoolVar(&brokerTopics, "topics", false, "wait for the broker with its topics")
	flags.DurationVar(&timeout, "timeout", 5*time.Minute, "how long to wait for all together")
	return cmd
}

// need is one thing to wait for.
type need struct {
	name string
	// ask says how it is when it is there, or why it is not yet. errs.Invalid is for what waiting cannot mend.
	ask func(ctx context.Context) (string, error)
}

const (
	// firstPause and longestPause are between two attempts, attempt bounds one of them.
	firstPause   = 250 * time.Millisecond
	longestPause = 5 * time.Second
	attempt      = 10 * time.Second
	// repeat is after how long the same reason is told once more.
	repeat = 10 * time.Second
)

// await asks until the need is met. It tells out why not, when the reason changes and every ten seconds.
func (n need) await(ctx context.Context, out io.Writer) error {
	var told string
	var last time.Time
	began := time.Now()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		trying, cancel := context.WithTimeout(ctx, attempt)
		state, err := n.ask(trying)
		cancel()
		if err == nil {
			fmt.Fprintf(out, "%s: %s\n", n.name, state)
			return nil
		}
		if errs.Is(err, errs.Invalid) {
			return err
		}
		// A cause may be worded anew each time (ports, clocks); what it means is not.
		if reason := meaning(err); ctx.Err() == nil && (reason != told || time.Since(last) >= repeat) {
			fmt.Fprintf(out, "waiting for %s: %s\n", n.name, oneLine(err))
			told, last = reason, time.Now()
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
			continue
		case <-ctx.Done():
			timer.Stop()
		}
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			// Not the context's own error, with which a program that was told to stop ends well: nothing is there yet.
			return fmt.Errorf("stopped while waiting for %s", n.name)
		}
		if told == "" {
			told = oneLine(err)
		}
		return fmt.Errorf("waited %s for %s in vain: %s", time.Since(began).Round(time.Second), n.name, told)
	}
}

// meaning is what an error says without its cause, or all of it if it has no kind.
func meaning(err error) string {
	if text := errs.Text(err); text != "" {
		return text
	}
	return oneLine(err)
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// migrated is a database that is at least where this version expects it.
func migrated(url string) need {
	return need{"the database", func(ctx context.Context) (string, error) {
		s, err := postgres.SchemaOf(ctx, url)
		switch {
		case errs.Is(err, errs.Unavailable):
			return "", errs.Because(err, errs.Unavailable, "it does not answer: check DATABASE_URL, and that the way there is open")
		case err != nil:
			return "", err
		case s.Pending > 0:
			return "", errs.New(errs.NotFound, "it is at migration %d of %d: run `taskflow migrate` of this version, or look at the log of the one that runs", s.At, s.Expected)
		case s.Newer():
			return fmt.Sprintf("at migration %d, newer than this version's %d", s.At, s.Expected), nil
		}
		return fmt.Sprintf("at migration %d", s.At), nil
	}}
}

// made is a broker with the topics of the contract.
func made(brokers []string, access topics.Access) need {
	return need{"the topics", func(ctx context.Context) (string, error) {
		missing, err := topics.Missing(ctx, brokers, access)
		if err != nil {
			return "", err
		}
		if len(missing) > 0 {
			return "", errs.New(errs.NotFound, "%s missing: run `taskflow topics apply`, or look at the log of the one that runs", strings.Join(missing, ", "))
		}
		return "all there", nil
	}}
}
