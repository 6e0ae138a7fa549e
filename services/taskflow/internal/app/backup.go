package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/backup"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
)

func backupCommand(p *places) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Write everything into one file, as of one moment, while everybody works on",
		Long: "Write everything into one file, as of one moment, while everybody works on: the event log with its chain of hashes, and the\n" +
			"tables beside it. It holds what people wrote: keep it as you keep the database. FILE must not exist; - is the\n" +
			"standard output. The tables of the page's sign-in (schema auth) are not in it: pg_dump --schema auth.",
		Example: "  taskflow backup taskflow-$(date +%F).backup",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			url, err := p.database()
			if err != nil {
				return err
			}
			began := time.Now()
			var rows backup.Rows
			write := func(to io.Writer) (err error) {
				rows, err = backup.Write(cmd.Context(), url, to, showRows(cmd))
				fmt.Fprintln(cmd.ErrOrStderr())
				return err
			}
			if args[0] == "-" {
				return write(cmd.OutOrStdout())
			}
			if err := writeWhole(args[0], write); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "wrote %d events and %d rows in all to %s in %s\n", rows["events"], rows.Total(), args[0], time.Since(began).Round(time.Millisecond))
			return nil
		},
	}
}

// writeWhole makes a file that is there with all of its content, on the disk, or not at all.
func writeWhole(path string, write func(io.Writer) error) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s exists", path)
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-*") // for its owner only
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if err := errors.Join(write(file), file.Sync(), file.Close()); err != nil {
		return err
	}
	// A link, unlike a new name, does not replace what somebody else put there meanwhile.
	return os.Link(file.Name(), path)
}

func showRows(cmd *cobra.Command) backup.Progress {
	return func(table string, rows int64) {
		fmt.Fprintf(cmd.ErrOrStderr(), "\r%d rows (%s)\x1b[K", rows, table)
	}
}

func restore(p *places) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Fill an empty database with a backup, and prove that it is whole",
		Long: "Fill an empty database with a backup, all of it or nothing, and bring it to what this version expects. Then recompute the\n" +
			"chain of hashes, rebuild the tasks from the events alone, and compare: it ends with an error if anything differs.\n" +
			"The database must be empty, or migrated as far as the backup and without a row. FILE may be -, the standard input.\n" +
			"Afterwards run `taskflow roles apply`, and start the services.",
		Example: "  DATABASE_URL=postgres://… taskflow restore taskflow-2026-11-23.backup",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			url, err := p.database()
			if err != nil {
				return err
			}
			in := cmd.InOrStdin()
			if args[0] != "-" {
				file, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer file.Close()
				in = file
			}
			header, rows, err := backup.Restore(cmd.Context(), url, bufio.NewReader(in), showRows(cmd))
			fmt.Fprintln(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "restored %d events and %d rows in all, as of %s\n", rows["events"], rows.Total(), header.At.Format(time.RFC3339))
			return compareRestored(cmd, url)
		},
	}
}

// compareRestored holds what was restored against its own log.
func compareRestored(cmd *cobra.Command, url string) error {
	out := cmd.OutOrStdout()
	db, err := postgres.Open(cmd.Context(), postgres.At(url))
	if err != nil {
		return err
	}
	defer db.Close()
	began := time.Now()
	v, err := db.VerifyChains(cmd.Context(), postgres.Chain{})
	if err != nil {
		return err
	}
	flawed := reportChains(out, v, time.Since(began))
	built, err := taskstore.Verify(cmd.Context(), url)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "rebuilt %d tasks and %d series from the events: %d differences\n", built.Tasks, built.Series, len(built.Differences))
	for _, d := range built.Differences {
		fmt.Fprintln(out, "  "+d)
	}
	if n := len(built.Differences); n > 0 {
		return errors.Join(flawed, fmt.Errorf("%d differences between the log and the tables; all rows are as they were backed up", n))
	}
	return flawed
}
