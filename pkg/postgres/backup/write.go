package backup

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
)

// Write writes a backup of the schema that the URL's search_path leads to, as of one moment, while everybody works on. The role
// must be allowed to read every table. errs.Invalid if the schema is not migrated or a newer version's, errs.Unavailable if the
// database does not answer.
func Write(ctx context.Context, url string, to io.Writer, progress Progress) (Rows, error) {
	schema, err := postgres.SchemaOf(ctx, url)
	if err != nil {
		return nil, err
	}
	if schema.At != schema.Expected {
		return nil, errs.New(errs.Invalid, "the database is at migration %d and this version's last is %d: back up with the version that runs on it", schema.At, schema.Expected)
	}
	conn, err := connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()

	sum := sha256.New()
	file := bufio.NewWriterSize(to, 256<<10)
	out := io.MultiWriter(file, sum)
	if _, err := fmt.Fprintf(out, "%s %d\n", title, Format); err != nil {
		return nil, err
	}
	compressed, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	w := &writer{out: compressed, rows: Rows{}, progress: progress}
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		return w.all(ctx, tx, schema.At)
	})
	if err != nil {
		return nil, postgres.Failure(err)
	}
	if err := compressed.Close(); err != nil {
		return nil, err
	}
	_, err = file.Write(sum.Sum(nil))
	return w.rows, errors.Join(err, file.Flush())
}

// connect is a connection of plain statements, without a limit of time: a table may be large.
func connect(ctx context.Context, url string) (*pgx.Conn, error) {
	c, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errs.New(errs.Invalid, "the database's URL is not one of Postgres")
	}
	c.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(ctx, c)
	return conn, postgres.Failure(err)
}

// plain is how values are written and read, whatever the role's settings.
var plain = []string{
	"SET LOCAL statement_timeout = 0", "SET LOCAL lock_timeout = '1min'", "SET LOCAL idle_in_transaction_session_timeout = 0",
	"SET LOCAL timezone = 'UTC'", "SET LOCAL datestyle = 'ISO'", "SET LOCAL bytea_output = 'hex'", "SET LOCAL extra_float_digits = 1",
}

func execute(ctx context.Context, tx pgx.Tx, statements ...string) error {
	for _, s := range statements {
		if _, err := tx.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

type writer struct {
	out      io.Writer
	rows     Rows
	progress Progress
	table    string
}

func (w *writer) line(of any) error {
	text, err := json.Marshal(of)
	if err == nil {
		_, err = w.out.Write(append(text, '\n'))
	}
	return err
}

func (w *writer) all(ctx context.Context, tx pgx.Tx, schema int64) error {
	if err := execute(ctx, tx, plain...); err != nil {
		return err
	}
	h := Header{Schema: schema}
	if err := tx.QueryRow(ctx, "SELECT now()").Scan(&h.At); err != nil {
		return err
	}
	h.At = h.At.UTC()
	if err := w.line(h); err != nil {
		return err
	}
	for _, table := range tables {
		columns, err := columnsOf(ctx, tx, table)
		if err != nil {
			return err
		}
		if err := w.line(section{table, columns}); err != nil {
			return err
		}
		w.table, w.rows[table] = table, 0
		chunks := bufio.NewWriterSize(w, maxChunk/4)
		if _, err := tx.Conn().PgConn().CopyTo(ctx, chunks, "COPY "+table+" "+list(columns)+" TO STDOUT"); err != nil {
			return err
		}
		if err := chunks.Flush(); err != nil {
			return err
		}
		if _, err := io.WriteString(w.out, "0\n"); err != nil {
			return err
		}
	}
	return w.line(trailer{w.rows})
}

// Write writes rows as COPY gives them, as a chunk.
func (w *writer) Write(rows []byte) (int, error) {
	for part := range slices.Chunk(rows, maxChunk) {
		if _, err := fmt.Fprintf(w.out, "%d\n", len(part)); err != nil {
			return 0, err
		}
		if _, err := w.out.Write(part); err != nil {
			return 0, err
		}
		w.rows[w.table] += int64(bytes.Count(part, []byte{'\n'})) // one at the end of a row, and nowhere else
	}
	if w.progress != nil {
		w.progress(w.table, w.rows.Total())
	}
	return len(rows), nil
}

// list is columns as SQL has them; some have names that mean something there.
func list(columns []string) string {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = pgx.Identifier{c}.Sanitize()
	}
	return "(" + strings.Join(quoted, ", ") + ")"
}

// columnsOf lists a table's columns but for those that the database computes.
func columnsOf(ctx context.Context, tx pgx.Tx, table string) ([]string, error) {
	rows, err := tx.Query(ctx, `SELECT attname::text FROM pg_attribute
		WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`, table)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
