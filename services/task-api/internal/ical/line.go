package ical

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of a file besides its size.
const (
	maxLine  = 200_000 // bytes of a content line, folding undone
	maxDepth = 8       // components in components
	maxLines = 1_000   // content lines of one component, without those of components in it
	maxInner = 100     // components in one component, but for the calendar
)

// line is a content line: NAME;PARAM=value:VALUE. Names are in capitals.
type line struct {
	name   string
	params []param
	value  string
	// number is the line of the file where it begins, from 1.
	number int
}

type param struct{ name, value string }

// param is a parameter's value, the first if it has several, empty if there is none.
func (l *line) param(name string) string {
	for _, p := range l.params {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

// lines reads content lines one after the other.
type lines struct {
	rest   string
	number int
	// keep says which components of a calendar are kept.
	keep func(name string) bool
}

// physical takes one line of the file, without its end. False at the end of the file.
func (r *lines) physical() (string, bool) {
	if r.rest == "" {
		return "", false
	}
	text, rest, _ := strings.Cut(r.rest, "\n")
	r.rest = rest
	r.number++
	return strings.TrimSuffix(text, "\r"), true
}

// next reads a content line, passing over empty ones. False at the end of the file. An error is for the caller.
func (r *lines) next() (line, bool, error) {
	for {
		text, ok := r.physical()
		if !ok {
			return line{}, false, nil
		}
		number := r.number
		if r.rest != "" && (r.rest[0] == ' ' || r.rest[0] == '\t') {
			var whole strings.Builder
			whole.WriteString(text)
			for r.rest != "" && (r.rest[0] == ' ' || r.rest[0] == '\t') {
				more, _ := r.physical()
				if whole.Len()+len(more) > maxLine {
					return line{}, false, fmt.Errorf("line %d is longer than %d bytes", number, maxLine)
				}
				whole.WriteString(more[1:])
			}
			text = whole.String()
		}
		if len(text) > maxLine {
			return line{}, false, fmt.Errorf("line %d is longer than %d bytes", number, maxLine)
		}
		if text == "" {
			continue
		}
		l, ok := parseLine(text)
		if !ok {
			return line{}, false, fmt.Errorf("line %d is not a content line of iCalendar", number)
		}
		l.number = number
		return l, true, nil
	}
}

// parseLine takes a content line apart (RFC 5545, section 3.1).
func parseLine(text string) (line, bool) {
	end := strings.IndexAny(text, ";:")
	if end <= 0 || !isName(text[:end]) {
		return line{}, false
	}
	l := line{name: strings.ToUpper(text[:end])}
	for text = text[end:]; text[0] == ';'; {
		name, rest, ok := strings.Cut(text[1:], "=")
		if !ok || !isName(name) {
			return line{}, false
		}
		value, after, ok := paramValues(rest)
		if !ok {
			return line{}, false
		}
		l.params = append(l.params, param{strings.ToUpper(name), value})
		text = after
	}
	l.value = text[1:]
	return l, true
}

// paramValues takes the values of a parameter, of which the first counts, up to the ';' or ':' that follows them.
func paramValues(text string) (first, rest string, ok bool) {
	for n := 0; ; n++ {
		var value string
		if strings.HasPrefix(text, `"`) {
			end := strings.IndexByte(text[1:], '"')
			if end < 0 {
				return "", "", false
			}
			value, text = text[1:1+end], text[2+end:]
		} else {
			end := strings.IndexAny(text, `,;:"`)
			if end < 0 {
				return "", "", false
			}
			value, text = text[:end], text[end:]
		}
		if n == 0 {
			first = value
		}
		switch {
		case text == "":
			return "", "", false
		case text[0] == ',':
			text = text[1:]
		default:
			return first, text, text[0] == ';' || text[0] == ':'
		}
	}
}

func isName(s string) bool {
	return s != "" && strings.Trim(s, "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}

// maxOctets is how long a line of the file may be, without its end.
const maxOctets = 75

// appendLine writes a content line, folded between characters.
func appendLine(b []byte, text string) []byte {
	for room := maxOctets; len(text) > room; room = maxOctets - 1 {
		cut := room
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		b = append(b, text[:cut]...)
		b = append(b, "\r\n "...)
		text = text[cut:]
	}
	b = append(b, text...)
	return append(b, "\r\n"...)
}

var escaper = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)

// escape writes a TEXT value (RFC 5545, section 3.3.11).
func escape(s string) string { return escaper.Replace(s) }

// unescape reads a TEXT value. What is escaped and need not be stands for itself.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if s[i] == 'n' || s[i] == 'N' {
			b.WriteByte('\n')
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// texts reads a list of TEXT values.
func texts(s string) []string {
	var all []string
	for begin, i := 0, 0; i <= len(s); i++ {
		switch {
		case i == len(s) || s[i] == ',':
			all = append(all, unescape(s[begin:i]))
			begin = i + 1
		case s[i] == '\\':
			i++
		}
	}
	return all
}
