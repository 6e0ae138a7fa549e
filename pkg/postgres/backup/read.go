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
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/postgres"
)

// Restore fills the schema that the URL's search_path leads to with a backup, and migrates it to what this version expects. All of
// it is there afterwards, or nothing is. The schema must be empty, or migrated as far as the backup and without a row. The role must
// be its owner.
//
// errs.Conflict if it is not empty, errs.Invalid if the stream is no backup, damaged, or a newer version's, errs.Unavailable if the database
// does not answer.
func Restore(ctx context.Context, url string, from io.Reader, progress Progress) (Header, Rows, error) {
	in, err := open(from)
	if err != nil {
		return Header{}, nil, err
	}
	schema, err := postgres.SchemaOf(ctx, url)
	if err != nil {
		return Header{}, nil, err
	}
	switch h := in.header; {
	case h.Schema > schema.Expected:
		return h, nil, errs.New(errs.Invalid, "the backup is of a newer version: its tables are at migration %d, this version's last is %d", h.Schema, schema.Expected)
	case schema.At == 0:
		if err := postgres.MigrateTo(ctx, url, h.Schema); err != nil {
			return h, nil, err
		}
	case schema.At != h.Schema:
		return h, nil, errs.New(errs.Conflict, "the database is at migration %d and the backup at %d: restore into an empty one", schema.At, h.Schema)
	}
	conn, err := connect(ctx, url)
	if err != nil {
		return in.header, nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	l := &loader{in: in, rows: Rows{}, progress: progress}
	if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return l.all(ctx, tx) }); err != nil {
		return in.header, nil, postgres.Failure(err)
	}
	_, err = postgres.Migrate(ctx, url)
	return in.header, l.rows, err
}

// stream is a backup that is read.
type stream struct {
	file   *counted
	plain  *bufio.Reader
	header Header
}

func damaged(why string, args ...any) error {
	return errs.New(errs.Invalid, "the backup is cut off or damaged: %s", fmt.Sprintf(why, args...))
}

func open(from io.Reader) (*stream, error) {
	in := &stream{file: &counted{in: bufio.NewReaderSize(from, 256<<10), sum: sha256.New()}}
	first, err := line(in.file, len(title)+20)
	if err != nil {
		return nil, errs.New(errs.Invalid, "this is no backup of TaskFlow")
	}
	number, ok := strings.CutPrefix(string(first), title+" ")
	format, err := strconv.Atoi(number)
	switch {
	case !ok || err != nil:
		return nil, errs.New(errs.Invalid, "this is no backup of TaskFlow")
	case format != Format:
		return nil, errs.New(errs.Invalid, "the backup has format %d, this version reads %d: restore it with the version that wrote it, or a newer one", format, Format)
	}
	unzipped, err := gzip.NewReader(in.file)
	if err != nil {
		return nil, damaged("%v", err)
	}
	unzipped.Multistream(false)
	in.plain = bufio.NewReaderSize(unzipped, 64<<10)
	return in, in.json(&in.header)
}

func (s *stream) json(into any) error {
	text, err := line(s.plain, maxLine)
	if err != nil {
		return damaged("%v", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return damaged("%v", err)
	}
	return nil
}

// end reads the checksum, behind which there is nothing.
func (s *stream) end() error {
	if _, err := s.plain.ReadByte(); !errors.Is(err, io.EOF) {
		return damaged("it goes on behind its end (%v)", err)
	}
	want := s.file.total()
	got, err := io.ReadAll(io.LimitReader(s.file.in, sha256.Size+1))
	if err != nil || !bytes.Equal(got, want) {
		return damaged("its checksum is another")
	}
	return nil
}

// line reads one line without its end.
func line(in io.ByteReader, most int) ([]byte, error) {
	var text []byte
	for {
		b, err := in.ReadByte()
		if err != nil {
			return nil, err
		}
		if b == '\n' {
			return text, nil
		}
		if text = append(text, b); len(text) > most {
			return nil, errors.New("a line is too long")
		}
	}
}

type loader struct {
	in       *stream
	rows     Rows
	progress Progress
}

func (l *loader) all(ctx context.Context, tx pgx.Tx) error {
	// Nobody writes meanwhile, and the log takes events as they are, numbered and chained.
	begin := append(slices.Clone(plain), "LOCK TABLE "+strings.Join(tables, ", "), "ALTER TABLE events DISABLE TRIGGER USER")
	if err := execute(ctx, tx, begin...); err != nil {
		return err
	}
	for _, table := range tables {
		var some bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+table+")").Scan(&some); err != nil {
			return err
		}
		if some {
			return errs.New(errs.Conflict, "the database is not empty: there are rows in %s", table)
		}
	}
	for _, table := range tables {
		if err := l.table(ctx, tx, table); err != nil {
			return err
		}
	}
	var t trailer
	if err := l.in.json(&t); err != nil {
		return err
	}
	for _, table := range tables {
		if t.Rows[table] != l.rows[table] {
			return damaged("%d rows of %s were written, %d are there", t.Rows[table], table, l.rows[table])
		}
	}
	if err := l.in.end(); err != nil {
		return err
	}
	return execute(ctx, tx, "ALTER TABLE events ENABLE TRIGGER USER",
		"SELECT setval(pg_get_serial_sequence('outbox', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM outbox), false)")
}

func (l *loader) table(ctx context.Context, tx pgx.Tx, table string) error {
	var s section
	if err := l.in.json(&s); err != nil {
		return err
	}
	if s.Table != table || len(s.Columns) == 0 {
		return damaged("table %q comes where %s should", s.Table, table)
	}
	chunks := &chunks{in: l.in.plain, seen: func(n int64) {
		if l.progress != nil {
			l.progress(table, l.rows.Total()+n)
		}
	}}
	done, err := tx.Conn().PgConn().CopyFrom(ctx, chunks, "COPY "+table+" "+list(s.Columns)+" FROM STDIN")
	if chunks.err != nil {
		return damaged("%v", chunks.err) // the database only knows that there came no more
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && (strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23") || pg.Code == "42703") {
		// Values that are none, rows that contradict each other, columns that there are not.
		return errs.Because(err, errs.Invalid, "the backup is cut off or damaged: the database does not take the rows of %s", table)
	}
	if err != nil {
		return err
	}
	l.rows[table] = done.RowsAffected()
	return nil
}

// chunks reads the rows of one table.
type chunks struct {
	in   *bufio.Reader
	left int
	done bool
	rows int64
	seen func(rows int64)
	// err is what ended it too soon.
	err error
}

func (c *chunks) Read(into []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if c.done {
		return 0, io.EOF
	}
	if c.left == 0 {
		c.seen(c.rows)
		text, err := line(c.in, 10)
		if err == nil {
			c.left, err = strconv.Atoi(string(text))
		}
		if err != nil || c.left < 0 || c.left > maxChunk {
			return 0, c.fail(fmt.Errorf("a chunk of %q bytes (%w)", text, err))
		}
		if c.left == 0 {
			c.done = true
			return 0, io.EOF
		}
	}
	n, err := c.in.Read(into[:min(len(into), c.left)])
	c.left -= n
	c.rows += int64(bytes.Count(into[:n], []byte{'\n'}))
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return n, c.fail(err)
	}
	return n, nil
}

func (c *chunks) fail(err error) error {
	c.err = err
	return err
}

// counted is a file whose bytes are summed up as far as they were asked for.
type counted struct {
	in   *bufio.Reader
	sum  hash.Hash
	some []byte
}

// ReadByte implements io.ByteReader, so that gzip reads no further than to its end.
func (c *counted) ReadByte() (byte, error) {
	b, err := c.in.ReadByte()
	if err == nil {
		c.note(b)
	}
	return b, err
}

// Read implements io.Reader.
func (c *counted) Read(into []byte) (int, error) {
	n, err := c.in.Read(into)
	c.note(into[:n]...)
	return n, err
}

func (c *counted) note(bytes ...byte) {
	if c.some = append(c.some, bytes...); len(c.some) >= 4<<10 {
		c.sum.Write(c.some)
		c.some = c.some[:0]
	}
}

func (c *counted) total() []byte {
	c.sum.Write(c.some)
	c.some = c.some[:0]
	return c.sum.Sum(nil)
}
