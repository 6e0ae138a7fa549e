package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

// Bounds of a body besides its size: no request of the contract comes near them, and without them a megabyte of
// brackets would cost a hundred times that in memory.
const (
	maxDepth  = 32
	maxValues = 20_000
)

// node is a JSON value with the order and spelling of its source, which encoding/json forgets: names are compared
// exactly and a repeated one is seen.
type node struct {
	kind    kind
	text    string // a string's content, a number as it is written, true or false
	members []member
	items   []node
}

type member struct {
	name  string
	value node
}

type kind byte

const (
	null kind = iota
	boolean
	number
	text
	array
	object
)

// parse reads one JSON text (RFC 8259). A 400 says where it cannot be read.
func parse(body []byte) (node, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return node{}, Malformed("the body is empty; send JSON")
	}
	if !utf8.Valid(body) {
		return node{}, Malformed("the body is not UTF-8")
	}
	// The standard library decides what JSON is; reader below relies on it and checks nothing again.
	if !json.Valid(body) {
		err := json.Unmarshal(body, new(json.RawMessage))
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			line, column := position(body, syntax.Offset)
			return node{}, Malformed("the body is not JSON at line %d, column %d: %s", line, column, syntax)
		}
		return node{}, Malformed("the body is not JSON")
	}
	r := reader{rest: body}
	n := r.value(0)
	return n, r.err
}

// Malformed is the error of a request that cannot be read: 400 with the sentence.
func Malformed(format string, args ...any) error {
	return echo.NewHTTPError(http.StatusBadRequest, fmt.Sprintf(format, args...))
}

// position turns the number of bytes read when an error was noticed into the line and column of the last of them.
func position(body []byte, read int64) (line, column int) {
	before := body[:max(0, min(read, int64(len(body)))-1)]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte{'\n'}) + 1, utf8.RuneCount(before[start:]) + 1
}

// reader takes valid JSON apart.
type reader struct {
	rest   []byte
	values int
	err    error
}

func (r *reader) fail(format string, args ...any) node {
	if r.err == nil {
		r.err = Malformed(format, args...)
	}
	r.rest = nil
	return node{}
}

// next skips white space and returns the next byte without taking it, 0 after a failure.
func (r *reader) next() byte {
	for i, c := range r.rest {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			r.rest = r.rest[i:]
			return c
		}
	}
	return 0
}

// take takes the next n bytes.
func (r *reader) take(n int) []byte {
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) value(depth int) node {
	if r.values++; r.values > maxValues {
		return r.fail("the body has more than %d values", maxValues)
	}
	if depth > maxDepth {
		return r.fail("the body is nested more than %d deep", maxDepth)
	}
	switch c := r.next(); c {
	case '{':
		return r.object(depth)
	case '[':
		return r.array(depth)
	case '"':
		return node{kind: text, text: r.string()}
	case 't':
		return node{kind: boolean, text: string(r.take(len("true")))}
	case 'f':
		return node{kind: boolean, text: string(r.take(len("false")))}
	case 'n':
		r.take(len("null"))
		return node{}
	default:
		end := bytes.IndexAny(r.rest, " \n\t\r,]}")
		if end < 0 {
			end = len(r.rest)
		}
		n := node{kind: number, text: string(r.take(end))}
		if _, err := strconv.ParseFloat(n.text, 64); err != nil {
			return r.fail("the body has a number that is too large: %.20s", n.text) // encoding/json would not decode it
		}
		return n
	}
}

// string takes a string. The first quote is next.
func (r *reader) string() string {
	escaped := false
	for i := 1; i < len(r.rest); i++ {
		switch r.rest[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			quoted := r.take(i + 1)
			if !escaped {
				return string(quoted[1:i])
			}
			var s string
			if err := json.Unmarshal(quoted, &s); err != nil {
				r.fail("the body is not JSON")
			}
			return s
		}
	}
	return ""
}

func (r *reader) array(depth int) node {
	n := node{kind: array}
	r.take(1)
	for r.err == nil && r.next() != ']' {
		n.items = append(n.items, r.value(depth+1))
		if r.next() == ',' {
			r.take(1)
		}
	}
	if r.err == nil {
		r.take(1)
	}
	return n
}

func (r *reader) object(depth int) node {
	n := node{kind: object}
	r.take(1)
	var seen map[string]bool
	for r.err == nil && r.next() != '}' {
		name := r.string()
		if seen[name] || seen == nil && n.member(name) != nil {
			return r.fail("the body has %q twice in one object", name)
		}
		r.next()
		r.take(1) // the colon
		n.members = append(n.members, member{name, r.value(depth + 1)})
		// Objects of the contract are small enough to be searched; larger ones are somebody trying something.
		if len(n.members) == 16 {
			seen = map[string]bool{}
			for _, m := range n.members {
				seen[m.name] = true
			}
		} else if seen != nil {
			seen[name] = true
		}
		if r.next() == ',' {
			r.take(1)
		}
	}
	if r.err == nil {
		r.take(1)
	}
	return n
}

// member finds a member of an object, nil if it has none of that name.
func (n *node) member(name string) *node {
	for i := range n.members {
		if n.members[i].name == name {
			return &n.members[i].value
		}
	}
	return nil
}
