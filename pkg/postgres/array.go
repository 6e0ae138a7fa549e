package postgres

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The array types are what gorm needs to hand a Go slice to Postgres as one array: it would write a plain slice as a
// list of placeholders, and every length would be a statement of its own.

// Texts is a text[].
type Texts []string

// Value writes the array as a Postgres array literal.
func (a Texts) Value() (driver.Value, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, s := range a {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		for _, c := range []byte(s) {
			if c == '"' || c == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		}
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String(), nil
}

// Scan reads a Postgres array literal of one dimension. An empty array is nil.
func (a *Texts) Scan(src any) error {
	literal, err := literalOf(src)
	if err != nil {
		return err
	}
	*a, err = elements(literal)
	return err
}

// Ints is an integer[].
type Ints []int

// Value writes the array as a Postgres array literal.
func (a Ints) Value() (driver.Value, error) { return numbers(a), nil }

// Scan reads a Postgres array literal. An empty array is nil.
func (a *Ints) Scan(src any) error {
	literal, err := literalOf(src)
	if err != nil {
		return err
	}
	texts, err := elements(literal)
	if err != nil {
		return err
	}
	*a = nil
	for _, text := range texts {
		n, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		*a = append(*a, n)
	}
	return nil
}

// BigInts is a bigint[], for parameters.
type BigInts []int64

// Value writes the array as a Postgres array literal.
func (a BigInts) Value() (driver.Value, error) { return numbers(a), nil }

// Times is a timestamptz[].
type Times []time.Time

// Value writes the array as a Postgres array literal.
func (a Times) Value() (driver.Value, error) {
	texts := make(Texts, len(a))
	for i, t := range a {
		texts[i] = t.UTC().Format(time.RFC3339Nano)
	}
	return texts.Value()
}

// Scan reads a Postgres array literal. An empty array is nil. The times are in UTC.
func (a *Times) Scan(src any) error {
	literal, err := literalOf(src)
	if err != nil {
		return err
	}
	texts, err := elements(literal)
	if err != nil {
		return err
	}
	*a = nil
	for _, text := range texts {
		t, err := timeOf(text)
		if err != nil {
			return err
		}
		*a = append(*a, t)
	}
	return nil
}

// timeOf reads a timestamptz as Postgres writes it in the style ISO (Postgres manual, 8.5.2). A session behind a pooler may
// be in any zone.
func timeOf(text string) (t time.Time, err error) {
	for _, offset := range []string{"Z07", "Z07:00", "Z07:00:00"} {
		if t, err = time.Parse(time.DateTime+offset, text); err == nil {
			return t.UTC(), nil
		}
	}
	return t, err
}

func numbers[N int | int64](a []N) string {
	b := []byte{'{'}
	for i, n := range a {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return string(append(b, '}'))
}

func literalOf(src any) (string, error) {
	switch v := src.(type) {
	case nil:
		return "{}", nil
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	default:
		return "", fmt.Errorf("an array came as %T", src)
	}
}

// elements takes an array literal apart (Postgres manual, 8.15.6). NULL elements, nesting and bounds are not in any
// column of ours.
func elements(literal string) ([]string, error) {
	body, ok := strings.CutPrefix(literal, "{")
	if ok {
		body, ok = strings.CutSuffix(body, "}")
	}
	if !ok {
		return nil, fmt.Errorf("not an array: %q", literal)
	}
	if body == "" {
		return nil, nil
	}
	var (
		all    []string
		one    []byte
		quoted bool
	)
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '\\' && i+1 < len(body):
			i++
			one = append(one, body[i])
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			all = append(all, string(one))
			one = one[:0]
		default:
			one = append(one, c)
		}
	}
	if quoted {
		return nil, fmt.Errorf("not an array: %q", literal)
	}
	return append(all, string(one)), nil
}
