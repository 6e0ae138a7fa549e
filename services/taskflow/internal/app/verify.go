package app

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	contract "github.com/taskflow-suite/taskflow/proto"
)

func verify(p *places) *cobra.Command {
	var user, topic, heads, save string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that no event of the log was changed, removed or inserted",
		Long: "Recompute the chain of hashes in which every event rests on the one before, for every user and topic, and name\n" +
			"the first event of each that is not what was written. It ends with an error if there is any. It reads while\n" +
			"others write.\n\n" +
			"Whoever has the password of the database's owner could compute a whole chain anew. Keep the heads elsewhere\n" +
			"(--save-heads), and compare with them later (--heads).",
		Example: "  taskflow verify\n  taskflow verify --user alice --topic tasks.events\n" +
			"  taskflow verify --save-heads heads.jsonl      # later: taskflow verify --heads heads.jsonl",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			c := postgres.Chain{UserID: user}
			if c.Topic, err = topicNamed(topic); err != nil {
				return err
			}
			if heads != "" {
				if c.Saved, err = readHeads(heads); err != nil {
					return err
				}
			}
			if save != "" {
				file, write, openErr := writeHeads(save)
				if openErr != nil {
					return openErr
				}
				defer func() { err = errors.Join(err, file.Close()) }()
				c.Head = write
			}
			db, err := p.open(cmd)
			if err != nil {
				return err
			}
			defer db.Close()
			c.Seen = func(n int) { fmt.Fprintf(cmd.ErrOrStderr(), "\r%d events", n) }
			began := time.Now()
			v, err := db.VerifyChains(cmd.Context(), c)
			fmt.Fprintln(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return reportChains(cmd.OutOrStdout(), v, time.Since(began))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&user, "user", "", "only events of this user")
	flags.StringVar(&topic, "topic", "", "only events of this topic")
	flags.StringVar(&heads, "heads", "", "compare with the heads in this `file`, of an earlier --save-heads")
	flags.StringVar(&save, "save-heads", "", "write the heads of all chains to this `file`, which must not exist")
	_ = cmd.RegisterFlagCompletionFunc("topic", cobra.FixedCompletions(topicNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func reportChains(out io.Writer, v postgres.Verified, took time.Duration) error {
	fmt.Fprintf(out, "verified %d events of %d chains in %s; %d chains begin behind a tombstone\n", v.Events, v.Chains, took.Round(time.Millisecond), v.Erased)
	for _, f := range v.Flaws {
		fmt.Fprintln(out, "  "+f.String())
	}
	if v.Broken > 0 {
		return fmt.Errorf("%d chains are broken", v.Broken)
	}
	fmt.Fprintf(out, "no flaw; the heads together are %s\n", v.Digest)
	return nil
}

// savedHead is a line of a file of heads.
type savedHead struct {
	UserID   string         `json:"user_id"`
	Topic    contract.Topic `json:"topic"`
	Sequence int64          `json:"sequence"`
	Hash     string         `json:"hash"`
}

func writeHeads(path string) (io.Closer, func(postgres.Head) error, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, nil, err
	}
	encoder := json.NewEncoder(file)
	return file, func(h postgres.Head) error {
		return encoder.Encode(savedHead{h.UserID, h.Topic, h.Sequence, hex.EncodeToString(h.Hash)})
	}, nil
}

func readHeads(path string) ([]postgres.Head, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	decoder := json.NewDecoder(bufio.NewReader(file))
	decoder.DisallowUnknownFields()
	var all []postgres.Head
	for {
		var h savedHead
		err := decoder.Decode(&h)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s, after %d heads: %w", path, len(all), err)
		}
		hash, err := hex.DecodeString(h.Hash)
		if err != nil {
			return nil, fmt.Errorf("%s, after %d heads: %w", path, len(all), err)
		}
		all = append(all, postgres.Head{UserID: h.UserID, Topic: h.Topic, Sequence: h.Sequence, Hash: hash})
	}
}
